"""Deaths against median survival and follow-up; hazards of death between studies."""

import math
from collections.abc import Iterator

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.evidence.figure import Evidence, Figure
from outcomes.evidence.finding import IMPROBABLE, Finding
from outcomes.evidence.printed import chance
from outcomes.evidence.printed_survival import Survival, survival_of
from outcomes.evidence.weibull import DEATH_SHAPES, binomial_sum, dead_by, follow_up_times

DEATHS = ("deaths", "died")


def deaths(evidence: Evidence) -> Iterator[Finding]:
    """Find numbers of deaths that median survival and follow-up make implausible.

    Too few: each patient is followed for a time from the beta distribution with the printed
    moments. Read as the moments of survivors, the longer followed the rarer, each time weighs by
    one over the probability of surviving it; both readings are tried. Too many: everyone is
    followed for the longest time, where one is printed of all. The largest probability over the
    readings and the shapes of the Weibull hazard is taken.
    """
    for figure in evidence.figures:
        if figure.quantity not in DEATHS or figure.estimand != "count" or figure.same_as:
            continue
        if figure.value is None or not figure.n:
            continue
        printed = survival_of(evidence, figure.study, figure.arm, figure.n)
        if printed is None or printed.high is None:
            continue
        times = follow_up_times(printed.mean, printed.sd, printed.low, printed.high)
        if times is None:
            continue
        few = _totals(printed, times, False) + _totals(printed, times, True)
        # Survivors' follow-up sets no limit to that of the others.
        of_all = printed.span is not None and printed.span.n == figure.n
        longest = np.array([printed.high if of_all else math.inf])
        many = _totals(printed, longest, False)
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
