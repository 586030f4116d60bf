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
    ("c_index", 3, 1.0, "C-index"),
    ("integrated_brier_score", 3, 1.0, "Integrated Brier score"),
    ("index_of_prediction_accuracy", 1, 100.0, "Accuracy gained, points"),
    ("integrated_calibration_index", 1, 100.0, "Calibration error, points"),
)


def performance_table(evaluations: list[Evaluation], compared: ModelComparison | None) -> Table:
    """Return the measures of each model and, as the last row, of no model."""
    first = evaluations[0]
    null = compared.evaluations.get(NULL) if compared is not None else None
    rows = [_row(sentence_case(readable(item.model)), item) for item in evaluations]
    rows.append(
        (
            NO_MODEL,
            "0.50",
            "0.50",
            stacked(first.brier_null, 3),
            "0",
            stacked(null.observed_expected_ratio, 2) if null else NONE,
            stacked(null.integrated_calibration_index, 1, 100) if null else NONE,
        )
    )
    return Table(
        f"Performance (95% CI), {count(first.n, 'patient')}, {count(first.events, 'event')}; "
        f"{first.method}",
        (
            Column("Model"),
            Column("C-index", numeric=True),
            Column("C-index, weighted for censoring", numeric=True),
            Column("Integrated Brier score", numeric=True),
            Column("Accuracy gained, %", numeric=True),
            Column("Observed / expected", numeric=True),
            Column("Calibration error, points", numeric=True),
        ),
        tuple(rows),
        note="C-index: 0.5 is guessing, 1 is perfect. Brier score: mean squared error of the "
        "predicted risk, 0 is perfect. Accuracy gained: how much lower that error is than without "
        "a model (index of prediction accuracy, IPA). Observed / expected: events seen for each "
        "one predicted, 1 is right. Calibration error: mean distance between predicted and "
        "observed risk in percentage points (integrated calibration index, ICI); chance alone "
        "keeps it above 0, and giving a whole series one risk keeps it low. The last two are at "
        f"{first.calibration_horizon:g} months.",
    )


def _row(name: str, item: Evaluation) -> tuple[str, ...]:
    return (
        name,
        stacked(item.c_index, 2),
        stacked(item.c_index_ipcw, 2),
        stacked(item.integrated_brier_score, 3),
        stacked(item.index_of_prediction_accuracy, 1, 100),
        stacked(item.observed_expected_ratio, 2),
        stacked(item.integrated_calibration_index, 1, 100),
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
        "C-index and accuracy, a lower Brier score and calibration error.",
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
    """Return the measures of calibration that the performance table leaves out."""
    return Table(
        f"Calibration at {evaluations[0].calibration_horizon:g} months (95% CI), and over all "
        "months",
        (
            Column("Model"),
            Column("Slope", numeric=True),
            Column("In the large", numeric=True),
            Column("Median error (E50), points", numeric=True),
            Column("90% have less (E90), points", numeric=True),
            Column("D-calibration, p", numeric=True),
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
    )
