"""Who is in an arm: Karnofsky score, neurologic deficit and complications, exactly."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.synthetic.case_mix import (
    BINARY_FACTORS,
    KPS_LEVELS,
    PROGRESSIVE,
    CaseMix,
    DeathEffects,
    deficit_and_kps,
    factor_probability,
)
from outcomes.synthetic.cells import sbrt_start_nodes
from outcomes.synthetic.effects import (
    Effects,
    arm_baseline,
    arm_share_below_3mm,
    arm_tilt,
    selection_probability,
)
from outcomes.synthetic.hazards import Course, occupation
from outcomes.synthetic.series import Series

# Months between surgery and SBRT that the integration looks at.
WAITING_NODES = 24


@dataclass(frozen=True, eq=False)
class ArmCaseMix:
    """The patients of an arm.

    Attributes
    ----------
    joint
        P(deficit, Karnofsky level), shape (2, n_levels); row 1 is with deficit.
    complication
        Share with a postoperative complication.
    """

    joint: FloatArray
    complication: float

    @property
    def deficit(self) -> float:
        """Share with a neurologic deficit."""
        return float(self.joint[1].sum())


def arm_case_mixes(
    series: Series, values: Mapping[str, float], effects: Effects
) -> dict[str, ArmCaseMix]:
    """Return the patients of each arm of a series, by name.

    Parameters
    ----------
    series
        Design.
    values
        Natural values of the series' own parameters.
    effects
        Shared effects.
    """
    if series.selected:
        return _selected(series, values, effects)
    found = {}
    for arm in series.arms:
        tilted = deficit_and_kps(arm.mix) * np.exp(arm_tilt(arm, values) * (KPS_LEVELS - 70) / 10)
        found[arm.name] = ArmCaseMix(tilted / tilted.sum(), arm.mix.complication)
    return found


def _atoms(mix: CaseMix, effects: DeathEffects) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return score, probability and complication of every kind of patient.

    The shapes are (2, n_levels, 32), but that of the complication, which is (32,).
    """
    joint = deficit_and_kps(mix)
    deficits = np.array([0.0, effects.neurologic_deficit])[:, None]
    levels = effects.kps_per_10 * (KPS_LEVELS - 70) / 10
    scores = (deficits + levels)[..., None]
    masses = joint[..., None]
    progressive, complication = np.zeros(1), np.zeros(1)
    for factor in BINARY_FACTORS:
        chance = factor_probability(mix, factor, KPS_LEVELS[None, :, None], progressive)
        masses = np.concatenate([masses * (1 - chance), masses * chance], axis=-1)
        scores = np.concatenate([scores, scores + getattr(effects, factor)], axis=-1)
        with_factor = np.ones_like(progressive)
        progressive = np.concatenate(
            [progressive, with_factor if factor == PROGRESSIVE else progressive]
        )
        complication = np.concatenate(
            [complication, with_factor if factor == "complication" else complication]
        )
    return scores, masses, complication


def _selected(
    series: Series, values: Mapping[str, float], effects: Effects
) -> dict[str, ArmCaseMix]:
    """Return the arms of a series that chose whom to treat: who lived until SBRT is treated."""
    alone, treated = series.arms
    scores, masses, complication = _atoms(treated.mix, effects.death)
    starts, start_weights = sbrt_start_nodes(series)
    months = np.unique(np.concatenate([np.linspace(0, starts[-1], WAITING_NODES), starts]))
    below = arm_share_below_3mm(treated, values)
    distance = np.array([1.0, effects.progression["below_3mm"]])
    untreated = effects.regimen("none") * distance[:, None]
    course = Course(
        score=scores.ravel()[None, :],
        sbrt_start=np.array(np.inf),
        death_before=np.array(1.0),
        death_after=np.array(1.0),
        progression_before=untreated,
        progression_after=untreated,
        death_after_progression=effects.death_hr_after_progression,
    )
    alive = occupation(arm_baseline(treated, values), course, months).alive
    by_distance = np.average(alive, axis=0, weights=[1 - below, below])
    at_start = by_distance[:, np.searchsorted(months, starts)] @ start_weights
    reached = selection_probability(values, scores) * at_start.reshape(scores.shape)
    found = {}
    for arm, mass in ((alone, masses * (1 - reached)), (treated, masses * reached)):
        share = mass / mass.sum()
        found[arm.name] = ArmCaseMix(share.sum(axis=-1), float((share * complication).sum()))
    return found
