"""Uncertainty of predictions of a Cox model, from coefficients and baseline alike.

Within one series and without competing events the variance of the cumulative hazard has a closed
form. For an incidence among competing events, and for an average over series, the estimates are
drawn from their asymptotic distribution instead: coefficients from a normal; each step of a
baseline, with d events, from a gamma distribution of shape d around it (variance d / S0^2, as
Tsiatis's); and the step's dependence on the coefficients through the mean covariates of those at
risk. The draws' standard deviation on the log(-log) scale is the standard error. The first events
are drawn together, and so they count in the closed form of a coarse baseline, whose pieces hold
less than one event: what they lack in spread `outcomes.models.few_events` adds to the limits.

After a robust fit the variance of a baseline, and its covariance with the coefficients, are those
of its clusters' influence, exact at each month. Between two months (where a covariate changes, or
survival is given) and in draws, the part of a baseline that does not follow the coefficients is
taken to rise by independent steps; baselines of different series or causes are taken to depend on
each other through the coefficients of a cause alone.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy.optimize import isotonic_regression

from outcomes.arrays import FloatArray
from outcomes.models.competing import cumulative_incidences
from outcomes.models.conditional import conditional_incidences
from outcomes.models.few_events import end_of_first, first_together, spread_steps
from outcomes.models.proportional_hazards import Baseline, CauseFit, hazard_grid
from outcomes.models.series import SeriesSet, average_over_series

DRAWS = 400
_ROWS = 50
# Of a cumulative hazard, what a draw leaves at least.
_LEAST_SHARE = 1e-3


def tsiatis_error(
    fit: CauseFit, matrix: FloatArray, months: FloatArray, position: int, survived: float = 0.0
) -> FloatArray:
    """Return the standard error of log(-log S), shape (n, n_months), in one series.

    S is the survival given survival to month `survived`; all sums then run from there. Until the
    first events of a coarse baseline have happened its hazard is known as well as at their end.
    """
    baseline = fit.baselines[position]
    if baseline.straight:
        months = np.maximum(months, end_of_first(baseline.times, baseline.deaths, survived))
    asked = np.append(np.maximum(months, survived), survived)
    steps = (
        baseline.increments,
        baseline.variances,
        baseline.means * baseline.increments[:, None],
        baseline.covariances,
    )
    sums = [fit.periods(matrix, partial(baseline.cumulative, steps=step), asked) for step in steps]
    shape = (len(matrix), len(months))
    hazard, spread = np.zeros(shape), np.zeros(shape)
    drift, shared = np.zeros((*shape, len(fit.center))), np.zeros((*shape, len(fit.center)))
    for (x, gain), (_, variance), (_, moments), (_, both) in zip(*sums, strict=True):
        relative = np.exp(x @ fit.coefficients)[:, None]
        gained = _since(gain, survived)
        hazard += relative * gained
        spread += relative**2 * _since(variance, survived)
        drift += relative[:, :, None] * (
            x[:, None, :] * gained[:, :, None] - _since(moments, survived)
        )
        shared += relative[:, :, None] * _since(both, survived)
    total = spread + np.einsum("nti,nti->nt", drift @ fit.covariance + 2 * shared, drift)
    # Steps of different months may make up for each other within clusters.
    total = np.maximum(total, 0.0)
    positive = hazard > 0
    return np.asarray(np.divide(np.sqrt(total), hazard, out=np.zeros_like(total), where=positive))


def _since(sums: FloatArray, survived: float) -> FloatArray:
    """Return running sums over time less their last month's, if that is to be left out."""
    return np.asarray(sums[:, :-1] - sums[:, -1:] if survived > 0 else sums[:, :-1])


def drawn_error(
    fits: Sequence[CauseFit],
    series: SeriesSet,
    matrix: FloatArray,
    months: FloatArray,
    name: str | None,
    survived: float = 0.0,
    n_draws: int = DRAWS,
    seed: int = 0,
) -> FloatArray:
    """Return the standard error of log(-log(1 - F1)) over draws, shape (n, n_months).

    F1 is the incidence of the event of interest given no event by month `survived`.
    """
    positions = range(len(series.names)) if name is None else [series.index(name)]
    draws = draw_parameters(fits, positions, n_draws, np.random.default_rng(seed), survived)
    error = np.empty((len(matrix), len(months)))
    for start in range(0, len(matrix), _ROWS):
        rows = matrix[start : start + _ROWS]
        curves = np.stack(
            [_drawn_risk(fits, series, rows, months, name, survived, d) for d in draws]
        )
        with np.errstate(divide="ignore"):
            scale = np.log(-np.log1p(-np.minimum(curves, 1 - 1e-16)))
        known = np.isfinite(scale).all(axis=0)
        error[start : start + _ROWS] = np.where(
            known, np.where(known, scale, 0.0).std(axis=0, ddof=1), 0.0
        )
    return error


Draw = list[tuple[FloatArray, dict[int, FloatArray]]]


def draw_parameters(
    fits: Sequence[CauseFit],
    positions: Sequence[int],
    n_draws: int,
    rng: np.random.Generator,
    survived: float = 0.0,
) -> list[Draw]:
    """Draw coefficients and baseline steps, those of the first events after a month together.

    Returns
    -------
    list of draws
        Each holds, per cause, the coefficients and by series position the baseline's steps.
    """
    draws: list[Draw] = [[] for _ in range(n_draws)]
    for fit in fits:
        root = _root(fit.covariance)
        shifts = rng.standard_normal((n_draws, len(fit.coefficients))) @ root.T
        steps = {}
        for p in positions:
            grouped = first_together(fit.baselines[p], survived)
            drawn = _draw_steps(grouped, fit.covariance, shifts, rng)
            steps[p] = spread_steps(fit.baselines[p], drawn, survived)
        for k in range(n_draws):
            draws[k].append((fit.coefficients + shifts[k], {p: steps[p][k] for p in positions}))
    return draws


def _draw_steps(
    baseline: Baseline, covariance: FloatArray, shifts: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Return draws of a baseline's steps, shape (n_draws, n_times)."""
    deaths = baseline.deaths
    if baseline.robust_variances is not None:
        # The regression of the hazard on the coefficients, and what it leaves.
        slopes = baseline.covariances @ np.linalg.pinv(covariance, hermitian=True)
        until = np.cumsum(baseline.covariances, axis=0)
        left = np.cumsum(baseline.variances) - np.einsum("tp,tp->t", until, np.cumsum(slopes, 0))
        spread = np.diff(isotonic_regression(np.maximum(left, 0.0)).x, prepend=0.0)
        deaths = baseline.increments**2 / np.maximum(spread, 1e-12 * baseline.increments**2)
    noise = rng.gamma(deaths, size=(len(shifts), len(deaths))) / deaths
    steps = np.asarray(baseline.increments * noise * np.exp(-(shifts @ baseline.means.T)))
    if baseline.robust_variances is None:
        return steps
    # Single steps follow the coefficients too wildly for an exponential. No hazard falls.
    hazard = np.cumsum(steps + shifts @ slopes.T, axis=1)
    least = _LEAST_SHARE * np.cumsum(baseline.increments)
    return np.diff(np.maximum.accumulate(np.maximum(hazard, least), axis=1), prepend=0.0)


def _drawn_risk(
    fits: Sequence[CauseFit],
    series: SeriesSet,
    matrix: FloatArray,
    months: FloatArray,
    name: str | None,
    survived: float,
    draw: Draw,
) -> FloatArray:
    def evaluate(times: FloatArray, position: int) -> FloatArray:
        grid = hazard_grid(fits, position, times)
        hazards = []
        for fit, (beta, steps) in zip(fits, draw, strict=True):
            hazards.append(fit.hazards(matrix, grid, position, beta, steps[position]))
        return cumulative_incidences(hazards, grid, times)

    asked = np.append(months, survived) if survived > 0 else months
    if name is None and len(series.names) > 1:
        incidences = average_over_series(evaluate, asked, series)
    else:
        incidences = evaluate(asked, 0 if name is None else series.index(name))
    if survived > 0:
        incidences = conditional_incidences(
            incidences[..., :-1], incidences[..., -1:], months, survived
        )
    return np.asarray(incidences[0])


def _root(covariance: FloatArray) -> FloatArray:
    """Return a square root of a covariance matrix that may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
