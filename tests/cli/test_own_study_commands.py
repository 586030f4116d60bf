"""A study of one's own on the command line."""

import contextlib
import io
import sys

import pytest

from outcomes.cli import main
from outcomes.synthetic.template import evidence_template


def outcomes(*arguments):
    """Return exit status, results and messages."""
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", ["outcomes", *map(str, arguments)])
        patch.setenv("NO_COLOR", "1")
        try:
            main()
            status = 0
        except SystemExit as stop:
            status = stop.code or 0
    return status, out.getvalue(), err.getvalue()


def test_the_template_is_printed_and_can_be_read(tmp_path):
    status, text, _ = outcomes("evidence", "--template")
    assert (status, text) == (0, evidence_template())
    mine = tmp_path / "mine.toml"
    mine.write_text(text, encoding="utf-8")
    status, shown, _ = outcomes("evidence", "--evidence", mine, "--study", "invented-2024")
    assert status == 0
    assert "overall_survival_12m" in shown


def test_the_template_stands_alone():
    status, _, message = outcomes("evidence", "--template", "--audit")
    assert status == 2
    assert "--template" in message


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("value = 60\n", "value = 600\n", "0 to 100 percent"),
        ("value = 16\n", "value = 600\n", "60 months"),
    ],
    ids=["evidence", "calibration"],
)
def test_an_unusable_study_ends_with_status_3_and_names_the_file(old, new, part, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text(evidence_template().replace(old, new), encoding="utf-8")
    out = tmp_path / "mine.json"
    status, _, message = outcomes("calibrate", "--evidence", mine, "--out", out)
    assert status == 3
    assert part in message
    assert f"{mine}: figure 'invented-2024/" in message
    assert "Traceback" not in message
    assert not out.exists()


def test_the_template_calibrates_unchanged_and_simulates(tmp_path):
    mine, out = tmp_path / "mine.toml", tmp_path / "mine.json"
    mine.write_text(evidence_template(), encoding="utf-8")
    status, _, message = outcomes("calibrate", "--evidence", mine, "--out", out)
    assert status == 0
    assert "not met" not in message
    assert "invented-2024: hardly settled by the figures" in message
    options = ("--evidence", mine, "--calibration", out, "--study", "invented-2024")
    status, _, message = outcomes("simulate", *options, "-n", 50, "--out", tmp_path / "c.csv")
    assert status == 0, message
