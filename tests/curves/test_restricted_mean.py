import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.curves import (
    aalen_johansen,
    kaplan_meier,
    restricted_mean_survival_time,
    restricted_mean_time_lost,
)
from outcomes.errors import NotEstimableError, OutcomesError

patients = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=2, max_size=40)


def test_survival_time_by_hand():
    # The curve of test_kaplan_meier: 1 to month 1, 5/6 to month 6, 5/12 to month 9.
    # Area = 1 + 25/6 + 5/4; areas to the right of months 1 and 6 are 65/12 and 5/4, so
    # the variance is (65/12)^2 / (6 * 5) + (5/4)^2 * 2 / (4 * 2).
    mean = restricted_mean_survival_time(kaplan_meier([9, 1, 1, 6, 6, 8], [1, 1, 0, 1, 1, 0]), 9)
    assert mean.value == pytest.approx(77 / 12)
    assert mean.standard_error**2 == pytest.approx((65 / 12) ** 2 / 30 + (5 / 4) ** 2 / 4)
    interval = mean.interval()
    assert interval.upper - interval.value == pytest.approx(1.959963985 * mean.standard_error)


def test_time_lost_by_hand():
    # The incidence of test_aalen_johansen: 1/6 from month 1, 1/3 from month 2.
    curve = aalen_johansen([5, 1, 2, 2, 3, 4], [1, 1, 1, 2, 0, 2])
    mean = restricted_mean_time_lost(curve, 1, 3)
    assert mean.value == pytest.approx(1 / 6 + 1 / 3)
    # Nobody is censored before month 3: six patients lose 2, 1, 0, 0, 0, 0 months.
    lost = np.array([2, 1, 0, 0, 0, 0])
    assert mean.standard_error**2 == pytest.approx(lost.var() / 6)


@given(patients, st.floats(0.5, 15))
def test_without_censoring_it_is_the_mean_and_its_standard_error(rows, horizon):
    time, event = np.array(rows).T
    survived = np.minimum(time, horizon)
    mean = restricted_mean_survival_time(kaplan_meier(time, np.ones(time.size)), horizon)
    assert mean.value == pytest.approx(survived.mean(), abs=1e-12)
    assert mean.standard_error == pytest.approx(survived.std() / time.size**0.5, abs=1e-7)
    event = 1 + event % 2
    lost = np.where(event == 1, np.maximum(horizon - time, 0), 0)
    mean = restricted_mean_time_lost(aalen_johansen(time, event, causes=(1, 2)), 1, horizon)
    assert mean.value == pytest.approx(lost.mean(), abs=1e-12)
    assert mean.standard_error == pytest.approx(lost.std() / time.size**0.5, abs=1e-7)


@given(patients)
def test_times_survived_and_lost_add_up_to_the_horizon(rows):
    time, event = np.array(rows).T
    horizon = float(max(time.max(), 1))
    if horizon > time.max():
        return
    curve = aalen_johansen(time, event, causes=(1, 2))
    overall = restricted_mean_survival_time(kaplan_meier(time, event > 0), horizon)
    lost = [restricted_mean_time_lost(curve, cause, horizon).value for cause in (1, 2)]
    assert overall.value + sum(lost) == pytest.approx(horizon)
    single = restricted_mean_time_lost(aalen_johansen(time, event > 0, causes=(1,)), 1, horizon)
    assert single.value == pytest.approx(horizon - overall.value)
    assert single.standard_error == pytest.approx(overall.standard_error, abs=1e-6)


def test_the_mean_is_the_area_under_the_curve():
    random = np.random.default_rng(7)
    curve = kaplan_meier(random.exponential(10, 50), random.integers(0, 2, 50))
    grid = np.linspace(0, 8, 400_001)
    area = curve.survival_at((grid[1:] + grid[:-1]) / 2).mean() * 8
    assert restricted_mean_survival_time(curve, 8).value == pytest.approx(area, abs=1e-4)


def test_the_variance_shrinks_with_the_sample():
    random = np.random.default_rng(8)
    time, event = random.exponential(10, 500), random.integers(0, 2, 500)
    single = restricted_mean_survival_time(kaplan_meier(time, event), 8)
    fourfold = restricted_mean_survival_time(kaplan_meier(np.tile(time, 4), np.tile(event, 4)), 8)
    assert fourfold.value == pytest.approx(single.value)
    assert fourfold.standard_error == pytest.approx(single.standard_error / 2, rel=1e-2)


def test_before_the_first_event_nothing_varies():
    mean = restricted_mean_survival_time(kaplan_meier([3, 5], [1, 0]), 2)
    assert (mean.value, mean.standard_error) == (2, 0)


def test_horizon_must_be_positive_and_observed():
    survival = kaplan_meier([3, 5], [1, 0])
    incidence = aalen_johansen([3, 5], [1, 0])
    with pytest.raises(NotEstimableError, match="ends at month 5, before month 6"):
        restricted_mean_survival_time(survival, 6)
    with pytest.raises(NotEstimableError, match="ends at month 5, before month 6"):
        restricted_mean_time_lost(incidence, 1, 6)
    for horizon in (0, -1, float("nan"), float("inf")):
        with pytest.raises(OutcomesError, match="positive number of months"):
            restricted_mean_survival_time(survival, horizon)
        with pytest.raises(OutcomesError, match="positive number of months"):
            restricted_mean_time_lost(incidence, 1, horizon)
