"""Cohorts in files, and a hospital's own names and codes."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from outcomes.endpoints import OVERALL_SURVIVAL
from outcomes.errors import CohortError, OutcomesError
from outcomes.schema import Cohort, apply_mapping, read_cohort, validate_cohort, write_cohort
from outcomes.schema.files import PROVENANCE_KEY


def patients() -> Cohort:
    frame = pd.DataFrame(
        {
            "patient_id": ["007", "008"],
            "escc_grade": ["2", "3"],
            "kps": [70, 80],
            "sbrt": [False, True],
            "dose_regimen": ["none", "single_24"],
            "separation_mm": [np.nan, 1 / 3],
            "os_months": [1 / 7, 12.0],
            "death": [1, 0],
            "marker": [0.1, 0.2],
        }
    )
    return validate_cohort(frame, provenance={"seed": 3})


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".PARQUET"])
def test_what_is_written_is_read_again(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"cohort{ending}"
    write_cohort(patients(), path)
    cohort = Cohort.read(path, endpoints=[OVERALL_SURVIVAL], covariates=["kps"])
    pd.testing.assert_frame_equal(pd.DataFrame(cohort), pd.DataFrame(patients()), check_exact=True)
    assert cohort.provenance == ({} if ending == ".csv" else {"seed": 3})
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_parts_are_written_as_one(ending: str, tmp_path: Path) -> None:
    first, second = pd.DataFrame(patients()).iloc[:1], pd.DataFrame(patients()).iloc[1:]
    whole, parts = tmp_path / f"whole{ending}", tmp_path / f"parts{ending}"
    write_cohort(patients(), whole)
    write_cohort(iter([first, second]), parts, provenance={"seed": 3})
    pd.testing.assert_frame_equal(read_cohort(parts), read_cohort(whole))
    assert read_cohort(parts).provenance == read_cohort(whole).provenance


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_same_cohort_same_bytes(ending: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_cohort(patients(), tmp_path / f"{name}{ending}")
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_text("before", encoding="utf-8")

    def parts() -> Any:
        yield patients()
        yield patients()[["kps"]]

    with pytest.raises(OutcomesError, match=r"found a part with the columns kps; allowed: patient"):
        write_cohort(parts(), path)
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_written_files_are_readable_by_others(tmp_path: Path) -> None:
    write_cohort(patients(), tmp_path / "cohort.csv")
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "cohort.csv").stat().st_mode & 0o777 == 0o666 & ~mask


def test_small_types_are_written_as_the_schema_says(tmp_path: Path) -> None:
    small = pd.DataFrame(
        {
            "sex": pd.Categorical(["male", None]),
            "kps": np.array([70, 80], dtype=np.int8),
            "os_months": np.array([0.5, 1.5], dtype=np.float32),
            "sbrt": pd.array([True, None], dtype="boolean"),
            "frankel": [None, None],
        }
    )
    write_cohort(small, tmp_path / "cohort.parquet")
    cohort = read_cohort(tmp_path / "cohort.parquet")
    assert cohort["kps"].dtype == "int64"
    assert cohort["os_months"].tolist() == [0.5, 1.5]
    assert cohort["sex"].tolist() == ["male", None]
    assert cohort["sbrt"].isna().tolist() == [False, True]
    assert cohort["frankel"].tolist() == [None, None]


def test_unchecked_cells_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutcomesError, match=r"cohort\.parquet: does not fit the schema"):
        write_cohort(pd.DataFrame({"kps": ["high"]}), tmp_path / "cohort.parquet")
    assert not list(tmp_path.iterdir())


def test_writing_where_one_cannot(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    with pytest.raises(OutcomesError, match=r"cohort\.csv: cannot be written"):
        write_cohort(patients(), tmp_path / "file" / "cohort.csv")
    with pytest.raises(OutcomesError, match=r"unknown ending '\.xlsx'; allowed: \.csv, \.parquet"):
        write_cohort(patients(), tmp_path / "cohort.xlsx")
    with pytest.raises(OutcomesError, match="nothing to write"):
        write_cohort([], tmp_path / "cohort.csv")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.csv", None, "there is no such file"),
        ("cohort.xlsx", b"", r"unknown ending '\.xlsx'; allowed: \.csv, \.parquet"),
        ("empty.csv", b"", "the file is empty"),
        ("empty.parquet", b"", "is no readable parquet file"),
        ("broken.parquet", b"PAR1 and then nothing", "is no readable parquet file"),
        ("latin.csv", "kps,sex\n70,Müller\n".encode("latin-1"), "is not text in UTF-8"),
        ("long.csv", b"kps,sex\n70,male,1\n80,male,1\n", "is no readable csv file"),
        ("german.csv", b"kps;sex\n70;male\n", "separated by semicolons; allowed: commas"),
        ("tabs.csv", b"kps\tsex\n70\tmale\n", "separated by tabs; allowed: commas"),
        ("ragged.csv", b"kps,sex\n70,male\n80,male,3\n90,male\n", "is no readable csv file"),
    ],
)
def test_unreadable_files(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OutcomesError, match=message) as caught:
        read_cohort(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("stored", "message"),
    [(b"[1, 2]", "no JSON object"), (b"{", "not JSON"), (b"\xff", "not JSON")],
)
def test_provenance_of_another_kind(stored: bytes, message: str, tmp_path: Path) -> None:
    table = pa.table({"kps": [70]}).replace_schema_metadata({PROVENANCE_KEY: stored})
    pq.write_table(table, tmp_path / "cohort.parquet")
    with pytest.raises(OutcomesError, match=rf"cohort\.parquet: its provenance is {message}"):
        read_cohort(tmp_path / "cohort.parquet")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "cohort.csv").mkdir()
    with pytest.raises(OutcomesError, match="cannot be read"):
        read_cohort(tmp_path / "cohort.csv")


def test_csv_as_spreadsheets_write_it(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_bytes(
        b"\xef\xbb\xbfpatient_id,kps,dose_regimen,escc_grade,sbrt\r\n"
        b"007,70.0,None,2,no\r\n"
        b'"8, left",80,none,1a,\r\n'
    )
    cohort = read_cohort(path)
    assert cohort["patient_id"].tolist() == ["007", "8, left"]
    assert cohort["kps"].tolist() == [70, 80]
    assert cohort["dose_regimen"].tolist() == ["none", "none"]
    assert cohort["escc_grade"].tolist() == ["2", "1a"]
    assert cohort["sbrt"].isna().tolist() == [False, True]


def test_faults_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ward.csv"
    path.write_text("kps,kps\n70,80\n", encoding="utf-8")
    with pytest.raises(
        CohortError, match="kps: found 'more than one column of this name'"
    ) as caught:
        read_cohort(path)
    assert str(caught.value).startswith(f"{path}: 1 violation\n")
    path.write_text("kps,sex\n", encoding="utf-8")
    with pytest.raises(CohortError, match="no row"):
        read_cohort(path)


MAPPING = """
[columns]
kps = "Karnofsky"
os_months = "days alive"
death = "dead"
sex = "gender"
frankel = "Frankel pre"
neurologic_deficit = "Frankel pre"
age = "years x 10"

[values.sex]
1 = "male"
2 = "female"

[values.neurologic_deficit]
C = true
E = false

[scale.os_months]
per = "days"

[scale.age]
factor = 0.1
"""


def hospital() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Karnofsky": ["70", "80"],
            "days alive": [30.4375, 365.25],
            "dead": ["yes", "no"],
            "gender": [1, 2.0],
            "Frankel pre": ["C", "E"],
            "years x 10": [600, 655],
            "ward": ["x", "y"],
        }
    )


def test_mapping(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING, encoding="utf-8")
    cohort = validate_cohort(
        apply_mapping(hospital(), path),
        endpoints=[OVERALL_SURVIVAL],
        covariates=["kps", "sex", "ward", "neurologic_deficit"],
    )
    assert cohort["os_months"].tolist() == pytest.approx([1.0, 12.0])
    assert cohort["age"].tolist() == pytest.approx([60.0, 65.5])
    assert cohort["sex"].tolist() == ["male", "female"]
    assert cohort["neurologic_deficit"].tolist() == [True, False]
    assert cohort["death"].tolist() == [1, 0]
    assert set(cohort.columns) == {
        *("kps", "os_months", "death", "sex", "frankel", "neurologic_deficit", "age", "ward")
    }
    hospital().to_csv(tmp_path / "ward.csv", index=False)
    read = read_cohort(tmp_path / "ward.csv", mapping=path)
    pd.testing.assert_frame_equal(read, cohort)


def test_mapping_may_exchange_codes_and_names(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(
        '[columns]\nvas_before = "vas_after"\nvas_after = "vas_before"\n'
        "[values.death]\n0 = 1\n1 = 0\n",
        encoding="utf-8",
    )
    frame = pd.DataFrame({"vas_before": [1, 2], "vas_after": [3, 4], "death": [0, 1]})
    mapped = apply_mapping(frame, path)
    assert mapped["vas_before"].tolist() == [3, 4]
    assert mapped["vas_after"].tolist() == [1, 2]
    assert mapped["death"].tolist() == [1, 0]


def test_codes_that_the_mapping_does_not_name_are_left_to_the_schema(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text('[values.sex]\n1 = "male"\n', encoding="utf-8")
    mapped = apply_mapping(pd.DataFrame({"sex": [1, 9, None]}), path)
    with pytest.raises(CohortError, match="row 2, sex: found '9'; allowed: female, male"):
        validate_cohort(mapped)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[columns", ("is not TOML",)),
        ('[colums]\nkps = "Karnofsky"', ("colums", "columns, values, scale")),
        ("columns = 3", ("columns", "3")),
        ('[columns]\nkpss = "Karnofsky"', ("columns.kpss", "kps")),
        ("[columns]\nkps = 3", ("columns.kps", "3", "in quotes")),
        ('[columns]\nkps = "karnofsky"', ("columns.kps", "'karnofsky'", "Karnofsky")),
        ("[values]\nsex = 3", ("values.sex", "3", "[values.sex]")),
        ("[values.sex]\nf = [1]", ("values.sex.f", "[1]")),
        ('[values.sex]\nf = "female"', ("values.sex", "a column of the table")),
        ('[scale.sex]\nper = "days"', ("scale.sex", "os_months")),
        ('[scale.os_months]\nper = "hours"', ("scale.os_months.per", "'hours'", "days")),
        ('[scale.kps]\nper = "days"', ("scale.kps.per", "'days'", "factor")),
        ("[scale.kps]\nfactor = 0", ("scale.kps.factor", "0")),
        ("[scale.kps]\nfactor = true", ("scale.kps.factor", "True")),
        ("[scale.kps]", ("scale.kps", "either per or factor")),
        (
            '[columns]\nkps = "ward"\n[scale.kps]\nfactor = 10',
            ("scale.kps", "'x'", "row 1 of the table"),
        ),
    ],
)
def test_faults_of_a_mapping(text: str, parts: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(OutcomesError) as caught:
        apply_mapping(hospital(), path)
    assert str(path) in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


def test_mapping_onto_a_name_the_table_has_already(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text('[columns]\nkps = "Karnofsky"\n', encoding="utf-8")
    with pytest.raises(OutcomesError, match=r"columns\.kps: .*the table has already"):
        apply_mapping(hospital().assign(kps=70), path)
    with pytest.raises(OutcomesError, match=r"absent\.toml: cannot be read"):
        apply_mapping(hospital(), tmp_path / "absent.toml")
