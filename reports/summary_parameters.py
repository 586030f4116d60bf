"""The parameters behind the patients, and which of them the figures do not settle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.reports.content import (
    Block,
    Bullets,
    CollapsedTable,
    Column,
    Paragraph,
    Section,
    Subheading,
    Table,
)
from outcomes.reports.names import plain_terms, readable
from outcomes.reports.parameter_names import SHARED, parameter_words
from outcomes.reports.results import StudyResults
from outcomes.reports.wording import count, percent, plain, sentence_case
from outcomes.synthetic.fitting import solved_together

if TYPE_CHECKING:
    from outcomes.synthetic.calibration import Calibration, Parameter

# Shares of the prior variance that the figures remove: below the first a parameter is an
# assumption, from the second on it is the figures'.
OPEN, SETTLED = 0.25, 0.75
# A direction of the parameter space that the figures tell more of than the priors.
DECIDED = 1.0


def is_open(parameter: Parameter) -> bool:
    """Whether a parameter is its prior's: an assumption."""
    return parameter.identified < OPEN


def is_partly_open(parameter: Parameter) -> bool:
    """Whether figures and prior share in a parameter."""
    return OPEN <= parameter.identified < SETTLED


def parameters_section(results: StudyResults, calibration: Calibration) -> Section:
    """Return what the figures do not settle, in words, and all parameters as a table."""
    parameters = calibration.parameters
    groups = [
        [parameter for parameter in parameters if chosen(parameter)]
        for chosen in (is_open, is_partly_open)
    ]
    decided = sum(value > DECIDED for value in calibration.singular_values)
    blocks: list[Block] = []
    for members, words in zip(
        groups,
        (
            "Set by the prior, not by the figures. Read these as assumptions",
            "Set by the prior in part",
        ),
        strict=True,
    ):
        if members:
            blocks += [Subheading(f"{words} ({len(members)})"), Bullets(_named(results, members))]
    assumptions = len(calibration.evidence.assumptions)
    blocks += [
        Paragraph(
            f"These are beside the {count(assumptions, 'assumption')} of the evidence, which are "
            "not solved for."
        ),
        _table(results, parameters),
    ]
    return Section(
        id="parameters",
        title="What the figures do not settle",
        finding=f"Of {count(len(parameters), 'parameter')}, {len(groups[0])} are set by the "
        "prior: the figures say less than a quarter of what is known about them. "
        f"{len(groups[1])} more are settled only in part. All together, the "
        f"{count(solved_together(calibration), 'figure')} they were solved for decide {decided} of "
        f"{len(parameters)} directions in which the parameters could move; in the others the "
        "priors (what was taken as plausible before any figure was seen) say more.",
        blocks=tuple(blocks),
    )


def _named(results: StudyResults, members: list[Parameter]) -> tuple[str, ...]:
    """Return one line for each series: what in it is open."""
    by_study: dict[str, list[str]] = {}
    for parameter in members:
        by_study.setdefault(parameter.study, []).append(parameter_words(parameter))
    return tuple(
        f"{_series(results, study)}: {'; '.join(all_of)}." for study, all_of in by_study.items()
    )


def _series(results: StudyResults, study: str) -> str:
    return "All series" if study == SHARED else results.study_title(study)


def _table(results: StudyResults, parameters: tuple[Parameter, ...]) -> CollapsedTable:
    rows = tuple(
        (
            f"{sentence_case(parameter_words(parameter))}\n{_meaning(parameter)}",
            _series(results, parameter.study),
            _value(parameter),
            plain(_three(parameter.prior)),
            percent(parameter.identified),
            kind(parameter),
        )
        for parameter in parameters
    )
    return CollapsedTable(
        f"All {len(rows)} parameters",
        Table(
            "Parameters of the simulation",
            (
                Column("Parameter"),
                Column("Series"),
                Column("Value", numeric=True),
                Column("Prior", numeric=True),
                Column("Identified", numeric=True),
                Column("Kind"),
            ),
            rows,
            fitted=True,
            stacked=True,
            note="Identified: the share of the prior’s uncertainty that the published figures "
            f"remove. Below {percent(OPEN)} a parameter is set by the prior, from "
            f"{percent(SETTLED)} on settled. A typical time of local progression or a length of "
            "follow-up is the constant of a curve: only with the spread beside it, and the deaths "
            "that come before, does it give the published times. Alone it means nothing, and may "
            "exceed any lifetime.",
        ),
    )


def _value(parameter: Parameter) -> str:
    # A hazard ratio says so in its name.
    unit = "" if parameter.unit == "hazard ratio" else f" {parameter.unit}".rstrip()
    return f"{plain(_three(parameter.value))}{unit}"


def _meaning(parameter: Parameter) -> str:
    return sentence_case(plain_terms(parameter.meaning or readable(parameter.name)))


def kind(parameter: Parameter) -> str:
    """Return who settles a parameter: the figures, the prior or both."""
    if is_open(parameter):
        return "set by the prior"
    return "partly settled" if is_partly_open(parameter) else "settled"


def _three(value: float) -> float:
    """Round to three significant digits."""
    return float(f"{value:.3g}")
