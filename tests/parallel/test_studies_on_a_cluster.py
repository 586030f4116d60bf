"""The long studies of the command line on a scheduler that runs: the same bytes as here."""

import json

import pytest
from typer.testing import CliRunner

from outcomes.cli.app import app

POWER = ("power", "--patients", "100,200", "--trials", "20", "--seed", "3")
RECOVER = (
    *("recover", "--scenario", "default", "--endpoint", "overall-survival"),
    *("--patients", "60", "--replicates", "20", "--jackknife-below", "0"),
)


@pytest.mark.long
@pytest.mark.parametrize(
    ("command", "files"),
    [
        (POWER, ("power.json", "power.csv")),
        (RECOVER, ("recovery.json", "recovery.csv", "recovery.html")),
    ],
    ids=["power", "recover"],
)
def test_a_study_on_a_cluster_is_the_study_here(command, files, scheduler, tmp_path):
    for name, place in (("here", ()), ("there", ("--cluster", scheduler))):
        done = CliRunner().invoke(app, [*command, *place, "--out", str(tmp_path / name)])
        assert done.exit_code == 0, done.output
        assert "written to" in done.output
    for name in files:
        there = (tmp_path / "there" / name).read_bytes()
        assert there == (tmp_path / "here" / name).read_bytes(), name
    # Where the work was done is no part of the result.
    assert scheduler not in json.dumps(json.loads((tmp_path / "there" / files[0]).read_text()))
