"""How far the like-with-like estimates can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.estimate import Estimate
from outcomes.reports.charts import (
    Dot,
    DotChart,
    MirrorChart,
    PlaneLine,
    Point,
    PointChart,
    PointSeries,
    Style,
)
from outcomes.reports.content import (
    Block,
    CollapsedTable,
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
from outcomes.reports.summary_arms import arm_label, arms, is_survival, treatment_name
from outcomes.reports.summary_methods import METHODS
from outcomes.reports.wording import (
    NONE,
    count,
    number,
    percent,
    sentence_case,
    sentence_list,
    with_limits,
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
        *_confounding(comparison, found),
        Subheading("Had patients of every kind a chance of both treatments?"),
        *_overlap(comparison, found),
        Subheading("Are the groups alike once they are weighted?"),
        *_balance(comparison, found),
    ]
    return Section(
        id=f"robustness-{comparison.endpoint}",
        title=f"{kind}: can it be trusted?",
        finding=_e_value_sentence(comparison, found),
        blocks=tuple(blocks),
    )


def _because(found: Robustness, part: str) -> str:
    return f"Not estimable because {reason_of(found.reasons[part])}."


def _event(comparison: Comparison) -> str:
    return "death" if is_survival(comparison) else "local progression"


def _e_value_sentence(comparison: Comparison, found: Robustness) -> str:
    """Return the E-value of the leading estimate in words."""
    main = next(
        (
            one.found
            for one in found.e_values
            if (one.method, one.estimand, one.horizon_months)
            == (found.bias_method, "risk_ratio", found.bias_horizon)
        ),
        None,
    )
    if main is None:
        return f"The E-value is not estimable because {reason_of(found.reasons['bias'])}."
    name = treatment_name(comparison)
    text = (
        "Only what was measured can be made alike. To explain the whole effect away, something "
        f"not measured would have to be {number(main.estimate, 1)} times as common with {name} as "
        f"without (or the reverse) and to make {_event(comparison)} {number(main.estimate, 1)} "
        "times as likely (its E-value), beyond everything measured."
    )
    if main.limit is not None:
        if main.limit > 1:
            text += (
                f" A factor of {number(main.limit, 1)} would do to bring the interval to no effect."
            )
        else:
            text += " The interval holds no effect even without it."
    return text


def _confounding(comparison: Comparison, found: Robustness) -> tuple[Block, ...]:
    if found.bias is None or found.bias_method is None:
        table = _e_value_table(comparison, found)
        return () if table is None else (table,)
    bias = found.bias
    top = float(bias.outcome_ratio[-1])
    e_value = next(
        one.found
        for one in found.e_values
        if (one.method, one.estimand, one.horizon_months)
        == (found.bias_method, "risk_ratio", found.bias_horizon)
    )
    lines, legend, rows = [], [], []
    curves: tuple[tuple[str, Style, FloatArray | None], ...] = (
        ("the whole effect is explained away", "ink", bias.estimate_vanishes),
        ("the interval reaches no effect", "reference_dash", bias.limit_reaches_null),
    )
    for label, style, curve in curves:
        if curve is None or bool(np.all(curve == 1)):
            continue
        inside = np.isfinite(curve) & (curve > 0)
        x, y = bias.treatment_association[inside], curve[inside]
        # The last point is where the curve leaves the chart.
        keep = y <= 1.5 * top
        lines.append(PlaneLine(label, style, tuple(x[keep].tolist()), tuple(y[keep].tolist())))
        legend.append(Legend(label, style))
    for ratio in (1.5, 2.0, 3.0, 5.0, 8.0):
        if ratio > top:
            continue
        needed = (
            _needed(bias.treatment_association, curve, ratio)
            for curve in (bias.estimate_vanishes, bias.limit_reaches_null)
        )
        rows.append((f"{ratio:g}", *needed))
    series: tuple[PointSeries, ...] = ()
    if e_value is not None:
        point = Point(e_value.estimate, e_value.estimate)
        series = (PointSeries("E-value", "ink", (point,)),)
        legend.append(Legend("E-value", "ink", "point"))
    method = METHODS.get(found.bias_method, readable(found.bias_method))
    observed = with_limits(_ratio(found), 2)
    caption = (
        f"How strong a confounder nobody measured would have to be to undo the effect on "
        f"{_event(comparison)} by {found.bias_horizon:g} months ({method}: risk ratio {observed}). "
        "Anything weaker, below and left of a curve, could not do it. Bounds of Ding and "
        "VanderWeele (2016)."
    )
    ticks = tuple(float(k) for k in range(1, int(top) + 1, 1 if top <= 6 else 2))
    figure = Figure(
        id=f"bias-{comparison.endpoint}",
        chart=PointChart(
            series=series,
            x_title="Times as common in one group as in the other",
            y_title=f"Times as likely to bring {_event(comparison)}",
            x_range=(1.0, top),
            y_range=(1.0, top),
            x_ticks=ticks,
            percent_y=False,
            square=True,
            lines=tuple(lines),
        ),
        label=caption,
        caption=caption,
        table=Table(
            "A confounder so many times as common in one group would undo the effect if it made "
            f"{_event(comparison)} so many times as likely",
            (
                Column("Times as common"),
                Column("to explain the effect away", numeric=True),
                Column("to bring the interval to no effect", numeric=True),
            ),
            tuple(rows),
            fitted=True,
            stacked=True,
        ),
        legend=tuple(legend),
    )
    table = _e_value_table(comparison, found)
    return (figure,) if table is None else (figure, table)


def _ratio(found: Robustness) -> Estimate:
    if found.bias is None:
        return Estimate(float("nan"))
    observed = found.bias.observed
    if observed.lower is None or observed.upper is None:
        return Estimate(observed.value)
    return Estimate(observed.value, observed.lower, observed.upper)


def _needed(x: FloatArray, curve: FloatArray | None, ratio: float) -> str:
    """Return the outcome ratio that is needed at an association with treatment."""
    if curve is None:
        return NONE
    inside = np.isfinite(curve)
    if not inside.any() or ratio < x[inside][0]:
        return "no strength would do"
    return number(float(np.interp(ratio, x[inside], curve[inside])), 1)


def _e_value_table(comparison: Comparison, found: Robustness) -> Block | None:
    if not found.e_values:
        return None
    rows = []
    for one in found.e_values:
        at = "" if one.horizon_months is None else f", {one.horizon_months:g} months"
        values = one.found
        rows.append(
            (
                METHODS.get(one.method, readable(one.method)),
                f"{sentence_case(readable(one.estimand))}{at}",
                "not estimable" if values is None else number(values.estimate, 2),
                NONE if values is None or values.limit is None else number(values.limit, 2),
                sentence_case(reason_of(one.reason)),
            )
        )
    return CollapsedTable(
        "E-values of every adjusted estimate",
        Table(
            "E-value of the estimate, and of the limit of its interval nearer to no effect",
            (
                Column("Method"),
                Column("Estimate"),
                Column("E-value", numeric=True),
                Column("of the limit", numeric=True),
                Column("Note"),
            ),
            tuple(rows),
            note="1 means that no confounding is needed: the interval holds no effect as it is. "
            "Hazard ratios of frequent events are converted to risk ratios first.",
            fitted=True,
            stacked=True,
        ),
    )


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
    return (Paragraph(_overlap_sentence(scores)), figure)


def _overlap_sentence(scores: Overlap) -> str:
    if scores.support is None:
        return "No: the probabilities of the two groups do not overlap anywhere."
    outside = scores.treated.outside_support + scores.control.outside_support
    n = scores.treated.n + scores.control.n
    low, high = (percent(end) for end in scores.support)
    extreme = scores.below + scores.above
    text = (
        f"Both groups have patients between {low} and {high}; {count(outside, 'patient')} of "
        f"{n:,} lie{'s' if outside == 1 else ''} outside."
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
