"""A finding of the audit in one plain sentence; the arithmetic stays with the audit's own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from outcomes.reports.figure_names import figure_label, figure_value
from outcomes.reports.measured import printed_label
from outcomes.reports.names import readable
from outcomes.reports.wording import plain, sentence_list

if TYPE_CHECKING:
    from outcomes.evidence import Evidence, Figure, Finding

Figures = tuple["Figure", ...]
DEAD = ("death", "died")
LIVING = ("alive", "survived")


def plain_sentence(evidence: Evidence, finding: Finding) -> str:
    """Return what a finding says without its arithmetic; empty where its own words are plain."""
    known = {figure.id: figure for figure in evidence.figures}
    figures = tuple(known[name] for name in finding.figures if name in known)
    told = TOLD.get(finding.check)
    return "" if told is None or not figures else told(evidence, finding, figures)


def _numbers(finding: Finding, name: str) -> tuple[float, ...]:
    """Return what was computed under a name; empty where nothing was."""
    found = finding.numbers.get(name, ())
    if isinstance(found, str):
        return ()
    return found if isinstance(found, tuple) else (found,)


def _span(numbers: tuple[float, ...], digits: int = 0) -> str:
    """Return ``a`` or ``a to b``."""
    ends = dict.fromkeys(f"{number:.{digits}f}" for number in (min(numbers), max(numbers)))
    return " to ".join(ends)


def _small(label: str) -> str:
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def _who(figure: Figure) -> str:
    """Return whose time a figure is; empty for another time than the end of follow-up."""
    if any(word in figure.quantity for word in DEAD):
        return "those who died"
    return "the living" if any(word in figure.quantity for word in LIVING) else ""


def _average(figure: Figure) -> str:
    return "median" if "median" in figure.estimand else "mean"


def _follow_up(_: Evidence, finding: Finding, figures: Figures) -> str:
    whole, *groups = figures
    times = [figure for figure in groups if _who(figure)]
    if not times:
        return ""
    first, *others = times
    parts = sentence_list(
        (
            f"{_who(first)} were followed for a {_average(first)} of {figure_value(first)}",
            *(
                f"{_who(other)} for "
                f"{'' if _average(other) == _average(first) else f'a {_average(other)} of '}"
                f"{figure_value(other)}"
                for other in others
            ),
        )
    )
    if finding.severity == "reading":
        return f"{figure_value(whole)} is printed as the average, but fits as the median: {parts}."
    return f"An average follow-up of {figure_value(whole)} does not fit: {parts}."


def _two_meanings(_: Evidence, finding: Finding, figures: Figures) -> str:
    value = _numbers(finding, "value")
    if not value:
        return ""
    # Two readings of one print are no two meanings.
    prints = {(figure.source, figure.statement): figure for figure in reversed(figures)}
    labels = tuple(f"as {_small(figure_label(figure))}" for figure in prints.values())
    words = f"{figure_value(figures[0])} is printed {sentence_list(labels[::-1])}"
    excluded = [figure for figure in figures if figure.quantity.startswith("follow_up")]
    if finding.severity == "improbable" and excluded:
        return f"{words}; only the first can be meant, for no such follow-up fits the other times."
    return f"{words}; which is meant cannot be told."


def _medians(figures: Figures) -> str:
    values = [figure for figure in figures if figure.estimand == "kaplan_meier_median"]
    if not values:
        return ""
    word = "median survival of" if len(values) == 1 else "median survivals of"
    return f"{word} {sentence_list(tuple(figure_value(figure) for figure in values))}"


def _deaths(_: Evidence, finding: Finding, figures: Figures) -> str:
    printed, expected = _numbers(finding, "printed"), _numbers(finding, "expected")
    medians = _medians(figures)
    if not (printed and expected and medians):
        return ""
    few = printed[0] < min(expected)
    return (
        f"{printed[0]:.0f} deaths are {'few' if few else 'many'}: {medians} let "
        f"{'about' if few else 'at most'} {_span(expected)} of {figures[0].n} patients die in the "
        "time they were followed."
    )


def _shortest_follow_up(_: Evidence, finding: Finding, figures: Figures) -> str:
    dead, patients = _numbers(finding, "dead_before"), _numbers(finding, "patients")
    medians = _medians(figures)
    if not (dead and patients and medians):
        return ""
    return (
        f"With {medians} about {dead[0]:.0f} of {patients[0]:.0f} patients die before the shortest "
        "follow-up, so that follow-up can hardly be that of all patients."
    )


def _hazard_shape(_: Evidence, __: Finding, figures: Figures) -> str:
    time = figures[0]
    return (
        f"{figure_label(time)}: all at {figure_value(time)}, though follow-up went on much longer. "
        "The risk is high early and then all but vanishes."
    )


def _bhatia_davis(evidence: Evidence, finding: Finding, figures: Figures) -> str:
    mean, sd = _numbers(finding, "mean"), _numbers(finding, "sd")
    low, high = _numbers(finding, "low"), _numbers(finding, "high")
    if finding.severity != "reading" or not (mean and sd and low and high):
        return ""
    return (
        f"{printed_label(figures[0], evidence)}: {plain(mean[0])} ± {plain(sd[0])} is "
        f"nearly the widest spread possible between {plain(low[0])} and {plain(high[0])}, so "
        "nearly everyone stood at one of the two ends."
    )


def _immortal_time(_: Evidence, __: Finding, figures: Figures) -> str:
    return (
        f"The {plain(figures[0].value)} patients of the arm “{readable(figures[0].arm)}” had to "
        "live until that treatment, so their survival looks better than it makes it."
    )


def _between_studies(_: Evidence, finding: Finding, __: Figures) -> str:
    ratio = _numbers(finding, "ratio")
    if not ratio:
        return ""
    return (
        f"Patients of one study died {ratio[0]:.0f} times as fast as those of another, more than "
        "chance allows, so each study keeps its own risk of death."
    )


def _groups(_: Evidence, finding: Finding, figures: Figures) -> str:
    overall, mean = _numbers(finding, "overall"), _numbers(finding, "weighted_mean")
    if finding.severity != "improbable" or not (overall and mean):
        return ""
    return (
        f"{figure_label(figures[0])}: the groups average to {mean[0]:.1f}, but "
        f"{figure_value(figures[0])} is printed for all."
    )


def _late_events(_: Evidence, finding: Finding, __: Figures) -> str:
    late, followed = _numbers(finding, "late"), _numbers(finding, "still_followed")
    if not (late and followed):
        return ""
    return (
        f"{late[0]:.0f} or more events came late, when at most {followed[0]:.0f} patients were "
        "still followed."
    )


TOLD: dict[str, Callable[[Evidence, Finding, Figures], str]] = {
    "between-studies": _between_studies,
    "bhatia-davis": _bhatia_davis,
    "deaths": _deaths,
    "follow-up": _follow_up,
    "groups": _groups,
    "hazard-shape": _hazard_shape,
    "immortal-time": _immortal_time,
    "late-events": _late_events,
    "shortest-follow-up": _shortest_follow_up,
    "two-meanings": _two_meanings,
}
