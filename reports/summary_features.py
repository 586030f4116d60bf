"""Which features the models use, which of them are known before surgery, and which are not used."""

from __future__ import annotations

from outcomes.reports.content import Column, Paragraph, Section, Table
from outcomes.reports.names import readable
from outcomes.reports.results import StudyResults
from outcomes.reports.wording import count, sentence_case, sentence_list
from outcomes.schema import COLUMNS

BEFORE = "before surgery"
HEADINGS = {True: "Known before surgery", False: "Known only after surgery", None: "Other"}


def known_before(column: str) -> bool | None:
    """Whether a column is known before surgery, as the schema says; None for columns of others."""
    if column not in COLUMNS:
        return None
    known = COLUMNS[column]
    return known.group in ("patient", "disease") or BEFORE in known.meaning


def column_of(term: str) -> str:
    """Return the column that a term of a design is made of."""
    return term.partition("=")[0].partition(" < ")[0].partition(":")[0].split(" ")[0]


def features(results: StudyResults) -> tuple[str, ...]:
    """Return the columns that the models of the report use, in the order of the design."""
    columns: list[str] = []
    for model in results.models.values():
        if model.coefficients is not None:
            columns += [column_of(str(term)) for term in model.coefficients["covariate"]]
        elif model.importance is not None:
            columns += [column_of(str(term)) for term in model.importance["covariate"]]
    return tuple(dict.fromkeys(columns))


def features_words(results: StudyResults) -> str:
    """Return in one sentence how many features there are, and when they are known."""
    used = features(results)
    late = [name for name in used if known_before(name) is False]
    if not used:
        return ""
    words = f"The models use {count(len(used), 'feature')}"
    if not late:
        return f"{words}."
    return (
        f"{words}, {len(late)} of them known only after surgery: they are no tool for deciding "
        "whether to operate."
    )


def features_section(results: StudyResults) -> Section | None:
    """Return the features by when they are known; None without a model."""
    used = features(results)
    if not used:
        return None
    unused = tuple(
        name for name in results.cohort.columns if name not in used and known_before(str(name))
    )
    rows = [
        (HEADINGS[when], str(len(names)), _listed(names))
        for when in (True, False, None)
        if (names := tuple(name for name in used if known_before(name) is when))
    ]
    if unused:
        rows.append(
            (f"Not used, though known {BEFORE}", str(len(unused)), _listed(map_names(unused)))
        )
    return Section(
        id="features",
        title="What the models know of a patient",
        finding=features_words(results),
        blocks=(
            Table(
                "Features of the models",
                (Column("When"), Column("Number", numeric=True), Column("Features")),
                tuple(rows),
                fitted=True,
                stacked=True,
            ),
            Paragraph(_tested(results)),
        ),
    )


def map_names(names: tuple[object, ...]) -> tuple[str, ...]:
    """Return column labels as text."""
    return tuple(str(name) for name in names)


def _listed(names: tuple[str, ...]) -> str:
    return sentence_case(sentence_list(tuple(readable(name) for name in names)))


def _tested(results: StudyResults) -> str:
    """Return on whom the predictions were tested, and on whom not."""
    methods = tuple(dict.fromkeys(item.method for item in results.evaluations))
    how = f" Tested by {sentence_list(methods)}." if methods else ""
    if results.synthetic:
        return (
            f"{how} The patients tested are synthetic and of the same source as those the models "
            "were fitted to. No real patient was ever predicted: with real ones expect worse."
        ).strip()
    return f"{how} On patients of other hospitals expect worse.".strip()
