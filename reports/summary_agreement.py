"""Do the predicted risks come true? Predicted against observed risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.endpoints import get_endpoint
from outcomes.reports.charts import PlaneLine, Point, PointChart, PointSeries
from outcomes.reports.content import Block, CollapsedTable, Column, Figure, Section, Table
from outcomes.reports.names import readable
from outcomes.reports.summary_common import as_float, round_up
from outcomes.reports.summary_look import event_name, happened, legend, style_of
from outcomes.reports.summary_performance import agreement_table, calibration_table
from outcomes.reports.wording import (
    interval,
    known,
    limits,
    number,
    percent,
    sentence_case,
)

if TYPE_CHECKING:
    from outcomes.models.evaluation import Evaluation
    from outcomes.models.selection import ModelComparison

# Points of a smooth curve that its table shows.
TABLE_POINTS = 8


def agreement_section(
    evaluations: list[Evaluation], endpoint: str, compared: ModelComparison | None = None
) -> Section | None:
    """Return predicted against observed risk; None where neither curve nor groups exist."""
    usable = [item for item in evaluations if len(item.calibration_curve)]
    if not usable:
        return None
    blocks: list[Block] = [
        _figure(usable, endpoint),
        agreement_table(usable, compared),
        CollapsedTable("The same in five groups of patients", _group_table(usable)),
        CollapsedTable("More measures of agreement", calibration_table(usable)),
    ]
    return Section(
        id=f"agreement-{endpoint}",
        title=f"{get_endpoint(endpoint).title}: do the predicted risks come true?",
        finding=_finding(usable, endpoint),
        blocks=tuple(blocks),
    )


def _finding(evaluations: list[Evaluation], endpoint: str) -> str:
    month, event = evaluations[0].calibration_horizon, event_name(endpoint)
    first, *others = evaluations
    text = (
        f"In groups of patients with like predicted risk, the {readable(first.model)}’s predicted "
        f"risk of {event} by {month:g} months is {_points(first)} percentage points away from the "
        "observed one on average"
    )
    if others:
        text += "".join(f", the {readable(item.model)}’s {_points(item)}" for item in others)
    text += " (ICI)."
    ratio = first.observed_expected_ratio
    if known(ratio.value):
        reach = interval(ratio, 0, scale=100)
        text += (
            f" For every 100 such events that the {readable(first.model)} predicts, "
            f"{number(100 * ratio.value, 0)} were observed{f' ({reach})' if reach else ''}."
        )
    if any(item.truth_mean_absolute_error for item in evaluations):
        text += (
            " This is about groups; the single patient’s risk is further off (see “how good are "
            "the predictions?”)."
        )
    return text


def _points(item: Evaluation) -> str:
    return number(100 * item.integrated_calibration_index.value, 1)


def _figure(evaluations: list[Evaluation], endpoint: str) -> Figure:
    month, event = evaluations[0].calibration_horizon, event_name(endpoint)
    lines = tuple(line for item in evaluations if (line := _line(item)) is not None)
    series = tuple(
        PointSeries(
            readable(item.model),
            style_of(item.model),
            tuple(
                Point(as_float(row["predicted"]), as_float(row["observed"]))
                for row in item.calibration_curve.to_dict("records")
                if known(as_float(row["observed"]))
            ),
        )
        for item in evaluations
    )
    ends = [0.1]
    ends += [end for line in lines for end in (*line.x, *line.y, *line.upper)]
    ends += [end for one in series for point in one.points for end in (point.x, point.y)]
    top = min(1.0, round_up(max(ends), 0.1))
    return Figure(
        id=f"calibration-{endpoint}",
        chart=PointChart(
            series,
            f"Predicted risk at {month:g} months",
            f"Observed at {month:g} months",
            (0.0, top),
            (0.0, top),
            diagonal=True,
            percent_x=True,
            square=True,
            lines=lines,
        ),
        label=f"Predicted against observed risk of {event} at {month:g} months, smooth curves "
        "and fifths of risk.",
        caption=f"Are {percent(0.3)} really {percent(0.3)}? On the dotted line prediction and "
        f"observation agree; above it more patients have {happened(endpoint)} by {month:g} "
        "months than predicted. Lines: smooth curves with their 95% bands. Marks: five groups of "
        "patients by predicted risk.",
        table=_curve_table(evaluations) if lines else _group_table(evaluations),
        legend=legend(evaluations),
    )


def _line(item: Evaluation) -> PlaneLine | None:
    curve = item.smooth_calibration.dropna()
    if curve.empty:
        return None
    x, y, lower, upper = (
        tuple(float(value) for value in curve[name])
        for name in ("predicted", "observed", "lower", "upper")
    )
    return PlaneLine(readable(item.model), style_of(item.model), x, y, lower, upper)


def _curve_table(evaluations: list[Evaluation]) -> Table:
    rows = []
    for item in evaluations:
        curve = item.smooth_calibration.dropna()
        if curve.empty:
            continue
        shown = np.unique(np.linspace(0, len(curve) - 1, TABLE_POINTS).round().astype(int))
        rows += [
            (
                sentence_case(readable(item.model)),
                percent(as_float(row["predicted"]), 1),
                percent(as_float(row["observed"]), 1),
                limits(as_float(row["lower"]), as_float(row["upper"]), 1, 100),
            )
            for row in curve.iloc[shown].to_dict("records")
        ]
    return Table(
        "Predicted and observed risk along the smooth curves",
        (
            Column("Model"),
            Column("Predicted", numeric=True),
            Column("Observed", numeric=True),
            Column("95% CI of observed", numeric=True),
        ),
        tuple(rows),
        fitted=True,
        stacked=True,
    )


def _group_table(evaluations: list[Evaluation]) -> Table:
    return Table(
        "Predicted and observed risk by group",
        (
            Column("Model"),
            Column("Patients", numeric=True),
            Column("Predicted", numeric=True),
            Column("Observed", numeric=True),
            Column("95% CI of observed", numeric=True),
        ),
        tuple(
            (
                sentence_case(readable(item.model)),
                f"{int(as_float(row['n'])):,}",
                percent(as_float(row["predicted"]), 1),
                percent(as_float(row["observed"]), 1),
                limits(as_float(row["lower"]), as_float(row["upper"]), 1, 100),
            )
            for item in evaluations
            for row in item.calibration_curve.to_dict("records")
        ),
        fitted=True,
        stacked=True,
    )
