"""The calculator page: its inputs, its sentences, and the prediction it opens with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outcomes.reports.content import (
    Bullets,
    Calculator,
    CalculatorResult,
    Column,
    Control,
    CurveChart,
    CurveLine,
    Figure,
    Page,
    Section,
    Table,
)
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import make_page
from outcomes.reports.wording import number, of_100, percent, sentence_case, sentence_list

HORIZONS = (3, 6, 12, 24)
START_HORIZON = 12
UNITS = {"separation_mm": "mm", "age": "years"}
HELP = {
    "kps": "100: no complaint; 70: cares for oneself; 50: needs considerable help.",
    "separation_mm": "Smallest distance between residual tumour and cord.",
    "sbrt": "Stereotactic body radiotherapy 2–4 weeks after surgery.",
}
# What the page's script fills in stands in braces.
SENTENCES = {
    "overall-survival": "Of 100 patients like this one, {n} are alive at {month} months and "
    "{rest} have died (95% interval for those alive: {lower} to {upper}).",
    "local-control": "Of 100 patients like this one, {rest} have local progression within {month} "
    "months; {n} do not: they live without it or have died before it (95% interval: {lower} to "
    "{upper}).",
}
ANSWERS = {
    "overall-survival": "survival at {month} months, 95% interval {lower}% to {upper}%",
    "local-control": "local control at {month} months, 95% interval {lower}% to {upper}%",
}
GLANCE_JOIN = " · "
BEYOND = "The patients of this choice were not observed that long; choose an earlier month."
AVERAGE = "the average of all {count} series, each weighted by its size"


def summarise(results: StudyResults) -> Page:
    """Return the calculator page."""
    calculators = {name: dict(data) for name, data in results.calculator.items()}
    inputs = _inputs(calculators)
    patient = {item["name"]: item.get("fixed", item["default"]) for item in inputs}
    shown = tuple(
        _result(endpoint, data, patient, results) for endpoint, data in calculators.items()
    )
    glance = "{month} months: {parts}".format(
        month=START_HORIZON,
        parts=GLANCE_JOIN.join(f"{result.title} {result.big}" for result in shown),
    )
    data: dict[str, object] = {
        "endpoints": calculators,
        "sentences": {
            name: SENTENCES.get(name, SENTENCES["local-control"]) for name in calculators
        },
        "answers": {name: ANSWERS.get(name, ANSWERS["local-control"]) for name in calculators},
        "beyond": BEYOND,
        "glance": "{month} months: {parts}",
        "glanceJoin": GLANCE_JOIN,
        "average": _average(calculators),
        "titles": {name: results.study_title(name) for name in _series(calculators)},
    }
    return make_page(
        "calculator",
        results,
        title="Prognosis calculator",
        question=(
            "This page answers: how do patients with given features fare after separation surgery, "
            "according to the Cox models of this report? It computes in this browser; nothing is "
            "sent anywhere."
        ),
        keys=(),
        sections=(
            Section(
                id="calculator-section",
                title="The predicted course",
                finding="Set the features; the numbers and curves follow.",
                blocks=(Calculator(_controls(inputs, calculators, results), shown, glance, data),),
            ),
            _reading(calculators, results),
        ),
    )


def _inputs(calculators: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the inputs of all models, each once."""
    merged: dict[str, dict[str, Any]] = {}
    for data in calculators.values():
        for item in data["inputs"]:
            merged.setdefault(item["name"], dict(item))
    return list(merged.values())


def _series(calculators: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    names = [item["name"] for data in calculators.values() for item in data["series"]]
    return tuple(name for name in dict.fromkeys(names) if name)


def _average(calculators: Mapping[str, Mapping[str, Any]]) -> str:
    count = len(_series(calculators))
    return AVERAGE.format(count=count) if count > 1 else "the patients of this report"


def _controls(
    inputs: list[dict[str, Any]],
    calculators: Mapping[str, Mapping[str, Any]],
    results: StudyResults,
) -> tuple[Control, ...]:
    controls = [_control(item) for item in inputs]
    # Sliders first, then what treatment was given, then the yes-or-no features.
    order = {"range": 0, "select": 1, "checkbox": 2}
    names = {item["name"]: item for item in inputs}
    first = [c for c in controls if c.name in ("sbrt", "dose_regimen")]
    rest = [c for c in controls if c.name not in ("sbrt", "dose_regimen")]
    rest.sort(key=lambda control: order[control.kind])
    sliders = [c for c in rest if c.kind == "range"]
    others = [c for c in rest if c.kind != "range"]
    first.sort(key=lambda control: "requires" in names[control.name])
    series = _series(calculators)
    if len(series) > 1:
        options = (
            ("", "Average of all series"),
            *((name, results.study_title(name)) for name in series),
        )
        others.append(
            Control(
                "series",
                "Patients as in the series",
                "select",
                options=options,
                help="Baseline risks differ between the series.",
            )
        )
    others.append(
        Control(
            "horizon",
            "Months since surgery",
            "select",
            value=str(START_HORIZON),
            options=tuple((str(month), f"{month} months") for month in HORIZONS),
        )
    )
    return (*sliders, *first, *others)


def _control(item: Mapping[str, Any]) -> Control:
    name, label = item["name"], sentence_case(item["label"])
    help_text = HELP.get(name, "")
    if item["kind"] == "boolean":
        fixed = item.get("fixed")
        if fixed is not None:
            help_text = "All patients of these models had it." if fixed else "None of them had it."
        return Control(
            name,
            label,
            "checkbox",
            help=help_text,
            checked=bool(item["default"] if fixed is None else fixed),
            disabled=fixed is not None,
        )
    if item["kind"] == "choice":
        return Control(
            name,
            label,
            "select",
            value=str(item["default"]),
            help=help_text,
            options=tuple((c["value"], sentence_case(c["label"])) for c in item["choices"]),
        )
    return Control(
        name,
        label,
        "range",
        value=f"{item['default']:g}",
        unit=UNITS.get(name, ""),
        help=help_text,
        low=item["min"],
        high=item["max"],
        step=item["step"],
    )


def _result(
    endpoint: str, data: Mapping[str, Any], patient: Mapping[str, Any], results: StudyResults
) -> CalculatorResult:
    """Return the prediction the page opens with, made by the Python reference."""
    # The models load slowly and only this page asks one.
    from outcomes.models.export import evaluate_calculator

    own = {item["name"]: patient[item["name"]] for item in data["inputs"]}
    if any(own.get(item["name"]) == "none" and "requires" in item for item in data["inputs"]):
        own = {
            item["name"]: item["choices"][0]["value"]
            if own[item["name"]] == "none" and "requires" in item
            else own[item["name"]]
            for item in data["inputs"]
        }
    curve = evaluate_calculator(data, own)
    months = [float(month) for month in curve["months"]]
    words = {"month": START_HORIZON}
    if START_HORIZON in months:
        at = months.index(START_HORIZON)
        words |= _counts(curve, at)
        answer = ANSWERS.get(endpoint, ANSWERS["local-control"]).format(**words)
        sentence = SENTENCES.get(endpoint, SENTENCES["local-control"]).format(**words)
        big = f"{words['n']}%"
    else:
        answer, sentence, big = "", BEYOND, "–"
    title = data["title"]
    rows = tuple(
        (
            f"{month:g}",
            percent(curve["survival"][i], 1),
            f"{number(100 * curve['lower'][i], 1)} to {number(100 * curve['upper'][i], 1)}",
        )
        for i, month in enumerate(months)
        if month % 3 == 0
    )
    chart = CurveChart(
        (
            CurveLine(
                "prediction",
                "ink",
                tuple(months),
                tuple(curve["survival"]),
                tuple(curve["lower"]),
                tuple(curve["upper"]),
                smooth=True,
            ),
        ),
        months[-1],
        data["complement_title"],
    )
    return CalculatorResult(
        endpoint=endpoint,
        title=title,
        big=big,
        answer=answer,
        sentence=sentence,
        source=f"Refers to: {_average({endpoint: data})}.",
        caveat=(
            "From synthetic patients: a demonstration, not a prognosis. Not for decisions about a "
            "patient."
            if results.synthetic
            else "Describes groups of similar patients of this cohort; not validated elsewhere. "
            "Not for decisions about a patient."
        ),
        figure=Figure(
            id=f"curve-{endpoint}",
            chart=chart,
            label=f"Predicted course: {title.lower()} over months since surgery, with 95% band.",
            caption=f"{data['complement_title']}, predicted for the features set, with a 95% band.",
            table=Table(
                f"{title}: prediction by month",
                (
                    Column("Month"),
                    Column(data["complement_title"], numeric=True),
                    Column("95% interval, %", numeric=True),
                ),
                rows,
            ),
        ),
    )


def _counts(curve: Mapping[str, list[float]], at: int) -> dict[str, int]:
    n = of_100(curve["survival"][at])
    return {
        "n": n,
        "rest": 100 - n,
        "lower": of_100(curve["lower"][at]),
        "upper": of_100(curve["upper"][at]),
    }


def _reading(calculators: Mapping[str, Mapping[str, Any]], results: StudyResults) -> Section:
    titles = tuple(results.study_title(name) for name in _series(calculators))
    items = [
        "The number is what the model expects of a group of patients with these features, not "
        "what will happen to one of them.",
        "The interval is the model’s uncertainty about that number. It says nothing of features "
        "the model does not know.",
        "Without SBRT there is no dose regimen; the choice is then switched off.",
        "A change of a feature shows how patients differ who have it, not what would happen if it "
        "were changed.",
    ]
    if titles:
        items.append(
            f"The models were fitted to {sentence_list(titles)}; baseline risks are kept apart by "
            "series, and the average weighs each by its size."
        )
    return Section("reading", "How to read the prediction", "", (Bullets(tuple(items)),))
