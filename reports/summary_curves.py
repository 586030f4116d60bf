"""The curves of two arms with their risk table, and why 1 - Kaplan-Meier is not used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.endpoints import get_endpoint
from outcomes.estimate import Estimate
from outcomes.reports.charts import CurveChart, RiskRow, Style
from outcomes.reports.content import (
    Block,
    Column,
    Figure,
    Legend,
    Section,
    Table,
)
from outcomes.reports.summary_arms import (
    STYLES,
    arm_label,
    arms,
    firm_horizons,
    group_words,
    headline,
    is_survival,
    nobody,
)
from outcomes.reports.summary_common import arm_at, curve_line, round_up
from outcomes.reports.wording import (
    NONE,
    interval,
    known,
    limits,
    months,
    number,
    of_100,
    percent,
)

if TYPE_CHECKING:
    from outcomes.comparison import ArmCurve, Comparison

MOST_MARKS = 150


def curves_section(comparison: Comparison, unit: str) -> Section:
    """Show the curves of both arms, and with competing events what 1 - Kaplan-Meier inflates."""
    survival = is_survival(comparison)
    endpoint = get_endpoint(comparison.endpoint)
    slug = comparison.endpoint
    start = 1.0 if survival else 0.0
    pair = arms(comparison)
    end = _axis_end(comparison)
    top = 1.0
    if not survival:
        shown = [
            float(np.nanmax(np.asarray(curve.upper)[np.asarray(curve.months) <= end], initial=0.0))
            for curve in (*pair, *(comparison.inflated or ()))
        ]
        top = min(1.0, round_up(max(*shown, 0.1), 0.1))
    lines = tuple(
        curve_line(
            arm_label(curve),
            style,
            curve.months,
            curve.estimate,
            start=start,
            end=min(end, float(np.max(curve.months))),
            censored=_marks(curve),
            lower=curve.lower,
            upper=curve.upper,
        )
        for curve, style in zip(pair, STYLES, strict=True)
        if curve.n
    )
    risk_months = tuple(float(month) for month in pair[0].risk_months)
    what = "Alive" if survival else "Local progression"
    lesions = " lesions" if unit == "lesions" else ""
    method = (
        "Kaplan–Meier estimates of survival"
        if survival
        else "Cumulative incidence of local progression, with death before it as a competing "
        "event (Aalen–Johansen)"
    )
    figure = Figure(
        id=f"curves-{slug}",
        chart=CurveChart(
            lines=lines,
            end_month=end,
            y_title=what,
            y_max=top,
            risk_months=risk_months,
            risk=tuple(
                RiskRow(_short(curve, comparison), style, tuple(int(n) for n in curve.at_risk))
                for curve, style in zip(pair, STYLES, strict=True)
            ),
            risk_title=f"{unit.capitalize()} at risk",
        ),
        label=f"{endpoint.title} by group. {headline(comparison, unit)}",
        caption=f"{method}, not adjusted for differences between the groups; the bands are 95% "
        f"confidence intervals. Below: {unit} still under observation.",
        table=_curve_table(comparison, start),
        legend=tuple(
            Legend(f"{arm_label(curve)} (n = {curve.n:,}{lesions})", style)
            for curve, style in zip(pair, STYLES, strict=True)
        ),
    )
    blocks: list[Block] = [figure]
    if comparison.inflated is not None and not nobody(comparison):
        blocks.append(_inflation(comparison, end, top))
    return Section(
        id=f"curves-{slug}-section",
        title="Overall survival" if survival else "Local control",
        finding=_curve_finding(comparison, unit),
        blocks=tuple(blocks),
    )


def _marks(curve: ArmCurve) -> list[float]:
    """Return the months of censoring where they are few enough to be told apart."""
    months: list[float] = np.asarray(curve.censored_months, dtype=np.float64).tolist()
    return months if len(months) <= MOST_MARKS else []


def _short(curve: ArmCurve, comparison: Comparison) -> str:
    if comparison.treatment == "sbrt":
        return "SBRT" if curve.arm == "treated" else "Alone"
    return arm_label(curve)


def _axis_end(comparison: Comparison) -> float:
    """Return the end of the time axis: the last risk-table month with 10 patients at risk."""
    last = 12.0
    for curve in comparison.arms:
        for month, n in zip(curve.risk_months, curve.at_risk, strict=True):
            if n >= 10:
                last = max(last, float(month))
    longest = max(float(np.max(curve.months)) for curve in comparison.arms if curve.n)
    return min(last, round_up(longest, 6.0))


def _curve_finding(comparison: Comparison, unit: str) -> str:
    control, treated = arms(comparison)
    if nobody(comparison):
        return nobody(comparison)
    if is_survival(comparison):
        return f"Not adjusted: {_median_sentence(comparison)}"
    firm = firm_horizons(comparison)
    if not firm:
        return "Few patients are observed long enough to compare local control."
    horizon = firm[-1]
    values = [arm_at(curve, horizon, start=0.0) for curve in (control, treated)]
    if values[0] is None or values[1] is None:
        return "Few patients are observed long enough to compare local control late on."
    words = group_words(comparison)
    return (
        f"Not adjusted: within {horizon:g} months the tumour progresses at the operated site in "
        f"{of_100(values[0].value)} of 100 {unit} {words[0]} and in "
        f"{of_100(values[1].value)} of 100 {words[1]}."
    )


def _median_sentence(comparison: Comparison) -> str:
    """Return until when half of the patients of each group are alive, as far as that is seen."""
    medians = [
        (words, curve.median)
        for curve, words in zip(arms(comparison), group_words(comparison), strict=True)
    ]
    reached = [
        f"{_median_words(median)} {words}"
        for words, median in medians
        if median is not None and known(median.value)
    ]
    longer = [words for words, median in medians if median is None or not known(median.value)]
    if not reached:
        return "in both groups more than half of the patients are alive when follow-up ends."
    text = f"half of the patients are alive at {', and at '.join(reached)}"
    if longer:
        text += f"; {longer[0]} more than half are alive when follow-up ends"
    return f"{text}."


def _median_words(median: Estimate) -> str:
    limit = interval(median, 1)
    if not limit and known(median.lower):
        limit = f"95% CI from {number(median.lower)} on"
    return f"{months(median.value)}{f' ({limit})' if limit else ''}"


def _curve_table(comparison: Comparison, start: float) -> Table:
    pair = arms(comparison)
    rows = []
    for position, month in enumerate(pair[0].risk_months):
        row = [f"{month:g} months"]
        for curve in pair:
            estimate = arm_at(curve, float(month), start=start)
            row += [_stacked(estimate), f"{int(curve.at_risk[position]):,}"]
        rows.append(tuple(row))
    columns = [Column("After surgery")]
    for curve in pair:
        name = _short(curve, comparison)
        columns += [
            Column(f"{name}, % (95% CI)", numeric=True),
            Column(f"{name}, at risk", numeric=True),
        ]
    what = "Survival" if is_survival(comparison) else "Cumulative incidence of local progression"
    return Table(
        f"{what} by month and group", tuple(columns), tuple(rows), fitted=True, stacked=True
    )


def _stacked(estimate: Estimate | None) -> str:
    """Return a share with its limits in a second line."""
    if estimate is None:
        return NONE
    return f"{percent(estimate.value, 1)}\n{limits(estimate.lower, estimate.upper, 1, 100)}"


def _inflation(comparison: Comparison, end: float, top: float) -> Figure:
    """Show 1 - Kaplan-Meier beside the cumulative incidence, for its inflation only."""
    inflated = comparison.inflated
    if inflated is None:
        raise ValueError("no inflated curves to show")
    pair = arms(comparison)
    by_arm = {curve.arm: curve for curve in inflated}
    lines, legend, rows = [], [], []
    greys: tuple[Style, Style] = ("faint", "faint_dash")
    for curve, style, grey in zip(pair, STYLES, greys, strict=True):
        other = by_arm[curve.arm]
        for source, look, name in (
            (curve, style, "cumulative incidence"),
            (other, grey, "1 − Kaplan–Meier"),
        ):
            lines.append(
                curve_line(
                    f"{arm_label(source)}, {name}",
                    look,
                    source.months,
                    source.estimate,
                    start=0.0,
                    end=min(end, float(np.max(source.months))),
                )
            )
        legend.append(Legend(f"{arm_label(curve)}, cumulative incidence", style))
    legend.append(Legend("1 − Kaplan–Meier, the two groups", "faint"))
    for month in pair[0].risk_months:
        row = [f"{month:g} months"]
        for curve in pair:
            for source in (curve, by_arm[curve.arm]):
                estimate = arm_at(source, float(month), start=0.0)
                row.append(NONE if estimate is None else percent(estimate.value, 1))
        rows.append(tuple(row))
    return Figure(
        id="inflation",
        chart=CurveChart(tuple(lines), end, "Local progression", top),
        label="Cumulative incidence of local progression against 1 minus Kaplan-Meier, by group.",
        caption=(
            "Why 1 − Kaplan–Meier is not used: it treats the dead as if they could still have "
            "progression, and so promises more progression than patients will live to see. It is "
            "drawn in grey only to show by how much."
        ),
        table=Table(
            "Cumulative incidence (CI) and 1 − Kaplan–Meier (KM) by month",
            (
                Column("After surgery"),
                *(
                    Column(f"{_short(curve, comparison)}, {kind}", numeric=True)
                    for curve in pair
                    for kind in ("CI", "1 − KM")
                ),
            ),
            tuple(rows),
            fitted=True,
            stacked=True,
        ),
        legend=tuple(legend),
    )
