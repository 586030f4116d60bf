"""A mean, its standard deviation and the range of the values."""

import math
from collections.abc import Iterator

from outcomes.evidence.figure import Evidence, Figure
from outcomes.evidence.finding import Finding
from outcomes.evidence.printed import ROUNDING, half_unit, name, sentence

MEANS = ("mean_sd", "mean_among_observed")
# Above this share of the largest standard deviation nearly all values lie at the ends.
NEAR_THE_ENDS = 0.9
# Endings by which a range names the quantity whose values it spans.
ENDINGS = ("_range", "_mean", "_sd", "_median")


def spread(evidence: Evidence) -> Iterator[Finding]:
    """Find means and standard deviations that a range does not allow.

    With values between ``low`` and ``high`` and mean ``m`` the variance (of the n values) is at
    most ``(high - m) (m - low)``: Bhatia R, Davis C. A better bound on the variance. Am Math Mon.
    2000;107(4):353-357. With a value at either end it is at least ``(high - low)^2 / (2 n)``.
    """
    for figure in evidence.figures:
        span = _range_of(evidence, figure)
        if figure.value is None or span is None or figure.same_as:
            continue
        yield from _compare(figure, span)


def _range_of(evidence: Evidence, figure: Figure) -> Figure | None:
    """Return the figure with the range of the values a figure averages."""
    if figure.low is not None and figure.high is not None and figure.estimand != "range":
        return figure
    for other in evidence.of_study(figure.study):
        if other.estimand != "range" or other.arm != figure.arm or other.unit != figure.unit:
            continue
        same_print = (other.source, other.statement) == (figure.source, figure.statement)
        if (figure.statement and same_print) or _stem(other) == _stem(figure):
            return other
    return None


def _stem(figure: Figure) -> str:
    for ending in ENDINGS:
        if figure.quantity.endswith(ending):
            return figure.quantity.removesuffix(ending)
    return figure.quantity


def _compare(figure: Figure, span: Figure) -> Iterator[Finding]:
    mean, low, high = figure.value or 0.0, span.low or 0.0, span.high or 0.0
    average = figure.estimand in (*MEANS, "median_among_observed") and (
        not figure.quantity.endswith("_sd")
    )
    half = half_unit(mean, figure.statement)
    ids = tuple(dict.fromkeys((figure.id, span.id)))
    label = sentence(name(figure))
    unit = figure.unit
    if average and not low - half - ROUNDING <= mean <= high + half + ROUNDING:
        yield Finding(
            "range",
            "contradiction",
            figure.study,
            ids,
            f"{label}: an average of {mean:g} {unit} lies outside its own range of {low:g} to "
            f"{high:g}.",
            {"value": mean, "low": low, "high": high},
        )
        return
    if figure.sd is None or figure.estimand not in MEANS or not average:
        return
    # The mean within its rounding that allows most.
    best = min(max((low + high) / 2, mean - half), mean + half)
    lowest = low - half_unit(low, span.statement)
    highest = high + half_unit(high, span.statement)
    sample = math.sqrt(figure.n / (figure.n - 1)) if figure.n and figure.n > 1 else 1.0
    largest = math.sqrt(max((high - mean) * (mean - low), 0.0))
    allowed = math.sqrt(max((highest - best) * (best - lowest), 0.0)) * sample
    narrowest = max(2 * (high - low) - (highest - lowest), 0.0)
    least = narrowest / math.sqrt(2 * (figure.n - 1)) if figure.n and figure.n > 1 else 0.0
    rounding = half_unit(figure.sd, figure.statement) + ROUNDING
    numbers = {"mean": mean, "sd": figure.sd, "largest_sd": largest, "least_sd": least}
    numbers |= {"low": low, "high": high}
    given = f"{mean:g} ± {figure.sd:g} {unit} within {low:g}-{high:g}"
    if figure.sd > allowed + rounding:
        yield Finding(
            "bhatia-davis",
            "contradiction",
            figure.study,
            ids,
            f"{label}: {given}: no values in that range with that mean have a standard deviation "
            f"above {allowed:.1f}.",
            numbers,
        )
    elif figure.sd < least - rounding:
        yield Finding(
            "bhatia-davis",
            "contradiction",
            figure.study,
            ids,
            f"{label}: {given}: among {figure.n} with one at either end of the range the standard "
            f"deviation is at least {least:.2f}.",
            numbers,
        )
    elif largest > 0 and figure.sd > NEAR_THE_ENDS * largest:
        top = (mean - low) / (high - low)
        share = min(figure.sd / largest, 1.0)
        yield Finding(
            "bhatia-davis",
            "reading",
            figure.study,
            ids,
            f"{label}: {given} has {100 * share:.0f}% of the largest standard "
            f"deviation possible ({largest:.1f}), so nearly everyone was at one end: about "
            f"{100 * top:.0f}% at {high:g} and {100 - 100 * top:.0f}% at {low:g} {unit}.",
            {**numbers, "share_at_the_top": top},
        )
