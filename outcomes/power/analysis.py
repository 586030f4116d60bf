"""What is made of one trial: a test and an estimate by each method."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from outcomes.arrays import BoolArray, FloatArray
from outcomes.comparison.arm import Arm, make_arm
from outcomes.comparison.contrast import ArmEstimate, difference
from outcomes.cox import fit_cox
from outcomes.curves import gray_test, log_rank_test
from outcomes.errors import NotEstimableError
from outcomes.power.design import TrialDesign
from outcomes.power.trial import Trial

RANK_TEST, COX, ADJUSTED = "rank_test", "cox", "cox_adjusted"
RISKS, MEANS = "risk_difference", "restricted_mean_difference"
METHODS = (RANK_TEST, COX, ADJUSTED, RISKS, MEANS)


@dataclass(frozen=True)
class Finding:
    """One method's result; each NaN where there is none.

    ``value`` is a log hazard ratio, a difference of risks, or of restricted means in months,
    treated minus control; of a rank test it is the one-step log hazard ratio, score over variance
    (Peto et al., Br J Cancer 1977; 35: 1-39).
    """

    p: float
    value: float
    standard_error: float = float("nan")


NOTHING = Finding(float("nan"), float("nan"))


def analyse(trial: Trial, design: TrialDesign) -> dict[str, Finding]:
    """Return what each of `METHODS` finds in a trial.

    The rank test is log-rank, or Gray's where death competes, over the whole follow-up, as is the
    Cox model (cause-specific then). The adjusted Cox model of a registry takes SBRT as beginning
    when it began (time-dependent). Risks and restricted means are Kaplan-Meier's or
    Aalen-Johansen's at the design's horizon. What cannot be estimated shows no effect.
    """
    if trial.treated.all() or not trial.treated.any():
        return dict.fromkeys(METHODS, NOTHING)
    arms = tuple(
        make_arm("", "", design.response, trial.time[rows], trial.codes[rows])
        for rows in (trial.treated, ~trial.treated)
    )
    horizon = design.horizon
    return {
        RANK_TEST: _or_nothing(lambda: _rank_test(trial, design)),
        COX: _or_nothing(lambda: _cox(trial)),
        ADJUSTED: _or_nothing(lambda: _adjusted(trial, design)),
        RISKS: _or_nothing(lambda: _difference(arms, lambda arm: arm.risk(horizon))),
        MEANS: _or_nothing(lambda: _difference(arms, lambda arm: arm.restricted_mean(horizon))),
    }


def _or_nothing(estimate: Callable[[], Finding]) -> Finding:
    try:
        return estimate()
    except NotEstimableError:
        return NOTHING


def _rank_test(trial: Trial, design: TrialDesign) -> Finding:
    test = gray_test if design.response.has_competing_events else log_rank_test
    found = test(trial.time, trial.codes, trial.treated)
    # The groups are in order: control, then treated.
    score, variance = found.observed[1] - found.expected[1], found.variance[1, 1]
    return Finding(found.p, float(score / variance), float(1 / np.sqrt(variance)))


def _cox(trial: Trial) -> Finding:
    happened = trial.codes == 1
    return _last_coefficient(trial.treated[:, None].astype(float), trial.time, happened)


def _adjusted(trial: Trial, design: TrialDesign) -> Finding:
    varying = np.ptp(trial.covariates, axis=0) > 0
    covariates = trial.covariates[:, varying]
    if design.kind == "trial":
        columns = np.column_stack([covariates, trial.treated])
        return _last_coefficient(columns, trial.time, trial.codes == 1)
    return _time_dependent(trial, covariates)


def _time_dependent(trial: Trial, covariates: FloatArray) -> Finding:
    """Fit patients as untreated until SBRT begins and as treated from then on."""
    treated = trial.sbrt_start < trial.time
    before = np.minimum(trial.sbrt_start, trial.time)
    time = np.concatenate([before, trial.time[treated]])
    entry = np.concatenate([np.zeros(before.size), trial.sbrt_start[treated]])
    event = trial.codes == 1
    happened = np.concatenate([event & ~treated, event[treated]])
    status = np.concatenate([np.zeros(before.size), np.ones(int(treated.sum()))])
    columns = np.column_stack([np.concatenate([covariates, covariates[treated]]), status])
    return _last_coefficient(columns, time, happened, entry)


def _last_coefficient(
    columns: FloatArray, time: FloatArray, happened: BoolArray, entry: FloatArray | None = None
) -> Finding:
    fit = fit_cox(columns, time, happened, entry=entry)
    return Finding(
        float(fit.p_values[-1]), float(fit.coefficients[-1]), float(fit.standard_errors[-1])
    )


def _difference(arms: tuple[Arm, ...], estimate: Callable[[Arm], ArmEstimate]) -> Finding:
    treated, control = (estimate(arm) for arm in arms)
    found = difference(treated, control)
    if found.p is None or treated.standard_error is None or control.standard_error is None:
        return Finding(float("nan"), found.value)
    error = float(np.hypot(treated.standard_error, control.standard_error))
    return Finding(found.p, found.value, error)
