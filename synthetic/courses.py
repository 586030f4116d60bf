"""From recorded patients to the hazards that act on them."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray
from outcomes.schema import SEPARATION_THRESHOLD_MM
from outcomes.synthetic.effects import Effects, arm_baseline
from outcomes.synthetic.hazards import Baseline, Course
from outcomes.synthetic.patients import prognostic_score
from outcomes.synthetic.series import REGIMENS, Series


def course_of(
    patients: pd.DataFrame,
    effects: Effects,
    *,
    treated: BoolArray,
    start: FloatArray,
    chosen: bool,
) -> Course:
    """Return what acts on patients with given covariates and a given plan of SBRT.

    Parameters
    ----------
    patients
        Columns of the schema: prognostic factors, ``separation_mm`` and, where treated,
        ``dose_regimen``.
    effects
        Shared effects.
    treated
        Whether SBRT is planned, shape (n_patients,).
    start
        Its month; anything where not treated.
    chosen
        Whether SBRT was planned by choice, so that patients may progress or die before it; if
        not, the series holds only those who lived free of progression until it.
    """
    distance = patients["separation_mm"].to_numpy(dtype=np.float64)
    below = np.where(distance < SEPARATION_THRESHOLD_MM, effects.progression["below_3mm"], 1.0)
    ratios = {name: effects.regimen(name) for name in ("none", *REGIMENS)}
    regimen = patients["dose_regimen"].map(ratios).to_numpy(dtype=np.float64)
    waiting = np.where(treated & (not chosen), 0.0, 1.0)
    return Course(
        score=prognostic_score(patients, effects.death),
        sbrt_start=np.where(treated, start, np.inf),
        death_before=waiting,
        death_after=np.where(treated, effects.death_hr_sbrt, 1.0),
        progression_before=waiting * effects.regimen("none") * below,
        progression_after=np.where(treated, regimen, effects.regimen("none")) * below,
        death_after_progression=effects.death_hr_after_progression,
    )


def take(course: Course, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Course:
    """Return the course of some of the patients."""
    return Course(
        score=course.score[rows],
        sbrt_start=course.sbrt_start[rows],
        death_before=course.death_before[rows],
        death_after=course.death_after[rows],
        progression_before=course.progression_before[rows],
        progression_after=course.progression_after[rows],
        death_after_progression=course.death_after_progression,
    )


def baselines_of(
    series: Series, values: Mapping[str, float], arms: npt.NDArray[np.intp]
) -> list[tuple[BoolArray, Baseline]]:
    """Return which patients of a series share which baseline hazards.

    Parameters
    ----------
    series
        Design.
    values
        Natural values of its parameters, by name.
    arms
        Position of each patient's arm, shape (n_patients,).
    """
    sharing: dict[Baseline, list[int]] = {}
    for position, arm in enumerate(series.arms):
        sharing.setdefault(arm_baseline(arm, values), []).append(position)
    found = [(np.isin(arms, positions), baseline) for baseline, positions in sharing.items()]
    return [(rows, baseline) for rows, baseline in found if rows.any()]
