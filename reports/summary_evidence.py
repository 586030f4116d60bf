"""The evidence page: every published figure, every assumption, every contradiction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.reports.content import (
    Bullets,
    Column,
    KeyNumber,
    Links,
    Page,
    Section,
    Table,
)
from outcomes.reports.figure_names import figure_label, figure_value
from outcomes.reports.names import plain_terms, readable
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import make_page
from outcomes.reports.summary_tensions import contradictions, improbable, tension_sections
from outcomes.reports.wording import NONE, count, plain, sentence_case
from outcomes.synthetic.fitting import solved_together

if TYPE_CHECKING:
    from outcomes.evidence import Evidence, Figure, Study

ROLES = {
    "fit": "fitted",
    "check": "compared",
    "null": "no effect",
    "rule": "rule",
    "context": "context",
}
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
        together = solved_together(results.calibration)
        solved = f"{together} of them solved together, see Calibration"
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
            _reading(),
            *tension_sections(results),
            Section(
                id="studies",
                title="The sources",
                finding=f"{len(evidence.figures)} figures; each source has a table below.",
                blocks=(
                    Links(
                        tuple((f"#study-{study.id}", study.title, study.design) for study in used)
                    ),
                ),
            ),
            *(_study_section(study, evidence.of_study(study.id)) for study in used),
            _assumptions(evidence),
            _external(evidence),
        ),
    )


def _reading() -> Section:
    return Section(
        id="reading",
        title="How to read the tables",
        finding=f"The figures stand in {SOURCE_PAPER}, and in the publications it reviews.",
        blocks=(
            Bullets(
                (
                    "Fitted: the synthetic patients are to reproduce the figure. Compared: "
                    "looked at "
                    "afterwards, not fitted. No effect: the paper found none, so the simulation "
                    "has none. Rule: decision logic. Context: told, not used.",
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


def _study_section(study: Study, figures: tuple[Figure, ...]) -> Section:
    rows = []
    for figure in figures:
        spread = ""
        if figure.low is not None and figure.high is not None:
            unit = figure.unit if figure.value is None else ""
            spread = f"{plain(figure.low)}–{plain(figure.high)} {unit}".rstrip()
        read = f"How it was read: {figure.reading}" if figure.reading else ""
        told = (_quoted(figure.statement), figure.note, read)
        remarks = " ".join(part for part in told if part)
        value = spread if figure.value is None and spread else figure_value(figure)
        if spread and figure.value is not None:
            value += f" ({spread})"
        rows.append(
            (
                figure_label(figure),
                value if figure.n is None else f"{value}\nn = {figure.n:,}",
                f"{sentence_case(readable(figure.estimand))}\n{ROLES[figure.role]}",
                f"{remarks or NONE}\n{figure.source}",
            )
        )
    return Section(
        id=f"study-{study.id}",
        title=study.title,
        finding=f"{study.design}{f'; {study.n:,} patients' if study.n else ''}.",
        blocks=(
            Table(
                f"{study.title}: {count(len(rows), 'figure')}. {study.citation}",
                (
                    Column("Figure"),
                    Column("Value", numeric=True),
                    Column("How measured, role"),
                    Column("Words, reading, where printed"),
                ),
                tuple(rows),
                fitted=True,
            ),
        ),
    )


def _quoted(statement: str) -> str:
    return f"“{statement}”" if statement else ""


def _assumptions(evidence: Evidence) -> Section | None:
    if not evidence.assumptions:
        return None
    rows = tuple(
        (
            sentence_case(plain_terms(assumption.meaning)),
            f"{plain(assumption.value)}{_unit(assumption.unit)}",
            f"{plain(assumption.low)} to {plain(assumption.high)}",
            assumption.source,
        )
        for assumption in evidence.assumptions
    )
    return Section(
        id="assumptions",
        title="Assumptions",
        finding="The publications give directions but hardly any magnitudes of effect. These "
        f"{len(rows)} magnitudes come from elsewhere or are judgements; each has a plausible "
        f"range.",
        blocks=(
            Table(
                "Magnitudes that the published figures do not give",
                (
                    Column("What"),
                    Column("Value used", numeric=True),
                    Column("Plausible range", numeric=True),
                    Column("Source or reason"),
                ),
                rows,
                fitted=True,
            ),
        ),
    )


def _external(evidence: Evidence) -> Section | None:
    """Show figures of other publications, which nothing is fitted to."""
    if not evidence.externals:
        return None
    return Section(
        id="external",
        title="Other publications",
        finding="Figures from outside the source paper. None is fitted; they support the "
        "assumptions "
        "and show where publications disagree.",
        blocks=(
            Table(
                "Figures of other publications",
                (Column("Publication"), Column("What it says"), Column("In conflict with")),
                tuple(
                    (item.source, plain_terms(item.fact), plain_terms(item.conflict))
                    for item in evidence.externals
                ),
                fitted=True,
            ),
        ),
    )


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""
