"""Balance of the covariates between the arms, before and after weighting."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import FloatArray
from outcomes.causal.checks import check_arms, check_weights
from outcomes.errors import OutcomesError

THRESHOLD = 0.1
"""A standardised difference beyond this is commonly called imbalance (Austin 2009)."""


@dataclass(frozen=True)
class ColumnBalance:
    """Balance of one covariate.

    Attributes
    ----------
    column
        Its name.
    kind
        ``"binary"`` (0 and 1), ``"number"`` or ``"constant"``: the same in all patients.
    mean_treated, mean_control
        Means, or shares, of the arms as they are.
    weighted_mean_treated, weighted_mean_control
        The same after weighting.
    standard_deviation
        That by which both differences are divided: of the arms as they are, pooled; None where a
        single patient in an arm leaves it unknown.
    difference, weighted_difference
        Standardised mean difference before and after weighting, treated minus control; 0 for a
        constant, None where the arms have no spread although they differ, or it is unknown.
    variance_ratio, weighted_variance_ratio
        Variance of the treated over that of the control arm; None for a column that is no
        number, and where an arm has no spread.
    """

    column: str
    kind: str
    mean_treated: float
    mean_control: float
    weighted_mean_treated: float
    weighted_mean_control: float
    standard_deviation: float | None
    difference: float | None
    weighted_difference: float | None
    variance_ratio: float | None
    weighted_variance_ratio: float | None


@dataclass(frozen=True)
class Balance:
    """Balance of all covariates.

    Attributes
    ----------
    columns
        One for each covariate, in their order.
    threshold
        The absolute standardised difference beyond which a column counts as unbalanced.
    """

    columns: tuple[ColumnBalance, ...]
    threshold: float

    @property
    def largest(self) -> float:
        """Largest absolute standardised difference before weighting; infinite if one is None."""
        return max((_size(one.difference) for one in self.columns), default=0.0)

    @property
    def weighted_largest(self) -> float:
        """Largest absolute standardised difference after weighting; infinite if one is None."""
        return max((_size(one.weighted_difference) for one in self.columns), default=0.0)

    @property
    def unbalanced(self) -> tuple[str, ...]:
        """Columns beyond the threshold before weighting."""
        beyond = self.threshold
        return tuple(one.column for one in self.columns if _size(one.difference) > beyond)

    @property
    def weighted_unbalanced(self) -> tuple[str, ...]:
        """Columns beyond the threshold after weighting."""
        beyond = self.threshold
        return tuple(one.column for one in self.columns if _size(one.weighted_difference) > beyond)

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers behind a love plot, a row for each column."""
        return pd.DataFrame([asdict(one) for one in self.columns])

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            **asdict(self),
            "unbalanced": list(self.unbalanced),
            "weighted_unbalanced": list(self.weighted_unbalanced),
        }


def balance(
    columns: pd.DataFrame,
    treated: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    threshold: float = THRESHOLD,
) -> Balance:
    """Compare the covariates of both arms.

    The mean difference is divided by the square root of the mean of the two arms' variances;
    that of a binary column is p (1 - p) (Austin, Stat Med 2009;28:3083). Variances are those
    before weighting for both differences, so that weighting moves the means alone. Weighted
    variances, for their ratio, are Austin & Stuart's (Stat Med 2015;34:3661).

    Parameters
    ----------
    columns
        Covariates as numbers or truth values, n rows.
    treated
        The arm, shape (n,).
    weights
        At least 0, shape (n,); None for none.
    threshold
        What counts as unbalanced.

    Raises
    ------
    OutcomesError
        If a column is no number or misses values, a weight is negative, missing or infinite, or
        the lengths differ.
    NotEstimableError
        If an arm has no patient or only weights of 0.
    """
    arms = check_arms(treated)
    weighting = check_weights(weights, arms)
    if len(columns) != arms.size:
        raise OutcomesError(f"columns: found {len(columns)} rows; allowed: {arms.size}")
    return Balance(
        tuple(
            _column(str(name), numbers[arms], numbers[~arms], weighting[arms], weighting[~arms])
            for name, numbers in ((name, _numbers(column)) for name, column in columns.items())
        ),
        threshold,
    )


def _column(
    name: str,
    treated: FloatArray,
    control: FloatArray,
    weights_treated: FloatArray,
    weights_control: FloatArray,
) -> ColumnBalance:
    both = np.concatenate((treated, control))
    if both.min() == both.max():
        # Not computed: the weighted mean of a constant may differ from it in the last digit.
        value = float(both[0])
        return ColumnBalance(
            name, "constant", value, value, value, value, 0.0, 0.0, 0.0, None, None
        )
    binary = bool(np.isin(both, (0, 1)).all())
    means = float(treated.mean()), float(control.mean())
    weighted = (
        float(np.average(treated, weights=weights_treated)),
        float(np.average(control, weights=weights_control)),
    )
    ones = np.ones_like
    variances = _variance(treated, ones(treated)), _variance(control, ones(control))
    if binary:
        pooled = math.sqrt(sum(p * (1 - p) for p in means) / 2)
    else:
        pooled = math.sqrt(sum(variances) / 2)
    weighted_variances = _variance(treated, weights_treated), _variance(control, weights_control)
    return ColumnBalance(
        column=name,
        kind="binary" if binary else "number",
        mean_treated=means[0],
        mean_control=means[1],
        weighted_mean_treated=weighted[0],
        weighted_mean_control=weighted[1],
        standard_deviation=None if math.isnan(pooled) else pooled,
        difference=_standardised(means, pooled),
        weighted_difference=_standardised(weighted, pooled),
        variance_ratio=None if binary else _ratio(variances),
        weighted_variance_ratio=None if binary else _ratio(weighted_variances),
    )


def _numbers(column: "pd.Series[Any]") -> FloatArray:
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        raise OutcomesError(f"column {column.name}: found {column.dtype}; allowed: numbers")
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise OutcomesError(
            f"column {column.name}, row {bad[0] + 1}: found {values[bad[0]]:g}; "
            "allowed: finite numbers"
        )
    return values


def _variance(values: FloatArray, weights: FloatArray) -> float:
    """Return the unbiased variance with weights of reliability; NaN for a single patient."""
    if (weights > 0).sum() < 2:
        return math.nan
    total = weights.sum()
    away = values - np.average(values, weights=weights)
    return float(total / (total**2 - weights @ weights) * (weights @ away**2))


def _standardised(means: tuple[float, float], deviation: float) -> float | None:
    return (means[0] - means[1]) / deviation if deviation > 0 else None


def _ratio(variances: tuple[float, float]) -> float | None:
    known = all(variance > 0 for variance in variances)
    return variances[0] / variances[1] if known else None


def _size(difference: float | None) -> float:
    return math.inf if difference is None else abs(difference)
