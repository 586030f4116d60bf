"""Cohorts with several lesions of one patient."""

from typing import overload

import numpy as np
import pandas as pd

from outcomes.arrays import IntArray
from outcomes.schema.cohort import Cohort


def patient_numbers(cohort: pd.DataFrame) -> IntArray:
    """Return the number of each row's patient, from 0 in order of appearance, shape (n,).

    Patients are told apart by ``patient_id`` within their ``study``; a row without an identifier
    is a patient of its own.
    """
    size = len(cohort)
    if "patient_id" not in cohort.columns:
        return np.arange(size)
    key = [name for name in ("study", "patient_id") if name in cohort.columns]
    numbers = cohort.groupby(key, dropna=False, sort=False, observed=True).ngroup().to_numpy()
    unknown = cohort["patient_id"].isna().to_numpy(dtype=np.bool_)
    numbers = np.where(unknown, size + np.arange(size), numbers)
    return np.asarray(pd.factorize(numbers)[0], dtype=np.int64)


def count_patients(cohort: pd.DataFrame) -> str:
    """Return how many there are, such as ``48 patients`` or ``60 lesions of 48 patients``."""
    return patients_in_words(len(cohort), len(np.unique(patient_numbers(cohort))))


def patients_in_words(rows: int, patients: int) -> str:
    """Return how many patients there are, and how many rows where they have several."""
    words = f"{patients:,} patient" + ("" if patients == 1 else "s")
    return words if rows == patients else f"{rows:,} lesions of {words}"


@overload
def one_row_per_patient(cohort: Cohort) -> tuple[Cohort, str]: ...
@overload
def one_row_per_patient(cohort: pd.DataFrame) -> tuple[pd.DataFrame, str]: ...
def one_row_per_patient(cohort: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the first row of each patient: who has several lesions dies but once.

    Patients are told apart as by `patient_numbers`.

    Parameters
    ----------
    cohort
        One row a patient or a lesion.

    Returns
    -------
    tuple of DataFrame and str
        The rows kept, with their index; a cohort stays one. A note says how many were left out;
        "" where none was.
    """
    numbers = patient_numbers(cohort)
    further = pd.Series(numbers).duplicated().to_numpy(dtype=np.bool_)
    if not further.any():
        return cohort, ""
    kept = pd.DataFrame(cohort).loc[~further]
    if isinstance(cohort, Cohort):
        kept = Cohort(kept, provenance=cohort.provenance)
    return kept, (
        f"{further.sum()} further rows of the same patients are left out: "
        "survival counts a patient once"
    )
