"""Neurological function after treatment: Frankel grade, muscle strength, Karnofsky score.

A patient's Frankel grade goes up a step, down a step or stays: a deficit may improve, whatever its
grade; grade A cannot get worse. Where a study prints muscle strength instead, recovered strength
is a step up and decreased strength a step down. What it does not print is as in Bate's patients
with surgery.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray
from outcomes.evidence import Evidence
from outcomes.synthetic.arm_case_mix import ArmCaseMix
from outcomes.synthetic.by_arm import values_of_patients
from outcomes.synthetic.case_mix import KPS_LEVELS
from outcomes.synthetic.patients import DEFICIT_GRADES
from outcomes.synthetic.published import printed_share, shares_by_arm

GRADES = ("A", "B", "C", "D", "E")
IMPROVED = ("frankel_improved", "muscle_strength_recovered")
WORSE = ("frankel_worse", "muscle_strength_decreased")
DONOR = "bate-2015/{}/surgery_sbrt"
KPS_STEP, LEAST_KPS, MOST_KPS = 10, 10, 100
SHARE_A = dict(DEFICIT_GRADES)["A"]


@dataclass(frozen=True)
class ArmFunction:
    """Change of function in one arm.

    Attributes
    ----------
    improved
        P(a step up | deficit).
    worse
        P(a step down | no step up, grade B-E).
    reported
        P(muscle strength reported | deficit, no step).
    kps_gain
        P(10 points more | improved or relieved of pain, and not worse).
    """

    improved: float
    worse: float
    reported: float
    kps_gain: float

    def step_shares(self, deficit: float) -> tuple[float, float, float]:
        """Return the shares of an arm a step down, unchanged with a deficit, and a step up.

        Parameters
        ----------
        deficit
            Share of the arm with a deficit.
        """
        up = deficit * self.improved
        can_lose = (1 - deficit) + deficit * (1 - self.improved) * (1 - SHARE_A)
        stays = 1 - (1 - SHARE_A) * self.worse
        return self.worse * can_lose, deficit * (1 - self.improved) * stays, up

    def kps_change(self, joint: FloatArray, relief: float) -> float:
        """Return the expected change of the Karnofsky score.

        Parameters
        ----------
        joint
            P(deficit, Karnofsky level), shape (2, n_levels).
        relief
            Share with relief of pain.
        """
        stays = np.array([1 - self.worse, 1 - (1 - SHARE_A) * self.worse])
        up = np.array([0.0, self.improved])
        gains = self.kps_gain * (up + (1 - up) * stays * relief)
        loses = (1 - up) * (1 - stays)
        below = (KPS_LEVELS < MOST_KPS).astype(np.float64)
        change = gains[:, None] * below - loses[:, None]
        return float(KPS_STEP * (joint * change).sum())


def arm_functions(
    study: str,
    evidence: Evidence,
    mixes: Mapping[str, ArmCaseMix],
    weights: Mapping[str, float],
) -> dict[str, ArmFunction]:
    """Return the change of function in each arm of a study, by name.

    Shares that more patients would have to reach than can are cut to those who can.

    Parameters
    ----------
    study
        Study.
    evidence
        Registry.
    mixes
        Patients of each arm.
    weights
        Patients (or lesions) of each arm.
    """
    better = _first_printed(study, IMPROVED, evidence, weights)
    down = _first_printed(study, WORSE, evidence, weights)
    stable = shares_by_arm(evidence, study, "frankel_stable", weights)
    unchanged = shares_by_arm(evidence, study, "muscle_strength_unchanged", weights)
    donor_up, donor_down = (
        printed_share(evidence.figure(DONOR.format(name)))
        for name in ("frankel_improved", "frankel_worse")
    )
    found = {}
    for arm, mix in mixes.items():
        up = better.get(arm, donor_up)
        fallen = down.get(arm, max(1 - stable[arm] - up, 0.0) if arm in stable else donor_down)
        improved = _part(up, mix.deficit)
        whole = ArmFunction(improved, 1.0, 1.0, evidence["share_kps_gain"])
        worse = _part(fallen, whole.step_shares(mix.deficit)[0])
        found[arm] = ArmFunction(improved, worse, 1.0, whole.kps_gain)
        if arm in unchanged:
            stays = found[arm].step_shares(mix.deficit)[1]
            reported = _part(unchanged[arm], stays)
            found[arm] = ArmFunction(improved, worse, reported, whole.kps_gain)
    return found


def _first_printed(
    study: str, quantities: tuple[str, ...], evidence: Evidence, weights: Mapping[str, float]
) -> dict[str, float]:
    found: dict[str, float] = {}
    for quantity in quantities:
        found = {**shares_by_arm(evidence, study, quantity, weights), **found}
    return found


def _part(share: float, of: float) -> float:
    return min(share / of, 1.0) if of > 0 else 0.0


def draw_function(
    functions: Mapping[str, ArmFunction],
    table: pd.DataFrame,
    arms: npt.NDArray[np.str_],
    relieved: BoolArray,
    generator: np.random.Generator,
) -> dict[str, Any]:
    """Draw Frankel grade, change of muscle strength and Karnofsky score after treatment.

    Parameters
    ----------
    functions
        Change of function in each arm, by name.
    table
        Patients with ``frankel`` and ``kps``.
    arms
        Arm of each patient, shape (n_patients,).
    relieved
        Who was relieved of pain, shape (n_patients,).
    generator
        Source of randomness.
    """
    improved, worse, reported, gain = values_of_patients(
        {
            name: (arm.improved, arm.worse, arm.reported, arm.kps_gain)
            for name, arm in functions.items()
        },
        arms,
    ).T
    draws = generator.random((4, arms.size))
    grade = pd.Index(GRADES).get_indexer(pd.Index(table["frankel"]))
    up = (grade < len(GRADES) - 1) & (draws[0] < improved)
    down = ~up & (grade > 0) & (draws[1] < worse)
    step = up.astype(np.int64) - down
    with_deficit = grade < len(GRADES) - 1
    known = with_deficit & (draws[2] < reported)
    change = np.select([up, down, known], ["recovered", "decreased", "unchanged"], "")
    gained = (up | (relieved & ~down)) & (draws[3] < gain)
    kps = table["kps"].to_numpy() + KPS_STEP * (gained.astype(np.int64) - down)
    return {
        "frankel_after": np.asarray(GRADES)[grade + step],
        "muscle_strength_change": pd.Series(change, dtype=object).replace("", None),
        "kps_after": np.clip(kps, LEAST_KPS, MOST_KPS),
    }
