"""Weibull times with a given median: what a printed median implies about the rest."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

from outcomes.arrays import FloatArray

# From a hazard that falls (many die early) to one that rises in proportion to time.
DEATH_SHAPES = (0.7, 0.85, 1.0, 1.25, 1.5, 1.75, 2.0)
# Follow-up of the living may also be symmetric, as when patients enter evenly over a period.
FOLLOW_UP_SHAPES = (*DEATH_SHAPES, 2.5, 3.0, 4.0)
# Middles of equal parts of a distribution.
PARTS = (np.arange(2_000) + 0.5) / 2_000


def dead_by(months: FloatArray, median: float, shape: float) -> FloatArray:
    """Return the probability of death by each month."""
    return np.asarray(1 - 2.0 ** -((months / median) ** shape))


@dataclass(frozen=True)
class MeanGivenMedian:
    """The mean of a sample whose median is 1.

    Attributes
    ----------
    mean
        Its expectation.
    variance
        Its variance times the sample's size, given the sample's median (asymptotic).
    """

    mean: float
    variance: float


@lru_cache(maxsize=64)
def mean_given_median(shape: float) -> MeanGivenMedian:
    """Return what a sample's median says about its mean.

    The mean is the population's median times c, with the sample's median in its place. The
    variance of ``mean - c * median`` follows from those of both and from their covariance,
    ``E|X - m| / (2 f(m) n)`` (Ferguson TS. A course in large sample theory. 1996, section 13).
    """
    times = stats.weibull_min(shape, scale=np.log(2) ** (-1 / shape))
    quantiles = times.ppf(PARTS)
    mean, density = float(times.mean()), float(times.pdf(1.0))
    from_median = float(np.abs(quantiles - 1).mean())
    variance = float(times.var()) + mean**2 / (4 * density**2) - mean * from_median / density
    return MeanGivenMedian(mean, variance)


def binomial_sum(sizes: list[int], shares: list[float]) -> FloatArray:
    """Return the probabilities of each total of independent binomial counts."""
    total = np.ones(1)
    for size, share in zip(sizes, shares, strict=True):
        total = np.convolve(total, stats.binom.pmf(np.arange(size + 1), size, share))
    return np.asarray(total)


def follow_up_times(
    mean: float | None, sd: float | None, low: float | None, high: float | None
) -> FloatArray | None:
    """Return equally probable follow-up times of a beta distribution with the printed moments.

    Without a standard deviation the times are those that let the fewest die: everyone at the
    shortest; without a range there is nothing to go by and the answer is None.
    """
    if low is None or high is None:
        return None
    if mean is None or sd is None or not low < mean < high:
        return np.array([low])
    share, spread = (mean - low) / (high - low), (sd / (high - low)) ** 2
    concentration = share * (1 - share) / spread - 1 if spread > 0 else np.inf
    if concentration <= 0:
        # As wide as can be: everyone at either end.
        return np.where(share > PARTS, high, low)
    if not np.isfinite(concentration):
        return np.array([mean])
    times = stats.beta.ppf(PARTS, share * concentration, (1 - share) * concentration)
    return np.asarray(low + (high - low) * times)
