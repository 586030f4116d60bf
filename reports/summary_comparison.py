"""The comparison page: absolute risks, curves, the ladder of methods, and what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.endpoints import get_endpoint
from outcomes.estimate import Estimate
from outcomes.reports.charts import CurveChart, RiskRow, Style
from outcomes.reports.content import (
    Block,
    Bullets,
    CollapsedTable,
    Column,
    Figure,
    Legend,
    Page,
    Paragraph,
    Section,
    Table,
)
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_adjusted import has_truth
from outcomes.reports.summary_arms import (
    STYLES,
    arm_label,
    arms,
    firm_horizons,
    group_words,
    headline,
    icon_row,
    is_survival,
)
from outcomes.reports.summary_common import arm_at, curve_line, make_page, round_up
from outcomes.reports.summary_dose import dose_section
from outcomes.reports.summary_immortal import immortal_section
from outcomes.reports.summary_ladder import ladder_section, risk_table, verdicts
from outcomes.reports.summary_methods import hazard_ratio_section, numbers_section
from outcomes.reports.summary_robustness import robustness_section
from outcomes.reports.summary_trials import trial_section
from outcomes.reports.wording import (
    INTERVAL_MEANING,
    NONE,
    as_sentence,
    count,
    interval,
    known,
    limits,
    months,
    of_100,
    percent,
)

if TYPE_CHECKING:
    from outcomes.comparison import ArmCurve, Comparison

MOST_MARKS = 150


def summarise(results: StudyResults) -> Page:
    """Return the comparison page."""
    is_sbrt = _is_sbrt(results)
    comparisons = tuple(results.comparisons.values())
    sections: list[Section | None] = [
        _of_100(results),
        *(_curves(comparison) for comparison in comparisons),
        *(ladder_section(comparison) for comparison in comparisons),
        dose_section(results),
        hazard_ratio_section(results),
        trial_section(results),
        *(robustness_section(comparison) for comparison in comparisons),
        immortal_section(results),
        numbers_section(results),
        _reading(results),
    ]
    return make_page(
        "comparison",
        results,
        title="Separation surgery alone, or with SBRT" if is_sbrt else "Two groups compared",
        question=(
            f"This page answers: {_asked(results)}, "
            + (
                "after separation surgery alone and after separation surgery followed by "
                "stereotactic body radiotherapy (SBRT)?"
                if is_sbrt
                else "in each of two groups of patients?"
            )
        ),
        keys=(),
        sections=tuple(sections),
        jumps=True,
    )


def _is_sbrt(results: StudyResults) -> bool:
    return all(comparison.treatment == "sbrt" for comparison in results.comparisons.values())


def _asked(results: StudyResults) -> str:
    """Return what the endpoints ask, as the start of a question."""
    asked = {
        True: "how many patients live",
        False: "in how many patients does the tumour grow again at the operated site",
    }
    kinds = dict.fromkeys(is_survival(comparison) for comparison in results.comparisons.values())
    return ", and ".join(asked[kind] for kind in kinds)


def _of_100(results: StudyResults) -> Section:
    comparisons = tuple(results.comparisons.values())
    row = icon_row(comparisons)
    blocks: list[Block] = [Bullets(verdicts(results))]
    if row is not None:
        blocks.append(row)
    else:
        # Where a horizon is firm and no curve reaches it, the headline says so.
        blocks += [Paragraph(headline(one)) for one in comparisons if firm_horizons(one)]
    table = risk_table(comparisons)
    if table is not None:
        blocks.append(CollapsedTable("The same numbers, like with like", table))
    return Section(
        id="of-100-patients",
        title="Of 100 patients in each group",
        finding=as_sentence(results.comparison_note) if results.comparison_note else "",
        blocks=tuple(blocks),
    )


def _curves(comparison: Comparison) -> Section:
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
    )
    risk_months = tuple(float(month) for month in pair[0].risk_months)
    what = "Alive" if survival else "Local progression"
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
        ),
        label=f"{endpoint.title} by group. {headline(comparison)}",
        caption=f"{method}; the bands are 95% confidence intervals. Below: patients still under "
        "observation.",
        table=_curve_table(comparison, start),
        legend=tuple(
            Legend(f"{arm_label(curve)} (n = {curve.n:,})", style)
            for curve, style in zip(pair, STYLES, strict=True)
        ),
    )
    blocks: list[Block] = [figure]
    if comparison.inflated is not None:
        blocks.append(_inflation(comparison, end, top))
    return Section(
        id=f"curves-{slug}-section",
        title="Overall survival" if survival else "Local control",
        finding=_curve_finding(comparison),
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
    longest = max(float(np.max(curve.months)) for curve in comparison.arms)
    return min(last, round_up(longest, 6.0))


def _curve_finding(comparison: Comparison) -> str:
    control, treated = arms(comparison)
    if is_survival(comparison):
        parts = [
            f"{_median_words(curve)} {words}"
            for curve, words in zip((control, treated), group_words(comparison), strict=True)
        ]
        return f"Half of the patients are alive at {parts[0]}, and at {parts[1]}."
    firm = firm_horizons(comparison)
    if not firm:
        return "Few patients are observed long enough to compare local control."
    horizon = firm[-1]
    values = [arm_at(curve, horizon, start=0.0) for curve in (control, treated)]
    if values[0] is None or values[1] is None:
        return "Few patients are observed long enough to compare local control late on."
    words = group_words(comparison)
    return (
        f"Within {horizon:g} months the tumour progresses at the operated site in "
        f"{of_100(values[0].value)} of 100 patients {words[0]} and in "
        f"{of_100(values[1].value)} of 100 {words[1]}."
    )


def _median_words(curve: ArmCurve) -> str:
    median = curve.median
    if median is None or not known(median.value):
        return "a time that follow-up does not reach"
    limit = interval(median, 1)
    return f"{months(median.value)}{f' ({limit})' if limit else ''}"


def _curve_table(comparison: Comparison, start: float) -> Table:
    pair = arms(comparison)
    rows = []
    for position, month in enumerate(pair[0].risk_months):
        row = [f"{month:g}"]
        for curve in pair:
            estimate = arm_at(curve, float(month), start=start)
            row += [_stacked(estimate), f"{int(curve.at_risk[position]):,}"]
        rows.append(tuple(row))
    columns = [Column("Month")]
    for curve in pair:
        name = _short(curve, comparison)
        columns += [
            Column(f"{name}, % (95% CI)", numeric=True),
            Column("At risk", numeric=True),
        ]
    what = "Survival" if is_survival(comparison) else "Cumulative incidence of local progression"
    return Table(f"{what} by month and group", tuple(columns), tuple(rows))


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
        row = [f"{month:g}"]
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
                Column("Month"),
                *(
                    Column(f"{_short(curve, comparison)}, {kind}", numeric=True)
                    for curve in pair
                    for kind in ("CI", "1 − KM")
                ),
            ),
            tuple(rows),
        ),
        legend=tuple(legend),
    )


def _reading(results: StudyResults) -> Section:
    comparisons = results.comparisons.values()
    items = []
    if _is_sbrt(results):
        when = ", 2–4 weeks later" if results.synthetic else " afterwards"
        items += [
            "Separation surgery frees the spinal cord from tumour by a margin of at least 3 mm and "
            f"stabilises the spine; SBRT then gives a high dose in 1 to 6 fractions{when}.",
            "Immortal time: a patient counted under SBRT must have lived until SBRT began. A plain "
            "comparison credits that time to SBRT.",
        ]
    items += [
        "A difference of risk of −8 per 100 means: of 100 patients, 8 fewer have the event.",
        "A hazard ratio (HR) below 1 means that at any moment the event is rarer with treatment; "
        "it does not say how many patients are helped.",
    ]
    if any(is_survival(comparison) for comparison in comparisons):
        items.append(
            "Difference of mean months alive: how much longer patients live on average, counted "
            "up to the horizon."
        )
    if not all(is_survival(comparison) for comparison in comparisons):
        items.append(
            "Months lost to progression: how many months before the horizon local progression "
            "comes, on average over all patients."
        )
    items.append(INTERVAL_MEANING)
    if any(has_truth(comparison) for comparison in comparisons):
        items.append(
            "Truth: these patients are simulated, so the effect is known and stands beside every "
            "estimate, for each method the quantity that it estimates. It is an assumption of the "
            "simulation, not a finding about patients."
        )
    total = results.comparison_cohort if results.comparison_cohort is not None else results.cohort
    return Section(
        id="reading",
        title="How to read this page",
        finding=f"The comparison rests on {count(len(total), 'patient')}.",
        blocks=(Bullets(tuple(items)),),
    )
