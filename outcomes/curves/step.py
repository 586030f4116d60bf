"""A step function with a domain."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from outcomes.arrays import FloatArray
from outcomes.errors import OutcomesError


@dataclass(frozen=True, eq=False)
class StepFunction:
    """A right-continuous step function of months since surgery that refuses to extrapolate.

    Attributes
    ----------
    times
        Jump times in months, strictly increasing, shape (n_jumps,).
    values
        Value from each jump on, shape (n_jumps,).
    start
        Value before the first jump.
    end
        Last month of the domain, which starts at 0; by default the last jump.
    """

    times: FloatArray
    values: FloatArray
    start: float
    end: float = field(default=np.nan)

    def __post_init__(self) -> None:
        times = np.asarray(self.times, dtype=np.float64)
        values = np.asarray(self.values, dtype=np.float64)
        if times.ndim != 1 or times.shape != values.shape:
            raise OutcomesError(
                "a step function needs times and values of one length; "
                f"found shapes {times.shape} and {values.shape}"
            )
        if times.size and (times[0] < 0 or (np.diff(times) <= 0).any()):
            raise OutcomesError("the times of a step function must be >= 0 and increase strictly")
        end = float(self.end)
        if np.isnan(end):
            end = float(times[-1]) if times.size else 0.0
        if times.size and end < times[-1]:
            raise OutcomesError(f"the domain ends at month {end:g}, before the last jump")
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "end", end)

    def __call__(self, months: npt.ArrayLike) -> FloatArray:
        """Return the value at each month, of the same shape.

        Raises
        ------
        OutcomesError
            If a month lies outside the domain.
        """
        query = np.asarray(months, dtype=np.float64)
        if query.size and (
            not np.isfinite(query).all() or query.min() < 0 or query.max() > self.end
        ):
            raise OutcomesError(
                f"the curve is known from month 0 to {self.end:g}; "
                f"asked for {np.min(query):g} to {np.max(query):g}"
            )
        padded = np.concatenate(([self.start], self.values))
        return padded[np.searchsorted(self.times, query, side="right")]

    def integral(self, horizon: float) -> float:
        """Return the area under the function from month 0 to the horizon."""
        self(horizon)
        inside = self.times < horizon
        edges = np.concatenate(([0.0], self.times[inside], [horizon]))
        heights = np.concatenate(([self.start], self.values[inside]))
        return float(np.sum(np.diff(edges) * heights))
