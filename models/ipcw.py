"""Inverse probability of censoring weights, for one event or several.

A patient censored before a month says nothing of the outcome by that month; the others of like
follow-up stand in, each weighted by the inverse probability of not having been censored. That
probability is a Kaplan-Meier estimate of the censoring time, within each series, because the
series were followed for very different times.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.curves import StepFunction
from outcomes.errors import ModelError


@dataclass(frozen=True, eq=False)
class Censoring:
    """The censoring distribution of a cohort.

    Attributes
    ----------
    time, event
        Months, and codes (0 censored), shape (n,).
    groups
        Series of each patient.
    curves
        Probability of being uncensored after each month, by series.
    before_own_time
        G(T-) of each patient, shape (n,).
    sample_weights
        Case weights with which it was estimated, shape (n,); None for one each.
    """

    time: FloatArray
    event: IntArray
    groups: Any
    curves: dict[str, StepFunction]
    before_own_time: FloatArray
    sample_weights: FloatArray | None = None

    def at(self, month: float) -> FloatArray:
        """Return G(month) for each patient's series, shape (n,)."""
        values = np.empty(len(self.time))
        for name, curve in self.curves.items():
            values[self.groups == name] = curve(month)
        return values

    def weights(self, month: float) -> FloatArray:
        """Return the weights of the outcome by a month, 0 for whom it is not known.

        1 / G(T-) for an event of any kind by then, 1 / G(month) for a longer time: Graf et al.,
        Stat Med 1999;18:2529-2545, and for competing events Schoop et al., Biom J
        2011;53:88-112.
        """
        early = (self.time <= month) & (self.event > 0)
        late = self.time > month
        weights = np.zeros(len(self.time))
        weights[early] = 1.0 / self.before_own_time[early]
        weights[late] = 1.0 / np.maximum(self.at(month)[late], 1e-12)
        return weights

    def influence(
        self, own: FloatArray, at_month: FloatArray | None = None, month: float = np.inf
    ) -> FloatArray:
        """Return what a statistic owes to each patient through the estimate of G, shape (n,).

        The derivative of log G by a patient's relative weight is, to order 1 / n, minus the
        integral of the patient's martingale of being censored over the number at risk (as in
        riskRegression).

        Parameters
        ----------
        own
            Derivative of the statistic by log G(Ti-) of each patient, shape (n,).
        at_month
            Derivative by log G(month) of each patient's series, shape (n,).
        month
            The month.
        """
        result = np.zeros(len(self.time))
        for name in self.curves:
            rows = np.flatnonzero(self.groups == name)
            late = np.zeros(len(rows)) if at_month is None else at_month[rows]
            weights = None if self.sample_weights is None else self.sample_weights[rows]
            result[rows] = _censoring_influence(
                self.time[rows], self.event[rows] > 0, own[rows], float(late.sum()), month, weights
            )
        return result


def estimate_censoring(
    time: FloatArray, event: IntArray, groups: Any = None, weights: FloatArray | None = None
) -> Censoring:
    """Estimate the censoring distribution within each group; by default in one.

    Parameters
    ----------
    time, event
        Months and event codes, shape (n,).
    groups
        Series of each patient.
    weights
        Case weights, shape (n,).
    """
    if len(time) == 0:
        raise ModelError("there are no patients to estimate the censoring from")
    names = np.full(len(time), "", dtype=object) if groups is None else np.asarray(groups, object)
    curves = {}
    before = np.empty(len(time))
    for name in sorted(set(names)):
        rows = names == name
        times, position, at_risk, events, censored = _losses(
            time[rows], event[rows] > 0, None if weights is None else weights[rows]
        )
        # Events come before censorings of the same time, so they leave the risk set first.
        lost = np.divide(censored, at_risk - events, out=np.zeros(len(times)), where=censored > 0)
        lost = np.minimum(lost, 1.0)
        curve = StepFunction(times, np.asarray(np.cumprod(1.0 - lost)), 1.0, np.inf)
        curves[str(name)] = curve
        before[rows] = np.concatenate([[1.0], curve.values])[position]
    return Censoring(time, event, names, curves, before, weights)


def _losses(
    time: FloatArray, observed: BoolArray, weights: FloatArray | None
) -> tuple[FloatArray, IntArray, FloatArray, FloatArray, FloatArray]:
    """Return the times, everyone's place in them, and there: at risk, events, censored."""
    times, inverse = np.unique(time, return_inverse=True)
    position = np.asarray(inverse, dtype=np.int64)
    w = np.ones(len(time)) if weights is None else weights
    events = np.bincount(position, weights=w * observed, minlength=len(times)).astype(np.float64)
    censored = np.bincount(position, weights=w * ~observed, minlength=len(times)).astype(np.float64)
    at_risk = np.asarray(np.cumsum((events + censored)[::-1])[::-1])
    return times, position, at_risk, events, censored


def _censoring_influence(
    time: FloatArray,
    observed: BoolArray,
    own: FloatArray,
    late: float,
    month: float,
    weights: FloatArray | None,
) -> FloatArray:
    times, position, at_risk, _, censored = _losses(time, observed, weights)
    by_time = np.bincount(position, weights=own, minlength=len(times))
    # Derivative by the log of the factor that G takes on at each time.
    touched = by_time.sum() - np.cumsum(by_time) + np.where(times <= month, late, 0.0)
    rate = np.divide(touched, at_risk, out=np.zeros(len(times)), where=at_risk > 0)
    hazard = np.divide(censored, at_risk, out=np.zeros(len(times)), where=at_risk > 0)
    survived = np.cumsum(rate * hazard)[position]
    w = np.ones(len(time)) if weights is None else weights
    return np.asarray(w * (survived - np.where(observed, 0.0, rate[position])))
