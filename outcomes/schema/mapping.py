"""Translating a hospital's own names and codes into the schema's.

A mapping is a TOML file of up to three tables; every name on the left is one of ours::

    [columns]                 # our column = the table's column
    kps = "Karnofsky"
    os_months = "days_alive"
    frankel = "Frankel pre-op"
    neurologic_deficit = "Frankel pre-op"

    [values.neurologic_deficit]   # a code of the table = our value; other codes stay
    A = true
    E = false

    [scale.os_months]         # numbers are turned into the schema's unit
    per = "days"              # days, weeks, months or years; or: factor = 0.5
"""

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from outcomes.errors import OutcomesError
from outcomes.schema.coercion import as_text
from outcomes.schema.columns import COLUMNS, DAYS_PER_MONTH

MONTHS_PER: Mapping[str, float] = {
    "days": 1 / DAYS_PER_MONTH,
    "weeks": 7 / DAYS_PER_MONTH,
    "months": 1.0,
    "years": 12.0,
}
TABLES = ("columns", "values", "scale")


def apply_mapping(frame: pd.DataFrame, mapping_file: str | Path) -> pd.DataFrame:
    """Translate the columns and codes of a table.

    Parameters
    ----------
    frame
        The hospital's table.
    mapping_file
        TOML file, see the module.

    Returns
    -------
    DataFrame
        Our columns, then the table's columns that the mapping does not name; not yet checked.

    Raises
    ------
    OutcomesError
        If the file cannot be read or is no mapping, names a column that the schema or the
        table does not have, or scales what is no number; naming file, key, value and what is
        allowed.
    """
    path = Path(mapping_file)
    mapping = _read(path)
    renamed: dict[str, str] = mapping.get("columns", {})
    for ours, theirs in renamed.items():
        if theirs not in frame.columns:
            allowed = ", ".join(map(str, frame.columns))
            raise _fault(path, f"columns.{ours}", theirs, f"a column of the table: {allowed}")
    taken = set(renamed.values())
    table: dict[Any, Any] = {ours: frame[theirs] for ours, theirs in renamed.items()}
    for name in frame.columns:
        if name in taken and name not in renamed:
            continue
        if name in renamed and renamed[name] != name:
            if name in taken:
                continue
            raise _fault(
                path, f"columns.{name}", renamed[name], f"{name}, which the table has already"
            )
        table.setdefault(name, frame[name])
    for kind, change in (("values", _translate), ("scale", _scale)):
        for ours, entry in mapping.get(kind, {}).items():
            if ours not in table:
                raise _fault(path, f"{kind}.{ours}", ours, "a column of the table or of [columns]")
            table[ours] = change(table[ours], entry, path, f"{kind}.{ours}")
    return pd.DataFrame(table)


def _fault(path: Path, key: str, found: object, allowed: str) -> OutcomesError:
    return OutcomesError(f"{path}: {key}: found {found!r}; allowed: {allowed}")


def _read(path: Path) -> dict[str, Any]:
    """Read the file and check its shape."""
    try:
        mapping = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OutcomesError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError:
        raise OutcomesError(f"{path}: is not text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise OutcomesError(f"{path}: is not TOML: {error}") from error
    for table, entries in mapping.items():
        if table not in TABLES or not isinstance(entries, dict):
            raise _fault(path, table, entries, "the tables " + ", ".join(TABLES))
        for ours, entry in entries.items():
            key = f"{table}.{ours}"
            if ours not in COLUMNS:
                raise _fault(path, key, ours, ", ".join(COLUMNS))
            if table == "columns":
                if not isinstance(entry, str):
                    raise _fault(path, key, entry, "the name of a column, in quotes")
            elif not isinstance(entry, dict):
                raise _fault(path, key, entry, f"a table [{key}]")
            elif table == "values":
                _check_values(path, key, entry)
            else:
                _check_scale(path, key, ours, entry)
    return mapping


def _check_values(path: Path, key: str, entry: Mapping[str, Any]) -> None:
    for code, value in entry.items():
        if not isinstance(value, str | bool | int | float):
            raise _fault(path, f"{key}.{code}", value, "a text, a number, true or false")


def _check_scale(path: Path, key: str, ours: str, entry: Mapping[str, Any]) -> None:
    if COLUMNS[ours].kind not in ("number", "integer"):
        numbers = [name for name, column in COLUMNS.items() if column.kind in ("number", "integer")]
        raise _fault(path, key, ours, ", ".join(numbers))
    if len(entry) != 1 or not set(entry) <= {"per", "factor"}:
        raise _fault(path, key, dict(entry), "either per or factor")
    if "per" in entry:
        if not COLUMNS[ours].unit.startswith("months"):
            raise _fault(path, f"{key}.per", entry["per"], "factor: only months have a per")
        if entry["per"] not in MONTHS_PER:
            raise _fault(path, f"{key}.per", entry["per"], ", ".join(MONTHS_PER))
        return
    factor = entry["factor"]
    number = isinstance(factor, int | float) and not isinstance(factor, bool)
    if not number or not math.isfinite(factor) or factor == 0:
        raise _fault(path, f"{key}.factor", factor, "a finite number other than 0")


def _translate(
    cells: "pd.Series[Any]", entry: Mapping[str, Any], path: Path, key: str
) -> "pd.Series[Any]":
    """Replace the codes that the mapping names; a code is compared as text."""
    codes = {code.strip(): value for code, value in entry.items()}
    changed = cells.astype(object)
    texts = changed.map(lambda cell: as_text(cell).strip(), na_action="ignore")
    return changed.where(~texts.isin(list(codes)), texts.map(codes))


def _scale(
    cells: "pd.Series[Any]", entry: Mapping[str, Any], path: Path, key: str
) -> "pd.Series[Any]":
    """Multiply the numbers of a column."""
    factor = MONTHS_PER[entry["per"]] if "per" in entry else float(entry["factor"])
    numbers = pd.to_numeric(cells, errors="coerce").astype(np.float64)
    broken = numbers.isna() & cells.notna()
    if broken.any():
        row = int(np.flatnonzero(broken)[0])
        raise _fault(path, key, as_text(cells.iloc[row]), f"a number (row {row + 1} of the table)")
    return numbers * factor
