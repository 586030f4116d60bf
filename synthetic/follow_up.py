"""How long patients are followed: the censoring distributions."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import betainc, gammainc

from outcomes.arrays import FloatArray

# Beyond it the exponential function of its negative is 0.
LARGEST_EXPONENT = 745.0


class FollowUp(Protocol):
    """A distribution of the months of follow-up, independent of the patient."""

    def below(self, months: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return P(C <= months) and E[C; C <= months] of the continuous part."""
        ...

    def draw(self, size: int, generator: np.random.Generator) -> FloatArray:
        """Draw months of follow-up, shape (size,)."""
        ...

    @property
    def breaks(self) -> tuple[float, ...]:
        """Months at which the distribution is not smooth; the last one is its end."""
        ...

    @property
    def atom(self) -> float:
        """Probability of follow-up to exactly the last month."""
        ...


@dataclass(frozen=True)
class WeibullFollowUp:
    """Weibull follow-up, ended for all at `last` months.

    Attributes
    ----------
    scale, last
        Months.
    shape
        Weibull shape.
    """

    scale: float
    shape: float
    last: float

    def below(self, months: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return P(C <= months) and E[C; C <= months] of the continuous part."""
        # Follow-up much shorter than a month: all of it is over.
        with np.errstate(over="ignore"):
            units = (np.minimum(months, self.last) / self.scale) ** self.shape
        order = 1 + 1 / self.shape
        moment = self.scale * math.gamma(order) * gammainc(order, units)
        return np.asarray(-np.expm1(-units)), np.asarray(moment)

    def draw(self, size: int, generator: np.random.Generator) -> FloatArray:
        """Draw months of follow-up, shape (size,)."""
        return np.asarray(np.minimum(self.scale * generator.weibull(self.shape, size), self.last))

    @property
    def breaks(self) -> tuple[float, ...]:
        """Months at which the distribution is not smooth; the last one is its end."""
        return (self.last,)

    @property
    def atom(self) -> float:
        """Probability of follow-up to exactly the last month."""
        if self.shape * math.log(self.last / self.scale) > math.log(LARGEST_EXPONENT):
            return 0.0
        return math.exp(-((self.last / self.scale) ** self.shape))


@dataclass(frozen=True)
class BetaFollowUp:
    """Follow-up between `low` and `high` months with a Beta(a, b) shape.

    Both shape parameters near 0 put nearly everyone at one of the ends, as Liu's published range,
    mean and standard deviation demand; both at 1 are the uniform distribution.
    """

    low: float
    high: float
    a: float
    b: float

    def below(self, months: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return P(C <= months) and E[C; C <= months] of the continuous part."""
        width = self.high - self.low
        inside = np.clip((months - self.low) / width, 0, 1)
        mass = np.asarray(betainc(self.a, self.b, inside))
        moment = self.a / (self.a + self.b) * betainc(self.a + 1, self.b, inside)
        return mass, np.asarray(self.low * mass + width * moment)

    def draw(self, size: int, generator: np.random.Generator) -> FloatArray:
        """Draw months of follow-up, shape (size,)."""
        return np.asarray(self.low + (self.high - self.low) * generator.beta(self.a, self.b, size))

    @property
    def breaks(self) -> tuple[float, ...]:
        """Months at which the distribution is not smooth; the last one is its end."""
        return self.low, self.high

    @property
    def atom(self) -> float:
        """Probability of follow-up to exactly the last month."""
        return 0.0


def expected_by(follow_up: FollowUp, months: FloatArray, values: FloatArray) -> FloatArray:
    """Return E[f(C); C <= month] for a function known on a grid.

    The function is taken as linear within each interval, for which the first two moments of the
    follow-up within the interval give the expectation exactly, however concentrated it is there.

    Parameters
    ----------
    follow_up
        Distribution of C.
    months
        Grid that starts at 0, shape (n_months,); it must hold every break of the follow-up.
    values
        f on the grid, shape (n_months,).

    Returns
    -------
    array of shape (n_months,)
    """
    mass, moment = follow_up.below(months)
    mass_step, moment_step = np.diff(mass), np.diff(moment)
    slope = np.diff(values) / np.diff(months)
    parts = values[:-1] * mass_step + slope * (moment_step - months[:-1] * mass_step)
    total = np.concatenate([[0.0], np.cumsum(parts)])
    last = follow_up.breaks[-1]
    end = int(np.searchsorted(months, last))
    total[end:] += follow_up.atom * values[end]
    return np.asarray(total)


def observed_by(follow_up: FollowUp, months: FloatArray, incidence: FloatArray) -> FloatArray:
    """Return P(event seen by each month) for an event of the given cumulative incidence."""
    ended = follow_up.below(months)[0] + follow_up.atom * (months >= follow_up.breaks[-1])
    followed = 1 - ended
    return np.asarray(followed * incidence + expected_by(follow_up, months, incidence))
