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
class Stratum:
    """The censoring of one series.

    Attributes
    ----------
    name
        Name of the series.
    rows
        Its patients, shape (n_rows,).
    place
        Place of each patient's time among the times, shape (n_rows,).
    at_risk, hazard
        Patients at risk, and the share of them censored, at each time, shape (n_times,).
    curve
        Probability of being uncensored after each month.
    """

    name: str
    rows: IntArray
    place: IntArray
    at_risk: FloatArray
    hazard: FloatArray
    curve: StepFunction


@dataclass(frozen=True, eq=False)
class Censoring:
    """The censoring distribution of a cohort.

    Attributes
    ----------
    time, event
        Months, and codes (0 censored), shape (n,).
    groups
        Series of each patient.
    strata
        The distribution in each series.
    before_own_time
        G(T-) of each patient, shape (n,).
    sample_weights
        Case weights with which it was estimated, shape (n,).
    """

    time: FloatArray
    event: IntArray
    groups: Any
    strata: tuple[Stratum, ...]
    before_own_time: FloatArray
    sample_weights: FloatArray

    def at(self, month: float) -> FloatArray:
        """Return G(month) for each patient's series, shape (n,)."""
        values = np.empty(len(self.time))
        for stratum in self.strata:
            values[stratum.rows] = stratum.curve(month)
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
        result = np.empty(len(self.time))
        for stratum in self.strata:
            rows, place = stratum.rows, stratum.place
            by_time = np.bincount(place, weights=own[rows], minlength=len(stratum.hazard))
            # Derivative by the log of the factor that G takes on at each time.
            touched = by_time.sum() - np.cumsum(by_time)
            if at_month is not None:
                touched += np.where(stratum.curve.times <= month, at_month[rows].sum(), 0.0)
            rate = touched / stratum.at_risk
            survived = np.cumsum(rate * stratum.hazard)[place]
            result[rows] = survived - np.where(self.event[rows] > 0, 0.0, rate[place])
        return np.asarray(self.sample_weights * result)


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
        Case weights, shape (n,); patients without weight do not count.

    Raises
    ------
    ModelError
        If there are no patients.
    """
    if len(time) == 0:
        raise ModelError("there are no patients to estimate the censoring from")
    names = np.full(len(time), "", dtype=object) if groups is None else np.asarray(groups, object)
    w = np.ones(len(time)) if weights is None else weights
    before = np.empty(len(time))
    strata = []
    for name in sorted(set(names)):
        rows = np.flatnonzero(names == name)
        stratum = _estimate_stratum(str(name), rows, time[rows], event[rows] > 0, w[rows])
        before[rows] = np.concatenate([[1.0], stratum.curve.values])[stratum.place]
        strata.append(stratum)
    return Censoring(time, event, names, tuple(strata), before, w)


def _estimate_stratum(
    name: str, rows: IntArray, time: FloatArray, observed: BoolArray, weights: FloatArray
) -> Stratum:
    times, inverse = np.unique(time, return_inverse=True)
    place = np.asarray(inverse, dtype=np.int64)
    events = np.bincount(place, weights=weights * observed, minlength=len(times))
    censored = np.bincount(place, weights=weights * ~observed, minlength=len(times))
    at_risk = np.cumsum((events + censored)[::-1])[::-1]
    # Events come before censorings of the same time, so they leave the risk set first.
    lost = np.divide(censored, at_risk - events, out=np.zeros(len(times)), where=censored > 0)
    curve = StepFunction(times, np.asarray(np.cumprod(1.0 - np.minimum(lost, 1.0))), 1.0, np.inf)
    counted = np.where(at_risk > 0, at_risk, 1.0)
    return Stratum(name, rows, place, counted, np.asarray(censored / counted), curve)
