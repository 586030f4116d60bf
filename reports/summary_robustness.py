"""How far the like-with-like estimates can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.reports.charts import (
    Dot,
    DotChart,
    MirrorChart,
)
from outcomes.reports.content import (
    Block,
    Column,
    Figure,
    Legend,
    Paragraph,
    Section,
    Subheading,
    Table,
)
from outcomes.reports.names import readable, readable_text
from outcomes.reports.summary_adjusted import reason_of
from outcomes.reports.summary_arms import (
    arm_label,
    arms,
    is_survival,
    treatment_name,
)
from outcomes.reports.summary_confounding import confounding_blocks, e_value_sentence
from outcomes.reports.wording import (
    count,
    number,
    percent,
    sentence_case,
    sentence_list,
)

if TYPE_CHECKING:
    from outcomes.causal.balance import Balance
    from outcomes.causal.overlap import Overlap
    from outcomes.comparison import Comparison, Robustness


def robustness_section(comparison: Comparison) -> Section | None:
    """Show what an unmeasured confounder could do, and whether the arms overlap and balance."""
    found = comparison.robustness
    if found is None:
        return None
    kind = "Survival" if is_survival(comparison) else "Local control"
    blocks: list[Block] = [
        *confounding_blocks(comparison, found),
        Subheading("Had patients of every kind a chance of both treatments?"),
        *_overlap(comparison, found),
        Subheading("Are the groups alike once they are weighted?"),
        *_balance(comparison, found),
    ]
    return Section(
        id=f"robustness-{comparison.endpoint}",
        title=f"{kind}: can it be trusted?",
        finding=e_value_sentence(comparison, found),
        blocks=tuple(blocks),
    )


def _because(found: Robustness, part: str) -> str:
    return f"Not estimable because {reason_of(found.reasons[part])}."


def _overlap(comparison: Comparison, found: Robustness) -> tuple[Block, ...]:
    scores = found.overlap
    if scores is None:
        return (Paragraph(_because(found, "overlap")),)
    control, treated = (arm_label(curve) for curve in arms(comparison))
    name = treatment_name(comparison)
    caption = (
        f"Probability of {name} given {count(len(found.covariates), 'feature')}, in "
        f"{scores.treated.n:,} patients with and {scores.control.n:,} without. Where only one "
        "group has bars, nobody is there to compare with."
    )
    rows = tuple(
        (
            f"{percent(low)} to {percent(high)}",
            f"{n:,}",
            f"{m:,}",
        )
        for low, high, n, m in zip(
            scores.bins[:-1],
            scores.bins[1:],
            scores.treated.counts,
            scores.control.counts,
            strict=True,
        )
        if n or m
    )
    figure = Figure(
        id=f"overlap-{comparison.endpoint}",
        chart=MirrorChart(
            edges=scores.bins,
            above=tuple(n / scores.treated.n for n in scores.treated.counts),
            below=tuple(n / scores.control.n for n in scores.control.counts),
            styles=("treated", "control"),
            labels=(treated, control),
            x_title=f"Probability of {name}",
        ),
        label=caption,
        caption=caption,
        table=Table(
            f"Patients by their probability of {name}",
            (
                Column("Probability"),
                Column(treated, numeric=True),
                Column(control, numeric=True),
            ),
            rows,
        ),
    )
    return (Paragraph(_overlap_sentence(scores, name)), figure)


def _overlap_sentence(scores: Overlap, name: str) -> str:
    if scores.support is None:
        return "No: the probabilities of the two groups do not overlap anywhere."
    outside = scores.treated.outside_support + scores.control.outside_support
    n = scores.treated.n + scores.control.n
    low, high = (percent(end) for end in scores.support)
    extreme = scores.below + scores.above
    text = (
        f"Both groups have patients whose probability of {name} is between {low} and {high}; "
        f"{count(outside, 'patient')} of {n:,} lie{'s' if outside == 1 else ''} outside."
    )
    if extreme > 0:
        text += (
            f" {percent(extreme, 1)} have a probability below {percent(scores.extreme[0])} or "
            f"above {percent(scores.extreme[1])}: for them there is hardly anyone to compare with."
        )
    return text


def _balance(comparison: Comparison, found: Robustness) -> tuple[Block, ...]:
    balance, weights = found.balance, found.weights
    if balance is None or weights is None:
        return (Paragraph(_because(found, "balance")),)
    name = treatment_name(comparison)
    text = _balance_sentence(balance)
    text += (
        f" The weights cost precision: {weights.treated.n:,} treated patients count like "
        f"{weights.treated.effective_sample_size:,.0f}, and {weights.control.n:,} others like "
        f"{weights.control.effective_sample_size:,.0f}."
    )
    share = max(weights.treated.largest_share, weights.control.largest_share)
    if share > 0.1:
        text += f" One patient alone carries {percent(share)} of a group’s weight."
    dots = tuple(
        Dot(
            label=sentence_case(_column_name(one.column)),
            group=f"With {name} against without",
            published=abs(one.difference),
            achieved=None if one.weighted_difference is None else abs(one.weighted_difference),
        )
        for one in balance.columns
        if one.difference is not None
    )
    if not dots:
        return (Paragraph(text),)
    caption = (
        "Difference between the groups in each feature, in standard deviations: before (hollow) "
        f"and after (filled) weighting. Below {balance.threshold:g}, the dotted line, groups "
        "count as alike."
    )
    figure = Figure(
        id=f"balance-{comparison.endpoint}",
        chart=DotChart(
            dots=dots,
            x_title="Standardised difference, without its sign",
            reference=balance.threshold,
        ),
        label=caption,
        caption=caption,
        table=Table(
            "Features of the groups before and after weighting: means or shares",
            (
                Column("Feature"),
                *(
                    Column(title, numeric=True)
                    for title in (
                        "With, before",
                        "Without, before",
                        "Difference",
                        "With, weighted",
                        "Without, weighted",
                        "Difference, weighted",
                    )
                ),
            ),
            tuple(
                (
                    sentence_case(_column_name(one.column)),
                    number(one.mean_treated, 2),
                    number(one.mean_control, 2),
                    number(one.difference, 2),
                    number(one.weighted_mean_treated, 2),
                    number(one.weighted_mean_control, 2),
                    number(one.weighted_difference, 2),
                )
                for one in balance.columns
            ),
            fitted=True,
            stacked=True,
        ),
        legend=(Legend("before weighting", "hollow", "point"), Legend("after", "ink", "dot")),
    )
    return (Paragraph(text), figure)


def _balance_sentence(balance: Balance) -> str:
    before = tuple(_column_name(name) for name in balance.unbalanced)
    after = tuple(_column_name(name) for name in balance.weighted_unbalanced)
    limit = f"{balance.threshold:g} standard deviations"
    if not before:
        text = f"The groups were alike to begin with: no feature differs by more than {limit}."
    else:
        text = f"Before weighting the groups differ by more than {limit} in {sentence_list(before)}"
        text += (
            "; after it in none." if not after else f"; after it still in {sentence_list(after)}."
        )
    if after and not before:
        text += f" Weighted they differ in {sentence_list(after)}."
    return text


def _column_name(column: str) -> str:
    """Return the name of an adjusting column; a level of a category stands after its column."""
    name, equals, level = column.partition("=")
    words = readable_text(name) if " " in name else readable(name)
    return f"{words}: {readable(level)}" if equals else words
