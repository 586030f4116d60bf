"""The series a model was trained on, and the average over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.errors import ModelError


@dataclass(frozen=True)
class SeriesSet:
    """The training series.

    Attributes
    ----------
    names
        Names in sorted order; a single empty name where the training data name no series.
    sizes
        Training patients of each.
    ends
        Last month of follow-up of each; nothing is known beyond it.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    ends: tuple[float, ...]

    @property
    def weights(self) -> FloatArray:
        """Share of the training patients in each series."""
        sizes = np.asarray(self.sizes, dtype=np.float64)
        return np.asarray(sizes / sizes.sum())

    @property
    def end(self) -> float:
        """Last month any series was followed."""
        return max(self.ends)

    def index(self, name: str) -> int:
        """Return the position of a series.

        Raises
        ------
        ModelError
            If the model was not trained on it.
        """
        if name not in self.names or name == "":
            known = ", ".join(filter(None, self.names)) or "none (leave it out)"
            raise ModelError(f"unknown series {str(name)!r}; the model knows: {known}")
        return self.names.index(name)

    def end_of(self, name: str | None) -> float:
        """Return the last month of a series, or of the average over all where name is None."""
        return self.end if name is None else self.ends[self.index(name)]

    def check_times(self, times: FloatArray, name: str | None) -> None:
        """Refuse months beyond what the training patients show.

        Raises
        ------
        ModelError
            Naming the last month.
        """
        end = self.end_of(name)
        if times.size and times.max() > end + 1e-9:
            whose = f"the series {name}" if name else "the training patients"
            raise ModelError(
                f"asked for month {times.max():g}, but {whose} can only be followed "
                f"until month {end:g}"
            )


def average_incidences(
    curves: Sequence[FloatArray], times: FloatArray, series: SeriesSet
) -> FloatArray:
    """Return the size-weighted average over the series.

    Until the first series ends this is the plain weighted average. A series that ends leaves it
    as censored patients leave a Kaplan-Meier curve: from there on, its patients are taken to fare
    like the still event-free patients of the series that go on. The average is monotone, its
    incidences and event-free share sum to 1, and it reaches to the end of the longest series.

    Parameters
    ----------
    curves
        For each series the cumulative incidences at `times`, shape (n_causes, n, n_times); held
        at its last value beyond the series' end.
    times
        Increasing months which include every series' end before the last month.
    series
        The series.
    """
    weights, ends = series.weights, np.asarray(series.ends)
    result = np.zeros_like(curves[0])
    start = np.zeros_like(curves[0][:, :, 0])
    begin = 0.0
    starts = [np.zeros_like(start) for _ in curves]
    for finish in np.unique(ends):
        inside = (times > begin) & (times <= finish) if begin > 0 else times <= finish
        if not inside.any():
            continue
        reaching = [s for s in range(len(curves)) if ends[s] >= finish]
        still_free = sum(weights[s] * (1.0 - starts[s].sum(axis=0)) for s in reaching)
        free = 1.0 - start.sum(axis=0)
        share = np.divide(free, still_free, out=np.zeros_like(free), where=still_free > 1e-12)
        gained = sum(
            weights[s] * (curves[s][:, :, inside] - starts[s][:, :, None]) for s in reaching
        )
        result[:, :, inside] = start[:, :, None] + share[None, :, None] * gained
        last = int(np.flatnonzero(inside)[-1])
        start = result[:, :, last]
        starts = [curve[:, :, last] for curve in curves]
        begin = float(finish)
    return result


def average_over_series(evaluate: Any, months: FloatArray, series: SeriesSet) -> FloatArray:
    """Return the average incidences at the months, from a function (grid, position) of series."""
    ends = np.asarray(series.ends)
    last = float(months.max(initial=0.0))
    grid = np.unique(np.concatenate([months, ends[ends < last]]))
    curves = [evaluate(np.minimum(grid, end), position) for position, end in enumerate(ends)]
    averaged = average_incidences(curves, grid, series)
    return np.asarray(averaged[:, :, np.searchsorted(grid, months)])
