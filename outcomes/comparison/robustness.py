"""How far the adjusted estimates can be trusted: overlap, balance, immortal time, confounding."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from outcomes.causal.balance import Balance, balance
from outcomes.causal.e_value import EValue, e_value
from outcomes.causal.immortal_time import ImmortalTime, immortal_time
from outcomes.causal.overlap import Overlap, WeightSpread, overlap, weight_spread
from outcomes.causal.propensity import Propensity, fit_propensity, treatment_weights
from outcomes.causal.ratio_scale import Measure
from outcomes.causal.unmeasured import BiasGrid, bias_bound
from outcomes.comparison.result import Rung
from outcomes.comparison.setting import Setting
from outcomes.comparison.subjects import Adjusted, make_subjects
from outcomes.errors import NotEstimableError, OutcomesError

COMMON_EVENT = 0.15
"""Share of patients with the event above which a hazard ratio is no risk ratio."""
CONFOUNDED = ("clone-censor-weight", "doubly-robust", "iptw", "g-formula-cox", "time-dependent")
"""Whose estimate a confounder is tried on: the first of these that has one with an interval."""
LEAST_TOP = 4.0
"""The bias plot shows associations up to this at least."""
STEPS = 41
UNADJUSTED = ("crude", "stratified", "1 - Kaplan-Meier", "cox-unadjusted")
"""Methods that no E-value is given of."""

Part = TypeVar("Part")


class _Plain(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class RatioEValue:
    """The E-values of one adjusted ratio.

    Attributes
    ----------
    method, estimand, horizon_months
        Which estimate; ``"risk_ratio"`` at a horizon, or ``"hazard_ratio"``.
    found
        Its E-values; None where there are none.
    reason
        Why not; "" otherwise.
    """

    method: str
    estimand: str
    horizon_months: float | None
    found: EValue | None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Robustness:
    """What the adjusted estimates of a comparison rest on.

    A part that cannot be had is None, and `reasons` says why.

    Attributes
    ----------
    endpoint, treatment
        Names of the endpoint and of the treatment column.
    covariates
        Names of the adjusting columns; empty where there are none.
    n
        Patients with every covariate.
    overlap
        Propensity scores of both arms.
    weights
        The stabilised weights.
    balance
        Covariates before and after weighting.
    immortal_time
        The time patients had to live until treatment.
    e_values
        Of every adjusted ratio.
    bias
        What unmeasured confounders would make of the risk ratio of `bias_method` at
        `bias_horizon` months.
    bias_method, bias_horizon
        See `bias`; None without one.
    reasons
        Why a part is missing, by its name.
    """

    endpoint: str
    treatment: str
    covariates: tuple[str, ...]
    n: int
    overlap: Overlap | None
    weights: WeightSpread | None
    balance: Balance | None
    immortal_time: ImmortalTime | None
    e_values: tuple[RatioEValue, ...]
    bias: BiasGrid | None
    bias_method: str | None
    bias_horizon: float | None
    reasons: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; a part that is missing is None."""

        def plain(part: _Plain | None) -> dict[str, Any] | None:
            return None if part is None else part.to_dict()

        return {
            "endpoint": self.endpoint,
            "treatment": self.treatment,
            "covariates": list(self.covariates),
            "n": self.n,
            "overlap": plain(self.overlap),
            "weights": plain(self.weights),
            "balance": plain(self.balance),
            "immortal_time": plain(self.immortal_time),
            "e_values": [asdict(one) for one in self.e_values],
            "bias": plain(self.bias),
            "bias_method": self.bias_method,
            "bias_horizon_months": self.bias_horizon,
            "reasons": dict(self.reasons),
        }


def assess_robustness(setting: Setting, rungs: Sequence[Rung]) -> Robustness:
    """Return what the adjusted estimates of a setting rest on.

    Parameters
    ----------
    setting
        The question.
    rungs
        Its estimates.
    """
    reasons: dict[str, str] = {}

    def attempt(name: str, part: Callable[[], Part]) -> Part | None:
        try:
            return part()
        except NotEstimableError as error:
            reasons[name] = str(error)
            return None

    adjusted = attempt("covariates", lambda: make_subjects(setting, needs_events=False))
    propensity = attempt("overlap", lambda: _propensity(adjusted, reasons))
    found_overlap, weights, found_balance = None, None, None
    if adjusted is not None and propensity is not None:
        subjects = adjusted.subjects
        own = treatment_weights(subjects, propensity, truncate=setting.options.choices.truncate)
        found_overlap = overlap(propensity.probability, subjects.treated)
        weights = weight_spread(own, subjects.treated)
        found_balance = balance(adjusted.frame, subjects.treated, own)
    else:
        reasons |= dict.fromkeys(("weights", "balance"), reasons["overlap"])
    immortal = attempt("immortal_time", lambda: _immortal(setting))
    common = _largest_risk(setting) > COMMON_EVENT
    e_values = tuple(_e_values(rungs, "hazard_ratio_common" if common else "hazard_ratio_rare"))
    biased = _biased(rungs, e_values)
    if biased is None:
        reasons["bias"] = "no adjusted method gave a ratio of risks with an interval"
    return Robustness(
        endpoint=setting.endpoint.name,
        treatment=setting.treatment,
        covariates=() if adjusted is None else adjusted.subjects.names,
        n=0 if adjusted is None else adjusted.subjects.n,
        overlap=found_overlap,
        weights=weights,
        balance=found_balance,
        immortal_time=immortal,
        e_values=e_values,
        bias=None if biased is None else _bias(*biased),
        bias_method=None if biased is None else biased[0].method,
        bias_horizon=None if biased is None else biased[0].horizon_months,
        reasons=reasons,
    )


def _largest_risk(setting: Setting) -> float:
    """Return the larger risk of the arms at the end of its follow-up, censoring counted."""
    risks = []
    for arm in setting.arms:
        curve = arm.curve((0.0,))
        if curve.estimate.size:
            last = float(curve.estimate[-1])
            risks.append(last if setting.endpoint.has_competing_events else 1 - last)
    return max(risks, default=0.0)


def _propensity(adjusted: Adjusted | None, reasons: dict[str, str]) -> Propensity:
    if adjusted is None:
        raise NotEstimableError(reasons["covariates"])
    return fit_propensity(adjusted.subjects)


def _immortal(setting: Setting) -> ImmortalTime:
    """Return the immortal time; a start that cannot be is a reason, not a failure."""
    setting.require_start()
    try:
        return immortal_time(
            setting.time,
            np.minimum(setting.codes, 2),
            setting.treated,
            np.where(setting.treated, setting.start, np.nan),
        )
    except OutcomesError as error:
        raise NotEstimableError(str(error)) from error


def _e_values(rungs: Sequence[Rung], hazard_measure: Measure) -> list[RatioEValue]:
    """Return the E-values of every ratio that is adjusted."""
    found = []
    for rung in rungs:
        if rung.method in UNADJUSTED or rung.estimand not in ("risk_ratio", "hazard_ratio"):
            continue
        measure: Measure = "risk_ratio" if rung.estimand == "risk_ratio" else hazard_measure
        values, reason = None, rung.note.removeprefix("not estimable because ")
        if rung.value is not None:
            reason = ""
            try:
                values = e_value(rung.value, rung.lower, rung.upper, measure=measure)
            except OutcomesError as error:
                reason = str(error)
        found.append(RatioEValue(rung.method, rung.estimand, rung.horizon_months, values, reason))
    return found


def _biased(rungs: Sequence[Rung], e_values: Sequence[RatioEValue]) -> tuple[Rung, EValue] | None:
    """Return the risk ratio a confounder is tried on, at the first horizon that has one."""
    known = {
        (one.method, one.horizon_months): one.found
        for one in e_values
        if one.estimand == "risk_ratio" and one.found is not None and one.found.limit is not None
    }
    candidates = [
        (rung.horizon_months or 0.0, CONFOUNDED.index(rung.method), rung)
        for rung in rungs
        if rung.method in CONFOUNDED
        and rung.estimand == "risk_ratio"
        and (rung.method, rung.horizon_months) in known
    ]
    if not candidates:
        return None
    rung = min(candidates, key=lambda one: one[:2])[2]
    found = known[rung.method, rung.horizon_months]
    return None if found is None else (rung, found)


def _bias(rung: Rung, found: EValue) -> BiasGrid:
    top = max(LEAST_TOP, float(np.ceil(1.5 * found.estimate)))
    value = float("nan") if rung.value is None else rung.value
    ratios = np.geomspace(1.0, top, STEPS)
    return bias_bound(
        value,
        rung.lower,
        rung.upper,
        treatment_ratios=ratios,
        outcome_ratios=np.geomspace(1.0, top, STEPS // 4 + 1),
    )
