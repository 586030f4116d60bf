"""An overall figure against those of its groups."""

import math
from collections.abc import Iterator

from scipy import stats

from outcomes.evidence.checks import AT_A_HORIZON
from outcomes.evidence.figure import Evidence, Figure
from outcomes.evidence.finding import IMPROBABLE, Finding
from outcomes.evidence.printed import (
    ROUNDING,
    arm_name,
    chance,
    half_unit,
    listed,
    name,
    possible_counts,
    sentence,
    shown,
)

MEDIANS = ("median_among_observed", "kaplan_meier_median")


def overall(evidence: Evidence) -> Iterator[Finding]:
    """Find overall figures that the figures of their groups do not allow.

    Counts of complete groups add up, and means average to the overall mean, exactly. A
    Kaplan-Meier estimate or cumulative incidence of all is the size-weighted mean of its groups'
    only where all groups were followed alike, so another value is a reading. Outside the range of
    its groups it is improbable: what chance in the follow-up adds is less than the sampling error.
    """
    for whole in evidence.figures:
        if whole.arm or whole.value is None or not whole.n or whole.same_as:
            continue
        members = [
            figure
            for figure in evidence.of_study(whole.study)
            if figure.arm
            and (figure.quantity, figure.estimand, figure.unit, figure.at_month)
            == (whole.quantity, whole.estimand, whole.unit, whole.at_month)
            and figure.value is not None
            and figure.n
            and not figure.same_as
        ]
        if whole.estimand in ("count", "crude_proportion"):
            yield from _subsets(whole, members)
        if len(members) > 1 and sum(figure.n or 0 for figure in members) == whole.n:
            yield from _complete(whole, members)


def _subsets(whole: Figure, members: list[Figure]) -> Iterator[Finding]:
    """Compare a count with that of one group of the same patients."""
    all_counts = possible_counts(whole)
    for figure in members:
        counts = possible_counts(figure)
        if not counts or not all_counts or (figure.n or 0) >= (whole.n or 0):
            continue
        rest = (whole.n or 0) - (figure.n or 0)
        least, most = min(counts), max(counts) + rest
        if least <= max(all_counts) and most >= min(all_counts):
            continue
        yield Finding(
            "groups",
            "contradiction",
            whole.study,
            (whole.id, figure.id),
            f"{sentence(name(whole))}: {all_counts[0]} of {whole.n} overall, but {counts[0]} of "
            f"{figure.n} in the group {arm_name(figure)}, which leaves "
            f"{all_counts[0] - counts[0]} for the other {rest}.",
            {"overall": float(all_counts[0]), "group": float(counts[0]), "rest": float(rest)},
        )


def _complete(whole: Figure, members: list[Figure]) -> Iterator[Finding]:
    """Compare an overall figure with those of groups that together are all patients."""
    values = [figure.value or 0.0 for figure in members]
    slack = [half_unit(figure.value or 0.0, figure.statement) for figure in members]
    sizes = [figure.n or 0 for figure in members]
    value, half = whole.value or 0.0, half_unit(whole.value or 0.0, whole.statement)
    mean = sum(n * v for n, v in zip(sizes, values, strict=True)) / sum(sizes)
    mean_slack = sum(n * s for n, s in zip(sizes, slack, strict=True)) / sum(sizes)
    low = min(v - s for v, s in zip(values, slack, strict=True)) - half - ROUNDING
    high = max(v + s for v, s in zip(values, slack, strict=True)) + half + ROUNDING
    outside = not low <= value <= high
    apart = abs(value - mean) > mean_slack + half + ROUNDING
    exact = whole.estimand not in (*AT_A_HORIZON, "kaplan_meier_median")
    if whole.estimand in ("count", "crude_proportion"):
        options = [possible_counts(figure) for figure in members]
        total = possible_counts(whole)
        if not total or not all(options):
            return
        sums = sum(min(o or ()) for o in options), sum(max(o or ()) for o in options)
        apart = max(total) < sums[0] or min(total) > sums[1]
        outside = outside and apart and whole.estimand == "crude_proportion"
    if whole.estimand in MEDIANS:
        apart = False
    if not (apart or outside):
        return
    prints = listed(f"{shown(f)} of {f.n} ({arm_name(f)})" for f in members)
    words = f"{sentence(name(whole))}: {prints} "
    unit = "%" if whole.unit == "percent" else f" {whole.unit}"
    if whole.estimand == "count":
        words += f"add up to {sum(values):.0f}, not to the {value:.0f} printed for all."
    elif outside:
        words += f"leave no room for {shown(whole)} overall: it lies outside their range."
    else:
        words += f"average to {mean:.1f}{unit}, not to the {shown(whole)} printed for all."
    numbers = {"overall": value, "weighted_mean": mean, "low": min(values), "high": max(values)}
    ids = (whole.id, *(figure.id for figure in members))
    if exact:
        yield Finding("groups", "contradiction", whole.study, ids, words, numbers)
        return
    beyond = max(low - value, value - high, 0.0)
    probability = _chance_of_gap(whole, beyond)
    if probability is not None and probability < IMPROBABLE:
        words += (
            f" Chance in the follow-up does that with probability {chance(probability)} at most."
        )
        yield Finding("groups", "improbable", whole.study, ids, words, numbers, probability)
        return
    words += " Estimates with censoring do that only where the groups were followed differently."
    yield Finding("groups", "reading", whole.study, ids, words, numbers, probability)


def _chance_of_gap(whole: Figure, gap: float) -> float | None:
    """Return the chance that an overall estimate lies so far beyond all its groups, at most."""
    if whole.estimand not in AT_A_HORIZON or whole.standard_error is None:
        return None
    return float(2 * stats.norm.sf(gap / whole.standard_error)) if math.isfinite(gap) else None
