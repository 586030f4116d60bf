"""The Aalen-Johansen estimate of cumulative incidence with competing events."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from outcomes.arrays import FloatArray, IntArray
from outcomes.curves.intervals import Transform, probability_limits
from outcomes.curves.kaplan_meier import greenwood_sum, require_follow_up
from outcomes.curves.risk_table import RiskTable, make_risk_table
from outcomes.curves.step import StepFunction
from outcomes.errors import OutcomesError

Variance = Literal["greenwood", "aalen"]


@dataclass(frozen=True, eq=False)
class AalenJohansen:
    """Cumulative incidences of competing events with their variances.

    The incidences and the event-free survival add up to 1 at every month.

    Attributes
    ----------
    table
        Events and numbers at risk; the columns of ``table.events`` are the causes in order.
    causes
        Event codes.
    event_free
        Probability that no event has happened, a step function of months since surgery.
    incidence
        Cumulative incidence of each cause. The domain ends with the last observation, or never
        if nobody is left without an event.
    standard_error
        Standard error of each incidence at the times of the table, shape (n_times,).
    """

    table: RiskTable
    causes: tuple[int, ...]
    event_free: StepFunction
    incidence: Mapping[int, StepFunction]
    standard_error: Mapping[int, FloatArray]

    @property
    def times(self) -> FloatArray:
        """Distinct observed times in months, shape (n_times,)."""
        return self.table.times

    @property
    def at_risk(self) -> IntArray:
        """Patients at risk just before each time, shape (n_times,)."""
        return self.table.at_risk

    @property
    def n(self) -> int:
        """Number of patients."""
        return self.table.n

    def events(self, cause: int) -> IntArray:
        """Return the events of a cause at each time, shape (n_times,)."""
        self._require(cause)
        return self.table.events[:, self.causes.index(cause)]

    def at_risk_at(self, months: npt.ArrayLike) -> IntArray:
        """Return the number of patients at risk just before each month."""
        return self.table.at_risk_at(months)

    def incidence_at(self, cause: int, months: npt.ArrayLike) -> FloatArray:
        """Return the cumulative incidence of a cause at each month, of the same shape.

        Raises
        ------
        NotEstimableError
            If a month lies beyond the follow-up.
        """
        self._require(cause)
        require_follow_up(self.event_free, months)
        return self.incidence[cause](months)

    def event_free_at(self, months: npt.ArrayLike) -> FloatArray:
        """Return the probability of no event at each month, of the same shape."""
        require_follow_up(self.event_free, months)
        return self.event_free(months)

    def standard_error_at(self, cause: int, months: npt.ArrayLike) -> FloatArray:
        """Return the standard error of an incidence at each month, of the same shape."""
        self._require(cause)
        require_follow_up(self.event_free, months)
        errors = self.standard_error[cause]
        return StepFunction(self.times, errors, 0.0, self.event_free.end)(months)

    def interval_at(
        self,
        cause: int,
        months: npt.ArrayLike,
        level: float = 0.95,
        transform: Transform = "log-log",
    ) -> tuple[FloatArray, FloatArray]:
        """Return lower and upper confidence limits of an incidence at each month."""
        return probability_limits(
            self.incidence_at(cause, months),
            self.standard_error_at(cause, months),
            level=level,
            transform=transform,
        )

    def interval(
        self, cause: int, level: float = 0.95, transform: Transform = "log-log"
    ) -> tuple[FloatArray, FloatArray]:
        """Return lower and upper confidence limits at the times of the table."""
        self._require(cause)
        return probability_limits(
            self.incidence[cause].values,
            self.standard_error[cause],
            level=level,
            transform=transform,
        )

    def _require(self, cause: int) -> None:
        if cause not in self.causes:
            allowed = ", ".join(str(code) for code in self.causes)
            raise OutcomesError(f"unknown cause {cause}; allowed: {allowed}")


def aalen_johansen(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    causes: tuple[int, ...] | None = None,
    entry: npt.ArrayLike | None = None,
    variance: Variance = "greenwood",
) -> AalenJohansen:
    """Estimate the cumulative incidence of each of several competing events.

    Parameters
    ----------
    time, event
        Months since surgery and what happened then (0 censored, else the cause), shape (n,).
    causes
        Event codes; by default those that occur. A code without events has incidence 0.
    entry
        Month at which each patient came under observation (left truncation), shape (n,).
    variance
        ``"greenwood"``: multinomial increments (Andersen, Borgan, Gill & Keiding 1993, 4.4.17),
        equal to the infinitesimal jackknife of R's survfit and to Greenwood's variance with a
        single cause; ``"aalen"``: the delta method of cmprsk::cuminc. They differ by ties and
        by terms of order 1/n.

    Raises
    ------
    OutcomesError
        If the sequences differ in length or a value is not allowed.
    NotEstimableError
        If there is no patient.

    References
    ----------
    Aalen & Johansen, Scand. J. Statist. 1978; 5: 141-150.
    """
    if causes is None:
        codes = np.unique(np.asarray(event, dtype=np.float64))
        if not (codes == np.round(codes)).all() or (codes < 0).any():
            raise OutcomesError("event codes must be whole numbers, 0 for censored")
        causes = tuple(int(code) for code in codes if code != 0)
    if len(set(causes)) != len(causes) or 0 in causes:
        raise OutcomesError(f"causes must be distinct and not 0; found {causes}")
    table = make_risk_table(time, event, causes, entry=entry) if causes else _no_events(time, entry)
    at_risk = np.maximum(table.at_risk, 1).astype(np.float64)
    event_free = np.cumprod(1 - table.events.sum(axis=1) / at_risk)
    end = np.inf if event_free[-1] == 0 else float(table.times[-1])
    incidence: dict[int, StepFunction] = {}
    standard_error: dict[int, FloatArray] = {}
    before = np.concatenate(([1.0], event_free[:-1]))
    for column, cause in enumerate(causes):
        values = np.cumsum(before * table.events[:, column] / at_risk)
        incidence[cause] = StepFunction(table.times, np.minimum(values, 1.0), 0.0, end)
        if variance == "greenwood":
            squares = incidence_variance(table, column)
        elif variance == "aalen":
            squares = _aalen_variance(table, column, before, event_free, values)
        else:
            raise OutcomesError(f"unknown variance {variance!r}; allowed: greenwood, aalen")
        # Rounding may leave a variance that should be 0 a hair below it.
        standard_error[cause] = np.sqrt(np.maximum(squares, 0.0))
    return AalenJohansen(
        table=table,
        causes=causes,
        event_free=StepFunction(table.times, event_free, 1.0, end),
        incidence=MappingProxyType(incidence),
        standard_error=MappingProxyType(standard_error),
    )


def incidence_variance(
    table: RiskTable, column: int, weight: FloatArray | None = None
) -> FloatArray:
    """Return the running variance of the sum of weight × increment of an incidence.

    With weight 1 this is the variance of the cumulative incidence; with weight τ - t, that of
    the time lost before τ. The increments of the estimated hazards are multinomial and
    uncorrelated over time (Andersen et al. 1993, 4.4.17). With S⁻ the survival before t, h the
    hazard of the cause, Γ⁻ Greenwood's sum before t and K the covariance of the sum with S,
    divided by S:

        ΔVar = w² S⁻² (h² Γ⁻ + h (1 - h) / n) + 2 w h S⁻ K⁻,   ΔK = w h S⁻ (Γ⁻ - 1 / n).
    """
    n = np.maximum(table.at_risk, 1).astype(np.float64)
    total = table.events.sum(axis=1)
    hazard = table.events[:, column] / n
    before = np.concatenate(([1.0], np.cumprod(1 - total / n)[:-1]))
    greenwood = np.concatenate(([0.0], greenwood_sum(total, table.at_risk)[:-1]))
    step = before * hazard if weight is None else weight * before * hazard
    survival = before if weight is None else weight * before
    covariance = np.concatenate(([0.0], np.cumsum(step * (greenwood - 1 / n))[:-1]))
    return np.cumsum(
        step**2 * greenwood + survival * step * (1 - hazard) / n + 2 * step * covariance
    )


def _aalen_variance(
    table: RiskTable,
    column: int,
    before: FloatArray,
    event_free: FloatArray,
    incidence: FloatArray,
) -> FloatArray:
    """Return the variance of a cumulative incidence by the delta method of cmprsk::cuminc.

    The d events of a time and cause count d (n - d) / (n² (n - 1)) each, and after the last
    patient has gone nothing is added.
    """
    n = np.maximum(table.at_risk, 1).astype(np.float64)
    own = table.events[:, column].astype(np.float64)
    other = table.events.sum(axis=1) - own
    inverse = np.divide(1.0, event_free, out=np.zeros_like(event_free), where=event_free > 0)
    total = np.zeros((3, n.size))
    for count, shift in ((own, 1.0), (other, 0.0)):
        ties = 1 - np.divide(count - 1, n - 1, out=np.zeros_like(n), where=count > 1)
        size = before**2 * ties * count / n**2
        if shift == 0:
            size = np.where(event_free > 0, size, 0.0)
        slope = shift + inverse * incidence
        total += np.cumsum([slope**2 * size, inverse * slope * size, inverse**2 * size], axis=1)
    return np.asarray(total[0] - 2 * incidence * total[1] + incidence**2 * total[2])


def _no_events(time: npt.ArrayLike, entry: npt.ArrayLike | None) -> RiskTable:
    """Return the table of patients who are all censored, without a column of events."""
    table = make_risk_table(time, np.zeros(np.shape(time)), (1,), entry=entry)
    return RiskTable(table.times, table.at_risk, table.events[:, :0], table.censored, table.entries)
