"""The models page: what predicts the endpoints, and how good the predictions are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from outcomes.endpoints import get_endpoint
from outcomes.reports.charts import Point, PointChart, PointSeries, Style
from outcomes.reports.content import (
    Block,
    Bullets,
    Column,
    Figure,
    KeyNumber,
    Legend,
    Page,
    Paragraph,
    Section,
    Table,
)
from outcomes.reports.names import readable
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import as_float, make_page, round_up
from outcomes.reports.summary_effects import effects_section, importance_section
from outcomes.reports.wording import (
    INTERVAL_MEANING,
    NONE,
    count,
    interval,
    known,
    limits,
    number,
    of_100,
    percent,
    sentence_case,
    stacked,
    with_limits,
)

if TYPE_CHECKING:
    from outcomes.models.evaluation import Evaluation

STYLES: dict[str, Style] = {"cox": "ink", "forest": "hollow"}
SHORT = {"cox": "Cox", "forest": "forest"}
EVENTS = {"overall-survival": "death", "local-control": "local progression"}


def summarise(results: StudyResults) -> Page:
    """Return the models page."""
    endpoints = _endpoints(results)
    sections: list[Section | None] = []
    for endpoint in endpoints:
        sections += [
            _performance(results, endpoint),
            effects_section(results, endpoint),
            importance_section(results, endpoint),
        ]
    sections.append(_reading(results))
    return make_page(
        "models",
        results,
        title="Prognostic models",
        question=(
            "This page answers: which patients have a higher risk of death or of local "
            "progression, and how far can two models that predict it be trusted?"
        ),
        keys=tuple(key_numbers(results)),
        sections=tuple(sections),
    )


def _endpoints(results: StudyResults) -> tuple[str, ...]:
    names = [endpoint for endpoint, _ in results.models]
    names += [evaluation.endpoint for evaluation in results.evaluations]
    return tuple(dict.fromkeys(names))


def key_numbers(results: StudyResults) -> list[KeyNumber]:
    """Return the C-index of each model and endpoint."""
    return [
        KeyNumber(
            f"{get_endpoint(evaluation.endpoint).title}, {SHORT[evaluation.model]}",
            f"C-index {number(evaluation.c_index.value, 2)}",
            f"{interval(evaluation.c_index, 2)}; {count(evaluation.events, 'event')}",
        )
        for evaluation in results.evaluations
    ]


def _evaluations(results: StudyResults, endpoint: str) -> list[Evaluation]:
    return [item for item in results.evaluations if item.endpoint == endpoint]


def _performance(results: StudyResults, endpoint: str) -> Section | None:
    evaluations = _evaluations(results, endpoint)
    if not evaluations:
        return None
    blocks: list[Block] = [_performance_table(evaluations)]
    shown = (
        _calibration(evaluations, endpoint),
        _auc_finding(evaluations, endpoint),
        _auc(evaluations, endpoint),
        _truth_table(evaluations),
    )
    blocks += [block for block in shown if block is not None]
    notes = tuple(dict.fromkeys(note for item in evaluations for note in item.notes))
    if notes:
        blocks.append(
            Bullets(
                tuple(sentence_case(f"{results.with_titles(note).rstrip('.')}.") for note in notes)
            )
        )
    return Section(
        id=f"performance-{endpoint}",
        title=f"{get_endpoint(endpoint).title}: how good are the predictions?",
        finding=_performance_finding(evaluations, endpoint),
        blocks=tuple(blocks),
    )


def _performance_finding(evaluations: list[Evaluation], endpoint: str) -> str:
    best = max(evaluations, key=lambda item: item.c_index.value)
    event = EVENTS.get(endpoint, get_endpoint(endpoint).events[1])
    text = (
        f"Of two patients of one series, the {readable(best.model)} gives the higher risk to the "
        f"one with the earlier {event} in {of_100(best.c_index.value)} of 100 pairs; guessing "
        "would be right in 50."
    )
    if len(evaluations) > 1:
        worst = min(evaluations, key=lambda item: item.c_index.value)
        gap = best.c_index.value - worst.c_index.value
        same = "does about as well" if gap < 0.02 else f"reaches {of_100(worst.c_index.value)}"
        text += f" The {readable(worst.model)} {same}."
    gain = best.index_of_prediction_accuracy.value
    if known(gain):
        text += (
            f" Knowing the patient's features lowers the error of the predicted risk by "
            f"{percent(gain)} against the series' average."
            if gain > 0
            else " The predicted risks are no more accurate than the series' average."
        )
    return text


def _performance_table(evaluations: list[Evaluation]) -> Table:
    rows = [
        (
            sentence_case(readable(item.model)),
            *(
                stacked(estimate, digits)
                for estimate, digits in (
                    (item.c_index, 2),
                    (item.c_index_ipcw, 2),
                    (item.integrated_brier_score, 3),
                    (item.calibration_slope, 2),
                    (item.calibration_in_the_large, 2),
                )
            ),
        )
        for item in evaluations
    ]
    rows.append(
        (
            "No model: the series’ own curve",
            "0.50",
            "0.50",
            stacked(evaluations[0].brier_null, 3),
            NONE,
            NONE,
        )
    )
    first = evaluations[0]
    return Table(
        f"Performance (95% CI), {count(first.n, 'patient')}, {count(first.events, 'event')}; "
        f"{first.method}",
        (
            Column("Model"),
            Column("C-index", numeric=True),
            Column("C-index, weighted for censoring", numeric=True),
            Column("Integrated Brier score", numeric=True),
            Column("Calibration slope", numeric=True),
            Column("Calibration in the large", numeric=True),
        ),
        tuple(rows),
        note="C-index: 0.5 is guessing, 1 is perfect. Brier score: mean squared error of the "
        "predicted risk, 0 is perfect. Slope: 1 is right; below 1, high risks are overstated and "
        "low ones understated. In the large: 0 is right; above 0, risks are understated.",
    )


def _calibration(evaluations: list[Evaluation], endpoint: str) -> Figure | None:
    usable = [item for item in evaluations if len(item.calibration_curve)]
    if not usable:
        return None
    month = usable[0].calibration_horizon
    event = EVENTS.get(endpoint, get_endpoint(endpoint).events[1])
    series, rows, high = [], [], 0.1
    for item in usable:
        points = []
        for row in item.calibration_curve.to_dict("records"):
            point = Point(
                as_float(row["predicted"]),
                as_float(row["observed"]),
                as_float(row["lower"]),
                as_float(row["upper"]),
            )
            if not known(point.y):
                continue
            points.append(point)
            high = max(high, point.x, point.y, point.upper if known(point.upper) else 0.0)
            rows.append(
                (
                    sentence_case(readable(item.model)),
                    f"{int(as_float(row['n'])):,}",
                    percent(point.x, 1),
                    percent(point.y, 1),
                    limits(point.lower, point.upper, 1, 100),
                )
            )
        series.append(
            PointSeries(readable(item.model), STYLES.get(item.model, "ink"), tuple(points))
        )
    top = min(1.0, round_up(high, 0.1))
    return Figure(
        id=f"calibration-{endpoint}",
        chart=PointChart(
            tuple(series),
            f"Predicted risk at {month:g} months",
            f"Observed at {month:g} months",
            (0.0, top),
            (0.0, top),
            diagonal=True,
            percent_x=True,
            square=True,
        ),
        label=f"Predicted against observed risk of {event} at {month:g} months, by fifth of risk.",
        caption=f"Are {percent(0.3)} really {percent(0.3)}? Patients in five groups by predicted "
        f"risk of {event} at {month:g} months against what was observed, with 95% CI."
        " On the dotted line prediction and observation agree.",
        table=Table(
            "Predicted and observed risk by group",
            (
                Column("Model"),
                Column("Patients", numeric=True),
                Column("Predicted", numeric=True),
                Column("Observed", numeric=True),
                Column("95% CI of observed", numeric=True),
            ),
            tuple(rows),
        ),
        legend=_legend(usable),
    )


def _legend(evaluations: list[Evaluation]) -> tuple[Legend, ...]:
    return tuple(
        Legend(sentence_case(readable(item.model)), STYLES.get(item.model, "ink"), "point")
        for item in evaluations
    )


def _auc_finding(evaluations: list[Evaluation], endpoint: str) -> Paragraph | None:
    """Say how well the better model tells apart at its worst and its best month."""
    best = max(evaluations, key=lambda item: item.c_index.value)
    known_months = {
        month: auc.value for month, auc in best.auc.items() if auc is not None and known(auc.value)
    }
    if not known_months:
        return None
    low = min(known_months, key=known_months.__getitem__)
    high = max(known_months, key=known_months.__getitem__)
    event = EVENTS.get(endpoint, get_endpoint(endpoint).events[1])
    text = (
        f"Of a patient who has {event} by {low:g} months and one who does not, the "
        f"{readable(best.model)} gives the first the higher risk in "
        f"{of_100(known_months[low])} of 100 pairs"
    )
    if high != low:
        text += f"; at {high:g} months in {of_100(known_months[high])}"
    return Paragraph(f"{text} (AUC).")


def _auc(evaluations: list[Evaluation], endpoint: str) -> Figure | None:
    series, rows = [], []
    for position, item in enumerate(evaluations):
        points = []
        for month, auc in sorted(item.auc.items()):
            rows.append((sentence_case(readable(item.model)), f"{month:g}", with_limits(auc)))
            if auc is not None and known(auc.value):
                # The two models stand beside each other, not on top of each other.
                shift = 0.3 * (position - (len(evaluations) - 1) / 2)
                points.append(Point(month + shift, auc.value, auc.lower, auc.upper))
        if points:
            series.append(
                PointSeries(
                    readable(item.model), STYLES.get(item.model, "ink"), tuple(points), joined=True
                )
            )
    if not series:
        return None
    numbers = [
        v for s in series for p in s.points for v in (p.y, p.lower) if v is not None and known(v)
    ]
    low = min(0.4, math.floor(10 * min(numbers)) / 10)
    months = tuple(sorted(evaluations[0].auc))
    return Figure(
        id=f"auc-{endpoint}",
        chart=PointChart(
            tuple(series),
            "Months since surgery",
            "AUC",
            (0.0, max(months) + 2.0),
            (low, 1.0),
            x_ticks=months,
            level=0.5,
            percent_y=False,
        ),
        label="Area under the ROC curve by month, for each model.",
        caption="Telling apart who has had the event by a month and who has not: area under the "
        "ROC "
        "curve (AUC) with 95% CI. The dotted line at 0.5 is guessing.",
        table=Table(
            "AUC by month",
            (
                Column("Model"),
                Column("Month", numeric=True),
                Column("AUC (95% CI)", numeric=True),
            ),
            tuple(rows),
        ),
        legend=_legend(evaluations),
    )


def _truth_table(evaluations: list[Evaluation]) -> Table | None:
    rows = []
    months: list[float] = []
    for item in evaluations:
        if item.truth_mean_absolute_error is None:
            continue
        months = sorted(item.truth_mean_absolute_error)
        rows.append(
            (
                sentence_case(readable(item.model)),
                *(
                    f"{number(100 * item.truth_mean_absolute_error[month], 1)} points"
                    for month in months
                ),
            )
        )
    if not rows:
        return None
    return Table(
        "Error against the true risk of each synthetic patient (mean, percentage points)",
        (Column("Model"), *(Column(f"{month:g} months", numeric=True) for month in months)),
        tuple(rows),
        note="Possible only here: each synthetic patient's true risk is known.",
    )


def _reading(results: StudyResults) -> Section:
    series = next((model.series for model in results.models.values() if model.series), "")
    items = [
        "Cox model: each factor multiplies the risk by a fixed hazard ratio. Random survival "
        "forest: many decision trees whose predictions are averaged; it finds bends and "
        "interactions, but needs more patients.",
        "Hazard ratio (HR): 2 means twice the risk at any moment, 0.5 half of it.",
        "For local progression, death before it competes; both models combine the two risks into "
        "one cumulative incidence.",
    ]
    items.append(INTERVAL_MEANING)
    if results.evaluations:
        items.append("Performance is measured on patients the model had not seen.")
    if series:
        items.insert(0, f"A shown prediction refers to: {series}.")
    return Section("reading", "How to read this page", "", (Bullets(tuple(items)),))
