"""Where the publications contradict each other: one list for every page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from outcomes.evidence import CHECK_NAMES, MEANINGS, SEVERITIES, audit
from outcomes.reports.content import Block, Column, Section, Table
from outcomes.reports.figure_names import figure_label
from outcomes.reports.names import plain_terms, readable
from outcomes.reports.results import StudyResults
from outcomes.reports.wording import count, sentence_case, sentence_list

if TYPE_CHECKING:
    from outcomes.evidence import Evidence, Finding

SEVERAL = "Several studies"
HANDED_OVER = "contradiction"


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
    """

    source: str
    label: str
    ids: tuple[str, ...]
    words: str
    severity: str = HANDED_OVER

    @property
    def title(self) -> str:
        """Return the source with what it is about."""
        return f"{self.source}: {self.label}" if self.label else self.source


@lru_cache(maxsize=4)
def _audited(evidence: Evidence) -> tuple[Finding, ...]:
    return audit(evidence)


def findings(results: StudyResults) -> tuple[Contradiction, ...]:
    """Return what the audit found among the published figures, or what was handed over instead."""
    if results.tensions:
        return tuple(Contradiction(title, "", (), words) for title, words in results.tensions)
    if results.evidence is None:
        return ()
    return tuple(
        Contradiction(
            results.study_title(finding.study) if finding.study else SEVERAL,
            CHECK_NAMES[finding.check],
            finding.figures,
            _in_words(results.evidence, finding),
            finding.severity,
        )
        for finding in _audited(results.evidence)
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
            words,
        )
        for (study, words), members in grouped.items()
    )


def tension_section(results: StudyResults) -> Section | None:
    """Return the findings by severity, and how words and numbers were read."""
    found = findings(results)
    told = {name for one in found for name in one.ids}
    other = _readings(results, told)
    if not found and not other:
        return None
    blocks: list[Block] = []
    for severity in SEVERITIES:
        members = [one for one in found if one.severity == severity]
        if members:
            blocks.append(
                Table(
                    f"{MEANINGS[severity]} ({len(members)})",
                    (Column("Source and check"), Column("What the arithmetic says")),
                    tuple(_row(results, one) for one in members),
                    fitted=True,
                )
            )
    if other:
        blocks.append(
            Table(
                "Words that are silent or contradict each other, and how they were read",
                (Column("Figure"), Column("How it was read")),
                other,
                fitted=True,
            )
        )
    read = sum(one.severity == "reading" for one in found) + len(other)
    return Section(
        id="tensions",
        title="Where the publications contradict each other",
        finding=f"Arithmetic on the published figures brings up {how_many(results)}. No model can "
        f"meet both sides, so each is shown. {count(read, 'further row')} "
        f"{'tells' if read == 1 else 'tell'} how figures have to be read.",
        blocks=tuple(blocks),
    )


def _row(results: StudyResults, one: Contradiction) -> tuple[str, str]:
    """Return a finding as a row; how its figures were read stands beneath it."""
    figures = [] if results.evidence is None else list(results.evidence.figures)
    read = dict.fromkeys(f.reading for f in figures if f.id in one.ids and f.reading)
    lines = [one.words, *(f"How it was read: {plain_terms(words)}" for words in read)]
    label = f"{one.source}\n{one.label}" if one.label else one.source
    return label, "\n".join(lines)


def _readings(results: StudyResults, told: set[str]) -> tuple[tuple[str, str], ...]:
    """Return how figures were read that no finding tells of."""
    if results.evidence is None:
        return ()
    grouped: dict[tuple[str, str], list[str]] = {}
    for figure in results.evidence.figures:
        if figure.reading and figure.id not in told:
            key = (results.study_title(figure.study), figure.reading)
            grouped.setdefault(key, []).append(figure_label(figure))
    return tuple(
        (
            f"{title}: {sentence_list(tuple(dict.fromkeys(labels)))}",
            sentence_case(plain_terms(reading)),
        )
        for (title, reading), labels in grouped.items()
    )
