"""Where the publications contradict each other: one list for every page."""

from __future__ import annotations

import re
from dataclasses import dataclass

from outcomes.reports.content import Block, Column, Paragraph, Section, Subheading, Table
from outcomes.reports.figure_names import figure_label
from outcomes.reports.results import StudyResults
from outcomes.reports.wording import count, sentence_list

# Notes that say how contradictory words were read.
READ = re.compile(r"\bread as\b|\bonly the second fits\b|\bother way round\b", re.IGNORECASE)
NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Contradiction:
    """A contradiction among the figures of a source.

    Attributes
    ----------
    source
        Title of the publication.
    figures
        Names of the figures it touches; empty where it was handed over ready made.
    ids
        Their identifiers.
    words
        What contradicts what.
    """

    source: str
    figures: tuple[str, ...]
    ids: tuple[str, ...]
    words: str

    @property
    def title(self) -> str:
        """Return the source with the first of the figures."""
        if not self.figures:
            return self.source
        more = len(self.figures) - 1
        return f"{self.source}: {self.figures[0]}{f', and {more} more' if more else ''}"


def contradictions(results: StudyResults) -> tuple[Contradiction, ...]:
    """Return every contradiction once: those handed over, else those noted at the figures.

    Notes of one source that argue with the same numbers are one contradiction.
    """
    if results.tensions:
        return tuple(Contradiction(title, (), (), words) for title, words in results.tensions)
    if results.evidence is None:
        return ()
    grouped: dict[tuple[str, object], list[tuple[str, str, str]]] = {}
    for figure in results.evidence.figures:
        if figure.tension:
            numbers = frozenset(NUMBER.findall(figure.tension)) or figure.tension
            grouped.setdefault((figure.study, numbers), []).append(
                (figure_label(figure), figure.id, figure.tension)
            )
    return tuple(
        Contradiction(
            results.study_title(study),
            tuple(dict.fromkeys(label for label, _, _ in members)),
            tuple(name for _, name, _ in members),
            max((words for _, _, words in members), key=len),
        )
        for (study, _), members in grouped.items()
    )


def tension_section(results: StudyResults) -> Section | None:
    """Return the list of contradictions, and of words that had to be read one way."""
    found = contradictions(results)
    readings = _readings(results)
    if not found and not readings:
        return None
    blocks: list[Block] = []
    for one in found:
        blocks += [Subheading(one.title), Paragraph(one.words)]
    if readings:
        blocks.append(
            Table(
                "Readings: words that contradict each other or are silent, and how they were read",
                (Column("Figure"), Column("How it was read")),
                readings,
                fitted=True,
            )
        )
    return Section(
        id="tensions",
        title="Where the publications contradict each other",
        finding=f"Checking the figures against each other brings up "
        f"{count(len(found), 'contradiction')}. No model can meet both sides, so each is shown. "
        f"{count(len(readings), 'figure')} more had to be read one way or the other.",
        blocks=tuple(blocks),
    )


def _readings(results: StudyResults) -> tuple[tuple[str, str], ...]:
    if results.evidence is None:
        return ()
    grouped: dict[tuple[str, str], list[str]] = {}
    for figure in results.evidence.figures:
        if READ.search(figure.note) and not figure.tension:
            key = (results.study_title(figure.study), figure.note)
            grouped.setdefault(key, []).append(figure_label(figure))
    return tuple(
        (f"{title}: {sentence_list(tuple(dict.fromkeys(labels)))}", note)
        for (title, note), labels in grouped.items()
    )
