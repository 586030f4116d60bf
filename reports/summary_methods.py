"""Methods by name, their hazard ratios, and every number."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
    Legend,
    Paragraph,
    Section,
    Table,
)
from outcomes.reports.names import readable, readable_text
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_adjusted import (
    INFLATED_METHOD,
    adjusting_covariates,
    has_truth,
    kind_of,
    limit_of,
    reason_of,
    select,
    shown_note,
    which_ratio,
)
from outcomes.reports.summary_arms import (
    against,
    few_left,
    few_sentence,
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
    sentence_list,
    with_limits,
)

if TYPE_CHECKING:
    from outcomes.comparison import Comparison, Rung

NO_INTERVAL = re.compile(r"no interval(?: because|:) [^;]+")
METHODS = {
    "crude": "Plain comparison",
    "stratified": "Within series",
    "1 - Kaplan-Meier": "1 − Kaplan–Meier (inflated)",
    "cox-unadjusted": "Cox model (unadjusted)",
    "cox-adjusted": "Cox model (adjusted)",
    "landmark": "Landmark",
    "g-formula-cox": "Standardised (Cox models)",
    "g-formula-forest": "Standardised (forest)",
    "iptw": "Weighted (IPTW)",
    "doubly-robust": "Doubly robust",
    "landmark-adjusted": "Landmark (standardised)",
    "time-dependent": "Time-dependent treatment",
    "clone-censor-weight": "Clone–censor–weight",
}
EFFECTS = {
    "risk_difference": "Risk (% points)",
    "risk_ratio": "Risk ratio",
    "restricted_mean_difference": "Months alive",
    "restricted_mean_time_lost_difference": "Months lost",
    "number_needed_to_treat": "Number needed",
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


def method_name(rung: Rung) -> str:
    """Return the name of a method for one of its estimates."""
    if rung.method == "landmark":
        return f"Landmark ({'adjusted' if rung.estimand == 'hazard_ratio' else 'not adjusted'})"
    return METHODS.get(rung.method, readable(rung.method))


def missing_sentences(rungs: Iterable[Rung]) -> tuple[str, ...]:
    """Return why methods have no estimate or no interval, one sentence for each reason."""
    by_reason: dict[str, list[str]] = {}
    for rung in rungs:
        if rung.value is None:
            reason = f"not estimable because {reason_of(rung.note)}"
        elif known(rung.lower) and known(rung.upper):
            continue
        elif told := NO_INTERVAL.search(rung.note):
            reason = readable_text(told[0])
        else:
            reason = "no interval"
        by_reason.setdefault(reason, []).append(method_name(rung))
    return tuple(
        f"{sentence_list(tuple(dict.fromkeys(names)))}: {reason}."
        for reason, names in by_reason.items()
    )


def hazard_ratio_section(results: StudyResults) -> Section | None:
    """Show the hazard ratios of both endpoints: last, because they count no patients."""
    blocks: list[Block] = []
    for comparison in results.comparisons.values():
        rungs = select(comparison, "hazard_ratio", None)
        if any(rung.value is not None for rung in rungs):
            blocks.append(_ratio_figure(comparison, rungs))
            told = which_ratio(comparison, results)
            if told:
                blocks.append(Paragraph(told))
        missing = missing_sentences(rungs)
        if missing:
            blocks += [Paragraph(f"{get_endpoint(comparison.endpoint).title}:"), Bullets(missing)]
    if not blocks:
        return None
    return Section(
        id="hazard-ratios",
        title="Hazard ratios",
        finding=(
            "A hazard ratio compares how fast the event comes among those who have not had it yet. "
            "It does not say how many patients are helped, and it changes with the features it is "
            "adjusted for even where nothing is biased."
        ),
        blocks=tuple(blocks),
    )


def numbers_section(results: StudyResults) -> Section | None:
    """Show every number behind summary lines."""
    blocks: list[Block] = []
    for comparison in results.comparisons.values():
        if not comparison.rungs:
            continue
        title = get_endpoint(comparison.endpoint).title
        for horizon in comparison.horizons:
            few = " (few left)" if few_left(comparison, horizon) else ""
            blocks.append(
                CollapsedTable(
                    f"{title}: every effect by {horizon:g} months{few}",
                    _effect_table(comparison, horizon),
                )
            )
        blocks.append(
            CollapsedTable(
                f"{title}: every estimate, with p values and notes", _rung_table(comparison)
            )
        )
    notes = dict.fromkeys(
        as_sentence(readable_text(results.with_titles(note)))
        for comparison in results.comparisons.values()
        for note in comparison.notes
    )
    if notes:
        blocks.append(Bullets(tuple(notes)))
    if not blocks:
        return None
    return Section(
        id="all-numbers",
        title="All numbers",
        finding="The files of this report hold the same numbers as CSV and JSON.",
        blocks=tuple(blocks),
    )


def _ratio_figure(comparison: Comparison, rungs: list[Rung]) -> Figure:
    event = "death" if is_survival(comparison) else "local progression"
    rows = tuple(
        ForestRow(
            label=method_name(rung),
            value=rung.value,
            lower=rung.lower if known(rung.lower) else None,
            upper=rung.upper if known(rung.upper) else None,
            texts=(_rung_value(rung),),
            truth=rung.truth,
            style="misleading" if kind_of(comparison, rung) == "plain" else "ink",
        )
        for rung in rungs
    )
    title = f"Hazard ratio for {event}"
    name = treatment_name(comparison)
    caption = (
        f"{title}, {against(comparison)}, by method, with 95% CI. Hollow diamonds compare "
        "patients who are not alike."
    )
    truths = sorted(row.truth for row in rows if row.truth is not None)
    if truths:
        ends = dict.fromkeys(number(truth, 2) for truth in (truths[0], truths[-1]))
        caption += (
            " The grey stroke in each row is the truth for what that method estimates: "
            f"{' to '.join(ends)}."
        )
    return Figure(
        id=f"hazard-ratios-{comparison.endpoint}",
        chart=ForestChart(
            rows=rows,
            x_title=title,
            reference=1.0,
            log=True,
            hints=(f"better with {name}", f"worse with {name}"),
            text_titles=("HR (95% CI)",),
        ),
        label=caption,
        caption=caption,
        table=Table(
            title,
            (Column("Method"), Column("Estimate (95% CI)", numeric=True), Column("Note")),
            tuple(
                (row.label, row.texts[0], shown_note(rung))
                for row, rung in zip(rows, rungs, strict=True)
            ),
            fitted=True,
            stacked=True,
        ),
        legend=(
            Legend("unlike patients", "misleading", "point"),
            Legend("like with like", "ink", "point"),
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


def _effect_table(comparison: Comparison, horizon: float) -> Table:
    """Return one row for each method and one column for each effect by a horizon."""
    wanted = [
        rung
        for rung in comparison.rungs
        if rung.estimand in EFFECTS
        and rung.horizon_months == horizon
        and rung.method != INFLATED_METHOD
    ]
    present = {rung.estimand for rung in wanted}
    columns = [estimand for estimand in EFFECTS if estimand in present]
    cells = {(rung.method, rung.estimand): rung for rung in wanted}
    names = {rung.method: method_name(rung) for rung in reversed(wanted)}
    rows = tuple(
        (names[method], *(_stacked(cells.get((method, column))) for column in columns))
        for method in dict.fromkeys(rung.method for rung in wanted)
    )
    note = "Treated minus control: a negative difference of risk is in favour of treatment."
    if is_survival(comparison):
        note += " Months alive are means per patient up to the horizon."
    else:
        note += " Months lost to progression are means per patient up to the horizon."
    note += " Number needed: patients to treat for one event fewer; below 0, for one more."
    if has_truth(comparison):
        note += (
            " Truth: what the method would find in a randomised trial of endless size in the "
            "simulation. Landmarks, which look at patients alive at their start, and "
            "clone–censor–weight have truths of their own."
        )
    if few_left(comparison, horizon) is not None:
        note += f" {few_sentence(comparison)}"
    return Table(
        f"{get_endpoint(comparison.endpoint).title}: the effect of treatment by {horizon:g} "
        "months, by every method (95% CI)",
        (Column("Method"), *(Column(EFFECTS[column], numeric=True) for column in columns)),
        rows,
        note=note,
        fitted=True,
        stacked=True,
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


def _estimand_title(estimand: str, horizon: float | None) -> str:
    at = "" if horizon is None else f", {horizon:g} months"
    title = ESTIMANDS.get(estimand, sentence_case(readable(estimand)))
    return f"{title}{at}{_rung_scale(estimand)[2]}"


def _rung_table(comparison: Comparison) -> Table:
    names = adjusting_covariates(comparison)
    rows = tuple(
        (
            method_name(rung),
            _estimand_title(rung.estimand, rung.horizon_months),
            _stacked(rung),
            p_value(rung.p),
            shown_note(rung),
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
        note=f"Adjusted methods compare patients alike in {sentence_list(names)}." if names else "",
        fitted=True,
        stacked=True,
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
