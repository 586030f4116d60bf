import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.curves import kaplan_meier
from outcomes.errors import NotEstimableError, OutcomesError

# R survival's smallest test data, without the missing row. By hand:
#   month 1: 6 at risk, 1 death, 1 censored after it   S = 5/6
#   month 6: 4 at risk, 2 deaths                        S = 5/6 * 1/2 = 5/12
#   month 8: 2 at risk, 1 censored                      S = 5/12
#   month 9: 1 at risk, 1 death                         S = 0
TIME = [9, 1, 1, 6, 6, 8]
EVENT = [1, 1, 0, 1, 1, 0]

patients = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 1), st.integers(1, 4)), min_size=1, max_size=40
)


def test_by_hand():
    curve = kaplan_meier(TIME, EVENT)
    assert curve.times.tolist() == [1, 6, 8, 9]
    assert curve.at_risk.tolist() == [6, 4, 2, 1]
    assert curve.events.tolist() == [1, 2, 0, 1]
    assert curve.table.censored.tolist() == [1, 0, 1, 0]
    np.testing.assert_allclose(curve.survival.values, [5 / 6, 5 / 12, 5 / 12, 0], atol=1e-15)


def test_greenwood_by_hand():
    # Var S(1) = (5/6)^2 / (6 * 5);  Var S(6) = (5/12)^2 (1/30 + 2 / (4 * 2))
    curve = kaplan_meier(TIME, EVENT)
    np.testing.assert_allclose(curve.standard_error_at([1, 6]) ** 2, [5 / 216, 85 / 1728])
    assert np.isnan(curve.standard_error[-1])


def test_intervals_by_hand():
    curve = kaplan_meier(TIME, EVENT)
    survival, error = 5 / 12, math.sqrt(85 / 1728)
    lower, upper = curve.interval_at(6, transform="plain")
    assert lower == 0  # 5/12 - 1.96 * 0.222 lies below 0
    assert upper == pytest.approx(survival + 1.959963984540054 * error)
    lower, upper = curve.interval_at(6)
    width = 1.959963984540054 * error / (survival * abs(math.log(survival)))
    assert lower == pytest.approx(survival ** math.exp(width))
    assert upper == pytest.approx(survival ** math.exp(-width))


def test_at_risk_counts_those_who_reach_the_month():
    curve = kaplan_meier(TIME, EVENT)
    assert curve.at_risk_at([0, 1, 1.5, 6, 8.5, 9, 10]).tolist() == [6, 6, 4, 4, 1, 1, 0]


def test_median_is_the_first_month_at_or_below_one_half():
    assert kaplan_meier(TIME, EVENT).median().value == 6


def test_median_of_a_curve_flat_at_one_half_is_the_midpoint():
    assert kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1]).median().value == 2.5


def test_median_not_reached_is_nan():
    assert math.isnan(kaplan_meier([1, 2, 3, 4], [1, 0, 0, 0]).median().value)


def test_curve_refuses_to_extrapolate():
    curve = kaplan_meier([1, 5, 9], [1, 1, 0])
    assert curve.survival_at(9) == pytest.approx(1 / 3)
    with pytest.raises(NotEstimableError, match=r"ends at month 9, before month 9\.1"):
        curve.survival_at([3, 9.1])


def test_curve_that_has_reached_zero_stays_there():
    assert kaplan_meier(TIME, EVENT).survival_at(100) == 0


def test_death_on_the_day_of_surgery():
    curve = kaplan_meier([0, 1, 2, 3], [1, 0, 0, 0])
    assert curve.survival_at(0) == 0.75


def test_left_truncation_by_hand():
    # At month 2 patients 1 and 2 are at risk; the third enters at 2, and so only after it.
    curve = kaplan_meier([2, 4, 5], [1, 1, 1], entry=[0, 1, 2])
    assert curve.at_risk.tolist() == [2, 2, 1]
    np.testing.assert_allclose(curve.survival.values, [1 / 2, 1 / 4, 0])
    assert curve.at_risk_at([0, 1, 1.5, 2, 3]).tolist() == [1, 1, 2, 2, 2]


@given(patients, st.randoms())
def test_order_of_patients_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    first, second = (kaplan_meier(*np.array(data).T[:2]) for data in (rows, shuffled))
    np.testing.assert_array_equal(first.survival.values, second.survival.values)
    np.testing.assert_array_equal(first.standard_error, second.standard_error)


@given(patients)
def test_survival_falls_within_zero_and_one_and_its_interval(rows):
    time, event, _ = np.array(rows).T
    curve = kaplan_meier(time, event)
    values = curve.survival.values
    assert ((values >= 0) & (values <= 1)).all()
    assert (np.diff(values) <= 0).all()
    for transform in ("log-log", "plain"):
        lower, upper = curve.interval(transform=transform)
        known = ~np.isnan(lower)
        assert (lower[known] <= values[known] + 1e-12).all()
        assert (upper[known] >= values[known] - 1e-12).all()
        assert ((lower[known] >= 0) & (upper[known] <= 1)).all()


@given(patients)
def test_without_censoring_it_is_the_empirical_distribution(rows):
    time = np.array(rows)[:, 0]
    curve = kaplan_meier(time, np.ones(time.size))
    share = np.array([(time > month).mean() for month in curve.times])
    np.testing.assert_allclose(curve.survival.values, share, atol=1e-12)
    inside = share > 0
    np.testing.assert_allclose(
        curve.standard_error[inside] ** 2, (share * (1 - share) / time.size)[inside], atol=1e-12
    )


@given(patients)
def test_equal_weights_give_greenwood(rows):
    time, event, _ = np.array(rows).T
    plain, weighted = kaplan_meier(time, event), kaplan_meier(time, event, weights=event * 0 + 2.5)
    np.testing.assert_allclose(weighted.survival.values, plain.survival.values, atol=1e-12)
    np.testing.assert_allclose(weighted.standard_error, plain.standard_error, atol=1e-12)


@given(patients)
def test_weights_count_patients(rows):
    time, event, weight = np.array(rows).T
    weighted = kaplan_meier(time, event, weights=weight)
    repeated = kaplan_meier(np.repeat(time, weight), np.repeat(event, weight))
    np.testing.assert_allclose(weighted.survival.values, repeated.survival.values, atol=1e-12)


@given(patients)
def test_entry_at_surgery_is_no_truncation(rows):
    time, event, _ = np.array(rows).T
    plain, entered = kaplan_meier(time, event), kaplan_meier(time, event, entry=0 * time)
    np.testing.assert_array_equal(plain.survival.values, entered.survival.values)
    np.testing.assert_array_equal(plain.at_risk, entered.at_risk)


@pytest.mark.parametrize(
    ("time", "event", "message"),
    [
        ([1, -2], [0, 1], "row 2: found -2"),
        ([1, np.nan], [0, 1], "row 2: found nan"),
        ([1, np.inf], [0, 1], "row 2: found inf"),
        ([1, 2], [0, 2], "row 2: found 2; allowed: 0, 1"),
        ([1, 2], [0, np.nan], "row 2: found nan"),
        ([1, 2], [0], r"shapes \(2,\) and \(1,\)"),
        ([[1, 2]], [[0, 1]], "one sequence"),
        ([], [], "no patient"),
    ],
)
def test_unusable_data(time, event, message):
    with pytest.raises(OutcomesError, match=message):
        kaplan_meier(time, event)


def test_unusable_entry_weights_and_levels():
    with pytest.raises(OutcomesError, match="entry of row 2: found 2"):
        kaplan_meier([3, 2], [1, 1], entry=[1, 2])
    with pytest.raises(OutcomesError, match="positive"):
        kaplan_meier([3, 2], [1, 1], weights=[1, 0])
    with pytest.raises(OutcomesError, match="not both"):
        kaplan_meier([3, 2], [1, 1], entry=[0, 0], weights=[1, 1])
    with pytest.raises(OutcomesError, match="level"):
        kaplan_meier([3, 2], [1, 1]).interval(level=95)
    with pytest.raises(OutcomesError, match="log-log, log, logit, arcsin, plain"):
        kaplan_meier([3, 2], [1, 1]).interval(transform="square")
    with pytest.raises(OutcomesError, match="between 0 and 1"):
        kaplan_meier([3, 2], [1, 1]).quantile(50)
