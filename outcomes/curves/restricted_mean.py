"""Mean time up to a horizon: survived, or lost to a cause."""

import math
from dataclasses import dataclass

import numpy as np

from outcomes.curves.aalen_johansen import AalenJohansen, incidence_variance
from outcomes.curves.intervals import normal_quantile
from outcomes.curves.kaplan_meier import KaplanMeier, require_follow_up
from outcomes.errors import OutcomesError
from outcomes.estimate import Estimate


@dataclass(frozen=True)
class RestrictedMean:
    """A mean time up to a horizon.

    Attributes
    ----------
    horizon
        Months since surgery.
    value, standard_error
        Mean in months and the standard error of the estimate.
    """

    horizon: float
    value: float
    standard_error: float

    def interval(self, level: float = 0.95) -> Estimate:
        """Return the mean with its normal confidence limits, in months."""
        width = normal_quantile(level) * self.standard_error
        return Estimate(self.value, self.value - width, self.value + width)


def restricted_mean_survival_time(curve: KaplanMeier, horizon: float) -> RestrictedMean:
    """Return the mean survival time within a horizon: the area under the curve.

    The variance of the estimate is the sum over event times of A² d / (n (n - d)), with A the
    area under the curve from that time to the horizon (Klein & Moeschberger 2003, 4.5.2). It
    is not the variance of min(T, horizon), which does not shrink with n.

    Parameters
    ----------
    curve
        Kaplan-Meier estimate without weights.
    horizon
        Months since surgery, positive.

    Raises
    ------
    OutcomesError
        If the horizon is not positive.
    NotEstimableError
        If follow-up ends before the horizon.
    """
    _check_horizon(horizon)
    require_follow_up(curve.survival, horizon)
    inside = curve.times <= horizon
    times = curve.times[inside]
    widths = np.diff(np.append(times, horizon))
    areas = (widths * curve.survival.values[inside])[::-1].cumsum()[::-1]
    d = curve.events[inside].astype(np.float64)
    n = curve.at_risk[inside].astype(np.float64)
    pairs = n * (n - d)
    terms = np.divide(areas**2 * d, pairs, out=np.zeros_like(pairs), where=pairs > 0)
    return RestrictedMean(horizon, curve.survival.integral(horizon), math.sqrt(terms.sum()))


def restricted_mean_time_lost(curve: AalenJohansen, cause: int, horizon: float) -> RestrictedMean:
    """Return the mean time lost to a cause within a horizon: the area under its incidence.

    The variance is exact for the multinomial increments of the Aalen-Johansen estimate and
    equals the infinitesimal jackknife.

    Parameters
    ----------
    curve
        Aalen-Johansen estimate.
    cause
        Event code.
    horizon
        Months since surgery, positive.

    Raises
    ------
    OutcomesError
        If the horizon is not positive or the cause unknown.
    NotEstimableError
        If follow-up ends before the horizon.

    References
    ----------
    Andersen, Statistics in Medicine 2013; 32: 5278-5285.
    """
    _check_horizon(horizon)
    curve.incidence_at(cause, horizon)
    remaining = np.maximum(horizon - curve.times, 0.0)
    variance = incidence_variance(curve.table, curve.causes.index(cause), remaining)
    value = curve.incidence[cause].integral(horizon)
    return RestrictedMean(horizon, value, math.sqrt(max(float(variance[-1]), 0.0)))


def _check_horizon(horizon: float) -> None:
    if not (math.isfinite(horizon) and horizon > 0):
        raise OutcomesError(f"a horizon is a positive number of months; found {horizon:g}")
