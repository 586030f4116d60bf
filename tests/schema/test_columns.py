"""The table of columns."""

import pandas as pd
import pandera.pandas as pa
import pytest

from outcomes.endpoints import ENDPOINTS
from outcomes.noms import ESCC_GRADES
from outcomes.schema import COLUMNS, pandera_schema
from outcomes.schema.validation import ENDPOINT_COLUMNS

ASKED_FOR = [
    "patient_id",
    "study",
    "age",
    "sex",
    "primary_tumor",
    "radiosensitive",
    "kps",
    "frankel",
    "neurologic_deficit",
    "escc_grade",
    "mechanical_instability",
    "progressive_systemic_disease",
    "visceral_metastases",
    "embolization",
    "systemic_therapy_after",
    "procedure",
    "approach",
    "resection",
    "chest_wall_resection",
    "construct_levels",
    "separation_mm",
    "sbrt",
    "dose_regimen",
    "sbrt_start_months",
    "complication",
    "os_months",
    "death",
    "lp_months",
    "lp_event",
    "hardware_months",
    "hardware_event",
    "vas_before",
    "vas_after",
    "frankel_after",
    "lesion",
    "study_arm",
    "blood_loss_ml",
    "operation_hours",
    "bed_rest_days",
    "hospital_stay_days",
    "wound_infection",
    "deep_infection",
    "cerebrospinal_fluid_leak",
    "radiation_myelopathy",
    "esophagitis",
    "vas_after_sbrt",
    "pain_relief",
    "kps_after",
    "muscle_strength_change",
    "fracture_months",
    "fracture_event",
    "hardware_reoperation",
]


def test_holds_the_columns_asked_for() -> None:
    assert set(COLUMNS) == set(ASKED_FOR)


def test_name_is_the_key_and_everything_is_explained() -> None:
    for name, column in COLUMNS.items():
        assert column.name == name
        assert column.meaning
        assert column.allowed


def test_endpoints_agree_with_the_schema() -> None:
    assert {name: endpoint.columns for name, endpoint in ENDPOINTS.items()} == ENDPOINT_COLUMNS
    for endpoint in ENDPOINTS.values():
        assert COLUMNS[endpoint.event_column].codes == endpoint.events


def test_noms_knows_the_same_grades() -> None:
    assert COLUMNS["escc_grade"].categories == ESCC_GRADES


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("kps", "a whole number from 10 to 100 in steps of 10 (points)"),
        ("lesion", "a whole number of at least 1"),
        ("sbrt", "true, false"),
        ("sex", "female, male"),
        ("death", "0 (censored), 1 (death)"),
        ("patient_id", "text"),
    ],
)
def test_allowed_in_words(name: str, allowed: str) -> None:
    assert COLUMNS[name].allowed == allowed


def test_pandera_schema_can_be_used_alone() -> None:
    schema = pandera_schema({"kps": COLUMNS["kps"]})
    schema.validate(pd.DataFrame({"kps": [10, 100], "other": ["x", "y"]}))
    with pytest.raises(pa.errors.SchemaError):
        schema.validate(pd.DataFrame({"kps": [75]}))
