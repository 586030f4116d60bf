import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.curves import aalen_johansen, kaplan_meier
from outcomes.errors import NotEstimableError, OutcomesError

# Six patients; 1 = local progression, 2 = death without it. By hand:
#   month 1: 6 at risk, a progression          F1 = 1/6   F2 = 0     S = 5/6
#   month 2: 5 at risk, one of each            F1 = 1/3   F2 = 1/6   S = 1/2
#   month 3: 3 at risk, a censoring
#   month 4: 2 at risk, a death                F1 = 1/3   F2 = 5/12  S = 1/4
#   month 5: 1 at risk, a progression          F1 = 7/12  F2 = 5/12  S = 0
TIME = [5, 1, 2, 2, 3, 4]
EVENT = [1, 1, 1, 2, 0, 2]

patients = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), min_size=1, max_size=40)


def test_by_hand():
    curve = aalen_johansen(TIME, EVENT)
    assert curve.causes == (1, 2)
    assert curve.times.tolist() == [1, 2, 3, 4, 5]
    assert curve.at_risk.tolist() == [6, 5, 3, 2, 1]
    assert curve.events(1).tolist() == [1, 1, 0, 0, 1]
    months = [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(
        curve.incidence_at(1, months), [0, 1 / 6, 1 / 3, 1 / 3, 1 / 3, 7 / 12]
    )
    np.testing.assert_allclose(curve.incidence_at(2, months), [0, 0, 1 / 6, 1 / 6, 5 / 12, 5 / 12])
    np.testing.assert_allclose(curve.event_free_at(months), [1, 5 / 6, 1 / 2, 1 / 2, 1 / 4, 0])


def test_variance_by_hand():
    # Nobody is censored before month 3, so F (1 - F) / n holds until then.
    curve = aalen_johansen(TIME, EVENT)
    np.testing.assert_allclose(curve.standard_error_at(1, [1, 2]) ** 2, [5 / 216, 1 / 27])
    # For F2 at month 4, with h2 the hazard of death, h of any event, S- the survival before u and
    # D = F2(4) - F2(u): the sum over u of [S-^2 h2 (1 - h2) - 2 S- h2 D + D^2 h / (1 - h)] / n:
    #   u = 1: h2 = 0,   h = 1/6, D = 5/12, n = 6            5/864
    #   u = 2: h2 = 1/5, h = 2/5, D = 1/4,  n = 5, S- = 5/6  1/72
    #   u = 4: h2 = 1/2, h = 1/2, D = 0,    n = 2, S- = 1/2  1/32
    assert curve.standard_error_at(2, 4) ** 2 == pytest.approx(5 / 864 + 1 / 72 + 1 / 32)


@given(patients)
def test_incidences_and_event_free_survival_add_up_to_one(rows):
    time, event = np.array(rows).T
    curve = aalen_johansen(time, event, causes=(1, 2, 3))
    total = curve.event_free.values + sum(curve.incidence[cause].values for cause in (1, 2, 3))
    np.testing.assert_allclose(total, 1, rtol=0, atol=1e-14)
    for cause in (1, 2, 3):
        assert (np.diff(curve.incidence[cause].values) >= 0).all()
        lower, upper = curve.interval(cause)
        known = ~np.isnan(lower)
        values = curve.incidence[cause].values
        assert (lower[known] <= values[known] + 1e-12).all()
        assert (upper[known] >= values[known] - 1e-12).all()


@given(patients)
def test_one_cause_is_the_complement_of_kaplan_meier(rows):
    time, event = np.array(rows).T
    event = event > 0
    both = aalen_johansen(time, event, causes=(1,)), kaplan_meier(time, event)
    np.testing.assert_allclose(
        both[0].incidence[1].values, 1 - both[1].survival.values, rtol=0, atol=1e-14
    )
    alive = both[1].survival.values > 0
    np.testing.assert_allclose(
        both[0].standard_error[1][alive], both[1].standard_error[alive], atol=1e-8
    )


@given(patients)
def test_without_censoring_the_incidences_are_proportions(rows):
    time, event = np.array(rows).T
    event = 1 + event % 2
    curve = aalen_johansen(time, event, causes=(1, 2))
    for cause in (1, 2):
        share = np.array([((time <= month) & (event == cause)).mean() for month in curve.times])
        np.testing.assert_allclose(curve.incidence[cause].values, share, atol=1e-14)
        np.testing.assert_allclose(
            curve.standard_error[cause] ** 2, share * (1 - share) / time.size, atol=1e-14
        )


@given(patients, st.randoms())
def test_order_of_patients_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    first, second = (
        aalen_johansen(*np.array(data).T, causes=(1, 2, 3)) for data in (rows, shuffled)
    )
    for cause in (1, 2, 3):
        np.testing.assert_array_equal(first.incidence[cause].values, second.incidence[cause].values)
        np.testing.assert_array_equal(first.standard_error[cause], second.standard_error[cause])


@given(patients)
def test_merging_causes_adds_their_incidences(rows):
    time, event = np.array(rows).T
    apart = aalen_johansen(time, event, causes=(1, 2, 3))
    merged = aalen_johansen(time, np.minimum(event, 2), causes=(1, 2))
    np.testing.assert_allclose(
        merged.incidence[2].values,
        apart.incidence[2].values + apart.incidence[3].values,
        atol=1e-14,
    )
    np.testing.assert_allclose(merged.standard_error[1], apart.standard_error[1], atol=1e-8)


def test_the_two_variances_agree_in_large_samples():
    random = np.random.default_rng(1)
    time, event = random.exponential(10, 4000), random.integers(0, 3, 4000)
    greenwood, aalen = (
        aalen_johansen(time, event, variance=variance) for variance in ("greenwood", "aalen")
    )
    months = np.array([2.0, 5.0, 12.0])
    np.testing.assert_allclose(
        greenwood.standard_error_at(1, months), aalen.standard_error_at(1, months), rtol=2e-3
    )


def test_memory_grows_linearly():
    random = np.random.default_rng(2)
    n = 100_000
    time, event = random.exponential(10, n), random.integers(0, 3, n)
    tracemalloc.start()
    aalen_johansen(time, event)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * 8 * n  # forty arrays of n; a square array would be 2,500 times more


def test_a_cause_without_events_has_incidence_zero():
    curve = aalen_johansen([1, 2], [1, 0], causes=(1, 2))
    assert curve.incidence_at(2, 2) == 0
    assert curve.interval_at(2, 2) == (0, 0)


def test_everyone_censored():
    curve = aalen_johansen([1, 2], [0, 0])
    assert curve.causes == ()
    assert curve.event_free_at(2) == 1


def test_left_truncation_agrees_with_kaplan_meier():
    time, event, entry = [2, 4, 5, 6], [1, 2, 1, 0], [0, 1, 3, 2]
    curve = aalen_johansen(time, event, entry=entry)
    overall = kaplan_meier(time, np.array(event) > 0, entry=entry)
    np.testing.assert_allclose(curve.event_free.values, overall.survival.values)


def test_unusable_requests():
    curve = aalen_johansen([1, 2, 3], [1, 2, 0])
    with pytest.raises(NotEstimableError, match="ends at month 3, before month 4"):
        curve.incidence_at(1, 4)
    with pytest.raises(OutcomesError, match="unknown cause 3; allowed: 1, 2"):
        curve.incidence_at(3, 1)
    with pytest.raises(OutcomesError, match="row 2: found 2"):
        aalen_johansen([1, 2], [1, 2], causes=(1,))
    with pytest.raises(OutcomesError, match="distinct"):
        aalen_johansen([1, 2], [1, 1], causes=(1, 1))
    with pytest.raises(OutcomesError, match="whole numbers"):
        aalen_johansen([1, 2], [1, 0.5])
    with pytest.raises(OutcomesError, match="greenwood, aalen"):
        aalen_johansen([1, 2], [1, 0], variance="delta")
