"""Net benefit of treating by predicted risk, against treating all and none.

Vickers, Cronin, Elkin and Gonen, BMC Med Inform Decis Mak 2008;8:53: among those with a risk of at
least the threshold, the risk by the month is estimated by Kaplan-Meier, with competing events by
Aalen-Johansen.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import FloatArray, IntArray
from outcomes.errors import ModelError
from outcomes.models.checks import (
    check_count,
    check_labels,
    check_level,
    check_month,
    check_months,
    check_outcome,
    check_probabilities,
)

THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(1, 20))

# Numbers held at once.
_CELLS = 4_000_000


def decision_curve(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    risk: npt.ArrayLike,
    month: float,
    thresholds: Sequence[float] = THRESHOLDS,
    *,
    clusters: Any = None,
    n_bootstrap: int = 200,
    random_state: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the net benefit at each threshold, with bootstrap intervals.

    Parameters
    ----------
    time, event
        Months, and codes (0 censored, 1 the event of interest, above 1 competing), shape (n,).
    risk
        Predicted risk of event 1 by the month, shape (n,).
    month
        Month by which the event counts; patients are still under observation after it.
    thresholds
        Risks above 0 and below 1 from which on one would treat.
    clusters
        Whom the rows belong to, where a patient has several, shape (n,).
    n_bootstrap, random_state
        Bootstrap samples of patients, and their seed.
    level
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        threshold, treated (share), net_benefit, lower, upper, treat_all, treat_none (0), and
        difference, difference_lower, difference_upper: the net benefit above the better of
        treating all and none. Where nobody is treated the net benefit is 0; where the treated
        are not followed to the month it is missing.

    Raises
    ------
    ModelError
        If a threshold is not between 0 and 1, a risk is not from 0 to 1, lengths differ, a time or
        code is missing, or nobody is under observation after the month.
    """
    time, event = check_outcome(time, event)
    risk = check_probabilities("risk", risk, len(time))
    clusters = check_labels("clusters", clusters, len(time))
    month = check_month(month, time)
    check_count("n_bootstrap", n_bootstrap, 0)
    check_count("random_state", random_state, 0)
    level = check_level(level)
    marks = np.unique(check_months("thresholds", thresholds))
    if not ((marks > 0) & (marks < 1)).all():
        raise ModelError(f"thresholds: found {thresholds!r}; allowed: between 0 and 1")
    codes = np.arange(len(time)) if clusters is None else pd.factorize(clusters)[0]
    n_patients = int(codes.max()) + 1
    weights = np.ones((len(time), n_bootstrap + 1))
    rng = np.random.default_rng(random_state)
    drawn = rng.multinomial(n_patients, np.full(n_patients, 1 / n_patients), n_bootstrap)
    weights[:, 1:] = drawn.T[codes]
    model = net_benefits(time, event, risk, month, marks, weights)
    everyone = net_benefits(time, event, np.ones(len(time)), month, marks, weights)
    difference = model - np.maximum(everyone, 0.0)
    tails = [0.5 - level / 2, 0.5 + level / 2]

    def limits(values: FloatArray) -> FloatArray:
        found = np.full((2, len(values)), np.nan)
        for k in np.flatnonzero(np.isfinite(values[:, 0])):
            drawn = values[k, 1:][np.isfinite(values[k, 1:])]
            if len(drawn) >= 20:
                found[:, k] = np.quantile(drawn, tails)
        return found

    lower, upper = limits(model)
    difference_lower, difference_upper = limits(difference)
    return pd.DataFrame(
        {
            "threshold": marks,
            "treated": [(risk >= mark).mean() for mark in marks],
            "net_benefit": model[:, 0],
            "lower": lower,
            "upper": upper,
            "treat_all": everyone[:, 0],
            "treat_none": 0.0,
            "difference": difference[:, 0],
            "difference_lower": difference_lower,
            "difference_upper": difference_upper,
        }
    )


def net_benefits(
    time: FloatArray,
    event: IntArray,
    risk: FloatArray,
    month: float,
    thresholds: FloatArray,
    weights: FloatArray,
) -> FloatArray:
    """Return the net benefit for each threshold and column of patient weights.

    Parameters
    ----------
    time, event, risk, month, thresholds
        As `decision_curve`.
    weights
        How often each patient counts, shape (n, n_columns).

    Returns
    -------
    array, shape (n_thresholds, n_columns)
    """
    order = np.argsort(time, kind="stable")
    t, e, p = time[order], event[order], risk[order]
    benefits = np.empty((len(thresholds), weights.shape[1]))
    width = max(1, _CELLS // len(time))
    for start in range(0, weights.shape[1], width):
        w = weights[order, start : start + width]
        total = w.sum(axis=0)
        share, happens, n_treated = np.zeros(w.shape[1]), np.zeros(w.shape[1]), 0
        for k, threshold in enumerate(thresholds):
            treated = p >= threshold
            # Between thresholds that treat the same patients nothing changes.
            if treated.sum() != n_treated:
                n_treated = int(treated.sum())
                share = w[treated].sum(axis=0) / np.maximum(total, 1e-300)
                happens = _risk_by(t[treated], e[treated], month, w[treated])
            odds = threshold / (1 - threshold)
            benefits[k, start : start + width] = np.where(
                share > 0, share * (happens - (1 - happens) * odds), 0.0
            )
    return benefits


def _risk_by(time: FloatArray, event: IntArray, month: float, weights: FloatArray) -> FloatArray:
    """Return the Aalen-Johansen risk of event 1 by the month; patients in order of time.

    NaN where the last patient is censored before the month, shape (n_columns,).
    """
    if not len(time):
        return np.zeros(weights.shape[1])
    after = weights[time > month].sum(axis=0)
    inside = time <= month
    t, e, w = time[inside], event[inside], weights[inside]
    if not len(t):
        return np.zeros(weights.shape[1])
    begins = np.flatnonzero(np.concatenate([[True], t[1:] != t[:-1]]))

    def by_time(rows: FloatArray) -> FloatArray:
        return np.asarray(np.add.reduceat(rows, begins, axis=0))

    leaving, any_event = by_time(w), by_time(w * (e > 0)[:, None])
    first = by_time(w * (e == 1)[:, None])
    at_risk = after + np.cumsum(leaving[::-1], axis=0)[::-1]
    held = np.maximum(at_risk, 1e-300)
    kept = np.cumprod(1.0 - any_event / held, axis=0)
    before = np.concatenate([np.ones((1, w.shape[1])), kept[:-1]])
    risk = (before * first / held).sum(axis=0)
    # Nobody is left: known only if all had an event, so that nobody is event-free.
    return np.asarray(np.where((after > 0) | (kept[-1] < 1e-9), risk, np.nan))
