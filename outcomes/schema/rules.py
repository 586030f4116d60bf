"""The rules of a cohort: what a column may hold, and what two columns may hold together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes.schema.columns import COLUMNS, Column

if TYPE_CHECKING:
    import pandera.pandas as pa

COMPLICATION_KINDS = ("wound_infection", "deep_infection", "cerebrospinal_fluid_leak")
# Months that differ by less are equal: a written table rounds.
SAME_MONTH = 1e-6


@dataclass(frozen=True)
class Rule:
    """A rule over several columns, checked where a table has all of them.

    Attributes
    ----------
    columns
        The columns it reads.
    blamed
        The column a breach is reported for.
    allowed
        What would be accepted.
    holds
        Whether each row keeps the rule; a row with a cell it needs missing keeps it.
    """

    columns: tuple[str, ...]
    blamed: str
    allowed: str
    holds: "Callable[[pd.DataFrame], pd.Series[bool]]"

    @property
    def name(self) -> str:
        """Name of the rule's pandera check."""
        return f"{self.blamed}: {self.allowed}"


def _is(cells: "pd.Series[Any]", value: bool | int | str) -> "pd.Series[bool]":
    """Return which cells hold a value; a missing one does not."""
    return cells.eq(value).fillna(False).astype(bool)


def _not_after(time: str, limit: str) -> Any:
    def holds(table: pd.DataFrame) -> "pd.Series[bool]":
        return ~(table[time] > table[limit] + SAME_MONTH)

    return holds


def _death_recorded(time: str, event: str) -> Any:
    """Rule: code 2 is a death, and stands at the month of death."""

    def holds(table: pd.DataFrame) -> "pd.Series[bool]":
        apart = (table[time] - table["os_months"]).abs() > SAME_MONTH
        return ~(_is(table[event], 2) & (apart | _is(table["death"], 0)))

    return holds


def _death_counted(time: str, event: str) -> Any:
    """Rule: who dies in the month in which the wait ends is not censored then."""

    def holds(table: pd.DataFrame) -> "pd.Series[bool]":
        same = (table[time] - table["os_months"]).abs() <= SAME_MONTH
        return ~(_is(table[event], 0) & _is(table["death"], 1) & same)

    return holds


def _regimen_with_sbrt(table: pd.DataFrame) -> "pd.Series[bool]":
    known = table["sbrt"].notna() & table["dose_regimen"].notna()
    return ~known | (_is(table["sbrt"], False) == _is(table["dose_regimen"], "none"))


def _start_with_sbrt(table: pd.DataFrame) -> "pd.Series[bool]":
    return table["sbrt_start_months"].isna() | ~_is(table["sbrt"], False)


def _deficit_is_frankel(table: pd.DataFrame) -> "pd.Series[bool]":
    known = table["neurologic_deficit"].notna() & table["frankel"].notna()
    return ~known | (_is(table["neurologic_deficit"], False) == _is(table["frankel"], "E"))


def _separation_measured(table: pd.DataFrame) -> "pd.Series[bool]":
    known = table["procedure"].notna()
    return ~known | (table["separation_mm"].isna() == _is(table["procedure"], "none"))


def _complication_counted(table: pd.DataFrame) -> "pd.Series[bool]":
    any_kind = pd.concat([_is(table[kind], True) for kind in COMPLICATION_KINDS], axis=1)
    return ~(any_kind.any(axis=1) & _is(table["complication"], False))


def _pain_after_sbrt(table: pd.DataFrame) -> "pd.Series[bool]":
    return table["vas_after_sbrt"].isna() | ~_is(table["sbrt"], False)


def _failure_reoperated(table: pd.DataFrame) -> "pd.Series[bool]":
    failed = _is(table["hardware_event"], 1) | table["hardware_event"].isna()
    return failed | ~_is(table["hardware_reoperation"], True)


def _competing(time: str, event: str, what: str) -> tuple[Rule, ...]:
    columns = (time, event, "os_months", "death")
    return (
        Rule((time, "os_months"), time, "at most os_months", _not_after(time, "os_months")),
        Rule(
            columns,
            event,
            f"2 only with death 1 and {time} equal to os_months",
            _death_recorded(time, event),
        ),
        Rule(
            columns,
            event,
            f"2 (death without {what}) where death is 1 and {time} equals os_months",
            _death_counted(time, event),
        ),
    )


RULES: tuple[Rule, ...] = (
    Rule(
        ("sbrt", "dose_regimen"),
        "dose_regimen",
        "none where sbrt is false, and a dose regimen where it is true",
        _regimen_with_sbrt,
    ),
    Rule(
        ("sbrt", "sbrt_start_months"),
        "sbrt_start_months",
        "missing where sbrt is false",
        _start_with_sbrt,
    ),
    Rule(
        ("sbrt_start_months", "os_months"),
        "sbrt_start_months",
        "at most os_months",
        _not_after("sbrt_start_months", "os_months"),
    ),
    *_competing("lp_months", "lp_event", "local progression"),
    *_competing("hardware_months", "hardware_event", "hardware failure"),
    *_competing("fracture_months", "fracture_event", "vertebral fracture"),
    Rule(
        ("hardware_event", "hardware_reoperation"),
        "hardware_reoperation",
        "false without hardware failure",
        _failure_reoperated,
    ),
    Rule(
        ("complication", *COMPLICATION_KINDS),
        "complication",
        "true where any kind of complication is",
        _complication_counted,
    ),
    Rule(
        ("sbrt", "vas_after_sbrt"),
        "vas_after_sbrt",
        "missing where sbrt is false",
        _pain_after_sbrt,
    ),
    Rule(
        ("frankel", "neurologic_deficit"),
        "neurologic_deficit",
        "true with Frankel A-D, false with E",
        _deficit_is_frankel,
    ),
    Rule(
        ("procedure", "separation_mm"),
        "separation_mm",
        "missing where procedure is none, and a distance where it is not",
        _separation_measured,
    ),
)


def pandera_schema(columns: Mapping[str, Column] = COLUMNS) -> "pa.DataFrameSchema":
    """Return the rules as a pandera schema for a table of typed columns.

    Parameters
    ----------
    columns
        The columns the table has. Rules over columns that are not among them are left out.

    Returns
    -------
    pandera.pandas.DataFrameSchema
        Any further column is accepted. Missing cells are accepted: whether one may be missing
        depends on what the cohort is for, and is for `validate_cohort` to say.
    """
    import pandera.pandas as pa

    checks = [
        pa.Check(rule.holds, name=rule.name, error=rule.allowed, n_failure_cases=1, ignore_na=False)
        for rule in RULES
        if set(rule.columns) <= set(columns)
    ]
    return pa.DataFrameSchema(
        {
            name: pa.Column(checks=_cell_checks(column), nullable=True)
            for name, column in columns.items()
        },
        checks=checks,
        strict=False,
    )


def _cell_checks(column: Column) -> "list[pa.Check]":
    import pandera.pandas as pa

    def cells(holds: "Callable[[pd.Series[Any]], pd.Series[bool]]") -> pa.Check:
        return pa.Check(holds, name=column.name, error=column.allowed, n_failure_cases=1)

    if column.kind in ("number", "integer"):
        low = -np.inf if column.low is None else column.low
        high = np.inf if column.high is None else column.high
        step = column.step
        if step is None:
            return [cells(lambda values: values.between(low, high))]
        return [cells(lambda values: values.between(low, high) & ((values - low) % step == 0))]
    if column.kind == "category":
        return [cells(lambda values: values.isin(column.categories))]
    return []
