"""The commands as a user runs them."""

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from outcomes.cli import main
from outcomes.models import load_model

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def outcomes(*arguments):
    """Run the command line as its entry point does."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["outcomes", *map(str, arguments)])
        patch.setenv("COLUMNS", "100")
        patch.setenv("NO_COLOR", "1")
        try:
            main()
            status = 0
        except SystemExit as stop:
            status = stop.code or 0
    return Done(status, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="module")
def cohort(folder):
    path = folder / "liu.csv"
    done = outcomes("simulate", "--study", "liu-2020", "-n", 1500, "--seed", 3, "--out", path)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def model(folder, cohort):
    path = folder / "os.model"
    done = outcomes(
        "fit", cohort, "--endpoint", "overall-survival", "--covariates", "kps,sbrt", "--out", path
    )
    assert done.returncode == 0, done.stderr
    return path


def refused(done, status, *parts):
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr


def test_help_lists_every_command():
    done = outcomes("--help")
    assert done.returncode == 0
    commands = "run evidence calibrate simulate validate fit evaluate predict compare noms"
    assert [name for name in commands.split() if name not in done.stdout] == []


def test_help_does_not_import_the_slow_libraries():
    code = (
        "import sys, outcomes.cli\n"
        "slow = {'lifelines', 'sksurv', 'numpy', 'pandas', 'scipy', 'plotly'} & set(sys.modules)\n"
        "raise SystemExit(f'imported: {slow}' if slow else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert done.returncode == 0, done.stderr


def test_python_dash_m_runs_the_commands():
    command = [sys.executable, "-m", "outcomes", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=True)
    assert done.stdout.strip() == "0.1.0"


def test_evidence_prints_figures_and_assumptions():
    done = outcomes("evidence")
    assert done.returncode == 0
    assert "Laufer 2013" in done.stdout
    assert "16.4 percent" in done.stdout
    assert "death_hr_sbrt" in done.stdout


def test_evidence_as_json():
    data = json.loads(outcomes("evidence", "--json").stdout)
    by_id = {figure["id"]: figure for figure in data["figures"]}
    assert by_id["liu-2020/overall_survival_median/sbrt"]["value"] == 38
    assert data["assumptions"]


def test_audit_prints_contradictions_first():
    done = outcomes("evidence", "--audit")
    assert done.returncode == 0
    headings = [line for line in done.stdout.splitlines() if line and not line.startswith(" ")]
    assert [line.split(":")[0] for line in headings] == ["Contradictions", "Improbable", "Readings"]
    assert "Gong 2021: parts against their whole" in done.stdout
    assert "prints 15" in " ".join(done.stdout.split())


def test_audit_as_json_of_one_study():
    done = outcomes("evidence", "--audit", "--json", "--study", "liu-2020")
    findings = json.loads(done.stdout)["findings"]
    keys = {"check", "severity", "study", "figures", "statement", "numbers", "probability"}
    assert all(set(finding) == keys for finding in findings)
    assert {finding["study"] for finding in findings} == {"liu-2020", ""}
    (deaths,) = [finding for finding in findings if finding["check"] == "deaths"]
    assert 0.01 < deaths["probability"] < 0.05
    assert all("liu-2020/" in " ".join(finding["figures"]) for finding in findings)


def test_audit_of_an_own_file(folder):
    path = folder / "gong.toml"
    path.write_text(
        """
[[figure]]
id = "gong-2021/patients/moderate"
arm = "moderate"
estimand = "count"
role = "fit"
value = 18
unit = "patients"
n = 36
source = "The study itself"
""",
        encoding="utf-8",
    )
    done = outcomes("evidence", "--audit", "--evidence", path, "--study", "gong-2021")
    assert done.returncode == 0
    assert "parts against their whole" not in done.stdout
    assert "source paper against the primary study" in done.stdout


def test_audit_of_figures_that_go_together(folder):
    own = folder / "own"
    own.mkdir()
    (own / "study.toml").write_text(
        """
[study]
id = "own-2024"
title = "Own 2024"
n = 20
design = "One series"
citation = "None."

[[figure]]
id = "own-2024/local_progression_crude"
estimand = "crude_proportion"
role = "check"
value = 25.0
n = 20
unit = "percent"
source = "Table 1"
""",
        encoding="utf-8",
    )
    done = outcomes("evidence", "--audit", "--evidence", own)
    assert done.returncode == 0
    assert "Nothing found" in done.stdout


def test_simulate_writes_the_same_bytes_for_the_same_seed(folder):
    first, second = folder / "a.parquet", folder / "b.parquet"
    for path in (first, second):
        assert (
            outcomes(
                "simulate", "--study", "gong-2021", "-n", 300, "--seed", 1, "--out", path
            ).returncode
            == 0
        )
    assert first.read_bytes() == second.read_bytes()


def test_a_simulated_cohort_validates(cohort):
    done = outcomes("validate", cohort, "--endpoint", "local-control")
    assert done.returncode == 0, done.stderr
    assert "1,500 rows keep the schema" in done.stderr
    assert done.stdout == ""


def test_every_violation_is_reported_and_nothing_written(folder, cohort):
    table = pd.read_csv(cohort, keep_default_na=False)
    table.loc[0, "kps"] = 75
    table.loc[2, "sex"] = "unknown"
    table["os_months"] = table["os_months"].astype(object)
    table.loc[4, "os_months"] = -1
    wrong, out = folder / "wrong.csv", folder / "clean.parquet"
    table.to_csv(wrong, index=False)
    done = outcomes("validate", wrong, "--out", out)
    refused(done, 3, "row 1, kps", "75", "row 3, sex", "female, male", "row 5, os_months", "-1")
    assert not out.exists()
    done = outcomes("fit", wrong, "--endpoint", "overall-survival", "--out", folder / "never.model")
    refused(done, 3, "row 1, kps")
    assert not (folder / "never.model").exists()


def test_fit_needs_only_the_endpoint_and_the_covariates(folder, cohort):
    narrow = folder / "narrow.csv"
    table = pd.read_csv(cohort)[["os_months", "death", "kps", "age"]]
    table.assign(my_marker=table["age"] * 2).to_csv(narrow, index=False)
    done = outcomes(
        "fit",
        narrow,
        "--endpoint",
        "overall-survival",
        "--covariates",
        "kps,my_marker",
        "--out",
        folder / "narrow.model",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    rows = {row["covariate"]: row for row in result["coefficients"]}
    assert len(rows) == 2
    for row in rows.values():
        assert {"covariate", "log_hr", "se", "hr", "lower", "upper", "p"} <= set(row)
        assert row["lower"] < row["hr"] < row["upper"]


def test_predict_writes_a_row_for_each_patient_and_month(folder, cohort, model):
    for ending in ("csv", "json", "parquet"):
        out = folder / f"prediction.{ending}"
        done = outcomes("predict", model, cohort, "--times", "3,12", "--out", out)
        assert done.returncode == 0, done.stderr
    table = pd.read_csv(folder / "prediction.csv")
    assert len(table) == 3_000
    assert table["probability"].between(table["lower"], table["upper"]).all()
    records = json.loads((folder / "prediction.json").read_text())
    assert records[0]["month"] == 3
    assert pd.read_parquet(folder / "prediction.parquet")["probability"].between(0, 1).all()


def test_evaluate_writes_metrics(folder, cohort, model):
    out = folder / "metrics.json"
    done = outcomes("evaluate", model, cohort, "--out", out)
    assert done.returncode == 0, done.stderr
    metrics = json.loads(out.read_text())["overall-survival"]["cox"]
    assert 0.5 < metrics["c_index"]["value"] < 0.9
    assert metrics["c_index"]["lower"] < metrics["c_index"]["value"] < metrics["c_index"]["upper"]


def test_compare_writes_a_page_and_the_numbers(folder, cohort):
    out = folder / "comparison"
    done = outcomes("compare", cohort, "--out", out)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in out.iterdir()} == {
        ".separation-outcomes",
        "comparison.csv",
        "comparison.html",
        "comparison.json",
        "page.json",
    }
    rungs = json.loads((out / "comparison.json").read_text())
    keys = {"method", "estimand", "endpoint", "horizon_months", "value", "lower", "upper", "p"}
    assert all(keys <= set(rung) for rung in rungs)
    again = outcomes("compare", cohort, "--out", out)
    refused(again, 3, "already there", "--force")
    assert outcomes("compare", cohort, "--out", out, "--force").returncode == 0
    (out / "thesis.docx").write_text("years of work")
    refused(outcomes("compare", cohort, "--out", out, "--force"), 3, "thesis.docx")
    assert (out / "thesis.docx").read_text() == "years of work"


def test_compare_says_what_it_cannot_split(folder, cohort):
    never = folder / "never"
    done = outcomes("compare", cohort, "--treatment", "kps", "--out", never)
    refused(done, 3, "liu.csv: 1 violation", "column kps", "two values")
    refused(outcomes("compare", cohort, "--treatment", "death", "--out", never), 3, "an outcome")
    one = folder / "one.csv"
    pd.read_csv(cohort, dtype={"escc_grade": str}, keep_default_na=False).head(1).to_csv(
        one, index=False
    )
    refused(outcomes("compare", one, "--out", never), 3, "one.csv", "column sbrt", "only")
    assert not never.exists()


@pytest.mark.parametrize("case", ["censored", "one a arm", "beyond follow-up"])
def test_compare_gives_a_page_of_whatever_can_be_said(case, folder, cohort):
    table = pd.read_csv(cohort, dtype={"escc_grade": str}, keep_default_na=False)
    if case == "censored":
        table = table.head(60).assign(death=0, lp_event=0)
        for event in ("hardware_event", "fracture_event"):
            table[event] = table[event].replace(2, 0)
    elif case == "one a arm":
        table = table.groupby("sbrt").head(1)
    given, out = folder / f"{case}.csv", folder / f"page {case}"
    table.to_csv(given, index=False)
    horizon = "24,12,12,500" if case == "beyond follow-up" else "12"
    done = outcomes("compare", given, "--horizon", horizon, "--out", out)
    assert done.returncode == 0, done.stderr
    assert (out / "comparison.html").stat().st_size > 10_000
    rungs = json.loads((out / "comparison.json").read_text())
    wanted = ("crude", "risk_treated", "overall-survival")
    months = [
        rung["horizon_months"]
        for rung in rungs
        if (rung["method"], rung["estimand"], rung["endpoint"]) == wanted
    ]
    assert months == sorted(set(map(float, horizon.split(","))))


def test_an_output_is_never_an_input(folder, cohort, model):
    before = {path: path.read_bytes() for path in (cohort, model)}
    link = folder / "link.csv"
    link.symlink_to(cohort)
    fit = ["fit", cohort, "--endpoint", "overall-survival", "--out"]
    for arguments in (
        [*fit, cohort],
        [*fit, folder / "new.csv"],
        [*fit, folder / "new.json"],
        [*fit, folder / "new.parquet"],
        ["validate", cohort, "--out", cohort],
        ["validate", cohort, "--out", link],
        ["validate", link, "--out", folder / ".." / folder.name / "liu.csv"],
        ["predict", model, cohort, "--out", cohort],
        ["compare", cohort, "--out", folder, "--force"],
    ):
        refused(outcomes(*arguments), 2)
    refused(outcomes(*fit, cohort), 2, "would replace")
    plain = folder / "plain"
    plain.write_bytes(model.read_bytes())
    hard = folder / "hard.json"
    hard.hardlink_to(plain)
    refused(outcomes("evaluate", plain, cohort, "--out", hard), 2, "would replace")
    assert {path: path.read_bytes() for path in before} == before
    assert not (folder / "new.csv").exists()


def test_every_command_makes_missing_folders(folder, cohort, model):
    deep = folder / "deep"
    commands = (
        ["simulate", "--study", "liu-2020", "-n", 20, "--out", deep / "a" / "c.csv"],
        ["validate", cohort, "--out", deep / "b" / "c.parquet"],
        ["predict", model, cohort, "--out", deep / "c" / "p.csv"],
        ["evaluate", model, cohort, "--out", deep / "d" / "m.json"],
        [
            *("fit", cohort, "--endpoint", "overall-survival"),
            *("--covariates", "kps", "--out", deep / "e" / "m.model"),
        ],
    )
    for arguments in commands:
        done = outcomes(*arguments)
        assert done.returncode == 0, done.stderr
        assert Path(arguments[-1]).exists()


def test_fit_prints_every_note(folder):
    lesions, out = folder / "laufer.csv", folder / "laufer.model"
    outcomes("simulate", "--study", "laufer-2013", "-n", 300, "--out", lesions)
    table = pd.read_csv(lesions, dtype={"escc_grade": str}, keep_default_na=False)
    further = table.iloc[:40].assign(lesion=9)
    pd.concat([table, further]).to_csv(lesions, index=False)
    fit = ["fit", lesions, "--json", "--endpoint"]
    done = outcomes(*fit, "overall-survival", "--out", out)
    assert done.returncode == 0, done.stderr
    notes = json.loads(done.stdout)["notes"]
    assert [note for note in notes if note not in done.stderr] == []
    constant = [name for name, why in load_model(out).design_.omitted.items() if why]
    assert constant
    assert all(any(name in note for note in notes) for name in constant)
    patients = table["patient_id"].nunique()
    assert f"{340 - patients} further rows of the same patients are left out" in done.stderr
    assert json.loads(done.stdout)["n"] == patients
    done = outcomes(*fit, "local-control", "--out", folder / "laufer-lc.model")
    assert json.loads(done.stdout)["n"] == 340
    done = outcomes("evaluate", out, lesions, "--out", folder / "laufer.json")
    assert "further rows of the same patients are left out" in done.stderr


def test_months_are_sorted_and_each_is_taken_once(folder, cohort, model):
    out = folder / "repeated.csv"
    done = outcomes("predict", model, cohort, "--times", "12,3,3.0,12", "--out", out)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(out)
    assert table["month"].tolist()[:3] == [3, 12, 3]
    assert set(table["series"]) == {"liu-2020"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
def test_being_terminated_leaves_nothing_behind(folder):
    out = folder / "terminated" / "c.csv"
    command = [sys.executable, "-m", "outcomes", "simulate", "--study", "liu-2020"]
    command += ["-n", "50000000", "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Drawing part 2 "):
            break
    assert list(out.parent.iterdir())
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "treatment"),
    [
        (
            ["--radioresistant", "--escc", "3", "--stable", "--operable"],
            "separation_surgery_and_sbrt",
        ),
        (
            ["--radiosensitive", "--escc", "3", "--stable", "--operable"],
            "conventional_radiotherapy",
        ),
        (["--radioresistant", "--escc", "1b", "--unstable", "--operable"], "sbrt"),
        (["--radioresistant", "--escc", "2", "--stable", "--inoperable"], "radiotherapy"),
    ],
)
def test_noms_decides_with_reasons(arguments, treatment):
    done = outcomes("noms", *arguments, "--json")
    decision = json.loads(done.stdout)
    assert decision["treatment"] == treatment
    assert all(step["reason"] for step in decision["steps"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["noms", "--radioresistant", "--escc", "4", "--stable", "--operable"],
        ["noms", "--escc", "2"],
        ["simulate", "--study", "liu-2020", "-n", "0", "--out", "x.csv"],
        ["simulate", "--study", "liu-2020", "-n", "5", "--out", "x.xlsx"],
        ["simulate", "--study", "liu-2020", "-n", "many", "--out", "x.csv"],
        ["fit", "x.csv", "--endpoint", "pain", "--out", "m"],
        [
            "fit",
            "x.csv",
            "--endpoint",
            "overall-survival",
            "--covariates",
            "kps,,age",
            "--out",
            "m",
        ],
        ["compare", "x.csv", "--endpoint", "pain", "--out", "d"],
        ["compare", "x.csv", "--horizon", "soon", "--out", "d"],
        ["compare", "x.csv", "--horizon", "0,12", "--out", "d"],
        ["evaluate", "x.model", "x.csv", "--horizons", "0", "--out", "m.json"],
        ["calibrate", "--out", "calibration.txt"],
        ["run", "--out", "d", "--n", "10"],
        ["unknown"],
    ],
)
def test_wrong_usage_is_status_2(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(outcomes(*arguments), 2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["validate", "nowhere.csv"], "nowhere.csv"),
        (["simulate", "--study", "smith-1999", "-n", "5", "--out", "x.csv"], "smith-1999"),
        (["fit", "nowhere.csv", "--endpoint", "overall-survival", "--out", "m"], "nowhere.csv"),
        (["predict", "nowhere.model", "nowhere.csv", "--out", "p.csv"], "nowhere.model"),
        (["evidence", "--study", "smith-1999"], "smith-1999"),
        (["evidence", "--evidence", "nowhere.toml"], "nowhere.toml"),
        (["compare", "nowhere.csv", "--out", "d"], "nowhere.csv"),
    ],
)
def test_unusable_data_is_status_3(arguments, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(outcomes(*arguments), 3, part)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_model_file_is_status_3(folder, model, cohort):
    damaged = Path(folder / "damaged.model")
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged.write_bytes(bytes(content))
    done = outcomes("predict", damaged, cohort, "--out", folder / "never.csv")
    refused(done, 3, "damaged.model")
    assert not (folder / "never.csv").exists()
