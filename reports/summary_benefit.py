"""Does it help to act on a prediction? Net benefit by threshold of risk."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd

from outcomes.endpoints import get_endpoint
from outcomes.reports.charts import PlaneLine, PointChart
from outcomes.reports.content import Column, Figure, Legend, Paragraph, Section, Table
from outcomes.reports.names import readable
from outcomes.reports.summary_common import as_float
from outcomes.reports.summary_look import event_name, legend, style_of
from outcomes.reports.wording import limits, number, percent, sentence_case, sentence_list

if TYPE_CHECKING:
    from outcomes.models.evaluation import Evaluation

# A gain of less than half a patient in 100 is not called one.
LEAST_GAIN = 0.005


def benefit_section(evaluations: list[Evaluation], endpoint: str) -> Section | None:
    """Return the decision curve of an endpoint; None where no net benefit is known."""
    usable = [item for item in evaluations if not _known_rows(item).empty]
    if not usable:
        return None
    month, event = usable[0].calibration_horizon, event_name(endpoint)
    return Section(
        id=f"benefit-{endpoint}",
        title=f"{get_endpoint(endpoint).title}: does it help to act on the prediction?",
        finding=_finding(usable),
        blocks=(
            Paragraph(
                f"“Treat” stands for any step taken because the risk of {event} by {month:g} "
                "months is high (for death, say, a smaller operation), and the threshold for the "
                "risk from which one would take it. At "
                "20%, one patient rightly treated weighs as much as four treated in vain. Net "
                "benefit is the number rightly treated in 100 patients, less those treated in "
                "vain at that weight. At each threshold the highest line is the best policy."
            ),
            _figure(usable, endpoint),
        ),
    )


def _known_rows(item: Evaluation) -> pd.DataFrame:
    """Return the thresholds at which the net benefit exists."""
    table = item.net_benefit
    return table[table["net_benefit"].notna() & table["treat_all"].notna()]


def _finding(evaluations: list[Evaluation]) -> str:
    """Say at which thresholds each model does better than treating all and treating none.

    Better or worse is a difference whose interval leaves out 0.
    """
    sentences: list[str] = []
    before: tuple[str, ...] = ()
    for item in evaluations:
        rows = _known_rows(item)
        thresholds = tuple(float(value) for value in rows["threshold"])
        better = (rows["difference"] >= LEAST_GAIN) & (rows["difference_lower"] > 0)
        harm = (rows["difference"] <= -LEAST_GAIN) & (rows["difference_upper"] < 0)
        helps, worse = _runs(thresholds, tuple(better)), _runs(thresholds, tuple(harm))
        name = f"the {readable(item.model)}"
        if helps:
            best = rows.loc[rows.loc[better, "difference"].idxmax()]
            where = percent(float(best["threshold"]))
            gain = number(100 * float(best["difference"]), 1)
            sentence = (
                f"so does {name}, most at {where} ({gain} more)"
                if helps == before
                else f"{name} does better than treating all or none, beyond chance, at thresholds "
                f"of {sentence_list(helps)}, most at {where} (worth {gain} more right decisions "
                "in 100 patients, with no more wrong ones)"
            )
        else:
            sentence = (
                f"{name} does no better than treating all or none, beyond chance, at any threshold"
            )
        if worse:
            sentence += f"; it does worse at {sentence_list(worse)}"
        sentences.append(f"{sentence_case(sentence)}.")
        before = helps
    return " ".join(sentences)


def _runs(thresholds: tuple[float, ...], marked: tuple[bool, ...]) -> tuple[str, ...]:
    """Return the stretches of marked thresholds in words."""
    edges = [False, *marked, False]
    changes = [k for k, (one, other) in enumerate(pairwise(edges)) if one != other]
    stretches = zip(changes[::2], changes[1::2], strict=True)
    return tuple(
        percent(thresholds[first])
        if last - first == 1
        else f"{percent(thresholds[first])} to {percent(thresholds[last - 1])}"
        for first, last in stretches
    )


def _figure(evaluations: list[Evaluation], endpoint: str) -> Figure:
    month, event = evaluations[0].calibration_horizon, event_name(endpoint)
    first = _known_rows(evaluations[0])
    thresholds = tuple(float(value) for value in first["threshold"])
    lines = [
        PlaneLine("treat all", "reference_dash", thresholds, _per_100(first["treat_all"])),
        PlaneLine("treat none", "reference", thresholds, _per_100(first["treat_none"])),
    ]
    for item in evaluations:
        rows = _known_rows(item)
        lines.append(
            PlaneLine(
                readable(item.model),
                style_of(item.model),
                tuple(float(value) for value in rows["threshold"]),
                _per_100(rows["net_benefit"]),
            )
        )
    # Treating all falls without end: the axis follows the models.
    low = min(-5.0, *(value for line in lines[2:] for value in line.y))
    high = max(5.0, *(value for line in lines for value in line.y))
    ends = (5.0 * math.floor(low / 5.0), 5.0 * math.ceil(high / 5.0))
    return Figure(
        id=f"net-benefit-{endpoint}",
        chart=PointChart(
            (),
            f"Threshold: risk of {event} by {month:g} months",
            "Net benefit per 100 patients",
            (thresholds[0] - 0.02, thresholds[-1] + 0.02),
            ends,
            x_ticks=thresholds,
            percent_x=True,
            percent_y=False,
            lines=tuple(lines),
        ),
        label=f"Net benefit per 100 patients by threshold of the risk of {event}.",
        caption=f"Decision curve at {month:g} months. A model helps where its line lies above "
        "those of treating all and none, beyond chance where the 95% CI of the gain leaves out 0; "
        "less than half a patient in 100 is not counted as help. "
        "Below 0 a policy does more harm than treating nobody.",
        table=_table(evaluations),
        legend=(
            *legend(evaluations, "line"),
            Legend("Treat all", "reference_dash"),
            Legend("Treat none", "reference"),
        ),
    )


def _per_100(values: pd.Series[float]) -> tuple[float, ...]:
    return tuple(100 * float(value) for value in values)


def _table(evaluations: list[Evaluation]) -> Table:
    return Table(
        "Net benefit per 100 patients by threshold; treating none is 0",
        (
            Column("Model"),
            Column("Threshold of risk", numeric=True),
            Column("By the model, per 100", numeric=True),
            Column("95% CI", numeric=True),
            Column("Treat all, per 100", numeric=True),
            Column("Gain over the better of all and none, per 100", numeric=True),
            Column("95% CI of the gain", numeric=True),
        ),
        tuple(
            (
                sentence_case(readable(item.model)),
                percent(as_float(row["threshold"])),
                number(100 * as_float(row["net_benefit"]), 1),
                limits(as_float(row["lower"]), as_float(row["upper"]), 1, 100),
                number(100 * as_float(row["treat_all"]), 1),
                number(100 * as_float(row["difference"]), 1),
                limits(
                    as_float(row["difference_lower"]), as_float(row["difference_upper"]), 1, 100
                ),
            )
            for item in evaluations
            for row in _known_rows(item).to_dict("records")
        ),
        fitted=True,
        stacked=True,
    )
