"""Risk by dose: what would happen if all patients had this distance, or that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.arrays import FloatArray
from outcomes.endpoints import get_endpoint
from outcomes.estimate import Estimate
from outcomes.reports.charts import PlaneLine, PointChart
from outcomes.reports.content import Column, Figure, Legend, Section, Table
from outcomes.reports.names import readable
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import round_up
from outcomes.reports.wording import count, number, of_100, sentence_case, stacked

if TYPE_CHECKING:
    from outcomes.comparison import DoseResponse


def dose_section(results: StudyResults) -> Section | None:
    """Show the risk by dose, for each endpoint at its first horizon."""
    first: dict[str, DoseResponse] = {}
    for one in results.dose_responses:
        first.setdefault(one.endpoint, one)
    if not first:
        return None
    return Section(
        id="dose-response",
        title=f"{sentence_case(_name(next(iter(first.values()))))}: risk by amount",
        finding=" ".join(_sentence(one) for one in first.values()),
        blocks=tuple(_figure(one) for one in first.values()),
    )


def _name(dose: DoseResponse) -> str:
    return readable(dose.column)


def _event(dose: DoseResponse) -> str:
    endpoint = get_endpoint(dose.endpoint)
    return "local progression" if endpoint.has_competing_events else "death"


def _verb(dose: DoseResponse) -> str:
    return "have local progression" if _event(dose) == "local progression" else "die"


def _sentence(dose: DoseResponse) -> str:
    low, high = float(dose.doses[0]), float(dose.doses[-1])
    return (
        f"Of 100 patients alike in what was measured, {_of_100(dose, 0)} {_verb(dose)} within "
        f"{dose.horizon:g} months at a {_name(dose)} of {low:.2g}{_unit(dose)}, and "
        f"{_of_100(dose, -1)} at {high:.2g}{_unit(dose)}."
    )


def _of_100(dose: DoseResponse, k: int) -> str:
    """Return how many of 100 have the event at a dose, with the interval."""
    low, high = of_100(dose.lower[k]), of_100(dose.upper[k])
    return f"{of_100(dose.risk[k])} (95% CI {low} to {high})"


def _unit(dose: DoseResponse) -> str:
    return " mm" if dose.column.endswith("_mm") else ""


def _figure(dose: DoseResponse) -> Figure:
    title = f"{sentence_case(_event(dose))} within {dose.horizon:g} months"
    axis = f"{sentence_case(_name(dose))}{f', {_unit(dose).strip()}' if _unit(dose) else ''}"
    x = tuple(dose.doses.tolist())
    caption = (
        f"{title} if all patients had the same {_name(dose)}, alike in "
        f"{count(len(dose.covariates), 'feature')}, with 95% CI. A smooth curve: it cannot "
        "jump at a threshold."
    )
    return Figure(
        id=f"dose-{dose.endpoint}",
        chart=PointChart(
            series=(),
            x_title=axis,
            y_title=title,
            x_range=(x[0], x[-1]),
            y_range=(0.0, min(1.0, round_up(float(dose.upper.max()), 0.1))),
            lines=(
                PlaneLine(
                    "risk",
                    "ink",
                    x,
                    tuple(dose.risk.tolist()),
                    tuple(dose.lower.tolist()),
                    tuple(dose.upper.tolist()),
                ),
            ),
        ),
        label=caption,
        caption=caption,
        table=Table(
            f"{title} by {_name(dose)}",
            (
                Column(axis),
                Column("Of 100 patients (95% CI)", numeric=True),
                Column(f"More or fewer than at {dose.reference:g} (95% CI)", numeric=True),
            ),
            tuple(
                (
                    number(float(dose.doses[k]), 1),
                    stacked(_estimate(dose.risk, dose.lower, dose.upper, k), 1, 100),
                    stacked(
                        _estimate(dose.difference, dose.difference_lower, dose.difference_upper, k),
                        1,
                        100,
                    ),
                )
                for k in range(len(x))
            ),
            fitted=True,
            stacked=True,
        ),
        legend=(Legend("had all patients this amount", "ink"),),
    )


def _estimate(value: FloatArray, lower: FloatArray, upper: FloatArray, k: int) -> Estimate:
    return Estimate(float(value[k]), float(lower[k]), float(upper[k]))
