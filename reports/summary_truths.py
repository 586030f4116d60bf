"""What every method makes of one known truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from outcomes.reports.charts import ForestChart, ForestRow
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
from outcomes.reports.names import house_style
from outcomes.reports.summary_methods import METHODS
from outcomes.reports.wording import count, known, number, percent, sentence_case

if TYPE_CHECKING:
    from outcomes.laboratory import Measured, Performance, Recovered, Recovery, Scenario

EVENTS = {"overall-survival": "death", "local-control": "local progression"}
# What a truth is called where its identifier says too little.
TRUTHS = {
    "no-effect": "SBRT does nothing",
    "default": "SBRT does what is assumed",
    "strong-effect": "SBRT does more than assumed",
    "no-selection": "SBRT does nothing and is given by chance",
    "double-selection": "SBRT does nothing and goes to far fitter patients",
    "late-start": "SBRT does nothing and begins late",
    "late-start-no-selection": "SBRT does nothing, is given by chance and begins late",
}
UNADJUSTED = ("crude", "1 - Kaplan-Meier", "stratified", "cox-unadjusted", "landmark")
"""Methods whose differences of risk compare patients who are not alike."""
FIRST, LAST = "crude", "clone-censor-weight"
ESTIMANDS = (
    ("risk_difference", "difference of risk, per 100", 100.0, 1),
    ("restricted_mean_difference", "difference of mean survival, months", 1.0, 2),
    ("restricted_mean_time_lost_difference", "difference of mean time lost, months", 1.0, 2),
    ("log_hazard_ratio", "log hazard ratio", 1.0, 2),
)
# A 95 % interval of what is known up to its Monte Carlo error.
Z95 = 1.96


def truth_title(scenario: Scenario) -> str:
    """Return the name of a truth as readers see it."""
    return TRUTHS.get(scenario.name, sentence_case(scenario.name.replace("-", " ")))


def truth_section(recovery: Recovery, scenario: Scenario) -> Section:
    """Show how far off each method is under one truth."""
    from outcomes.laboratory.words import describe

    largest = recovery.sizes[-1]
    blocks: list[Block] = []
    for endpoint in recovery.endpoints:
        rows = by_method(recovery, scenario, largest, endpoint, "risk_difference")
        blocks.append(Subheading(sentence_case(EVENTS[endpoint])))
        if rows:
            told = _sentences(recovery, scenario, endpoint)
            blocks += [Paragraph(told)] if told else []
            blocks.append(_figure(recovery, scenario, endpoint, rows))
        blocks += [
            CollapsedTable(
                sentence_case(f"{EVENTS[endpoint]}: {title}"),
                _table(recovery, scenario, endpoint, estimand, title, scale, digits),
            )
            for estimand, title, scale, digits in ESTIMANDS[1:]
            if any(recovery.of(scenario.name, size, endpoint, estimand) for size in recovery.sizes)
        ]
    return Section(
        id=scenario.name,
        title=truth_title(scenario),
        finding=f"{house_style(describe(scenario))}.",
        blocks=tuple(blocks),
    )


def _sentences(recovery: Recovery, scenario: Scenario, endpoint: str) -> str:
    """Return the true effect, and what both ends of the ladder make of it."""
    size, smallest = recovery.sizes[-1], recovery.sizes[0]
    rows = by_method(recovery, scenario, size, endpoint, "risk_difference")
    if FIRST not in rows or LAST not in rows:
        return ""
    truth = rows[FIRST].truth
    text = (
        f"The true difference by month {recovery.horizon:g} is "
        f"{number(None if truth is None else 100 * truth)} of 100. With {size:,} patients "
        f"{_performs(rows[FIRST], METHODS[FIRST], scenario)}; "
        f"{_performs(rows[LAST], METHODS[LAST], scenario)}."
    )
    few = by_method(recovery, scenario, smallest, endpoint, "risk_difference").get(FIRST)
    if few is not None and smallest != size and known(few.model_se.value):
        text += (
            f" With {smallest:,} patients the interval of the plain comparison reaches "
            f"{number(100 * Z95 * few.model_se.value, 0)} of 100 either way."
        )
    return text


def _performs(found: Performance, name: str, scenario: Scenario) -> str:
    effect = "the effect" if scenario.has_effect else "an effect that is not there"
    return (
        f"“{name}” is {_off(found.bias)}, holds the truth in {percent(value_of(found.coverage))} "
        f"of cohorts and finds {effect} in {percent(value_of(found.rejects))}"
    )


def _off(bias: Measured | None) -> str:
    """Return how far off a method is on average, as far as that is no chance."""
    value, error = value_of(bias), error_of(bias)
    size = f"{number(100 * abs(value))} ± {number(100 * error)} of 100"
    if not known(value):
        return "without an error on average"
    if known(error) and abs(value) <= Z95 * error:
        return f"right on average as far as can be told (off by {per_100(bias)} ± " + (
            f"{number(100 * error)})"
        )
    return f"{size} too {'good' if value < 0 else 'bad'} for SBRT on average"


def _figure(
    recovery: Recovery, scenario: Scenario, endpoint: str, rows: Mapping[str, Performance]
) -> Figure:
    size, event = recovery.sizes[-1], EVENTS[endpoint]
    title = f"Error on average in the difference of {event}, per 100"
    drawn = []
    for method, found in rows.items():
        bias, error = value_of(found.bias), error_of(found.bias)
        drawn.append(
            ForestRow(
                METHODS[method],
                100 * bias if known(bias) else None,
                100 * (bias - Z95 * error) if known(bias) and known(error) else None,
                100 * (bias + Z95 * error) if known(bias) and known(error) else None,
                (
                    with_error(found.bias, 100.0, 1),
                    percent(value_of(found.coverage)),
                    percent(value_of(found.rejects)),
                ),
                style="misleading" if method in UNADJUSTED else "ink",
            )
        )
    return Figure(
        id=f"{scenario.name}-{endpoint}",
        chart=ForestChart(
            rows=tuple(drawn),
            x_title=title,
            reference=0.0,
            hints=("too good for SBRT", "too bad for SBRT"),
            text_titles=("error", "holds truth", "finds effect"),
        ),
        label=f"{title}, by method, with Monte Carlo intervals.",
        caption=f"{title}, with its 95% Monte Carlo interval: {count(size, 'patient')}, month "
        f"{recovery.horizon:g}, {recovery.cohorts:,} cohorts. Holds truth: share of the 95% "
        "intervals that hold it (95% would be right). Finds effect: share that exclude no effect"
        + (", the power." if scenario.has_effect else ", here false alarms (5% would be right)."),
        table=_table(
            recovery, scenario, endpoint, "risk_difference", ESTIMANDS[0][1], *ESTIMANDS[0][2:]
        ),
        legend=(
            Legend("unlike patients", "misleading", "point"),
            Legend("like with like", "ink", "point"),
        ),
    )


def _table(
    recovery: Recovery,
    scenario: Scenario,
    endpoint: str,
    estimand: str,
    title: str,
    scale: float,
    digits: int,
) -> Table:
    found = [
        row
        for size in recovery.sizes
        for row in recovery.of(scenario.name, size, endpoint, estimand)
    ]
    return Table(
        f"{sentence_case(EVENTS[endpoint])}: {title}. {truth_title(scenario)}",
        (
            Column("Method"),
            Column("Patients", numeric=True),
            Column("Truth", numeric=True),
            Column("Error on average", numeric=True),
            Column("Spread", numeric=True),
            Column("Model’s error", numeric=True),
            Column("Holds truth", numeric=True),
            Column("Finds effect", numeric=True),
            Column("Not estimable", numeric=True),
        ),
        tuple(_row(row, scale, digits) for row in found),
        note="± Monte Carlo error; none is known where all cohorts agree. Spread: standard "
        "deviation of the estimates. Model’s error: root mean square of the standard errors that "
        "the method gives. Not estimable: share of cohorts without an estimate.",
        fitted=True,
        stacked=True,
    )


def _row(row: Recovered, scale: float, digits: int) -> tuple[str, ...]:
    found = row.performance
    truth = None if found.truth is None else scale * found.truth
    return (
        METHODS[row.method],
        f"{row.patients:,}",
        number(truth, digits),
        with_error(found.bias, scale, digits),
        with_error(found.empirical_se, scale, digits),
        with_error(found.model_se, scale, digits),
        with_error(found.coverage, 100.0, 0, "%"),
        with_error(found.rejects, 100.0, 0, "%"),
        percent(value_of(found.not_estimable)),
    )


def with_error(measure: Measured | None, scale: float, digits: int, unit: str = "") -> str:
    """Return a measure with its Monte Carlo error where that is known."""
    if measure is None or not known(measure.value):
        return number(None)
    value, error = scale * measure.value, scale * measure.monte_carlo_error
    if not error > 0:
        return f"{number(value, digits)}{unit}"
    return f"{number(value, digits)}{unit} ± {number(error, max(digits, 1))}"


def per_100(measure: Measured | None) -> str:
    """Return a signed difference of risk, per 100."""
    value = 100 * value_of(measure)
    return f"+{number(value)}" if value > 0 else number(value)


def value_of(measure: Measured | None) -> float:
    """Return a measure; NaN where there is none."""
    return float("nan") if measure is None else measure.value


def error_of(measure: Measured | None) -> float:
    """Return a Monte Carlo error; NaN where there is none."""
    return float("nan") if measure is None else measure.monte_carlo_error


def by_method(
    recovery: Recovery, scenario: Scenario, size: int, endpoint: str, estimand: str
) -> dict[str, Performance]:
    """Return the performance of each method for one estimand."""
    return {
        row.method: row.performance for row in recovery.of(scenario.name, size, endpoint, estimand)
    }
