"""Bringing the cells of one column into its type."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray
from outcomes.schema.columns import Column

TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})
MISSING = frozenset({"", "na", "n/a", "nan", "null", "<na>"})


@dataclass(frozen=True)
class Coerced:
    """One column in its type.

    Attributes
    ----------
    cells
        Booleans become ``bool``, whole numbers ``int64``, numbers ``float64``, texts and
        categories ``str`` in an object column. Where cells are missing, booleans become pandas'
        ``boolean``, whole numbers ``float64``, and a missing text is None.
    missing
        Cells that were empty.
    unreadable
        Cells that hold something else; missing in `cells`.
    """

    cells: "pd.Series[Any]"
    missing: BoolArray
    unreadable: BoolArray


def coerce(cells: "pd.Series[Any]", column: Column) -> Coerced:
    """Bring a column into its type, marking what cannot be read.

    Texts are read without regard to surrounding blanks; booleans and categories also without
    regard to case.
    """
    if isinstance(cells.dtype, pd.CategoricalDtype):
        cells = cells.astype(object)
    if column.kind == "boolean":
        return _booleans(cells)
    if column.kind in ("number", "integer"):
        return _numbers(cells, column)
    return _texts(cells, column)


def as_text(value: object) -> str:
    """Return a cell as the text a reader would write: 2.0 as ``2``, True as ``true``."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _by_level(cells: "pd.Series[Any]") -> tuple["pd.Series[Any]", BoolArray]:
    """Return the cells as stripped texts and which are missing."""
    missing = cells.isna().to_numpy(dtype=np.bool_)
    if cells.dtype == object or isinstance(cells.dtype, pd.StringDtype):
        try:
            codes, levels = pd.factorize(cells)
        except TypeError:  # a cell that cannot be hashed, such as a list
            codes, levels = pd.factorize(cells.map(str))
    else:
        codes, levels = pd.factorize(cells)
    names = np.array([as_text(level).strip() for level in levels] + [None], dtype=object)
    empty = np.array([name is None or name.lower() in MISSING for name in names])
    names[empty] = None
    missing |= empty[codes]
    return pd.Series(names[codes], index=cells.index, dtype=object), missing


def _map_levels(texts: "pd.Series[Any]", table: dict[str, Any]) -> "pd.Series[Any]":
    codes, levels = pd.factorize(texts)
    found = np.array([table.get(level) for level in levels] + [None], dtype=object)
    return pd.Series(found[codes], index=texts.index, dtype=object)


def _texts(cells: "pd.Series[Any]", column: Column) -> Coerced:
    texts, missing = _by_level(cells)
    if column.kind == "text":
        return Coerced(texts, missing, np.zeros(len(texts), dtype=np.bool_))
    spelled = {category.lower(): category for category in column.categories}
    levels = {level: spelled.get(level.lower()) for level in texts[~missing].unique()}
    found = _map_levels(texts, levels)
    unreadable = found.isna().to_numpy(dtype=np.bool_) & ~missing
    return Coerced(found, missing, unreadable)


def _booleans(cells: "pd.Series[Any]") -> Coerced:
    nothing = np.zeros(len(cells), dtype=np.bool_)
    if cells.dtype == np.bool_:
        return Coerced(cells, nothing, nothing)
    texts, missing = _by_level(cells)
    levels = {
        level: level.lower() in TRUE
        for level in texts[~missing].unique()
        if level.lower() in TRUE | FALSE
    }
    found = _map_levels(texts, levels)
    unreadable = found.isna().to_numpy(dtype=np.bool_) & ~missing
    complete = not (missing.any() or unreadable.any())
    return Coerced(found.astype("bool" if complete else "boolean"), missing, unreadable)


def _numbers(cells: "pd.Series[Any]", column: Column) -> Coerced:
    missing = cells.isna().to_numpy(dtype=np.bool_)
    if cells.dtype == np.bool_ or pd.api.types.is_bool_dtype(cells.dtype):
        # True is no month, but it is a code where a column has the codes 0 and 1.
        binary = column.codes is not None and set(column.codes) == {0, 1}
        numbers = cells.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
        readable = np.full(len(cells), binary)
    elif pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_complex_dtype(cells):
        numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        readable = np.full(len(cells), fill_value=True)
    else:
        numbers, empty = _parse_numbers(cells, column)
        missing |= empty
        readable = ~np.isnan(numbers)
    finite = np.isfinite(numbers)
    unreadable = ~missing & ~(readable & finite)
    if column.kind == "integer":
        unreadable |= ~missing & finite & (numbers != np.rint(numbers))
    numbers = np.where(missing | unreadable, np.nan, numbers)
    typed: pd.Series[Any] = pd.Series(numbers, index=cells.index)
    if column.kind == "integer" and not np.isnan(numbers).any():
        typed = typed.astype(np.int64)
    return Coerced(typed, missing, unreadable)


def _parse_numbers(cells: "pd.Series[Any]", column: Column) -> tuple[FloatArray, BoolArray]:
    """Read numbers from texts or mixed cells; NaN where none can be read."""
    texts, empty = _by_level(cells)
    binary = column.codes is not None and set(column.codes) == {0, 1}
    codes, levels = pd.factorize(texts)
    found = [_number(level, binary=binary) for level in levels]
    return np.array([*found, np.nan], dtype=np.float64)[codes], empty


def _number(text: str, *, binary: bool) -> float:
    if binary and text.lower() in TRUE | FALSE:
        return float(text.lower() in TRUE)
    try:
        return np.nan if "_" in text else float(text)
    except ValueError:
        return np.nan
