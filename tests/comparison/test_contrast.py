import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.comparison.contrast import (
    ArmEstimate,
    Contrast,
    difference,
    number_needed_to_treat,
    ratio,
    ratio_of_log,
    two_sided_p,
)
from outcomes.errors import NotEstimableError

risks = st.builds(
    ArmEstimate,
    value=st.floats(0.01, 0.99),
    standard_error=st.floats(0.005, 0.3),
    scale=st.sampled_from(["risk", "survival"]),
)
estimates = st.builds(ArmEstimate, value=st.floats(0.05, 0.95), standard_error=st.floats(0.01, 0.2))


def test_difference_by_hand():
    # 0.3 ± 0.03 minus 0.5 ± 0.04: standard error 0.05, z = -4
    found = difference(ArmEstimate(0.3, 0.03), ArmEstimate(0.5, 0.04))
    assert found.value == pytest.approx(-0.2)
    assert found.lower == pytest.approx(-0.2 - 1.959963985 * 0.05)
    assert found.upper == pytest.approx(-0.2 + 1.959963985 * 0.05)
    assert found.p == pytest.approx(6.334248e-05, rel=1e-6)


def test_difference_of_risks_by_hand():
    # Survival .9 ± .05 and .6 ± .08 at log(-log): .9 ** exp(1.96 * .05 / (.9 * -log .9)) etc.
    low, high = (
        1 - 0.9 ** math.exp(sign * 1.959963985 * 0.05 / (0.9 * -math.log(0.9))) for sign in (-1, 1)
    )
    control_low, control_high = (
        1 - 0.6 ** math.exp(sign * 1.959963985 * 0.08 / (0.6 * -math.log(0.6))) for sign in (-1, 1)
    )
    treated = ArmEstimate(0.1, 0.05, scale="survival")
    control = ArmEstimate(0.4, 0.08, scale="survival")
    assert treated.limits() == pytest.approx((low, high))
    found = difference(treated, control)
    assert found.lower == pytest.approx(-0.3 - math.hypot(0.1 - low, control_high - 0.4))
    assert found.upper == pytest.approx(-0.3 + math.hypot(high - 0.1, 0.4 - control_low))
    # A positive covariance narrows it.
    closer = difference(treated, control, covariance=0.002)
    assert found.lower < closer.lower < closer.upper < found.upper


@given(risks, risks, st.floats(-0.9, 0.9))
def test_a_difference_is_significant_when_its_interval_says_so(treated, control, correlation):
    covariance = correlation * treated.standard_error * control.standard_error
    found = difference(treated, control, covariance)
    assert -1 <= found.lower <= found.value <= found.upper <= 1
    if abs(found.p - 0.05) > 1e-6:
        assert (found.p < 0.05) == (found.lower > 0 or found.upper < 0)


def test_p_value_at_the_limit():
    assert two_sided_p(1.959963984540054) == pytest.approx(0.05)
    assert two_sided_p(-1.959963984540054) == pytest.approx(0.05)


def test_ratio_by_hand():
    # Relative errors 0.3 and 0.4: standard error of the log ratio 0.5
    found = ratio(ArmEstimate(0.2, 0.06), ArmEstimate(0.4, 0.16))
    assert found.value == pytest.approx(0.5)
    assert found.lower == pytest.approx(0.5 * math.exp(-1.959963985 * 0.5))
    assert found.upper == pytest.approx(0.5 * math.exp(1.959963985 * 0.5))


@given(estimates, estimates)
def test_swapping_the_arms(first, second):
    there, back = difference(first, second), difference(second, first)
    assert (there.value, there.lower) == (-back.value, -back.upper)
    assert there.p == pytest.approx(back.p, rel=1e-6)
    there, back = ratio(first, second), ratio(second, first)
    assert there.value == pytest.approx(1 / back.value)
    assert there.lower == pytest.approx(1 / back.upper)
    assert there.p == pytest.approx(back.p)


def test_a_ratio_too_uncertain_to_measure_has_no_interval():
    found = ratio(ArmEstimate(1e-5, 0.02, scale="survival"), ArmEstimate(0.3, 0.05))
    assert (found.lower, found.upper, found.p) == (None, None, None)
    assert "beyond all measure" in found.note
    lower, upper = ArmEstimate(1e-5, 0.02, scale="survival").limits()
    assert (lower, upper) == (0, 1)
    # 1 - 1e-17 is 1 in floating point, whose hazard would be 0.
    assert ArmEstimate(1e-17, 0.02, scale="survival").limits() == (0, 1)
    assert "nothing varies" in ratio_of_log(0.3, 0.0).note


def test_a_mean_stays_within_what_it_can_be():
    mean = ArmEstimate(11.0, 0.9, bounds=(0.0, 12.0)).alone()
    assert (mean.lower, mean.upper) == (pytest.approx(11 - 1.959963985 * 0.9), 12.0)


def test_number_needed_to_treat_by_hand():
    found = number_needed_to_treat(Contrast(-0.2, -0.25, -0.1, 0.01))
    assert (found.value, found.lower, found.upper) == (5, 4, 10)
    harm = number_needed_to_treat(Contrast(0.2, 0.1, 0.25, 0.01))
    assert (harm.value, harm.lower, harm.upper) == (-5, -10, -4)


def test_there_is_no_number_needed_to_treat_across_no_effect():
    with pytest.raises(NotEstimableError, match="includes 0"):
        number_needed_to_treat(Contrast(-0.1, -0.3, 0.1, 0.3))
    with pytest.raises(NotEstimableError, match="no interval"):
        number_needed_to_treat(Contrast(-0.1))
    with pytest.raises(NotEstimableError, match="is 0"):
        number_needed_to_treat(Contrast(1e-16, -0.1, 0.1, 1.0))
    with pytest.raises(NotEstimableError, match="is 0"):
        number_needed_to_treat(Contrast(0.0, -0.1, 0.1, 1.0))


def test_an_arm_without_events_leaves_no_interval():
    nothing = ArmEstimate(0.0, None, reason="no event has happened in the arm 'A' by month 12")
    found = difference(ArmEstimate(0.3, 0.03), nothing)
    assert (found.value, found.lower, found.upper, found.p) == (0.3, None, None, None)
    assert found.note == f"no interval because {nothing.reason}"
    assert nothing.alone().note == found.note
    with pytest.raises(NotEstimableError, match="no event has happened in the arm 'A'"):
        ratio(ArmEstimate(0.3, 0.03), nothing)
