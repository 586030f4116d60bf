"""Rungs of the adjusted estimators: risks of both arms in all patients."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from outcomes.arrays import BoolArray
from outcomes.causal.marginal import Marginal
from outcomes.comparison.contrast import (
    ROUNDING,
    ArmEstimate,
    Contrast,
    difference,
    number_needed_to_treat,
    ratio,
)
from outcomes.comparison.result import Rung
from outcomes.comparison.setting import Setting
from outcomes.errors import NotEstimableError


def marginal_rungs(
    setting: Setting,
    method: str,
    estimate: Callable[[], Marginal],
    note: str = "",
    analysed: BoolArray | None = None,
) -> Iterator[Rung]:
    """Yield the risks, their contrasts and the restricted means of a method.

    Parameters
    ----------
    setting
        The question; its horizons are those of the estimate.
    method
        Name.
    estimate
        Gives the estimate, or raises NotEstimableError.
    note
        How the method must be read.
    analysed
        The rows it rests on, shape (n,); by default all.
    """
    survival = not setting.endpoint.has_competing_events
    mean = "restricted_mean" if survival else "restricted_mean_time_lost"

    def position(horizon: float) -> int:
        return setting.horizons.index(horizon)

    def at(horizon: float) -> Marginal:
        setting.require_follow_up(horizon)
        found = estimate()
        if horizon <= found.since:
            raise NotEstimableError(f"month {horizon:g} is not after the landmark")
        if horizon > found.end:
            raise NotEstimableError(
                f"follow-up of those it rests on ends at month {found.end:.4g}, before month "
                f"{horizon:g}, in an arm or a series"
            )
        return found

    def risks(horizon: float) -> tuple[ArmEstimate, ArmEstimate, float]:
        treated, control, shared = _pair(at(horizon), position(horizon))
        return _within(treated), _within(control), shared

    def means(horizon: float) -> tuple[ArmEstimate, ArmEstimate, float]:
        treated, control, shared = _pair(
            at(horizon),
            len(setting.horizons) + position(horizon),
            lambda lost: horizon - lost if survival else lost,
        )
        bounds = (0.0, horizon)
        return replace(treated, bounds=bounds), replace(control, bounds=bounds), shared

    def risk_difference(horizon: float) -> Contrast:
        return difference(*risks(horizon))

    yield from setting.rungs(
        method,
        {
            "risk_treated": lambda h: risks(h)[0].alone(),
            "risk_control": lambda h: risks(h)[1].alone(),
            "risk_difference": risk_difference,
            "risk_ratio": lambda h: ratio(*risks(h)),
            "number_needed_to_treat": lambda h: number_needed_to_treat(risk_difference(h)),
            f"{mean}_treated": lambda h: means(h)[0].alone(),
            f"{mean}_control": lambda h: means(h)[1].alone(),
            f"{mean}_difference": lambda h: difference(*means(h)),
        },
        note,
        analysed,
    )


def _pair(
    estimate: Marginal, position: int, read: Callable[[float], float] = lambda value: value
) -> tuple[ArmEstimate, ArmEstimate, float]:
    """Return both arms' estimates of one functional, and their covariance."""
    covariance = estimate.covariance[position]
    arms = []
    for arm in (0, 1):
        value = read(float(estimate.values[arm, position]))
        variance = float(covariance[arm, arm])
        if not variance > ROUNDING**2:
            reason = estimate.reason or "nothing varies"
            arms.append(ArmEstimate(value, None, reason=reason))
            continue
        error = math.sqrt(variance)
        arms.append(ArmEstimate(value, error))
    shared = float(covariance[0, 1])
    return arms[0], arms[1], 0.0 if math.isnan(shared) else shared


def _within(risk: ArmEstimate) -> ArmEstimate:
    """Return a risk with limits between 0 and 1, normal on the log(-log) scale."""
    if not -ROUNDING <= risk.value <= 1 + ROUNDING:
        raise NotEstimableError(f"the risk is estimated as {risk.value:.5g}, which no risk can be")
    if risk.standard_error is None:
        return risk
    if not 0 < risk.value < 1:
        return ArmEstimate(risk.value, None, reason=f"the risk is estimated as {risk.value:.3g}")
    return replace(risk, scale="survival")
