"""Residuals of a Cox model, and the robust covariance they give."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from outcomes.arrays import FloatArray
from outcomes.cox.clusters import sum_by_cluster
from outcomes.cox.fit import CoxFit
from outcomes.cox.inputs import read_labels
from outcomes.errors import NotEstimableError


def martingale_residuals(fit: CoxFit) -> FloatArray:
    """Return observed less expected events of each row of the data, shape (n,).

    As R's `residuals.coxph(type = "martingale")`, also with Efron's ties.
    """
    sets, here = fit.data.sets, fit.likelihood
    increments = here.step / here.total
    observed = np.zeros(sets.n)
    observed[sets.deaths] = 1.0
    return _in_data_order(fit, observed - _expected(fit, increments[None])[0])


def schoenfeld_residuals(fit: CoxFit) -> FloatArray:
    """Return each event's covariates less their mean over the risk set, shape (n_events, p).

    Rows follow `fit.data.sets.deaths`: by stratum, the last event first (Schoenfeld, Biometrika
    1982;69:239-241). Deaths tied after Efron share the mean of their means.
    """
    sets = fit.data.sets
    residuals = fit.data.columns.take(sets.deaths, axis=1) - _shared_means(fit)
    return np.asarray((residuals * fit.data.spread[:, None]).T)


def score_residuals(fit: CoxFit) -> FloatArray:
    """Return each row's share of the score, without its weight, shape (n, p).

    As R's `residuals.coxph(type = "score")`; they sum, weighted, to zero (to the penalty's
    gradient with a ridge).
    """
    data, sets, here = fit.data, fit.data.sets, fit.likelihood
    increments = here.step / here.total
    share = data.columns * _expected(fit, increments[None])
    share -= _expected(fit, here.means * increments)
    residuals = -share
    residuals[:, sets.deaths] += data.columns.take(sets.deaths, axis=1) - _shared_means(fit)
    return _in_data_order(fit, residuals * data.spread[:, None]).T


def dfbeta_residuals(fit: CoxFit) -> FloatArray:
    """Return how much each row moves the coefficients, to first order, shape (n, p).

    Weighted rows move them in proportion to their weight.
    """
    residuals = score_residuals(fit)
    if fit.data.weights is not None:
        residuals = residuals * _in_data_order(fit, fit.data.weights)[:, None]
    return np.asarray(residuals @ fit.naive_covariance)


def with_robust_covariance(fit: CoxFit, cluster: npt.ArrayLike | None = None) -> CoxFit:
    """Return the fit with the sandwich covariance of Lin and Wei (JASA 1989;84:1074-1078).

    The baselines and predicted curves that are made of it have robust errors, too.

    Parameters
    ----------
    fit
        A fit.
    cluster
        What each row of the data belongs to, shape (n,); by default rows are independent.
    """
    moves = dfbeta_residuals(fit).T
    member = np.arange(moves.shape[1])
    if cluster is not None:
        names, member = read_labels(cluster, "cluster", len(member))
        if names.size < 2:
            raise NotEstimableError("cluster: found one; robust standard errors need at least two")
        moves = sum_by_cluster(moves, member)
    return replace(fit, covariance=moves @ moves.T, cluster=member)


def _expected(fit: CoxFit, increments: FloatArray) -> FloatArray:
    """Return increments, one per event, summed while each row was at risk, times its hazard.

    Shape (..., n). A death tied after Efron is at risk of its own group in part.
    """
    data, sets = fit.data, fit.data.sets
    linear = (fit.coefficients * data.spread) @ data.columns
    if data.offset is not None:
        linear = linear + data.offset
    hazard = np.exp(linear - fit.likelihood.largest[sets.row_stratum])
    exposure = sets.while_at_risk(sets.per_group(increments))
    if sets.share is not None:
        exposure[..., sets.deaths] -= sets.per_event(sets.per_group(sets.share * increments))
    return exposure * hazard


def _shared_means(fit: CoxFit) -> FloatArray:
    """Return the mean of the means of each event's group, shape (p, n_events)."""
    sets, means = fit.data.sets, fit.likelihood.means
    if sets.share is None:
        return means
    return sets.per_event(sets.per_group(means) / sets.deaths_per_group)


def _in_data_order(fit: CoxFit, values: FloatArray) -> FloatArray:
    """Return values of the sorted rows in the order of the data, shape (..., n)."""
    result = np.empty_like(values)
    result[..., fit.data.sets.order] = values
    return result
