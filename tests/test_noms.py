"""NOMS: the whole truth table, and what each step says."""

import itertools
import json

import pytest

from outcomes.errors import OutcomesError
from outcomes.noms import (
    ESCC_GRADES,
    Decision,
    by_life_expectancy,
    by_vertebral_resection,
    decide,
)

# (radiosensitive, grade, operable) -> treatment, written out from the paper's five rules.
TABLE = {
    **{(True, grade, True): "conventional_radiotherapy" for grade in ESCC_GRADES},
    **{(True, grade, False): "conventional_radiotherapy" for grade in ESCC_GRADES},
    (False, "0", True): "sbrt",
    (False, "1a", True): "sbrt",
    (False, "1b", True): "sbrt",
    (False, "1c", True): "sbrt",
    (False, "2", True): "separation_surgery_and_sbrt",
    (False, "3", True): "separation_surgery_and_sbrt",
    (False, "0", False): "sbrt",
    (False, "1a", False): "sbrt",
    (False, "1b", False): "sbrt",
    (False, "1c", False): "sbrt",
    (False, "2", False): "radiotherapy",
    (False, "3", False): "radiotherapy",
}


def steps(decision: Decision) -> dict[str, str]:
    return {step.consideration: step.decision for step in decision.steps}


@pytest.mark.parametrize("unstable", [False, True])
@pytest.mark.parametrize(("radiosensitive", "grade", "operable"), TABLE)
def test_truth_table(radiosensitive: bool, grade: str, operable: bool, unstable: bool) -> None:
    decision = decide(
        radiosensitive=radiosensitive, escc_grade=grade, unstable=unstable, operable=operable
    )
    assert decision.treatment == TABLE[radiosensitive, grade, operable]
    assert decision.stabilization is unstable
    assert decision.title.endswith("with stabilization") is unstable


def test_table_is_complete() -> None:
    assert set(TABLE) == set(itertools.product([True, False], ESCC_GRADES, [True, False]))


def test_every_step_has_a_reason_and_a_source() -> None:
    for sensitive, grade, operable in TABLE:
        for unstable in (True, False):
            decision = decide(
                radiosensitive=sensitive, escc_grade=grade, unstable=unstable, operable=operable
            )
            considered = [step.consideration for step in decision.steps]
            assert considered == ["neurologic", "oncologic", "mechanical", "systemic"]
            for step in decision.steps:
                assert step.finding
                assert step.reason
                assert step.source.startswith("Li 2022, Indication")
            assert all(advice.source.startswith("Li 2022") for advice in decision.advice)


def test_unstable_but_inoperable_is_stabilized_without_open_surgery() -> None:
    decision = decide(radiosensitive=False, escc_grade="3", unstable=True, operable=False)
    assert decision.title == "Radiotherapy without surgery with stabilization"
    assert steps(decision)["mechanical"] == "stabilization in addition, without open surgery"
    assert "brace" in decision.steps[2].reason
    assert steps(decision)["systemic"] == "radiotherapy instead of surgery"


def test_inoperable_changes_nothing_where_no_surgery_is_needed() -> None:
    for sensitive, grade in ((True, "3"), (False, "1c")):
        decision = decide(
            radiosensitive=sensitive, escc_grade=grade, unstable=False, operable=False
        )
        assert steps(decision)["systemic"] == "the decision stands"


def test_rules_of_the_operation_go_with_surgery_only() -> None:
    surgery = decide(radiosensitive=False, escc_grade="2", unstable=False, operable=True)
    told = " ".join(advice.text for advice in surgery.advice)
    for rule in ("3 mm", "2-4 weeks", "CT of the spinal canal", "12 hours", "5-7 days", "24 hours"):
        assert rule in told
    sbrt = decide(radiosensitive=False, escc_grade="1a", unstable=False, operable=True)
    told = " ".join(advice.text for advice in sbrt.advice)
    assert "3 mm" not in told
    assert "12 hours" in told
    assert "Ewing" in told


def test_decision_as_plain_data() -> None:
    decision = decide(radiosensitive=False, escc_grade="2", unstable=True, operable=True)
    content = json.loads(json.dumps(decision.to_dict()))
    assert content["treatment"] == "separation_surgery_and_sbrt"
    assert content["title"] == "Separation surgery followed by SBRT with stabilization"
    assert content["stabilization"] is True
    assert len(content["steps"]) == 4


@pytest.mark.parametrize("grade", ["1", "4", "", "1A", 2, None])
def test_unknown_grade(grade: object) -> None:
    with pytest.raises(OutcomesError, match=r"escc_grade: found .*; allowed: '0', '1a', '1b'"):
        decide(radiosensitive=True, escc_grade=grade, unstable=False, operable=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["radiosensitive", "unstable", "operable"])
@pytest.mark.parametrize("found", ["no", 0, None])
def test_findings_are_true_or_false(name: str, found: object) -> None:
    findings: dict[str, object] = {"radiosensitive": True, "unstable": False, "operable": True}
    with pytest.raises(OutcomesError, match=f"{name}: found {found!r}; allowed: True, False"):
        decide(escc_grade="2", **{**findings, name: found})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("months", "text"),
    [
        (0, "Conservative management"),
        (5.9, "Conservative management"),
        (6, "Limited palliative surgery"),
        (12, "Limited palliative surgery"),
        (12.1, "No limit is set on surgery"),
    ],
)
def test_life_expectancy(months: float, text: str) -> None:
    assert by_life_expectancy(months).text == text


@pytest.mark.parametrize(
    ("percent", "word"), [(0, "Posterior"), (49, "Posterior"), (50, "Not stated"), (51, "Anterior")]
)
def test_vertebral_resection(percent: float, word: str) -> None:
    assert by_vertebral_resection(percent).text.startswith(word)


def test_impossible_numbers() -> None:
    with pytest.raises(OutcomesError, match="months: found -1; allowed: a number of at least 0"):
        by_life_expectancy(-1)
    with pytest.raises(OutcomesError, match="months: found nan"):
        by_life_expectancy(float("nan"))
    with pytest.raises(OutcomesError, match="percent: found 101; allowed: a number from 0 to 100"):
        by_vertebral_resection(101)
