"""Trials drawn from a calibrated series."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.comparison.adjustment import DEFAULT_ADJUSTMENT
from outcomes.endpoints import LOCAL_CONTROL, OVERALL_SURVIVAL
from outcomes.errors import OutcomesError
from outcomes.power.design import TrialDesign
from outcomes.schema import SEPARATION_THRESHOLD_MM
from outcomes.synthetic import Calibration
from outcomes.synthetic.effects import series_follow_up
from outcomes.synthetic.trial import (
    AssignedPatients,
    draw_assigned,
    draw_chosen,
    with_sbrt_effect,
)

MONTHS_A_YEAR = 12.0


@dataclass(frozen=True, eq=False)
class Trial:
    """What a trial or registry has seen by its analysis.

    Attributes
    ----------
    time, codes
        Months since surgery and event code of the endpoint, shape (n,).
    treated
        The arm: as assigned in a trial, as received in a registry, shape (n,).
    sbrt_start
        Month at which SBRT began in those recorded with it; infinite in the others, shape (n,).
    covariates
        Adjusting covariates as numbers, shape (n, p).
    """

    time: FloatArray
    codes: IntArray
    treated: BoolArray
    sbrt_start: FloatArray
    covariates: FloatArray


def draw_trials(
    design: TrialDesign,
    patients: int,
    trials: int,
    seed: int | np.random.SeedSequence,
    calibration: Calibration,
) -> Iterator[Trial]:
    """Yield trials of one size; the patients of all of them are drawn together.

    Parameters
    ----------
    design
        The design.
    patients
        Patients of each trial, at least 2.
    trials
        Number of trials.
    seed
        The same seed gives the same patients, accrual and loss whatever SBRT does.
    calibration
        Parameters.

    Raises
    ------
    OutcomesError
        If there are too few patients, or the series does not fit the design.
    """
    if patients < 2:
        raise OutcomesError(f"patients: found {patients}; allowed: at least 2")
    people, allocation, switching, following = np.random.default_rng(seed).spawn(4)
    total = patients * trials
    effects = with_sbrt_effect(
        calibration.effects,
        death=design.death_hazard_ratio,
        progression=design.progression_effect,
    )
    assigned = np.zeros(0, dtype=np.bool_)
    if design.kind == "trial":
        assigned = _assign(design, patients, trials, allocation)
        lost, crossing = switching.random((2, total))
        planned = np.where(assigned, lost >= design.untreated, crossing < design.crossover)
        drawn = draw_assigned(
            design.study, planned, people, calibration=calibration, effects=effects
        )
    else:
        drawn = draw_chosen(design.study, total, people, calibration=calibration, effects=effects)
    censoring = _follow_up(design, total, calibration, following)
    received = drawn.planned & (np.minimum(drawn.death, censoring) > drawn.sbrt_start)
    time, codes = _seen(design, drawn, censoring)
    treated = assigned if design.kind == "trial" else received
    start = np.where(received, drawn.sbrt_start, np.inf)
    covariates = _covariates(design, drawn.covariates)
    for first in range(0, total, patients):
        rows = slice(first, first + patients)
        yield Trial(time[rows], codes[rows], treated[rows], start[rows], covariates[rows])


def _assign(
    design: TrialDesign, patients: int, trials: int, generator: np.random.Generator
) -> BoolArray:
    """Return who is assigned to SBRT: in each trial exactly the share asked for."""
    order = np.tile(np.arange(patients) < design.treated_of(patients), (trials, 1))
    return np.asarray(generator.permuted(order, axis=1).ravel())


def _follow_up(
    design: TrialDesign, size: int, calibration: Calibration, generator: np.random.Generator
) -> FloatArray:
    """Return the month at which each patient's follow-up ends."""
    entering, losing = generator.spawn(2)
    if design.follow_up_months is None:
        series = calibration.series_of(design.study)
        end = series_follow_up(series, calibration.values(design.study)).draw(size, entering)
    else:
        end = design.follow_up_months + design.accrual_months * entering.random(size)
    if design.dropout_per_year:
        rate = -math.log1p(-design.dropout_per_year) / MONTHS_A_YEAR
        end = np.minimum(end, losing.standard_exponential(size) / rate)
    return np.asarray(end, dtype=np.float64)


def _seen(
    design: TrialDesign, drawn: AssignedPatients, censoring: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Return month and code of the endpoint's event, or of the end of follow-up."""
    end = np.minimum(drawn.death, censoring)
    died = drawn.death <= censoring
    if design.response == OVERALL_SURVIVAL:
        return end, died.astype(np.int64)
    progressed = drawn.progression < end
    codes = np.where(progressed, 1, np.where(died, 2, 0))
    return np.where(progressed, drawn.progression, end), codes.astype(np.int64)


def _covariates(design: TrialDesign, table: pd.DataFrame) -> FloatArray:
    """Return the covariates that a comparison adjusts for, one column each."""
    columns = [table[name].to_numpy(dtype=np.float64) for name in DEFAULT_ADJUSTMENT]
    if design.response == LOCAL_CONTROL:
        columns.append((table["separation_mm"] < SEPARATION_THRESHOLD_MM).to_numpy(np.float64))
    return np.column_stack(columns)
