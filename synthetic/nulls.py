"""Published absences of effect: how often a test finds an effect that is not there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import FloatArray
from outcomes.cox import cox_score_test
from outcomes.endpoints import get_endpoint
from outcomes.errors import NotEstimableError
from outcomes.evidence import Evidence
from outcomes.parallel import replicate, spawn_seeds
from outcomes.schema import COLUMNS, SEPARATION_THRESHOLD_MM
from outcomes.synthetic.batches import Batch, draw_batch, make_batches
from outcomes.synthetic.calibration import Calibration
from outcomes.synthetic.case_mix import BINARY_FACTORS
from outcomes.synthetic.hardware import LONG_CONSTRUCT
from outcomes.synthetic.series import REGIMENS
from outcomes.synthetic.truth import ENDPOINT_OF_NULL
from outcomes.synthetic.verification import NullRejection

PATIENTS = 500
LEVEL = 0.05
FEWEST_EXPECTED = 5.0
ORDERED = ("escc_grade",)
# The source paper's own absences of effect are tested in the largest series of the operation.
SOURCE_STUDY = "laufer-2013"

ADJUSTED: Mapping[str, tuple[str, ...]] = {
    "overall-survival": ("kps", "neurologic_deficit", *BINARY_FACTORS),
    "local-control": ("dose_regimen", "separation_below_3mm"),
    "hardware-failure": ("chest_wall_resection", "construct_levels_above_6", "female"),
}

Progress = Callable[[int], None]


@dataclass(frozen=True)
class NullTest:
    """A published absence of effect that can be tested.

    Attributes
    ----------
    id
        Figure that publishes it.
    study, endpoint, covariate
        Series to draw, endpoint and covariate to test.
    """

    id: str
    study: str
    endpoint: str
    covariate: str


def null_tests(evidence: Evidence) -> tuple[NullTest, ...]:
    """Return the absences of effect on an endpoint of the model that the registry holds."""
    designed = {design.id for design in evidence.designs}
    found = []
    for figure in evidence.figures:
        parts = figure.quantity.split("/")
        if figure.role != "null" or len(parts) != 3 or parts[1] not in ENDPOINT_OF_NULL:
            continue
        study = figure.study if figure.study in designed else SOURCE_STUDY
        found.append(NullTest(figure.id, study, ENDPOINT_OF_NULL[parts[1]], parts[2]))
    return tuple(found)


def null_rejections(
    calibration: Calibration,
    cohorts: int,
    seed: int | np.random.SeedSequence,
    *,
    patients: int = PATIENTS,
    jobs: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> tuple[NullRejection, ...]:
    """Return how often a Cox test rejects each published absence of effect at the 5 % level.

    The test is the score test of the covariate (of all its levels together, of a grade its trend),
    with the factors that have an effect held fixed. Deaths censor local control and hardware
    failure (cause-specific hazards).

    Parameters
    ----------
    calibration
        Parameters.
    cohorts
        Number of cohorts of each series.
    seed
        Seed; the same cohorts whatever `jobs` and `cluster`.
    patients
        Rows of each cohort.
    jobs, cluster
        As in `outcomes.parallel.replicate`.
    progress
        Called with the number of cohorts that are done, over all series.
    """
    tests = null_tests(calibration.evidence)
    studies = tuple(dict.fromkeys(test.study for test in tests))
    found: dict[str, FloatArray] = {}
    for done, (study, one) in enumerate(zip(studies, spawn_seeds(seed, len(studies)), strict=True)):
        asked = tuple(test for test in tests if test.study == study)
        batches = make_batches(study, cohorts, patients, one)
        counts = np.cumsum([0, *(batch.cohorts for batch in batches)]) + done * cohorts
        p = replicate(
            partial(_p_values, asked, calibration),
            batches,
            jobs=jobs,
            cluster=cluster,
            progress=None if progress is None else partial(_tell, progress, counts.tolist()),
        )
        found |= {test.id: np.concatenate(p)[:, k] for k, test in enumerate(asked)}
    return tuple(_rejection(test, found[test.id], patients) for test in tests)


def _tell(progress: Progress, counts: list[int], finished: int) -> None:
    progress(counts[finished])


def _rejection(test: NullTest, p: FloatArray, patients: int) -> NullRejection:
    tested = p[~np.isnan(p)]
    return NullRejection(
        id=test.id,
        study=test.study,
        endpoint=test.endpoint,
        covariate=test.covariate,
        adjusted=ADJUSTED[test.endpoint],
        patients=patients,
        tests=tested.size,
        rejected=float(np.mean(tested < LEVEL)) if tested.size else None,
    )


def _p_values(tests: tuple[NullTest, ...], calibration: Calibration, batch: Batch) -> FloatArray:
    """Return the p values of each cohort of a batch, shape (n_cohorts, n_tests)."""
    cohorts = draw_batch(batch, calibration)
    return np.array([[_p_value(test, cohort) for test in tests] for cohort in cohorts])


def _p_value(test: NullTest, cohort: pd.DataFrame) -> float:
    endpoint = get_endpoint(test.endpoint)
    event = cohort[endpoint.event_column].to_numpy() == 1
    fixed = np.hstack([_columns(name, cohort) for name in ADJUSTED[test.endpoint]])
    tested = _columns(test.covariate, cohort)
    if tested.shape[1] > 1:
        # Rare levels join the reference: the chi-squared distribution is no guide for them.
        tested = tested[:, tested.mean(axis=0) * event.sum() >= FEWEST_EXPECTED]
    try:
        return cox_score_test(cohort[endpoint.time_column].to_numpy(), event, tested, fixed).p
    except NotEstimableError:
        return float("nan")


def _columns(name: str, cohort: pd.DataFrame) -> FloatArray:
    """Return a covariate as columns of numbers, shape (n, n_columns).

    A grade counts its steps; of other categories the first level is the reference.
    """
    if name == "separation_below_3mm":
        return _column(cohort["separation_mm"] < SEPARATION_THRESHOLD_MM)
    if name == "construct_levels_above_6":
        return _column(cohort["construct_levels"] > LONG_CONSTRUCT)
    if name == "female":
        return _column(cohort["sex"] == "female")
    if name == "dose_regimen":
        return np.hstack([_column(cohort[name] == regimen) for regimen in REGIMENS])
    if name in ORDERED:
        return _column(pd.Index(COLUMNS[name].categories).get_indexer(pd.Index(cohort[name])))
    if COLUMNS[name].kind == "category":
        levels = COLUMNS[name].categories[1:]
        return np.hstack([_column(cohort[name] == level) for level in levels])
    return _column(cohort[name])


def _column(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(values, dtype=np.float64)[:, None]
