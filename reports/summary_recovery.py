"""What each method of comparison makes of known truths: the page of the bias laboratory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from outcomes.reports.charts import ForestChart, ForestRow
from outcomes.reports.content import (
    Block,
    CollapsedTable,
    Column,
    Figure,
    KeyNumber,
    Page,
    Section,
    Table,
)
from outcomes.reports.page import render
from outcomes.reports.summary_methods import METHODS
from outcomes.reports.wording import count, known, number, percent, sentence_case, sentence_list

if TYPE_CHECKING:
    from outcomes.laboratory import Measured, Performance, Recovered, Recovery, Scenario

EVENTS = {"overall-survival": "death", "local-control": "local progression"}
FIRST, LAST = "crude", "clone-censor-weight"
ESTIMANDS = (
    ("risk_difference", "risk difference, points", 100.0, 1),
    ("restricted_mean_difference", "difference of mean survival, months", 1.0, 2),
    ("restricted_mean_time_lost_difference", "difference of mean time lost, months", 1.0, 2),
    ("log_hazard_ratio", "log hazard ratio", 1.0, 3),
)
# A 95 % interval of what is known up to its Monte Carlo error.
Z95 = 1.96


def recovery_page(recovery: Recovery, provenance: Mapping[str, Any]) -> str:
    """Return the page of a simulation study as one HTML document that needs nothing else."""
    return render(summarise_recovery(recovery, provenance))


def summarise_recovery(recovery: Recovery, provenance: Mapping[str, Any]) -> Page:
    """Return what the page says, before it is drawn."""
    return Page(
        name="recovery",
        title="The bias laboratory",
        question="Which method finds the effect of SBRT where that effect is known?",
        notice_title="The patients are synthetic.",
        notice=(
            f"{recovery.cohorts:,} cohorts like those of {recovery.study} were drawn under each "
            "truth and at each size, from the same random numbers. Every number here carries a "
            "Monte Carlo error."
        ),
        keys=_keys(recovery),
        sections=(
            _design(recovery),
            *(_scenario(recovery, scenario) for scenario in recovery.scenarios),
        ),
        links=(),
        footer=(
            f"separation-outcomes {provenance.get('package_version', '')} · seed {recovery.seed}",
            "For research and teaching. Not a medical device; not for decisions about a patient.",
        ),
        jumps=tuple((scenario.name, scenario.name) for scenario in recovery.scenarios),
    )


def _keys(recovery: Recovery) -> tuple[KeyNumber, ...]:
    """Return the bias of either end of the ladder under the first truth."""
    scenario, size = recovery.scenarios[0], recovery.sizes[-1]
    keys = [KeyNumber("Cohorts", f"{recovery.cohorts:,}", "of each truth and size")]
    rows = _by_method(recovery, scenario, size, recovery.endpoints[0], "risk_difference")
    keys += [
        KeyNumber(
            f"Bias, {METHODS[method].lower()}",
            f"{_signed(rows[method].bias)} points",
            f"{scenario.name}, {size:,} patients",
        )
        for method in (FIRST, LAST)
        if method in rows
    ]
    return tuple(keys)


def _design(recovery: Recovery) -> Section:
    sizes = sentence_list(tuple(f"{size:,}" for size in recovery.sizes))
    events = sentence_list(tuple(EVENTS[name] for name in recovery.endpoints))
    errors = (
        f"{recovery.bootstraps} bootstrap samples" if recovery.bootstraps else "influence functions"
    )
    if recovery.jackknife_below:
        errors += f", of fewer than {recovery.jackknife_below:,} patients from the jackknife"
    return Section(
        id="design",
        title="How it was tried",
        finding="A method is good if it is right on average, if its 95% intervals hold the truth "
        "in 95 of 100 cohorts, and if it then still finds an effect that is there.",
        blocks=(
            Table(
                "The design, after Morris, White and Crowther (Stat Med 2019;38:2074)",
                (Column("Part"), Column("Here")),
                (
                    (
                        "Aims",
                        "Which methods are misled by who is chosen for SBRT and by the time "
                        "lived until it, and how sure they can be",
                    ),
                    (
                        "Data",
                        f"Cohorts of {sizes} patients like those of {recovery.study}; "
                        "of the calibration only what a truth names is changed",
                    ),
                    (
                        "Estimands",
                        f"Differences of the risk and of the restricted mean at "
                        f"{recovery.horizon:g} months, and hazard ratios, of {events}; each method "
                        "is held against the truth of what it estimates",
                    ),
                    ("Methods", f"The ladder of comparisons; intervals from {errors}"),
                    (
                        "Performance",
                        "Bias, empirical and model standard error, coverage, rejections of no "
                        "effect, each with its Monte Carlo error (table 6 there)",
                    ),
                ),
                fitted=True,
                stacked=True,
            ),
        ),
    )


def _scenario(recovery: Recovery, scenario: Scenario) -> Section:
    from outcomes.laboratory.words import describe

    largest = recovery.sizes[-1]
    blocks: list[Block] = []
    for endpoint in recovery.endpoints:
        rows = _by_method(recovery, scenario, largest, endpoint, "risk_difference")
        if rows:
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
        title=sentence_case(scenario.name.replace("-", " ")),
        finding=f"{describe(scenario)}.{_finding(recovery, scenario)}",
        blocks=tuple(blocks),
    )


def _finding(recovery: Recovery, scenario: Scenario) -> str:
    endpoint, size = recovery.endpoints[0], recovery.sizes[-1]
    rows = _by_method(recovery, scenario, size, endpoint, "risk_difference")
    if FIRST not in rows or LAST not in rows:
        return ""
    crude, cloned = rows[FIRST], rows[LAST]
    return (
        f" With {size:,} patients the crude difference of the risk of {EVENTS[endpoint]} is off by "
        f"{_signed(crude.bias)} points, and its intervals hold the truth in "
        f"{percent(_value(crude.coverage))} of cohorts; clone-censor-weight is off by "
        f"{_signed(cloned.bias)} points and holds it in {percent(_value(cloned.coverage))}."
    )


def _figure(
    recovery: Recovery, scenario: Scenario, endpoint: str, rows: Mapping[str, Performance]
) -> Figure:
    size, event = recovery.sizes[-1], EVENTS[endpoint]
    title = f"Bias of the risk difference of {event}, points"
    drawn = []
    for method, found in rows.items():
        bias, error = _value(found.bias), _error(found.bias)
        drawn.append(
            ForestRow(
                METHODS[method],
                100 * bias if known(bias) else None,
                100 * (bias - Z95 * error) if known(bias) and known(error) else None,
                100 * (bias + Z95 * error) if known(bias) and known(error) else None,
                (percent(_value(found.coverage)), percent(_value(found.rejects))),
                style="misleading" if method == "1 - Kaplan-Meier" else "ink",
            )
        )
    return Figure(
        id=f"{scenario.name}-{endpoint}",
        chart=ForestChart(
            rows=tuple(drawn),
            x_title=title,
            reference=0.0,
            hints=("too good for SBRT", "too bad"),
            text_titles=("covers", "rejects"),
        ),
        label=f"{title}, by method, with Monte Carlo intervals.",
        caption=f"{title}, with its 95% Monte Carlo interval: {count(size, 'patient')}, month "
        f"{recovery.horizon:g}, {recovery.cohorts:,} cohorts. Beside it how often the 95% interval "
        "holds the truth, and how often no effect is rejected.",
        table=_table(
            recovery, scenario, endpoint, "risk_difference", ESTIMANDS[0][1], *ESTIMANDS[0][2:]
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
        f"{sentence_case(EVENTS[endpoint])}: {title}, {scenario.name}",
        (
            Column("Method"),
            Column("Patients", numeric=True),
            Column("Truth", numeric=True),
            Column("Bias", numeric=True),
            Column("Spread", numeric=True),
            Column("Model's error", numeric=True),
            Column("Covers", numeric=True),
            Column("Rejects", numeric=True),
            Column("Not estimable", numeric=True),
        ),
        tuple(_row(row, scale, digits) for row in found),
        note="± Monte Carlo error. Spread: standard deviation of the estimates; model's error: "
        "root mean square of the standard errors that the method gives. Not estimable: share of "
        "cohorts without an estimate.",
    )


def _row(row: Recovered, scale: float, digits: int) -> tuple[str, ...]:
    found = row.performance
    truth = None if found.truth is None else scale * found.truth
    return (
        METHODS[row.method],
        f"{row.patients:,}",
        number(truth, digits),
        _with_error(found.bias, scale, digits),
        _with_error(found.empirical_se, scale, digits),
        _with_error(found.model_se, scale, digits),
        _with_error(found.coverage, 100.0, 0, "%"),
        _with_error(found.rejects, 100.0, 0, "%"),
        percent(_value(found.not_estimable)),
    )


def _with_error(measure: Measured | None, scale: float, digits: int, unit: str = "") -> str:
    if measure is None or not known(measure.value):
        return number(None)
    value, error = scale * measure.value, scale * measure.monte_carlo_error
    return f"{number(value, digits)}{unit} ± {number(error, max(digits, 1))}"


def _signed(measure: Measured | None) -> str:
    value = 100 * _value(measure)
    return f"+{number(value)}" if value > 0 else number(value)


def _value(measure: Measured | None) -> float:
    return float("nan") if measure is None else measure.value


def _error(measure: Measured | None) -> float:
    return float("nan") if measure is None else measure.monte_carlo_error


def _by_method(
    recovery: Recovery, scenario: Scenario, size: int, endpoint: str, estimand: str
) -> dict[str, Performance]:
    return {
        row.method: row.performance for row in recovery.of(scenario.name, size, endpoint, estimand)
    }
