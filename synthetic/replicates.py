"""Many small cohorts: the distribution of each published figure at the published size."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from outcomes.arrays import FloatArray
from outcomes.errors import NotEstimableError, OutcomesError
from outcomes.evidence import Figure
from outcomes.parallel import replicate, spawn_seeds
from outcomes.synthetic.batches import Batch, draw_batch, make_batches
from outcomes.synthetic.calibration import Calibration
from outcomes.synthetic.nulls import null_rejections, null_tests
from outcomes.synthetic.numeric import observable_figures
from outcomes.synthetic.reported import reported
from outcomes.synthetic.sampling import published_value
from outcomes.synthetic.verification import FigureDistribution, Verification

BINS = 40
# Some ten rejection rates within two standard errors of 5 % would fail by chance in one of three
# verifications; with four times the cohorts the same band is four standard errors wide.
NULL_TIMES = 4

Progress = Callable[[int], None]


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
        Rows of each cohort; by default the published size. At another size counts, and the sizes
        of arms, are still out of the published n.
    jobs, cluster, progress
        As in `outcomes.parallel.replicate`; progress counts cohorts.

    Returns
    -------
    array of shape (cohorts, n_figures)
        NaN where a cohort cannot report a figure, infinite where a median is not reached.
    """
    rows = size or calibration.series_of(study).size
    batches = make_batches(study, cohorts, rows, seed)
    done = np.cumsum([0, *(batch.cohorts for batch in batches)])
    parts = replicate(
        partial(_figures_of, tuple(figures), calibration, size is None),
        batches,
        jobs=jobs,
        cluster=cluster,
        progress=None if progress is None else lambda finished: progress(int(done[finished])),
    )
    return np.concatenate(parts)


def _figures_of(
    figures: tuple[Figure, ...], calibration: Calibration, published: bool, batch: Batch
) -> FloatArray:
    """Return the figures of each cohort; at another size than published, counts are out of n."""
    counted = batch.rows if published else None
    return np.array(
        [
            [_report(figure, cohort, counted) for figure in figures]
            for cohort in draw_batch(batch, calibration)
        ]
    )


def _report(figure: Figure, cohort: pd.DataFrame, size: int | None) -> float:
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
    return cohorts * (len(calibration.series) + NULL_TIMES * len(nulls))


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
        Cohorts of each study at its published size; four times as many for the published nulls.
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
        NULL_TIMES * cohorts,
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
