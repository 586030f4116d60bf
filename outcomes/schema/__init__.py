"""The columns of a cohort, and the check that a table keeps to them."""

from typing import TYPE_CHECKING, Any

from outcomes.schema.columns import (
    COLUMNS,
    DAYS_PER_MONTH,
    RESULTS,
    SEPARATION_THRESHOLD_MM,
    TUMORS,
    Column,
)

if TYPE_CHECKING:
    from outcomes.schema.cohort import Cohort
    from outcomes.schema.files import read_cohort, write_cohort
    from outcomes.schema.lesions import (
        count_patients,
        one_row_per_patient,
        patient_numbers,
        patients_in_words,
    )
    from outcomes.schema.mapping import apply_mapping
    from outcomes.schema.rules import pandera_schema
    from outcomes.schema.validation import validate_cohort

__all__ = [
    "COLUMNS",
    "DAYS_PER_MONTH",
    "RESULTS",
    "SEPARATION_THRESHOLD_MM",
    "TUMORS",
    "Cohort",
    "Column",
    "apply_mapping",
    "count_patients",
    "one_row_per_patient",
    "pandera_schema",
    "patient_numbers",
    "patients_in_words",
    "read_cohort",
    "validate_cohort",
    "write_cohort",
]

_HOMES = {
    "Cohort": "cohort",
    "apply_mapping": "mapping",
    "count_patients": "lesions",
    "one_row_per_patient": "lesions",
    "patient_numbers": "lesions",
    "patients_in_words": "lesions",
    "pandera_schema": "rules",
    "read_cohort": "files",
    "validate_cohort": "validation",
    "write_cohort": "files",
}


def __getattr__(name: str) -> Any:
    """Import what needs pandas only when it is asked for."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
