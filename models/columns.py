"""The columns of a cohort as values: reading them, and refusing what cannot be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray
from outcomes.errors import ModelError
from outcomes.schema import SEPARATION_THRESHOLD_MM

Kind = Literal["number", "boolean", "category"]


BOOLEANS = frozenset(
    {
        "neurologic_deficit",
        "progressive_systemic_disease",
        "systemic_therapy_after",
        "embolization",
        "complication",
        "sbrt",
    }
)


_LABELS: Mapping[str, str] = {
    "kps": "Karnofsky performance status",
    "neurologic_deficit": "neurological deficit",
    "progressive_systemic_disease": "progressive systemic disease",
    "systemic_therapy_after": "systemic therapy afterwards",
    "embolization": "preoperative embolization",
    "complication": "postoperative complication",
    "sbrt": "SBRT",
    "dose_regimen": "dose regimen",
    "separation_mm": "distance of separation",
    "single_24": "single fraction, 24 Gy",
    "hypofractionated_high": "high-dose hypofractionated",
    "hypofractionated_low": "low-dose hypofractionated",
}


def label_of(name: str) -> str:
    """Return the words a reader sees for a covariate or a level."""
    return _LABELS.get(name, name.replace("_", " "))


@dataclass(frozen=True)
class Covariate:
    """A covariate as the training patients showed it.

    Attributes
    ----------
    name, label
        Column of the cohort, and its words for a reader.
    kind
        ``number``, ``boolean`` or ``category``.
    levels
        Known levels of a category, the reference first.
    low, high, typical
        Range and median of a number in the training patients.
    most_frequent
        Commonest level or truth value, as text.
    """

    name: str
    label: str
    kind: Kind
    levels: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    typical: float = 0.0
    most_frequent: str = ""


def read_column(table: pd.DataFrame, covariate: Covariate) -> Any:
    """Return a column as numbers, or as text for a category, shape (n,).

    Raises
    ------
    ModelError
        If the column is missing, or a value is missing, not finite or not allowed.
    """
    name = covariate.name
    if name not in table.columns:
        raise ModelError(f"missing column: {name}")
    column = table[name]
    if isinstance(column, pd.DataFrame):
        raise ModelError(f"the column {name} stands in the table more than once")
    refuse_missing(column, name)
    if covariate.kind == "category":
        values = column.astype(str).to_numpy(dtype=object)
        known = set(covariate.levels)
        if known:
            refuse(column, ~np.isin(values, sorted(known)), name, ", ".join(covariate.levels))
        return values
    if covariate.kind == "boolean" and not pd.api.types.is_numeric_dtype(column):
        text = column.astype(str).str.lower()
        refuse(column, ~text.isin(["true", "false"]).to_numpy(), name, "true, false")
        return (text == "true").to_numpy(dtype=np.float64)
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    refuse(column, ~np.isfinite(numbers), name, "a finite number")
    if covariate.kind == "boolean":
        refuse(column, ~np.isin(numbers, (0.0, 1.0)), name, "true, false")
    return numbers


def read_separation(table: pd.DataFrame, nested: bool) -> tuple[FloatArray, BoolArray]:
    """Return the distances in mm, and who had no separation procedure and so has none.

    Raises
    ------
    ModelError
        If a distance is missing after a procedure, or if `nested` is false and somebody had no
        procedure.
    """
    name = "separation_mm"
    if name not in table.columns:
        raise ModelError(f"missing column: {name}")
    absent = without_procedure(table)
    values = pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    if not nested and absent.any():
        raise ModelError(
            f"{name}: {name_rows(absent)} had no separation procedure, and the model was fitted to "
            "patients who all had one; leave those rows out"
        )
    missing = table[name].isna().to_numpy() & ~absent
    if missing.any():
        raise ModelError(
            f"{name}: missing in {name_rows(missing)}; allowed only where procedure is 'none'"
        )
    refuse(table[name], ~np.isfinite(values) & ~absent, name, "a finite number of mm")
    return np.where(absent, SEPARATION_THRESHOLD_MM, values), absent


def read_clusters(table: pd.DataFrame, name: str | None) -> Any:
    """Return what each row belongs to, as text; None without such a column.

    Raises
    ------
    ModelError
        If the column or a value is missing.
    """
    if name is None:
        return None
    return read_column(table, Covariate(name, name, "category"))


def without_procedure(table: pd.DataFrame) -> BoolArray:
    """Tell who had no separation procedure; nobody where the table does not say."""
    if "procedure" not in table.columns:
        return np.zeros(len(table), dtype=bool)
    return np.asarray(table["procedure"].astype(object) == "none", dtype=bool)


def refuse_missing(column: "pd.Series[Any]", name: str) -> None:
    """Raise ModelError naming the rows where a column is missing."""
    missing = column.isna().to_numpy()
    if missing.any():
        raise ModelError(f"{name}: missing in {name_rows(missing)}; the model needs every value")


def refuse(column: "pd.Series[Any]", wrong: Any, name: str, allowed: str) -> None:
    """Raise ModelError naming the rows marked wrong and the first value found there."""
    if wrong.any():
        found = column.iloc[int(np.flatnonzero(wrong)[0])]
        found = found.item() if isinstance(found, np.generic) else found
        raise ModelError(f"{name_rows(wrong)}, {name}: found {found!r}; allowed: {allowed}")


def name_rows(mask: Any) -> str:
    """Name the marked rows, counted from 1."""
    rows = np.flatnonzero(mask) + 1
    shown = ", ".join(str(row) for row in rows[:5])
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"row{'s' * (len(rows) > 1)} {shown}{more}"
