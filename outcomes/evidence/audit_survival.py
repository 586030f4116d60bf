"""Deaths against median survival and follow-up; hazards of death between studies."""

import math
from collections.abc import Iterator

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.evidence.figure import Evidence
from outcomes.evidence.finding import Finding
from outcomes.evidence.printed import about
from outcomes.evidence.printed_survival import Survival, survival_of
from outcomes.evidence.weibull import (
    DEATH_SHAPES,
    WIDE_SHAPES,
    binomial_sum,
    dead_by,
    follow_up_times,
    log_median_error,
    normal_points,
)

DEATHS = ("deaths", "died")
# The probabilities here are the largest over hazards, with the medians' errors as if other
# patients had them, so that far fewer consistent series than these lie below.
IMPROBABLE_DEATHS = 0.05
# Follow-up in so many equal parts is enough for an average.
FOLLOWED = 100
OVER = (
    f"the largest over hazards of Weibull kind (shape {WIDE_SHAPES[0]:g} to {WIDE_SHAPES[-1]:g}) "
    "and with the medians' own sampling errors"
)


def deaths(evidence: Evidence) -> Iterator[Finding]:
    """Find numbers of deaths that median survival and follow-up make implausible.

    Too few: each patient is followed for a time from the beta distribution with the printed
    moments. Read as the moments of survivors, the longer followed the rarer, each time weighs by
    one over the probability of surviving it; both readings are tried. Too many: everyone is
    followed for the longest time, where one is printed of all. The probability is integrated over
    the sampling errors of the medians (see `log_median_error`); the largest over the readings and
    the shapes of the Weibull hazard is taken.
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
        # Survivors' follow-up sets no limit to that of the others.
        of_all = printed.span is not None and printed.span.n == figure.n
        longest = np.array([printed.high if of_all else math.inf])
        count = int(figure.value)
        at_most, at_least = 0.0, 0.0
        for shape in WIDE_SHAPES:
            medians = probable_medians(printed, shape)
            for weights in follow_up_weights(printed, times, shape):
                total = death_probabilities(printed, medians, times, weights, shape)
                at_most = max(at_most, float(total[: count + 1].sum()))
            total = death_probabilities(printed, medians, longest, np.ones(1), shape)
            at_least = max(at_least, float(total[count:].sum()))
        if min(at_most, at_least) >= IMPROBABLE_DEATHS:
            continue
        too_few = at_most < at_least
        probability = min(at_most, at_least)
        # With a steady hazard and the medians as printed, in each reading of the follow-up.
        if too_few:
            readings = follow_up_weights(printed, times, 1.0)
            expected = tuple(_expected(printed, times, weights) for weights in readings)
        else:
            expected = (_expected(printed, longest, np.ones(1)),)
        told = "about " + " to ".join(dict.fromkeys(f"{number:.0f}" for number in expected))
        yield Finding(
            "deaths",
            "improbable",
            figure.study,
            (figure.id, *printed.ids),
            f"{printed.words} let {told if too_few else f'at most {told}'} of {figure.n} patients "
            f"die; {figure.source} prints {count} deaths. So {'few' if too_few else 'many'} or "
            f"{'fewer' if too_few else 'more'} have a probability of {about(probability)}, {OVER}.",
            {"expected": expected, "printed": float(count)},
            probability,
        )


def _sizes(printed: Survival) -> list[int]:
    return [figure.n or 0 for figure in printed.medians]


def probable_medians(printed: Survival, shape: float) -> FloatArray:
    """Return medians that can lie behind those printed, equally probable: (groups, points).

    The logarithm of each is normal about that of the printed one. Where only the range of the
    follow-up is printed, patients are followed evenly over it.
    """
    times = follow_up_times(printed.mean, printed.sd, printed.low, printed.high)
    if times is None or times.size == 1:
        times = np.linspace(printed.low or 0.0, printed.high or math.inf, FOLLOWED)
    values = np.array([figure.value or math.inf for figure in printed.medians])
    errors = [
        log_median_error(value, n, shape, times, np.ones(times.size))
        for value, n in zip(values, _sizes(printed), strict=True)
    ]
    points = normal_points(values.size)
    return np.asarray(values[:, None] * np.exp(np.array(errors)[:, None] * points))


def follow_up_weights(
    printed: Survival, times: FloatArray, shape: float
) -> tuple[FloatArray, FloatArray]:
    """Return the weights of follow-up times read as those of all patients and of survivors."""
    sizes = np.array(_sizes(printed))
    medians = np.array([figure.value or math.inf for figure in printed.medians])
    alive = sizes @ (1 - dead_by(times, medians[:, None], shape)) / sizes.sum()
    return np.ones(times.size), 1 / np.maximum(alive, 1e-9)


def death_probabilities(
    printed: Survival, medians: FloatArray, times: FloatArray, weights: FloatArray, shape: float
) -> FloatArray:
    """Return the probabilities of each number of deaths."""
    step = max(times.size // FOLLOWED, 1)
    some, share = times[step // 2 :: step], weights[step // 2 :: step]
    dead = dead_by(some, medians[:, :, None], shape) @ (share / share.sum())
    return binomial_sum(_sizes(printed), np.asarray(dead))


def _expected(printed: Survival, times: FloatArray, weights: FloatArray) -> float:
    """Return the number of deaths expected with a steady hazard and the medians as printed."""
    return sum(
        (figure.n or 0)
        * float(np.average(dead_by(times, figure.value or math.inf, 1.0), weights=weights))
        for figure in printed.medians
    )


def earliest_follow_up(evidence: Evidence) -> Iterator[Finding]:
    """Find follow-up whose shortest time outlasts patients that median survival lets die.

    The probability that none died is integrated over the sampling errors of the medians. It is
    told for all shapes and, where only the steepest make it probable, for the others (to 2).
    """
    told = set()
    for figure in evidence.figures:
        if figure.estimand != "kaplan_meier_median" or figure.study in told or not figure.n:
            continue
        told.add(figure.study)
        size = evidence.study(figure.study).n or figure.n
        printed = survival_of(evidence, figure.study, "", size)
        if printed is None or not printed.low:
            continue
        low = np.array([printed.low])
        none = {
            shape: float(
                death_probabilities(
                    printed, probable_medians(printed, shape), low, np.ones(1), shape
                )[0]
            )
            for shape in WIDE_SHAPES
        }
        moderate = max(none[shape] for shape in DEATH_SHAPES)
        largest = max(none.values())
        if moderate >= IMPROBABLE_DEATHS:
            continue
        expected = _expected(printed, low, np.ones(1))
        words = (
            f"{printed.words} let {expected:.0f} of {size} patients die before the shortest "
            f"follow-up of {printed.low:g} months with a steady hazard. That none did has a "
            f"probability of {about(largest)}, {OVER}"
        )
        if largest >= IMPROBABLE_DEATHS:
            words += f", and {about(moderate)} up to a shape of {DEATH_SHAPES[-1]:g}"
            told_as = "Either the follow-up is that of the survivors or the hazard rises steeply."
        else:
            told_as = "The follow-up can only be that of the survivors."
        yield Finding(
            "shortest-follow-up",
            "reading",
            figure.study,
            printed.ids,
            f"{words}. {told_as}",
            {"dead_before": expected, "patients": float(size), "probability_steep": largest},
            moderate,
        )
