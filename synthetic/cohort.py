"""Draw synthetic cohorts of a calibrated series."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.errors import OutcomesError
from outcomes.evidence import evidence_hash, load_evidence
from outcomes.schema import COLUMNS, Cohort
from outcomes.synthetic.calibration import Calibration, read_shipped
from outcomes.synthetic.courses import baselines_of, course_of, take
from outcomes.synthetic.effects import arm_share_below_3mm, selection_probability, series_follow_up
from outcomes.synthetic.hardware import (
    SOURCE_STUDY,
    draw_hardware,
    hardware_hazard,
    reoperation_share,
)
from outcomes.synthetic.hazards import Baseline, Course, draw_events, draw_progression
from outcomes.synthetic.patients import (
    draw_patients,
    draw_regimen,
    draw_separation,
    prognostic_score,
)
from outcomes.synthetic.recovery import draw_recovery
from outcomes.synthetic.series import Series

CHUNK_ROWS = 50_000
ID_DIGITS = 7


@cache
def shipped_calibration() -> Calibration:
    """Return the calibration to the shipped figures that comes with the package."""
    source = resources.files("outcomes.synthetic") / "data" / "calibration.json"
    with resources.as_file(source) as path:
        return read_shipped(path, load_evidence())


def simulate(
    study: str,
    n: int,
    seed: int | np.random.Generator = 0,
    *,
    calibration: Calibration | None = None,
) -> Cohort:
    """Draw a cohort of a calibrated series.

    Parameters
    ----------
    study
        Series, e.g. ``liu-2020``.
    n
        Number of rows: patients, or lesions in a series that treats several of one patient.
    seed
        Seed, or a generator to spawn from.
    calibration
        Parameters; by default those that come with the package.

    Returns
    -------
    Cohort, n rows
        All columns of the schema. The patients are synthetic; `provenance` says so.

    Raises
    ------
    OutcomesError
        If n is not positive or the series is not calibrated.
    """
    solved = shipped_calibration() if calibration is None else calibration
    chunks = list(simulate_chunks(study, n, seed, calibration=solved))
    provenance = simulation_provenance(solved, study, n, seed)
    return Cohort(pd.concat(chunks, ignore_index=True), provenance=provenance)


def simulation_provenance(
    calibration: Calibration, study: str, n: int, seed: int | np.random.Generator
) -> dict[str, Any]:
    """Return where a simulated cohort comes from; a generator leaves no seed."""
    return {
        "synthetic": True,
        "study": study,
        "n": n,
        "seed": seed if isinstance(seed, int) else None,
        "evidence_hash": evidence_hash(calibration.evidence),
    }


def simulate_chunks(
    study: str,
    n: int,
    seed: int | np.random.Generator = 0,
    *,
    calibration: Calibration | None = None,
) -> Iterator[pd.DataFrame]:
    """Draw a cohort of any size in tables of at most `CHUNK_ROWS` rows, in constant memory.

    Together they are what `simulate` returns; the parameters are the same.
    """
    if n < 1:
        raise OutcomesError(f"n: found {n}; allowed: a whole number of at least 1")
    solved = shipped_calibration() if calibration is None else calibration
    series = solved.series_of(study)
    starts = range(0, n, CHUNK_ROWS)
    children = np.random.default_rng(seed).spawn(len(starts))
    for start, child in zip(starts, children, strict=True):
        yield _draw_chunk(series, solved, min(CHUNK_ROWS, n - start), start, child)


@dataclass(frozen=True, eq=False)
class _Layout:
    """Which patient each row belongs to, the number of its lesion, and each patient's arm."""

    patient: npt.NDArray[np.intp]
    lesion: IntArray
    arms: npt.NDArray[np.intp]


def _draw_layout(series: Series, rows: int, generator: np.random.Generator) -> _Layout:
    counts = 1 + (generator.random(rows) < series.second_lesions)
    patient = np.repeat(np.arange(rows), counts)[:rows]
    lesion = np.ones(rows, dtype=np.int64)
    lesion[1:] += patient[1:] == patient[:-1]
    sizes = np.array([float(arm.size) for arm in series.arms])
    count = int(patient[-1]) + 1
    if series.selected:
        arms = np.zeros(count, dtype=np.intp)
    else:
        arms = generator.choice(sizes.size, size=count, p=sizes / sizes.sum())
    return _Layout(patient, lesion, arms)


def _draw_chunk(
    series: Series, calibration: Calibration, rows: int, first: int, generator: np.random.Generator
) -> pd.DataFrame:
    layouts, who, lesions, treatment, events, hardware, recovery = generator.spawn(7)
    evidence, values = calibration.evidence, calibration.values(series.study)
    layout = _draw_layout(series, rows, layouts)
    patients = draw_patients(series, layout.arms, values, evidence, who)
    table = patients.iloc[layout.patient].reset_index(drop=True)
    below = np.array([arm_share_below_3mm(arm, values) for arm in series.arms])
    distance = draw_separation(below[layout.arms][layout.patient], evidence, lesions)
    table["separation_mm"] = np.where(table["procedure"] == "none", np.nan, distance)
    table = table.assign(
        **_draw_course(series, table, layout, calibration, treatment.spawn(2), events.spawn(2))
    )
    source = series.study if series.hardware else SOURCE_STUDY
    hazard = hardware_hazard(source, calibration.values(source), evidence)
    again = reoperation_share(series.study, evidence)
    table = table.assign(
        **draw_hardware(table, layout.patient, hazard, evidence, hardware, again),
        study_arm=_arm_names(series, table, layout),
    )
    recovered = draw_recovery(series, calibration, table[layout.lesion == 1], recovery)
    table = table.assign(
        **{name: column.array.take(layout.patient) for name, column in recovered.items()}
    )
    table["study"] = series.study
    numbers = first + layout.patient + 1
    table["patient_id"] = [f"{series.study}-{number:0{ID_DIGITS}d}" for number in numbers]
    if series.second_lesions:
        table["lesion"] = layout.lesion
    return table[[name for name in COLUMNS if name in table.columns]]


def _arm_names(series: Series, table: pd.DataFrame, layout: _Layout) -> npt.NDArray[np.str_]:
    """Return the arm of each row as the series records it."""
    names = np.array([arm.name for arm in series.arms])
    if series.selected:
        return np.asarray(names[table["sbrt"].to_numpy(dtype=np.intp)])
    return np.asarray(names[layout.arms][layout.patient])


def _draw_course(
    series: Series,
    table: pd.DataFrame,
    layout: _Layout,
    calibration: Calibration,
    treatment: list[np.random.Generator],
    events: list[np.random.Generator],
) -> dict[str, Any]:
    """Draw radiotherapy, local progression, death and follow-up of every row."""
    values, effects = calibration.values(series.study), calibration.effects
    patient, count = layout.patient, layout.arms.size
    index = layout.lesion == 1
    assigned, start, regimen = _draw_plan(series, table[index], layout, calibration, treatment)
    planned = table.assign(dose_regimen=regimen[patient])
    course = course_of(
        planned,
        effects,
        treated=assigned[patient],
        start=start[patient],
        chosen=series.selected,
    )
    baselines = baselines_of(series, values, layout.arms[patient])
    progression, death = _draw_times(baselines, course, layout, events[0])
    treated = (assigned & (death > start))[patient]
    censoring = series_follow_up(series, values).draw(count, events[1])
    if not series.selected:
        # Everyone with SBRT in such a series was followed until it.
        censoring = np.where(assigned, np.maximum(censoring, start), censoring)
    end, died = np.minimum(death, censoring)[patient], (death <= censoring)[patient]
    progressed = progression < end
    return {
        "sbrt": treated,
        "dose_regimen": np.where(treated, planned["dose_regimen"], "none"),
        "sbrt_start_months": np.where(treated, start[patient], np.nan),
        "os_months": end,
        "death": died.astype(np.int8),
        "lp_months": np.where(progressed, progression, end),
        "lp_event": np.where(progressed, 1, np.where(died, 2, 0)).astype(np.int8),
    }


def _draw_plan(
    series: Series,
    patients: pd.DataFrame,
    layout: _Layout,
    calibration: Calibration,
    generators: list[np.random.Generator],
) -> tuple[BoolArray, FloatArray, npt.NDArray[np.str_]]:
    """Draw who is planned for SBRT, when, and with which regimen; one entry a patient."""
    timing, choice = generators
    count = layout.arms.size
    low, high = series.sbrt_start
    start = timing.uniform(low, high, count)
    shares = np.array([arm.regimens for arm in series.arms])
    treated = np.array([arm.treated for arm in series.arms])
    if series.selected:
        score = prognostic_score(patients, calibration.effects.death)
        chance = selection_probability(calibration.values(series.study), score)
        assigned = choice.random(count) < chance
        mix = np.tile(shares[1], (count, 1))
    else:
        assigned = treated[layout.arms]
        alone = patients["procedure"].to_numpy() == "none"
        start = np.where(alone, 0.0, start)
        mix = shares[layout.arms]
    return assigned, start, draw_regimen(mix, assigned, choice)


def _draw_times(
    baselines: list[tuple[BoolArray, Baseline]],
    course: Course,
    layout: _Layout,
    generator: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Return months of progression of each row, and of death of each patient."""
    index = layout.lesion == 1
    progression = np.full(layout.patient.size, np.inf)
    death = np.full(layout.arms.size, np.inf)
    for rows, baseline in baselines:
        first, later = rows & index, rows & ~index
        times = draw_events(baseline, take(course, first), int(first.sum()), generator)
        progression[first] = times.progression
        death[layout.patient[first]] = times.death
        exponential = generator.standard_exponential(int(later.sum()))
        progression[later] = draw_progression(baseline, take(course, later), exponential)
    return np.where(progression < death[layout.patient], progression, np.inf), death
