"""The Cox partial likelihood with its derivatives, in two sweeps over sorted patients.

One sweep sums relative hazards and covariates over the risk sets, a second one sums the hazard
that each patient was exposed to. The information is then the difference of two matrix products,
``X' diag(r H) X - A' A`` with A the mean covariates of the risk sets, and no array has a matrix
per patient.
"""

from dataclasses import dataclass

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.cox.risk_sets import CACHED, RiskSets


@dataclass(frozen=True, eq=False)
class PartialLikelihood:
    """The partial likelihood at given coefficients, and what it was summed from.

    Attributes
    ----------
    value
        Log partial likelihood.
    score
        Its gradient, shape (p,).
    information
        Minus its second derivative, shape (p, p).
    relative
        Weighted relative hazard of each sorted row, over the largest of its stratum, shape (n,).
    largest
        Logarithm of the largest weighted hazard of each stratum, shape (n_strata,).
    total
        Sum of `relative` over the risk set of each event, less Efron's share of those that died
        with it, shape (n_events,).
    means
        Mean covariates over the same, shape (p, n_events).
    step
        Weight of each event in the hazard: its weight, averaged over its group, shape (n_events,).
    """

    value: float
    score: FloatArray
    information: FloatArray
    relative: FloatArray
    largest: FloatArray
    total: FloatArray
    means: FloatArray
    step: FloatArray


def partial_likelihood(
    sets: RiskSets,
    columns: FloatArray,
    beta: FloatArray,
    weights: FloatArray | None = None,
    offset: FloatArray | None = None,
    at_events: FloatArray | None = None,
) -> PartialLikelihood:
    """Return the partial likelihood (Cox 1972; ties after Breslow 1974 or Efron 1977).

    Weights count as in R's `coxph`: a weighted event adds its weight times its own term, the
    deaths of a group share their mean weight.

    Parameters
    ----------
    sets
        Risk sets.
    columns
        Covariates of the sorted rows, shape (p, n).
    beta
        Coefficients, shape (p,).
    weights, offset
        Case weight and fixed part of the linear predictor of each sorted row, shape (n,).
    at_events
        `sum_at_events` of the same, where it is known.
    """
    linear = beta @ columns if offset is None else beta @ columns + offset
    relative, largest = _relative_hazards(sets, linear, weights)
    died = sets.deaths
    total = sets.per_event(sets.prefix_sums(relative))
    means = sets.per_event(sets.weighted_sums(columns, relative))
    if sets.share is not None:
        dying = relative.take(died)
        dying_sums = sets.per_group(columns.take(died, axis=1) * dying)
        total = total - sets.share * sets.per_event(sets.per_group(dying))
        means = means - sets.share * sets.per_event(dying_sums)
    step, own = _steps(sets, weights)
    # A risk set of weight zero has no event with a weight.
    total = np.where(total > 0, total, 1.0) if weights is not None else total
    means /= total
    increments = step / total
    exposure = relative * sets.while_at_risk(sets.per_group(increments))
    if sets.share is not None:
        exposure[died] -= relative[died] * sets.per_event(sets.per_group(sets.share * increments))
    if at_events is None:
        at_events = sum_at_events(sets, columns, weights)
    value = float(own @ linear.take(died) - step @ np.log(total))
    score = at_events - means @ step
    centre = means if weights is None else means * np.sqrt(step)
    shift = np.bincount(sets.row_stratum[died], weights=own, minlength=largest.size)
    value -= float(shift @ largest)
    information = _second_moments(columns, exposure) - centre @ centre.T
    return PartialLikelihood(value, score, information, relative, largest, total, means, step)


def sum_at_events(sets: RiskSets, columns: FloatArray, weights: FloatArray | None) -> FloatArray:
    """Return the (weighted) sum of the covariates of those who had the event, shape (p,)."""
    died = columns.take(sets.deaths, axis=1)
    return np.asarray(died.sum(axis=1) if weights is None else died @ weights.take(sets.deaths))


def _second_moments(columns: FloatArray, exposure: FloatArray) -> FloatArray:
    """Return columns diag(exposure) columns', in pieces that stay in cache, shape (p, p)."""
    root = np.sqrt(np.maximum(exposure, 0.0))
    p, n = columns.shape
    at_once = max(1, CACHED // max(p, 1))
    moments = np.zeros((p, p))
    for start in range(0, n, at_once):
        part = columns[:, start : start + at_once] * root[start : start + at_once]
        moments += part @ part.T
    return moments


def _relative_hazards(
    sets: RiskSets, linear: FloatArray, weights: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Return weighted hazards over the largest of each stratum, and the log of the largest."""
    logs = linear
    if weights is not None:
        with np.errstate(divide="ignore"):
            logs = linear + np.log(weights)
    if sets.stratum_names.size == 1:
        largest = np.array([logs.max()])
        return np.exp(logs - largest[0]), largest
    heads = np.searchsorted(sets.row_stratum, np.arange(sets.stratum_names.size))
    largest = np.maximum.reduceat(logs, heads)
    # A stratum without weight has no largest.
    largest = np.where(np.isfinite(largest), largest, 0.0)
    return np.exp(logs - largest[sets.row_stratum]), largest


def _steps(sets: RiskSets, weights: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """Return the mean weight of each event's group, and its own weight."""
    if weights is None:
        ones = np.ones(sets.n_events)
        return ones, ones
    own = weights.take(sets.deaths)
    return sets.per_event(sets.per_group(own) / sets.deaths_per_group), own
