"""How a published figure was measured, whom it is about, and what it was printed as."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outcomes.reports.figure_names import figure_label, figure_value
from outcomes.reports.names import house_style, readable
from outcomes.reports.wording import plain, sentence_case

if TYPE_CHECKING:
    from outcomes.evidence import Evidence, Figure

ROLES = {
    "fit": "fitted",
    "check": "compared",
    "null": "no effect",
    "rule": "rule",
    "context": "context",
}
# Of an estimand: the role alone says it.
SAID_BY_ROLE = ("rule", "null")
AVERAGES = {"median_among_observed": "median", "mean_among_observed": "mean"}
# A note that begins with this says what the number was printed as.
PRINTED_AS = re.compile(r"Printed as (?:the )?([^;.]+)")
# Kept on one line.
N_IS = "n\u00a0=\u00a0"
SURVIVORS = "follow_up_survived"


def measure(figure: Figure, evidence: Evidence) -> str:
    """Return how a figure was measured, in words that fit its quantity."""
    if figure.n == 1:
        return "single patient"
    if figure.estimand in AVERAGES:
        return f"{AVERAGES[figure.estimand]} {_among(figure, evidence)}"
    if figure.estimand == "mean_sd":
        if figure.quantity.endswith("_sd"):
            return "standard deviation"
        return readable("mean_sd") if figure.sd is not None else "mean (no spread printed)"
    if figure.estimand == "crude_proportion" and _counts_lesions(figure, evidence):
        return "share of lesions, whatever their follow-up"
    return readable(figure.estimand)


def measure_and_role(figure: Figure, evidence: Evidence) -> str:
    """Return how a figure was measured with its role, each said once."""
    if figure.role in SAID_BY_ROLE and figure.estimand == figure.role:
        return sentence_case(ROLES[figure.role])
    return f"{sentence_case(measure(figure, evidence))}\n{ROLES[figure.role]}"


def printed_label(figure: Figure, evidence: Evidence) -> str:
    """Return the name of a figure, with what it was printed as where that is something else."""
    if _survivors_unsaid(figure, evidence):
        return read_label(figure, evidence)
    printed = PRINTED_AS.match(figure.note)
    label = figure_label(figure)
    if _counts_lesions(figure, evidence):
        label = label.replace("share of patients", "share of lesions")
    return f"{label} (printed as {printed[1]})" if printed else label


def read_label(figure: Figure, evidence: Evidence) -> str:
    """Return the name of a figure, and as whose follow-up it was read where nobody said."""
    if not _survivors_unsaid(figure, evidence):
        return figure_label(figure)
    average = AVERAGES.get(figure.estimand, "standard deviation")
    return f"Follow-up (read as that of survivors), {average}"


def printed_value(figure: Figure, evidence: Evidence) -> str:
    """Return the value of a figure with its range, and n beneath it."""
    value = figure_value(figure)
    if figure.low is not None and figure.high is not None:
        ends = f"{plain(figure.low)}–{plain(figure.high)}"
        value = f"{value} ({ends})" if figure.value is not None else f"{ends} {figure.unit}"
    if _survivors_unsaid(figure, evidence):
        return f"{value}\n{N_IS}{figure.n:,} printed; survivors not given"
    return value if figure.n is None else f"{value}\n{N_IS}{figure.n:,}"


def printed_words(figure: Figure) -> str:
    """Return the quotation, our note, how it was read, and where it stands, a line each."""
    lines = (
        f"“{figure.statement}”" if figure.statement else "",
        f"Note: {figure.note}" if figure.note else "",
        f"How it was read: {figure.reading}" if figure.reading else "",
        figure.source,
    )
    return house_style("\n".join(line for line in lines if line))


def _among(figure: Figure, evidence: Evidence) -> str:
    """Return whom an average is about."""
    if figure.quantity.startswith("time_of_"):
        return "among those with the event"
    everyone = figure.n is not None and figure.n == evidence.study(figure.study).n
    if everyone and not figure.quantity.startswith(SURVIVORS):
        return "of all patients"
    return "among those it applies to"


def _counts_lesions(figure: Figure, evidence: Evidence) -> bool:
    """Whether the denominator of a figure is a number of lesions, and of no group of patients."""
    study = evidence.of_study(figure.study)
    sizes = {
        unit: {one.value for one in study if one.unit == unit and one.quantity == unit}
        for unit in ("lesions", "patients")
    }
    return figure.n in sizes["lesions"] and figure.n not in sizes["patients"]


def _survivors_unsaid(figure: Figure, evidence: Evidence) -> bool:
    """Whether a follow-up printed of all patients was read as that of the survivors."""
    everyone = figure.n is not None and figure.n == evidence.study(figure.study).n
    return figure.quantity.startswith(SURVIVORS) and everyone
