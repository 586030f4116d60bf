"""Several lesions of one patient."""

import pandas as pd
import pytest

from outcomes.schema import (
    Cohort,
    count_patients,
    one_row_per_patient,
    patient_numbers,
    patients_in_words,
    validate_cohort,
)


def test_the_first_row_of_each_patient_of_each_study_is_kept() -> None:
    frame = pd.DataFrame(
        {
            "study": ["a", "a", "b", "a", "a"],
            "patient_id": ["1", "1", "1", None, None],
            "lesion": [1, 2, 1, 1, 2],
        }
    )
    cohort = validate_cohort(frame, provenance={"seed": 3})
    kept, note = one_row_per_patient(cohort)
    assert kept.index.tolist() == [0, 2, 3, 4]
    assert isinstance(kept, Cohort)
    assert kept.provenance == {"seed": 3}
    assert note.startswith("1 further rows of the same patients are left out")


def test_patients_of_one_row_each_stay_as_they_are() -> None:
    for frame in (pd.DataFrame({"kps": [70, 70]}), pd.DataFrame({"patient_id": ["1", "2"]})):
        kept, note = one_row_per_patient(frame)
        assert kept is frame
        assert note == ""


def test_patients_are_numbered_within_their_study() -> None:
    frame = pd.DataFrame(
        {"study": ["a", "b", "a", None, None, "a"], "patient_id": ["1", "1", "1", "1", "1", None]}
    )
    assert patient_numbers(frame).tolist() == [0, 1, 0, 2, 2, 3]
    assert patient_numbers(frame.drop(columns="study")).tolist() == [0, 0, 0, 0, 0, 1]
    assert patient_numbers(frame[["study"]]).tolist() == [0, 1, 2, 3, 4, 5]
    assert patient_numbers(frame.astype("category")).tolist() == [0, 1, 0, 2, 2, 3]
    assert patient_numbers(frame.head(0)).tolist() == []
    assert count_patients(frame) == "6 lesions of 4 patients"


@pytest.mark.parametrize(
    ("rows", "patients", "words"),
    [
        (48, 48, "48 patients"),
        (1, 1, "1 patient"),
        (60, 48, "60 lesions of 48 patients"),
        (2, 1, "2 lesions of 1 patient"),
        (0, 0, "0 patients"),
    ],
)
def test_patients_in_words(rows: int, patients: int, words: str) -> None:
    assert patients_in_words(rows, patients) == words
