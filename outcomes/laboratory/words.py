"""A simulation study of the ladder in plain text: tables, and a sentence for each truth."""

import math
from collections.abc import Sequence

from outcomes.laboratory.performance import Measured
from outcomes.laboratory.recovery import Recovered, Recovery
from outcomes.laboratory.scenario import Scenario

GAP = "  "
EVENTS = {"overall-survival": "death", "local-control": "local progression"}
FIRST, LAST = "crude", "clone-censor-weight"
"""The ends of the ladder, which the sentences compare."""


def recovery_tables(recovery: Recovery) -> str:
    """Return bias, coverage and rejections of the risk difference, a table a truth and endpoint."""
    tables = []
    for scenario in recovery.scenarios:
        for endpoint in recovery.endpoints:
            by_size = [
                recovery.of(scenario.name, size, endpoint, "risk_difference")
                for size in recovery.sizes
            ]
            if any(by_size):
                tables.append("\n".join(_table(recovery, scenario, endpoint, by_size)))
    return "\n\n".join(tables)


def _table(
    recovery: Recovery,
    scenario: Scenario,
    endpoint: str,
    by_size: Sequence[Sequence[Recovered]],
) -> list[str]:
    methods = list(dict.fromkeys(row.method for rows in by_size for row in rows))
    heading = ["method"]
    for size in recovery.sizes:
        heading += [f"{size:,}: bias", "cover", "reject"]
    cells = []
    for method in methods:
        line = [method]
        for rows in by_size:
            row = next((row for row in rows if row.method == method), None)
            line += ["–"] * 3 if row is None else _cells(row)
        cells.append(line)
    truths = (row.performance.truth for rows in by_size for row in rows if row.method == FIRST)
    truth = next((f"{100 * value:+.1f}" for value in truths if value is not None), "–")
    title = (
        f"{scenario.name}: risk difference of {EVENTS[endpoint]} by month {recovery.horizon:g}, "
        f"truth {truth} points"
    )
    return [title, *_aligned([heading, *cells])]


def _cells(row: Recovered) -> list[str]:
    found = row.performance
    return [_points(found.bias), _percent(found.coverage), _percent(found.rejects)]


def recovery_words(recovery: Recovery) -> tuple[str, ...]:
    """Return what was found under each truth, of the first endpoint."""
    endpoint, event = recovery.endpoints[0], EVENTS[recovery.endpoints[0]]
    found = []
    for scenario in recovery.scenarios:
        largest, smallest = recovery.sizes[-1], recovery.sizes[0]
        rows = {
            size: {
                row.method: row.performance
                for row in recovery.of(scenario.name, size, endpoint, "risk_difference")
            }
            for size in (largest, smallest)
        }
        if FIRST not in rows[largest] or LAST not in rows[largest]:
            found.append(f"{scenario.name}: nothing could be compared.")
            continue
        crude, cloned = (rows[largest][name] for name in (FIRST, LAST))
        alarm = "" if scenario.has_effect else " that is not there"
        text = (
            f"{scenario.name}: {describe(scenario)}. With {largest:,} patients the crude risk "
            f"difference of {event} by month {recovery.horizon:g} is off by "
            f"{_points(crude.bias)} points and {_percent(crude.rejects)} of cohorts find an "
            f"effect{alarm}; clone-censor-weight is off by {_points(cloned.bias)} and finds one in "
            f"{_percent(cloned.rejects)}"
        )
        half = 196 * rows[smallest][FIRST].model_se.value if FIRST in rows[smallest] else math.nan
        if smallest != largest and not math.isnan(half):
            text += f". With {smallest:,} the crude interval reaches {half:.0f} points either way"
        found.append(f"{text}.")
    return tuple(found)


def describe(scenario: Scenario) -> str:
    """Return a truth in words."""
    if not scenario.has_effect:
        does = "SBRT does nothing"
    elif scenario.death_hazard_ratio is None and scenario.progression_effect == 1:
        does = "SBRT does what it is calibrated to"
    else:
        ratio = scenario.death_hazard_ratio
        death = "the assumed hazard ratio" if ratio is None else f"a hazard ratio of {ratio:g}"
        does = (
            f"SBRT acts on death with {death} and on local progression with "
            f"{scenario.progression_effect:g} times the calibrated effect"
        )
    who = {0.0: "by chance", 1.0: "more often to fitter patients, as calibrated,"}.get(
        scenario.selection,
        f"more often to fitter patients, {scenario.selection:g} times as strongly as calibrated,",
    )
    when = "at the usual time"
    if scenario.sbrt_start is not None:
        when = "after {:g}-{:g} months".format(*scenario.sbrt_start)
    return f"{does}; it is given {who} {when}"


def _points(measure: Measured | None) -> str:
    if measure is None or math.isnan(measure.value):
        return "–"
    return f"{100 * measure.value:+.1f} ± {100 * measure.monte_carlo_error:.1f}"


def _percent(measure: Measured | None) -> str:
    if measure is None or math.isnan(measure.value):
        return "–"
    return f"{100 * measure.value:.0f} %"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        GAP.join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
