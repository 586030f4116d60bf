"""Checks of arms and weights."""

import numpy as np
import numpy.typing as npt

from outcomes.arrays import BoolArray, FloatArray
from outcomes.errors import NotEstimableError, OutcomesError


def check_arms(treated: npt.ArrayLike) -> BoolArray:
    """Return who is treated, checked to be two arms.

    Raises
    ------
    OutcomesError
        If it is not one sequence of truth values (or 0 and 1).
    NotEstimableError
        If an arm has no patient.
    """
    values = np.asarray(treated)
    if values.ndim != 1:
        raise OutcomesError(f"treated must be one sequence; found shape {values.shape}")
    bad = np.flatnonzero(~np.isin(values, (0, 1)))
    if bad.size:
        raise OutcomesError(
            f"treated of row {bad[0] + 1}: found {values[bad[0]]}; allowed: true or false"
        )
    arms = values.astype(np.bool_)
    for label, arm in (("treated", arms), ("control", ~arms)):
        if not arm.any():
            raise NotEstimableError(f"the {label} arm has no patient")
    return arms


def check_weights(weights: npt.ArrayLike | None, treated: BoolArray) -> FloatArray:
    """Return the weights of patients, checked; all 1 if there are none.

    Raises
    ------
    OutcomesError
        If they are not one for each patient, or one is negative, missing or infinite.
    NotEstimableError
        If the weights of an arm are all 0.
    """
    if weights is None:
        return np.ones(treated.size)
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != treated.shape:
        raise OutcomesError(f"weights: found shape {values.shape}; allowed: {treated.shape}")
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if bad.size:
        raise OutcomesError(
            f"weight of row {bad[0] + 1}: found {values[bad[0]]:g}; allowed: finite, at least 0"
        )
    for label, arm in (("treated", treated), ("control", ~treated)):
        if not values[arm].any():
            raise NotEstimableError(f"all weights of the {label} arm are 0")
    return values
