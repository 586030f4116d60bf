"""Weibull times with a given median: what a printed median implies about the rest."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats
from scipy.stats import qmc

from outcomes.arrays import FloatArray

# From a hazard that falls (many die early) to one that rises in proportion to time.
DEATH_SHAPES = (0.7, 0.85, 1.0, 1.25, 1.5, 1.75, 2.0)
# Where the shape decides how many died by a month: to one that rises with the square of time.
WIDE_SHAPES = (0.5, *DEATH_SHAPES, 2.5, 3.0)
# Follow-up of the living may also be symmetric, as when patients enter evenly over a period.
FOLLOW_UP_SHAPES = (*DEATH_SHAPES, 2.5, 3.0, 4.0)
# Middles of equal parts of a distribution.
PARTS = (np.arange(2_000) + 0.5) / 2_000
# Points over which the sampling errors of medians are integrated.
POINTS = 255


def dead_by(months: FloatArray, median: float | FloatArray, shape: float) -> FloatArray:
    """Return the probability of death by each month."""
    return np.asarray(1 - 2.0 ** -((months / median) ** shape))


@lru_cache(maxsize=16)
def normal_points(dimensions: int) -> FloatArray:
    """Return points of independent standard normals that fill their space evenly.

    Shape (dimensions, `POINTS`): a Halton sequence, without its first point at the corner.
    """
    points = qmc.Halton(dimensions, scramble=False).random(POINTS + 1)[1:]
    return np.asarray(stats.norm.ppf(points.T))


def log_median_error(
    median: float, n: int, shape: float, times: FloatArray, weights: FloatArray
) -> float:
    """Return the standard error of the logarithm of a Kaplan-Meier median.

    With S the survival and G the share still followed, Greenwood's variance of log S at the median
    is I / n, where I is the integral of 1 / (s^2 G) over s from 1/2 to 1; without censoring I is 1.
    The slope of log S against log time is there -log(2) shape, so the error is
    ``sqrt(I / n) / (log(2) shape)``, and n / I is the effective number of patients (Klein JP,
    Moeschberger ML. Survival analysis. 2003, 4.5). G is at least one patient.

    Parameters
    ----------
    times, weights
        Times of follow-up in increasing order, in months, and their weights.
    """
    alive = 1 - PARTS / 2
    months = median * (-np.log2(alive)) ** (1 / shape)
    ended = np.concatenate([[0.0], np.cumsum(weights)]) / weights.sum()
    followed = np.maximum(1 - ended[np.searchsorted(times, months)], 1 / n)
    inflation = float((1 / (alive**2 * followed)).mean()) / 2
    return math.sqrt(inflation / n) / (math.log(2) * shape)


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


def binomial_sum(sizes: list[int], shares: FloatArray) -> FloatArray:
    """Return the probabilities of each total of independent binomial counts.

    `shares` has the shape (groups, points); the probabilities are averaged over the points. They
    come from the discrete Fourier transform of the counts, (1 - p + p w)^n.
    """
    length = sum(sizes) + 1
    turns = np.exp(-2j * np.pi * np.arange(length) / length)
    product = np.ones((shares.shape[1], length), dtype=complex)
    for size, share in zip(sizes, shares, strict=True):
        product *= (1 - share[:, None] * (1 - turns)) ** size
    return np.asarray(np.clip(np.fft.ifft(product.mean(axis=0)).real, 0.0, 1.0))


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
