"""Predictions as a table."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from outcomes.errors import ModelError, NotEstimableError
from outcomes.models.base import SurvivalModel
from outcomes.models.inputs import as_months


def predict_table(
    model: SurvivalModel,
    patients: pd.DataFrame,
    months: npt.ArrayLike,
    *,
    series: str | None = None,
    level: float = 0.95,
    survived: float = 0.0,
) -> pd.DataFrame:
    """Return every patient's prediction at every month, one row each.

    Parameters
    ----------
    model
        A fitted model.
    patients
        Patients with the model's covariates; ``patient_id`` is carried over where it is there.
    months
        Months since surgery.
    series
        Training series whose baseline hazard is used; by default their weighted average.
    level
        Coverage of the interval.
    survived
        Month by which the patients are known to have had no event; the probabilities are given
        that.

    Returns
    -------
    DataFrame
        ``patient_id``, ``month``, ``probability`` (alive, or without local progression),
        ``lower``, ``upper`` (missing where the model has none, as a forest of one tree),
        ``series``: the one asked for, the only one of the model, or "average"; "" where the
        training patients named none.

    Raises
    ------
    ModelError
        As `SurvivalModel.predict_survival`, or if there is no model or no table.
    """
    if not isinstance(model, SurvivalModel):
        raise ModelError(f"model: found {type(model).__name__}; allowed: a fitted model")
    if not isinstance(patients, pd.DataFrame):
        raise ModelError(f"patients: found {type(patients).__name__}; allowed: a table")
    check_is_fitted(model, "series_")
    months = as_months(months)
    shape, names = (len(patients), len(months)), model.series_.names
    probability = model.predict_survival(patients, months, series=series, survived=survived)
    try:
        lower, upper = model.interval(
            patients, months, level=level, series=series, survived=survived
        )
    except NotEstimableError:
        lower = upper = np.full(shape, np.nan)
    numbers = pd.Series(np.arange(1, shape[0] + 1).astype(str), index=patients.index)
    identity = patients["patient_id"] if "patient_id" in patients.columns else numbers
    return pd.DataFrame(
        {
            "patient_id": np.repeat(identity.to_numpy(), shape[1]),
            "month": np.tile(months, shape[0]),
            "probability": probability.ravel(),
            "lower": lower.ravel(),
            "upper": upper.ravel(),
            "series": series or ("average" if len(names) > 1 else names[0]),
        }
    )
