"""The calculator page: its inputs, its sentences, and the prediction it opens with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outcomes.reports.charts import CurveChart, CurveLine
from outcomes.reports.content import (
    Bullets,
    Calculator,
    CalculatorResult,
    Column,
    Control,
    Figure,
    Page,
    Section,
    Table,
)
from outcomes.reports.names import readable, term_name
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import make_page
from outcomes.reports.summary_support import choice_help, extrapolations, sbrt_support
from outcomes.reports.wording import (
    INTERVAL_MEANING,
    NONE,
    of_100,
    percent,
    sentence_case,
    sentence_list,
)

HORIZONS = (3, 6, 12, 24)
START_HORIZON = 12
UNITS = {"separation_mm": "mm", "age": "years"}
HELP = {
    "kps": "100: no complaint; 70: cares for oneself; 50: needs considerable help.",
    "separation_mm": "Smallest distance between residual tumour and cord.",
}
# What the page's script fills in stands in braces. Where another event may come first, the risk is
# shown: of those "without" the event, some have died.
WORDS: dict[str, dict[str, str | bool]] = {
    "overall-survival": {
        "risk": False,
        "answer": "alive at {month} months, {interval}",
        "sentence": "Of 100 patients like this one, {n} are alive at {month} months and {rest} "
        "have died.",
    },
    "local-control": {
        "risk": True,
        "answer": "local progression by {month} months, {interval}",
        "sentence": "Of 100 patients like this one, by {month} months {n} have had local "
        "progression, {first} have died without it, and {rest} are alive without it.",
    },
}
TITLES = {"local-control": "Local progression"}
LIMITS = "95% CI {lower}% to {upper}%"
NO_EVENT = "no event seen by then; no interval"
HARDLY_ANY = "hardly any event seen by then; no interval"
GLANCE_JOIN = " · "
BEYOND = (
    "Fewer than {fewest} patients of this choice were followed that long; choose an earlier month."
)
UNTIL = (
    "The curve ends at month {{month}}: fewer than {fewest} of its patients were followed beyond."
)
AVERAGE = "the average of all {count} series, by their size ({weights})"


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
    fewest = _fewest(calculators)
    data: dict[str, object] = {
        "endpoints": calculators,
        "words": {name: _words(name) for name in calculators},
        "beyond": BEYOND.format(fewest=fewest),
        "until": UNTIL.format(fewest=fewest),
        "limits": LIMITS,
        "noEvent": NO_EVENT,
        "hardlyAny": HARDLY_ANY,
        "warnings": extrapolations(sbrt_support(results)),
        "glance": "{month} months: {parts}",
        "glanceJoin": GLANCE_JOIN,
        "average": _average(calculators, results),
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
                blocks=(
                    Calculator(
                        _controls(inputs, calculators, results),
                        shown,
                        glance,
                        _caveat(results),
                        _warning(patient, results),
                        data,
                    ),
                ),
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


def _words(endpoint: str) -> dict[str, str | bool]:
    return WORDS.get(endpoint, WORDS["local-control"])


def _fewest(calculators: Mapping[str, Mapping[str, Any]]) -> int:
    """Return how many patients must be followed for a month to be shown."""
    return max(int(data["fewest_at_risk"]) for data in calculators.values())


def _average(calculators: Mapping[str, Mapping[str, Any]], results: StudyResults) -> str:
    """Return whom the average is about, with the weight of each series."""
    names = _series(calculators)
    if len(names) < 2:
        return "the patients of this report"
    weights = {
        item["name"]: float(item["weight"])
        for data in calculators.values()
        for item in data["series"]
    }
    parts = (
        f"{results.study_title(name)} {percent(weights[name])}"
        for name in sorted(names, key=lambda name: -weights[name])
    )
    return AVERAGE.format(count=len(names), weights=", ".join(parts))


def _caveat(results: StudyResults) -> str:
    return (
        f"From {len(results.cohort):,} synthetic patients: a demonstration, not a prognosis. "
        "Every interval is the sampling error of their number; it holds neither the uncertainty "
        "of the assumptions nor that of the calibration. Not for decisions about a patient."
        if results.synthetic
        else "Describes groups of similar patients of this cohort; not validated elsewhere. "
        "Not for decisions about a patient."
    )


def _controls(
    inputs: list[dict[str, Any]],
    calculators: Mapping[str, Mapping[str, Any]],
    results: StudyResults,
) -> tuple[Control, ...]:
    cuts = {
        item["name"]: limit
        for item in inputs
        if (limit := _cut(item["name"], calculators)) is not None
    }
    controls = [_control(item, results, cuts.get(item["name"])) for item in inputs]
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


def _cut(name: str, calculators: Mapping[str, Mapping[str, Any]]) -> float | None:
    """Return the limit of a number that every model knows only as below it or not."""
    terms = [
        term
        for data in calculators.values()
        for term in data["terms"]
        if term["covariate"] == name and term["kind"] != "absent"
    ]
    limits = {term["center"] for term in terms}
    if len(limits) == 1 and all(term["kind"] == "below" for term in terms):
        return float(limits.pop())
    return None


def _control(item: Mapping[str, Any], results: StudyResults, cut: float | None) -> Control:
    name, label = item["name"], sentence_case(term_name(item["name"], item["label"]))
    help_text = HELP.get(name, "")
    if name == "sbrt":
        when = "2–4 weeks after surgery" if results.synthetic else "after surgery"
        parts = (f"Stereotactic body radiotherapy {when}.", choice_help(sbrt_support(results)))
        help_text = " ".join(part for part in parts if part)
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
            options=tuple((c["value"], _choice(name, c)) for c in item["choices"]),
        )
    unit = UNITS.get(name, "")
    if cut is not None:
        # One value stands for each side: the model tells no more.
        below, above = f"{cut - 1:g}", f"{cut:g}"
        return Control(
            name,
            label,
            "select",
            value=below if item["default"] < cut else above,
            help=f"{help_text} The models know only these two classes.".strip(),
            options=(
                (above, f"{cut:g} {unit} or more".replace("  ", " ")),
                (below, f"below {cut:g} {unit}".rstrip()),
            ),
        )
    return Control(
        name,
        label,
        "range",
        value=f"{item['default']:g}",
        unit=unit,
        help=help_text,
        low=item["min"],
        high=item["max"],
        step=item["step"],
    )


def _choice(name: str, choice: Mapping[str, Any]) -> str:
    """Return the words of a level; those of a cohort's own columns are its own."""
    known = readable(choice["value"]) if name == "dose_regimen" else str(choice["label"])
    return sentence_case(known)


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
    told, risk = _words(endpoint), bool(_words(endpoint)["risk"])
    curve = shown_course(evaluate_calculator(data, own), risk=risk)
    months = [float(month) for month in curve["months"]]
    words: dict[str, object] = {"month": START_HORIZON}
    if START_HORIZON in months:
        at = months.index(START_HORIZON)
        words |= _counts(curve, at)
        answer, sentence = (str(told[part]).format(**words) for part in ("answer", "sentence"))
        big = f"{words['n']}%"
    else:
        answer, sentence, big = "", BEYOND.format(fewest=data["fewest_at_risk"]), "–"
    title = TITLES.get(endpoint, data["title"])
    axis = title if risk else data["complement_title"]
    rows = tuple(
        (
            f"{month:g}",
            percent(curve["shown"][i], 1),
            _table_limits(curve, i),
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
                tuple(curve["shown"]),
                tuple(curve["low"]),
                tuple(curve["high"]),
                smooth=True,
            ),
        ),
        months[-1],
        axis,
    )
    return CalculatorResult(
        endpoint=endpoint,
        title=title,
        big=big,
        answer=answer,
        sentence=sentence,
        source=f"Refers to: {_average({endpoint: data}, results)}.",
        figure=Figure(
            id=f"curve-{endpoint}",
            chart=chart,
            label=f"Predicted course: {title.lower()} over months since surgery, with 95% CI.",
            caption=f"{axis}, predicted for the features set; the band is the 95% CI. It has no "
            "width at month 0, when nothing has happened yet; later it allows for one event more "
            "than was seen.",
            table=Table(
                f"{title}: prediction by month",
                (
                    Column("Months since surgery"),
                    Column(f"{axis}, %", numeric=True),
                    Column("95% CI, %", numeric=True),
                ),
                rows,
            ),
        ),
    )


def shown_course(curve: Mapping[str, list[float]], *, risk: bool) -> dict[str, list[float]]:
    """Return a course with what is shown of it: without the event, or the risk of it."""
    survival, lower, upper = (curve[part] for part in ("survival", "lower", "upper"))
    if risk:
        survival, lower, upper = ([1 - x for x in part] for part in (survival, upper, lower))
    return {**curve, "shown": survival, "low": lower, "high": upper}


def _warning(patient: Mapping[str, Any], results: StudyResults) -> str:
    """Return what the average over the series extrapolates; empty where it does not."""
    chosen = "true" if patient.get("sbrt") else "false"
    return extrapolations(sbrt_support(results))[chosen].get("", "") if "sbrt" in patient else ""


def _counts(curve: Mapping[str, list[float]], at: int) -> dict[str, object]:
    n, first = of_100(curve["shown"][at]), of_100(curve["competing"][at])
    return {
        "n": n,
        "first": first,
        "rest": max(100 - n - first, 0),
        "interval": interval_words(curve, at),
    }


def interval_words(curve: Mapping[str, list[float]], at: int) -> str:
    """Return the limits in percent, with more digits where they would coincide, or why not."""
    if curve["survival"][at] == 1:
        return NO_EVENT
    for digits in (0, 1):
        lower, upper = (f"{100 * curve[side][at]:.{digits}f}" for side in ("low", "high"))
        if digits == 0:
            lower, upper = (str(of_100(curve[side][at])) for side in ("low", "high"))
        if lower != upper:
            return LIMITS.format(lower=lower, upper=upper)
    return HARDLY_ANY


def _table_limits(curve: Mapping[str, list[float]], at: int) -> str:
    lower, upper = (f"{100 * curve[side][at]:.1f}" for side in ("low", "high"))
    return NONE if lower == upper else f"{lower} to {upper}"


def _reading(calculators: Mapping[str, Mapping[str, Any]], results: StudyResults) -> Section:
    titles = tuple(results.study_title(name) for name in _series(calculators))
    items = [
        "The number is what the model expects of a group of patients with these features, not "
        "what will happen to one of them.",
        "The interval says how much the number would change had other patients of the same kind "
        "been drawn. It says nothing of features the model does not know"
        + (
            ", of the assumptions, or of the calibration behind the synthetic patients."
            if results.synthetic
            else "."
        ),
        INTERVAL_MEANING,
        "Without SBRT there is no dose regimen; the choice is then switched off.",
        "A change of a feature shows how patients differ who have it, not what would happen if it "
        "were changed.",
    ]
    if titles:
        items.append(
            f"The models were fitted to {sentence_list(titles)}; baseline risks are kept apart by "
            f"series. A series is shown for as long as {_fewest(calculators)} of its patients were "
            "followed. The average weighs each series by its size; one that ends is continued by "
            "the others."
        )
    return Section("reading", "How to read the prediction", "", (Bullets(tuple(items)),))
