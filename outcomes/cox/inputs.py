"""Sequences read and refused by name and row."""

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import FloatArray, IntArray
from outcomes.errors import OutcomesError


def as_numbers(values: Any, name: str, allowed: str = "numbers") -> FloatArray:
    """Return values as an array of floats, NaN where one is missing; text and dates are none.

    Raises
    ------
    OutcomesError
        If one is no number; the message names the row and what is allowed.
    """
    found = as_array(values, name)
    if found.dtype.kind in "biuf":
        return np.asarray(found, dtype=np.float64)
    if found.dtype.kind != "O" or found.ndim != 1:
        where = name if found.ndim != 1 or not found.size else f"{name} of row 1"
        first = found.ravel()[0].item() if found.size and found.dtype.kind != "O" else values
        raise OutcomesError(f"{where}: found {first!r}; allowed: {allowed}")
    result = np.full(found.shape, np.nan)
    for row, value in enumerate(found):
        if isinstance(value, Real | np.bool_):
            result[row] = float(value)
        elif not (value is None or value is pd.NA):
            raise OutcomesError(
                f"{name} of row {row + 1}: found {str(value)!r}; allowed: {allowed}"
            )
    return result


def read_finite(values: Any, name: str, n: int, least: float = -np.inf) -> FloatArray:
    """Return a finite number of at least `least` for each of n rows.

    Raises
    ------
    OutcomesError
        If they are others; the message names the row.
    """
    allowed = "a finite number" + ("" if np.isinf(least) else f" of at least {least:g}")
    found = as_numbers(values, name, allowed)
    _check_length(found, name, n)
    check_rows(found, np.isfinite(found) & (found >= least), name, allowed)
    return found


def check_rows(values: FloatArray, right: Any, name: str, allowed: str) -> None:
    """Raise OutcomesError if a value is not right, naming the first row."""
    wrong = np.flatnonzero(~right)
    if wrong.size:
        raise OutcomesError(
            f"{name} of row {wrong[0] + 1}: found {values[wrong[0]]:g}; allowed: {allowed}"
        )


def read_labels(labels: Any, name: str, n: int) -> tuple[npt.NDArray[np.object_], IntArray]:
    """Return the distinct labels in order, and the position of each row's.

    Raises
    ------
    OutcomesError
        If they are not one for each row, one is missing, or they cannot be put in order.
    """
    found = as_array(labels, name)
    _check_length(found, name, n)
    missing = np.flatnonzero(pd.isna(found))
    if missing.size:
        raise OutcomesError(f"{name} of row {missing[0] + 1}: missing; allowed: a name or number")
    try:
        names, codes = np.unique(found, return_inverse=True)
    except TypeError:
        kinds = [isinstance(label, str) for label in found]
        row = kinds.index(not kinds[0]) if len(set(kinds)) > 1 else 0
        raise OutcomesError(
            f"{name} of row {row + 1}: found {found[row]!r}; allowed: labels of one type, names or "
            "numbers"
        ) from None
    return names.astype(object), codes.astype(np.int64)


def as_array(values: Any, name: str) -> npt.NDArray[Any]:
    """Return values as an array that keeps what is missing or of another type as it is."""
    if isinstance(values, np.ndarray):
        return values
    if isinstance(values, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        plain = isinstance(values.dtype, np.dtype)
        return np.asarray(values if plain else values.astype(object))
    try:
        if np.ndim(values) != 1:
            return np.asarray(values)
    except ValueError:
        raise OutcomesError(
            f"{name}: found sequences of several lengths; allowed: one value for each row"
        ) from None
    # Numpy would make text of what stands beside text.
    found = np.empty(len(values), dtype=object)
    found[:] = list(values)
    return found


def _check_length(found: npt.NDArray[Any], name: str, n: int) -> None:
    if found.shape != (n,):
        raise OutcomesError(f"{name}: found shape {found.shape}; allowed: one for each of {n} rows")
