"""The models and no model side by side: measures, and paired differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.estimate import Estimate
from outcomes.reports.content import Column, Paragraph, Table
from outcomes.reports.names import readable
from outcomes.reports.summary_common import as_float
from outcomes.reports.wording import (
    NONE,
    count,
    interval,
    known,
    number,
    p_value,
    sentence_case,
    stacked,
)

if TYPE_CHECKING:
    from outcomes.models.evaluation import Evaluation
    from outcomes.models.selection import ModelComparison

NULL = "kaplan-meier"
NO_MODEL = "No model: the series’ own curve"
# Two models whose C-indices differ by less do about as well.
SMALL = 0.02
# Measure, digits, factor and title; a share is shown in percentage points.
COMPARED = (
    ("c_index", 3, 1.0, "C-index (0.5–1)"),
    ("integrated_brier_score", 3, 1.0, "Brier score (0 is perfect)"),
    ("index_of_prediction_accuracy", 1, 100.0, "Error lowered, percentage points"),
    ("integrated_calibration_index", 1, 100.0, "Disagreement (ICI), percentage points"),
)


def performance_table(evaluations: list[Evaluation], compared: ModelComparison | None) -> Table:
    """Return what the finding rests on for each model and, as the last row, for no model."""
    first = evaluations[0]
    month = first.calibration_horizon
    null = compared.evaluations.get(NULL) if compared is not None else None
    truth = any(_truth(item, month) != NONE for item in evaluations)
    rows = [
        (
            sentence_case(readable(item.model)),
            stacked(item.c_index, 2),
            stacked(item.integrated_brier_score, 3),
            stacked(item.index_of_prediction_accuracy, 1, 100),
            *((_truth(item, month),) if truth else ()),
        )
        for item in evaluations
    ]
    rows.append(
        (
            NO_MODEL,
            "0.50",
            stacked(first.brier_null, 3),
            "0",
            *((_truth(null, month) if null else NONE,) if truth else ()),
        )
    )
    columns: tuple[Column, ...] = (
        Column("Model"),
        Column("C-index (0.5 guessing, 1 perfect)", numeric=True),
        Column("Brier score (0 perfect)", numeric=True),
        Column("Brier score lowered, %", numeric=True),
    )
    note = (
        "C-index: share of pairs of patients put in the right order. Brier score: mean squared "
        "error of the predicted risk over all months (integrated). Lowered: against no model "
        "(index of prediction accuracy, IPA)."
    )
    if truth:
        columns += (Column(f"Off the true risk at {month:g} months, points", numeric=True),)
        note += (
            " Off the true risk: mean distance between a patient’s predicted and true risk in "
            "percentage points; known here because the patients are synthetic."
        )
    return Table(
        f"Performance (95% CI), {count(first.n, 'patient')}, {count(first.events, 'event')}; "
        f"{first.method}",
        columns,
        tuple(rows),
        note=note,
        fitted=True,
        stacked=True,
    )


def _truth(item: Evaluation, month: float) -> str:
    errors = item.truth_mean_absolute_error or {}
    return number(100 * errors[month], 1) if month in errors else NONE


def truth_table(evaluations: list[Evaluation], compared: ModelComparison | None) -> Table | None:
    """Return the error against the true risk by month; None where no truth is known."""
    null = compared.evaluations.get(NULL) if compared is not None else None
    named = [(sentence_case(readable(item.model)), item) for item in evaluations]
    named += [(NO_MODEL, null)] if null is not None else []
    told = [(name, item.truth_mean_absolute_error) for name, item in named]
    known_errors = [(name, errors) for name, errors in told if errors]
    if not known_errors:
        return None
    months = sorted(known_errors[0][1])
    return Table(
        "Distance between predicted and true risk of each patient (mean, percentage points)",
        (Column("Model"), *(Column(f"{month:g} months", numeric=True) for month in months)),
        tuple(
            (name, *(number(100 * errors[month], 1) for month in months))
            for name, errors in known_errors
        ),
        note="Possible only here: each synthetic patient’s true risk is known.",
        fitted=True,
        stacked=True,
    )


def weighted_table(evaluations: list[Evaluation]) -> Table:
    """Return the C-index weighted for censoring."""
    return Table(
        "C-index with weights for patients lost to follow-up (95% CI)",
        (Column("Model"), Column("C-index (0.5 guessing, 1 perfect)", numeric=True)),
        tuple(
            (sentence_case(readable(item.model)), stacked(item.c_index_ipcw, 2))
            for item in evaluations
        ),
        note="Patients who stay under observation stand for those like them who left (Uno).",
        fitted=True,
        stacked=True,
    )


def agreement_table(evaluations: list[Evaluation], compared: ModelComparison | None) -> Table:
    """Return how well predicted and observed risks agree, with no model as the last row."""
    null = compared.evaluations.get(NULL) if compared is not None else None
    named = [(sentence_case(readable(item.model)), item) for item in evaluations]
    named += [(NO_MODEL, null)] if null is not None else []
    return Table(
        f"Agreement at {evaluations[0].calibration_horizon:g} months (95% CI)",
        (
            Column("Model"),
            Column("Disagreement (ICI), percentage points", numeric=True),
            Column("Events seen for 100 predicted", numeric=True),
        ),
        tuple(
            (
                name,
                stacked(item.integrated_calibration_index, 1, 100),
                stacked(item.observed_expected_ratio, 0, 100),
            )
            for name, item in named
        ),
        note="Disagreement: mean distance between predicted and observed risk (integrated "
        "calibration index, ICI); chance alone keeps it above 0. No model does well here without "
        "telling patients apart: it gives a whole series one risk, and that risk comes true.",
        fitted=True,
        stacked=True,
    )


def difference_table(compared: ModelComparison) -> Table:
    """Return the paired differences of every two models."""
    found = _differences(compared)
    pairs = dict.fromkeys((model, reference) for model, reference, _ in found)
    return Table(
        "Model against model, on the same patients (difference, 95% CI)",
        (
            Column("Models"),
            *(Column(title, numeric=True) for _, _, _, title in COMPARED),
        ),
        tuple(
            (
                f"{sentence_case(_named(model))} minus {_named(reference)}",
                *(
                    _signed(found.get((model, reference, measure)), digits, scale)
                    for measure, digits, scale, _ in COMPARED
                ),
            )
            for model, reference in pairs
        ),
        note="An interval that holds 0 is compatible with no difference. Better are a higher "
        "C-index, a lower Brier score and a smaller disagreement. Error lowered: of the Brier "
        "score, against no model; higher is better.",
        fitted=True,
        stacked=True,
    )


def difference_finding(compared: ModelComparison) -> Paragraph | None:
    """Say whether the first two models differ by more than chance."""
    pair, estimate = next(
        (
            ((model, reference), found)
            for (model, reference, measure), found in _differences(compared).items()
            if measure == "c_index" and reference != NULL and known(found.value)
        ),
        (("", ""), None),
    )
    if estimate is None:
        return None
    model, reference = (readable(name) for name in pair)
    side = "higher" if estimate.value > 0 else "lower"
    text = (
        f"On the same patients the C-index of the {model} is {number(abs(estimate.value), 3)} "
        f"{side} than that of the {reference}"
    )
    limits = interval(estimate, 3)
    if not limits:
        return Paragraph(f"{text}.")
    small = "little, but " if abs(estimate.value) < SMALL else ""
    verdict = (
        f"{small}more than chance would explain"
        if estimate.lower > 0 or estimate.upper < 0
        else "no more than chance would explain"
    )
    return Paragraph(f"{text} (difference {number(estimate.value, 3)}, {limits}): {verdict}.")


def _differences(compared: ModelComparison) -> dict[tuple[str, str, str], Estimate]:
    return {
        (str(row["model"]), str(row["reference"]), str(row["measure"])): Estimate(
            as_float(row["difference"]), as_float(row["lower"]), as_float(row["upper"])
        )
        for row in compared.differences.to_dict("records")
    }


def _named(model: str) -> str:
    return "no model" if model == NULL else readable(model)


def _signed(estimate: Estimate | None, digits: int, scale: float) -> str:
    """Return a difference with its sign, and its limits in a second line."""
    above = estimate is not None and round(scale * estimate.value, digits) > 0
    return f"{'+' if above else ''}{stacked(estimate, digits, scale)}"


def calibration_table(evaluations: list[Evaluation]) -> Table:
    """Return the measures of agreement that are seldom needed."""
    return Table(
        f"Agreement at {evaluations[0].calibration_horizon:g} months (95% CI), and over all months",
        (
            Column("Model"),
            Column("Slope (1 is right)", numeric=True),
            Column("In the large (0 is right)", numeric=True),
            Column("Median distance (E50), percentage points", numeric=True),
            Column("90% have less (E90), percentage points", numeric=True),
            Column("All months (D-calibration), p", numeric=True),
        ),
        tuple(
            (
                sentence_case(readable(item.model)),
                stacked(item.calibration_slope, 2),
                stacked(item.calibration_in_the_large, 2),
                stacked(item.e50, 1, 100),
                stacked(item.e90, 1, 100),
                p_value(item.d_calibration.p),
            )
            for item in evaluations
        ),
        note="Slope: 1 is right; below 1, high risks are overstated and low ones understated. In "
        "the large: 0 is right; above 0, risks are understated. E50 and E90: median and 90th "
        "percentile of the distance between predicted and observed risk. D-calibration: test over "
        "all months that patients fall evenly into ten bands of predicted survival; a low p "
        "speaks against the model.",
        fitted=True,
        stacked=True,
    )
