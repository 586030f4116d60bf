"""Which value of a treatment column is the treated one."""

import numpy as np
import pandas as pd
import pytest

from outcomes.comparison import Options, compare
from outcomes.comparison.treatment import read_treatment
from outcomes.errors import CohortError


def read(values):
    return read_treatment(pd.Series(values, name="approach"))


@pytest.mark.parametrize(
    ("treated", "control"),
    [
        ("SBRT", "none"),
        ("sbrt", "None"),
        ("Surgery + SBRT", "Surgery alone"),
        ("adjuvant", "No adjuvant"),
        ("arm A", "control"),
        ("early", "never"),
        (2, 1),
        (10, 9),
        (0.5, -1.5),
    ],
)
def test_the_control_is_found_whatever_the_alphabet(treated, control):
    for values in ([treated, control, treated], [control, treated, treated]):
        arms = read(values)
        assert arms.treated.tolist() == [value == treated for value in values]
        assert arms.labels == (str(treated), str(control))
        assert arms.note == ""


@pytest.mark.parametrize(
    ("treated", "control"),
    [(True, False), (1, 0), (1.0, 0.0), ("yes", "no"), ("Y", "N"), ("TRUE", "false"), ("1", "0")],
)
def test_truth_values_speak_for_themselves(treated, control):
    arms = read([control, treated])
    assert arms.treated.tolist() == [False, True]
    assert arms.labels == ("Approach", "No approach")
    assert arms.note == ""


@pytest.mark.parametrize("values", [["open", "closed"], ["closed", "open"], ["none", "control"]])
def test_what_only_the_alphabet_orders_is_said(values):
    arms = read(values)
    first, second = sorted(values)
    assert arms.labels == (second, first)
    assert arms.treated.tolist() == [value == second for value in values]
    assert f"{second} is taken as treated and {first} as control" in arms.note
    assert arms.note.endswith(f"--levels {first},{second} turns them round")


def test_case_does_not_decide_the_order():
    assert read(["Open", "closed"]).labels == ("Open", "closed")


@pytest.mark.parametrize("values", [["a", "b", "c"], ["a", "a", "a"]])
def test_other_than_two_values_are_refused(values):
    with pytest.raises(CohortError, match="allowed: a column of two values"):
        read(values)


def test_a_treatment_as_text_is_compared_as_one_of_truth_values(cohort):
    crude = Options(methods=("iptw",))
    given = {"endpoint": "overall-survival", "covariates": ("kps",), "options": crude}
    truth = compare(cohort, **given)
    text = compare(cohort.assign(sbrt=np.where(cohort["sbrt"], "SBRT", "none")), **given)
    assert [one.label for one in text.arms] == ["SBRT", "none"]
    assert [one.value for one in text.rungs] == [one.value for one in truth.rungs]
    assert text.notes == truth.notes
    named = compare(cohort.assign(sbrt=np.where(cohort["sbrt"], "A", "B")), **given)
    assert any("B is taken as treated and A as control" in note for note in named.notes)
