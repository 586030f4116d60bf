"""Hazards combined into the probabilities of each event.

Cause-specific hazards (`cumulative_incidences`): between two event times the causes' hazards are
taken as constant. Over a step in which the cumulative hazards grow by h1, h2, ..., the event-free
probability falls by the factor exp(-(h1 + h2 + ...)), and what it loses goes to cause k in the
share hk / (h1 + h2 + ...). The incidences and the event-free probability therefore sum to exactly
1, and with one cause the result is exp(-H), as R's `survfit.coxph` computes it. It is the estimator
of Benichou and Gail (Biometrics 1990;46:813-826) with the product over steps in its exponential
form. The product-limit form, with the factor 1 - (h1 + h2 + ...), is that of the Aalen-Johansen
curve and of riskRegression's `CSC` with its `product.limit`. The exponential form keeps every
probability between 0 and 1 for any patient; the two differ by terms of the size of the steps.

A subdistribution hazard beside cause-specific ones (`subdistribution_incidences`): the incidence
of the event of interest is given, and the other events' hazards act on whoever is left (Bonneville,
de Wreede and Putter, J R Stat Soc A 2024;187:580-593). Subdistribution hazards of all events would
contradict each other.
"""

from collections.abc import Sequence

import numpy as np

from outcomes.arrays import FloatArray, IntArray

_LARGEST_HAZARD = 500.0


def cumulative_incidences(
    hazards: Sequence[FloatArray], grid: FloatArray, times: FloatArray
) -> FloatArray:
    """Return the cumulative incidence of every cause.

    Parameters
    ----------
    hazards
        Cumulative cause-specific hazards on the grid, one array of shape (n, n_grid) per cause.
    grid
        Increasing months at which a hazard steps, shape (n_grid,).
    times
        Months asked for, shape (n_times,); the incidences are step functions.

    Returns
    -------
    array, shape (n_causes, n, n_times)
    """
    position = np.searchsorted(grid, times, side="right")
    total = hazards[0] if len(hazards) == 1 else np.sum(hazards, axis=0)
    if len(hazards) == 1:
        lost = -np.expm1(-_at(total, position))
        return np.asarray(lost[None])
    steps = np.diff(total, axis=1, prepend=0.0)
    before = np.exp(-(total - steps))
    # The hazard lost per unit of hazard; its limit for an empty step is the event-free share.
    weight = before * np.divide(
        -np.expm1(-steps), steps, out=np.ones_like(steps), where=steps > 1e-300
    )
    return np.stack(
        [
            _at(np.cumsum(np.diff(hazard, axis=1, prepend=0.0) * weight, axis=1), position)
            for hazard in hazards
        ]
    )


def subdistribution_incidences(
    risk: FloatArray, hazards: Sequence[FloatArray], grid: FloatArray, times: FloatArray
) -> FloatArray:
    """Return the cumulative incidence of every cause, the first of which is given.

    With A the sum of the other causes' cumulative hazards, the event-free probability is

        S(t) = exp(-A(t)) * (1 - integral of exp(A) dF1 to t),

    dF1 standing in the middle of a step in which both grow. Where nobody would be left (an
    incidence that the other hazards make impossible), all three stay as they are from there.

    Parameters
    ----------
    risk
        Cumulative incidence of the first cause on the grid, shape (n, n_grid).
    hazards
        Cumulative cause-specific hazards of the others on the grid, each of shape (n, n_grid).
    grid, times
        As `cumulative_incidences`.

    Returns
    -------
    array, shape (n_causes, n, n_times)
    """
    position = np.searchsorted(grid, times, side="right")
    if not hazards:
        return _at(risk, position)[None]
    # Beyond, nobody is left, and exp would overflow.
    total = np.minimum(np.sum(hazards, axis=0), _LARGEST_HAZARD)
    before = np.pad(total, ((0, 0), (1, 0)))[:, :-1]
    taken = np.cumsum(np.diff(risk, axis=1, prepend=0.0) * np.exp((total + before) / 2), axis=1)
    free = np.exp(-total) * (1 - taken)
    spent = np.logical_or.accumulate(free <= 0, axis=1)
    lost = np.maximum(1 - risk - free, 0.0)
    held = np.maximum.accumulate(np.where(spent, 0.0, lost), axis=1)
    first = np.where(spent, np.minimum(risk, 1 - held), risk)
    first = np.maximum.accumulate(first, axis=1)
    others = np.where(spent, 1 - first, lost)
    stopped = np.pad(spent, ((0, 0), (1, 0)))[:, :-1]
    # From the step after the one that spends the last, nothing moves any more.
    last = np.maximum.accumulate(np.where(stopped, 0, np.arange(len(grid))), axis=1)
    rows = np.arange(len(risk))[:, None]
    first, others = first[rows, last], np.maximum.accumulate(others, axis=1)[rows, last]
    gained = np.diff(others, axis=1, prepend=0.0)
    step = np.diff(total, axis=1, prepend=0.0)
    result = [first]
    for hazard in hazards:
        share = np.divide(
            np.diff(hazard, axis=1, prepend=0.0), step, out=np.zeros_like(step), where=step > 0
        )
        result.append(others if len(hazards) == 1 else np.cumsum(gained * share, axis=1))
    return np.stack([_at(values, position) for values in result])


def _at(values: FloatArray, position: IntArray) -> FloatArray:
    padded = np.concatenate([np.zeros((len(values), 1)), values], axis=1)
    return np.asarray(padded[:, position])
