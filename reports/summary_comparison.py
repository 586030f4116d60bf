"""The comparison page: two arms, absolute risks first, then every method beside the truth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from outcomes.endpoints import get_endpoint
from outcomes.estimate import Estimate
from outcomes.reports.content import (
    Block,
    Bullets,
    CollapsedTable,
    Column,
    CurveChart,
    Figure,
    ForestChart,
    ForestRow,
    IconGroup,
    IconRow,
    Icons,
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
    as_sentence,
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
    sentence_case,
    with_limits,
)

if TYPE_CHECKING:
    from outcomes.comparison import ArmCurve, Comparison, Rung

STYLES: tuple[Style, Style] = ("control", "treated")
MOST_MARKS = 150
INFLATED_METHOD = "1 - Kaplan-Meier"
METHODS = {
    "crude": "Plain comparison",
    "stratified": "Within series",
    "1 - Kaplan-Meier": "1 − Kaplan–Meier (inflated)",
    "cox-unadjusted": "Cox model, unadjusted",
    "cox-adjusted": "Cox model, adjusted",
    "landmark": "Landmark at 6 weeks",
}
EFFECTS = {
    "risk_difference": "Risk (% points)",
    "restricted_mean_difference": "Months alive",
    "restricted_mean_time_lost_difference": "Months lost",
    "hazard_ratio": "Hazard ratio",
}
ESTIMANDS = {
    "risk_difference": "Difference of risk",
    "risk_ratio": "Ratio of risks",
    "number_needed_to_treat": "Patients to treat for one event fewer",
    "restricted_mean_difference": "Difference of mean months alive",
    "restricted_mean_treated": "Mean months alive with SBRT",
    "restricted_mean_control": "Mean months alive without SBRT",
    "restricted_mean_time_lost_difference": "Difference of mean months lost to progression",
    "restricted_mean_time_lost_treated": "Mean months lost to progression with SBRT",
    "restricted_mean_time_lost_control": "Mean months lost to progression without SBRT",
    "hazard_ratio": "Hazard ratio",
    "risk_treated": "Risk with SBRT",
    "risk_control": "Risk without SBRT",
    "gray": "Gray’s test, statistic",
    "log_rank": "Log-rank test, statistic",
}


def summarise(results: StudyResults) -> Page:
    """Return the comparison page."""
    sections: list[Section | None] = [_of_100(results)]
    for comparison in results.comparisons.values():
        sections += [_curves(comparison), _methods(comparison, results)]
    sections.append(_reading(results))
    return make_page(
        "comparison",
        results,
        title="Separation surgery alone, or with SBRT",
        question=(
            "This page answers: how many patients live, and in how many does the tumour grow "
            "again at the operated site, after separation surgery alone and after separation "
            "surgery followed by stereotactic body radiotherapy (SBRT)?"
        ),
        keys=(),
        sections=tuple(sections),
    )


def is_survival(comparison: Comparison) -> bool:
    """Whether the curves show survival; otherwise they show a cumulative incidence."""
    return not get_endpoint(comparison.endpoint).has_competing_events


def arms(comparison: Comparison) -> tuple[ArmCurve, ArmCurve]:
    """Return the arms, control first."""
    first, second = comparison.arms
    return (second, first) if first.arm == "treated" else (first, second)


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
        f"alone, {of_100(treated.value)} after surgery with SBRT."
    )


def icon_row(comparisons: Iterable[Comparison]) -> IconRow | None:
    """Return a hundred patients of each arm at the first horizon, for each endpoint."""
    groups = []
    for comparison in comparisons:
        horizon = comparison.horizons[0]
        survival = is_survival(comparison)
        arrays = []
        for curve, style in zip(arms(comparison), STYLES, strict=True):
            estimate = arm_at(curve, horizon, start=1.0 if survival else 0.0)
            if estimate is not None:
                arrays.append(
                    Icons(
                        title=curve.label,
                        style=style,
                        marked=of_100(estimate.value),
                        marked_text=f"alive at {horizon:g} months"
                        if survival
                        else f"with local progression by {horizon:g} months",
                        rest_text="have died" if survival else "without it, alive or dead",
                        note=interval(estimate, 0, scale=100),
                    )
                )
        if len(arrays) == 2:
            groups.append(IconGroup(headline(comparison), tuple(arrays)))
    if not groups:
        return None
    return IconRow(
        groups=tuple(groups),
        caption="Each circle is one of 100 patients. Survival by Kaplan–Meier; local progression "
        "(the tumour grows again at the operated site) as cumulative incidence, with death "
        "competing. Not adjusted for differences between the groups. 95% CI: the range in which "
        "the true value plausibly lies.",
    )


def _of_100(results: StudyResults) -> Section:
    row = icon_row(results.comparisons.values())
    note = f" {as_sentence(results.comparison_note)}" if results.comparison_note else ""
    blocks: tuple[Block, ...] = (row,) if row is not None else ()
    if row is None:
        blocks = tuple(Paragraph(headline(c)) for c in results.comparisons.values())
    return Section(
        id="of-100-patients",
        title="Of 100 patients in each group",
        finding="Plain counts first. Patients chosen for SBRT also differ in other ways; the "
        f"methods further down take that into account.{note}",
        blocks=blocks,
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
            curve.label,
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
            Legend(f"{curve.label} (n = {curve.n:,})", style)
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


def _short(curve: ArmCurve) -> str:
    return "SBRT" if curve.arm == "treated" else "Alone"


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
    greys: tuple[Style, Style] = ("faint", "faint_dash")
    for curve, style, grey in zip(pair, STYLES, greys, strict=True):
        other = by_arm[curve.arm]
        for source, look, name in (
            (curve, style, "cumulative incidence"),
            (other, grey, "1 − Kaplan–Meier"),
        ):
            lines.append(
                curve_line(
                    f"{source.label}, {name}",
                    look,
                    source.months,
                    source.estimate,
                    start=0.0,
                    end=min(end, float(np.max(source.months))),
                )
            )
        legend.append(Legend(f"{curve.label}, cumulative incidence", style))
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


def _methods(comparison: Comparison, results: StudyResults) -> Section | None:
    """Show every method beside the truth: first risk, then rate, then all numbers."""
    if not comparison.rungs:
        return None
    survival = is_survival(comparison)
    blocks: list[Block] = []
    for estimand, horizon in (("risk_difference", comparison.horizons[0]), ("hazard_ratio", None)):
        rungs = _select(comparison, estimand, horizon)
        if any(rung.value is not None for rung in rungs):
            blocks.append(_rung_figure(comparison, estimand, horizon, rungs))
    blocks.append(_effect_table(comparison))
    blocks.append(
        CollapsedTable("Every estimate, with p values and notes", _rung_table(comparison))
    )
    if comparison.notes:
        blocks.append(
            Bullets(
                tuple(sentence_case(f"{results.with_titles(note)}.") for note in comparison.notes)
            )
        )
    return Section(
        id=f"methods-{comparison.endpoint}",
        title="Survival: how much of the difference is due to SBRT?"
        if survival
        else "Local control: how much of the difference is due to SBRT?",
        finding=_method_finding(comparison, results),
        blocks=tuple(blocks),
    )


def _select(comparison: Comparison, estimand: str, horizon: float | None) -> list[Rung]:
    """Return the rungs of one estimand; the inflated ones are left to the full table."""
    return [
        rung
        for rung in comparison.rungs
        if rung.estimand == estimand
        and rung.horizon_months == horizon
        and rung.method != INFLATED_METHOD
    ]


def _method_finding(comparison: Comparison, results: StudyResults) -> str:
    horizon = comparison.horizons[0]
    rungs = _select(comparison, "risk_difference", horizon)
    usable = [rung for rung in rungs if rung.value is not None]
    event = "deaths" if is_survival(comparison) else "local progressions"
    if not usable:
        return f"No method could estimate the difference at {horizon:g} months from these patients."
    text = (
        f"Per 100 patients and {horizon:g} months, the plain comparison finds "
        f"{_difference_words(usable[0].value, event)} with SBRT"
    )
    truth = next((rung.truth for rung in rungs if rung.truth is not None), None)
    if truth is not None:
        text += (
            f"; the effect built into these synthetic patients is {_difference_words(truth, event)}. "
            "What lies between them is chance, selection of fitter patients, and the time they had "
            "to live until SBRT began."
        )
    else:
        text += ". How much of that is an effect of SBRT is not known; adjusted methods follow."
    return text


def _difference_words(difference: float | None, event: str) -> str:
    """Return a difference of risk as a difference in 100 patients."""
    value = 100 * (difference or 0.0)
    if abs(value) < 0.5:
        return f"no difference in {event}"
    return f"{abs(value):.0f} {'fewer' if value < 0 else 'more'} {event}"


def _rung_figure(
    comparison: Comparison, estimand: str, horizon: float | None, rungs: list[Rung]
) -> Figure:
    ratio = estimand == "hazard_ratio"
    scale, digits = (1.0, 2) if ratio else (100.0, 1)
    event = "death" if is_survival(comparison) else "local progression"
    rows = tuple(
        ForestRow(
            label=METHODS.get(rung.method, readable(rung.method)),
            value=None if rung.value is None else scale * rung.value,
            lower=None if not known(rung.lower) else scale * float(rung.lower or 0.0),
            upper=None if not known(rung.upper) else scale * float(rung.upper or 0.0),
            texts=(_rung_value(rung),),
        )
        for rung in rungs
    )
    truth = next((rung.truth for rung in rungs if rung.truth is not None), None)
    title = (
        f"Hazard ratio for {event}"
        if ratio
        else f"Difference in {event}s per 100 patients at {horizon:g} months"
    )
    caption = f"{title}, with SBRT against without, by method, with 95% confidence intervals."
    if truth is not None:
        caption += (
            " The dotted line is the truth built into the synthetic patients: "
            f"{number(scale * truth, digits)}."
        )
    return Figure(
        id=f"methods-{comparison.endpoint}-{estimand.replace('_', '-')}",
        chart=ForestChart(
            rows=rows,
            x_title=title,
            reference=1.0 if ratio else 0.0,
            log=ratio,
            hints=("better with SBRT", "worse with SBRT"),
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


def _rung_value(rung: Rung) -> str:
    """Return the estimate with its limits, in the unit of `_rung_scale`."""
    scale, digits, _ = _rung_scale(rung.estimand)
    if rung.value is None:
        return "not estimable"
    return with_limits(
        Estimate(
            rung.value,
            float("nan") if rung.lower is None else rung.lower,
            float("nan") if rung.upper is None else rung.upper,
        ),
        digits,
        scale,
    )


def _effect_table(comparison: Comparison) -> Table:
    """Return one row for each method and one column for each effect, the truth last."""
    wanted = [
        rung
        for rung in comparison.rungs
        if rung.estimand in EFFECTS and rung.method != INFLATED_METHOD
    ]
    columns = list(dict.fromkeys((rung.estimand, rung.horizon_months) for rung in wanted))
    methods = list(dict.fromkeys(rung.method for rung in wanted))
    cells = {(rung.method, rung.estimand, rung.horizon_months): rung for rung in wanted}
    rows = []
    for method in methods:
        found = [cells.get((method, *column)) for column in columns]
        rows.append(
            (
                METHODS.get(method, readable(method)),
                *(NONE if rung is None else _rung_value(rung) for rung in found),
            )
        )
    truths = []
    for column in columns:
        scale, digits, _ = _rung_scale(column[0])
        truth = next(
            (
                rung.truth
                for rung in wanted
                if (rung.estimand, rung.horizon_months) == column and rung.truth is not None
            ),
            None,
        )
        truths.append(number(None if truth is None else scale * truth, digits))
    if any(truth != NONE for truth in truths):
        rows.append(("Truth of the simulation", *truths))
    return Table(
        f"{get_endpoint(comparison.endpoint).title}: the effect of SBRT by every method (95% CI)",
        (
            Column("Method"),
            *(Column(_effect_title(*column), numeric=True) for column in columns),
        ),
        tuple(rows),
        note="With SBRT minus without: a negative difference of risk is in favour of SBRT. Months "
        "alive or lost (to progression) are means per patient up to the horizon. The truth is the effect from surgery on; the landmark method looks at patients "
        "alive at its starting month and need not equal it.",
    )


def _effect_title(estimand: str, horizon: float | None) -> str:
    by = "" if horizon is None else f" by {horizon:g} months"
    return f"{EFFECTS[estimand]}{by}"


def _estimand_title(estimand: str, horizon: float | None) -> str:
    at = "" if horizon is None else f", {horizon:g} months"
    return f"{ESTIMANDS.get(estimand, sentence_case(readable(estimand)))}{at}{_rung_scale(estimand)[2]}"


def _rung_table(comparison: Comparison) -> Table:
    rows = []
    for rung in comparison.rungs:
        scale, digits, _ = _rung_scale(rung.estimand)
        rows.append(
            (
                METHODS.get(rung.method, readable(rung.method)),
                _estimand_title(rung.estimand, rung.horizon_months),
                _rung_value(rung),
                p_value(rung.p),
                number(None if rung.truth is None else scale * rung.truth, digits),
                rung.note,
            )
        )
    return Table(
        f"{get_endpoint(comparison.endpoint).title}: every estimate",
        (
            Column("Method"),
            Column("What is estimated"),
            Column("Estimate (95% CI)", numeric=True),
            Column("p", numeric=True),
            Column("Truth", numeric=True),
            Column("Note"),
        ),
        tuple(rows),
    )


def _rung_scale(estimand: str) -> tuple[float, int, str]:
    """Return factor, digits and unit in which an estimand is shown."""
    if estimand == "risk_difference":
        return 100.0, 1, " (% points)"
    if estimand in ("risk_treated", "risk_control"):
        return 100.0, 1, " (%)"
    if estimand == "number_needed_to_treat":
        return 1.0, 0, ""
    if estimand.startswith("restricted_mean"):
        return 1.0, 2, " (months)"
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
