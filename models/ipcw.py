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
    """

    time: FloatArray
    event: IntArray
    groups: Any
    curves: dict[str, StepFunction]
    before_own_time: FloatArray

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


def estimate_censoring(time: FloatArray, event: IntArray, groups: Any = None) -> Censoring:
    """Estimate the censoring distribution within each group; by default in one."""
    names = np.full(len(time), "", dtype=object) if groups is None else np.asarray(groups, object)
    curves = {}
    before = np.empty(len(time))
    for name in sorted(set(names)):
        rows = names == name
        curve = _reverse_kaplan_meier(time[rows], event[rows] > 0)
        curves[str(name)] = curve
        padded = np.concatenate([[1.0], curve.values])
        before[rows] = padded[np.searchsorted(curve.times, time[rows], side="left")]
    return Censoring(time, event, names, curves, before)


def _reverse_kaplan_meier(time: FloatArray, observed: BoolArray) -> StepFunction:
    times, position = np.unique(time, return_inverse=True)
    events = np.bincount(position, weights=observed, minlength=len(times))
    censored = np.bincount(position, weights=~observed, minlength=len(times))
    at_risk = np.cumsum((events + censored)[::-1])[::-1]
    # Events come before censorings of the same time, so they leave the risk set first.
    exposed = at_risk - events
    lost = np.divide(censored, exposed, out=np.zeros(len(times)), where=exposed > 0)
    return StepFunction(times, np.asarray(np.cumprod(1.0 - lost)), 1.0, np.inf)
