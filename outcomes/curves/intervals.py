"""Confidence limits of a probability."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from outcomes.arrays import FloatArray
from outcomes.errors import OutcomesError

Transform = Literal["log-log", "plain"]


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
        ``"log-log"``: symmetric on the scale log(-log p), as ``conf.type = "log-log"`` of R's
        survfit (Kalbfleisch & Prentice); ``"plain"``: symmetric on p, cut at 0 and 1.

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
    if transform != "log-log":
        raise OutcomesError(f"unknown transform {transform!r}; allowed: log-log, plain")
    inside = (p > 0) & (p < 1)
    safe = np.where(inside, p, 0.5)
    log_p = np.log(safe)
    width = z * se / (safe * np.abs(log_p))
    with np.errstate(over="ignore"):
        lower = np.exp(log_p * np.exp(width))
    upper = np.exp(log_p * np.exp(-width))
    certain = np.where(se == 0, p, np.nan)
    return np.where(inside, lower, certain), np.where(inside, upper, certain)
