"""From parameters to what acts: shared effects, baselines, follow-up, selection."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from outcomes.arrays import FloatArray
from outcomes.evidence import Evidence
from outcomes.synthetic.case_mix import DeathEffects
from outcomes.synthetic.follow_up import BetaFollowUp, FollowUp, WeibullFollowUp
from outcomes.synthetic.hazards import Baseline
from outcomes.synthetic.series import SHARED_EFFECTS, Arm, Series


@dataclass(frozen=True)
class Effects:
    """The effects that all series share.

    Attributes
    ----------
    death
        Log hazard ratios of death of the prognostic factors.
    death_hr_sbrt, death_hr_after_progression
        Hazard ratio of death from the start of SBRT on, and after local progression.
    progression
        Hazard ratios of local progression: ``no_sbrt``, ``single_24``,
        ``hypofractionated_high`` (against low-dose hypofractionated) and ``below_3mm``.
    """

    death: DeathEffects
    death_hr_sbrt: float
    death_hr_after_progression: float
    progression: Mapping[str, float]

    @classmethod
    def from_values(cls, evidence: Evidence, shared: Mapping[str, float]) -> "Effects":
        """Return the effects made of the assumptions and the shared parameters."""
        return cls(
            death=DeathEffects.from_assumptions(evidence),
            death_hr_sbrt=evidence["death_hr_sbrt"],
            death_hr_after_progression=evidence["death_hr_after_local_progression"],
            progression={name: shared[f"progression_hr_{name}"] for name in SHARED_EFFECTS},
        )

    def regimen(self, name: str) -> float:
        """Return the progression hazard ratio of a regimen against low-dose hypofractionated."""
        if name == "none":
            return self.progression["no_sbrt"]
        return self.progression.get(name, 1.0)


def arm_baseline(arm: Arm, values: Mapping[str, float]) -> Baseline:
    """Return the baseline hazards of an arm from the natural values of a series' parameters."""
    total = "progression_total" + (arm.suffix if arm.own_progression else "")
    return Baseline(
        death_scale=values["death_scale"],
        death_shape=values["death_shape"],
        progression_total=values[total],
        progression_median=values["progression_median"],
        progression_sigma=values["progression_sigma"],
    )


def arm_share_below_3mm(arm: Arm, values: Mapping[str, float]) -> float:
    """Return the share of an arm's patients with a separation below 3 mm."""
    return values[f"share_below_3mm{arm.suffix}"] if arm.own_case_mix else arm.share_below_3mm


def arm_tilt(arm: Arm, values: Mapping[str, float]) -> float:
    """Return the tilt of an arm's case mix towards higher Karnofsky scores."""
    return values[f"kps_tilt{arm.suffix}"] if arm.own_case_mix else 0.0


def series_follow_up(series: Series, values: Mapping[str, float]) -> FollowUp:
    """Return the follow-up distribution of a series."""
    low, high = series.follow_up_range
    if series.follow_up == "weibull":
        return WeibullFollowUp(values["follow_up_scale"], values["follow_up_shape"], high)
    if series.follow_up == "beta":
        mean, concentration = values["follow_up_mean"], values["follow_up_concentration"]
        return BetaFollowUp(low, high, mean * concentration, (1 - mean) * concentration)
    return BetaFollowUp(low, high, 1.0, 1.0)


def selection_probability(values: Mapping[str, float], score: FloatArray) -> FloatArray:
    """Return P(assigned to SBRT | prognostic score of death)."""
    return np.asarray(expit(values["selection_intercept"] - values["selection_slope"] * score))
