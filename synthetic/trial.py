"""Patients of a series whose strategy is assigned at surgery: what trials are drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray
from outcomes.errors import OutcomesError
from outcomes.synthetic.calibration import Calibration
from outcomes.synthetic.courses import baselines_of, course_of, take
from outcomes.synthetic.effects import Effects, arm_share_below_3mm, selection_probability
from outcomes.synthetic.hazards import draw_events
from outcomes.synthetic.patients import (
    draw_patients,
    draw_regimen,
    draw_separation,
    prognostic_score,
)
from outcomes.synthetic.series import REGIMENS, Series


@dataclass(frozen=True, eq=False)
class AssignedPatients:
    """Operated patients, and when what befalls them would happen were they followed for ever.

    Attributes
    ----------
    covariates
        Columns of the schema known soon after surgery, ``separation_mm`` among them; n rows.
    planned
        Whether SBRT is planned, shape (n,).
    sbrt_start
        Month at which SBRT starts if the patient is alive then; infinite without it, shape (n,).
    progression, death
        Months since surgery; progression is infinite where death comes first or it never comes,
        shape (n,).
    """

    covariates: pd.DataFrame
    planned: BoolArray
    sbrt_start: FloatArray
    progression: FloatArray
    death: FloatArray


def with_sbrt_effect(effects: Effects, *, death: float, progression: float) -> Effects:
    """Return other effects of SBRT; the hazards of patients without it stay as they are.

    Parameters
    ----------
    effects
        The shared effects.
    death
        Hazard ratio of death from the start of SBRT on.
    progression
        Share of the log hazard ratio of local progression against no SBRT that is kept, of every
        regimen: 1 for all of it, 0 for none.
    """
    without = effects.regimen("none")
    kept: Mapping[str, float] = {
        name: without * (effects.regimen(name) / without) ** progression for name in REGIMENS
    }
    return replace(effects, death_hr_sbrt=death, progression={**effects.progression, **kept})


def draw_assigned(
    study: str,
    planned: npt.ArrayLike,
    seed: int | np.random.SeedSequence | np.random.Generator = 0,
    *,
    calibration: Calibration,
    effects: Effects | None = None,
) -> AssignedPatients:
    """Draw patients of a series' case mix whose strategy somebody else has chosen.

    SBRT starts in the series' usual weeks in those alive then, as in `treatment_truth`. The hazards
    act from surgery on, also where the series itself holds only patients who lived until SBRT.

    Parameters
    ----------
    study
        A calibrated series with surgery and SBRT.
    planned
        Whether each patient is to have SBRT, shape (n,).
    seed
        Seed; the same seed gives the same patients whatever is planned and whatever its effect.
    calibration
        Parameters.
    effects
        Shared effects; by default those of the calibration.

    Raises
    ------
    OutcomesError
        If no arm of the series had both surgery and SBRT, or nothing is planned for anybody.
    """
    chosen = np.asarray(planned, dtype=np.bool_)
    if chosen.ndim != 1 or not chosen.size:
        raise OutcomesError(f"planned: found shape {chosen.shape}; allowed: one for each patient")
    candidates = _draw_candidates(study, chosen.size, seed, calibration)
    return _follow(candidates, chosen, calibration, effects or calibration.effects)


def draw_chosen(
    study: str,
    n: int,
    seed: int | np.random.SeedSequence | np.random.Generator = 0,
    *,
    calibration: Calibration,
    effects: Effects | None = None,
) -> AssignedPatients:
    """Draw patients of a series for whom SBRT is planned as the series chose: fitter ones more.

    Parameters and errors as `draw_assigned`; the series must have treated by choice.
    """
    series = calibration.series_of(study)
    if not series.selected:
        raise OutcomesError(f"{study}: everyone had SBRT; allowed: a series with both arms")
    if n < 1:
        raise OutcomesError(f"n: found {n}; allowed: a whole number of at least 1")
    candidates = _draw_candidates(study, n, seed, calibration)
    score = prognostic_score(candidates.covariates, calibration.effects.death)
    chance = selection_probability(calibration.values(study), score)
    planned = candidates.choice.random(n) < chance
    return _follow(candidates, planned, calibration, effects or calibration.effects)


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Patients before anything is planned, and the sources of what follows."""

    series: Series
    arms: npt.NDArray[np.intp]
    covariates: pd.DataFrame
    choice: np.random.Generator
    treatment: np.random.Generator
    events: np.random.Generator


def _draw_candidates(
    study: str,
    n: int,
    seed: int | np.random.SeedSequence | np.random.Generator,
    calibration: Calibration,
) -> _Candidates:
    series = calibration.series_of(study)
    values = calibration.values(study)
    layout, who, lesions, choice, treatment, events = np.random.default_rng(seed).spawn(6)
    arms = layout.choice(len(series.arms), size=n, p=_arm_shares(series))
    table = draw_patients(series, arms, values, calibration.evidence, who)
    below = np.array([arm_share_below_3mm(arm, values) for arm in series.arms])
    table["separation_mm"] = draw_separation(below[arms], calibration.evidence, lesions)
    return _Candidates(series, arms, table, choice, treatment, events)


def _arm_shares(series: Series) -> FloatArray:
    """Return the share of each arm among the patients who may enter: the operated ones."""
    if series.selected:
        return np.array([1.0, 0.0])
    sizes = np.array([arm.size * (arm.procedure != "none" and arm.treated) for arm in series.arms])
    if not sizes.any():
        raise OutcomesError(
            f"{series.study}: no arm had surgery and SBRT; allowed: a series with such an arm"
        )
    return np.asarray(sizes / sizes.sum())


def _follow(
    candidates: _Candidates, planned: BoolArray, calibration: Calibration, effects: Effects
) -> AssignedPatients:
    """Draw start and regimen of SBRT, local progression and death."""
    series, arms = candidates.series, candidates.arms
    size = planned.size
    start = candidates.treatment.uniform(*series.sbrt_start, size)
    shares = np.array([arm.regimens for arm in series.arms])
    mix = np.tile(shares[1], (size, 1)) if series.selected else shares[arms]
    regimen = draw_regimen(mix, planned, candidates.treatment)
    course = course_of(
        candidates.covariates.assign(dose_regimen=regimen),
        effects,
        treated=planned,
        start=start,
        chosen=True,
    )
    progression, death = np.empty(size), np.empty(size)
    values = calibration.values(series.study)
    for rows, baseline in baselines_of(series, values, arms):
        times = draw_events(baseline, take(course, rows), int(rows.sum()), candidates.events)
        progression[rows], death[rows] = times.progression, times.death
    return AssignedPatients(
        covariates=candidates.covariates,
        planned=planned,
        sbrt_start=np.where(planned, start, np.inf),
        progression=np.where(progression < death, progression, np.inf),
        death=death,
    )
