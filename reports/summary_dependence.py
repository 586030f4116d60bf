"""How the predictions change with one feature, beside the truth."""

from __future__ import annotations

import pandas as pd

from outcomes.endpoints import get_endpoint
from outcomes.reports.charts import PlaneLine, PointChart, Style
from outcomes.reports.content import Column, Figure, Legend, Section, Table
from outcomes.reports.names import readable
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_look import STYLES
from outcomes.reports.wording import count, of_100, percent, sentence_case

TRUTH = "truth"
UNITS = {"separation_mm": "mm", "kps": "points"}


def dependence_section(results: StudyResults, endpoint: str) -> Section | None:
    """Return the curves of an endpoint; None where they were not computed."""
    table = results.dependence.get(endpoint)
    if table is None or table.empty:
        return None
    first = str(table["covariate"].iloc[0])
    return Section(
        id=f"dependence-{endpoint}",
        title=f"{get_endpoint(endpoint).title}: how predictions change with one feature",
        finding=_finding(table[table["covariate"] == first], endpoint),
        blocks=tuple(
            _figure(own, endpoint, str(covariate))
            for covariate, own in table.groupby("covariate", sort=False)
        ),
    )


def _words(endpoint: str) -> str:
    return get_endpoint(endpoint).complement_title.lower()


def _finding(table: pd.DataFrame, endpoint: str) -> str:
    """Say what each model, and the truth, gives at the least and the greatest value."""
    ends = (float(table["value"].min()), float(table["value"].max()))
    covariate, month = readable(str(table["covariate"].iloc[0])), float(table["month"].iloc[0])
    parts = []
    for model, own in table.groupby("model", sort=False):
        at = own.set_index("value")["survival"]
        low, high = (of_100(float(at.loc[end])) for end in ends)
        parts.append(f"{_named(str(model))} {low} and {high}")
    return (
        f"Of 100 patients, {_words(endpoint)} at {month:g} months if all had a {covariate} of "
        f"{ends[0]:g}, and if all had {ends[1]:g}: {'; '.join(parts)}."
    )


def _named(model: str) -> str:
    return "the truth" if model == TRUTH else f"the {readable(model)}"


def _style(model: str) -> Style:
    return "truth" if model == TRUTH else STYLES.get(model, "ink")


def _figure(table: pd.DataFrame, endpoint: str, covariate: str) -> Figure:
    feature, month = readable(covariate), float(table["month"].iloc[0])
    name = sentence_case(feature)
    models = [str(model) for model in table["model"].unique()]
    curves = {model: table[table["model"] == model].sort_values("value") for model in models}
    lines = tuple(
        PlaneLine(
            _named(model),
            _style(model),
            tuple(float(value) for value in own["value"]),
            tuple(float(value) for value in own["survival"]),
        )
        for model, own in curves.items()
    )
    values = lines[0].x
    unit = f", {UNITS[covariate]}" if covariate in UNITS else ""
    room = 0.03 * (values[-1] - values[0])
    title = f"{sentence_case(_words(endpoint))} at {month:g} months"
    return Figure(
        id=f"dependence-{endpoint}-{covariate.replace('_', '-')}",
        chart=PointChart(
            (),
            f"{name}{unit}",
            title,
            (values[0] - room, values[-1] + room),
            (0.0, 1.0),
            x_ticks=tuple(value for value in values if value == int(value)),
            lines=lines,
        ),
        label=f"{title} by {feature}, predicted and true.",
        caption=f"Partial dependence: mean over {count(int(table['patients'].iloc[0]), 'patient')} "
        f"whom the models had not seen, each with the {feature} set and all else as it is. "
        "It shows what the models do, not what a change would do. A step of the forest that the "
        "truth lacks is noise of its trees.",
        table=Table(
            f"{title} by {feature}",
            (
                Column(f"{name}{unit}"),
                *(Column(sentence_case(_named(model)), numeric=True) for model in models),
            ),
            tuple(
                (f"{value:g}", *(percent(line.y[position], 1) for line in lines))
                for position, value in enumerate(values)
            ),
            fitted=True,
            stacked=True,
        ),
        legend=tuple(Legend(sentence_case(_named(model)), _style(model)) for model in models),
    )
