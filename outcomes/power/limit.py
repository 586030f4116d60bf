"""What a design shows in the limit: one trial so large that chance hardly matters."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from outcomes.comparison.arm import make_arm
from outcomes.errors import NotEstimableError
from outcomes.power.analysis import METHODS, analyse
from outcomes.power.design import TrialDesign
from outcomes.power.trial import draw_trials
from outcomes.synthetic import Calibration

LARGE = 400_000
# A stream apart from those of the simulated trials.
STREAM = 1_000_000


@dataclass(frozen=True)
class LimitValue:
    """An estimate from the large trial.

    Attributes
    ----------
    value, standard_error
        As in `Finding`; of a rank test the one-step log hazard ratio.
    spread
        Standard error times the root of the number of patients: what a trial of n patients
        has over the root of n.
    """

    value: float
    standard_error: float
    spread: float


@dataclass(frozen=True)
class Limit:
    """Large-sample values of a design.

    Attributes
    ----------
    patients
        Size of the trial they were estimated from.
    share
        Share of patients in the SBRT arm.
    event_probability
        Probability that a patient's event is seen, over both arms.
    risk_treated, risk_control, mean_treated, mean_control
        Risk, and restricted mean survival (or time lost), at the horizon; NaN where follow-up does
        not reach it.
    methods
        Estimates by method.
    """

    patients: int
    share: float
    event_probability: float
    risk_treated: float
    risk_control: float
    mean_treated: float
    mean_control: float
    methods: Mapping[str, LimitValue]

    def hazard_ratio(self, method: str) -> float:
        """Return the hazard ratio of a Cox model."""
        return math.exp(self.methods[method].value)


def limit_of(
    design: TrialDesign, seed: int, calibration: Calibration, patients: int | None = None
) -> Limit:
    """Return what a design shows in the limit.

    Parameters
    ----------
    design
        The design.
    seed
        Seed.
    calibration
        Parameters.
    patients
        Size of the one trial that is drawn; by default `LARGE`.
    """
    patients = LARGE if patients is None else patients
    source = np.random.SeedSequence([seed, patients, STREAM])
    (trial,) = draw_trials(design, patients, 1, source, calibration)
    found = analyse(trial, design)
    risks, means = [], []
    for rows in (trial.treated, ~trial.treated):
        arm = make_arm("", "", design.response, trial.time[rows], trial.codes[rows])
        try:
            risks.append(arm.risk(design.horizon).value)
            means.append(arm.restricted_mean(design.horizon).value)
        except NotEstimableError:
            risks.append(float("nan"))
            means.append(float("nan"))
    return Limit(
        patients=patients,
        share=float(trial.treated.mean()),
        event_probability=float((trial.codes == 1).mean()),
        risk_treated=risks[0],
        risk_control=risks[1],
        mean_treated=means[0],
        mean_control=means[1],
        methods={
            name: LimitValue(
                found[name].value,
                found[name].standard_error,
                found[name].standard_error * math.sqrt(patients),
            )
            for name in METHODS
        },
    )


def randomised(design: TrialDesign, share: float) -> TrialDesign:
    """Return the trial of a registry's patients, with as many of them treated."""
    return replace(design, kind="trial", allocation=(share, 1 - share))
