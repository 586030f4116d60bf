"""Uncertainty of predictions of a Fine-Gray model that have no closed form.

An average over series, and a probability given that nothing has happened until a month, depend
on several baselines or on a baseline at several months. Their standard error is taken over draws
of coefficients and baselines from the estimates' asymptotic distribution. The first events are
drawn together, as is each line of a coarse baseline (see `few_events`). The part of a baseline
that does not follow the coefficients is drawn as a process of independent steps; its variance at
each month is exact (but for the little it may fall by, above all with few clusters), and that its
steps are independent is exact without censoring and clusters. Causes, and baselines of different
series, depend on each other through the coefficients of a cause alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from outcomes.arrays import FloatArray
from outcomes.cox.subdistribution_fit import FineGrayFit, SubdistributionBaseline
from outcomes.models.competing import subdistribution_incidences
from outcomes.models.conditional import conditional_incidences
from outcomes.models.few_events import end_of_first
from outcomes.models.series import SeriesSet, average_over_series

DRAWS = 400
_STEPS = 100
_ROWS = 50


@dataclass(frozen=True, eq=False)
class _Drawn:
    """One draw of a cause: coefficients, and by series position the cumulative baselines."""

    coefficients: FloatArray
    hazards: dict[int, FloatArray]


def drawn_error(
    fits: Sequence[FineGrayFit],
    series: SeriesSet,
    matrix: FloatArray,
    months: FloatArray,
    name: str | None,
    survived: float,
    n_draws: int = DRAWS,
    seed: int = 0,
) -> FloatArray:
    """Return the standard error of log(-log S) over draws, shape (n, n_months).

    S is the probability that the event of interest has not happened, given that nothing has by
    month `survived`.
    """
    positions = list(range(len(series.names))) if name is None else [series.index(name)]
    asked = np.append(months, survived)
    series.check_times(asked, name)
    grids = {p: _grid(fits, p, asked, series.ends) for p in positions}
    draws = _draw(fits, grids, survived, n_draws, np.random.default_rng(seed))
    error = np.empty((len(matrix), len(months)))
    for start in range(0, len(matrix), _ROWS):
        rows = matrix[start : start + _ROWS]
        curves = []
        for draw in draws:
            incidences = _incidences(fits, draw, grids, series, rows, asked, name)
            if survived > 0:
                incidences = conditional_incidences(
                    incidences[..., :-1], incidences[..., -1:], months, survived
                )
            else:
                incidences = incidences[..., :-1]
            curves.append(incidences[0])
        with np.errstate(divide="ignore"):
            scale = np.log(-np.log1p(-np.minimum(np.stack(curves), 1 - 1e-16)))
        known = np.isfinite(scale).all(axis=0)
        error[start : start + _ROWS] = np.where(
            known, np.where(known, scale, 0.0).std(axis=0, ddof=1), 0.0
        )
    return error


def _grid(
    fits: Sequence[FineGrayFit], position: int, months: FloatArray, ends: Sequence[float]
) -> FloatArray:
    """Return the months asked for, the series' ends, and others up to `_STEPS` event times."""
    times = np.unique(np.concatenate([fit.baselines[position].times for fit in fits]))
    times = times[times <= months.max()]
    if len(times) > _STEPS:
        times = times[np.linspace(0, len(times) - 1, _STEPS).astype(np.int64)]
    asked = np.concatenate([months, np.asarray(ends)])
    return np.unique(np.concatenate([times, np.minimum(asked, ends[position])]))


def _draw(
    fits: Sequence[FineGrayFit],
    grids: dict[int, FloatArray],
    survived: float,
    n_draws: int,
    rng: np.random.Generator,
) -> list[list[_Drawn]]:
    """Return the draws, each a list of causes."""
    draws: list[list[_Drawn]] = [[] for _ in range(n_draws)]
    for fit in fits:
        values, vectors = np.linalg.eigh(fit.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        shifts = rng.standard_normal((n_draws, len(fit.coefficients))) @ root.T
        hazards = {
            position: _draw_baseline(fit.baselines[position], fit, grid, survived, shifts, rng)
            for position, grid in grids.items()
        }
        for k, shift in enumerate(shifts):
            drawn = {position: hazard[k] for position, hazard in hazards.items()}
            draws[k].append(_Drawn(fit.coefficients + shift, drawn))
    return draws


def _draw_baseline(
    baseline: SubdistributionBaseline,
    fit: FineGrayFit,
    grid: FloatArray,
    survived: float,
    shifts: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Return draws of the cumulative baseline on the grid, shape (n_draws, n_grid)."""
    # What rises between two of these months is drawn together.
    drawn = baseline.times
    if not baseline.straight:
        together = end_of_first(baseline.times, baseline.events, survived)
        drawn = np.union1d(grid[(grid <= survived) | (grid >= together)], [together])
    gain = np.diff(baseline.at(baseline.hazard, drawn), prepend=0.0)
    if not gain.any():
        return np.zeros((len(shifts), len(grid)))
    covariance = baseline.at(baseline.covariance, drawn)
    # The regression of the hazard on the coefficients, and what it leaves.
    slope = np.linalg.pinv(fit.covariance, hermitian=True) @ covariance.T
    follow = slope - baseline.at(baseline.moments, drawn).T
    left = baseline.at(baseline.variance, drawn) - np.einsum("tp,pt->t", covariance, slope)
    spread = np.diff(isotonic_regression(np.maximum(left, 0.0)).x, prepend=0.0)
    rises, varies = gain > 0, (gain > 0) & (spread > 0)
    # A gamma distribution of the step's mean and variance keeps it positive.
    shape = gain[varies] ** 2 / spread[varies]
    noise = np.zeros((len(shifts), len(drawn)))
    noise[:, rises] = 1.0
    noise[:, varies] = rng.gamma(shape, size=(len(shifts), len(shape))) / shape
    drift = np.diff(follow, axis=1, prepend=0.0)
    drift = np.divide(drift, gain, out=np.zeros_like(drift), where=rises)
    ratio = noise * np.exp(shifts @ drift)
    asked = np.union1d(grid, drawn)
    rise = np.diff(baseline.at(baseline.hazard, asked), prepend=0.0)
    step = np.minimum(np.searchsorted(drawn, asked), len(drawn) - 1)
    return np.cumsum(rise * ratio[:, step], axis=1)[:, np.searchsorted(asked, grid)]


def _incidences(
    fits: Sequence[FineGrayFit],
    draw: Sequence[_Drawn],
    grids: dict[int, FloatArray],
    series: SeriesSet,
    matrix: FloatArray,
    months: FloatArray,
    name: str | None,
) -> FloatArray:
    """Return the incidences of one draw at months in any order, shape (n_causes, n, n_months)."""
    relative = [
        np.exp((matrix - fit.center) @ one.coefficients)[:, None]
        for fit, one in zip(fits, draw, strict=True)
    ]

    def evaluate(times: FloatArray, position: int) -> FloatArray:
        risk, *others = (r * one.hazards[position] for r, one in zip(relative, draw, strict=True))
        return subdistribution_incidences(-np.expm1(-risk), others, grids[position], times)

    if name is None and len(series.names) > 1:
        return average_over_series(evaluate, months, series)
    return evaluate(months, 0 if name is None else series.index(name))
