"""Every figure of the calibration: published, achieved, difference, by study."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from outcomes.reports.content import Block, CollapsedTable, Column, Section, Table
from outcomes.reports.measured import read_label
from outcomes.reports.names import readable
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_parameters import kind
from outcomes.reports.summary_tensions import explanations
from outcomes.reports.wording import NONE, count, known, number, plain, sentence_case

if TYPE_CHECKING:
    from outcomes.evidence import Figure
    from outcomes.synthetic.calibration import Calibration, Target
    from outcomes.synthetic.verification import FigureDistribution

EFFECT_UNIT = "log hazard ratio"
SUFFIXES = {"percent": "%"}
# Short scales, and what can only be counted (expectations of it keep one digit).
FINE = ("points", "grades")
COUNTED = ("patients", "lesions", "levels", "operations")
# Of the value: chance hardly ever agrees so closely, a number that is taken over does.
TAKEN_OVER = 1e-6


def target_label(results: StudyResults, study: str, figure_id: str) -> str:
    """Return the name of a calibrated figure as readers see it."""
    figure = _figure(results, study, figure_id)
    if figure is not None and results.evidence is not None:
        return read_label(figure, results.evidence)
    parts = [readable(part) for part in figure_id.split("/")[1:]]
    return sentence_case(", ".join(parts))


def _figure(results: StudyResults, study: str, figure_id: str) -> Figure | None:
    figures = () if results.evidence is None else results.evidence.of_study(study)
    return next((figure for figure in figures if figure.id == figure_id), None)


def published_cell(
    results: StudyResults, study: str, figure_id: str, value: float, unit: str
) -> str:
    """Return a figure as it was published, with its unit; a share with its count where printed."""
    figure = _figure(results, study, figure_id)
    if figure is None or figure.unit != "percent":
        return with_unit(value, unit)
    if figure.count is None or not figure.n:
        return f"{plain(figure.value)}%"
    # To one digit, half of one upwards.
    share = math.floor(1000 * figure.count / figure.n + 0.5) / 10
    return f"{figure.count} of {figure.n:,} ({plain(share)}%)"


def with_unit(value: float, unit: str) -> str:
    """Return a published value with its unit."""
    named = unit.removesuffix("s") if value == 1 else unit
    return f"{plain(round(value, 2))}{SUFFIXES.get(unit, f' {named}')}"


def digits_of(unit: str, value: float) -> int:
    """Return how many digits after the point a simulated value deserves."""
    if unit in FINE:
        return 2
    return 0 if unit in COUNTED or abs(value) >= 100 else 1


def targets_section(results: StudyResults, calibration: Calibration) -> Section:
    """Return a table of every study, behind a line that sums it up."""
    by_study: dict[str, list[Target]] = {}
    for target in calibration.targets:
        if _is_numeric(target):
            by_study.setdefault(target.study, []).append(target)
    blocks: list[Block] = [
        _study_table(results, calibration, study, targets) for study, targets in by_study.items()
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
                stacked=True,
            )
        )
    effects = _effects(results, calibration)
    if effects is not None:
        blocks.append(effects)
    return Section(
        id="figures",
        title="Every figure",
        finding="A figure is met within 0.1 percentage points, 0.1 months or half a unit of its "
        "last printed digit, unless the evidence gives it another tolerance. A share printed with "
        "its count is fitted by the count. Where the publications contradict each other, the "
        "tension is named instead of bending the model.",
        blocks=tuple(blocks),
    )


def _study_table(
    results: StudyResults, calibration: Calibration, study: str, targets: list[Target]
) -> CollapsedTable:
    title = results.study_title(study)
    fitted = [target for target in targets if target.role == "fit"]
    met = sum(target.within is True for target in fitted)
    parts = [f"{met} of {count(len(fitted), 'fitted figure')} met"] if fitted else []
    compared = [target for target in targets if target.role != "fit"]
    if compared:
        open_ones = [target for target in compared if not is_taken_over(target)]
        if open_ones:
            inside = sum(_is_inside(calibration, target) is True for target in open_ones)
            parts.append(f"of {len(open_ones)} only compared {inside} inside")
        taken = len(compared) - len(open_ones)
        if taken:
            parts.append(f"{taken} taken over")
    return CollapsedTable(
        f"{title}: {', '.join(parts)}",
        Table(
            f"{title}: published, achieved, difference",
            (
                Column("Figure"),
                Column("Published", numeric=True),
                Column("Achieved", numeric=True),
                Column("Difference", numeric=True),
                Column("n", numeric=True),
                Column("Verdict, role"),
            ),
            tuple(_target_row(results, calibration, target) for target in targets),
            fitted=True,
            stacked=True,
            note=f"Fitted figures are met or not. Figures only compared are inside or outside "
            f"{_range_words(calibration)}. Taken over: the simulation takes the published number "
            "as it is, so that agreement shows nothing.",
        ),
    )


def distribution_of(calibration: Calibration, target_id: str) -> FigureDistribution | None:
    """Return what a figure looks like in the repeated cohorts, where there are any."""
    verification = calibration.verification
    figures = () if verification is None else verification.figures
    return next((figure for figure in figures if figure.id == target_id), None)


def inside_words(figure: FigureDistribution) -> str:
    """Return where a published figure lies among the repeated cohorts."""
    if figure.lower != figure.upper:
        return "inside" if figure.inside else "outside"
    if figure.inside:
        return "the same in every cohort"
    return f"{plain(figure.lower)} by design; {plain(figure.published)} is a contradiction"


def _is_inside(calibration: Calibration, target: Target) -> bool | None:
    """Whether a figure only compared lies where chance puts it: one rule on the whole page."""
    distribution = distribution_of(calibration, target.id)
    return target.within if distribution is None else distribution.inside


def _range_words(calibration: Calibration) -> str:
    if calibration.verification is None:
        return "two standard errors of the published figure"
    return (
        f"the central 95% of {calibration.verification.cohorts:,} repeated cohorts (two standard "
        "errors where no cohort can report the figure)"
    )


def is_taken_over(target: Target) -> bool:
    """Whether a figure that was not fitted is met by construction: the simulation takes it over."""
    return (
        target.role == "check"
        and known(target.published)
        and known(target.achieved)
        and math.isclose(target.achieved, target.published, rel_tol=TAKEN_OVER)
    )


def _target_row(results: StudyResults, calibration: Calibration, target: Target) -> tuple[str, ...]:
    published = math.nan if target.published is None else target.published
    achieved = math.nan if target.achieved is None else target.achieved
    role = "fitted" if target.role == "fit" else "compared"
    suffix = SUFFIXES.get(target.unit, f" {target.unit}")
    digits = max(digits_of(target.unit, 0.0), 1)
    return (
        target_label(results, target.study, target.id),
        published_cell(results, target.study, target.id, published, target.unit),
        f"{number(achieved, digits)}{suffix}" if known(achieved) else NONE,
        number(achieved - published, digits),
        NONE if target.n is None else f"{target.n:,}",
        f"{_verdict(calibration, target)}\n{role}{', in tension' if target.tension else ''}",
    )


def _effects(results: StudyResults, calibration: Calibration) -> Table | None:
    rows = tuple(
        (
            f"{target_label(results, target.study, target.id)}\n"
            f"{results.study_title(target.study)}",
            target.statement,
            _effect(target),
            _direction(calibration, target),
        )
        for target in calibration.targets
        if not _is_numeric(target)
    )
    if not rows:
        return None
    return Table(
        "Directions of effect, and effects that the publications did not find",
        (
            Column("Factor"),
            Column("Published words"),
            Column("In the simulation", numeric=True),
            Column("Verdict"),
        ),
        rows,
        fitted=True,
        stacked=True,
        note="HR: hazard ratio; 1 is no effect. Only the direction was published.",
    )


def _effect(target: Target) -> str:
    if not known(target.achieved):
        return NONE
    if target.unit == EFFECT_UNIT:
        return f"HR {number(math.exp(target.achieved), 2)}"
    return f"{'+' if target.achieved > 0 else ''}{number(target.achieved)} {target.unit}"


def _is_numeric(target: Target) -> bool:
    """Whether a target is a published number; the others are words."""
    return known(target.published) and target.unit != EFFECT_UNIT


def _direction(calibration: Calibration, target: Target) -> str:
    """Return whether the simulation has the published direction, and whence its size."""
    if target.within is None:
        return NONE
    if target.role == "null":
        return "no effect" if target.within else "an effect"
    words = "same direction" if target.within else "other direction"
    if target.role != "fit" or not known(target.achieved):
        return f"{words}; size not published"
    ratio = math.exp(target.achieved)
    solved = (one for one in calibration.parameters if math.isclose(one.value, ratio, rel_tol=1e-6))
    parameter = next(solved, None)
    return f"{words}; size {'assumed' if parameter is None else kind(parameter)}"


def _verdict(calibration: Calibration, target: Target) -> str:
    if is_taken_over(target):
        return "taken over"
    if target.role != "check":
        return NONE if target.within is None else "met" if target.within else "not met"
    distribution = distribution_of(calibration, target.id)
    if distribution is not None:
        return inside_words(distribution)
    return NONE if target.within is None else "inside" if target.within else "outside"
