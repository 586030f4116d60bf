"""The models page: what predicts the endpoints, and how good the predictions are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from outcomes.endpoints import get_endpoint
from outcomes.reports.charts import Point, PointChart, PointSeries
from outcomes.reports.content import (
    Block,
    Bullets,
    CollapsedTable,
    CollapsedText,
    Column,
    Figure,
    KeyNumber,
    Page,
    Paragraph,
    Section,
    Table,
)
from outcomes.reports.names import readable
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_agreement import agreement_section
from outcomes.reports.summary_benefit import benefit_section
from outcomes.reports.summary_common import make_page
from outcomes.reports.summary_dependence import dependence_section
from outcomes.reports.summary_effects import effects_section, importance_section
from outcomes.reports.summary_features import features_section, features_words
from outcomes.reports.summary_look import event_name, happened, legend, style_of
from outcomes.reports.summary_performance import (
    SMALL,
    difference_finding,
    difference_table,
    performance_table,
    truth_table,
    weighted_table,
)
from outcomes.reports.wording import (
    INTERVAL_MEANING,
    count,
    interval,
    known,
    number,
    of_100,
    percent,
    sentence_case,
    with_limits,
)

if TYPE_CHECKING:
    from outcomes.models.evaluation import Evaluation

SHORT = {"cox": "Cox", "forest": "forest"}


def summarise(results: StudyResults) -> Page:
    """Return the models page."""
    endpoints = _endpoints(results)
    sections: list[Section | None] = [features_section(results)]
    for endpoint in endpoints:
        sections += [
            _performance(results, endpoint),
            effects_section(results, endpoint),
            agreement_section(
                _evaluations(results, endpoint), endpoint, results.model_comparisons.get(endpoint)
            ),
            benefit_section(_evaluations(results, endpoint), endpoint),
            importance_section(results, endpoint),
            dependence_section(results, endpoint),
        ]
    sections.append(_reading(results))
    return make_page(
        "models",
        results,
        title="Prognostic models",
        question=(
            "This page answers: which patients have a higher risk of death or of local "
            "progression, and how far can two models that predict it be trusted? "
            f"{features_words(results)}"
        ).strip(),
        keys=tuple(key_numbers(results)),
        sections=tuple(sections),
        jumps=True,
    )


def _endpoints(results: StudyResults) -> tuple[str, ...]:
    names = [endpoint for endpoint, _ in results.models]
    names += [evaluation.endpoint for evaluation in results.evaluations]
    return tuple(dict.fromkeys(names))


def key_numbers(results: StudyResults) -> list[KeyNumber]:
    """Return of how many pairs of patients each model puts in the right order."""
    return [
        KeyNumber(
            f"{get_endpoint(evaluation.endpoint).title}, {SHORT[evaluation.model]}",
            f"{of_100(evaluation.c_index.value)} of 100",
            f"pairs of patients put in the right order (C-index "
            f"{number(evaluation.c_index.value, 2)}, {interval(evaluation.c_index, 2)}; "
            f"{count(evaluation.events, 'event')}); guessing: 50",
        )
        for evaluation in results.evaluations
    ]


def _evaluations(results: StudyResults, endpoint: str) -> list[Evaluation]:
    return [item for item in results.evaluations if item.endpoint == endpoint]


def _performance(results: StudyResults, endpoint: str) -> Section | None:
    evaluations = _evaluations(results, endpoint)
    if not evaluations:
        return None
    compared = results.model_comparisons.get(endpoint)
    blocks: list[Block] = [performance_table(evaluations, compared)]
    shown = (
        difference_finding(compared) if compared is not None else None,
        _auc_finding(evaluations, endpoint),
        _auc(evaluations, endpoint),
    )
    blocks += [block for block in shown if block is not None]
    truth = truth_table(evaluations, compared)
    if truth is not None:
        blocks.append(CollapsedTable("The error against the true risk, by month", truth))
    if compared is not None:
        blocks.append(CollapsedTable("Model against model", difference_table(compared)))
    blocks.append(CollapsedTable("C-index weighted for censoring", weighted_table(evaluations)))
    notes = tuple(dict.fromkeys(note for item in evaluations for note in item.notes))
    if notes:
        words = (sentence_case(results.with_titles(note).rstrip(".")) for note in notes)
        blocks.append(CollapsedText("Notes on these numbers", " ".join(f"{one}." for one in words)))
    return Section(
        id=f"performance-{endpoint}",
        title=f"{get_endpoint(endpoint).title}: how good are the predictions?",
        finding=_performance_finding(evaluations, endpoint),
        blocks=tuple(blocks),
    )


def _performance_finding(evaluations: list[Evaluation], endpoint: str) -> str:
    best = max(evaluations, key=lambda item: item.c_index.value)
    event = event_name(endpoint)
    text = (
        f"Of two patients of one series, the {readable(best.model)} gives the higher risk to the "
        f"one with the earlier {event} in {of_100(best.c_index.value)} of 100 pairs; guessing "
        "would be right in 50."
    )
    if len(evaluations) > 1:
        worst = min(evaluations, key=lambda item: item.c_index.value)
        gap = best.c_index.value - worst.c_index.value
        same = "does about as well" if gap < SMALL else f"reaches {of_100(worst.c_index.value)}"
        text += f" The {readable(worst.model)} {same}."
    gain = best.index_of_prediction_accuracy.value
    if known(gain):
        text += (
            f" Knowing the patient's features lowers the error of the predicted risk by "
            f"{percent(gain)} against the series' average."
            if gain > 0
            else " The predicted risks are no more accurate than the series' average."
        )
    return text + _truth_finding(evaluations, endpoint)


def _truth_finding(evaluations: list[Evaluation], endpoint: str) -> str:
    """Say how far each model is from the true risk of the single patient; empty if unknown."""
    month = evaluations[0].calibration_horizon
    errors = tuple(
        (readable(item.model), 100 * item.truth_mean_absolute_error[month])
        for item in evaluations
        if item.truth_mean_absolute_error is not None and month in item.truth_mean_absolute_error
    )
    if not errors:
        return ""
    (first, error), *others = errors
    text = (
        f" For the single patient, the {first}’s risk of {event_name(endpoint)} by {month:g} "
        f"months is {number(error, 1)} percentage points off the true one on average"
    )
    text += "".join(f", the {name}’s {number(value, 1)}" for name, value in others)
    return f"{text}."


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
    text = (
        f"Of a patient who has {happened(endpoint)} by {low:g} months and one who has not, the "
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
                PointSeries(readable(item.model), style_of(item.model), tuple(points), joined=True)
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
                Column("Months since surgery", numeric=True),
                Column("AUC (95% CI)", numeric=True),
            ),
            tuple(rows),
            fitted=True,
            stacked=True,
        ),
        legend=legend(evaluations),
    )


def _reading(results: StudyResults) -> Section:
    series = next((model.series for model in results.models.values() if model.series), "")
    items = [
        "Cox model: each feature multiplies the risk by a fixed hazard ratio. Random survival "
        "forest: many decision trees whose predictions are averaged; it finds bends and "
        "interactions, but needs more patients.",
        "Hazard ratio (HR): 2 goes with twice the risk at any moment, 0.5 with half of it. It says "
        "how patients differ, not what a treatment does.",
        "Order: who has the higher risk (C-index, AUC). Agreement: whether, of 100 patients given "
        "a risk of 30%, 30 have the event (ICI)."
        + (
            " Off the true risk: how far the risk of the single patient is wrong; known of "
            "synthetic patients only."
            if results.synthetic
            else ""
        ),
        "For local progression, death before it competes; both models combine the two risks into "
        "one cumulative incidence.",
    ]
    items.append(INTERVAL_MEANING)
    if series:
        items.insert(0, f"A shown prediction refers to: {series}.")
    return Section("reading", "How to read this page", "", (Bullets(tuple(items)),))
