"""What a command refuses before it begins work of minutes, and how it tells how far it is."""

import io
import itertools
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from outcomes.cli import main, options
from outcomes.cli.options import counted_in_turn
from outcomes.synthetic import shipped_calibration
from outcomes.synthetic.fitting import calibration_problem
from outcomes.synthetic.uncertainty import COHORTS, sampling_size

FULL = Path("/dev/full")


@pytest.fixture
def no_solving(monkeypatch):
    """Let a command fail that begins to solve."""

    def solve(*_, **__):
        raise AssertionError("solving has begun")

    monkeypatch.setattr("outcomes.synthetic.calibrate", solve)


@pytest.mark.usefixtures("no_solving")
@pytest.mark.parametrize(
    ("option", "found", "allowed"), [("--draws", 1, 2), ("--cohorts", 1, 40), ("--cohorts", 39, 40)]
)
def test_too_few_draws_say_nothing(outcomes, option, found, allowed, tmp_path):
    status, _, message = outcomes("calibrate", "--out", tmp_path / "c.json", option, found)
    assert status == 2
    assert f"found {found}; allowed: 0, or at least {allowed}" in message


@pytest.mark.usefixtures("no_solving")
def test_an_output_that_cannot_be_written(outcomes, tmp_path):
    folder, file = tmp_path / "folder.json", tmp_path / "file"
    folder.mkdir()
    file.write_text("mine")
    status, _, message = outcomes("calibrate", "--out", folder)
    assert status == 2
    assert "folder.json: is a folder; allowed: a file" in message
    status, _, message = outcomes("calibrate", "--out", file / "new" / "c.json")
    assert status == 3
    assert "c.json: cannot be written" in message
    assert sorted(tmp_path.iterdir()) == [file, folder]


@pytest.mark.usefixtures("no_solving")
def test_a_cluster_that_does_not_answer(outcomes, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    status, _, message = outcomes("calibrate", "--out", tmp_path / "c.json", "--cluster", address)
    assert status == 3
    assert f"{address}: no scheduler answers" in message


def test_an_unknown_study_is_told_before_the_ensemble(outcomes, tmp_path):
    options = ("-n", 5, "--out", tmp_path / "c.csv", "--drawn-truth")
    status, _, message = outcomes("simulate", "--study", "nope", *options)
    assert status == 3
    assert "study 'nope' is not calibrated" in message


def test_a_calibration_without_an_ensemble_is_named(outcomes, tmp_path):
    from dataclasses import replace

    from outcomes.files import write_json

    path = tmp_path / "plain.json"
    write_json(path, replace(shipped_calibration(), ensemble=None).to_dict())
    options = ("-n", 5, "--out", tmp_path / "c.csv", "--drawn-truth", "--calibration", path)
    status, _, message = outcomes("simulate", "--study", "liu-2020", *options)
    assert status == 3
    assert f"{path}: the calibration holds no ensemble" in message


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("arguments", [("evidence",), ("evidence", "--json"), ("--help",)])
def test_a_full_stdout_is_told_in_one_line(arguments):
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "outcomes", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.startswith("error: stdout: cannot be written (")
    assert len(done.stderr.splitlines()) == 1


def test_a_defect_is_no_full_stdout(monkeypatch):
    def fail():
        raise FileNotFoundError(2, "No such file or directory", "lost.html")

    monkeypatch.setattr("outcomes.cli.app.app", fail)
    with pytest.raises(FileNotFoundError):
        main()


def test_the_clock_of_a_later_step_starts_when_it_begins(monkeypatch, capsys):
    monkeypatch.setattr(options.time, "monotonic", itertools.count(step=60).__next__)
    with counted_in_turn(("First", 2), ("Second", 2)) as (first, second):
        first(1)
        first(2)
        second(0)
        second(1)
    assert capsys.readouterr().err.splitlines() == [
        "First: 1/2, 0:02:00 left",
        "First: 2/2, 0:00:00 left",
        "Second: 1/2, 0:01:00 left",
    ]


def test_steps_in_turn_on_a_terminal(monkeypatch):
    from rich.console import Console

    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(options, "messages", lambda: terminal)
    with counted_in_turn(("First", 2), ("Second", 3)) as (first, second):
        first(2)
        second(0)
        second(3)
    last = screen.getvalue()
    assert "2/2" in last
    assert "3/3" in last


def test_sampling_errors_count_their_cohorts(monkeypatch):
    from outcomes.synthetic import uncertainty
    from outcomes.synthetic.replicates import draw_figures

    calibration = shipped_calibration()
    problem = calibration_problem(calibration.evidence)
    seen = []

    def few(study, figures, cohorts, seed, *, progress, **given):
        half = cohorts // 2
        progress(half)
        progress(cohorts)
        return draw_figures(study, figures, 20, seed, **given).repeat(cohorts // 20, axis=0)

    monkeypatch.setattr(uncertainty, "draw_figures", few)
    [seed] = uncertainty.spawn_seeds(0, 1)
    uncertainty.sampling_errors(problem, calibration, seed, progress=seen.append)
    assert seen == [COHORTS // 2 * k for k in range(1, 2 * len(problem.series) + 1)]
    assert seen[-1] == sampling_size(calibration)
