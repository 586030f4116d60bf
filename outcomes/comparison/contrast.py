"""Estimates with their Wald intervals, and contrasts of two of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from scipy.optimize import brentq

from outcomes.curves.intervals import normal_quantile
from outcomes.errors import NotEstimableError

Z95 = normal_quantile(0.95)
ROUNDING = 1e-9
"""A smaller difference of risks is none."""
LARGEST_Z = 37.0
"""From here on a p value is 0 in floating point."""
FEWEST_PATIENTS = 5
"""Of fewer than this the spread between patients tells nothing."""
LARGEST_EXPONENT = 700.0
LARGEST_ERROR = 100.0
"""A logarithm with a larger error than this tells nothing."""
Scale = Literal["plain", "risk", "survival"]


@dataclass(frozen=True)
class Contrast:
    """A value with its 95 % interval and p value, each None where there is none."""

    value: float
    lower: float | None = None
    upper: float | None = None
    p: float | None = None
    note: str = ""


@dataclass(frozen=True)
class ArmEstimate:
    """An estimate in one arm.

    ``standard_error`` is None where nothing varies: the arm has had no event, or only events,
    so that the data say nothing of the estimate's uncertainty. ``reason`` then says which.
    ``scale`` tells where limits are symmetric: for a risk that of log(-log) of the risk or of
    survival, for anything else the estimate's own. ``bounds`` are what the estimate can be.
    """

    value: float
    standard_error: float | None
    reason: str = ""
    scale: Scale = "plain"
    bounds: tuple[float, float] = (-math.inf, math.inf)

    def limits(self, z: float = Z95) -> tuple[float, float]:
        """Return the limits at a quantile of the standard normal; NaN without an error."""
        if self.standard_error is None:
            return math.nan, math.nan
        width = z * self.standard_error
        if self.scale == "plain" or not 0 < self.value < 1:
            return self.value - width, self.value + width
        # Of p with hazard -log p: p ** exp(-+ width / (p log p)).
        probability = self.value if self.scale == "risk" else 1 - self.value
        hazard = -math.log(self.value) if self.scale == "risk" else -math.log1p(-self.value)
        stretch = min(width / (probability * hazard), LARGEST_EXPONENT)
        lower, upper = (math.exp(-hazard * math.exp(sign * stretch)) for sign in (1, -1))
        return (lower, upper) if self.scale == "risk" else (1 - upper, 1 - lower)

    def alone(self) -> Contrast:
        """Return the estimate itself."""
        if self.standard_error is None:
            return Contrast(self.value, note=f"no interval because {self.reason}")
        lower, upper = self.limits()
        return Contrast(self.value, max(lower, self.bounds[0]), min(upper, self.bounds[1]))


def two_sided_p(z: float) -> float:
    """Return the two-sided p value of a standard normal statistic."""
    return math.erfc(abs(z) / math.sqrt(2))


def difference(treated: ArmEstimate, control: ArmEstimate, covariance: float = 0.0) -> Contrast:
    """Return treated minus control; arms of different patients are independent.

    The interval is recovered from the arms' own (Zou & Donner, Stat Med 2008;27:1693), which near
    0 and 1 are not symmetric; the p value is that of the interval that ends at 0.
    """
    value = treated.value - control.value
    if treated.standard_error is None or control.standard_error is None:
        return Contrast(value, note=f"no interval because {_reasons(treated, control)}")
    errors = treated.standard_error * control.standard_error
    variance = treated.standard_error**2 + control.standard_error**2 - 2 * covariance
    if not variance > 0:
        return Contrast(value, note="no interval because nothing varies")
    correlation = covariance / errors if errors > 0 else 0.0

    def limits(z: float) -> tuple[float, float]:
        (low, high), (control_low, control_high) = treated.limits(z), control.limits(z)

        def away(first: float, second: float) -> float:
            return math.sqrt(max(first**2 + second**2 - 2 * correlation * first * second, 0.0))

        return (
            value - away(treated.value - low, control_high - control.value),
            value + away(high - treated.value, control.value - control_low),
        )

    return Contrast(value, *limits(Z95), _p_of_limits(value, limits))


def _p_of_limits(value: float, limits: Callable[[float], tuple[float, float]]) -> float:
    """Return the p value at which the limit nearer to 0 is 0."""
    if abs(value) < ROUNDING:
        return 1.0

    def above(z: float) -> float:
        lower, upper = limits(z)
        return lower if value > 0 else -upper

    if above(LARGEST_Z) > 0:
        return two_sided_p(LARGEST_Z)
    return two_sided_p(float(brentq(above, 0.0, LARGEST_Z)))


def _reasons(*arms: ArmEstimate) -> str:
    return " and ".join(dict.fromkeys(arm.reason for arm in arms if arm.reason))


def ratio(treated: ArmEstimate, control: ArmEstimate, covariance: float = 0.0) -> Contrast:
    """Return treated over control, with an interval symmetric on the log scale.

    Raises
    ------
    NotEstimableError
        If either arm's value is 0.
    """
    for arm in (treated, control):
        if arm.value <= 0:
            raise NotEstimableError(arm.reason or "an arm's risk is not above 0")
    value = treated.value / control.value
    if treated.standard_error is None or control.standard_error is None:
        return Contrast(value, note=f"no interval because {_reasons(treated, control)}")
    variance = (
        (treated.standard_error / treated.value) ** 2
        + (control.standard_error / control.value) ** 2
        - 2 * covariance / (treated.value * control.value)
    )
    return ratio_of_log(math.log(value), math.sqrt(max(variance, 0.0)))


def ratio_of_log(log_ratio: float, error: float, note: str = "") -> Contrast:
    """Return a ratio with its interval from its logarithm and that one's standard error."""
    value = math.exp(log_ratio)
    if not ROUNDING < error < LARGEST_ERROR:
        reason = "nothing varies" if error <= ROUNDING else "its error is beyond all measure"
        missing = f"no interval because {reason}"
        return Contrast(value, note="; ".join(text for text in (note, missing) if text))
    width = Z95 * error
    p = two_sided_p(log_ratio / error)
    return Contrast(value, math.exp(log_ratio - width), math.exp(log_ratio + width), p, note)


def number_needed_to_treat(risk_difference: Contrast) -> Contrast:
    """Return the patients to treat for one event fewer; negative: for one event more.

    References
    ----------
    Altman & Andersen, BMJ 1999; 319: 1492-1495.

    Raises
    ------
    NotEstimableError
        If the risk difference is 0, or its interval includes 0 or is unknown.
    """
    if abs(risk_difference.value) < ROUNDING:
        raise NotEstimableError("the risk difference is 0")
    value = -1 / risk_difference.value
    lower, upper = risk_difference.lower, risk_difference.upper
    if lower is None or upper is None:
        raise NotEstimableError(
            "the risk difference has no interval, so that the number may be infinite"
        )
    if lower <= 0 <= upper:
        raise NotEstimableError(
            "the interval of the risk difference includes 0, where the number is infinite",
        )
    return Contrast(value, -1 / lower, -1 / upper, risk_difference.p)
