"""Immortal time: what a plain comparison credits to the treatment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.endpoints import get_endpoint
from outcomes.reports.content import Block, Column, Paragraph, Section, Table
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_adjusted import reason_of
from outcomes.reports.summary_arms import is_survival, treatment_name
from outcomes.reports.wording import count, number, percent, sentence_list, stacked

if TYPE_CHECKING:
    from outcomes.causal.immortal_time import ImmortalTime
    from outcomes.comparison import Comparison


def immortal_section(results: StudyResults) -> Section | None:
    """Show the person-months before treatment, and the rates with and without them."""
    blocks: list[Block] = []
    counted: list[tuple[Comparison, ImmortalTime]] = []
    for comparison in results.comparisons.values():
        found = comparison.robustness
        if found is None:
            continue
        title = get_endpoint(comparison.endpoint).title
        if found.immortal_time is None:
            reason = reason_of(found.reasons["immortal_time"])
            blocks.append(Paragraph(f"{title}: not estimable because {reason}."))
            continue
        counted.append((comparison, found.immortal_time))
        blocks.append(_table(comparison, found.immortal_time))
    if not blocks:
        return None
    return Section(
        id="immortal-time",
        title="Immortal time",
        finding=_sentence(counted)
        if counted
        else "How long patients lived until treatment began cannot be counted here. A treatment "
        "given at surgery has no such time.",
        blocks=tuple(blocks),
    )


def _sentence(counted: list[tuple[Comparison, ImmortalTime]]) -> str:
    """Return how much time it is, what it does to the ratios, and who never had a chance."""
    comparison, found = counted[0]
    name = treatment_name(comparison)
    text = (
        f"A patient counted under {name} has come through the time until it began, without the "
        f"event: {count(round(found.before_treatment), 'person-month')}, "
        f"{percent(found.share_of_treated, 1)} of all the time of the treated; {name} began at a "
        f"median of {number(found.median_start, 1)} months. Counted as untreated, that time and "
        "what happened in it move the ratio of rates"
    )
    moves = tuple(
        f"from {number(one.by_arm.ratio.value, 2)} to {number(one.by_treatment.ratio.value, 2)} "
        f"for {'death' if is_survival(compared) else 'local progression'}"
        for compared, one in counted
    )
    text += f" {sentence_list(moves)}."
    left = found.left_before_median
    if left.events:
        done = "died" if is_survival(comparison) else "had local progression"
        text += (
            f" {count(left.events, 'patient')} without {name} {done} before that month and never "
            "had a chance of it."
        )
    if found.n_unknown_start:
        text += (
            f" {count(found.n_unknown_start, 'treated patient')} with an unknown start "
            f"{'is' if found.n_unknown_start == 1 else 'are'} left out."
        )
    return text


def _table(comparison: Comparison, found: ImmortalTime) -> Table:
    event = "Deaths" if is_survival(comparison) else "Local progressions"
    rows = []
    for words, rates in (
        ("Counted by group, from surgery on", found.by_arm),
        ("Time before treatment counted as untreated", found.by_treatment),
    ):
        rows.append(
            (
                words,
                *(
                    f"{rate.events:,} in {number(rate.person_months, 0)}\n"
                    f"{number(rate.per_100_person_months.value, 2)} per 100"
                    for rate in (rates.treated, rates.control)
                ),
                stacked(rates.ratio, 2),
            )
        )
    title = get_endpoint(comparison.endpoint).title
    return Table(
        f"{title}: {event.lower()} in person-months, and their rate per 100 person-months",
        (
            Column("How time is counted"),
            Column("Treated", numeric=True),
            Column("Not treated", numeric=True),
            Column("Ratio of rates (95% CI)", numeric=True),
        ),
        tuple(rows),
        fitted=True,
        stacked=True,
    )
