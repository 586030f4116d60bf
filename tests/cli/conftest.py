"""The command line run as its entry point runs it, and what the commands work on."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

import pytest

from outcomes.cli import main


class Done(NamedTuple):
    """Exit status, results and messages of a command."""

    status: int
    stdout: str
    stderr: str

    def refused(self, status, *parts):
        """Assert that the command ended with a status and a message with these parts."""
        assert self.status == status, self.stderr
        assert "Traceback" not in self.stderr
        for part in parts:
            assert part in self.stderr


@pytest.fixture(scope="session")
def outcomes():
    """Return a function that runs the command line."""

    def run(*arguments):
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", ["outcomes", *map(str, arguments)])
            patch.setenv("COLUMNS", "200")
            patch.setenv("NO_COLOR", "1")
            try:
                main()
                status = 0
            except SystemExit as stop:
                status = stop.code or 0
        return Done(status, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="module")
def cohort(outcomes, folder):
    path = folder / "liu.csv"
    done = outcomes("simulate", "--study", "liu-2020", "-n", 1500, "--seed", 3, "--out", path)
    assert done.status == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def few(folder, cohort):
    """The first 400 of the cohort, for what takes every method."""
    path = folder / "few.csv"
    path.write_text("".join(cohort.read_text().splitlines(keepends=True)[:401]))
    return path


@pytest.fixture(scope="module")
def model(outcomes, folder, cohort):
    path = folder / "os.model"
    done = outcomes(
        "fit", cohort, "--endpoint", "overall-survival", "--covariates", "kps,sbrt", "--out", path
    )
    assert done.status == 0, done.stderr
    return path
