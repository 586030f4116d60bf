"""How an estimator performs over simulated cohorts, each figure with its Monte Carlo error.

The measures and their errors are those of Morris, White & Crowther, Stat Med 2019;38:2074, table 6.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from outcomes.arrays import BoolArray, FloatArray
from outcomes.errors import OutcomesError

Z95 = 1.959963984540054
LEVEL = 0.05
# A true value nearer to 0 than this is 0, and no bias relative to it.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Measured:
    """A measure of performance and its Monte Carlo standard error; NaN where undefined."""

    value: float
    monte_carlo_error: float


@dataclass(frozen=True)
class Performance:
    """How an estimator performs.

    Everything but the first two is over the cohorts that gave an estimate, and what speaks of
    standard errors and intervals over those that gave an interval.

    Attributes
    ----------
    cohorts
        Simulated cohorts.
    not_estimable, without_interval
        Shares of them without an estimate; with an estimate but without an interval.
    truth
        The true value; None where it is unknown, and with it what rests on it.
    mean
        Mean estimate.
    bias, relative_bias
        Mean estimate minus truth; as a share of the truth, None for a truth of 0.
    empirical_se, model_se
        Standard deviation of the estimates; root of the mean squared standard error.
    model_se_error
        Relative error of the model's standard error: `model_se` / `empirical_se` - 1.
    mean_squared_error
        Mean squared distance from the truth.
    coverage, bias_eliminated_coverage
        Share of 95 % intervals that hold the truth; that hold the mean estimate.
    rejects
        Share that rejects no effect at 5 %: type-I error without an effect, else power.
    rejects_in_favour
        Share that rejects no effect and finds less of the event, or more time without it.
    """

    cohorts: int
    not_estimable: Measured
    without_interval: Measured
    truth: float | None
    mean: Measured
    bias: Measured | None
    relative_bias: Measured | None
    empirical_se: Measured
    model_se: Measured
    model_se_error: Measured
    mean_squared_error: Measured | None
    coverage: Measured | None
    bias_eliminated_coverage: Measured
    rejects: Measured
    rejects_in_favour: Measured

    def to_record(self) -> dict[str, Any]:
        """Return a row of plain values; a measure takes two columns."""
        row: dict[str, Any] = {"cohorts": self.cohorts, "truth": self.truth}
        for name, value in self._measures().items():
            row[name] = None if value is None else value.value
            row[f"{name}_monte_carlo_error"] = None if value is None else value.monte_carlo_error
        return row

    def _measures(self) -> Mapping[str, Measured | None]:
        return {k: v for k, v in vars(self).items() if k not in ("cohorts", "truth")}


def measure_performance(
    values: npt.ArrayLike,
    lower: npt.ArrayLike,
    upper: npt.ArrayLike,
    p: npt.ArrayLike,
    *,
    truth: float | None,
    favourable: int = -1,
) -> Performance:
    """Measure an estimator whose interval is symmetric on the scale of the values.

    Parameters
    ----------
    values
        Estimates, NaN where there is none, shape (n_cohorts,).
    lower, upper, p
        Limits of the 95 % intervals and p values of no effect, NaN where there is none, same shape.
    truth
        The true value; None where it is unknown.
    favourable
        Sign of an estimate in favour of the treatment, -1 or 1.

    Raises
    ------
    OutcomesError
        If shapes differ or there is no cohort.
    """
    estimates, low, high, p_values = (
        np.asarray(array, dtype=np.float64) for array in (values, lower, upper, p)
    )
    if estimates.ndim != 1 or not estimates.size:
        raise OutcomesError(f"values: found shape {estimates.shape}; allowed: one for each cohort")
    if not estimates.shape == low.shape == high.shape == p_values.shape:
        raise OutcomesError("lower, upper, p: other shapes than the values; allowed: the same")
    known = np.isfinite(estimates)
    bounded = known & np.isfinite(low) & np.isfinite(high)
    found = estimates[known]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, empirical = _mean(found), _spread(found)
        model, model_error = _model_errors((high - low)[bounded] / (2 * Z95), empirical)
    tested = bounded & np.isfinite(p_values)
    rejected = tested & (p_values < LEVEL)
    in_favour = rejected & (np.sign(estimates) == favourable)
    bias = None if truth is None else Measured(mean.value - truth, mean.monte_carlo_error)
    relative = None
    if truth is not None and bias is not None and abs(truth) > ROUNDING:
        relative = Measured(bias.value / truth, bias.monte_carlo_error / abs(truth))
    return Performance(
        cohorts=estimates.size,
        not_estimable=_share(~known),
        without_interval=_share(known & ~bounded),
        truth=truth,
        mean=mean,
        bias=bias,
        relative_bias=relative,
        empirical_se=empirical,
        model_se=model,
        model_se_error=model_error,
        mean_squared_error=None if truth is None else _mean((found - truth) ** 2),
        coverage=None if truth is None else _coverage(low[bounded], high[bounded], truth),
        bias_eliminated_coverage=_coverage(low[bounded], high[bounded], mean.value),
        rejects=_share(rejected[tested]),
        rejects_in_favour=_share(in_favour[tested]),
    )


def _mean(values: FloatArray) -> Measured:
    """Return a mean; its error is the standard deviation over the root of the number."""
    if not values.size:
        return Measured(math.nan, math.nan)
    error = math.nan
    if values.size > 1:
        error = float(values.std(ddof=1) / math.sqrt(values.size))
    return Measured(float(values.mean()), error)


def _spread(values: FloatArray) -> Measured:
    """Return the standard deviation of the estimates."""
    if values.size < 2:
        return Measured(math.nan, math.nan)
    spread = float(values.std(ddof=1))
    return Measured(spread, spread / math.sqrt(2 * (values.size - 1)))


def _model_errors(errors: FloatArray, empirical: Measured) -> tuple[Measured, Measured]:
    """Return the root mean squared standard error, and its relative error against the empirical."""
    if errors.size < 2:
        return Measured(math.nan, math.nan), Measured(math.nan, math.nan)
    variances, n = errors**2, errors.size
    model = math.sqrt(float(variances.mean()))
    spread = float(variances.var(ddof=1))
    ratio = model / empirical.value if empirical.value else math.nan
    relative_error = ratio * math.sqrt(spread / (4 * n * model**4) + 1 / (2 * (n - 1)))
    return (
        Measured(model, math.sqrt(spread / (4 * n * model**2))),
        Measured(ratio - 1, relative_error),
    )


def _coverage(lower: FloatArray, upper: FloatArray, value: float) -> Measured:
    return _share((lower <= value) & (value <= upper))


def _share(members: BoolArray) -> Measured:
    """Return a share with its binomial error."""
    if not members.size:
        return Measured(math.nan, math.nan)
    share = float(members.mean())
    return Measured(share, math.sqrt(share * (1 - share) / members.size))
