"""Is a hazard ratio constant over time? A test, and a smooth picture of the ratio over time."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from outcomes.arrays import BoolArray, FloatArray
from outcomes.cox.fit import ChiSquared, CoxFit, chi_squared
from outcomes.cox.residuals import schoenfeld_residuals
from outcomes.cox.splines import spline_basis
from outcomes.curves import kaplan_meier
from outcomes.errors import NotEstimableError, OutcomesError

Transform = Literal["km", "identity", "log", "rank"]
_CURVE_POINTS = 40
_CURVE_FREEDOM = 4


@dataclass(frozen=True, eq=False)
class ProportionalHazardsTest:
    """Score tests that coefficients do not change with a function of time.

    Attributes
    ----------
    table
        One row per covariate: ``covariate``, ``statistic``, ``degrees_of_freedom``, ``p``.
    overall
        The test of all of them together.
    """

    table: pd.DataFrame
    overall: ChiSquared


@dataclass(frozen=True, eq=False)
class SmoothedEffect:
    """A log hazard ratio over time, smoothed from scaled Schoenfeld residuals.

    Attributes
    ----------
    covariate
        Its name.
    months, residuals
        Scaled residuals plus the coefficient, one per event, by month.
    grid, value, lower, upper
        The smooth curve and its pointwise limits (two standard errors), shape (n_points,).
    """

    covariate: str
    months: FloatArray
    residuals: FloatArray
    grid: FloatArray
    value: FloatArray
    lower: FloatArray
    upper: FloatArray


def proportional_hazards_test(fit: CoxFit, transform: Transform = "km") -> ProportionalHazardsTest:
    """Test each coefficient against a change over time.

    The score test of ``coefficient * (1 + theta g(t))`` at theta = 0 (Grambsch & Therneau,
    Biometrika 1994;81:515-526), exact as in R's `cox.zph` since survival 3.

    Parameters
    ----------
    fit
        A fit without a penalty.
    transform
        g: ``km`` (1 - Kaplan-Meier before the event, all strata together), ``identity``, ``log``
        or ``rank`` of the months.
    """
    if np.any(fit.penalty):
        raise NotEstimableError("the test of proportional hazards needs a fit without a penalty")
    data, sets, here = fit.data, fit.data.sets, fit.likelihood
    passed = _time_scale(fit, transform)
    change = passed - passed.mean()
    own = np.ones(sets.n_events) if data.weights is None else data.weights[sets.deaths]
    score = data.columns[:, sets.deaths] @ (own * change) - here.means @ (here.step * change)
    blocks = [_information(fit, change**power) for power in range(3)]
    left = blocks[2] - blocks[1] @ np.linalg.solve(blocks[0], blocks[1])
    statistic = score**2 / np.diag(left)
    table = pd.DataFrame(
        {
            "covariate": list(data.names),
            "statistic": statistic,
            "degrees_of_freedom": 1,
            "p": chdtrc(1, statistic),
        }
    )
    overall = chi_squared(float(score @ np.linalg.solve(left, score)), len(data.names))
    return ProportionalHazardsTest(table, overall)


def smoothed_effect(
    fit: CoxFit, covariate: str, transform: Transform = "km", freedom: int = _CURVE_FREEDOM
) -> SmoothedEffect:
    """Return a coefficient over time with its band, as R's `plot.cox.zph` draws it.

    Parameters
    ----------
    fit
        A fit.
    covariate
        Name of the covariate.
    transform
        Time scale on which the curve is a natural spline; see `proportional_hazards_test`.
    freedom
        Degrees of freedom of the spline.

    Raises
    ------
    OutcomesError
        If the fit has no such covariate.
    NotEstimableError
        If there are too few distinct event times.
    """
    if covariate not in fit.names:
        raise OutcomesError(f"covariate: found {covariate!r}; allowed: {', '.join(fit.names)}")
    if freedom < 2:
        raise OutcomesError(f"freedom: found {freedom!r}; allowed: at least 2")
    position = fit.names.index(covariate)
    scaled, variance, known = scaled_schoenfeld_residuals(fit)
    order = np.lexsort((np.arange(known.shape[0]), fit.data.sets.per_event(fit.data.sets.months)))
    order = order[known[order, position]]
    months = fit.data.sets.per_event(fit.data.sets.months)[order]
    scale, values = _time_scale(fit, transform)[order], scaled[order, position]
    if np.unique(scale).size <= freedom:
        raise NotEstimableError(f"{covariate}: too few distinct event times for a curve")
    points = np.linspace(scale.min(), scale.max(), _CURVE_POINTS)
    everything = np.concatenate([points, scale])
    inner = np.quantile(everything, np.linspace(0, 1, freedom)[1:-1])
    knots = np.concatenate([[scale.min()], inner, [scale.max()]])
    basis = np.column_stack([np.ones(everything.size), spline_basis(everything, knots)])
    q, r = np.linalg.qr(basis[_CURVE_POINTS:])
    ahead = np.linalg.solve(r.T, basis[:_CURVE_POINTS].T)
    curve = ahead.T @ (q.T @ values)
    reach = 2 * np.sqrt(variance[position, position] * np.sum(ahead**2, axis=0))
    first = np.unique(scale, return_index=True)[1]
    grid = np.interp(points, scale[first], months[first])
    return SmoothedEffect(covariate, months, values, grid, curve, curve - reach, curve + reach)


def _time_scale(fit: CoxFit, transform: Transform) -> FloatArray:
    """Return g at the month of each event, shape (n_events,)."""
    sets = fit.data.sets
    months = sets.per_event(sets.months)
    if transform == "km":
        happened = np.zeros(sets.n, dtype=np.int64)
        happened[sets.deaths] = 1
        seen = slice(None) if fit.data.weights is None else fit.data.weights > 0
        entry = None if sets.entry is None else sets.entry[seen]
        curve = kaplan_meier(sets.time[seen], happened[seen], entry=entry).survival
        before = np.append(1.0, curve.values)
        return np.asarray(1.0 - before[np.searchsorted(curve.times, months, side="left")])
    if transform == "identity":
        return months
    if transform == "log":
        if (months == 0).any():
            raise NotEstimableError("transform 'log': an event at month 0 has no logarithm")
        return np.asarray(np.log(months))
    if transform == "rank":
        ordered = np.sort(sets.time)
        low = np.searchsorted(ordered, months, side="left")
        return np.asarray((low + np.searchsorted(ordered, months, side="right") + 1) / 2)
    raise OutcomesError(f"transform: found {transform!r}; allowed: 'km', 'identity', 'log', 'rank'")


def _information(fit: CoxFit, change: FloatArray) -> FloatArray:
    """Return the information with a factor for each event, shape (p, p)."""
    data, sets, here = fit.data, fit.data.sets, fit.likelihood
    increments = change * here.step / here.total
    exposure = sets.while_at_risk(sets.per_group(increments))
    if sets.share is not None:
        exposure[sets.deaths] -= sets.per_event(sets.per_group(sets.share * increments))
    weighted = data.columns * (exposure * here.relative)
    means = here.means * (change * here.step)
    return np.asarray(weighted @ data.columns.T - means @ here.means.T)


def scaled_schoenfeld_residuals(fit: CoxFit) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return scaled residuals plus coefficients, their variance, and where they are known.

    In a stratum in which a covariate does not vary its residuals say nothing.
    """
    data, sets = fit.data, fit.data.sets
    residuals = schoenfeld_residuals(fit)
    stratum = sets.per_event(sets.stratum.astype(np.float64)).astype(np.int64)
    count = np.bincount(stratum, minlength=sets.stratum_names.size)
    heads = np.searchsorted(sets.row_stratum, np.arange(sets.stratum_names.size))
    high = np.maximum.reduceat(data.columns, heads, axis=1)
    varies = (high > np.minimum.reduceat(data.columns, heads, axis=1)).T
    used = varies * count[:, None]
    together = np.sum(np.minimum(used[:, :, None], used[:, None, :]), axis=0)
    information = np.asarray(np.linalg.inv(fit.naive_covariance), dtype=np.float64)
    mean = information / np.where(together == 0, 1, together)
    scaled = np.full_like(residuals, np.nan)
    for position in range(len(varies)):
        rows, known = np.flatnonzero(stratum == position), np.flatnonzero(varies[position])
        if rows.size and known.size:
            part = np.linalg.solve(mean[np.ix_(known, known)], residuals[np.ix_(rows, known)].T)
            scaled[np.ix_(rows, known)] = part.T
    return scaled + fit.coefficients, np.asarray(np.linalg.inv(mean)), varies[stratum]
