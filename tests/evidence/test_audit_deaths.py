"""The probability of a number of deaths, and the sampling error of a median, by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from outcomes.evidence import audit, load_evidence
from outcomes.evidence.audit_survival import (
    death_probabilities,
    follow_up_weights,
    probable_medians,
)
from outcomes.evidence.printed_survival import Survival, survival_of
from outcomes.evidence.weibull import (
    PARTS,
    POINTS,
    WIDE_SHAPES,
    binomial_sum,
    follow_up_times,
    log_median_error,
    normal_points,
)

SHIPPED = load_evidence()
DRAWN = 20_000


def liu() -> tuple[Survival, np.ndarray]:
    printed = survival_of(SHIPPED, "liu-2020", "", 52)
    assert printed is not None
    times = follow_up_times(printed.mean, printed.sd, printed.low, printed.high)
    assert times is not None
    return printed, times


def died(
    rng: np.random.Generator, medians: np.ndarray, n: int, shape: float, times: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw series; return the deaths and the Kaplan-Meier median of each."""
    size = (medians.size, n)
    death = medians[:, None] * (rng.exponential(size=size) / math.log(2)) ** (1 / shape)
    end = rng.choice(times, size)
    order = np.argsort(np.minimum(death, end), axis=1)
    months = np.take_along_axis(np.minimum(death, end), order, axis=1)
    dead = np.take_along_axis(death <= end, order, axis=1)
    half = np.cumprod(1 - dead / (n - np.arange(n)), axis=1) <= 0.5 + 1e-9
    first = months[np.arange(medians.size), half.argmax(axis=1)]
    return dead.sum(axis=1), np.where(half.any(axis=1), first, np.inf)


def test_points_are_standard_normals() -> None:
    points = normal_points(3)
    assert points.shape == (3, POINTS)
    assert np.abs(points.mean(axis=1)).max() < 0.03
    assert points.std(axis=1) == pytest.approx(np.ones(3), abs=0.05)
    assert np.corrcoef(points) == pytest.approx(np.eye(3), abs=0.05)


def test_sum_of_binomial_counts_is_their_convolution() -> None:
    shares = np.array([[0.2, 0.4], [0.7, 0.1]])
    each = [
        np.convolve(
            stats.binom.pmf(np.arange(6), 5, first), stats.binom.pmf(np.arange(10), 9, second)
        )
        for first, second in shares.T
    ]
    assert binomial_sum([5, 9], shares) == pytest.approx(np.mean(each, axis=0), abs=1e-12)


@pytest.mark.parametrize("shape", WIDE_SHAPES)
def test_error_of_a_median_without_censoring(shape: float) -> None:
    # 1 / (2 f(m) m sqrt(n)) with f(m) m = log(2) shape / 2.
    times = np.full(PARTS.size, 1e6)
    error = log_median_error(10.0, 40, shape, times, np.ones(times.size))
    assert error == pytest.approx(1 / (math.sqrt(40) * math.log(2) * shape), rel=1e-3)


@pytest.mark.parametrize("shape", [0.7, 1.0, 2.0])
def test_error_of_a_median_with_censoring_is_that_of_simulation(shape: float) -> None:
    times = np.linspace(1.0, 25.0, 200)
    error = log_median_error(10.0, 200, shape, times, np.ones(times.size))
    _, medians = died(np.random.default_rng(1), np.full(3_000, 10.0), 200, shape, times)
    assert np.log(medians).std() == pytest.approx(error, rel=0.1)
    assert error > 1.05 / (math.sqrt(200) * math.log(2) * shape)


@pytest.mark.parametrize("shape", [0.85, 3.0])
def test_probability_of_few_deaths_is_that_of_simulation(shape: float) -> None:
    printed, times = liu()
    everyone = follow_up_weights(printed, times, shape)[0]
    total = death_probabilities(printed, probable_medians(printed, shape), times, everyone, shape)
    assert total.sum() == pytest.approx(1.0)
    rng = np.random.default_rng(2)
    dead = np.zeros(DRAWN, dtype=int)
    for median, n in ((21.0, 39), (38.0, 13)):
        error = log_median_error(median, n, shape, times, np.ones(times.size))
        true = median * np.exp(error * rng.standard_normal(DRAWN))
        dead += died(rng, true, n, shape, times)[0]
    assert float(total[:16].sum()) == pytest.approx((dead <= 15).mean(), abs=0.005)


def test_of_the_same_patients_so_few_deaths_are_less_probable_yet() -> None:
    """Series whose medians come out as printed, whatever the true ones: a flat prior."""
    _, times = liu()
    (finding,) = [f for f in audit(SHIPPED) if f.check == "deaths"]
    rng = np.random.default_rng(3)
    total = np.ones(1)
    for median, n in ((21.0, 39), (38.0, 13)):
        true = median * np.exp(rng.uniform(-1.2, 1.2, DRAWN))
        dead, seen = died(rng, true, n, 1.0, times)
        near = np.abs(np.log(seen / median)) < 0.08
        assert near.sum() > 500
        total = np.convolve(total, np.bincount(dead[near], minlength=n + 1) / near.sum())
    assert finding.probability == pytest.approx(0.035, abs=0.005)
    assert total[:16].sum() < 0.5 * (finding.probability or 0.0)
