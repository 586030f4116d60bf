"""Sample sizes in closed form against published numbers and against each other."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.errors import OutcomesError
from outcomes.power import (
    detectable_hazard_ratio,
    events_needed,
    patients_for_difference,
    patients_for_risks,
    patients_needed,
    power_of_events,
)


@pytest.mark.parametrize(
    ("hazard_ratio", "power", "events"),
    [
        # 4 (1.959964 + 1.281552)² / log²(0.5) = 42.0297 / 0.480453, and so on, by hand.
        (0.5, 0.9, 88),
        (0.5, 0.8, 66),
        (0.7, 0.8, 247),
        (0.7, 0.9, 331),
        (0.75, 0.9, 508),
        (1.5, 0.8, 191),
        (2.0, 0.9, 88),
    ],
)
def test_events_one_to_one(hazard_ratio, power, events):
    assert math.ceil(events_needed(hazard_ratio, power)) == events


def test_events_with_other_allocation_and_level():
    equal = events_needed(0.6, 0.8)
    # 1:3 has p (1 - p) = 3/16 in place of 1/4.
    assert events_needed(0.6, 0.8, share=0.25) == pytest.approx(equal * 4 / 3)
    assert events_needed(0.6, 0.8, share=0.75) == pytest.approx(equal * 4 / 3)
    # One-sided 5 % is two-sided 10 %: z = 1.644854.
    by_hand = 4 * (1.644854 + 0.841621) ** 2 / math.log(0.6) ** 2
    assert events_needed(0.6, 0.8, alpha=0.1) == pytest.approx(by_hand, rel=1e-6)


def test_patients_from_events():
    assert patients_needed(88, 0.5) == 176
    assert patients_needed(87.48, 0.55) == math.ceil(87.48 / 0.55)
    assert patients_needed(10, 1) == 10


def test_two_risks():
    # (1.959964 + 0.841621)² (0.4·0.6 + 0.2·0.8) / 0.2² · 2 = 156.98, by hand.
    assert patients_for_risks(0.2, 0.4, 0.8) == 157
    assert patients_for_risks(0.4, 0.2, 0.8) == 157
    # With unequal arms the variances are divided by the shares: the riskier arm may be larger.
    by_hand = 7.848879 * (0.16 / 0.25 + 0.24 / 0.75) / 0.04
    assert patients_for_risks(0.2, 0.4, 0.8, share=0.25) == math.ceil(by_hand)
    spread = math.sqrt(2 * (0.16 + 0.24))
    assert patients_for_difference(-0.2, spread, 0.8) == 157


@given(
    hazard_ratio=st.floats(0.2, 0.95),
    power=st.floats(0.5, 0.99),
    share=st.floats(0.1, 0.9),
)
def test_events_power_and_hazard_ratio_are_inverse(hazard_ratio, power, share):
    events = events_needed(hazard_ratio, power, share=share)
    # The power counts the other tail too, which is below 1e-4 from 50 % on.
    assert power_of_events(events, hazard_ratio, share=share) == pytest.approx(power, abs=1e-4)
    assert detectable_hazard_ratio(events, power, share=share) == pytest.approx(hazard_ratio)
    assert power_of_events(events, 1 / hazard_ratio, share=share) == pytest.approx(
        power_of_events(events, hazard_ratio, share=share)
    )


def test_without_effect_the_power_is_the_level():
    assert power_of_events(300, 1.0) == pytest.approx(0.05)
    assert power_of_events(0, 0.5, alpha=0.01) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: events_needed(1.0, 0.8), "hazard ratio"),
        (lambda: events_needed(0.0, 0.8), "hazard ratio"),
        (lambda: events_needed(-0.5, 0.8), "hazard ratio"),
        (lambda: events_needed(math.nan, 0.8), "hazard ratio"),
        (lambda: events_needed(0.5, 1.0), "power"),
        (lambda: events_needed(0.5, 0.05), "power"),
        (lambda: events_needed(0.5, 0.8, share=1.0), "share"),
        (lambda: events_needed(0.5, 0.8, alpha=0.0), "alpha"),
        (lambda: power_of_events(-1, 0.5), "events"),
        (lambda: power_of_events(math.inf, 0.5), "events"),
        (lambda: detectable_hazard_ratio(0, 0.8), "events"),
        (lambda: patients_needed(10, 0.0), "probability"),
        (lambda: patients_needed(10, 1.1), "probability"),
        (lambda: patients_for_risks(0.2, 1.2, 0.8), "risk"),
        (lambda: patients_for_risks(0.2, 0.2, 0.8), "difference"),
        (lambda: patients_for_difference(math.nan, 1.0, 0.8), "difference"),
    ],
)
def test_what_cannot_be_is_refused(call, word):
    with pytest.raises(OutcomesError, match=word):
        call()
