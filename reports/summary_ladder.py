"""Every method as one ladder of differences in risk, beside the truth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from outcomes.endpoints import get_endpoint
from outcomes.estimate import Estimate
from outcomes.reports.charts import LadderChart, LadderRow
from outcomes.reports.content import (
    Block,
    Bullets,
    Column,
    Figure,
    Legend,
    Paragraph,
    Section,
    Table,
)
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_adjusted import (
    LATER,
    Kind,
    has_truth,
    held_truth,
    kind_of,
    leading,
    limit_of,
    method_finding,
    select,
    shown_note,
    verdict,
)
from outcomes.reports.summary_arms import (
    against,
    arm_label,
    arms,
    few_left,
    few_sentence,
    firm_horizons,
    is_survival,
    treatment_name,
    unit_of,
)
from outcomes.reports.summary_methods import method_name, missing_sentences
from outcomes.reports.wording import (
    NONE,
    known,
    number,
    stacked,
    with_limits,
)

if TYPE_CHECKING:
    from outcomes.comparison import Comparison, Rung

GROUPS: dict[Kind, str] = {
    "plain": "Unlike patients: not adjusted",
    "alike": "Like with like: adjusted",
    "timed": "Like with like, and immortal time taken out",
}


def ladder_section(comparison: Comparison, results: StudyResults) -> Section | None:
    """Show the difference in risk by every method, in groups, beside the truth."""
    if not comparison.rungs:
        return None
    horizon = (firm_horizons(comparison) or comparison.horizons)[0]
    rungs = select(comparison, "risk_difference", horizon)
    blocks: list[Block] = []
    if any(rung.value is not None for rung in rungs):
        blocks.append(_figure(comparison, horizon, rungs))
    blocks += [Paragraph(text) for text in _power_sentences(comparison, results, rungs)]
    missing = missing_sentences(rungs)
    if missing:
        blocks.append(Bullets(missing))
    return Section(
        id=f"methods-{comparison.endpoint}",
        title=f"{endpoint_word(comparison)}: every method",
        finding=method_finding(comparison),
        blocks=tuple(blocks),
    )


def _power_sentences(
    comparison: Comparison, results: StudyResults, rungs: list[Rung]
) -> tuple[str, ...]:
    """Return what this many patients can show, and what one cohort cannot."""
    texts = []
    plain = next((rung for rung in rungs if rung.method == "crude"), None)
    if plain is not None and known(plain.lower) and known(plain.upper):
        n = sum(curve.n for curve in arms(comparison))
        reach = number(50 * (plain.upper - plain.lower), 0)
        texts.append(
            f"What {n:,} {unit_of(comparison, results)} can show: the plain difference is known to "
            f"about {reach} of 100 either way. An effect smaller than that would more often be "
            "missed than found, even without any bias."
            + (
                " How many patients it takes, the command “outcomes power” says."
                if comparison.treatment == "sbrt"
                else ""
            )
        )
    first = comparison.endpoint == next(iter(results.comparisons))
    if first and has_truth(comparison):
        texts.append(
            "One cohort is one draw: here a poor method may hit the truth by luck and a good one "
            "may lie beside it. How far off each is on average, over many cohorts, the command "
            "“outcomes recover” shows."
        )
    return tuple(texts)


def _figure(comparison: Comparison, horizon: float, rungs: list[Rung]) -> Figure:
    truth = next((rung.truth for rung in rungs if rung.method == "crude"), None)
    knows = any(rung.truth is not None for rung in rungs)
    ordered = sorted(rungs, key=lambda rung: list(GROUPS).index(kind_of(comparison, rung)))
    rows = tuple(_row(comparison, rung, truth, has_truth=knows) for rung in ordered)
    event = "death" if is_survival(comparison) else "local progression"
    name = treatment_name(comparison)
    title = f"Difference in {event}s per 100 at {horizon:g} months"
    caption = (
        f"{title}, {against(comparison)}, by method, with 95% CI. Do not rely on hollow diamonds "
        "on dotted lines: they compare patients who are not alike"
        + (
            ", or their interval misses the truth, as that of a right method does in 5 of 100 "
            "studies."
            if knows
            else "."
        )
    )
    if any(rung.method in LATER and rung.value is not None for rung in rungs):
        caption += (
            " A landmark speaks only of patients who have come through the first weeks; its "
            "events are those after it."
        )
    if truth is not None:
        caption += (
            f" The upright dotted line is the truth, {number(100 * truth, 1)}. A method that asks "
            "something slightly else (of those alive at a landmark, or of SBRT begun by a certain "
            "week) has a truth of its own, the short stroke."
        )
    elif not knows:
        caption += " In these patients the truth is not known."
    if few_left(comparison, horizon) is not None:
        caption += f" {few_sentence(comparison)}"
    legend = [
        Legend("unlike patients" + (", or truth missed" if knows else ""), "misleading", "point"),
        Legend("like with like", "ink", "point"),
    ]
    titles = ["per 100 (95% CI)"]
    if knows:
        titles.append("Truth")
        legend.append(Legend("truth", "truth"))
    return Figure(
        id=f"ladder-{comparison.endpoint}",
        chart=LadderChart(
            rows=rows,
            x_title=title,
            hints=(f"better with {name}", f"worse with {name}"),
            text_titles=tuple(titles),
            truth=None if truth is None else 100 * truth,
            truth_label="" if truth is None else f"truth {number(100 * truth, 1)}",
        ),
        label=caption,
        caption=caption,
        table=Table(
            title,
            (
                Column("Method"),
                Column("Estimate (95% CI)", numeric=True),
                Column("Truth", numeric=True),
                Column("Group"),
                Column("Note"),
            ),
            tuple(
                (
                    row.label,
                    row.texts[0],
                    NONE if rung.truth is None else number(100 * rung.truth, 1),
                    row.group,
                    shown_note(rung),
                )
                for row, rung in zip(rows, ordered, strict=True)
            ),
            fitted=True,
            stacked=True,
        ),
        legend=tuple(legend),
    )


def _row(comparison: Comparison, rung: Rung, truth: float | None, *, has_truth: bool) -> LadderRow:
    kind = kind_of(comparison, rung)
    value = "not estimable"
    if rung.value is not None:
        estimate = Estimate(rung.value, limit_of(rung.lower), limit_of(rung.upper))
        value = with_limits(estimate, 1, 100)
    found = _truth_found(rung)
    own = rung.truth if rung.truth != truth else None
    return LadderRow(
        label=method_name(rung),
        group=GROUPS[kind],
        value=None if rung.value is None else 100 * rung.value,
        lower=100 * rung.lower if known(rung.lower) else None,
        upper=100 * rung.upper if known(rung.upper) else None,
        texts=(value, found) if has_truth else (value,),
        short=f"{value}, truth missed" if found == "missed" else value,
        style="misleading" if kind == "plain" or found == "missed" else "ink",
        truth=None if own is None else 100 * own,
    )


def _truth_found(rung: Rung) -> str:
    """Return whether the interval of an estimate holds its truth."""
    if rung.truth is None or rung.value is None:
        return NONE
    return {None: "no interval", True: "inside", False: "missed"}[held_truth(rung)]


def risk_table(comparisons: Iterable[Comparison]) -> Table | None:
    """Return the absolute risks of 100 patients in each arm, plain, like with like and true."""
    rows: list[tuple[str, ...]] = []
    labels = ["", ""]
    for comparison in comparisons:
        horizons = firm_horizons(comparison)
        if horizons:
            rows += _risk_rows(comparison, horizons[0])
            labels = [arm_label(curve) for curve in arms(comparison)]
    if not rows:
        return None
    return Table(
        "Of 100 patients in each group, with 95% CI",
        (
            Column("Event and method"),
            Column(labels[0], numeric=True),
            Column(labels[1], numeric=True),
            Column("Difference", numeric=True),
        ),
        tuple(rows),
        fitted=True,
        stacked=True,
    )


def _risk_rows(comparison: Comparison, horizon: float) -> list[tuple[str, ...]]:
    estimands = ("risk_control", "risk_treated", "risk_difference")
    found = {
        (rung.method, rung.estimand): rung
        for rung in comparison.rungs
        if rung.horizon_months == horizon and rung.estimand in estimands
    }
    shown = leading(comparison, horizon)
    event = "Deaths" if is_survival(comparison) else "Local progressions"
    first = f"{event} within {horizon:g} months"
    rows = []
    for kind, leader in shown.items():
        name = method_name(leader)
        words = {
            "plain": "as the groups stand",
            "alike": f"like with like: {name}",
            "timed": f"like with like, immortal time taken out: {name}",
        }[kind]
        cells = tuple(_stacked(found.get((leader.method, one))) for one in estimands)
        rows.append((f"{first}\n{words}", *cells))
    truths = [found.get(("crude", one)) for one in estimands]
    if truths[2] is not None and truths[2].truth is not None:
        cells = tuple(
            NONE if one is None or one.truth is None else number(100 * one.truth, 1)
            for one in truths
        )
        rows.append((f"{first}\ntruth of the simulation", *cells))
    return rows


def _stacked(rung: Rung | None) -> str:
    if rung is None or rung.value is None:
        return NONE
    return stacked(Estimate(rung.value, limit_of(rung.lower), limit_of(rung.upper)), 1, 100)


def endpoint_word(comparison: Comparison) -> str:
    """Return the endpoint as the first word of a heading."""
    title = get_endpoint(comparison.endpoint).title
    return "Survival" if is_survival(comparison) else title


def verdicts(results: StudyResults) -> tuple[str, ...]:
    """Return one plain sentence for each endpoint."""
    return tuple(
        f"{endpoint_word(one)}: {verdict(one, results)}" for one in results.comparisons.values()
    )
