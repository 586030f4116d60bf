"""Pseudo-values of a risk: what each patient contributes to the estimate.

The pseudo-value of a patient is n F - (n - 1) F without that patient, where F is the
Aalen-Johansen estimate of the risk by a month (without competing events, 1 - Kaplan-Meier). Its
mean given covariates is the risk given covariates, censoring or not (Andersen, Klein and
Rosthoj, Biometrika 2003;90:15-27).
"""

import numpy as np

from outcomes.arrays import FloatArray, IntArray


def pseudo_risks(time: FloatArray, event: IntArray, month: float) -> FloatArray:
    """Return the pseudo-values of the risk of event 1 by a month, shape (n,).

    All patients are left out in turn in linear time: leaving one out changes the risk set up to
    the patient's own time only, so each estimate is a stretch of the curve with one patient
    less, the step at the own time, and a stretch of the full curve.
    """
    n = len(time)
    times, position = np.unique(time, return_inverse=True)
    events = np.bincount(position, weights=event > 0, minlength=len(times))
    first = np.bincount(position, weights=event == 1, minlength=len(times))
    leaving = np.bincount(position, minlength=len(times)).astype(np.float64)
    at_risk = np.cumsum(leaving[::-1])[::-1]
    inside = times <= month
    events, first = np.where(inside, events, 0.0), np.where(inside, first, 0.0)

    kept = 1.0 - events / at_risk
    full = _incidence(first / at_risk, kept)
    # Risk from each time on, for those event-free just after it.
    onward = np.zeros(len(times) + 1)
    for k in range(len(times) - 1, -1, -1):
        onward[k] = first[k] / at_risk[k] + kept[k] * onward[k + 1]

    smaller = np.maximum(at_risk - 1.0, 1.0)
    kept_less = 1.0 - np.where(at_risk > 1, events / smaller, 0.0)
    free_less = np.concatenate([[1.0], np.cumprod(kept_less)])[:-1]
    gain = free_less * np.where(at_risk > 1, first / smaller, 0.0)
    incidence_less = np.concatenate([[0.0], np.cumsum(gain)])[:-1]

    own_event = (event > 0) & inside[position]
    own_first = (event == 1) & inside[position]
    alone = at_risk[position] <= 1
    rate_first = np.where(alone, 0.0, (first[position] - own_first) / smaller[position])
    rate_all = np.where(alone, 0.0, (events[position] - own_event) / smaller[position])
    without = incidence_less[position] + free_less[position] * (
        rate_first + (1.0 - rate_all) * onward[position + 1]
    )
    return np.asarray(n * full - (n - 1) * without)


def _incidence(rate: FloatArray, kept: FloatArray) -> float:
    before = np.concatenate([[1.0], np.cumprod(kept)])[:-1]
    return float(np.sum(before * rate))
