"""What the measures of predictions are given: arrays of one length, and what they may hold.

Each check returns the argument as an array and raises ModelError with its name, its first row at
fault, counted from 1, and what is allowed.
"""

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.errors import ModelError


def check_outcome(time: Any, event: Any) -> tuple[FloatArray, IntArray]:
    """Return months and event codes, of one patient or more."""
    months = check_column("time", time)
    if not len(months):
        raise ModelError("time: found no patients; allowed: one or more")
    _refuse("time", months, months < 0, "a finite number of at least 0")
    codes = check_column("event", event, len(months))
    _refuse(
        "event", codes, (codes < 0) | (codes != np.floor(codes)), "a whole number of at least 0"
    )
    return months, codes.astype(np.int64)


def check_weights(weights: Any, n: int) -> FloatArray:
    """Return case weights; ones by default."""
    if weights is None:
        return np.ones(n)
    found = check_column("weights", weights, n)
    _refuse("weights", found, found < 0, "a finite number of at least 0")
    return found


def check_probabilities(name: str, values: Any, n: int | None = None) -> FloatArray:
    """Return probabilities."""
    found = check_column(name, values, n)
    _refuse(name, found, (found < 0) | (found > 1), "a number from 0 to 1")
    return found


def check_flags(name: str, values: Any, n: int) -> BoolArray:
    """Return what is true or false, also where it is given as 1 or 0."""
    found = check_column(name, values, n)
    _refuse(name, found, (found != 0) & (found != 1), "true or false, or 1 or 0")
    return np.asarray(found == 1)


def check_labels(name: str, labels: Any, n: int) -> Any:
    """Return a name per patient, such as the series; None for None."""
    if labels is None:
        return None
    found = np.asarray(labels, dtype=object)
    _check_shape(name, found, n)
    missing = np.asarray(pd.isna(found))
    _refuse(name, found, missing, "a name for each patient")
    text = np.array([isinstance(label, str) for label in found], dtype=np.bool_)
    _refuse(name, found, text != text[:1], "names of one type, text or numbers")
    return found


def check_column(name: str, values: Any, n: int | None = None) -> FloatArray:
    """Return finite numbers, shape (n,)."""
    try:
        given = np.asarray(values)
        # A complex number would lose its imaginary part, a date become nanoseconds.
        found = np.asarray(given, dtype=None if given.dtype.kind in "cmM" else np.float64)
    except (TypeError, ValueError):
        raise ModelError(f"{name}: allowed: one finite number per patient") from None
    if found.dtype != np.float64:
        raise ModelError(f"{name}: found {found.dtype}; allowed: one finite number per patient")
    _check_shape(name, found, n)
    _refuse(name, found, ~np.isfinite(found), "a finite number")
    return found


def check_flag(name: str, value: Any) -> bool:
    """Return what is true or false."""
    if not isinstance(value, bool | np.bool_):
        raise ModelError(f"{name}: found {value!r}; allowed: True, False")
    return bool(value)


def check_level(level: Any) -> float:
    """Return the coverage of an interval."""
    if not isinstance(level, int | float | np.floating) or not 0 < level < 1:
        raise ModelError(f"level: found {level!r}; allowed: between 0 and 1, such as 0.95")
    return float(level)


def check_count(name: str, value: Any, least: int, most: int | None = None) -> int:
    """Return a whole number, such as a seed or how many folds there are."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        limits = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ModelError(f"{name}: found {value!r}; allowed: a whole number {limits}")
    return int(value)


def check_months(name: str, values: Any) -> FloatArray:
    """Return numbers, one or more, such as months, shape (n,)."""
    try:
        found = np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError):
        raise ModelError(f"{name}: found {values!r}; allowed: numbers") from None
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all():
        raise ModelError(f"{name}: found {values!r}; allowed: finite numbers, one or more")
    return found


def check_month(month: Any, time: FloatArray) -> float:
    """Return a month after which someone is still under observation."""
    right = isinstance(month, int | float | np.number) and 0 < month < np.inf
    if not right or not (time > month).any():
        raise ModelError(
            f"month: found {month}; allowed: above 0 and before the last time, month {time.max():g}"
        )
    return float(month)


def _check_shape(name: str, found: Any, n: int | None) -> None:
    if found.ndim != 1:
        raise ModelError(f"{name}: found shape {found.shape}; allowed: one value per patient")
    if n is not None and len(found) != n:
        raise ModelError(f"{name}: found {len(found)} values; allowed: {n}, one per patient")


def _refuse(name: str, values: Any, wrong: BoolArray, allowed: str) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ModelError(f"{name}: row {row + 1}: found {values[row]}; allowed: {allowed}")
