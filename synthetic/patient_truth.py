"""Each patient's true risk, given what is recorded of the patient."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import FloatArray
from outcomes.endpoints import LOCAL_CONTROL, OVERALL_SURVIVAL, Endpoint, get_endpoint
from outcomes.errors import OutcomesError
from outcomes.synthetic.calibration import Calibration
from outcomes.synthetic.cells import sbrt_start_nodes
from outcomes.synthetic.courses import baselines_of, course_of
from outcomes.synthetic.effects import selection_probability
from outcomes.synthetic.hazards import Baseline, Course, Occupation, occupation
from outcomes.synthetic.patients import prognostic_score
from outcomes.synthetic.population import time_grid
from outcomes.synthetic.series import REGIMENS, Series


@dataclass(frozen=True, eq=False)
class _Risk:
    """True probabilities on a grid, shape (n_patients, n_months)."""

    dead: FloatArray
    progressed: FloatArray


def true_risk(
    cohort: pd.DataFrame,
    endpoint: str | Endpoint,
    months: npt.ArrayLike,
    calibration: Calibration,
) -> FloatArray:
    """Return each patient's true risk of an endpoint by given months.

    The risk is what the simulation implies given the recorded covariates and treatment: a patient
    recorded with SBRT has lived until it; one recorded without was either never meant to have it
    or died waiting for it. The second lesion of a patient is taken as if it were the first.

    Parameters
    ----------
    cohort
        Simulated patients with their ``study`` and ``study_arm``.
    endpoint
        Overall survival (risk of death) or local control (cumulative incidence of local
        progression, death competing).
    months
        Months since surgery, shape (n_months,).
    calibration
        The calibration the cohort was drawn from.

    Returns
    -------
    array of shape (n_patients, n_months)

    Raises
    ------
    OutcomesError
        For another endpoint, or months outside 0 to 60.
    """
    wanted = get_endpoint(endpoint)
    if wanted not in (OVERALL_SURVIVAL, LOCAL_CONTROL):
        raise OutcomesError(
            f"no true risk of {wanted.name}; allowed: overall-survival, local-control"
        )
    at = np.atleast_1d(np.asarray(months, dtype=np.float64))
    found = np.full((len(cohort), at.size), np.nan)
    studies = cohort["study"].to_numpy()
    for study in pd.unique(studies):
        series = calibration.series_of(str(study))
        rows = np.flatnonzero(studies == study)
        grid = np.unique(np.concatenate([time_grid(series), at]))
        if at.min() < 0 or at.max() > time_grid(series)[-1]:
            raise OutcomesError(f"months: found {at.tolist()}; allowed: 0 to {grid[-1]:g}")
        risk = _series_risk(series, cohort.iloc[rows], calibration, grid)
        curve = risk.dead if wanted is OVERALL_SURVIVAL else risk.progressed
        found[rows] = curve[:, np.searchsorted(grid, at)]
    return found


def _series_risk(
    series: Series, patients: pd.DataFrame, calibration: Calibration, grid: FloatArray
) -> _Risk:
    values = calibration.values(series.study)
    names = pd.Index([arm.name for arm in series.arms])
    arms = names.get_indexer(pd.Index(patients["study_arm"]))
    dead = np.zeros((len(patients), grid.size))
    progressed = np.zeros_like(dead)
    treated = patients["sbrt"].to_numpy(dtype=bool)
    for rows, baseline in baselines_of(series, values, arms):
        with_sbrt = rows & treated
        risk = _with_sbrt(series, patients[with_sbrt], calibration, baseline, grid)
        dead[with_sbrt], progressed[with_sbrt] = risk.dead, risk.progressed
        without = rows & ~treated
        if without.any():
            risk = _without_sbrt(series, patients[without], calibration, baseline, grid)
            dead[without], progressed[without] = risk.dead, risk.progressed
    return _Risk(dead, progressed)


def _at_start(
    states: Occupation, start: FloatArray, grid: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return P(alive) and P(progressed and dead) when SBRT starts, shape (n_patients, 1)."""
    alive = _interpolate(states.alive, start, grid)
    free = _interpolate(states.event_free, start, grid)
    lost = _interpolate(states.progressed, start, grid) - (alive - free)
    return alive, np.maximum(lost, 0)


def _interpolate(curves: FloatArray, at: FloatArray, grid: FloatArray) -> FloatArray:
    right = np.clip(np.searchsorted(grid, at), 1, grid.size - 1)
    share = (at - grid[right - 1]) / (grid[right] - grid[right - 1])
    rows = np.arange(at.size)
    return np.asarray((1 - share) * curves[rows, right - 1] + share * curves[rows, right])[:, None]


def _with_sbrt(
    series: Series,
    patients: pd.DataFrame,
    calibration: Calibration,
    baseline: Baseline,
    grid: FloatArray,
) -> _Risk:
    """Return the risks of patients recorded with SBRT: alive when it started."""
    start = patients["sbrt_start_months"].to_numpy(dtype=np.float64)
    course = course_of(
        patients,
        calibration.effects,
        treated=np.ones(len(patients), dtype=bool),
        start=start,
        chosen=series.selected,
    )
    states = occupation(baseline, course, grid)
    if not series.selected:
        # Nothing happens before SBRT in a series that holds only those who received it.
        return _Risk(1 - states.alive, states.progressed)
    alive, lost = _at_start(states, start, grid)
    dead = np.maximum(1 - states.alive / alive, 0)
    return _Risk(dead, np.maximum(states.progressed - lost, 0) / alive)


def _without_sbrt(
    series: Series,
    patients: pd.DataFrame,
    calibration: Calibration,
    baseline: Baseline,
    grid: FloatArray,
) -> _Risk:
    """Return the risks of patients recorded without SBRT.

    Where SBRT was given by choice, some of them died waiting for it.
    """
    size = len(patients)
    nobody, everybody = np.zeros(size, dtype=bool), np.ones(size, dtype=bool)
    effects = calibration.effects

    def states(course: Course) -> Occupation:
        return occupation(baseline, course, grid)

    untreated = states(
        course_of(patients, effects, treated=nobody, start=np.zeros(size), chosen=True)
    )
    if not series.selected:
        return _Risk(1 - untreated.alive, untreated.progressed)
    score = prognostic_score(patients, effects.death)
    chosen = selection_probability(calibration.values(series.study), score)[:, None]
    dead = (1 - chosen) * (1 - untreated.alive)
    progressed = (1 - chosen) * untreated.progressed
    mass = 1 - chosen
    # Before SBRT its regimen does not matter, so any stands for the one that was planned.
    planned = patients.assign(dose_regimen=REGIMENS[-1])
    nodes, weights = sbrt_start_nodes(series)
    for node, weight in zip(nodes, weights, strict=True):
        start = np.full(size, node)
        waiting = states(course_of(planned, effects, treated=everybody, start=start, chosen=True))
        alive, lost = _at_start(waiting, start, grid)
        dead = dead + chosen * weight * np.minimum(1 - waiting.alive, 1 - alive)
        progressed = progressed + chosen * weight * np.minimum(waiting.progressed, lost)
        mass = mass + chosen * weight * (1 - alive)
    return _Risk(dead / mass, progressed / mass)
