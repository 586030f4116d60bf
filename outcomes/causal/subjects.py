"""What an adjusted comparison is given: patients as arrays."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.errors import NotEstimableError


@dataclass(frozen=True, eq=False)
class Subjects:
    """Patients (or lesions) of two arms.

    Attributes
    ----------
    time
        Months since surgery to the event or the end of follow-up, shape (n,).
    codes
        0 for none, 1 for the event of interest, more for competing events, shape (n,).
    treated
        The arm, shape (n,).
    start
        Month at which treatment began: infinite where it never did, NaN where unknown, shape (n,).
    columns
        Adjusting covariates as numbers, shape (n, p).
    names
        Their names.
    stratum
        Number of the series, whose baseline hazards are its own, from 0, shape (n,).
    weights
        Case weights, shape (n,).
    cluster
        What rows belong together, from 0, shape (n,).
    memory
        Results that rest on these patients, see `memory.kept`; empty in every copy.
    """

    time: FloatArray
    codes: IntArray
    treated: BoolArray
    start: FloatArray
    columns: FloatArray
    names: tuple[str, ...]
    stratum: IntArray
    weights: FloatArray
    cluster: IntArray
    memory: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"memory": {}}

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.time.size)

    @property
    def n_series(self) -> int:
        """Number of series."""
        return int(self.stratum.max(initial=0)) + 1

    @property
    def shares_treated(self) -> FloatArray:
        """Share of each series' patients who are treated, shape (n_series,)."""
        treated = np.bincount(self.stratum, weights=self.treated, minlength=self.n_series)
        patients = np.bincount(self.stratum, minlength=self.n_series)
        return np.asarray(treated / np.maximum(patients, 1))

    @property
    def one_armed_series(self) -> BoolArray:
        """Whether all or none of a series are treated, shape (n_series,)."""
        return np.isin(self.shares_treated, (0.0, 1.0))

    @property
    def arm_of_series(self) -> IntArray:
        """Number of each row's arm within its series, shape (n,)."""
        return np.asarray(2 * self.stratum + self.treated, dtype=np.int64)

    def require_both_arms(self) -> None:
        """Raise NotEstimableError where one of several series has only one arm."""
        alone = self.one_armed_series.sum()
        if alone and self.n_series > 1:
            raise NotEstimableError(f"{alone} of {self.n_series} series have only one arm")

    @property
    def causes(self) -> tuple[int, ...]:
        """Codes of the events that happened, that of interest first."""
        happened = set(self.codes[self.weights > 0].tolist()) - {0, 1}
        return (1, *sorted(happened))

    @property
    def with_series(self) -> FloatArray:
        """The covariates and an indicator of each series but the first, shape (n, p + ...)."""
        later = range(1, self.n_series)
        return np.column_stack([self.columns, *(self.stratum == k for k in later)])

    def take(self, rows: BoolArray) -> "Subjects":
        """Return some of the rows."""
        return replace(
            self,
            time=self.time[rows],
            codes=self.codes[rows],
            treated=self.treated[rows],
            start=self.start[rows],
            columns=self.columns[rows],
            stratum=self.stratum[rows],
            weights=self.weights[rows],
            cluster=self.cluster[rows],
        )

    @property
    def sorted_clusters(self) -> IntArray:
        """Numbers of the clusters, sorted by what their rows hold, whatever the rows' order."""
        keys = (*self.columns.T, self.stratum, self.start, self.codes, self.time, self.treated)
        rank = np.empty(self.n, dtype=np.int64)
        rank[np.lexsort(keys)] = np.arange(self.n)
        first = np.full(int(self.cluster.max()) + 1, self.n)
        np.minimum.at(first, self.cluster, rank)
        return np.argsort(first)[: int((first < self.n).sum())]

    def resampled(self, generator: np.random.Generator) -> "Subjects":
        """Return a bootstrap sample of whole clusters, as case weights of the rows drawn."""
        clusters = self.sorted_clusters
        drawn = clusters[generator.integers(clusters.size, size=clusters.size)]
        times = np.bincount(drawn, minlength=int(self.cluster.max()) + 1)
        weights = self.weights * times[self.cluster]
        return replace(self, weights=weights).take(weights > 0)


def followed_until(time: FloatArray, codes: IntArray, group: IntArray) -> float:
    """Return the end of follow-up of the group that is followed least, months.

    A group whose last patients all had an event leaves nothing open.
    """
    ends = [math.inf]
    for one in np.unique(group):
        own = time[group == one]
        last = own.max()
        if not (codes[group == one][own == last] > 0).all():
            ends.append(float(last))
    return min(ends)
