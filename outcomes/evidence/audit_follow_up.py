"""An average follow-up against the medians of the groups it averages."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from outcomes.evidence.figure import Evidence, Figure
from outcomes.evidence.finding import IMPROBABLE, Finding, Number
from outcomes.evidence.printed import chance, half_unit, listed, name, shown
from outcomes.evidence.weibull import (
    DEATH_SHAPES,
    FOLLOW_UP_SHAPES,
    dead_by,
    mean_given_median,
)

AVERAGES = ("mean_sd", "mean_among_observed")
# Relative standard deviation of the mean of evenly spread times, given their median.
EVEN = 1 / math.sqrt(3)


@dataclass(frozen=True)
class _Group:
    """A group of patients whose median (or mean) time is part of an average.

    `ends` tells whether the time is the end of follow-up; a local progression is not, follow-up
    goes on.
    """

    figure: Figure
    shapes: tuple[float, ...]
    ends: bool

    def mean(self, shape: float) -> float:
        value = self.figure.value or 0.0
        if self.figure.estimand in AVERAGES:
            return value
        return value * mean_given_median(shape).mean

    def variance(self, shape: float) -> float:
        """Variance of the sum of the group's times."""
        value, n = self.figure.value or 0.0, self.figure.n or 0
        if self.figure.estimand in AVERAGES:
            return (n * half_unit(value, self.figure.statement)) ** 2 / 3
        relative = mean_given_median(shape).variance
        if self.shapes is FOLLOW_UP_SHAPES:
            relative = max(relative, EVEN**2)
        return n * value**2 * relative


def average_follow_up(evidence: Evidence) -> Iterator[Finding]:
    """Find averages of follow-up that the medians of the dead and the living do not allow.

    The groups are the figures whose `part_of` is the average. Times of death are Weibull with
    shapes of `DEATH_SHAPES`, other times may also be symmetric; the largest probability is taken.
    """
    for whole in evidence.figures:
        if whole.estimand not in AVERAGES or whole.value is None or not whole.n:
            continue
        groups = [_group(f) for f in evidence.of_study(whole.study) if f.part_of == whole.id]
        groups = [group for group in groups if group.figure.value]
        if not groups or sum(group.figure.n or 0 for group in groups) != whole.n:
            continue
        finding = _compare(whole, groups)
        if finding is not None:
            yield finding


def _group(figure: Figure) -> _Group:
    dead = "death" in figure.quantity or "died" in figure.quantity
    ends = dead or figure.quantity.startswith("follow_up")
    return _Group(figure, DEATH_SHAPES if dead else FOLLOW_UP_SHAPES, ends)


def _compare(whole: Figure, groups: list[_Group]) -> Finding | None:
    value, n = whole.value or 0.0, whole.n or 0
    half = half_unit(value, whole.statement)
    means, z_low, z_high = [], math.inf, math.inf
    for dead_shape in DEATH_SHAPES:
        for other_shape in FOLLOW_UP_SHAPES:
            total, variance = 0.0, 0.0
            for group in groups:
                shape = dead_shape if group.shapes is DEATH_SHAPES else other_shape
                total += (group.figure.n or 0) * group.mean(shape)
                variance += group.variance(shape)
            mean, error = total / n, max(math.sqrt(variance) / n, 1e-9)
            means.append(mean)
            z_low = min(z_low, max(mean - value - half, 0.0) / error)
            z_high = min(z_high, max(value - half - mean, 0.0) / error)
    if not all(group.ends for group in groups):
        z_high = 0.0
    probability = min(2 * float(stats.norm.sf(max(z_low, z_high))), 1.0)
    expected = (min(means), max(means))
    medians = _pooled_medians(groups)
    as_median = medians[0] - half <= value <= medians[1] + half
    parts = listed(f"{shown(g.figure)} ({name(g.figure)}, n = {g.figure.n})" for g in groups)
    limits = "at least " if not all(group.ends for group in groups) else ""
    medians_only = all(g.figure.estimand not in AVERAGES for g in groups)
    words = f"{'Medians' if medians_only else 'Averages'} of {parts} "
    words += f"make an average of {limits}{expected[0]:.1f}"
    words += f" to {expected[1]:.1f} months" if not limits else " months"
    if any(g.figure.estimand not in AVERAGES for g in groups):
        least = sum((g.figure.n or 0) * _least_mean(g.figure) for g in groups) / n
        words += f" for hazards of Weibull kind ({_shapes(groups)})"
        words += f", {'' if limits else 'at least '}{least:.1f} whatever the distribution"
    words += f"; {value:g} is printed ({whole.source})."
    numbers: dict[str, Number] = {"printed": value, "expected": expected, "pooled_median": medians}
    ids = (whole.id, *(group.figure.id for group in groups))
    if probability < IMPROBABLE:
        words += " Over these hazards an average so far off has a probability of "
        words += f"{chance(probability)} at most."
        return Finding("follow-up", "improbable", whole.study, ids, words, numbers, probability)
    outside = not expected[0] - half <= value <= expected[1] + half
    if outside and as_median and not limits:
        words += f" As the median of all it fits ({medians[0]:.1f} to {medians[1]:.1f} months)."
        return Finding("follow-up", "reading", whole.study, ids, words, numbers, probability)
    return None


def _shapes(groups: list[_Group]) -> str:
    """Return the shapes tried, in words."""
    ends = {g.shapes[-1]: "death" if g.shapes is DEATH_SHAPES else "other times" for g in groups}
    told = [f"to {last:g}" + f" for {what}" * (len(ends) > 1) for last, what in ends.items()]
    return f"shape {DEATH_SHAPES[0]:g} {', '.join(told)}"


def _least_mean(figure: Figure) -> float:
    """Return the least mean of times that cannot be negative: half of them reach the median."""
    return (figure.value or 0.0) * (1.0 if figure.estimand in AVERAGES else 0.5)


def _pooled_medians(groups: list[_Group]) -> tuple[float, float]:
    """Return the least and greatest median of all groups together."""
    grid = np.linspace(0.0, 4 * max(g.figure.value or 0.0 for g in groups), 2_001)[1:]
    found = []
    for dead_shape in DEATH_SHAPES:
        for other_shape in FOLLOW_UP_SHAPES:
            below = np.zeros(grid.size)
            for group in groups:
                shape = dead_shape if group.shapes is DEATH_SHAPES else other_shape
                below += (group.figure.n or 0) * dead_by(grid, group.figure.value or 1.0, shape)
            found.append(float(grid[np.searchsorted(below / below[-1], 0.5)]))
    return min(found), max(found)
