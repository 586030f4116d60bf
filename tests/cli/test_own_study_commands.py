"""A study of one's own on the command line."""

import pytest

from outcomes.synthetic.template import evidence_template


def test_the_template_is_printed_and_can_be_read(outcomes, tmp_path):
    status, text, _ = outcomes("evidence", "--template")
    assert (status, text) == (0, evidence_template())
    mine = tmp_path / "mine.toml"
    mine.write_text(text, encoding="utf-8")
    status, shown, _ = outcomes("evidence", "--evidence", mine, "--study", "invented-2024")
    assert status == 0
    assert "overall_survival_12m" in shown


def test_the_template_stands_alone(outcomes):
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
def test_an_unusable_study_has_status_3_and_names_the_file(outcomes, old, new, part, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text(evidence_template().replace(old, new), encoding="utf-8")
    out = tmp_path / "mine.json"
    status, _, message = outcomes("calibrate", "--evidence", mine, "--out", out)
    assert status == 3
    assert part in message
    assert f"{mine}: figure 'invented-2024/" in message
    assert "Traceback" not in message
    assert not out.exists()


@pytest.mark.long
def test_the_template_calibrates_unchanged_and_simulates(outcomes, tmp_path):
    mine, out = tmp_path / "mine.toml", tmp_path / "mine.json"
    mine.write_text(evidence_template(), encoding="utf-8")
    status, _, message = outcomes("calibrate", "--evidence", mine, "--out", out)
    assert status == 0
    assert "not met" not in message
    assert "invented-2024: hardly settled by the figures" in message
    options = ("--evidence", mine, "--calibration", out, "--study", "invented-2024")
    status, _, message = outcomes("simulate", *options, "-n", 50, "--out", tmp_path / "c.csv")
    assert status == 0, message
