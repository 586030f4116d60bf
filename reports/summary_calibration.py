"""The calibration page: what was published against what the simulation gives."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from outcomes.reports.charts import Dot, DotChart
from outcomes.reports.content import (
    Block,
    Column,
    Figure,
    KeyNumber,
    Legend,
    Page,
    Paragraph,
    Section,
    Table,
)
from outcomes.reports.names import plain_terms
from outcomes.reports.parameter_names import lower_first
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import make_page
from outcomes.reports.summary_decomposition import decomposition_sections
from outcomes.reports.summary_parameters import (
    is_open,
    is_partly_open,
    parameters_section,
)
from outcomes.reports.summary_targets import (
    distribution_of,
    published_cell,
    target_label,
    targets_section,
)
from outcomes.reports.summary_tensions import contradictions
from outcomes.reports.summary_uncertainty import uncertainty_section
from outcomes.reports.summary_verification import verification_sections
from outcomes.reports.wording import (
    NONE,
    as_sentence,
    count,
    known,
    number,
    plain,
    sentence_case,
    sentence_list,
)
from outcomes.synthetic.fitting import solved_together
from outcomes.synthetic.sampling import PERCENT_TOLERANCE, tolerance

if TYPE_CHECKING:
    from outcomes import evidence
    from outcomes.synthetic.calibration import Calibration, Target

UNITS = {
    "percent": ("percent", "Percent of patients", "%"),
    "months": ("months", "Months", " months"),
}
POINTS = {"percent": "percentage points"}
USUAL = f"the usual tolerance ({PERCENT_TOLERANCE:g} percentage points or months)"


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
                "Fitted numbers met",
                f"{len(met)} of {len(fitted)}",
                _tolerances(calibration, met),
            ),
            KeyNumber("Largest deviation", *_largest(met)),
            KeyNumber(
                "Parameters",
                str(len(calibration.parameters)),
                f"{sum(map(is_open, calibration.parameters))} of them are set by the prior, "
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
        number(by_unit["percent"], 1),
        f"percentage points, and {number(by_unit['months'], 1)} months, among those met",
    )


def solved_sentence(calibration: Calibration) -> str:
    """Return what a match of solved figures shows, and what it does not."""
    together = solved_together(calibration)
    words = f"{len(calibration.parameters)} parameters were solved for {together} of these numbers"
    rest = len(calibration.fitted) - together
    if rest:
        words += f"; the other {rest} are taken over one by one as they were published"
    return (
        f"{words}. So a match shows that the figures are consistent with the model, and validates "
        "nothing."
    )


def _entries_sentence(calibration: Calibration) -> str:
    """Return how the published entries become the numbers that are counted on this page."""
    studies = {target.study for target in calibration.targets}
    entries = sum(
        figure.role == "fit" and figure.study in studies for figure in calibration.evidence.figures
    )
    numbers = len(calibration.fitted)
    directions = sum(target.role == "fit" for target in calibration.targets) - numbers
    words = (
        f"{count(entries, 'published entry is', 'published entries are')} fitted; written out (a "
        "range is two numbers, a mean with its standard deviation is two) they are "
        f"{count(numbers, 'number')}"
    )
    return words + (f" and {count(directions, 'direction')}." if directions else ".")


def _wider(calibration: Calibration, met: list[Target]) -> list[tuple[Target, evidence.Figure]]:
    """Return the figures met only within a wider tolerance that the evidence gives them."""
    by_id = {figure.id: figure for figure in calibration.evidence.figures}
    return [
        (target, figure)
        for target in met
        if (figure := by_id.get(target.id)) is not None
        and known(target.achieved)
        and known(target.published)
        and abs(target.achieved - target.published) > tolerance(replace(figure, tolerance=None))
    ]


def _tolerances(calibration: Calibration, met: list[Target]) -> str:
    wider = len(_wider(calibration, met))
    words = "in expectation, within the usual tolerance"
    return f"{words}; {wider} within a wider one" if wider else words


def _within_words(results: StudyResults, calibration: Calibration, met: list[Target]) -> str:
    """Return within which tolerance the figures are met: the usual one, or a wider one."""
    wider = _wider(calibration, met)
    if not wider:
        return f"within {USUAL}"
    by_kind = Counter(
        (results.study_title(target.study), figure.tolerance, target.unit)
        for target, figure in wider
    )
    parts = [
        f"{times} of {study} within {plain(limit)} {POINTS.get(unit, unit)}"
        for (study, limit, unit), times in by_kind.items()
    ]
    usual = len(met) - len(wider)
    return f"{usual} within {USUAL}, {sentence_list(tuple(parts))}"


def _agreement(
    results: StudyResults, calibration: Calibration, fitted: list[Target], met: list[Target]
) -> Section:
    blocks: list[Block] = [Paragraph(_entries_sentence(calibration))]
    for unit, (_, title, _) in UNITS.items():
        targets = [t for t in fitted if t.unit == unit and known(t.published)]
        if targets:
            blocks.append(_dots(results, calibration, unit, title, targets))
    others = sum(t.unit not in UNITS for t in fitted)
    missed = len(fitted) - len(met)
    words = f"All {len(fitted)} fitted numbers are met"
    if missed:
        words = (
            f"{len(met)} of {len(fitted)} fitted numbers are met; "
            f"{count(missed, 'is', 'are')} not, and the table says why. Of those met"
        )
    words += f": {_within_words(results, calibration, met)}."
    why = dict.fromkeys(
        f"The reason: {lower_first(as_sentence(plain_terms(figure.tension)))}"
        for _, figure in _wider(calibration, met)
        if figure.tension
    )
    return Section(
        id="agreement",
        title="Published against achieved",
        finding=" ".join((words, *why, solved_sentence(calibration)))
        + (
            f" {count(others, 'number has another unit', 'numbers have other units')}: see the "
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


def _dots(
    results: StudyResults,
    calibration: Calibration,
    unit: str,
    title: str,
    targets: list[Target],
) -> Figure:
    rows = [
        (target, target_label(results, target.study, target.id), _interval(calibration, target))
        for target in targets
    ]
    dots = tuple(
        Dot(
            # The doses in brackets stand in the table; beside a chart they take too much room.
            re.sub(r" \([^)]*Gy\)", "", label),
            results.study_title(target.study),
            target.published,
            target.achieved if known(target.achieved) else None,
            *ends,
        )
        for target, label, ends in rows
        if known(target.published)
    )
    line, meaning = _interval_words(calibration, dots)
    return Figure(
        id=f"agreement-{unit}",
        chart=DotChart(
            dots,
            title,
            100.0 if unit == "percent" and max(d.published for d in dots) > 80 else None,
        ),
        label=f"Published and achieved figures in {unit}, by study.",
        caption=f"{title}: each open circle is a published figure, each dot inside what the "
        f"simulation gives. A dot in the middle of its circle is agreement. {meaning}",
        table=Table(
            f"Published and achieved, {unit}",
            (
                Column("Figure"),
                Column("Study"),
                Column("Published", numeric=True),
                Column("Achieved", numeric=True),
                Column(sentence_case(line), numeric=True),
            ),
            tuple(
                (
                    label,
                    results.study_title(target.study),
                    published_cell(
                        results, target.study, target.id, target.published or 0.0, target.unit
                    ),
                    number(target.achieved),
                    _ends_words(ends),
                )
                for target, label, ends in rows
            ),
            note="A share printed with its count is fitted by the count.",
            fitted=True,
            stacked=True,
        ),
        legend=(
            Legend("published", "hollow", "point"),
            Legend("achieved", "ink", "dot"),
            Legend(line, "ink", "line"),
        ),
    )


def _interval(calibration: Calibration, target: Target) -> tuple[float | None, float | None]:
    """Return the central 95 % of the cohorts; without cohorts, what the standard error gives."""
    if calibration.verification is not None:
        distribution = distribution_of(calibration, target.id)
        return (None, None) if distribution is None else (distribution.lower, distribution.upper)
    if not (known(target.standard_error) and known(target.published)):
        return None, None
    reach = 1.96 * target.standard_error
    top = 100.0 if target.unit == "percent" else math.inf
    return max(target.published - reach, 0.0), min(target.published + reach, top)


def _interval_words(calibration: Calibration, dots: tuple[Dot, ...]) -> tuple[str, str]:
    """Return what the lines are, in the legend and in the caption."""
    verification = calibration.verification
    if verification is None:
        return (
            "95% interval computed here",
            "No publication prints the lines: they are ± 1.96 standard errors for that many "
            "patients, rough where patients are few.",
        )
    return (
        "central 95% of repeated cohorts",
        "No publication prints the lines: they span what 95 of 100 simulated cohorts of the "
        f"published size report ({verification.cohorts:,} were drawn). Most are wide, because "
        "most figures rest on few patients."
        + (" An arrow: the median may not be reached." if any(map(_is_endless, dots)) else "")
        + (" No line: a limit that a design sets." if any(d.upper is None for d in dots) else ""),
    )


def _is_endless(dot: Dot) -> bool:
    return dot.upper is not None and math.isinf(dot.upper)


def _ends_words(ends: tuple[float | None, float | None]) -> str:
    lower, upper = ends
    if lower is None or upper is None:
        return NONE
    return f"{number(lower)} to {number(upper) if known(upper) else 'not reached'}"
