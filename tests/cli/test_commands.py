"""The commands as a user runs them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def test_help_lists_every_command(outcomes):
    done = outcomes("--help")
    assert done.status == 0
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


def test_simulate_writes_the_same_bytes_for_the_same_seed(outcomes, folder):
    first, second = folder / "a.parquet", folder / "b.parquet"
    for path in (first, second):
        assert (
            outcomes(
                "simulate", "--study", "gong-2021", "-n", 300, "--seed", 1, "--out", path
            ).status
            == 0
        )
    assert first.read_bytes() == second.read_bytes()


def test_a_simulated_cohort_validates(outcomes, cohort):
    done = outcomes("validate", cohort, "--endpoint", "local-control")
    assert done.status == 0, done.stderr
    assert "1,500 rows keep the schema" in done.stderr
    assert done.stdout == ""


def test_every_violation_is_reported_and_nothing_written(outcomes, folder, cohort):
    table = pd.read_csv(cohort, keep_default_na=False)
    table.loc[0, "kps"] = 75
    table.loc[2, "sex"] = "unknown"
    table["os_months"] = table["os_months"].astype(object)
    table.loc[4, "os_months"] = -1
    wrong, out = folder / "wrong.csv", folder / "clean.parquet"
    table.to_csv(wrong, index=False)
    done = outcomes("validate", wrong, "--out", out)
    done.refused(3, "row 1, kps", "75", "row 3, sex", "female, male", "row 5, os_months", "-1")
    assert not out.exists()
    done = outcomes("fit", wrong, "--endpoint", "overall-survival", "--out", folder / "never.model")
    done.refused(3, "row 1, kps")
    assert not (folder / "never.model").exists()


def test_an_output_is_never_an_input(outcomes, folder, cohort, model):
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
        outcomes(*arguments).refused(2)
    outcomes(*fit, cohort).refused(2, "would replace")
    plain = folder / "plain"
    plain.write_bytes(model.read_bytes())
    hard = folder / "hard.json"
    hard.hardlink_to(plain)
    outcomes("evaluate", plain, cohort, "--out", hard).refused(2, "would replace")
    assert {path: path.read_bytes() for path in before} == before
    assert not (folder / "new.csv").exists()


def test_every_command_makes_missing_folders(outcomes, folder, cohort, model):
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
        assert done.status == 0, done.stderr
        assert Path(arguments[-1]).exists()


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
def test_noms_decides_with_reasons(outcomes, arguments, treatment):
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
def test_wrong_usage_is_status_2(outcomes, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcomes(*arguments).refused(2)
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
def test_unusable_data_is_status_3(outcomes, arguments, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcomes(*arguments).refused(3, part)
    assert list(tmp_path.iterdir()) == []
