"""How a model's predicted survival changes with one covariate, all else as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from outcomes.arrays import FloatArray
from outcomes.errors import ModelError
from outcomes.models.applicability import applies_to
from outcomes.models.base import SeriesChoice, SurvivalModel
from outcomes.models.columns import Covariate, read_column
from outcomes.models.inputs import as_months, as_table
from outcomes.models.probabilities import log_log_limits
from outcomes.parallel import replicate, spawn_seeds

_RANGE = (0.05, 0.95)


@dataclass(frozen=True, eq=False)
class PartialDependence:
    """Predicted probability of survival by the value of a covariate.

    Attributes
    ----------
    covariate, label
        What was varied.
    values
        Its values.
    months
        Months since surgery.
    survival
        Mean over the patients, shape (n_values, n_months).
    lower, upper
        Limits of the mean, or None where none were asked for.
    individual
        Each patient's own curve (individual conditional expectation), shape
        (n_values, n_patients, n_months), or None.
    """

    covariate: str
    label: str
    values: tuple[Any, ...]
    months: FloatArray
    survival: FloatArray
    lower: FloatArray | None = None
    upper: FloatArray | None = None
    individual: FloatArray | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return one row per value and month: covariate, value, month, survival, lower, upper."""
        missing = np.full(self.survival.shape, np.nan)
        return pd.DataFrame(
            {
                "covariate": self.covariate,
                "value": [value for value in self.values for _ in self.months],
                "month": np.tile(self.months, len(self.values)),
                "survival": self.survival.ravel(),
                "lower": (missing if self.lower is None else self.lower).ravel(),
                "upper": (missing if self.upper is None else self.upper).ravel(),
            }
        )


def partial_dependence(
    model: SurvivalModel,
    cohort: pd.DataFrame,
    covariate: str,
    months: npt.ArrayLike,
    *,
    values: Sequence[Any] | None = None,
    n_values: int = 20,
    series: SeriesChoice = None,
    individual: bool = False,
    n_bootstrap: int = 0,
    level: float = 0.95,
    random_state: int = 0,
    jobs: int = 1,
    cluster: str | None = None,
) -> PartialDependence:
    """Return the mean predicted survival with a covariate set to each of several values.

    Friedman, Ann Stat 2001;29:1189-1232; the individual curves are those of Goldstein et al.,
    J Comput Graph Stat 2015;24:44-65. Only patients whom the covariate applies to are averaged:
    those with a separation procedure for `separation_mm`. Setting `dose_regimen` sets `sbrt` with
    it. The curve describes the model. It is no effect of treatment, and where covariates go
    together it averages over patients who hardly exist.

    Parameters
    ----------
    model
        A fitted model of any kind.
    cohort
        Patients with the model's covariates.
    covariate
        One of the model's covariates.
    months
        Months since surgery, shape (n_months,).
    values
        Values to set; by default the levels of a category, or `n_values` evenly spaced numbers
        from the 5th to the 95th percentile of the cohort.
    series
        As `SurvivalModel.predict_survival`.
    individual
        Whether to keep each patient's curve.
    n_bootstrap
        Bootstrap samples of the cohort, drawn within series, to which the model is fitted anew
        for the limits (normal on the log(-log) scale); the cohort then needs the endpoint's
        columns and should be the training patients. 0, or at least 2.
    level
        Coverage of the limits.
    random_state
        Seed of the bootstrap.
    jobs, cluster
        As `outcomes.parallel.replicate` takes them.

    Raises
    ------
    ModelError
        If the covariate is not the model's, is `sbrt` beside its regimen (vary `dose_regimen`), or
        applies to nobody.
    """
    table = as_table(cohort).reset_index(drop=True)
    if not isinstance(model, SurvivalModel):
        raise ModelError(f"model: found {type(model).__name__}; allowed: a fitted model")
    check_is_fitted(model, "series_")
    known = {item.name: item for item in model.design_.covariates}
    if not isinstance(covariate, str) or covariate not in known:
        raise ModelError(f"covariate: found {covariate!r}; allowed: {', '.join(known)}")
    if covariate == "sbrt" and "dose_regimen" in known:
        raise ModelError(
            "covariate: sbrt cannot be set without a regimen; vary dose_regimen, where 'none' "
            "means no SBRT"
        )
    if not 0 < level < 1:
        raise ModelError(f"level: found {level!r}; allowed: between 0 and 1")
    if n_bootstrap < 0 or n_bootstrap == 1:
        raise ModelError(f"n_bootstrap: found {n_bootstrap!r}; allowed: 0, or at least 2")
    # A regimen is set in everyone, with or without SBRT.
    applies = applies_to(table, covariate, ())
    if not applies.any():
        raise ModelError(f"covariate: {covariate} applies to no patient of the cohort")
    table, series = table[applies].reset_index(drop=True), _chosen(series, applies)
    grid = _grid(table, known[covariate], values, n_values)
    times = as_months(months)
    curves = _curves(model, table, covariate, grid, times, series)
    lower = upper = None
    if n_bootstrap:
        refit = partial(_refitted, model, table, covariate, grid, times, series)
        seeds = spawn_seeds(random_state, n_bootstrap)
        means = np.stack(replicate(refit, seeds, jobs=jobs, cluster=cluster))
        risk = 1.0 - curves.mean(axis=1)
        with np.errstate(divide="ignore"):
            scale = np.log(-np.log(np.clip(means, 0.0, 1.0 - 1e-16)))
        certain = ~np.isfinite(scale).all(axis=0)
        error = np.where(certain, 0.0, np.where(certain, 0.0, scale).std(axis=0, ddof=1))
        lower, upper = log_log_limits(risk, error, float(ndtri(0.5 + level / 2)))
    return PartialDependence(
        covariate=covariate,
        label=known[covariate].label,
        values=grid,
        months=times,
        survival=curves.mean(axis=1),
        lower=lower,
        upper=upper,
        individual=curves if individual else None,
    )


def _chosen(series: SeriesChoice, rows: Any) -> SeriesChoice:
    if series is None or isinstance(series, str):
        return series
    return [name for name, kept in zip(series, rows, strict=True) if kept]


def _grid(
    table: pd.DataFrame, covariate: Covariate, values: Sequence[Any] | None, n_values: int
) -> tuple[Any, ...]:
    if values is not None:
        if np.ndim(values) != 1 or not len(values):
            raise ModelError(f"values: found {values!r}; allowed: a list of one or more")
        return tuple(values)
    if covariate.kind == "category":
        return covariate.levels
    if covariate.kind == "boolean":
        return (False, True)
    if n_values < 2:
        raise ModelError(f"n_values: found {n_values!r}; allowed: at least 2")
    numbers = read_column(table, covariate)
    low, high = np.quantile(numbers, _RANGE)
    return tuple(float(value) for value in np.unique(np.linspace(low, high, n_values)))


def _curves(
    model: SurvivalModel,
    table: pd.DataFrame,
    covariate: str,
    values: Sequence[Any],
    months: FloatArray,
    series: SeriesChoice,
) -> FloatArray:
    """Return each patient's survival at each value, shape (n_values, n_patients, n_months)."""
    result = np.empty((len(values), len(table), len(months)))
    for position, value in enumerate(values):
        changed = {covariate: value}
        if covariate == "dose_regimen":
            changed["sbrt"] = value != "none"
        result[position] = model.predict_survival(table.assign(**changed), months, series=series)
    return result


def _refitted(
    model: SurvivalModel,
    table: pd.DataFrame,
    covariate: str,
    values: Sequence[Any],
    months: FloatArray,
    series: SeriesChoice,
    seed: np.random.SeedSequence,
) -> FloatArray:
    """Return the mean curves of a fit to a bootstrap sample, averaged over that sample."""
    rng = np.random.default_rng(seed)
    rows = np.arange(len(table))
    groups = [rows]
    if model.strata is not None and model.strata in table.columns:
        groups = [np.asarray(part) for part in table.groupby(model.strata).indices.values()]
    drawn = np.concatenate([rng.choice(part, len(part)) for part in groups])
    fitted = clone(model).fit(table.iloc[drawn].reset_index(drop=True))
    chosen = series if series is None or isinstance(series, str) else [series[k] for k in drawn]
    # A sample may end a little before the cohort does.
    held = np.minimum(months, fitted.series_.end_of(chosen if isinstance(chosen, str) else None))
    sample = table.iloc[drawn].reset_index(drop=True)
    return np.asarray(_curves(fitted, sample, covariate, values, held, chosen).mean(axis=1))
