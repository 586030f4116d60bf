"""Shares of trials, and where they cross a target."""

import math

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from outcomes.errors import NotEstimableError, OutcomesError
from outcomes.power.rates import crossing, rate


def test_wilson_by_hand():
    # Brown, Cai & DasGupta, Stat Sci 2001;16:101: of 10 trials with none, 0 to z²/(n + z²).
    none = rate(0, 10)
    assert (none.value, none.lower, none.monte_carlo_error) == (0, 0, 0)
    assert none.upper == pytest.approx(1.959964**2 / (10 + 1.959964**2))
    all_of_them = rate(10, 10)
    assert (all_of_them.upper, all_of_them.lower) == (1, pytest.approx(1 - none.upper))
    # p = 0.5, n = 100: 0.5 ± z sqrt(0.0025 + z²/40000) / (1 + z²/100) = 0.4038, 0.5962.
    half = rate(50, 100)
    assert (half.lower, half.upper) == pytest.approx((0.40383, 0.59617), abs=1e-5)
    assert half.monte_carlo_error == pytest.approx(0.05)
    assert half.count == 50


def test_the_line_is_found_where_there_is_one():
    roots = np.sqrt([100, 200, 300, 400])
    powers = ndtr(0.15 * roots - 1.96)
    rates = [rate(round(power * 100_000), 100_000) for power in powers]
    found = crossing(roots, rates, 0.8)
    wanted = (ndtri(0.8) + 1.96) / 0.15
    assert found.value == pytest.approx(wanted, rel=1e-3)
    assert found.lower < wanted < found.upper
    assert found.upper - found.lower < 0.2


def test_the_interval_holds_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(5)
    roots = np.sqrt([150, 250, 350, 450])
    powers, wanted = ndtr(0.15 * roots - 1.96), (ndtri(0.8) + 1.96) / 0.15
    inside = 0
    for _ in range(400):
        rates = [rate(int(generator.binomial(200, power)), 200) for power in powers]
        found = crossing(roots, rates, 0.8)
        inside += found.lower <= wanted <= found.upper
    # The interval is widened where the line fits badly by chance, so it may hold it more often.
    assert 0.93 <= inside / 400 <= 0.995


def test_a_bent_line_widens_the_interval():
    roots = np.sqrt([100, 200, 300, 400, 500])
    straight = ndtr(0.15 * roots - 1.96)
    bent = straight + np.array([0.1, -0.1, 0.1, -0.1, 0.0])
    widths = []
    for powers in (straight, bent):
        rates = [rate(round(power * 2_000), 2_000) for power in powers]
        found = crossing(roots, rates, 0.8)
        widths.append(found.upper - found.lower)
    assert widths[1] > 2 * widths[0]


def test_what_does_not_rise_crosses_nothing():
    flat = [rate(50, 1_000), rate(52, 1_000), rate(49, 1_000)]
    with pytest.raises(NotEstimableError, match="does not rise"):
        crossing([10, 14, 20], flat, 0.8)
    with pytest.raises(NotEstimableError, match="does not rise"):
        crossing([10, 14, 20], [rate(k, 1_000) for k in (800, 500, 300)], 0.8)
    with pytest.raises(NotEstimableError, match="fewer than two"):
        crossing([10, 14, 20], flat, 0.8, floor=0.15)
    with pytest.raises(NotEstimableError, match="fewer than two"):
        crossing([10, 10], [rate(5, 10), rate(6, 10)], 0.8)
    jump = [rate(0, 1_000), rate(1_000, 1_000)]
    with pytest.raises(NotEstimableError):
        crossing([10, 20], jump, 0.8)


def test_what_cannot_be_is_refused():
    with pytest.raises(OutcomesError, match="count"):
        rate(3, 2)
    with pytest.raises(OutcomesError, match="count"):
        rate(0, 0)
    with pytest.raises(OutcomesError, match="power"):
        crossing([1, 2], [rate(1, 10), rate(9, 10)], 1.0)
    with pytest.raises(OutcomesError, match="where"):
        crossing([1, 2, 3], [rate(1, 10), rate(9, 10)], 0.8)
    assert math.isclose(rate(1, 3).value, 1 / 3)
