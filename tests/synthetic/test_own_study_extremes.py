"""A study of one's own with numbers at the edge of what can be: told, or simulated."""

import math
from dataclasses import replace

import numpy as np
import pytest

from outcomes.errors import CalibrationError
from outcomes.evidence import load_evidence
from outcomes.synthetic import shipped_calibration, simulate
from outcomes.synthetic.calibration import Parameter
from outcomes.synthetic.estimands import (
    achieved,
    is_covered,
    mean_among_observed,
    median_among_observed,
)
from outcomes.synthetic.requirements import check_requirements
from outcomes.synthetic.sampling import sampling_error
from outcomes.synthetic.series import solved_series
from outcomes.synthetic.series_expectation import expect_series
from outcomes.synthetic.template import evidence_template

STUDY = "invented-2024"
DEFICIT = 'neurologic_deficit = "share_neurologic_deficit_invented"'


def figure(name, estimand, value, unit, *more, n=60):
    lines = [
        "\n[[figure]]",
        f'id = "{STUDY}/{name}"',
        f'estimand = "{estimand}"',
        'role = "fit"',
        f"value = {value}",
        f'unit = "{unit}"',
        f"n = {n}",
        'source = "Table"',
        *more,
    ]
    return "\n".join(lines) + "\n"


def arm(name):
    return f'arm = "{name}"'


def count(name, value, *more, n=60):
    return figure(name, "count", value, "patients", *more, n=n)


def design(line):
    return ("female = 0.45", line)


HARDWARE = count("hardware_failure", 3)


def own(tmp_path, *changes):
    """Return the template with replacements (pairs) and additions (texts)."""
    text = evidence_template()
    for change in changes:
        if isinstance(change, str):
            text += change
        else:
            assert change[0] in text
            text = text.replace(*change)
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return load_evidence(path)


# What is changed in the template, and what the message must hold.
TOLD = {
    "reoperations without failures": (
        [figure("hardware_reoperation", "crude_proportion", 50, "percent")],
        ("hardware_reoperation", "hardware_failure of the role fit"),
    ),
    "late failures without failures": (
        [count("hardware_failure_after_3m", 2)],
        ("hardware_failure_after_3m", "hardware_failure of the role fit"),
    ),
    "days of failures without failures": (
        [
            figure(
                "hardware_failure_early_days/first",
                "mean_among_observed",
                30,
                "days",
                arm("first"),
            )
        ],
        ("hardware_failure_early_days", "hardware_failure of the role fit"),
    ),
    "days of which failure": (
        [HARDWARE, figure("hardware_failure_early_days", "mean_among_observed", 30, "days")],
        ("arm: found ''", "first or second"),
    ),
    "time of fractures that nobody has": (
        [count("fracture", 0), figure("time_of_fracture", "mean_among_observed", 5, "months")],
        ("time_of_fracture", "fracture or vertebral_compression_fracture"),
    ),
    "fractionation of fractures not counted": (
        [count("fracture/single_fraction", 3, arm("single_fraction"), n=10)],
        ("fracture/single_fraction", "above 0"),
    ),
    "median after the end": (
        [("value = 9.5\n", "value = 50\n")],
        ("follow_up_median", "found 50.0", "last month of follow-up, 48"),
    ),
    "horizon after the end": (
        [("follow_up_last = 48", "follow_up_last = 10")],
        ("overall_survival_12m', at_month", "found 12.0", "last month of follow-up, 10"),
    ),
    "pain at its end": (
        [figure("vas_before", "mean_sd", 10, "points")],
        ("vas_before', value", "found 10.0", "above 0, up to 9.99"),
    ),
    "pain at its end, by design": ([design("vas_before_mean = 10")], ("vas_before_mean", "9.99")),
    "no loss of blood": ([figure("blood_loss", "mean_sd", 0, "mL")], ("blood_loss', value",)),
    "no spread": (
        [figure("operation_time", "mean_sd", 4, "hours", "sd = 0")],
        ("operation_time', sd", "above 0, or no key"),
    ),
    "all of nearly one Karnofsky score": ([design("kps_sd = 0.1")], ("kps_sd", "0.1", "above 2")),
}


@pytest.mark.parametrize("case", TOLD)
def test_what_no_series_can_report_is_told_before_solving(case, tmp_path):
    changes, expected = TOLD[case]
    with pytest.raises(CalibrationError) as caught:
        check_requirements(own(tmp_path, *changes))
    for part in ("allowed: ", STUDY, *expected):
        assert part in str(caught.value)


SHARES = (
    "female",
    "progressive_systemic_disease",
    "visceral_metastases",
    "systemic_therapy_after",
    "embolization",
    "separation_below_3mm",
    "complication",
)
BORNE = {
    "nobody": [(DEFICIT, "neurologic_deficit = 0"), design("\n".join(f"{s} = 0" for s in SHARES))],
    "everybody": [
        (DEFICIT, "neurologic_deficit = 1"),
        design("\n".join(f"{share} = 1" for share in SHARES)),
    ],
    "Karnofsky score of 100": [design("kps_mean = 100\nkps_sd = 2.1")],
    "Karnofsky score all but 40": [design("kps_mean = 40.1\nkps_sd = 40")],
    "all of one age": [design("age_sd = 0.01")],
    "an arm of one": [("size = 25", "size = 1"), ("size = 35", "size = 59")],
    "an arm named as a class of fractures": [
        count("local_progression_crude/fractionated", 3, arm("fractionated"), n=35)
    ],
    "arms alike": [("single_24 = 1\n", "")],
    "no operation": [("size = 35", 'size = 35\nprocedure = "none"')],
    "nobody gets SBRT": [
        ("single_24 = 1", 'sbrt = "none"'),
        ("size = 35", 'size = 35\nsbrt = "none"'),
    ],
    "SBRT at the end": [
        ("sbrt_start_first = 0.5", "sbrt_start_first = 47"),
        ("sbrt_start_last = 1", "sbrt_start_last = 47.9"),
    ],
    "pain near its ends": [
        figure("vas_before", "mean_sd", 0.01, "points", "sd = 9"),
        figure("vas_after", "mean_sd", 9.9, "points", "sd = 0.01"),
        count("pain_relief", 60),
    ],
    "all and none at once": [
        count("frankel_improved", 60),
        count("frankel_worse", 60),
        count("wound_infection", 60),
        count("deep_infection", 60),
        count("radiation_myelopathy", 0),
    ],
    "all fractured late": [
        count("fracture", 60),
        figure("time_of_fracture", "mean_among_observed", 47, "months"),
    ],
    "all hardware failed": [
        count("hardware_failure", 60),
        count("hardware_failure_after_3m", 0),
        count("hardware_reoperation", 60),
    ],
}


@pytest.mark.parametrize("case", BORNE)
def test_what_is_extreme_is_computed_and_simulated(case, tmp_path):
    """With the parameters at their priors: the figures are numbers, and patients can be drawn."""
    evidence = own(tmp_path, *BORNE[case])
    check_requirements(evidence)
    (series,) = (one for one in solved_series(evidence) if one.study == STUDY)
    shipped = shipped_calibration()
    priors = tuple(
        Parameter(p.study, p.name, p.prior, p.unit, p.meaning, p.prior, p.prior_sd, 0.0)
        for p in series.parameters(evidence)
    )
    calibration = replace(shipped, evidence=evidence, parameters=shipped.parameters + priors)
    values = calibration.values(STUDY)
    expectation = expect_series(series, values, calibration.effects, evidence)
    for one in filter(is_covered, evidence.of_study(STUDY)):
        assert math.isfinite(achieved(one, expectation)), one.id
        assert sampling_error(one, expectation) >= 0, one.id
    assert len(simulate(STUDY, 30, 1, calibration=calibration)) == 30


def test_a_summary_of_nobody_is_no_number():
    """A search may try parameters with which nobody has the event."""
    assert math.isnan(median_among_observed(np.arange(3.0), np.zeros(3)))
    assert math.isnan(median_among_observed(np.arange(3.0), np.full(3, np.nan)))
    assert math.isnan(mean_among_observed(0.0, 0.0))
    assert mean_among_observed(6.0, 0.5) == 12
