"""Risk ratios and hazard ratios on the one scale on which sensitivity to confounding is stated."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from outcomes.errors import NotEstimableError, OutcomesError

Measure = Literal["risk_ratio", "hazard_ratio_rare", "hazard_ratio_common"]


@dataclass(frozen=True)
class RiskRatio:
    """An effect as a risk ratio.

    Attributes
    ----------
    measure
        What it was before.
    value
        The estimate, treated over control.
    lower, upper
        Limits of its interval; None where there is none, the upper one infinite where unbounded.
    """

    measure: Measure
    value: float
    lower: float | None
    upper: float | None

    @property
    def nearer_limit(self) -> float | None:
        """The limit nearer to no effect; 1 where the interval holds 1, None without interval."""
        if self.lower is None or self.upper is None:
            return None
        if self.lower > 1:
            return self.lower
        return min(self.upper, 1.0)


def to_risk_ratio(
    value: float,
    lower: float | None = None,
    upper: float | None = None,
    *,
    measure: Measure = "risk_ratio",
) -> RiskRatio:
    """Return a ratio as a risk ratio.

    Parameters
    ----------
    value, lower, upper
        The estimate, treated over control, and the limits of its interval.
    measure
        ``"risk_ratio"``; ``"hazard_ratio_rare"``: a hazard ratio where at most some 15 % have the
        event by the end of follow-up, taken as a risk ratio; ``"hazard_ratio_common"``: a hazard
        ratio of a more frequent event, converted (`hazard_to_risk_ratio`).

    Raises
    ------
    OutcomesError
        If the ratio is no positive number, there is one limit without the other, or the limits
        are negative or in the wrong order.
    NotEstimableError
        If the ratio is 0 or infinite: one arm has no event.
    """
    if measure not in get_args(Measure):
        raise OutcomesError(f"measure: found {measure!r}; allowed: {', '.join(get_args(Measure))}")
    if value in (0, math.inf):
        raise NotEstimableError(
            f"the ratio is {value:g}: an arm has no event, and no finite confounding explains that"
        )
    if not value > 0:
        raise OutcomesError(f"ratio: found {value:g}; allowed: above 0")
    if (lower is None) != (upper is None):
        raise OutcomesError("limits: found one without the other; allowed: both or neither")
    if lower is not None and upper is not None and not 0 <= lower <= upper:
        raise OutcomesError(
            f"limits: found {lower:g} and {upper:g}; allowed: at least 0, the lower one first"
        )
    if measure != "hazard_ratio_common":
        return RiskRatio(measure, float(value), lower, upper)
    return RiskRatio(
        measure,
        hazard_to_risk_ratio(value),
        None if lower is None else hazard_to_risk_ratio(lower),
        None if upper is None else hazard_to_risk_ratio(upper),
    )


def hazard_to_risk_ratio(hazard_ratio: float) -> float:
    """Return the approximate risk ratio of a common event's hazard ratio.

    (1 - 0.5^sqrt(HR)) / (1 - 0.5^sqrt(1 / HR)) (VanderWeele, Biometrics 2020;76:746). With
    proportional hazards it is exact where the cumulative hazards of the arms have the geometric
    mean log 2, so that risks lie about a half. 0 and infinity stay themselves.

    Raises
    ------
    OutcomesError
        If the hazard ratio is negative or missing.
    """
    if not hazard_ratio >= 0:
        raise OutcomesError(f"hazard ratio: found {hazard_ratio:g}; allowed: at least 0")
    if hazard_ratio in (0, math.inf):
        return float(hazard_ratio)
    root = math.sqrt(hazard_ratio)
    # The logarithm of 0.5 and expm1 keep the digits of ratios near 0 or infinity.
    return math.expm1(-math.log(2) * root) / math.expm1(-math.log(2) / root)
