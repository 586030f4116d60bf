"""Estimates with their Wald intervals, and contrasts of two of them."""

import math
from dataclasses import dataclass

from outcomes.curves.intervals import normal_quantile
from outcomes.errors import NotEstimableError

Z95 = normal_quantile(0.95)


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
    """

    value: float
    standard_error: float | None
    lower: float | None = None
    upper: float | None = None
    reason: str = ""

    def alone(self) -> Contrast:
        """Return the estimate itself."""
        note = f"no interval because {self.reason}" if self.standard_error is None else ""
        return Contrast(self.value, self.lower, self.upper, None, note)


def two_sided_p(z: float) -> float:
    """Return the two-sided p value of a standard normal statistic."""
    return math.erfc(abs(z) / math.sqrt(2))


def difference(treated: ArmEstimate, control: ArmEstimate, covariance: float = 0.0) -> Contrast:
    """Return treated minus control; arms of different patients are independent."""
    value = treated.value - control.value
    if treated.standard_error is None or control.standard_error is None:
        return Contrast(value, note=f"no interval because {_reasons(treated, control)}")
    variance = treated.standard_error**2 + control.standard_error**2 - 2 * covariance
    error = math.sqrt(max(variance, 0.0))
    if not error > 0:
        return Contrast(value, note="no interval because nothing varies")
    return Contrast(value, value - Z95 * error, value + Z95 * error, two_sided_p(value / error))


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
    error = math.sqrt(max(variance, 0.0))
    if not error > 0:
        return Contrast(value, note="no interval because nothing varies")
    z = math.log(value) / error
    return Contrast(
        value, value * math.exp(-Z95 * error), value * math.exp(Z95 * error), two_sided_p(z)
    )


def number_needed_to_treat(risk_difference: Contrast) -> Contrast:
    """Return the patients to treat for one event fewer; negative: for one event more.

    References
    ----------
    Altman & Andersen, BMJ 1999; 319: 1492-1495.

    Raises
    ------
    NotEstimableError
        If the risk difference, or its interval, includes 0.
    """
    if risk_difference.value == 0:
        raise NotEstimableError("the risk difference is 0")
    value = -1 / risk_difference.value
    lower, upper = risk_difference.lower, risk_difference.upper
    if lower is None or upper is None:
        return Contrast(value, p=risk_difference.p, note=risk_difference.note)
    if lower <= 0 <= upper:
        raise NotEstimableError(
            "the interval of the risk difference includes 0, where the number is infinite",
        )
    return Contrast(value, -1 / lower, -1 / upper, risk_difference.p)
