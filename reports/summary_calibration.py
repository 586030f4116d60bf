"""The calibration page: what was published against what the simulation gives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outcomes.reports.charts import Dot, DotChart
from outcomes.reports.content import Block, Column, Figure, KeyNumber, Legend, Page, Section, Table
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import make_page
from outcomes.reports.summary_decomposition import decomposition_sections
from outcomes.reports.summary_parameters import (
    is_open,
    is_partly_open,
    parameters_section,
)
from outcomes.reports.summary_targets import target_label, targets_section
from outcomes.reports.summary_tensions import contradictions
from outcomes.reports.summary_uncertainty import uncertainty_section
from outcomes.reports.summary_verification import verification_sections
from outcomes.reports.wording import (
    count,
    known,
    number,
    plain,
    sentence_list,
)
from outcomes.synthetic.fitting import solved_together

if TYPE_CHECKING:
    from outcomes.synthetic.calibration import Calibration, Target

UNITS = {
    "percent": ("percent", "Percent of patients", "%"),
    "months": ("months", "Months", " months"),
}


def summarise(results: StudyResults) -> Page:
    """Return the calibration page."""
    calibration = results.calibration
    if calibration is None:
        raise ValueError("no calibration to show")
    fitted = list(calibration.fitted)
    met = [target for target in fitted if target.within]
    return make_page(
        "calibration",
        results,
        title="Do the synthetic patients match the publications?",
        question=(
            "This page answers: if each published study were repeated on the synthetic patients, "
            "would it report the figures that were published, and how sure is what follows from "
            "them?"
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
                f"{sum(map(is_open, calibration.parameters))} of them are assumptions, "
                f"{sum(map(is_partly_open, calibration.parameters))} partly",
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
            *decomposition_sections(results, calibration),
            uncertainty_section(results, calibration),
            *verification_sections(results, calibration),
            parameters_section(results, calibration),
            targets_section(results, calibration),
        ),
    )


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
        f"of percent, and {number(by_unit['months'], 1)} months, among those met",
    )


def solved_sentence(calibration: Calibration) -> str:
    """Return what a match of solved figures shows, and what it does not."""
    together = solved_together(calibration)
    words = f"{len(calibration.parameters)} parameters were solved for {together} figures"
    rest = len(calibration.fitted) - together
    if rest:
        words += f"; {rest} more numbers are taken over one by one as they were published"
    return (
        f"{words}. So a match shows that the figures are consistent with the model, and validates "
        "nothing."
    )


def _agreement(
    results: StudyResults, calibration: Calibration, fitted: list[Target], met: list[Target]
) -> Section:
    blocks: list[Block] = []
    for unit, (_, title, _) in UNITS.items():
        targets = [t for t in fitted if t.unit == unit and known(t.published)]
        if targets:
            blocks.append(_dots(results, unit, title, targets))
    others = sum(t.unit not in UNITS for t in fitted)
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
        "uncertain the published figures themselves are: most rest on few patients."
        + (
            f" {count(others, 'figure has another unit', 'figures have other units')}: see the "
            "tables below."
            if others
            else ""
        )
        + _apart(results, calibration),
        blocks=tuple(blocks),
    )


def _apart(results: StudyResults, calibration: Calibration) -> str:
    """Return which studies contradict themselves so that they were solved by themselves."""
    if not calibration.apart:
        return ""
    names = sentence_list(tuple(results.study_title(study) for study in calibration.apart))
    return (
        f" {names} could not be met together with the others and "
        f"{'was' if len(calibration.apart) == 1 else 'were'} solved apart, so that the figures of "
        "the others stay met."
    )


def _dots(results: StudyResults, unit: str, title: str, targets: list[Target]) -> Figure:
    dots = tuple(
        Dot(
            # The doses in brackets stand in the table; beside a chart they take too much room.
            re.sub(r" \([^)]*Gy\)", "", target_label(results, target.study, target.id)),
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
