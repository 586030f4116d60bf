"""Where the publications contradict each other: one list for every page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from outcomes.evidence import CHECK_NAMES, SEVERITIES, audit
from outcomes.reports.content import (
    Block,
    CollapsedText,
    Column,
    Paragraph,
    Section,
    Subheading,
    Table,
)
from outcomes.reports.figure_names import figure_label
from outcomes.reports.finding_words import plain_sentence
from outcomes.reports.names import plain_terms, readable
from outcomes.reports.results import StudyResults
from outcomes.reports.wording import count, sentence_case, sentence_list

if TYPE_CHECKING:
    from outcomes.evidence import Evidence, Finding

SEVERAL = "Several studies"
# Where a sentence ends and the next one begins.
NEXT_SENTENCE = re.compile(r"(?<=\.)\s+(?=[A-Z“\d])")
HANDED_OVER = "contradiction"
# Severity -> identifier, title and finding of its section.
SECTIONS = {
    "contradiction": (
        "tensions",
        "Where the publications contradict each other",
        "These figures cannot all be true, by arithmetic alone. No model can meet both sides, so "
        "each is shown.",
    ),
    "improbable": (
        "improbable",
        "What is hardly possible",
        "These figures can all be true, but chance would hardly bring them together.",
    ),
    "reading": (
        "readings",
        "How figures have to be read",
        "Here arithmetic decides what a number can mean.",
    ),
}


@dataclass(frozen=True)
class Contradiction:
    """What arithmetic, or a note at a figure, says about published figures.

    Attributes
    ----------
    source
        Title of the publication.
    label
        What was checked, or which figure it is about.
    ids
        Identifiers of the figures; empty where it was handed over ready made.
    words
        What contradicts what.
    severity
        As in `outcomes.evidence.Finding`.
    short
        The same without arithmetic, in one sentence.
    """

    source: str
    label: str
    ids: tuple[str, ...]
    words: str
    severity: str = HANDED_OVER
    short: str = ""

    @property
    def title(self) -> str:
        """Return the source with what it is about."""
        if not self.label:
            return self.source
        return f"{self.source}: {self.label[:1].lower()}{self.label[1:]}"


@lru_cache(maxsize=4)
def _audited(evidence: Evidence) -> tuple[Finding, ...]:
    return audit(evidence)


def findings(results: StudyResults) -> tuple[Contradiction, ...]:
    """Return what the audit found among the published figures, or what was handed over instead."""
    if results.tensions:
        return tuple(Contradiction(title, "", (), words) for title, words in results.tensions)
    if results.evidence is None:
        return ()
    return tuple(_worded(results, results.evidence, one) for one in _audited(results.evidence))


def _worded(results: StudyResults, evidence: Evidence, finding: Finding) -> Contradiction:
    words = _in_words(evidence, finding)
    short = plain_terms(plain_sentence(evidence, finding))
    return Contradiction(
        results.study_title(finding.study) if finding.study else SEVERAL,
        CHECK_NAMES[finding.check],
        finding.figures,
        words,
        finding.severity,
        short or NEXT_SENTENCE.split(words, maxsplit=1)[0],
    )


def _in_words(evidence: Evidence, finding: Finding) -> str:
    """Return the statement with the arms by the names of these pages."""
    words = finding.statement
    for figure in evidence.figures:
        if figure.id in finding.figures and figure.arm:
            name = readable(figure.arm).replace(" (", ", ").rstrip(")")
            words = words.replace(f"({figure.arm.replace('_', ' ')})", f"({name})")
    return plain_terms(words)


def contradictions(results: StudyResults) -> tuple[Contradiction, ...]:
    """Return the findings whose figures cannot all be true."""
    return tuple(one for one in findings(results) if one.severity == "contradiction")


def improbable(results: StudyResults) -> tuple[Contradiction, ...]:
    """Return the findings whose figures can all be true, but hardly."""
    return tuple(one for one in findings(results) if one.severity == "improbable")


def how_many(results: StudyResults) -> str:
    """Return how many contradictions there are, and how many figures are improbable."""
    words = count(len(contradictions(results)), "contradiction")
    rare = len(improbable(results))
    return f"{words} and {count(rare, 'improbable figure')}" if rare else words


def explanations(results: StudyResults) -> tuple[Contradiction, ...]:
    """Return the notes at figures that no model can meet, each once with all its figures."""
    if results.evidence is None:
        return ()
    grouped: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for figure in results.evidence.figures:
        if figure.tension:
            key = (figure.study, figure.tension)
            grouped.setdefault(key, []).append((figure_label(figure), figure.id))
    return tuple(
        Contradiction(
            results.study_title(study),
            members[0][0] + (f", and {len(members) - 1} more" if len(members) > 1 else ""),
            tuple(name for _, name in members),
            plain_terms(words),
        )
        for (study, words), members in grouped.items()
    )


def tension_sections(results: StudyResults) -> tuple[Section, ...]:
    """Return a section for each severity of the findings, with how figures were read."""
    found = findings(results)
    rest = _readings(results, {name for one in found for name in one.ids})
    sections = []
    shown: set[str] = set()
    for severity in SEVERITIES:
        members = [one for one in found if one.severity == severity]
        blocks: list[Block] = []
        for one in members:
            blocks += [Subheading(one.title), Paragraph(one.short or one.words)]
            read = [words for words in _read(results, one) if words not in shown]
            shown.update(read)
            if read:
                blocks.append(Paragraph(f"How it was read: {' '.join(read)}"))
            if one.short and one.short != one.words:
                blocks.append(CollapsedText("The arithmetic", one.words))
        if severity == "reading" and rest:
            blocks.append(rest)
        if blocks:
            name, title, finding = SECTIONS[severity]
            if not members:
                finding = "Nothing was found by arithmetic."
            sections.append(Section(name, title, finding, tuple(blocks)))
    return tuple(sections)


def _read(results: StudyResults, one: Contradiction) -> list[str]:
    """Return how the figures of a finding were read."""
    figures = () if results.evidence is None else results.evidence.figures
    read = dict.fromkeys(f.reading for f in figures if f.id in one.ids and f.reading)
    return [plain_terms(words) for words in read]


def _readings(results: StudyResults, told: set[str]) -> Table | None:
    """Return how figures were read that no finding tells of."""
    if results.evidence is None:
        return None
    grouped: dict[tuple[str, str], list[str]] = {}
    for figure in results.evidence.figures:
        if figure.reading and figure.id not in told:
            key = (results.study_title(figure.study), figure.reading)
            grouped.setdefault(key, []).append(figure_label(figure))
    if not grouped:
        return None
    return Table(
        "Other words that are silent or contradict each other, and how they were read",
        (Column("Figure"), Column("How it was read")),
        tuple(
            (
                f"{title}: {sentence_list(tuple(dict.fromkeys(labels)))}",
                sentence_case(plain_terms(reading)),
            )
            for (title, reading), labels in grouped.items()
        ),
        fitted=True,
        stacked=True,
    )
