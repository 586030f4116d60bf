"""What the plain comparison and those of like with like say, in sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from outcomes.reports.names import readable_text
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_arms import (
    few_of,
    few_sentence,
    firm_horizons,
    is_survival,
    nobody,
    still_observed,
    treatment_name,
    unit_of,
    with_treatment,
)
from outcomes.reports.wording import known, number, of_100, sentence_case, sentence_list

if TYPE_CHECKING:
    from outcomes.comparison import Comparison, Rung

ASSUMED_RATIO = "death_hr_sbrt"
INFLATED_METHOD = "1 - Kaplan-Meier"
LATER = ("landmark", "landmark-adjusted")
"""Methods that speak of those who have come through the first weeks, not of all patients."""

Kind = Literal["plain", "alike", "timed"]
"""Patients as they came; like with like; and with the time until treatment taken out as well."""

LEADING: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("plain", ("crude",)),
    ("alike", ("doubly-robust", "iptw", "g-formula-cox", "g-formula-forest")),
    ("timed", ("clone-censor-weight", "time-dependent")),
)
"""Methods that may stand for their kind, the first that has an estimate."""
MISSED: dict[Kind, str] = {
    "plain": "of the groups as they stand",
    "alike": "of like with like",
    "timed": "with the wait taken out",
}


def select(comparison: Comparison, estimand: str, horizon: float | None) -> list[Rung]:
    """Return the rungs of one estimand; the inflated ones are left to the full table."""
    return [
        rung
        for rung in comparison.rungs
        if rung.estimand == estimand
        and rung.horizon_months == horizon
        and rung.method != INFLATED_METHOD
    ]


def has_truth(comparison: Comparison) -> bool:
    """Whether the true effect is known."""
    return any(rung.truth is not None for rung in comparison.rungs)


def kind_of(comparison: Comparison, rung: Rung) -> Kind:
    """Return what a method deals with, by the trial that it imitates."""
    trial = next((one for one in comparison.target_trials if one.method == rung.method), None)
    if trial is None or trial.selection == "no":
        return "plain"
    if trial.selection == "hazard ratio only" and rung.estimand != "hazard_ratio":
        return "plain"
    return "timed" if trial.immortal_time == "yes" else "alike"


def adjusting_covariates(comparison: Comparison) -> tuple[str, ...]:
    """Return the covariates of the adjusted methods, by name; empty where none has an estimate."""
    for rung in comparison.rungs:
        if rung.value is not None and covariates_of(rung):
            return covariates_of(rung)
    return ()


def covariates_of(rung: Rung) -> tuple[str, ...]:
    """Return the names of the covariates that an estimate is adjusted for."""
    found = re.search(r"adjusted for ([^;]+)", rung.note)
    return tuple(readable_text(name) for name in found[1].split(", ")) if found else ()


def reason_of(note: str) -> str:
    """Return why something is not estimable, in words; a column that is missing keeps its name."""
    note = note.removeprefix("not estimable because ")
    # A regression names the column first: "treatment: follows from kps".
    note = re.sub(r"^([^:;]+): follows from", r"\1 follows from", note)
    parts = re.split(r"(no column [^\s:;,]+)", note)
    return "".join(part if part.startswith("no column ") else readable_text(part) for part in parts)


def shown_note(rung: Rung) -> str:
    """Return a note without the covariates, which a table names once."""
    if rung.value is None:
        return sentence_case(reason_of(rung.note))
    parts = [part for part in rung.note.split("; ") if not part.startswith("adjusted for ")]
    return sentence_case(readable_text("; ".join(parts)))


def which_ratio(comparison: Comparison, results: StudyResults) -> str:
    """Return how the true hazard ratio of death differs from the others in this report."""
    if not (is_survival(comparison) and comparison.treatment == "sbrt" and results.calibration):
        return ""
    truth = next(
        (
            rung.truth
            for rung in comparison.rungs
            if rung.method == "cox-adjusted" and rung.truth is not None
        ),
        None,
    )
    if truth is None:
        return ""
    return (
        f"Three hazard ratios of death with SBRT stand in this report. The truth of the adjusted "
        f"Cox model, {number(truth, 2)}, counts all that SBRT does from surgery on, also the local "
        "progressions it prevents. The calibration assumes "
        f"{number(results.calibration.evidence[ASSUMED_RATIO], 2)} for its direct effect once it "
        "has begun. The models page estimates SBRT at the low dose against none, over all series."
    )


def leading(comparison: Comparison, horizon: float) -> dict[Kind, Rung]:
    """Return the difference of risk that stands for each kind: the first that has an estimate."""
    found = {rung.method: rung for rung in select(comparison, "risk_difference", horizon)}
    first: dict[Kind, Rung] = {}
    for kind, methods in LEADING:
        for method in methods:
            rung = found.get(method)
            if rung is not None and rung.value is not None:
                first.setdefault(kind, rung)
    return first


def verdict(comparison: Comparison, results: StudyResults) -> str:
    """Return what the plain comparison finds, what like with like finds, and what is true."""
    if nobody(comparison):
        return f"{nobody(comparison)[:1].lower()}{nobody(comparison)[1:]}"
    firm = firm_horizons(comparison)
    if not firm:
        few = few_sentence(comparison)
        return f"too few patients for a difference to lead: {few[:1].lower()}{few[1:]}"
    horizon = firm[0]
    found = leading(comparison, horizon)
    plain = next(
        (one for one in select(comparison, "risk_difference", horizon) if one.method == "crude"),
        None,
    )
    parts = []
    if plain is None or plain.value is None:
        because = "" if plain is None else f" because {reason_of(plain.note)}"
        parts.append(f"the plain difference at {horizon:g} months is not estimable{because}")
    else:
        what = "die" if is_survival(comparison) else "have local progression"
        parts.append(
            f"{_fewer(plain, f' of 100 {unit_of(comparison, results)}')} {what} within "
            f"{horizon:g} months {with_treatment(comparison)}, as the groups stand"
        )
    if "alike" in found:
        parts.append(f"{_fewer(found['alike'])} when like is compared with like")
    if "timed" in found:
        also = "is taken out as well" if "alike" in found else "is taken out, like with like"
        wait = "SBRT" if comparison.treatment == "sbrt" else "treatment"
        parts.append(f"{_fewer(found['timed'])} when the wait for {wait} {also}")
    text = "; ".join(parts)
    truth = None if plain is None else plain.truth
    if truth is not None:
        text += f"; in truth, {span_words([truth])}"
    return f"{text}.{_caveats(comparison, horizon, found)}"


def _fewer(rung: Rung, of: str = "") -> str:
    """Return a difference of risk with its interval, as fewer or more of 100 patients."""
    if rung.value is None:
        raise ValueError("no estimate to put in words")
    text = f"{span_words([rung.value])}{of}"
    if known(rung.lower) and known(rung.upper):
        return f"{text} (95% CI {span_words([rung.lower, rung.upper])})"
    return f"{text} (no interval)"


def _caveats(comparison: Comparison, horizon: float, found: dict[Kind, Rung]) -> str:
    """Return what a verdict must not be read without."""
    alike = [rung for kind, rung in found.items() if kind != "plain"]
    checked = comparison.robustness
    if not alike:
        reason = next(
            (
                rung.note
                for rung in select(comparison, "risk_difference", horizon)
                if rung.value is None and kind_of(comparison, rung) != "plain"
            ),
            "",
        )
        because = f", because {reason_of(reason)}" if reason else ""
        return f" No method could compare like with like{because}."
    text = ""
    limits = [(one.lower, one.upper) for one in alike if known(one.lower) and known(one.upper)]
    if limits and all(lower <= 0 <= upper for lower, upper in limits):
        text += " Like with like, it may be chance: "
        text += "the interval reaches" if len(limits) == 1 else "the intervals reach"
        text += " from fewer to more."
    few = next((few for rung in alike if (few := few_of(rung)) is not None), None)
    if few is not None:
        text += (
            f" Of those it rests on {still_observed(comparison, few)} still under observation at "
            f"{horizon:g} months."
        )
    told = {rung.method: held_truth(rung) for rung in found.values()}
    missed = [rung for rung in found.values() if told[rung.method] is False]
    if missed:
        kinds = [kind for kind, rung in found.items() if rung in missed]
        text += f" The interval {sentence_list(tuple(MISSED[kind] for kind in kinds))} misses the "
        text += "truth."
    elif told and all(told.values()):
        text += " Each interval holds the truth of what its method asks."
    if checked is not None and checked.overlap is None:
        text += (
            f" But {reason_of(checked.reasons['overlap'])}: for them this rests on the model alone."
        )
    return text


def held_truth(rung: Rung) -> bool | None:
    """Return whether an interval holds its truth; None where one of them is not there."""
    if rung.truth is None or not (known(rung.lower) and known(rung.upper)):
        return None
    return rung.lower <= rung.truth <= rung.upper


def span_words(differences: Sequence[float]) -> str:
    """Return differences of risk as so many fewer or more of 100 patients.

    ``"9 to 12 fewer"``, ``"3 more"``, ``"2 fewer to 1 more"`` or ``"no fewer and no more"``.
    """
    # Sorted from the most fewer to the most more.
    ends = [min(differences), max(differences)]
    counts = [of_100(abs(end)) * (1 if end > 0 else -1) for end in ends]
    low, high = counts
    if low == high == 0:
        return "no fewer and no more"
    if high <= 0 or low >= 0:
        small, large = sorted((abs(low), abs(high)))
        numbers = f"{large}" if small == large else f"{small} to {large}"
        return f"{numbers} {'fewer' if low < 0 else 'more'}"
    return f"{-low} fewer to {high} more"


def method_finding(comparison: Comparison) -> str:
    """Return what lies between the methods, and where patients are few."""
    name = treatment_name(comparison)
    names = adjusting_covariates(comparison)
    checked = comparison.robustness
    text = f"The plain comparison mixes the effect of {name} with the choice of patients for it"
    waits = checked is not None and checked.immortal_time is not None
    if waits or comparison.treatment == "sbrt":
        text += " and with the time they had to live until it began (immortal time)"
    text += "."
    if names:
        text += f" Like with like means alike in {sentence_list(names)}, and in nothing else."
    if not has_truth(comparison):
        text += " How much of the difference is an effect of the treatment is not known."
    return f"{text} {few_sentence(comparison)}".rstrip()


def limit_of(value: float | None) -> float:
    """Return a limit as a number; NaN where there is none."""
    return float("nan") if value is None else value
