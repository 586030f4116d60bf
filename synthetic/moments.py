"""Distributions made from a published mean and standard deviation."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy.special import betainc, betaincinv

from outcomes.arrays import FloatArray

GRID = 2_000
# Smallest sum of the parameters of a beta: its mass then stands all but wholly at the two ends.
LEAST_CONCENTRATION = 0.02


@dataclass(frozen=True)
class Gamma:
    """A positive quantity: a gamma distribution of a given mean and standard deviation."""

    mean: float
    sd: float

    @property
    def shape(self) -> float:
        """Shape parameter."""
        return (self.mean / self.sd) ** 2

    @property
    def raw_moments(self) -> FloatArray:
        """The first four moments about 0."""
        scale = self.sd**2 / self.mean
        return np.asarray(np.cumprod(scale * (self.shape + np.arange(4.0))))

    def draw(self, size: int, generator: np.random.Generator) -> FloatArray:
        """Draw values, shape (size,)."""
        return np.asarray(generator.gamma(self.shape, self.sd**2 / self.mean, size))


@dataclass(frozen=True)
class Bounded:
    """A score between 0 and `high`: a beta distribution of a given mean and standard deviation.

    A standard deviation that no distribution on the range can have is cut to the largest.
    """

    mean: float
    sd: float
    high: float

    @cached_property
    def parameters(self) -> tuple[float, float]:
        """The two parameters of the beta."""
        share, spread = self.mean / self.high, self.sd / self.high
        total = max(share * (1 - share) / spread**2 - 1, LEAST_CONCENTRATION)
        return share * total, (1 - share) * total

    @property
    def raw_moments(self) -> FloatArray:
        """The first four moments about 0."""
        a, b = self.parameters
        steps = np.arange(4.0)
        return np.asarray(np.cumprod(self.high * (a + steps) / (a + b + steps)))

    def below(self, values: FloatArray) -> FloatArray:
        """Return the probability of at most each value."""
        inside = np.clip(np.asarray(values) / self.high, 0, 1)
        return np.asarray(betainc(*self.parameters, inside))

    def quantile(self, shares: FloatArray) -> FloatArray:
        """Return the value that each share of the distribution lies below."""
        return np.asarray(self.high * betaincinv(*self.parameters, shares))

    @property
    def grid(self) -> FloatArray:
        """Equally likely values that stand for the distribution, shape (GRID,)."""
        return _grid(self)

    def draw(self, size: int, generator: np.random.Generator) -> FloatArray:
        """Draw values, shape (size,)."""
        return np.asarray(self.high * generator.beta(*self.parameters, size))


@lru_cache(maxsize=128)
def _grid(score: Bounded) -> FloatArray:
    return score.quantile((np.arange(GRID) + 0.5) / GRID)


def mixture(moments: Sequence[FloatArray], weights: Sequence[float]) -> FloatArray:
    """Return the first four moments about 0 of a mixture."""
    return np.asarray(np.average(np.array(moments), axis=0, weights=np.array(weights)))


def sd_of(moments: FloatArray) -> float:
    """Return the standard deviation of a distribution with given moments about 0."""
    return float(np.sqrt(max(moments[1] - moments[0] ** 2, 0.0)))


def sd_error(moments: FloatArray, n: float) -> float:
    """Return the large-sample standard error of the standard deviation of n values."""
    first, second, third, fourth = moments
    variance = second - first**2
    central = fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4
    return float(np.sqrt(max(central - variance**2, 0.0) / n) / (2 * np.sqrt(variance)))
