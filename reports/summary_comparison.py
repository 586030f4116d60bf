"""The comparison page: two arms, absolute risks first, then every method beside the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.endpoints import get_endpoint
from outcomes.estimate import Estimate
from outcomes.reports.content import (
    Block,
    Bullets,
    Column,
    CurveChart,
    Figure,
    ForestChart,
    ForestRow,
    IconRow,
    Icons,
    KeyNumber,
    Legend,
    Page,
    Paragraph,
    RiskRow,
    Section,
    Style,
    Table,
)
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import arm_at, curve_line, make_page, round_up
from outcomes.reports.wording import (
    NONE,
    count,
    interval,
    known,
    limits,
    months,
    number,
    of_100,
    p_value,
    percent,
    readable,
    with_limits,
)

if TYPE_CHECKING:
    from outcomes.comparison import ArmCurve, Comparison, Rung

STYLES: tuple[Style, Style] = ("control", "treated")
SHORT = {"sbrt": ("Surgery alone", "Surgery + SBRT")}
ESTIMANDS = {
    "risk_difference": "Difference of risk",
    "restricted_mean_difference": "Difference of mean event-free months",
    "hazard_ratio": "Hazard ratio",
    "risk_treated": "Risk with SBRT",
    "risk_control": "Risk without SBRT",
}


def summarise(results: StudyResults) -> Page:
    """Return the comparison page."""
    sections: list[Section | None] = [_of_100(results)]
    for comparison in results.comparisons.values():
        sections += [_curves(comparison), _rungs(comparison, results)]
    sections.append(_reading(results))
    return make_page(
        "comparison",
        results,
        title="Separation surgery alone, or with SBRT",
        question=(
            "This page answers: how many patients live, and how many stay free of local "
            "progression, after separation surgery alone and after separation surgery with "
            "stereotactic body radiotherapy (SBRT)?"
        ),
        keys=key_numbers(results),
        sections=tuple(sections),
    )


def key_numbers(results: StudyResults) -> tuple[KeyNumber, ...]:
    """Return the risk of each arm at the first horizon, by endpoint."""
    keys = []
    for comparison in results.comparisons.values():
        horizon = comparison.horizons[0]
        survival = is_survival(comparison)
        for curve, style in zip(arms(comparison), STYLES, strict=True):
            estimate = arm_at(curve, horizon, start=1.0 if survival else 0.0)
            name = "Alive" if survival else "Local progression"
            keys.append(
                KeyNumber(
                    label=f"{name} at {horizon:g} months, {arm_name(curve).lower()}"
                    if not survival
                    else f"{name} at {horizon:g} months, {_inner(arm_name(curve))}",
                    value=NONE if estimate is None else percent(estimate.value),
                    note=NONE
                    if estimate is None
                    else f"{interval(estimate, 0, scale=100, unit='%')}; n = {curve.n:,}",
                    style=style,
                )
            )
    return tuple(keys)


def _inner(name: str) -> str:
    """Return a name within a sentence: its first letter small, abbreviations kept."""
    return name[:1].lower() + name[1:]


def is_survival(comparison: Comparison) -> bool:
    """Whether the curves show survival; otherwise they show a cumulative incidence."""
    return not get_endpoint(comparison.endpoint).has_competing_events


def arms(comparison: Comparison) -> tuple[ArmCurve, ArmCurve]:
    """Return the arms, control first."""
    first, second = comparison.arms
    return (second, first) if first.arm == "treated" else (first, second)


def arm_name(curve: ArmCurve) -> str:
    """Return the name of an arm as readers see it."""
    return curve.label


def headline(comparison: Comparison) -> str:
    """Return one sentence of absolute risks for an endpoint."""
    horizon = comparison.horizons[0]
    survival = is_survival(comparison)
    start = 1.0 if survival else 0.0
    control, treated = (arm_at(curve, horizon, start=start) for curve in arms(comparison))
    verb = "are alive" if survival else "have had local progression"
    if control is None or treated is None:
        return (
            f"{get_endpoint(comparison.endpoint).title}: follow-up is too short to say how many "
            f"{verb} at {horizon:g} months in both groups."
        )
    return (
        f"Of 100 patients, {of_100(control.value)} {verb} at {horizon:g} months after surgery "
        f"alone and {of_100(treated.value)} after surgery with SBRT."
    )


def icon_row(comparison: Comparison) -> IconRow | None:
    """Return a hundred patients of each arm at the first horizon."""
    horizon = comparison.horizons[0]
    survival = is_survival(comparison)
    start = 1.0 if survival else 0.0
    arrays = []
    for curve, style in zip(arms(comparison), STYLES, strict=True):
        estimate = arm_at(curve, horizon, start=start)
        if estimate is None:
            return None
        limit = interval(estimate, 0, scale=100)
        arrays.append(
            Icons(
                title=arm_name(curve),
                style=style,
                marked=of_100(estimate.value),
                marked_text=f"alive at {horizon:g} months"
                if survival
                else f"with local progression within {horizon:g} months",
                rest_text="have died" if survival else "without it (alive, or died before it)",
                note=f"{limit}." if limit else "",
            )
        )
    method = "Kaplan–Meier estimates" if survival else "cumulative incidence with death competing"
    return IconRow(
        arrays=tuple(arrays),
        caption=f"Each circle is one patient of 100; filled circles {arrays[0].marked_text}. "
        f"Rounded {method}, not adjusted for differences between the groups.",
    )


def _of_100(results: StudyResults) -> Section:
    blocks: list[Block] = []
    for comparison in results.comparisons.values():
        blocks.append(Paragraph(headline(comparison)))
        row = icon_row(comparison)
        if row is not None:
            blocks.append(row)
    note = f" {results.comparison_note}" if results.comparison_note else ""
    return Section(
        id="of-100-patients",
        title="Of 100 patients in each group",
        finding="These are plain counts: patients chosen for SBRT also differ in other ways, "
        f"which the methods further down take into account.{note}",
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
            arm_name(curve),
            style,
            curve.months,
            curve.estimate,
            start=start,
            end=min(end, float(np.max(curve.months))),
            lower=curve.lower,
            upper=curve.upper,
        )
        for curve, style in zip(pair, STYLES, strict=True)
    )
    risk_months = tuple(float(month) for month in pair[0].risk_months)
    what = "Alive" if survival else "Local progression"
    figure = Figure(
        id=f"curves-{slug}",
        chart=CurveChart(
            lines=lines,
            end_month=end,
            y_title=what,
            y_max=top,
            risk_months=risk_months,
            risk=tuple(
                RiskRow(_short(curve), style, tuple(int(n) for n in curve.at_risk))
                for curve, style in zip(pair, STYLES, strict=True)
            ),
        ),
        label=f"{endpoint.title} by group. {headline(comparison)}",
        caption=(
            f"{'Kaplan–Meier estimates of survival' if survival else 'Cumulative incidence of local progression, with death without progression as a competing event (Aalen–Johansen)'}"
            "; the bands are 95% confidence intervals. Below: patients still under observation."
        ),
        table=_curve_table(comparison, start),
        legend=tuple(
            Legend(f"{arm_name(curve)} (n = {curve.n:,})", style)
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


def _short(curve: ArmCurve) -> str:
    return "With SBRT" if curve.arm == "treated" else "Alone"


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
            f"{_median_words(curve)} after {words}"
            for curve, words in ((control, "surgery alone"), (treated, "surgery with SBRT"))
        ]
        return f"Half of the patients are alive at {parts[0]}, and at {parts[1]}."
    horizon = comparison.horizons[-1]
    values = [arm_at(curve, horizon, start=0.0) for curve in (control, treated)]
    if values[0] is None or values[1] is None:
        return "Few patients are observed long enough to compare local control late on."
    return (
        f"Within {horizon:g} months the tumour progresses at the operated site in "
        f"{of_100(values[0].value)} of 100 patients after surgery alone and in "
        f"{of_100(values[1].value)} of 100 with SBRT."
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
            row += [
                NONE if estimate is None else percent(estimate.value, 1),
                NONE if estimate is None else limits(estimate.lower, estimate.upper, 1, 100),
                f"{int(curve.at_risk[position]):,}",
            ]
        rows.append(tuple(row))
    columns = [Column("Month")]
    for curve in pair:
        name = _short(curve)
        columns += [
            Column(f"{name}, %", numeric=True),
            Column("95% CI", numeric=True),
            Column("At risk", numeric=True),
        ]
    what = "Survival" if is_survival(comparison) else "Cumulative incidence of local progression"
    return Table(f"{what} by month and group", tuple(columns), tuple(rows))


def _inflation(comparison: Comparison, end: float, top: float) -> Figure:
    """Show 1 - Kaplan-Meier beside the cumulative incidence, for its inflation only."""
    inflated = comparison.inflated
    if inflated is None:
        raise ValueError("no inflated curves to show")
    pair = arms(comparison)
    by_arm = {curve.arm: curve for curve in inflated}
    lines, legend, rows = [], [], []
    for curve, style in zip(pair, STYLES, strict=True):
        other = by_arm[curve.arm]
        for source, look, name in (
            (curve, style, "cumulative incidence"),
            (other, "faint", "1 − Kaplan–Meier"),
        ):
            lines.append(
                curve_line(
                    f"{arm_name(source)}, {name}",
                    look,  # type: ignore[arg-type]
                    source.months,
                    source.estimate,
                    start=0.0,
                    end=min(end, float(np.max(source.months))),
                )
            )
        legend.append(Legend(f"{arm_name(curve)}, cumulative incidence", style))
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
                    Column(f"{_short(curve)}, {kind}", numeric=True)
                    for curve in pair
                    for kind in ("CI", "1 − KM")
                ),
            ),
            tuple(rows),
        ),
        legend=tuple(legend),
    )


def _rungs(comparison: Comparison, results: StudyResults) -> Section | None:
    if not comparison.rungs:
        return None
    slug = comparison.endpoint
    survival = is_survival(comparison)
    groups: dict[tuple[str, float | None], list[Rung]] = {}
    for rung in comparison.rungs:
        groups.setdefault((rung.estimand, rung.horizon_months), []).append(rung)
    blocks: list[Block] = []
    for (estimand, horizon), rungs in groups.items():
        if estimand not in ("risk_difference", "hazard_ratio"):
            continue
        if estimand == "risk_difference" and horizon != comparison.horizons[0]:
            continue
        blocks.append(_rung_figure(slug, estimand, horizon, rungs, survival))
    blocks.append(_rung_table(comparison, results))
    if comparison.notes:
        blocks.append(Bullets(comparison.notes))
    return Section(
        id=f"methods-{slug}",
        title="Does the difference hold when the groups are made alike?"
        if survival
        else "Local control: does the difference hold?",
        finding=_rung_finding(comparison, results),
        blocks=tuple(blocks),
    )


def _rung_finding(comparison: Comparison, results: StudyResults) -> str:
    horizon = comparison.horizons[0]
    usable = [
        rung
        for rung in comparison.rungs
        if rung.estimand == "risk_difference"
        and rung.horizon_months == horizon
        and rung.value is not None
    ]
    event = "deaths" if is_survival(comparison) else "local progressions"
    if not usable:
        return f"No method could estimate the difference at {horizon:g} months from these patients."
    first, last = usable[0], usable[-1]
    text = f"Within {horizon:g} months, {_difference_words(first.value, event)} with SBRT by the plain comparison"
    if last is not first:
        text += f"; {_difference_words(last.value, event)} by the last method below"
    text += "."
    truth = next((rung.truth for rung in usable if rung.truth is not None), None)
    if truth is not None:
        text += f" The truth built into these patients is {_difference_words(truth, event)}."
    elif not results.synthetic:
        text += " The truth is not known."
    return text


def _difference_words(difference: float | None, event: str) -> str:
    """Return a difference of risk as a difference in 100 patients."""
    value = 100 * (difference or 0.0)
    if abs(value) < 0.5:
        return f"no difference in {event} per 100 patients (less than 1)"
    return f"{abs(value):.0f} {'fewer' if value < 0 else 'more'} {event} per 100 patients"


def _rung_figure(
    slug: str, estimand: str, horizon: float | None, rungs: list[Rung], survival: bool
) -> Figure:
    ratio = estimand == "hazard_ratio"
    scale, digits = (1.0, 2) if ratio else (100.0, 1)
    event = "death" if survival else "local progression"
    rows = tuple(
        ForestRow(
            label=readable(rung.method),
            value=None if rung.value is None else scale * rung.value,
            lower=None if not known(rung.lower) else scale * float(rung.lower or 0.0),
            upper=None if not known(rung.upper) else scale * float(rung.upper or 0.0),
            texts=(
                "not estimable"
                if rung.value is None
                else f"{number(scale * rung.value, digits)} ({limits(rung.lower, rung.upper, digits, scale)})",
            ),
        )
        for rung in rungs
    )
    truth = next((rung.truth for rung in rungs if rung.truth is not None), None)
    at = "" if horizon is None else f" at {horizon:g} months"
    title = (
        f"Hazard ratio for {event}, SBRT against none"
        if ratio
        else f"Difference in {event}s per 100 patients{at}, SBRT minus none"
    )
    caption = f"{title}, by method, with 95% confidence intervals."
    if truth is not None:
        caption += (
            f" The dotted line is the truth built into the synthetic patients: "
            f"{number(scale * truth, digits)}."
        )
    return Figure(
        id=f"rungs-{slug}-{estimand.replace('_', '-')}",
        chart=ForestChart(
            rows=rows,
            x_title=title,
            reference=1.0 if ratio else 0.0,
            log=ratio,
            hints=(f"fewer {event}s with SBRT", f"more {event}s with SBRT"),
            text_titles=("HR (95% CI)" if ratio else "per 100 (95% CI)",),
            truth=None if truth is None else scale * truth,
        ),
        label=caption,
        caption=caption,
        table=Table(
            title,
            (Column("Method"), Column("Estimate (95% CI)", numeric=True), Column("Note")),
            tuple(
                (row.label, row.texts[0], rung.note) for row, rung in zip(rows, rungs, strict=True)
            ),
        ),
    )


def _rung_table(comparison: Comparison, results: StudyResults) -> Table:
    has_truth = any(rung.truth is not None for rung in comparison.rungs)
    rows = []
    for rung in comparison.rungs:
        scale, digits, unit = _rung_scale(rung.estimand)
        at = "" if rung.horizon_months is None else f", {rung.horizon_months:g} months"
        cells = [
            readable(rung.method),
            f"{ESTIMANDS.get(rung.estimand, readable(rung.estimand))}{at}{unit}",
            "not estimable"
            if rung.value is None
            else with_limits(
                Estimate(
                    rung.value,
                    float("nan") if rung.lower is None else rung.lower,
                    float("nan") if rung.upper is None else rung.upper,
                ),
                digits,
                scale,
            ),
            p_value(rung.p),
        ]
        if has_truth:
            cells.append(number(None if rung.truth is None else scale * rung.truth, digits))
        cells.append(rung.note)
        rows.append(tuple(cells))
    columns = [
        Column("Method"),
        Column("What is estimated"),
        Column("Estimate (95% CI)", numeric=True),
        Column("p", numeric=True),
    ]
    if has_truth:
        columns.append(Column("Truth", numeric=True))
    columns.append(Column("Note"))
    return Table(
        f"{get_endpoint(comparison.endpoint).title}: every method, from the plain comparison to "
        "the most careful one",
        tuple(columns),
        tuple(rows),
    )


def _rung_scale(estimand: str) -> tuple[float, int, str]:
    if estimand.startswith("risk"):
        return 100.0, 1, ", % points" if "difference" in estimand else ", %"
    if "mean" in estimand:
        return 1.0, 2, ", months"
    return 1.0, 2, ""


def _reading(results: StudyResults) -> Section:
    items = [
        "Separation surgery frees the spinal cord from tumour by a margin of at least 3 mm and "
        "stabilises the spine; SBRT then gives a high dose in 1 to 6 fractions, 2–4 weeks later.",
        "A difference of risk of −8 per 100 means: of 100 patients, 8 fewer have the event.",
        "A hazard ratio (HR) below 1 means that at any moment the event is rarer with SBRT; it "
        "does not say how many patients are helped.",
        "Difference of mean event-free months: how much longer, on average, patients live "
        "without the event up to the horizon.",
        "95% CI: had the study been repeated often, 95 of 100 such intervals would hold the "
        "true value. A wide interval means that few patients were observed.",
        "Immortal time: a patient counted under SBRT must have lived until SBRT began. A plain "
        "comparison credits that time to SBRT.",
    ]
    if results.synthetic:
        items.append(
            "Truth: these patients are simulated, so the real effect is known and stands beside "
            "every estimate. It is an assumption of the simulation, not a finding about patients."
        )
    total = results.comparison_cohort if results.comparison_cohort is not None else results.cohort
    return Section(
        id="reading",
        title="How to read this page",
        finding=f"The comparison rests on {count(len(total), 'patient')}.",
        blocks=(Bullets(tuple(items)),),
    )
