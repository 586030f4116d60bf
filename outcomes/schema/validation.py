"""Checking any table of patients, and bringing it into the schema."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray
from outcomes.errors import CohortError, OutcomesError, Violation
from outcomes.schema.coercion import as_text, coerce
from outcomes.schema.cohort import Cohort
from outcomes.schema.columns import COLUMNS
from outcomes.schema.rules import RULES, pandera_schema

# Breaches listed of each rule; all are counted.
LISTED = 50
LONGEST_VALUE = 60
WORDS = "true, false, yes, no, 1, 0 (`outcomes validate --map` translates other words)"

# Mirrors outcomes.endpoints, a room above this one; a test holds the two together.
ENDPOINT_COLUMNS: Mapping[str, tuple[str, str]] = {
    "overall-survival": ("os_months", "death"),
    "local-control": ("lp_months", "lp_event"),
    "hardware-failure": ("hardware_months", "hardware_event"),
}
# Columns that are missing in some rows by right, and the column that says in which.
CONDITIONAL: Mapping[str, str] = {"separation_mm": "procedure", "sbrt_start_months": "sbrt"}


class _Findings:
    """Breaches found so far: the first of each rule, and the number of all."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.listed: list[Violation] = []
        self.count = 0
        self.unreadable: dict[str, BoolArray] = {}

    def column(self, name: str, value: str | None, allowed: str) -> None:
        self.listed.append(Violation(name, None, value, allowed))
        self.count += 1

    def cells(self, name: str, wrong: BoolArray, allowed: str) -> None:
        rows = np.flatnonzero(wrong)
        self.count += len(rows)
        for row in rows[:LISTED]:
            value = self.frame[name].iloc[row]
            missing = pd.api.types.is_scalar(value) and pd.isna(value)
            text = None if missing else _shorten(as_text(value))
            self.listed.append(Violation(name, int(row) + 1, text, allowed))

    def raise_any(self, source: str) -> None:
        if self.count:
            order = sorted(self.listed, key=lambda breach: breach.row or 0)
            raise CohortError(tuple(order), source=source, total=self.count)


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def validate_cohort(
    frame: pd.DataFrame,
    *,
    endpoints: Iterable[Any] = (),
    covariates: Iterable[str] = (),
    source: str = "cohort",
    provenance: Mapping[str, Any] | None = None,
) -> Cohort:
    """Check a table of patients and bring its columns into their types.

    Parameters
    ----------
    frame
        One row a patient, or a lesion where there is a column ``lesion``. Columns the schema
        does not know are kept as they are.
    endpoints
        Endpoints (or their names) whose two columns must be there and complete.
    covariates
        Columns that must be there and complete, known to the schema or not. ``separation_mm``
        is missing by right where ``procedure`` is none, ``sbrt_start_months`` where ``sbrt`` is
        false.
    source
        What an error calls the table, e.g. the name of its file.
    provenance
        Kept with the cohort; by default that of `frame` where it is a cohort.

    Returns
    -------
    Cohort
        A copy with the rows and the index of `frame`. Texts and categories are plain ``str``,
        booleans ``bool``, whole numbers ``int64``, numbers ``float64``; a column that is not
        required may have missing cells, see `Coerced`.

    Raises
    ------
    CohortError
        With every breach at once: row (counted from 1, without the header), column, value and
        what is allowed. At most 50 breaches of one rule are listed, all are counted.
    """
    if not isinstance(frame, pd.DataFrame):
        raise OutcomesError(f"{source}: found {type(frame).__name__}; allowed: a pandas DataFrame")
    if isinstance(frame.columns, pd.MultiIndex):
        levels = frame.columns.nlevels
        raise OutcomesError(f"{source}: found column names of {levels} levels; allowed: one level")
    findings = _Findings(frame)
    required = _required(endpoints, covariates)
    repeated = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
    for name in repeated:
        findings.column(name, "more than one column of this name", "one column of each name")
    # Nothing else can be said of a table in which a name means two columns.
    findings.raise_any(source)
    if len(frame) == 0:
        findings.column("(table)", "no row", "at least one patient")
    for name in required:
        if name not in frame.columns:
            findings.column(name, None, _absent(name, frame))
    typed = _typed(frame, required, findings)
    if "sbrt_start_months" in required and {"sbrt", "sbrt_start_months"} <= set(typed.columns):
        unknown = typed["sbrt_start_months"].isna() & typed["sbrt"].eq(True).fillna(False)
        wrong = unknown.to_numpy(dtype=np.bool_) & ~findings.unreadable["sbrt_start_months"]
        findings.cells("sbrt_start_months", wrong, "a number of months where sbrt is true")
    _check_rules(typed, findings)
    _check_unique(typed, findings)
    findings.raise_any(source)
    if provenance is None:
        provenance = getattr(frame, "provenance", None)
    typed.index = frame.index
    return Cohort(typed, provenance=provenance)


def _required(endpoints: Iterable[Any], covariates: Iterable[str]) -> tuple[str, ...]:
    names: list[str] = []
    for endpoint in endpoints:
        if not isinstance(endpoint, str):
            names += endpoint.columns
        elif endpoint in ENDPOINT_COLUMNS:
            names += ENDPOINT_COLUMNS[endpoint]
        else:
            allowed = ", ".join(ENDPOINT_COLUMNS)
            raise OutcomesError(f"unknown endpoint {endpoint!r}; allowed: {allowed}")
    return tuple(dict.fromkeys([*names, *covariates]))


def _absent(name: str, frame: pd.DataFrame) -> str:
    """Say what a column that is not there should hold, and which name comes close."""
    known = COLUMNS.get(name)
    allowed = f"a column {name}" + (f": {known.allowed}" if known else "")
    like = [
        str(other)
        for other in frame.columns
        if str(other).strip().lower().replace(" ", "_") == name.lower()
    ]
    return f"{allowed}; the table has {like[0]!r}" if like else allowed


def _typed(frame: pd.DataFrame, required: tuple[str, ...], findings: _Findings) -> pd.DataFrame:
    """Return the table with a plain index and typed columns; unreadable cells are missing."""
    typed: dict[Any, Any] = {}
    for name in frame.columns:
        cells = frame[name].reset_index(drop=True)
        column = COLUMNS.get(name)
        if column is None:
            typed[name] = cells
            if name in required:
                findings.cells(name, cells.isna().to_numpy(dtype=np.bool_), "a value in every row")
                if pd.api.types.is_float_dtype(cells.dtype):
                    infinite = np.isinf(cells.to_numpy(dtype=np.float64, na_value=np.nan))
                    findings.cells(name, infinite, "a finite number")
            continue
        coerced = coerce(cells, column)
        typed[name] = coerced.cells
        findings.unreadable[name] = coerced.unreadable
        words = WORDS if column.kind == "boolean" else column.allowed
        findings.cells(name, coerced.unreadable, words)
        if name in required and CONDITIONAL.get(name) not in frame.columns:
            findings.cells(name, coerced.missing, column.allowed)
    # Every column is a copy already; a second one of a large cohort would cost as much again.
    return pd.DataFrame(typed, columns=frame.columns, copy=False)


def _check_rules(typed: pd.DataFrame, findings: _Findings) -> None:
    """Check ranges, categories and the rules over several columns with pandera."""
    from pandera.errors import SchemaErrors

    known = {name: column for name, column in COLUMNS.items() if name in typed.columns}
    rules = {rule.name: rule for rule in RULES}
    try:
        pandera_schema(known).validate(typed, lazy=True, inplace=True)
    except SchemaErrors as errors:
        for error in errors.schema_errors:
            if error.check_output is None:
                raise
            kept = error.check_output
            wrong = np.zeros(len(typed), dtype=np.bool_)
            wrong[kept.index[~kept.to_numpy(dtype=np.bool_)]] = True
            rule = rules.get(error.check.name)
            if rule is None:
                findings.cells(error.check.name, wrong, error.check.error)
                continue
            # An unreadable cell has been reported; what it would mean is unknown.
            for name in rule.columns:
                wrong &= ~findings.unreadable[name]
            findings.cells(rule.blamed, wrong, rule.allowed)


def _check_unique(typed: pd.DataFrame, findings: _Findings) -> None:
    """Check that no patient (or lesion of a patient) stands in two rows."""
    if "patient_id" not in typed.columns:
        return
    key = [name for name in ("study", "patient_id", "lesion") if name in typed.columns]
    repeated = typed.duplicated(key).to_numpy(dtype=np.bool_)
    repeated &= typed["patient_id"].notna().to_numpy(dtype=np.bool_)
    together = " and ".join(key)
    findings.cells("patient_id", repeated, f"{together} in one row only")
