"""The calibration page: what was published against what the simulation gives."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from outcomes.reports.charts import Dot, DotChart
from outcomes.reports.content import Block, Column, Figure, KeyNumber, Legend, Page, Section, Table
from outcomes.reports.figure_names import figure_label
from outcomes.reports.names import plain_terms, readable
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import make_page
from outcomes.reports.summary_decomposition import decomposition_section
from outcomes.reports.summary_tensions import contradictions, explanations
from outcomes.reports.wording import (
    NONE,
    count,
    known,
    number,
    percent,
    plain,
    sentence_case,
)

if TYPE_CHECKING:
    from outcomes.synthetic.calibration import Calibration, Parameter, Target

EFFECT_UNIT = "log hazard ratio"
# Below this share a parameter rests more on its prior than on published figures.
IDENTIFIED = 0.5
UNITS = {
    "percent": ("percent", "Percent of patients", "%"),
    "months": ("months", "Months", " months"),
}


def summarise(results: StudyResults) -> Page:
    """Return the calibration page."""
    calibration = results.calibration
    if calibration is None:
        raise ValueError("no calibration to show")
    fitted = fitted_targets(calibration)
    met = [target for target in fitted if target.within]
    return make_page(
        "calibration",
        results,
        title="Do the synthetic patients match the publications?",
        question=(
            "This page answers: if each published study were repeated on the synthetic patients, "
            "would it report the figures that were published?"
        ),
        keys=(
            KeyNumber(
                "Fitted figures met",
                f"{len(met)} of {len(fitted)}",
                "in expectation, within tolerance",
            ),
            KeyNumber("Largest deviation", *_largest(met)),
            KeyNumber(
                "Parameters",
                str(len(calibration.parameters)),
                f"{sum(map(_is_assumed, calibration.parameters))} of them rest on assumptions",
            ),
            KeyNumber(
                "Contradictions",
                str(len(contradictions(results))),
                "among the published figures, listed under Evidence"
                if results.evidence is not None
                else "among the published figures",
            ),
        ),
        sections=(
            _agreement(results, calibration, fitted, met),
            decomposition_section(results, calibration),
            _table(results, calibration),
            _parameters(results, calibration),
        ),
    )


def fitted_targets(calibration: Calibration) -> list[Target]:
    """Return the figures the calibration had to reproduce."""
    return list(calibration.fitted)


def _largest(targets: list[Target]) -> tuple[str, str]:
    """Return the largest deviation among percentages that are met, and where months stand."""
    by_unit = {
        unit: max(
            (
                abs(t.achieved - t.published)
                for t in targets
                if t.unit == unit and known(t.achieved) and known(t.published)
            ),
            default=None,
        )
        for unit in UNITS
    }
    return (
        f"{number(by_unit['percent'], 1)} points",
        f"{number(by_unit['months'], 1)} months, among those met",
    )


def target_label(results: StudyResults, target: Target) -> str:
    """Return the name of a calibrated figure as readers see it."""
    evidence = results.evidence
    if evidence is not None:
        for figure in evidence.of_study(target.study):
            if figure.id == target.id:
                return figure_label(figure)
    parts = target.id.split("/")
    label = sentence_case(readable(target.quantity))
    return f"{label}, {readable(parts[2])}" if len(parts) > 2 else label


def solved_sentence(calibration: Calibration) -> str:
    """Return what a match of solved figures shows, and what it does not."""
    return (
        f"{len(calibration.parameters)} parameters were solved for "
        f"{len(fitted_targets(calibration))} figures, so a match shows that the figures are "
        "consistent with the model, and validates nothing."
    )


def _agreement(
    results: StudyResults, calibration: Calibration, fitted: list[Target], met: list[Target]
) -> Section:
    blocks: list[Block] = []
    for unit, (_, title, _) in UNITS.items():
        targets = [t for t in fitted if t.unit == unit and known(t.published)]
        if targets:
            blocks.append(_dots(results, unit, title, targets))
    missed = len(fitted) - len(met)
    words = f"All {len(fitted)} fitted figures are met."
    if missed:
        words = (
            f"{len(met)} of {len(fitted)} fitted figures are met; "
            f"{count(missed, 'is', 'are')} not, and the table says why."
        )
    return Section(
        id="agreement",
        title="Published against achieved",
        finding=f"{words} {solved_sentence(calibration)} The grey lines show how "
        "uncertain the published figures themselves are: most rest on few patients.",
        blocks=tuple(blocks),
    )


def _dots(results: StudyResults, unit: str, title: str, targets: list[Target]) -> Figure:
    dots = tuple(
        Dot(
            # The doses in brackets stand in the table; beside a chart they take too much room.
            re.sub(r" \([^)]*Gy\)", "", target_label(results, target)),
            results.study_title(target.study),
            target.published,
            target.standard_error if known(target.standard_error) else None,
            target.achieved if known(target.achieved) else None,
        )
        for target in targets
        if known(target.published)
    )
    rows = tuple(
        (
            dot.label,
            dot.group,
            plain(round(dot.published, 2)),
            number(dot.achieved),
            number(dot.standard_error),
        )
        for dot in dots
    )
    return Figure(
        id=f"agreement-{unit}",
        chart=DotChart(
            dots,
            title,
            100.0 if unit == "percent" and max(d.published for d in dots) > 80 else None,
        ),
        label=f"Published and achieved figures in {unit}, by study.",
        caption=f"{title}: each open circle is a published figure with its 95% CI "
        "(where it can be computed), each dot inside what the simulation gives. A dot in the "
        "middle "
        "of its circle is agreement.",
        table=Table(
            f"Published and achieved, {unit}",
            (
                Column("Figure"),
                Column("Study"),
                Column("Published", numeric=True),
                Column("Achieved", numeric=True),
                Column("Standard error", numeric=True),
            ),
            rows,
        ),
        legend=(
            Legend("published, with 95% CI", "hollow", "point"),
            Legend("achieved", "ink", "dot"),
        ),
    )


def _table(results: StudyResults, calibration: Calibration) -> Section:
    rows = []
    for target in calibration.targets:
        if not known(target.published) or target.unit == EFFECT_UNIT:
            continue
        suffix = UNITS.get(target.unit, ("", "", f" {target.unit}"))[2]
        deviation = target.achieved - target.published if known(target.achieved) else math.nan
        role = "fitted" if target.role == "fit" else "compared"
        rows.append(
            (
                f"{target_label(results, target)}\n{results.study_title(target.study)}",
                f"{plain(round(target.published, 2))}{suffix}",
                f"{number(target.achieved)}{suffix}" if known(target.achieved) else NONE,
                number(deviation),
                NONE if target.n is None else f"{target.n:,}",
                f"{_verdict(target)}\n{role}{', in tension' if target.tension else ''}",
            )
        )
    blocks: list[Block] = [
        Table(
            "Every figure: published, achieved, difference",
            (
                Column("Figure"),
                Column("Published", numeric=True),
                Column("Achieved", numeric=True),
                Column("Difference", numeric=True),
                Column("n", numeric=True),
                Column("Verdict, role"),
            ),
            tuple(rows),
            fitted=True,
            note="Fitted figures are met or not. Figures only compared are within or beyond "
            "chance: "
            "whether the difference is less than two standard errors of the published figure.",
        )
    ]
    targets = {target.id for target in calibration.targets}
    touched = [one for one in explanations(results) if targets & set(one.ids)]
    if touched:
        blocks.append(
            Table(
                f"Why the publications let some of these figures be missed ({len(touched)})",
                (Column("Figure"), Column("Why")),
                tuple((one.title, one.words) for one in touched),
                fitted=True,
            )
        )
    effects = tuple(
        (
            f"{target_label(results, target)}\n{results.study_title(target.study)}",
            target.statement,
            number(math.exp(target.achieved), 2),
            _verdict(target),
        )
        for target in calibration.targets
        if target.unit == EFFECT_UNIT and known(target.achieved)
    )
    if effects:
        blocks.append(
            Table(
                "Directions of effect, and effects that the publications did not find",
                (
                    Column("Factor"),
                    Column("Published words"),
                    Column("Hazard ratio in the simulation", numeric=True),
                    Column("Verdict"),
                ),
                effects,
                fitted=True,
                note="A hazard ratio of 1 is no effect.",
            )
        )
    return Section(
        id="figures",
        title="Every figure",
        finding="A figure is met within 0.1 percentage points or 0.1 months, unless its row says "
        "otherwise. Where the publications contradict each other, the tension is named instead of "
        "bending the model.",
        blocks=tuple(blocks),
    )


def _verdict(target: Target) -> str:
    if target.within is None:
        return NONE
    if target.role == "check":
        return "within chance" if target.within else "beyond chance"
    return "met" if target.within else "not met"


def _parameters(results: StudyResults, calibration: Calibration) -> Section:
    rows = []
    for parameter in calibration.parameters:
        share = parameter.identified
        rows.append(
            (
                _parameter_label(parameter),
                "all" if parameter.study == "shared" else results.study_title(parameter.study),
                f"{plain(_three(parameter.value))}{f' {parameter.unit}' if parameter.unit else ''}",
                "assumed" if _is_assumed(parameter) else "fitted",
                percent(share),
            )
        )
    weak = sum(_is_assumed(parameter) for parameter in calibration.parameters)
    return Section(
        id="parameters",
        title="The parameters behind the patients",
        finding=f"Of {count(len(calibration.parameters), 'solved parameter')}, {weak} rest more on "
        "their plausible range than on published figures (identified share below 50%): read those "
        "as assumptions.",
        blocks=(
            Table(
                "Parameters of the simulation",
                (
                    Column("Parameter"),
                    Column("Series"),
                    Column("Value", numeric=True),
                    Column("Kind"),
                    Column("Identified", numeric=True),
                ),
                tuple(rows),
                note="Identified: the share of what is known about a parameter that comes from the "
                "published figures rather than from its prior range.",
            ),
        ),
    )


def _parameter_label(parameter: Parameter) -> str:
    """Return the meaning of a parameter, with the arm that its name may end in."""
    arm = parameter.name.partition("/")[2]
    label = sentence_case(plain_terms(parameter.meaning or readable(parameter.name)))
    return f"{label}, {readable(arm)}" if arm else label


def _is_assumed(parameter: Parameter) -> bool:
    """Whether a parameter rests more on its prior than on published figures."""
    return parameter.identified < IDENTIFIED


def _three(value: float) -> float:
    """Round to three significant digits."""
    return float(f"{value:.3g}")
