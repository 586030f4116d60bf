"""Cohorts with several lesions of one patient."""

from typing import overload

import numpy as np
import pandas as pd

from outcomes.schema.cohort import Cohort


@overload
def one_row_per_patient(cohort: Cohort) -> tuple[Cohort, str]: ...
@overload
def one_row_per_patient(cohort: pd.DataFrame) -> tuple[pd.DataFrame, str]: ...
def one_row_per_patient(cohort: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the first row of each patient: who has several lesions dies but once.

    Patients are told apart by ``patient_id`` within their ``study``; a row without an identifier
    is a patient of its own.

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
    if "patient_id" not in cohort.columns:
        return cohort, ""
    key = [name for name in ("study", "patient_id") if name in cohort.columns]
    further = cohort.duplicated(key).to_numpy(dtype=np.bool_)
    further &= cohort["patient_id"].notna().to_numpy(dtype=np.bool_)
    if not further.any():
        return cohort, ""
    kept = pd.DataFrame(cohort).loc[~further]
    if isinstance(cohort, Cohort):
        kept = Cohort(kept, provenance=cohort.provenance)
    return kept, (
        f"{further.sum()} further rows of the same patients are left out: "
        "survival counts a patient once"
    )
