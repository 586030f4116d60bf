"""Complications by kind, and what radiotherapy may damage.

A patient with a postoperative complication has one of the kinds, independent of everything else;
where a study counts all of them but not the kinds, they are as in Liu's and Gong's series together.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.arrays import BoolArray
from outcomes.evidence import Evidence
from outcomes.synthetic.arm_case_mix import ArmCaseMix
from outcomes.synthetic.by_arm import values_of_patients
from outcomes.synthetic.published import printed, shares_by_arm
from outcomes.synthetic.series import COMPLICATION_KINDS, Series

DONORS = ("liu-2020", "gong-2021")
# Quantities of the same event, by the column that holds it.
RADIATION: Mapping[str, tuple[str, ...]] = {
    "radiation_myelopathy": ("radiation_myelopathy", "radiation_cord_injury"),
    "esophagitis": ("esophagitis",),
}


@dataclass(frozen=True)
class ArmComplications:
    """Complications of one arm.

    Attributes
    ----------
    share
        Share with a postoperative complication.
    kinds
        P(kind | complication), in the order of `COMPLICATION_KINDS`; what is left has another.
    radiation
        P(radiation damage), in the order of `RADIATION`; 0 without SBRT.
    """

    share: float
    kinds: tuple[float, ...]
    radiation: tuple[float, ...]

    def share_of(self, quantity: str) -> float:
        """Return the share of the arm with a complication, of any kind or of one."""
        if quantity == "complication":
            return self.share
        if quantity in COMPLICATION_KINDS:
            return self.share * self.kinds[COMPLICATION_KINDS.index(quantity)]
        for position, names in enumerate(RADIATION.values()):
            if quantity in names:
                return self.radiation[position]
        raise KeyError(quantity)


def arm_complications(
    series: Series,
    evidence: Evidence,
    mixes: Mapping[str, ArmCaseMix],
    weights: Mapping[str, float],
) -> dict[str, ArmComplications]:
    """Return the complications of each arm of a series, by name.

    Parameters
    ----------
    series
        Design.
    evidence
        Registry.
    mixes
        Patients of each arm.
    weights
        Patients (or lesions) of each arm.
    """
    kinds = _kinds(series.study, evidence, mixes, weights)
    treated = [arm.name for arm in series.arms if arm.treated]
    radiation = dict.fromkeys(weights, (0.0,) * len(RADIATION))
    shares = [
        _radiation_shares(series.study, column, evidence, weights, treated) for column in RADIATION
    ]
    for arm in treated:
        radiation[arm] = tuple(share[arm] for share in shares)
    return {
        arm: ArmComplications(mix.complication, kinds[arm], radiation[arm])
        for arm, mix in mixes.items()
    }


def _kinds(
    study: str,
    evidence: Evidence,
    mixes: Mapping[str, ArmCaseMix],
    weights: Mapping[str, float],
) -> dict[str, tuple[float, ...]]:
    """Return P(kind | complication) of each arm."""
    total = sum(weights.values())
    anyone = sum(weights[arm] * mix.complication for arm, mix in mixes.items()) / total
    # Counts of the whole study say nothing of its arms: the kinds are alike in them.
    alike = not any(
        printed(evidence, study, kind, arm) for kind in COMPLICATION_KINDS for arm in weights
    )
    by_kind = []
    for kind in COMPLICATION_KINDS:
        shares = shares_by_arm(evidence, study, kind, weights)
        by_kind.append(
            {
                arm: share / (anyone if alike else mixes[arm].complication)
                for arm, share in shares.items()
                if (anyone if alike else mixes[arm].complication) > 0
            }
        )
    if not any(by_kind):
        return dict.fromkeys(mixes, _pooled(evidence))
    found = {}
    for arm in mixes:
        chances = np.array([shares.get(arm, 0.0) for shares in by_kind])
        found[arm] = tuple(float(c) for c in chances / max(chances.sum(), 1.0))
    return found


def _pooled(evidence: Evidence) -> tuple[float, ...]:
    counts = np.zeros(len(COMPLICATION_KINDS))
    for position, kind in enumerate(COMPLICATION_KINDS):
        figures = [printed(evidence, study, kind) for study in DONORS]
        counts[position] = sum(figure.value or 0.0 for figure in figures if figure is not None)
    return tuple(float(share) for share in counts / counts.sum())


def _radiation_shares(
    study: str,
    column: str,
    evidence: Evidence,
    weights: Mapping[str, float],
    treated: list[str],
) -> dict[str, float]:
    """Return the share with radiation damage in each arm with SBRT."""
    found = dict.fromkeys(treated, evidence[f"share_{column}"])
    for quantity in RADIATION[column]:
        for arm in treated:
            if printed(evidence, study, quantity, arm) is not None:
                found[arm] = shares_by_arm(evidence, study, quantity, weights)[arm]
        if printed(evidence, study, quantity) is not None:
            of = {arm: weight for arm, weight in weights.items() if arm in treated}
            ratio = sum(weights.values()) / sum(of.values()) if of else 0.0
            shares = shares_by_arm(evidence, study, quantity, weights)
            found = {arm: min(ratio * shares[arm], 1.0) for arm in treated}
    return found


def draw_complications(
    complications: Mapping[str, ArmComplications],
    arms: npt.NDArray[np.str_],
    anything: BoolArray,
    treated: BoolArray,
    generator: np.random.Generator,
) -> dict[str, BoolArray]:
    """Draw the kinds of complication and radiation damage of patients.

    Parameters
    ----------
    complications
        Complications of each arm, by name.
    arms
        Arm of each patient, shape (n_patients,).
    anything, treated
        Who had a postoperative complication, and who had SBRT.
    generator
        Source of randomness.
    """
    kind, *damage = generator.random((1 + len(RADIATION), arms.size))
    chances = values_of_patients(
        {name: (*arm.kinds, *arm.radiation) for name, arm in complications.items()}, arms
    )
    limits = np.cumsum(chances[:, : len(COMPLICATION_KINDS)], axis=1)
    below = kind[:, None] < limits
    first = below & ~np.column_stack([np.zeros(arms.size, dtype=bool), below[:, :-1]])
    drawn = {
        name: np.asarray(anything & first[:, column])
        for column, name in enumerate(COMPLICATION_KINDS)
    }
    for column, name in enumerate(RADIATION):
        chance = chances[:, len(COMPLICATION_KINDS) + column]
        drawn[name] = np.asarray(treated & (damage[column] < chance))
    return drawn
