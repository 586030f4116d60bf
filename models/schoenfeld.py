"""The test of proportional hazards."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2

from outcomes.arrays import BoolArray, FloatArray
from outcomes.curves import kaplan_meier


def proportional_hazards_test(
    matrix: FloatArray,
    names: tuple[str, ...],
    time: FloatArray,
    observed: BoolArray,
    groups: Any,
    coefficients: FloatArray,
) -> pd.DataFrame:
    """Return the test of each column's effect against a change over time.

    The score test of ``coefficient * (1 + theta g(t))`` for theta = 0, g being the distribution
    function of the events by Kaplan-Meier (Grambsch & Therneau, Biometrika 1994;81:515, in the
    exact form of `cox.zph` in R's survival 3); ties after Efron, risk sets within strata.

    Parameters
    ----------
    matrix, names
        Columns of the fit, shape (n, n_terms), and their names.
    time, observed
        Months, and whether the event of this cause was seen, shape (n,).
    groups
        Stratum of each patient, shape (n,).
    coefficients
        Fitted log hazard ratios, shape (n_terms,).

    Returns
    -------
    DataFrame
        ``covariate``, ``statistic`` (chi-squared with one degree of freedom), ``p``.
    """
    terms = matrix.shape[1]
    centred = matrix - matrix.mean(axis=0)
    weight = np.exp(centred @ coefficients)
    passed = _passed(time, observed)
    middle = passed[observed].mean()
    score = np.zeros(terms)
    information = np.zeros((2 * terms, 2 * terms))
    for stratum in np.unique(groups.astype(str)):
        rows = groups.astype(str) == stratum
        parts = (centred[rows], weight[rows], time[rows], observed[rows], passed[rows] - middle)
        for change, residual, variance in _event_times(*parts):
            score += change * residual
            information += np.kron(np.array([[1.0, change], [change, change**2]]), variance)
    inverse = np.linalg.pinv(information[:terms, :terms], hermitian=True)
    cross = information[:terms, terms:]
    left = np.diag(information[terms:, terms:] - cross.T @ inverse @ cross)
    statistic = score**2 / left
    return pd.DataFrame({"covariate": names, "statistic": statistic, "p": chi2.sf(statistic, 1)})


def _passed(time: FloatArray, observed: BoolArray) -> FloatArray:
    """Return 1 - Kaplan-Meier just before each time, all strata together."""
    curve = kaplan_meier(time, observed)
    steps = curve.survival
    before = np.append(1.0, steps.values)
    return np.asarray(1 - before[np.searchsorted(steps.times, time, side="left")])


def _event_times(
    matrix: FloatArray,
    weight: FloatArray,
    time: FloatArray,
    observed: BoolArray,
    change: FloatArray,
) -> Iterator[tuple[float, FloatArray, FloatArray]]:
    """Yield for each event time of a stratum: change, Schoenfeld residual, variance, summed."""
    order = np.argsort(-time, kind="stable")
    matrix, weight, time = matrix[order], weight[order], time[order]
    observed, change = observed[order], change[order]
    total = np.cumsum(weight)
    first = np.cumsum(weight[:, None] * matrix, axis=0)
    second = np.cumsum(weight[:, None, None] * matrix[:, :, None] * matrix[:, None, :], axis=0)
    for when in np.unique(time[observed]):
        last = int(np.searchsorted(-time, -when, side="right")) - 1
        deaths = np.flatnonzero(observed & (time == when))
        x, w = matrix[deaths], weight[deaths]
        residual, variance = x.sum(axis=0), np.zeros_like(second[0])
        for share in np.arange(deaths.size) / deaths.size:
            mass = total[last] - share * w.sum()
            mean = (first[last] - share * (w @ x)) / mass
            square = (second[last] - share * (w[:, None] * x).T @ x) / mass
            residual = residual - mean
            variance += square - np.outer(mean, mean)
        yield float(change[deaths[0]]), residual, variance
