"""Cohorts as they come: typed, as text, with holes, and wrong in every way."""

import pickle
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.endpoints import LOCAL_CONTROL, OVERALL_SURVIVAL
from outcomes.errors import CohortError, OutcomesError
from outcomes.schema import Cohort, validate_cohort


def patients(**changes: Any) -> pd.DataFrame:
    """Return three good patients: surgery alone, surgery with SBRT, SBRT alone."""
    table: dict[str, Any] = {
        "patient_id": ["a", "b", "c"],
        "kps": [70, 80, 90],
        "sex": ["female", "male", "male"],
        "frankel": ["C", "E", "E"],
        "neurologic_deficit": [True, False, False],
        "escc_grade": ["3", "2", "1a"],
        "procedure": ["separation", "separation", "none"],
        "separation_mm": [2.0, 4.0, np.nan],
        "sbrt": [False, True, True],
        "dose_regimen": ["none", "single_24", "hypofractionated_low"],
        "sbrt_start_months": [np.nan, 0.7, 0.0],
        "os_months": [5.0, 12.0, 20.0],
        "death": [1, 0, 1],
        "lp_months": [3.0, 12.0, 20.0],
        "lp_event": [1, 0, 2],
        "hardware_months": [5.0, 1.0, 20.0],
        "hardware_event": [2, 1, 2],
        "hardware_reoperation": [False, True, False],
        "fracture_months": [5.0, 12.0, 4.0],
        "fracture_event": [2, 0, 1],
        "complication": [True, False, True],
        "wound_infection": [True, False, False],
        "deep_infection": [False, False, False],
        "cerebrospinal_fluid_leak": [False, False, False],
        "vas_after_sbrt": [np.nan, 1.5, 3.0],
    }
    return pd.DataFrame({**table, **changes})


def breaches(frame: pd.DataFrame, **asked: Any) -> list[tuple[str, int | None, str | None]]:
    with pytest.raises(CohortError) as caught:
        validate_cohort(frame, **asked)
    return [(v.column, v.row, v.value) for v in caught.value.violations]


def test_good_patients_pass() -> None:
    cohort = validate_cohort(
        patients(),
        endpoints=[OVERALL_SURVIVAL, "local-control", "hardware-failure"],
        covariates=["kps", "sbrt", "dose_regimen", "separation_mm", "sbrt_start_months"],
    )
    assert isinstance(cohort, Cohort)
    pd.testing.assert_frame_equal(pd.DataFrame(cohort), patients())


def test_only_what_is_asked_for_is_needed() -> None:
    validate_cohort(pd.DataFrame({"os_months": [1.0], "death": [0]}), endpoints=[OVERALL_SURVIVAL])
    validate_cohort(pd.DataFrame({"anything": ["x"]}))
    found = breaches(
        pd.DataFrame({"os_months": [1.0]}), endpoints=[LOCAL_CONTROL, "overall-survival"]
    )
    assert found == [("lp_months", None, None), ("lp_event", None, None), ("death", None, None)]


def test_unknown_columns_are_kept_and_may_be_covariates() -> None:
    frame = patients(marker=[0.1, 0.2, 0.3], clinic=["x", "y", "x"])
    cohort = validate_cohort(frame, covariates=["marker", "clinic"])
    assert cohort["marker"].tolist() == [0.1, 0.2, 0.3]
    assert breaches(patients(marker=[1.0, None, np.inf]), covariates=["marker"]) == [
        ("marker", 2, None),
        ("marker", 3, "inf"),
    ]
    validate_cohort(patients(marker=[1.0, None, np.inf]))


def test_derived_tables_are_plain_and_the_index_is_kept() -> None:
    frame = patients().set_index(pd.Index([7, 8, 9]))
    cohort = validate_cohort(frame, provenance={"seed": 1})
    assert cohort.index.tolist() == [7, 8, 9]
    assert cohort.provenance == {"seed": 1}
    assert validate_cohort(cohort).provenance == {"seed": 1}
    assert type(cohort[["kps"]]) is pd.DataFrame
    assert type(cohort.head(1)) is pd.DataFrame
    assert type(cohort.copy()) is pd.DataFrame
    assert pickle.loads(pickle.dumps(cohort)).provenance == {"seed": 1}  # noqa: S301 - our own


def test_the_table_given_is_left_alone() -> None:
    frame = patients(kps=["70", "80", "90"])
    before = frame.copy(deep=True)
    validate_cohort(frame)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("column", "cells", "expected", "dtype"),
    [
        ("kps", ["70", " 80.0 ", "9e1"], [70, 80, 90], "int64"),
        ("kps", [70.0, 80.0, 90.0], [70, 80, 90], "int64"),
        ("kps", pd.array([70, 80, 90], dtype="Int64"), [70, 80, 90], "int64"),
        ("os_months", ["5", "12", "20"], [5.0, 12.0, 20.0], "float64"),
        ("death", ["Yes", "no", "TRUE"], [1, 0, 1], "int64"),
        ("death", [True, False, True], [1, 0, 1], "int64"),
        ("sbrt", ["False", "yes", "1"], [False, True, True], "bool"),
        ("sbrt", [0, 1, 1.0], [False, True, True], "bool"),
        ("sbrt", pd.array([False, True, True], dtype="boolean"), [False, True, True], "bool"),
        ("sex", ["Female", " MALE", "male"], ["female", "male", "male"], "object"),
        ("sex", pd.Categorical(["female", "male", "male"]), ["female", "male", "male"], "object"),
        ("escc_grade", [3, 2.0, "1A"], ["3", "2", "1a"], "object"),
        ("escc_grade", [3.0, 2.0, 0.0], ["3", "2", "0"], "object"),
        ("frankel", ["c", "e", "E"], ["C", "E", "E"], "object"),
        ("patient_id", [1, 2, 3], ["1", "2", "3"], "object"),
        ("patient_id", [1.0, 2.0, 3.0], ["1", "2", "3"], "object"),
    ],
)
def test_types_are_brought_into_shape(
    column: str, cells: Any, expected: list[Any], dtype: str
) -> None:
    cohort = validate_cohort(patients(**{column: cells}))
    assert cohort[column].tolist() == expected
    assert cohort[column].dtype == dtype


def test_holes_in_a_column_that_is_not_asked_for() -> None:
    frame = patients(
        kps=[70, None, 90],
        sbrt=["no", None, "yes"],
        sex=["female", None, "NA"],
        neurologic_deficit=[True, None, False],
    )
    cohort = validate_cohort(frame)
    assert cohort["kps"].dtype == "float64"
    assert cohort["sbrt"].dtype == "boolean"
    assert cohort["sbrt"].isna().tolist() == [False, True, False]
    assert cohort["sex"].tolist() == ["female", None, None]
    assert breaches(frame, covariates=["kps", "sbrt", "sex"]) == [
        ("kps", 2, None),
        ("sex", 2, None),
        ("sbrt", 2, None),
        ("sex", 3, "NA"),
    ]


@pytest.mark.parametrize(
    ("column", "cells", "row", "value"),
    [
        ("kps", [75, 80, 90], 1, "75"),
        ("kps", [0, 80, 90], 1, "0"),
        ("kps", [70, 110, 90], 2, "110"),
        ("kps", [70, 80.5, 90], 2, "80.5"),
        ("kps", ["70", "good", "90"], 2, "good"),
        ("kps", ["70", "80", "9_0"], 3, "9_0"),
        ("kps", [True, 80, 90], 1, "true"),
        ("sex", ["female", "m", "male"], 2, "m"),
        ("escc_grade", ["3", "1d", "1a"], 2, "1d"),
        ("death", [1, 2, 1], 2, "2"),
        ("death", [1, "perhaps", 1], 2, "perhaps"),
        ("death", [1, 0.5, 1], 2, "0.5"),
        ("os_months", [5, np.inf, 20], 2, "inf"),
        ("os_months", [5, "1,5", 20], 2, "1,5"),
        ("os_months", [5, 601, 20], 2, "601"),
        ("os_months", [5, pd.Timestamp("2020-02-03"), 20], 2, "2020-02-03 00:00:00"),
        ("os_months", [5, [12], 20], 2, "[12]"),
        ("os_months", [5, 12 + 1j, 20], 2, "(12+1j)"),
        ("sbrt", [False, 2, True], 2, "2"),
        ("sbrt", [False, "maybe", True], 2, "maybe"),
        ("separation_mm", [2, -0.1, np.nan], 2, "-0.1"),
        ("dose_regimen", ["none", "24 Gy", "single_24"], 2, "24 Gy"),
    ],
)
def test_wrong_cell(column: str, cells: list[Any], row: int, value: str) -> None:
    frame = patients().drop(columns=[name for name in patients() if "_months" in name])
    frame[column] = pd.Series(cells, dtype=object)
    assert breaches(frame) == [(column, row, value)]


@pytest.mark.parametrize("cells", [[5.0, -1.0, 20.0], pd.to_datetime(["2020-01-01"] * 3)])
def test_times_that_are_none(cells: Any) -> None:
    frame = pd.DataFrame({"os_months": cells, "death": [0, 1, 0]})
    found = breaches(frame, endpoints=[OVERALL_SURVIVAL])
    assert {column for column, _, _ in found} == {"os_months"}


@pytest.mark.parametrize(
    ("changes", "blamed"),
    [
        ({"dose_regimen": ["single_24", "single_24", "single_24"]}, [("dose_regimen", 1)]),
        ({"dose_regimen": ["none", "none", "single_24"]}, [("dose_regimen", 2)]),
        ({"sbrt_start_months": [0.5, 0.7, 0.0]}, [("sbrt_start_months", 1)]),
        ({"sbrt_start_months": [None, 12.5, 0.0]}, [("sbrt_start_months", 2)]),
        ({"lp_months": [5.1, 12.0, 20.0]}, [("lp_months", 1)]),
        ({"lp_months": [3.0, 12.0, 19.0]}, [("lp_event", 3)]),
        ({"lp_event": [1, 2, 2]}, [("lp_event", 2)]),
        ({"lp_event": [1, 0, 0]}, [("lp_event", 3)]),
        ({"hardware_months": [5.0, 13.0, 20.0]}, [("hardware_months", 2)]),
        ({"hardware_event": [0, 1, 2]}, [("hardware_event", 1)]),
        ({"hardware_reoperation": [True, True, False]}, [("hardware_reoperation", 1)]),
        ({"fracture_months": [5.0, 12.5, 4.0]}, [("fracture_months", 2)]),
        ({"fracture_event": [2, 2, 1]}, [("fracture_event", 2)]),
        ({"deep_infection": [False, True, False]}, [("complication", 2)]),
        ({"vas_after_sbrt": [2.0, 1.5, 3.0]}, [("vas_after_sbrt", 1)]),
        ({"neurologic_deficit": [True, True, False]}, [("neurologic_deficit", 2)]),
        ({"frankel": ["E", "E", "E"]}, [("neurologic_deficit", 1)]),
        ({"separation_mm": [2.0, None, None]}, [("separation_mm", 2)]),
        ({"separation_mm": [2.0, 4.0, 4.0]}, [("separation_mm", 3)]),
        ({"patient_id": ["a", "b", "a"]}, [("patient_id", 3)]),
    ],
)
def test_columns_that_contradict_each_other(
    changes: dict[str, Any], blamed: list[tuple[str, int]]
) -> None:
    assert [(column, row) for column, row, _ in breaches(patients(**changes))] == blamed


def test_a_lesion_or_a_study_tells_rows_of_one_patient_apart() -> None:
    twice = {"patient_id": ["a", "a", "a"]}
    validate_cohort(patients(**twice, lesion=[1, 2, 3]))
    validate_cohort(patients(**twice, study=["x", "y", "z"]))
    validate_cohort(patients(patient_id=[None, None, "a"]))
    assert breaches(patients(**twice, lesion=[1, 1, 2])) == [("patient_id", 2, "a")]


def test_conditional_columns_are_complete_where_nothing_excuses_a_hole() -> None:
    frame = pd.DataFrame({"separation_mm": [1.0, None], "sbrt_start_months": [None, 1.0]})
    assert breaches(frame, covariates=["separation_mm", "sbrt_start_months"]) == [
        ("sbrt_start_months", 1, None),
        ("separation_mm", 2, None),
    ]
    assert breaches(patients(sbrt_start_months=None), covariates=["sbrt_start_months"]) == [
        ("sbrt_start_months", 2, None),
        ("sbrt_start_months", 3, None),
    ]


def test_an_unreadable_cell_is_reported_once() -> None:
    assert breaches(patients(separation_mm=["x", 4, None])) == [("separation_mm", 1, "x")]


def test_all_faults_at_once_in_the_order_of_the_rows() -> None:
    frame = patients(kps=[75, 80, "x"], os_months=[5, -1, 20], sex=["f", "male", "male"])
    with pytest.raises(CohortError) as caught:
        validate_cohort(frame, covariates=["age"], source="ward.csv")
    rows = [violation.row for violation in caught.value.violations]
    assert rows == sorted(rows, key=lambda row: row or 0)
    message = str(caught.value)
    assert message.startswith(f"ward.csv: {caught.value.total} violations\n")
    for line in (
        "column age: missing; allowed: a column age: a number from 0 to 120 (years)",
        "row 1, kps: found '75'; allowed: a whole number from 10 to 100 in steps of 10 (points)",
        "row 1, sex: found 'f'; allowed: female, male",
        "row 2, os_months: found '-1'; allowed: a number from 0 to 600 (months since surgery)",
        "row 3, kps: found 'x'",
    ):
        assert f"  {line}" in message


def test_a_missing_column_names_the_one_that_comes_close() -> None:
    with pytest.raises(CohortError, match="the table has 'OS Months '"):
        validate_cohort(
            pd.DataFrame({"OS Months ": [1], "death": [0]}), endpoints=[OVERALL_SURVIVAL]
        )


def test_tables_of_the_wrong_shape() -> None:
    assert breaches(patients().head(0)) == [("(table)", None, "no row")]
    doubled = pd.concat([patients(), patients()[["kps"]]], axis=1)
    assert [column for column, _, _ in breaches(doubled)] == ["kps"]
    with pytest.raises(OutcomesError, match="cohort: found list; allowed: a pandas DataFrame"):
        validate_cohort([1, 2])  # type: ignore[arg-type]
    with pytest.raises(
        OutcomesError, match="unknown endpoint 'survival'; allowed: overall-survival"
    ):
        validate_cohort(patients(), endpoints=["survival"])


def test_a_long_value_is_cut() -> None:
    assert [
        len(value or "") for _, _, value in breaches(patients(sex=["x" * 10_000, "male", "male"]))
    ] == [60]


def test_the_error_survives_pickling() -> None:
    with pytest.raises(CohortError) as caught:
        validate_cohort(patients(kps=75))
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert str(again) == str(caught.value)
    assert again.total == 3


def test_huge_cohorts_are_checked_fast_and_reported_briefly() -> None:
    n = 200_000
    rng = np.random.default_rng(1)
    months = rng.uniform(0, 30, n)
    frame = pd.DataFrame(
        {
            "patient_id": [f"p{number}" for number in range(n)],
            "kps": np.full(n, 75),
            "sex": rng.choice(["female", "male"], n),
            "sbrt": rng.random(n) < 0.5,
            "os_months": -months,
            "death": rng.integers(0, 2, n),
        }
    )
    start = time.perf_counter()
    with pytest.raises(CohortError) as caught:
        validate_cohort(frame, endpoints=[OVERALL_SURVIVAL], covariates=["kps"])
    # A million rows may take a few seconds; this is a fifth, with room for a busy machine.
    assert time.perf_counter() - start < 5
    assert caught.value.total == n + int((months > 0).sum())
    assert len(caught.value.violations) == 100
    assert len(str(caught.value)) < 20_000
    assert f"{caught.value.total} violations, 100 listed" in str(caught.value)


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["none", "yes", "1a", "E", "70", "female", "separation"]),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[CELLS] * 5), min_size=1, max_size=4))
def test_any_table_passes_or_is_refused_with_reasons(rows: list[tuple[Any, ...]]) -> None:
    names = ["kps", "sbrt", "dose_regimen", "os_months", "death"]
    frame = pd.DataFrame(rows, columns=pd.Index(names))
    try:
        cohort = validate_cohort(frame, covariates=names)
    except CohortError as error:
        assert error.total > 0  # noqa: PT017 - either way is right, an exception of another kind is not
    else:
        assert cohort["kps"].isin(range(10, 101, 10)).all()
        assert cohort["os_months"].between(0, 600).all()
        # What has passed passes again, unchanged.
        pd.testing.assert_frame_equal(validate_cohort(cohort), cohort)


def test_the_cohort_shares_no_memory_with_the_table() -> None:
    frame = pd.DataFrame(
        {"kps": [70, 80], "age": [60.5, 70.5], "sbrt": [True, False], "marker": [0.1, 0.2]}
    )
    cohort = validate_cohort(frame)
    for name in frame.columns:
        assert not np.shares_memory(frame[name].to_numpy(), cohort[name].to_numpy()), name


def test_column_names_of_two_levels() -> None:
    frame = pd.DataFrame({("kps", "x"): [70], ("sex", "x"): ["male"]})
    with pytest.raises(OutcomesError, match="found column names of 2 levels; allowed: one level"):
        validate_cohort(frame)
