"""Predicted probabilities: refused where they are none, and their limits."""

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.errors import ModelError


def finite(predictions: FloatArray) -> FloatArray:
    """Return the predictions, refusing any that is no finite number."""
    if not np.isfinite(predictions).all():
        raise ModelError(
            "a prediction is no finite number: a covariate is far outside the training patients', "
            "or the model is not sound"
        )
    return predictions


def log_log_limits(risk: FloatArray, error: FloatArray, z: float) -> tuple[FloatArray, FloatArray]:
    """Return the limits of 1 - risk, given the standard error of log(-log(1 - risk))."""
    hazard = -np.log1p(-np.minimum(risk, 1.0 - 1e-16))
    # Beyond, exp would overflow; the limits are 0 and 1 long before.
    width = np.minimum(z * error, 700.0)
    lower = np.exp(-hazard * np.exp(width))
    return np.asarray(lower), np.asarray(np.exp(-hazard * np.exp(-width)))
