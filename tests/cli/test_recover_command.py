"""`outcomes recover`: files, messages, refusals."""

import inspect
import json

import pandas as pd
import pytest

from outcomes.cli.recovering import recover
from outcomes.laboratory import RecoveryPlan

SMALL = (
    *("--scenario", "no-effect", "--endpoint", "local-control", "--patients", "40"),
    *("--jackknife-below", "0"),
)


@pytest.fixture(scope="module")
def laboratory(outcomes, tmp_path_factory):
    target = tmp_path_factory.mktemp("recover") / "laboratory"
    done = outcomes("recover", *SMALL, "--replicates", 20, "--seed", 4, "--out", target)
    assert done.status == 0, done.stderr
    assert "no-effect: risk difference of local progression by month 12" in done.stdout
    assert "SBRT does nothing" in done.stdout
    assert "20/20" in done.stderr
    return target


def test_files(laboratory):
    data = json.loads((laboratory / "recovery.json").read_text(encoding="utf-8"))
    assert (data["study"], data["patients"], data["cohorts"]) == ("liu-2020", [40], 20)
    assert data["jackknife_below"] == 0
    assert data["scenarios"][0]["choices"]["grace"] == pytest.approx([14 / 30.4375, 42 / 30.4375])
    table = pd.read_csv(laboratory / "recovery.csv")
    assert len(table) == len(data["results"])
    for row, plain in zip(table.to_dict("records"), data["results"], strict=True):
        assert row["method"] == plain["method"]
        if plain["bias"] is not None:
            assert row["bias"] == pytest.approx(plain["bias"], rel=1e-9)
    assert {"crude", "doubly-robust", "clone-censor-weight"} <= set(table["method"])


def test_defaults_are_those_of_the_plan():
    plan = inspect.signature(RecoveryPlan).parameters
    command = inspect.signature(recover).parameters
    for option, name in (
        ("replicates", "cohorts"),
        ("horizon", "horizon"),
        ("bootstraps", "bootstraps"),
        ("jackknife_below", "jackknife_below"),
        ("study", "study"),
    ):
        assert command[option].default == plan[name].default, option


def test_the_page_stands_alone(laboratory):
    page = (laboratory / "recovery.html").read_text(encoding="utf-8")
    assert "The patients are synthetic." in page
    assert "Clone–censor–weight" in page
    assert "SBRT does nothing" in page
    assert "SBRT does nothing" in page
    assert "Content-Security-Policy" in page
    for outside in ('src="http', 'href="http', "<link "):
        assert outside not in page


def test_its_own_command_gives_the_same(outcomes, laboratory, tmp_path):
    command = json.loads((laboratory / "recovery.json").read_text(encoding="utf-8"))["provenance"][
        "command"
    ]
    again = tmp_path / "again"
    assert outcomes(*command.split()[1:], "--out", again).status == 0
    for name in ("recovery.json", "recovery.csv", "recovery.html"):
        assert (again / name).read_bytes() == (laboratory / name).read_bytes()


def test_a_folder_is_replaced_only_when_told(outcomes, laboratory):
    done = outcomes("recover", *SMALL, "--replicates", 20, "--out", laboratory)
    assert done.status == 3
    assert "--force" in done.stderr


@pytest.mark.parametrize(
    ("options", "status", "word"),
    [
        (("--scenario", "hope"), 2, "no-effect"),
        (("--endpoint", "hope"), 2, "local-control"),
        (("--patients", "forty"), 2, "whole numbers"),
        (("--patients", "40,,50"), 2, "whole numbers"),
        (("--patients", "9"), 2, "10 to"),
        (("--patients", "99999999"), 2, "10 to"),
        (("--patients", "1e9"), 2, "whole numbers"),
        (("--replicates", "3"), 2, "replicates"),
        (("--horizon", "1"), 2, "landmark"),
        (("--horizon", "nan"), 2, "landmark"),
        (("--horizon", "inf"), 2, "landmark"),
        (("--scenario", "late-start", "--horizon", "2.5"), 2, "landmark"),
        (("--bootstraps", "7"), 2, "at least 50"),
        (("--seed", "-1"), 2, "seed"),
        (("--jobs", "0"), 2, "jobs"),
        (("--cluster", "nonsense"), 2, "cluster"),
        (("--evidence", "mine.toml"), 2, "--calibration"),
        (("--study", "laufer-2013"), 3, "both arms"),
        (("--study", "nobody-1999"), 3, "liu-2020"),
        (("--calibration", "absent.json"), 3, "absent.json"),
    ],
)
def test_what_cannot_be_is_refused(outcomes, options, status, word, tmp_path):
    target = tmp_path / "out"
    done = outcomes("recover", "--out", target, *options)
    assert done.status == status, done.stderr
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert not target.exists()
