"""What a model is given: patients, responses, months and names of series."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import FloatArray, IntArray
from outcomes.endpoints import Endpoint
from outcomes.errors import ModelError


def as_table(X: Any) -> pd.DataFrame:
    """Return the data as a table; the columns of an array are named x1, x2, ...."""
    if isinstance(X, pd.DataFrame):
        return X
    array = np.asarray(X)
    if array.ndim != 2:
        raise ModelError(
            f"X: found an array of {array.ndim} dimensions; allowed: a table, one row per patient"
        )
    return pd.DataFrame(array, columns=[f"x{k + 1}" for k in range(array.shape[1])])


def read_response(
    endpoint: Endpoint, table: pd.DataFrame, y: Any = None
) -> tuple[FloatArray, IntArray]:
    """Return time (months) and event code, from y or from the table's columns."""
    if y is None:
        response = endpoint.response(table)
    else:
        array = np.asarray(y)
        if array.dtype.names is None or len(array.dtype.names) != 2:
            raise ModelError("y: allowed is a structured array of event and time")
        event_field, time_field = array.dtype.names
        if {"event", "time"} <= set(array.dtype.names):
            event_field, time_field = "event", "time"
        response = endpoint.make_response(array[time_field], array[event_field])
    if len(response) != len(table):
        raise ModelError(f"y: found {len(response)} responses for {len(table)} patients")
    return response["time"].astype(np.float64), response["event"].astype(np.int64)


def series_column(table: pd.DataFrame, name: str | None) -> "pd.Series[Any] | None":
    """Return a column that names series or patients; None where the table has none.

    Raises
    ------
    ModelError
        If it stands in the table more than once.
    """
    if name is None or name not in table.columns:
        return None
    column = table[name]
    if isinstance(column, pd.DataFrame):
        raise ModelError(f"the column {name} stands in the table more than once")
    return column


def as_months(times: npt.ArrayLike) -> FloatArray:
    """Return the months as an array, refusing what is no month."""
    try:
        months = np.atleast_1d(np.asarray(times, dtype=np.float64))
    except (TypeError, ValueError):
        raise ModelError(f"times: found {times!r}; allowed: months since surgery") from None
    if months.ndim != 1 or not months.size or not np.isfinite(months).all() or (months < 0).any():
        raise ModelError(f"times: found {times!r}; allowed: one or more finite months, at least 0")
    return months


def series_per_patient(series: Sequence[str], n: int) -> Any:
    """Return one series name per patient."""
    names = np.asarray(series, dtype=object)
    if names.ndim != 1:
        raise ModelError(f"series: found {series!r}; allowed: a name, one for each patient, None")
    if names.shape != (n,):
        raise ModelError(f"series: found {len(names)} names for {n} patients")
    return np.asarray([str(name) for name in names], dtype=object)


def digest(matrix: FloatArray, time: FloatArray, event: IntArray) -> str:
    """Return the SHA-256 of patients' coded covariates and response, in whatever order they stand.

    It tells whether a cohort is the one a model was fitted to, and nothing else of it.
    """
    # Six digits: a file read by another parser may differ in the last bit. No 0 is negative.
    numbers = np.round(np.column_stack([time, event, matrix]), 6) + 0.0
    numbers = numbers[np.lexsort(numbers.T)]
    return hashlib.sha256(np.ascontiguousarray(numbers, dtype="<f8").tobytes()).hexdigest()
