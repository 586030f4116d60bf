"""Deaths against median survival and follow-up; hazards of death between studies."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.evidence.figure import Evidence, Figure
from outcomes.evidence.finding import IMPROBABLE, Finding
from outcomes.evidence.printed import chance, listed
from outcomes.evidence.weibull import DEATH_SHAPES, binomial_sum, dead_by, follow_up_times

DEATHS = ("deaths", "died")
AVERAGES = ("mean_sd", "mean_among_observed")


@dataclass(frozen=True)
class Survival:
    """The median survivals of a study's groups and its follow-up."""

    medians: tuple[Figure, ...]
    mean: Figure | None
    span: Figure | None

    @property
    def low(self) -> float | None:
        """Shortest follow-up in months."""
        return None if self.span is None else self.span.low

    @property
    def high(self) -> float | None:
        """Longest follow-up in months."""
        return None if self.span is None else self.span.high

    @property
    def ids(self) -> tuple[str, ...]:
        """Identifiers of the figures."""
        figures = (*self.medians, self.mean, self.span)
        return tuple(dict.fromkeys(figure.id for figure in figures if figure is not None))

    @property
    def words(self) -> str:
        """The medians and the follow-up in words."""
        told = listed(f"{m.value:g} months ({m.n} patients)" for m in self.medians)
        plural = "survivals" if len(self.medians) > 1 else "survival"
        return f"Median {plural} of {told} with {self.low:g}-{self.high:g} months of follow-up"


def survival_of(evidence: Evidence, study: str, arm: str, n: int) -> Survival | None:
    """Return what a study prints of the survival of `n` patients; None without medians.

    The medians are those of groups that together are the n patients, else that of all.
    """
    figures = [f for f in evidence.of_study(study) if not f.same_as and f.value is not None]
    medians = [f for f in figures if f.estimand == "kaplan_meier_median" and f.n]
    medians = [f for f in medians if f.quantity.startswith("overall_survival")]
    own = tuple(f for f in medians if f.arm == arm and f.n == n)
    groups = tuple(f for f in medians if f.arm and not arm)
    if sum(f.n or 0 for f in groups) == n:
        own = groups
    if not own:
        return None
    follow_up = [f for f in evidence.of_study(study) if f.quantity.startswith("follow_up")]
    follow_up = [
        f for f in follow_up if f.arm in (arm, "") and f.unit == "months" and not f.same_as
    ]
    means = [f for f in follow_up if f.estimand in AVERAGES and f.sd is not None]
    spans = [f for f in follow_up if f.low is not None and f.high is not None]
    return Survival(own, means[0] if means else None, spans[0] if spans else None)


def deaths(evidence: Evidence) -> Iterator[Finding]:
    """Find numbers of deaths that median survival and follow-up make implausible.

    Too few: each patient is followed for a time from the beta distribution with the printed
    moments. Read as the moments of survivors, the longer followed the rarer, each time weighs by
    one over the probability of surviving it; both readings are tried. Too many: everyone is
    followed for the longest time. The largest probability over the readings and the shapes of
    the Weibull hazard is taken.
    """
    for figure in evidence.figures:
        if figure.quantity not in DEATHS or figure.estimand != "count" or figure.same_as:
            continue
        if figure.value is None or not figure.n:
            continue
        printed = survival_of(evidence, figure.study, figure.arm, figure.n)
        if printed is None or printed.high is None:
            continue
        mean = printed.mean
        times = follow_up_times(
            None if mean is None else mean.value,
            None if mean is None else mean.sd,
            printed.low,
            printed.high,
        )
        if times is None:
            continue
        few = _totals(printed, times, False) + _totals(printed, times, True)
        many = _totals(printed, np.array([printed.high]), False)
        count = int(figure.value)
        at_most = max(float(total[: count + 1].sum()) for total in few)
        at_least = max(float(total[count:].sum()) for total in many)
        if min(at_most, at_least) >= IMPROBABLE:
            continue
        too_few = at_most < at_least
        totals, probability = (few, at_most) if too_few else (many, at_least)
        # With a steady hazard, in each reading of the follow-up.
        steady = totals[DEATH_SHAPES.index(1.0) :: len(DEATH_SHAPES)]
        expected = tuple(float(total @ np.arange(total.size)) for total in steady)
        told = "about " + " to ".join(dict.fromkeys(f"{number:.0f}" for number in expected))
        yield Finding(
            "deaths",
            "improbable",
            figure.study,
            (figure.id, *printed.ids),
            f"{printed.words} let {told if too_few else f'at most {told}'} of {figure.n} patients "
            f"die; {figure.source} prints {count} deaths. So {'few' if too_few else 'many'} or "
            f"{'fewer' if too_few else 'more'} have a probability of {chance(probability)} at "
            "most.",
            {"expected": expected, "printed": float(count)},
            probability,
        )


def _totals(printed: Survival, times: FloatArray, survivors: bool) -> list[FloatArray]:
    """Return the probabilities of each number of deaths, for each shape of the hazard."""
    sizes = [figure.n or 0 for figure in printed.medians]
    found = []
    for shape in DEATH_SHAPES:
        dead = [dead_by(times, median.value or math.inf, shape) for median in printed.medians]
        alive = sum(n * (1 - share) for n, share in zip(sizes, dead, strict=True)) / sum(sizes)
        weights = 1 / alive if survivors else np.ones(times.size)
        shares = [float(np.average(share, weights=weights)) for share in dead]
        found.append(binomial_sum(sizes, shares))
    return found


def _none_dead_by(printed: Survival, month: float) -> float:
    """Return the probability that nobody has died by a month, at its largest."""
    return max(
        math.prod((1 - _dead(month, one, shape)) ** (one.n or 0) for one in printed.medians)
        for shape in DEATH_SHAPES
    )


def earliest_follow_up(evidence: Evidence) -> Iterator[Finding]:
    """Find follow-up whose shortest time outlasts patients that median survival lets die."""
    told = set()
    for figure in evidence.figures:
        if figure.estimand != "kaplan_meier_median" or figure.study in told or not figure.n:
            continue
        told.add(figure.study)
        size = evidence.study(figure.study).n or figure.n
        printed = survival_of(evidence, figure.study, "", size)
        if printed is None or not printed.low:
            continue
        dead = [
            sum((median.n or 0) * _dead(printed.low, median, shape) for median in printed.medians)
            for shape in DEATH_SHAPES
        ]
        none = _none_dead_by(printed, printed.low)
        if none >= IMPROBABLE:
            continue
        steady = dead[DEATH_SHAPES.index(1.0)]
        yield Finding(
            "shortest-follow-up",
            "reading",
            figure.study,
            printed.ids,
            f"{printed.words} let {min(dead):.0f} to {max(dead):.0f} of {size} patients die before "
            f"the shortest follow-up of {printed.low:g} months ({steady:.0f} with a steady "
            f"hazard); that none did has a probability of {chance(none)} at most. The follow-up "
            "can only be that of the survivors.",
            {"dead_before": (min(dead), steady, max(dead)), "patients": float(size)},
            none,
        )


def _dead(month: float, median: Figure, shape: float) -> float:
    return float(dead_by(np.array(month), median.value or math.inf, shape))
