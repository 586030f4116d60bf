"""Scores of predicted risks, for each column of patient weights at once.

A column of ones gives the score itself; columns of bootstrap counts give its distribution. The
censoring distribution is held as estimated.
"""

from typing import Any

import numpy as np

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.models.ipcw import Censoring


def brier_scores(
    risk: FloatArray,
    months: FloatArray,
    known: BoolArray,
    censoring: Censoring,
    weights: FloatArray,
) -> FloatArray:
    """Return the Brier score at each month.

    Parameters
    ----------
    risk
        Predicted risk of event 1 by each month, shape (n, n_months).
    months
        Months, shape (n_months,).
    known
        Whom the score at each month is about, shape (n, n_months).
    censoring
        The censoring distribution of these patients.
    weights
        How often each patient counts, shape (n, n_columns).

    Returns
    -------
    array, shape (n_months, n_columns)
        NaN where nobody is scored.
    """
    losses = np.zeros((len(months), len(risk)))
    for k, month in enumerate(months):
        happened = (censoring.time <= month) & (censoring.event == 1)
        losses[k] = censoring.weights(month) * (happened - risk[:, k]) ** 2 * known[:, k]
    total = known.T.astype(np.float64) @ weights
    undefined = np.full(total.shape, np.nan)
    return np.asarray(np.divide(losses @ weights, total, out=undefined, where=total > 0))


def integrate(scores: FloatArray, months: FloatArray) -> FloatArray:
    """Return the mean of a score over the months by the trapezoidal rule, shape (n_columns,)."""
    return np.asarray(np.trapezoid(scores, months, axis=0) / (months[-1] - months[0]))


def dynamic_auc(
    risk: FloatArray, month: float, rows: IntArray, censoring: Censoring, weights: FloatArray
) -> FloatArray:
    """Return the cumulative/dynamic area under the ROC curve at a month, within series.

    Cases had event 1 by the month; controls had none, or a competing event (Blanche et al.,
    Stat Med 2013;32:5381-5397, definition 2). Only pairs of one series are compared.

    Parameters
    ----------
    risk
        Predicted risk by the month, shape (n,).
    month
        The month.
    rows
        Whom the score is about.
    censoring, weights
        As `brier_scores`.

    Returns
    -------
    array, shape (n_columns,)
        NaN without a pair.
    """
    inverse = censoring.weights(month)
    case = (censoring.time <= month) & (censoring.event == 1)
    agree, pairs = np.zeros((2, weights.shape[1]))
    groups: Any = censoring.groups
    for name in sorted(set(groups[rows])):
        members = rows[groups[rows] == name]
        cases = members[case[members]]
        controls = members[~case[members] & (inverse[members] > 0)]
        if not len(cases) or not len(controls):
            continue
        for_cases = weights[cases] * inverse[cases, None]
        for_controls = weights[controls] * inverse[controls, None]
        order = np.argsort(risk[controls], kind="stable")
        ranked = risk[controls][order]
        running = np.concatenate(
            [np.zeros((1, weights.shape[1])), np.cumsum(for_controls[order], axis=0)]
        )
        below = running[np.searchsorted(ranked, risk[cases], side="left")]
        up_to = running[np.searchsorted(ranked, risk[cases], side="right")]
        agree += np.einsum("ib,ib->b", for_cases, (below + up_to) / 2)
        pairs += for_cases.sum(axis=0) * running[-1]
    return np.asarray(np.divide(agree, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0))
