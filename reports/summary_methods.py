"""Every method of comparison beside the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.endpoints import get_endpoint
from outcomes.estimate import Estimate
from outcomes.reports.content import (
    Block,
    Bullets,
    CollapsedTable,
    Column,
    Figure,
    ForestChart,
    ForestRow,
    Section,
    Table,
)
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_arms import is_survival, treatment_name
from outcomes.reports.wording import (
    NONE,
    as_sentence,
    known,
    number,
    p_value,
    readable,
    readable_text,
    sentence_case,
    with_limits,
)

if TYPE_CHECKING:
    from outcomes.comparison import Comparison, Rung

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
        f"{_difference_words(usable[0].value, event)} with {treatment_name(comparison)}"
    )
    truth = next((rung.truth for rung in rungs if rung.truth is not None), None)
    if truth is not None:
        text += (
            f"; the effect built into these synthetic patients is "
            f"{_difference_words(truth, event)}. "
            "What lies between them is chance, the choice of fitter patients for treatment, and "
            "the time they had to live until it began."
        )
    else:
        text += ". How much of that is an effect of the treatment is not known."
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
    name = treatment_name(comparison)
    caption = f"{title}, with {name} against without, by method, with 95% confidence intervals."
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
            hints=(f"better with {name}", f"worse with {name}"),
            text_titles=("HR (95% CI)" if ratio else "per 100 (95% CI)",),
            truth=None if truth is None else scale * truth,
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
        f"{get_endpoint(comparison.endpoint).title}: the effect of treatment by every method "
        f"(95% CI)",
        (
            Column("Method"),
            *(Column(_effect_title(*column), numeric=True) for column in columns),
        ),
        tuple(rows),
        note="Treated minus control: a negative difference of risk is in favour of treatment. "
        "Months "
        "alive or lost (to progression) are means per patient up to the horizon. The truth is "
        "the effect from surgery on; the landmark method looks at patients "
        "alive at its starting month and need not equal it.",
    )


def _effect_title(estimand: str, horizon: float | None) -> str:
    by = "" if horizon is None else f" by {horizon:g} months"
    return f"{EFFECTS[estimand]}{by}"


def _estimand_title(estimand: str, horizon: float | None) -> str:
    at = "" if horizon is None else f", {horizon:g} months"
    title = ESTIMANDS.get(estimand, sentence_case(readable(estimand)))
    return f"{title}{at}{_rung_scale(estimand)[2]}"


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
                sentence_case(readable_text(rung.note)),
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
        return 1.0, 2, ""
    return 1.0, 2, ""
