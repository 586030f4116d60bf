"""The evidence page: every published figure, every assumption, every contradiction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.reports.content import (
    Bullets,
    CollapsedTable,
    Column,
    KeyNumber,
    Page,
    Section,
    Table,
)
from outcomes.reports.measured import (
    ROLES,
    measure_and_role,
    printed_label,
    printed_value,
    printed_words,
)
from outcomes.reports.names import house_style, plain_terms
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import make_page
from outcomes.reports.summary_tensions import contradictions, improbable, tension_sections
from outcomes.reports.wording import count, known, plain, sentence_case
from outcomes.synthetic.fitting import solved_together

if TYPE_CHECKING:
    from outcomes.evidence import Assumption, Evidence, Figure, Study
    from outcomes.synthetic.calibration import Calibration

SOURCE_PAPER = (
    "Li et al., Separation Surgery in the Treatment of Spinal Metastasis, Technology in Cancer "
    "Research & Treatment 2022; 21: 1–7"
)


def summarise(results: StudyResults) -> Page:
    """Return the evidence page."""
    evidence = results.evidence
    if evidence is None:
        raise ValueError("no evidence to show")
    by_role = dict.fromkeys(ROLES, 0)
    for figure in evidence.figures:
        by_role[figure.role] += 1
    solved = "the synthetic patients are to reproduce them"
    if results.calibration is not None:
        solved = f"written out {_written_out(results.calibration)}"
    used = [study for study in evidence.studies if evidence.of_study(study.id)]
    return make_page(
        "evidence",
        results,
        title="The published figures",
        question=(
            "This page answers: which published numbers is everything built on, which magnitudes "
            "are only assumed, and where do the publications contradict each other?"
        ),
        keys=(
            KeyNumber("Published figures", str(len(evidence.figures)), f"from {len(used)} sources"),
            KeyNumber("Fitted", str(by_role["fit"]), solved),
            KeyNumber(
                "Assumptions", str(len(evidence.assumptions)), "each with a range and a source"
            ),
            KeyNumber(
                "Contradictions",
                str(len(contradictions(results))),
                f"and {count(len(improbable(results)), 'improbable figure')}, shown, not hidden",
            ),
        ),
        sections=(
            _reading(results, by_role["fit"]),
            *tension_sections(results),
            Section(
                id="studies",
                title="The sources",
                finding=f"{len(evidence.figures)} figures, a table for each source.",
                blocks=tuple(
                    _study_table(study, evidence, opened=study is used[0]) for study in used
                ),
            ),
            _assumptions(evidence),
            _external(evidence),
        ),
        jumps=True,
    )


def _written_out(calibration: Calibration) -> str:
    """Return how many numbers and directions the fitted entries are."""
    fitted = [target for target in calibration.targets if target.role == "fit"]
    numbers = sum(known(target.published) for target in fitted)
    words = count(numbers, "number")
    directions = len(fitted) - numbers
    return f"{words} and {count(directions, 'direction')}" if directions else words


def _counted(results: StudyResults, fitted: int) -> str:
    """Return how many entries are fitted, how many numbers they are, and how they are solved."""
    entries = count(fitted, "published entry is", "published entries are")
    calibration = results.calibration
    if calibration is None:
        return f"{entries} fitted."
    return (
        f"{entries} fitted; written out (a range is two numbers, a mean ± SD is two) they are "
        f"{_written_out(calibration)}. {solved_together(calibration)} of the numbers are solved "
        "together, see Calibration."
    )


def _reading(results: StudyResults, fitted: int) -> Section:
    return Section(
        id="reading",
        title="How to read the tables",
        finding=f"The figures stand in {SOURCE_PAPER}, and in the publications it reviews.",
        blocks=(
            Bullets(
                (
                    _counted(results, fitted),
                    "Fitted: the synthetic patients are to reproduce the figure. Compared: "
                    "looked at afterwards, not fitted. No effect: the paper found none, so the "
                    "simulation has none. Rule: decision logic. Context: told, not used.",
                    "How measured matters as much as the number: a share of all patients whatever "
                    "their follow-up, a cumulative incidence in which death competes, and 1 − "
                    "Kaplan–Meier are three different quantities.",
                    "n is the number of patients (or treated lesions) the figure rests on.",
                    "ARG and MRG in words of Gong 2021: the groups of aggressive and of moderate "
                    "resection.",
                )
            ),
        ),
    )


def _study_table(study: Study, evidence: Evidence, *, opened: bool) -> CollapsedTable:
    figures = evidence.of_study(study.id)
    patients = f", {count(study.n, 'patient')}" if study.n else ""
    return CollapsedTable(
        f"{study.title}{patients}: {count(len(figures), 'figure')}",
        Table(
            house_style(f"{study.title}: {study.design}. {study.citation}"),
            (
                Column("Figure"),
                Column("Value", numeric=True),
                Column("How measured, role"),
                Column("Words, reading, where printed"),
            ),
            tuple(_row(figure, evidence) for figure in figures),
            fitted=True,
            stacked=True,
        ),
        opened=opened,
    )


def _row(figure: Figure, evidence: Evidence) -> tuple[str, ...]:
    return (
        printed_label(figure, evidence),
        printed_value(figure, evidence),
        measure_and_role(figure, evidence),
        printed_words(figure),
    )


def _assumptions(evidence: Evidence) -> Section | None:
    if not evidence.assumptions:
        return None
    rows = tuple(
        (
            sentence_case(plain_terms(assumption.meaning)),
            _with_range(assumption),
            plain_terms(assumption.source),
        )
        for assumption in evidence.assumptions
    )
    return Section(
        id="assumptions",
        title="Assumptions",
        finding="The publications give directions but hardly any magnitudes of effect. These "
        f"{len(rows)} magnitudes come from elsewhere or are judgements; each has a plausible "
        "range.",
        blocks=(
            Table(
                "Magnitudes that the published figures do not give",
                (
                    Column("What"),
                    Column("Value used, plausible range", numeric=True),
                    Column("Source or reason"),
                ),
                rows,
                fitted=True,
                stacked=True,
            ),
        ),
    )


def _with_range(assumption: Assumption) -> str:
    """Return the value with its range beneath it; the name already says what a ratio is of."""
    values = (assumption.value, assumption.low, assumption.high)
    if assumption.unit == "share":
        value, low, high = (f"{plain(round(100 * number, 6))}%" for number in values)
    elif assumption.unit == "hazard ratio":
        value, low, high = (f"{number:.2f}" for number in values)
    else:
        value, low, high = (plain(number) for number in values)
        value += f" {assumption.unit}".rstrip()
    return f"{value}\n{low.removesuffix('%')} to {high}"


def _external(evidence: Evidence) -> Section | None:
    """Show figures of other publications, which nothing is fitted to."""
    if not evidence.externals:
        return None
    return Section(
        id="external",
        title="Other publications",
        finding="Figures from outside the source paper. None is fitted; they support the "
        "assumptions and show where publications disagree.",
        blocks=(
            Table(
                "Figures of other publications",
                (Column("Publication"), Column("What it says, and what it stands against")),
                tuple(
                    (
                        plain_terms(item.source),
                        plain_terms(item.fact)
                        + (f"\nAgainst it: {plain_terms(item.conflict)}" if item.conflict else ""),
                    )
                    for item in evidence.externals
                ),
                fitted=True,
                stacked=True,
            ),
        ),
    )
