"""Many small cohorts: the distribution of each published figure at the published size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from outcomes.arrays import FloatArray
from outcomes.errors import NotEstimableError, OutcomesError
from outcomes.evidence import Figure
from outcomes.parallel import replicate, spawn_seeds
from outcomes.synthetic.calibration import Calibration
from outcomes.synthetic.cohort import simulate
from outcomes.synthetic.nulls import null_rejections, null_tests
from outcomes.synthetic.numeric import observable_figures
from outcomes.synthetic.reported import reported
from outcomes.synthetic.sampling import published_value
from outcomes.synthetic.verification import FigureDistribution, Verification

# Cohorts are drawn together up to this many rows, which is faster than one by one.
BATCH_ROWS = 20_000
BINS = 40

Progress = Callable[[int], None]


@dataclass(frozen=True)
class _Batch:
    """Cohorts that are drawn together."""

    study: str
    cohorts: int
    seed: np.random.SeedSequence


def draw_figures(
    study: str,
    figures: Sequence[Figure],
    cohorts: int,
    seed: int | np.random.SeedSequence,
    *,
    calibration: Calibration,
    size: int | None = None,
    jobs: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> FloatArray:
    """Return what each of many simulated cohorts reports.

    Parameters
    ----------
    study
        Series to draw.
    figures
        Figures to compute in each cohort.
    cohorts
        Number of cohorts.
    seed
        Seed; the same cohorts whatever `jobs` and `cluster`.
    calibration
        Parameters.
    size
        Rows of each cohort; by default the published size.
    jobs, cluster, progress
        As in `outcomes.parallel.replicate`; progress counts cohorts.

    Returns
    -------
    array of shape (cohorts, n_figures)
        NaN where a cohort cannot report a figure, infinite where a median is not reached.
    """
    rows = size or calibration.series_of(study).size
    at_once = max(1, BATCH_ROWS // rows)
    sizes = [min(at_once, cohorts - start) for start in range(0, cohorts, at_once)]
    seeds = spawn_seeds(seed, len(sizes))
    batches = [_Batch(study, n, one) for n, one in zip(sizes, seeds, strict=True)]
    done = np.cumsum([0, *sizes])
    parts = replicate(
        partial(_draw_batch, tuple(figures), rows, calibration),
        batches,
        jobs=jobs,
        cluster=cluster,
        progress=None if progress is None else lambda finished: progress(int(done[finished])),
    )
    return np.concatenate(parts)


def _draw_batch(
    figures: tuple[Figure, ...], rows: int, calibration: Calibration, batch: _Batch
) -> FloatArray:
    generator = np.random.default_rng(batch.seed)
    drawn = simulate(batch.study, batch.cohorts * rows, generator, calibration=calibration)
    table = pd.DataFrame(drawn)
    found = np.empty((batch.cohorts, len(figures)))
    for index in range(batch.cohorts):
        cohort = table.iloc[index * rows : (index + 1) * rows]
        if "lesion" in cohort.columns and cohort["lesion"].iloc[0] > 1:
            # The second lesion of a patient who belongs to the cohort before.
            cohort = cohort.iloc[1:]
        found[index] = [_report(figure, cohort, rows) for figure in figures]
    return found


def _report(figure: Figure, cohort: pd.DataFrame, size: int) -> float:
    try:
        value = reported(figure, cohort, size)
    except NotEstimableError:
        return np.nan
    if figure.estimand == "kaplan_meier_median" and np.isnan(value):
        return np.inf
    return value


def figure_distributions(
    study: str,
    figures: Sequence[Figure],
    cohorts: int,
    seed: int | np.random.SeedSequence,
    **options: Any,
) -> tuple[FigureDistribution, ...]:
    """Return the distribution of each figure of a study over cohorts of the published size.

    The parameters are those of `draw_figures`.
    """
    drawn = draw_figures(study, figures, cohorts, seed, **options)
    return tuple(_summary(figure, drawn[:, k]) for k, figure in enumerate(figures))


def _summary(figure: Figure, drawn: FloatArray) -> FigureDistribution:
    values = np.sort(drawn[~np.isnan(drawn)])
    published = published_value(figure)
    if values.size == 0:
        raise OutcomesError(f"{figure.id}: cannot be computed in any of the cohorts")
    # A count out of n is printed with few digits; what differs by rounding is the same.
    same = 1e-6 * max(abs(published), 1.0)
    below = float(np.mean(values <= published + same))
    above = float(np.mean(values >= published - same))
    lower, median, upper = np.quantile(values, [0.025, 0.5, 0.975], method="inverted_cdf")
    finite = values[np.isfinite(values)]
    counts, edges = np.histogram(finite, bins=BINS)
    return FigureDistribution(
        id=figure.id,
        study=figure.study,
        unit=figure.unit,
        role=figure.role,
        published=published,
        defined=values.size,
        lower=float(lower),
        median=float(median),
        upper=float(upper),
        below=below,
        above=above,
        inside=min(below, above) >= 0.025,
        tension=figure.tension or None,
        span=(float(edges[0]), float(edges[-1])),
        counts=tuple(int(n) for n in counts),
    )


def verification_size(calibration: Calibration, cohorts: int) -> int:
    """Return how many cohorts `verify` draws in all."""
    nulls = {test.study for test in null_tests(calibration.evidence)}
    return cohorts * (len(calibration.series) + len(nulls))


def verify(
    calibration: Calibration,
    cohorts: int,
    seed: int,
    *,
    jobs: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Draw many cohorts of each study and see whether the published figures fit among them.

    Parameters
    ----------
    calibration
        Parameters.
    cohorts
        Cohorts of each study at its published size, and for each set of published nulls.
    seed
        Seed; the same cohorts whatever `jobs` and `cluster`.
    jobs, cluster
        As in `outcomes.parallel.replicate`.
    progress
        Called with the number of cohorts that are done, of `verification_size`.
    """
    seeds = spawn_seeds(seed, len(calibration.series) + 1)
    found: list[FigureDistribution] = []
    for done, (series, one) in enumerate(zip(calibration.series, seeds[1:], strict=True)):
        found += figure_distributions(
            series.study,
            observable_figures(series.study, calibration.evidence),
            cohorts,
            one,
            calibration=calibration,
            jobs=jobs,
            cluster=cluster,
            progress=None if progress is None else partial(_further, progress, done * cohorts),
        )
    nulls = null_rejections(
        calibration,
        cohorts,
        seeds[0],
        jobs=jobs,
        cluster=cluster,
        progress=None
        if progress is None
        else partial(_further, progress, len(calibration.series) * cohorts),
    )
    return Verification(seed, cohorts, tuple(found), nulls)


def _further(progress: Progress, before: int, done: int) -> None:
    progress(before + done)
