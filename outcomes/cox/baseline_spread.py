"""Robust variances of the baselines of a Cox model, from the influence of rows or clusters."""

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.cox.clusters import Changes, spread_over_time, sum_by_cluster
from outcomes.cox.fit import CoxFit
from outcomes.cox.residuals import dfbeta_residuals


def robust_spread(fit: CoxFit, rates: FloatArray, breslow: bool) -> tuple[FloatArray, FloatArray]:
    """Return steps of the variance of each group's cumulative hazard for known coefficients.

    With c the steps over the weight of their risk sets and C their running sum, the influence of
    a row of weight w on the cumulative hazard is

        -w r (C(t) - C(entry))     while the row is at risk,

    stays as it is afterwards, and rises by what the row's own event adds.

    Parameters
    ----------
    fit
        A robust fit.
    rates
        c of each group, over the largest hazard of the stratum, shape (n_groups,).
    breslow
        Whether the baseline is Breslow's although the fit's ties are Efron's.

    Returns
    -------
    variances, covariances
        Steps of the variance, and of the covariance with the coefficients, shapes (n_groups,) and
        (p, n_groups), in the order of the groups.
    """
    assert fit.cluster is not None  # noqa: S101 - what makes a fit robust
    sets, here = fit.data.sets, fit.likelihood
    cluster = fit.cluster[sets.order]
    moves = sum_by_cluster(dfbeta_residuals(fit).T, fit.cluster)
    jump = _own_steps(fit, rates, breslow)
    variances, covariances = np.zeros(rates.size), np.zeros((len(moves), rates.size))
    ends = np.searchsorted(sets.stratum, np.arange(sets.stratum_names.size), side="right")
    starts = np.concatenate([[0], ends[:-1]])
    for position, (start, end) in enumerate(zip(starts, ends, strict=True)):
        # Groups descend in time.
        running = np.concatenate([[0.0], np.cumsum(rates[start:end][::-1])])
        rows = np.flatnonzero((sets.row_stratum == position) & (sets.since < sets.until))
        first, last = end - sets.until[rows], end - sets.since[rows]
        relative = here.relative[rows]
        entered = np.stack([relative * running[first], -relative])
        left = np.stack([jump[rows] - relative * running[last], relative])
        changes = Changes(
            size=np.concatenate([entered, left], axis=1),
            when=np.concatenate([first, last - 1]),
            cluster=np.tile(cluster[rows], 2),
        )
        functions = np.stack([np.ones(end - start), running[1:]])
        variance, covariance = spread_over_time(changes, functions, moves)
        scale = np.exp(-here.largest[position])
        variances[start:end] = np.diff(variance, prepend=0.0)[::-1] * scale**2
        covariances[:, start:end] = np.diff(covariance, axis=1, prepend=0.0)[:, ::-1] * scale
    return variances, covariances


def _own_steps(fit: CoxFit, rates: FloatArray, breslow: bool) -> FloatArray:
    """Return what each sorted row's own event adds to the baseline, shape (n,)."""
    sets, here, weights = fit.data.sets, fit.likelihood, fit.data.weights
    jump = np.zeros(sets.n)
    own = np.ones(sets.n_events) if weights is None else weights[sets.deaths]
    if breslow:
        jump[sets.deaths] = own / sets.per_event(sets.prefix_sums(here.relative))
        return jump
    per_death = sets.per_group(1.0 / here.total) / sets.deaths_per_group
    jump[sets.deaths] = own * sets.per_event(per_death)
    if sets.share is not None:
        # Tied after Efron, a row is at risk of its own group in part.
        less = sets.per_group(sets.share * here.step / here.total**2)
        jump[sets.deaths] += here.relative[sets.deaths] * sets.per_event(less)
    return jump
