"""The adjusting covariates as columns of numbers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray
from outcomes.comparison.redundancy import find_redundant
from outcomes.comparison.setting import Setting
from outcomes.endpoints import LOCAL_CONTROL
from outcomes.errors import CohortError, NotEstimableError, Violation
from outcomes.schema import COLUMNS, SEPARATION_THRESHOLD_MM

LARGEST = 1e9
"""No number of a patient is as large; beyond it sums of squares drown all others."""
LISTED = 5
MOST_LEVELS = 20
# The dose regimen is part of the treatment, not a reason to choose it.
DEFAULT_ADJUSTMENT = (
    "age",
    "kps",
    "neurologic_deficit",
    "progressive_systemic_disease",
    "visceral_metastases",
    "systemic_therapy_after",
    "embolization",
)


@dataclass(frozen=True, eq=False)
class Adjustment:
    """Adjusting columns of the patients who have them all.

    Attributes
    ----------
    columns
        Numbers, one row for each complete patient.
    complete
        Which patients of the setting have every covariate, shape (n,).
    notes
        What was left out.
    """

    columns: pd.DataFrame
    complete: BoolArray
    notes: tuple[str, ...]


def make_adjustment(setting: Setting) -> Adjustment:
    """Return the adjusting columns of a setting.

    By default those of `DEFAULT_ADJUSTMENT` that the cohort has, and for local control the
    separation distance. A covariate that does not vary cannot confound, one that follows from the
    covariates before it (or from the series) adds nothing; both are left out with a note, of every
    method alike. Truth values become 0/1, `separation_mm` becomes "below 3 mm", a category becomes
    indicators against its most frequent level, and a number stays as it is.

    Raises
    ------
    NotEstimableError
        If a covariate asked for is missing, no patient has them all, or there is none.
    CohortError
        If a covariate holds a number that cannot be, or too many different texts.
    """
    cohort = setting.cohort
    names = _names(setting)
    if not names:
        usual = ", ".join(DEFAULT_ADJUSTMENT)
        raise NotEstimableError(f"the cohort has none of the usual covariates ({usual})")
    absent = [name for name in names if name not in cohort.columns]
    if absent:
        raise NotEstimableError(f"the cohort has no column {', '.join(absent)}")
    complete = cohort[names].notna().all(axis=1).to_numpy(dtype=np.bool_)
    if not complete.any():
        raise NotEstimableError(f"no patient has every one of {', '.join(names)}")
    notes = []
    if not complete.all():
        notes.append(f"{setting.counted(~complete)} with missing covariates are left out")
    _check_numbers(cohort[names])
    columns: dict[str, pd.Series] = {}
    for name in names:
        coded = _code(cohort.loc[complete, name])
        if not coded:
            notes.append(f"{name} does not vary and is left out")
        columns.update(coded)
    if not columns:
        raise NotEstimableError("no covariate varies")
    frame = pd.DataFrame(columns, index=cohort.index[complete], dtype=np.float64)
    redundant = frame.columns[find_redundant(frame.to_numpy(), setting.stratum(complete))].tolist()
    if redundant:
        source = "the other covariates" + ("" if setting.strata is None else " or the series")
        words = ("follows", "is") if len(redundant) == 1 else ("follow", "are")
        notes.append(f"{' and '.join(redundant)} {words[0]} from {source} and {words[1]} left out")
        frame = frame.drop(columns=redundant)
    if frame.empty:
        raise NotEstimableError("no covariate varies within a series")
    return Adjustment(frame, complete, tuple(notes))


def _check_numbers(table: pd.DataFrame) -> None:
    """Refuse numbers that are not finite, or beyond what the schema or any measurement allows."""
    violations: list[Violation] = []
    count = 0
    for name, column in table.items():
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            continue
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        known = COLUMNS.get(str(name))
        low, high = -LARGEST, LARGEST
        if known is not None:
            low = low if known.low is None else known.low
            high = high if known.high is None else known.high
        wrong = np.flatnonzero((values < low) | (values > high))
        count += wrong.size
        allowed = f"a number from {low:g} to {high:g}"
        violations += [
            Violation(str(name), int(table.index[row]) + 1, f"{values[row]:g}", allowed)
            for row in wrong[:LISTED]
        ]
    if violations:
        raise CohortError(tuple(violations), total=count)


def _names(setting: Setting) -> list[str]:
    if setting.covariates is not None:
        wanted = setting.covariates
    else:
        default: tuple[str, ...] = DEFAULT_ADJUSTMENT
        if setting.endpoint == LOCAL_CONTROL:
            default = (*default, "separation_mm")
        # A column nobody has a value in is as good as absent.
        wanted = tuple(
            name
            for name in default
            if name in setting.cohort.columns and setting.cohort[name].notna().any()
        )
    return [name for name in dict.fromkeys(wanted) if name != setting.treatment]


def _code(column: pd.Series) -> dict[str, pd.Series]:
    """Return the columns of numbers that stand for a covariate; none if it does not vary."""
    name = str(column.name)
    if name == "separation_mm":
        column = column.astype(np.float64) < SEPARATION_THRESHOLD_MM
        name = f"separation_mm < {SEPARATION_THRESHOLD_MM:g}"
    levels = column.unique().tolist()
    if len(levels) < 2:
        return {}
    if pd.api.types.is_numeric_dtype(column) or all(level in (0, 1) for level in levels):
        return {name: column.astype(np.float64)}
    counts = column.astype(str).value_counts()
    if counts.size > MOST_LEVELS:
        # An identifier, a date, or numbers with text among them.
        found = f"{counts.size} different texts, used as covariate"
        allowed = f"numbers, or at most {MOST_LEVELS} different texts"
        raise CohortError((Violation(name, None, found, allowed),))
    reference = min(counts.index[counts == counts.max()])
    return {
        f"{name}={level}": (column.astype(str) == level).astype(np.float64)
        for level in sorted(counts.index)
        if level != reference
    }
