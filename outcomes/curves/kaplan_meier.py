"""The Kaplan-Meier estimate of survival."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.arrays import FloatArray, IntArray
from outcomes.curves.intervals import Transform, probability_limits
from outcomes.curves.risk_table import RiskTable, make_risk_table
from outcomes.curves.step import StepFunction
from outcomes.errors import NotEstimableError, OutcomesError
from outcomes.estimate import Estimate


@dataclass(frozen=True, eq=False)
class KaplanMeier:
    """A survival curve with its variance.

    Attributes
    ----------
    table
        Events and numbers at risk.
    survival
        Probability of no event, a step function of months since surgery. Its domain ends with
        the last observation, or never if the curve has reached 0.
    standard_error
        Greenwood's standard error at each time of the table, shape (n_times,); NaN where the
        curve is 0.
    """

    table: RiskTable
    survival: StepFunction
    standard_error: FloatArray

    @property
    def times(self) -> FloatArray:
        """Distinct observed times in months, shape (n_times,)."""
        return self.table.times

    @property
    def at_risk(self) -> IntArray:
        """Patients at risk just before each time, shape (n_times,)."""
        return self.table.at_risk

    @property
    def events(self) -> IntArray:
        """Events at each time, shape (n_times,)."""
        return self.table.events[:, 0]

    @property
    def n(self) -> int:
        """Number of patients."""
        return self.table.n

    def at_risk_at(self, months: npt.ArrayLike) -> IntArray:
        """Return the number of patients at risk just before each month."""
        return self.table.at_risk_at(months)

    def survival_at(self, months: npt.ArrayLike) -> FloatArray:
        """Return survival at each month, of the same shape.

        Raises
        ------
        NotEstimableError
            If a month lies beyond the follow-up.
        """
        require_follow_up(self.survival, months)
        return self.survival(months)

    def standard_error_at(self, months: npt.ArrayLike) -> FloatArray:
        """Return the standard error of survival at each month, of the same shape."""
        require_follow_up(self.survival, months)
        return StepFunction(self.times, self.standard_error, 0.0, self.survival.end)(months)

    def interval_at(
        self, months: npt.ArrayLike, level: float = 0.95, transform: Transform = "log-log"
    ) -> tuple[FloatArray, FloatArray]:
        """Return lower and upper confidence limits of survival at each month."""
        return probability_limits(
            self.survival_at(months),
            self.standard_error_at(months),
            level=level,
            transform=transform,
        )

    def interval(
        self, level: float = 0.95, transform: Transform = "log-log"
    ) -> tuple[FloatArray, FloatArray]:
        """Return lower and upper confidence limits at the times of the table."""
        return probability_limits(
            self.survival.values, self.standard_error, level=level, transform=transform
        )

    def quantile(
        self, probability: float = 0.5, level: float = 0.95, transform: Transform = "log-log"
    ) -> Estimate:
        """Return the month by which the event has happened with the given probability.

        The limits are those of Brookmeyer and Crowley (Biometrics 1982; 38: 29-41): where the
        confidence limits of the curve cross 1 - probability. A curve that is flat at that
        height gives the midpoint of the flat stretch. NaN where a curve does not go so low.
        """
        if not 0 < probability < 1:
            raise OutcomesError(f"a probability lies between 0 and 1; found {probability:g}")
        lower, upper = self.interval(level, transform)
        value, low, high = (
            first_time_at_or_below(self.times, curve, 1 - probability)
            for curve in (self.survival.values, lower, upper)
        )
        return Estimate(value, low, high)

    def median(self, level: float = 0.95, transform: Transform = "log-log") -> Estimate:
        """Return the median survival in months with its confidence interval."""
        return self.quantile(0.5, level, transform)


def kaplan_meier(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
) -> KaplanMeier:
    """Estimate survival.

    Parameters
    ----------
    time, event
        Months since surgery and whether the event happened then (0/1), shape (n,).
    entry
        Month at which each patient came under observation (left truncation), shape (n,).
    weights
        Weight of each patient, positive, shape (n,). The variance is then the robust one
        (infinitesimal jackknife), which without weights is Greenwood's. Not with ``entry``.

    Raises
    ------
    OutcomesError
        If the sequences differ in length or a value is not allowed.
    NotEstimableError
        If there is no patient.

    References
    ----------
    Kaplan & Meier, JASA 1958; 53: 457-481. Greenwood, Rep. Public Health Med. Subj. 1926; 33.
    """
    table = make_risk_table(time, event, entry=entry)
    survival: FloatArray
    standard_error: FloatArray
    if weights is not None:
        if entry is not None:
            raise OutcomesError("kaplan_meier takes weights or entry, not both")
        survival, standard_error = _weighted(time, event, weights, table)
    else:
        events = table.events[:, 0]
        survival = np.cumprod(1 - _ratio(events, table.at_risk), dtype=np.float64)
        standard_error = survival * np.sqrt(greenwood_sum(events, table.at_risk))
    standard_error = np.where(survival > 0, standard_error, np.nan)
    end = np.inf if survival[-1] == 0 else float(table.times[-1])
    return KaplanMeier(table, StepFunction(table.times, survival, 1.0, end), standard_error)


def greenwood_sum(events: npt.ArrayLike, at_risk: npt.ArrayLike) -> FloatArray:
    """Return the running sum of d / (n (n - d)): Greenwood's relative variance.

    From the time on at which all patients at risk have the event it is held at its last value;
    the survival probability is 0 there.
    """
    d = np.asarray(events, dtype=np.float64)
    n = np.asarray(at_risk, dtype=np.float64)
    return np.cumsum(_ratio(d, n * (n - d)))


def require_follow_up(curve: StepFunction, months: npt.ArrayLike) -> None:
    """Raise NotEstimableError if a month lies beyond the domain of the curve."""
    query = np.asarray(months, dtype=np.float64)
    if query.size and query.max() > curve.end:
        raise NotEstimableError(
            f"follow-up ends at month {curve.end:.4g}, before month {query.max():.4g}"
        )


def first_time_at_or_below(times: FloatArray, curve: FloatArray, height: float) -> float:
    """Return the first time at which a falling curve is at or below a height, NaN if never.

    A curve flat at that very height gives the midpoint of the flat stretch, as R's survfit.
    """
    # Products of fractions miss a height such as 1/2 by rounding; the tolerance is R's.
    tolerance = 1.5e-8
    reached = np.flatnonzero(curve < height + tolerance)
    if not reached.size:
        return float("nan")
    first = reached[0]
    if abs(curve[first] - height) < tolerance:
        below = np.flatnonzero(curve < curve[first] - tolerance)
        if below.size:
            return float((times[first] + times[below[0]]) / 2)
    return float(times[first])


def _ratio(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> FloatArray:
    """Return numerator / denominator, 0 where the denominator is 0."""
    top = np.asarray(numerator, dtype=np.float64)
    bottom = np.asarray(denominator, dtype=np.float64)
    return np.divide(top, bottom, out=np.zeros_like(bottom), where=bottom > 0)


def _weighted(
    time: npt.ArrayLike, event: npt.ArrayLike, weights: npt.ArrayLike, table: RiskTable
) -> tuple[FloatArray, FloatArray]:
    """Return weighted survival and its robust standard error, in linear time.

    The influence of patient i on -log S(t) is the integral of dM_i / (n - d) to t: a constant
    once the patient has left, and minus the running sum of d / (n (n - d)) until then.
    """
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != np.shape(time) or not (np.isfinite(w).all() and (w > 0).all()):
        raise OutcomesError("weights must be positive numbers, one for each patient")
    happened = np.asarray(event, dtype=np.float64) == 1
    position = np.searchsorted(table.times, np.asarray(time, dtype=np.float64))
    size = table.times.size
    n = np.bincount(position, w, size)[::-1].cumsum()[::-1]
    # The difference is taken by summing, so that it is exactly 0 when all at risk have the event.
    stay = np.bincount(position, np.where(happened, 0.0, w), size)
    later = np.concatenate((n[1:], [0.0])) + stay
    d = np.bincount(position, np.where(happened, w, 0.0), size)
    survival: FloatArray = np.cumprod(_ratio(later, later + d), dtype=np.float64)
    hazard: FloatArray = np.cumsum(_ratio(d, n * later))
    influence = np.where(happened, _ratio(1.0 * (d > 0), later)[position], 0.0) - hazard[position]
    gone = np.cumsum(np.bincount(position, (w * influence) ** 2, size))
    squares = np.bincount(position, w**2, size)
    remaining = np.concatenate((squares[::-1].cumsum()[::-1][1:], [0.0]))
    return survival, survival * np.sqrt(gone + hazard**2 * remaining)
