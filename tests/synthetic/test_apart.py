"""A study whose figures contradict each other spoils no other."""

from pathlib import Path

import pytest

from outcomes.evidence import load_evidence
from outcomes.synthetic import calibrate, shipped_calibration

STUDY = """
[study]
id = "odd-2024"
title = "Odd 2024"
n = 60
design = "One series"
citation = "None"

[design]
id = "odd-2024"
follow_up = "uniform"
follow_up_first = 24
follow_up_last = 48

[[arm]]
id = "odd-2024/all"
size = 60
"""
FIGURE = """
[[figure]]
id = "odd-2024/{name}"
estimand = "{estimand}"
role = "fit"
value = {value}
unit = "{unit}"
n = 60
source = "None"
"""


def evidence_of(folder: Path, failures: int):
    figures = (
        FIGURE.format(name="local_control_12m", estimand="kaplan_meier", value=60, unit="percent")
        + "at_month = 12\n"
        + FIGURE.format(
            name="local_progression_crude", estimand="count", value=failures, unit="patients"
        )
        + FIGURE.format(
            name="overall_survival_12m", estimand="kaplan_meier", value=90, unit="percent"
        )
        + "at_month = 12\n"
    )
    path = folder / "odd.toml"
    path.write_text(STUDY + figures, encoding="utf-8")
    return load_evidence(path)


@pytest.mark.long
def test_contradictions_stay_at_home(tmp_path):
    """40 % progress within a year, and 1 of 60 in the end though followed for two years."""
    calibration = calibrate(evidence_of(tmp_path, failures=1))
    assert calibration.apart == ("odd-2024",)
    missed = {target.study for target in calibration.fitted if not target.within}
    assert missed == {"odd-2024"}
    shipped = {p.key: p.value for p in shipped_calibration().parameters}
    for parameter in calibration.parameters:
        if parameter.key in shipped:
            assert parameter.value == pytest.approx(shipped[parameter.key], rel=1e-4)
