"""Cause-specific hazards combined, and series averaged, on numbers small enough to check."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.models.competing import cumulative_incidences
from outcomes.models.series import SeriesSet, average_incidences


def test_two_causes_by_hand():
    grid = np.array([1.0, 2.0])
    first, second = np.array([[0.2, 0.2]]), np.array([[0.1, 0.4]])
    found = cumulative_incidences([first, second], grid, np.array([0.0, 0.9, 1.0, 1.5, 2.0]))
    lost = 1 - np.exp(-0.3)
    late = np.exp(-0.3) * (1 - np.exp(-0.3))
    np.testing.assert_allclose(found[0, 0], [0, 0, lost * 2 / 3, lost * 2 / 3, lost * 2 / 3])
    np.testing.assert_allclose(found[1, 0], [0, 0, lost / 3, lost / 3, lost / 3 + late])


def test_one_cause_is_the_exponential_formula():
    hazard = np.array([[0.3, 0.9]])
    found = cumulative_incidences([hazard], np.array([1.0, 2.0]), np.array([0.5, 1.0, 3.0]))
    np.testing.assert_allclose(found[0, 0], [0, 1 - np.exp(-0.3), 1 - np.exp(-0.9)])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2)), min_size=1, max_size=12))
def test_incidences_and_event_free_sum_to_1(steps):
    grid = np.arange(1.0, len(steps) + 1)
    first, second = np.cumsum(np.array(steps), axis=0).T
    found = cumulative_incidences([first[None], second[None]], grid, grid)
    np.testing.assert_allclose(
        1 - found.sum(axis=0)[0], np.exp(-(first + second)), rtol=1e-9, atol=1e-12
    )
    assert (np.diff(found, axis=2) >= -1e-15).all()


def test_a_series_that_ends_is_carried_on_by_the_others():
    """Constant hazards: a ends at 2; from then on its patients fare like b's."""
    times = np.array([1.0, 2.0, 3.0])
    series = SeriesSet(("a", "b"), (30, 10), (2.0, 5.0))
    a = 1 - np.exp(-0.5 * np.minimum(times, 2.0))
    b = 1 - np.exp(-0.1 * times)
    found = average_incidences([a[None, None], b[None, None]], times, series)[0, 0]
    early = 0.75 * a[:2] + 0.25 * b[:2]
    np.testing.assert_allclose(found[:2], early)
    assert 1 - found[2] == pytest.approx((1 - early[1]) * np.exp(-0.1))


def test_series_that_end_together_are_plainly_averaged():
    times = np.array([0.0, 1.0, 4.0])
    series = SeriesSet(("a", "b"), (1, 1), (4.0, 4.0))
    a, b = np.array([[[0.0, 0.2, 0.6]]]), np.array([[[0.0, 0.4, 0.8]]])
    np.testing.assert_allclose(average_incidences([a, b], times, series), (a + b) / 2)
