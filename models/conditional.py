"""Probabilities given that nothing has happened until a month.

For a patient still event-free at month s, the probability of event k by month t is

    (F_k(t) - F_k(s)) / S(s),

S being the probability of no event: with one cause 1 - S(t) / S(s). In a cumulative hazard of one
cause this is H(t) - H(s).
"""

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.errors import ModelError


def conditional_incidences(
    incidences: FloatArray, start: FloatArray, months: FloatArray, survived: float
) -> FloatArray:
    """Return the incidences given that no event has happened by month `survived`.

    Parameters
    ----------
    incidences
        Cumulative incidences of all causes, shape (n_causes, n, n_months).
    start
        The same at month `survived`, shape (n_causes, n, 1).
    months
        Months since surgery, shape (n_months,); 0 is returned for those until `survived`.

    Raises
    ------
    ModelError
        If a patient had no chance of being event-free then.
    """
    free = 1.0 - start.sum(axis=0)
    gone = np.flatnonzero(free[:, 0] <= 0)
    if gone.size:
        raise ModelError(
            f"survived: the model leaves no chance that the patient of row {gone[0] + 1} was "
            f"event-free at month {survived:g}"
        )
    gained = np.where(months > survived, incidences - start, 0.0)
    # Differences of nearly equal numbers may fall a hair outside.
    return np.asarray(np.clip(gained / free, 0.0, 1.0))


def check_survived(survived: float) -> float:
    """Return the month, or raise ModelError where it is none."""
    try:
        month = float(survived)
    except (TypeError, ValueError):
        month = float("nan")
    if not (np.isfinite(month) and month >= 0):
        raise ModelError(f"survived: found {survived!r}; allowed: a finite month, at least 0")
    return month
