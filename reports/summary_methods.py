"""Every method of comparison beside the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.endpoints import get_endpoint
from outcomes.estimate import Estimate
from outcomes.reports.charts import ForestChart, ForestRow
from outcomes.reports.content import (
    Block,
    Bullets,
    CollapsedTable,
    Column,
    Figure,
    Paragraph,
    Section,
    Table,
)
from outcomes.reports.names import readable, readable_text
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_adjusted import (
    INFLATED_METHOD,
    covariates_of,
    has_truth,
    limit_of,
    method_finding,
    select,
    which_ratio,
)
from outcomes.reports.summary_arms import (
    few_left,
    few_sentence,
    firm_horizons,
    is_survival,
    treatment_name,
)
from outcomes.reports.wording import (
    NONE,
    as_sentence,
    known,
    limits,
    number,
    p_value,
    sentence_case,
    with_limits,
)

if TYPE_CHECKING:
    from outcomes.comparison import Comparison, Rung

METHODS = {
    "crude": "Plain comparison",
    "stratified": "Within series",
    "1 - Kaplan-Meier": "1 − Kaplan–Meier (inflated)",
    "cox-unadjusted": "Cox model, unadjusted",
    "cox-adjusted": "Cox model, adjusted",
    "landmark": "Landmark at 6 weeks",
}
EFFECTS = {
    "hazard_ratio": "Hazard ratio",
    "risk_difference": "Risk (% points)",
    "restricted_mean_difference": "Months alive",
    "restricted_mean_time_lost_difference": "Months lost",
}
ESTIMANDS = {
    "risk_difference": "Difference of risk",
    "risk_ratio": "Ratio of risks",
    "number_needed_to_treat": "Patients to treat for one event fewer",
    "restricted_mean_difference": "Difference of mean months alive",
    "restricted_mean_treated": "Mean months alive, treated",
    "restricted_mean_control": "Mean months alive, control",
    "restricted_mean_time_lost_difference": "Difference of mean months lost to progression",
    "restricted_mean_time_lost_treated": "Mean months lost to progression, treated",
    "restricted_mean_time_lost_control": "Mean months lost to progression, control",
    "hazard_ratio": "Hazard ratio",
    "risk_treated": "Risk, treated",
    "risk_control": "Risk, control",
    "gray": "Gray’s test, statistic",
    "log_rank": "Log-rank test, statistic",
}


def methods_section(comparison: Comparison, results: StudyResults) -> Section | None:
    """Show every method beside the truth: first risk, then rate, then all numbers."""
    if not comparison.rungs:
        return None
    survival = is_survival(comparison)
    blocks: list[Block] = []
    firm = firm_horizons(comparison) or comparison.horizons
    for estimand, horizon in (("risk_difference", firm[0]), ("hazard_ratio", None)):
        rungs = select(comparison, estimand, horizon)
        if any(rung.value is not None for rung in rungs):
            blocks.append(_rung_figure(comparison, estimand, horizon, rungs))
    told = which_ratio(comparison, results)
    if told:
        blocks.append(Paragraph(told))
    blocks.append(_effect_table(comparison))
    blocks.append(
        CollapsedTable("Every estimate, with p values and notes", _rung_table(comparison))
    )
    if comparison.notes:
        blocks.append(
            Bullets(
                tuple(
                    as_sentence(readable_text(results.with_titles(note)))
                    for note in comparison.notes
                )
            )
        )
    return Section(
        id=f"methods-{comparison.endpoint}",
        title="Survival: how much of the difference is due to the treatment?"
        if survival
        else "Local control: how much of the difference is due to the treatment?",
        finding=method_finding(comparison, results),
        blocks=tuple(blocks),
    )


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
            truth=None if rung.truth is None else scale * rung.truth,
        )
        for rung in rungs
    )
    title = (
        f"Hazard ratio for {event}"
        if ratio
        else f"Difference in {event}s per 100 patients at {horizon:g} months"
    )
    name = treatment_name(comparison)
    caption = f"{title}, with {name} against without, by method, with 95% CI."
    names = next((n for n in (covariates_of(r) for r in rungs if r.value is not None) if n), ())
    if ratio and names:
        caption += f" The adjusted models hold fixed: {', '.join(names)}; the first one nothing."
    if not ratio and any(rung.method == "landmark" and rung.value is not None for rung in rungs):
        caption += (
            " The landmark counts from week 6 on, in groups by treatment begun until then. It "
            "takes out the time patients had to live until treatment, and nothing else: neither "
            "difference is adjusted."
        )
    truths = sorted(row.truth for row in rows if row.truth is not None)
    if truths:
        ends = dict.fromkeys(number(truth, digits) for truth in (truths[0], truths[-1]))
        caption += (
            " The grey stroke in each row is the truth for what that method estimates: "
            f"{' to '.join(ends)}."
        )
    left = None if horizon is None else few_left(comparison, horizon)
    if left is not None:
        caption += f" {few_sentence(comparison)}"
    return Figure(
        id=f"methods-{comparison.endpoint}-{estimand.replace('_', '-')}",
        chart=ForestChart(
            rows=rows,
            x_title=title,
            reference=1.0 if ratio else 0.0,
            log=ratio,
            hints=(f"better with {name}", f"worse with {name}"),
            text_titles=("HR (95% CI)" if ratio else "per 100 (95% CI)",),
        ),
        label=caption,
        caption=caption,
        table=Table(
            title,
            (Column("Method"), Column("Estimate (95% CI)", numeric=True), Column("Note")),
            tuple(
                (row.label, row.texts[0], sentence_case(readable_text(rung.note)))
                for row, rung in zip(rows, rungs, strict=True)
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
            limit_of(rung.lower),
            limit_of(rung.upper),
        ),
        digits,
        scale,
    )


def _effect_table(comparison: Comparison) -> Table:
    """Return one row for each method and one column for each effect, the hazard ratio first."""
    order = list(EFFECTS)
    wanted = sorted(
        (
            rung
            for rung in comparison.rungs
            if rung.estimand in EFFECTS and rung.method != INFLATED_METHOD
        ),
        key=lambda rung: (rung.horizon_months or 0.0, order.index(rung.estimand)),
    )
    columns = list(dict.fromkeys((rung.estimand, rung.horizon_months) for rung in wanted))
    in_order = [rung.method for rung in comparison.rungs if rung in wanted]
    cells = {(rung.method, rung.estimand, rung.horizon_months): rung for rung in wanted}
    rows = tuple(
        (
            METHODS.get(method, readable(method)),
            *(_stacked(cells.get((method, *column))) for column in columns),
        )
        for method in dict.fromkeys(in_order)
    )
    note = "Treated minus control: a negative difference of risk is in favour of treatment."
    if is_survival(comparison):
        note += " Months alive are means per patient up to the horizon."
    else:
        note += " Months lost to progression are means per patient up to the horizon."
    if has_truth(comparison):
        note += (
            " Truth: what the method would find in a randomised trial of endless size in the "
            "simulation. The landmark looks at patients alive at its start and has a truth of its "
            "own."
        )
    note = f"{note} {few_sentence(comparison)}".rstrip()
    return Table(
        f"{get_endpoint(comparison.endpoint).title}: the effect of treatment by every method "
        f"(95% CI)",
        (
            Column("Method"),
            *(
                Column(
                    _effect_title(*column)
                    + (" (few left)" if column[1] and few_left(comparison, column[1]) else ""),
                    numeric=True,
                )
                for column in columns
            ),
        ),
        rows,
        note=note,
    )


def _stacked(rung: Rung | None) -> str:
    """Return an estimate, its limits and the truth, each in a line of its own."""
    if rung is None:
        return NONE
    if rung.value is None:
        return "not estimable"
    scale, digits, _ = _rung_scale(rung.estimand)
    lines = [number(scale * rung.value, digits)]
    if known(rung.lower) and known(rung.upper):
        lines.append(limits(rung.lower, rung.upper, digits, scale))
    if rung.truth is not None:
        lines.append(f"truth {number(scale * rung.truth, digits)}")
    return "\n".join(lines)


def _effect_title(estimand: str, horizon: float | None) -> str:
    by = "" if horizon is None else f" by {horizon:g} months"
    return f"{EFFECTS[estimand]}{by}"


def _estimand_title(estimand: str, horizon: float | None) -> str:
    at = "" if horizon is None else f", {horizon:g} months"
    title = ESTIMANDS.get(estimand, sentence_case(readable(estimand)))
    return f"{title}{at}{_rung_scale(estimand)[2]}"


def _rung_table(comparison: Comparison) -> Table:
    rows = tuple(
        (
            METHODS.get(rung.method, readable(rung.method)),
            _estimand_title(rung.estimand, rung.horizon_months),
            _stacked(rung),
            p_value(rung.p),
            sentence_case(readable_text(rung.note)),
        )
        for rung in comparison.rungs
    )
    return Table(
        f"{get_endpoint(comparison.endpoint).title}: every estimate",
        (
            Column("Method"),
            Column("What is estimated"),
            Column("Estimate (95% CI)", numeric=True),
            Column("p", numeric=True),
            Column("Note"),
        ),
        rows,
        fitted=True,
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
        return 1.0, 1, " (months)"
    return 1.0, 2, ""
