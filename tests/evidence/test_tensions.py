"""The contradictions among the figures: each stands where a reader meets it, and is real."""

import math

import pytest

from outcomes.evidence import load_evidence

EVIDENCE = load_evidence()


def value(figure: str) -> float:
    found = EVIDENCE.figure(figure).value
    assert found is not None
    return found


IMPOSSIBLE = {
    "liu-2020/deaths": "27 deaths",
    "gong-2021/patients": "5 of 18",
    "liu-2020/vas_after/sbrt": "1.64",
    "liu-2020/vas_after/alone": "before surgery",
    "laufer-2013/follow_up_mean": "4.8",
    "laufer-2013/time_of_progression_mean": "mean",
    "laufer-2013/time_of_progression_range": "before SBRT",
    "laufer-2013/local_progression_12m": "16.0",
    "laufer-2013/local_progression_12m/single_24": "16.0",
    "laufer-2013/local_progression_12m/hypofractionated_high": "16.0",
    "laufer-2013/local_progression_12m/hypofractionated_low": "16.0",
    "bate-2015/follow_up_mean": "median",
    "liu-2020/time_of_progression_sd/alone": "0.3",
}
READINGS = {
    "laufer-2013/time_of_death_without_progression": "apart by study",
    "liu-2020/follow_up_survived_sd": "Bhatia-Davis",
    "liu-2020/time_of_progression/alone": "Weibull",
    "liu-2020/overall_survival_median/sbrt": "no causal effect",
    "liu-2020/patients/sbrt": "immortal time",
    "gong-2021/local_progression_12m/moderate": "5 of 18",
}
CHOICES = {
    "laufer-2013/dose_regimen/hypofractionated_low": "only the second fits",
    "laufer-2013/time_of_progression": "median time",
    "xu-2021/complication/separation": "gets the smaller",
    "xu-2021/complication/piecemeal": "gets the smaller",
    "liu-2020/follow_up_survived": "survivors",
    "liu-2020/vas_after_sbrt/sbrt": "1.64 of the text",
    "gong-2021/patients/moderate": "as the table prints them",
    "gong-2021/local_progression_12m/moderate": "1 − Kaplan-Meier",
    "bate-2015/printed/local_progression_crude/surgery_sbrt": "3 of 21",
    "amankulor-2014/local_control_12m": "Kaplan-Meier",
    "li-2022/rule/noms_radioresistant_low_grade": "low",
}


def test_tensions_are_exactly_these() -> None:
    found = {figure.id for figure in EVIDENCE.figures if figure.tension}
    assert found == set(IMPOSSIBLE)


@pytest.mark.parametrize("figure", IMPOSSIBLE)
def test_tension_says_why(figure: str) -> None:
    assert IMPOSSIBLE[figure] in EVIDENCE.figure(figure).tension


@pytest.mark.parametrize("figure", READINGS)
def test_note_says_how_it_is_read(figure: str) -> None:
    assert READINGS[figure] in EVIDENCE.figure(figure).note


def test_readings_are_exactly_these() -> None:
    assert {figure.id for figure in EVIDENCE.figures if figure.reading} == set(CHOICES)


@pytest.mark.parametrize("figure", CHOICES)
def test_reading_says_what_was_chosen(figure: str) -> None:
    assert CHOICES[figure] in EVIDENCE.figure(figure).reading


def test_only_laufers_incidences_have_a_wider_tolerance() -> None:
    wider = {figure.id: figure.tolerance for figure in EVIDENCE.figures if figure.tolerance}
    assert set(wider.values()) == {0.3}
    assert len(wider) == 4
    assert all(figure.startswith("laufer-2013/local_progression_12m") for figure in wider)


def test_laufers_regimens_do_not_average_to_the_whole() -> None:
    regimens = ("single_24", "hypofractionated_high", "hypofractionated_low")
    sizes = [value(f"laufer-2013/dose_regimen/{regimen}") for regimen in regimens]
    shares = [value(f"laufer-2013/local_progression_12m/{regimen}") for regimen in regimens]
    average = sum(n * p for n, p in zip(sizes, shares, strict=True)) / sum(sizes)
    assert sum(sizes) == 186
    assert average == pytest.approx(16.0, abs=0.05)
    assert value("laufer-2013/local_progression_12m") - average > 0.3


def test_lius_follow_up_is_nearly_two_points() -> None:
    span = EVIDENCE.figure("liu-2020/follow_up_range")
    assert span.low is not None
    assert span.high is not None
    mean = value("liu-2020/follow_up_survived")
    largest = math.sqrt((span.high - mean) * (mean - span.low))
    assert largest == pytest.approx(18.9, abs=0.05)
    assert value("liu-2020/follow_up_survived_sd") / largest == pytest.approx(0.96, abs=0.005)


def test_gongs_percentages_are_no_whole_numbers() -> None:
    for figure, n in (("local_progression_12m", 18), ("overall_survival_12m", 18)):
        patients = value(f"gong-2021/{figure}/aggressive") * n / 100
        assert abs(patients - round(patients)) > 0.1
    assert (
        pytest.approx(value("gong-2021/local_progression_12m/moderate"), abs=0.05) == 100 * 5 / 18
    )


def test_xus_percentages_add_up_to_its_patients() -> None:
    arms = [EVIDENCE.figure(f"xu-2021/complication/{arm}") for arm in ("separation", "piecemeal")]
    assert sum(arm.n or 0 for arm in arms) == EVIDENCE.study("xu-2021").n
    assert (arms[0].value or 0) < (arms[1].value or 0)
