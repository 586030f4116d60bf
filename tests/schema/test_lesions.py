"""Several lesions of one patient."""

import pandas as pd

from outcomes.schema import Cohort, one_row_per_patient, validate_cohort


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
