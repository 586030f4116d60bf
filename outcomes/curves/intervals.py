"""Confidence limits of a probability."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, ndtri

from outcomes.arrays import FloatArray
from outcomes.errors import OutcomesError

Transform = Literal["log-log", "log", "logit", "arcsin", "plain"]


def normal_quantile(level: float) -> float:
    """Return the two-sided standard normal quantile of a confidence level, 1.96 for 0.95."""
    if not 0 < level < 1:
        raise OutcomesError(f"the confidence level must lie between 0 and 1; found {level:g}")
    return float(ndtri(0.5 + level / 2))


def probability_limits(
    probability: npt.ArrayLike,
    standard_error: npt.ArrayLike,
    *,
    level: float = 0.95,
    transform: Transform = "log-log",
) -> tuple[FloatArray, FloatArray]:
    """Return lower and upper confidence limits of probabilities.

    Parameters
    ----------
    probability, standard_error
        Estimates on the probability scale, of one shape.
    level
        Confidence level.
    transform
        Scale on which the limits are symmetric, as ``conf.type`` of R's survfit: ``"log-log"``:
        log(-log p) (Kalbfleisch & Prentice); ``"log"``: log p, cut at 1; ``"logit"``:
        log(p / (1 - p)); ``"arcsin"``: the arcsine of the square root of p; ``"plain"``: p, cut
        at 0 and 1.

    Returns
    -------
    tuple of arrays
        Where nothing has happened (standard error 0, probability 0 or 1) both limits are the
        estimate itself: the interval says nothing there.
    """
    p = np.asarray(probability, dtype=np.float64)
    se = np.asarray(standard_error, dtype=np.float64)
    z = normal_quantile(level)
    if transform == "plain":
        return np.clip(p - z * se, 0.0, 1.0), np.clip(p + z * se, 0.0, 1.0)
    if transform not in _SCALES:
        raise OutcomesError(
            f"unknown transform {transform!r}; allowed: {', '.join(_SCALES)}, plain"
        )
    inside = (p > 0) & (p < 1)
    lower, upper = _SCALES[transform](np.where(inside, p, 0.5), z * se)
    certain = np.where(se == 0, p, np.nan)
    return np.where(inside, lower, certain), np.where(inside, upper, certain)


def _log_log(p: FloatArray, half: FloatArray) -> tuple[FloatArray, FloatArray]:
    log_p = np.log(p)
    width = half / (p * np.abs(log_p))
    with np.errstate(over="ignore"):
        lower = np.exp(log_p * np.exp(width))
    return lower, np.exp(log_p * np.exp(-width))


def _log(p: FloatArray, half: FloatArray) -> tuple[FloatArray, FloatArray]:
    width = half / p
    return p * np.exp(-width), np.minimum(p * np.exp(np.minimum(width, -np.log(p))), 1.0)


def _logit(p: FloatArray, half: FloatArray) -> tuple[FloatArray, FloatArray]:
    odds, width = logit(p), half / (p * (1 - p))
    return np.asarray(expit(odds - width)), np.asarray(expit(odds + width))


def _arcsin(p: FloatArray, half: FloatArray) -> tuple[FloatArray, FloatArray]:
    angle, width = np.arcsin(np.sqrt(p)), half / (2 * np.sqrt(p * (1 - p)))
    lower, upper = np.maximum(angle - width, 0.0), np.minimum(angle + width, np.pi / 2)
    return np.sin(lower) ** 2, np.sin(upper) ** 2


# Limits from a probability strictly between 0 and 1 and half the width of its plain interval.
_SCALES = {"log-log": _log_log, "log": _log, "logit": _logit, "arcsin": _arcsin}
