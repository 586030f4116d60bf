"""What the plain and the adjusted comparison say, in sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outcomes.estimate import Estimate
from outcomes.reports.names import readable_text
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_arms import (
    few_sentence,
    firm_horizons,
    is_survival,
    treatment_name,
)
from outcomes.reports.wording import interval, number, sentence_list

if TYPE_CHECKING:
    from outcomes.comparison import Comparison, Rung

ASSUMED_RATIO = "death_hr_sbrt"
INFLATED_METHOD = "1 - Kaplan-Meier"


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


def has_estimate(comparison: Comparison, method: str) -> bool:
    """Whether a method gave any estimate."""
    return any(rung.method == method and rung.value is not None for rung in comparison.rungs)


def adjusting_covariates(comparison: Comparison) -> tuple[str, ...]:
    """Return the covariates of the adjusted Cox model, by name; empty where it has no estimate."""
    for rung in comparison.rungs:
        if rung.method == "cox-adjusted" and rung.value is not None:
            return covariates_of(rung)
    return ()


def covariates_of(rung: Rung) -> tuple[str, ...]:
    """Return the names of the covariates that an estimate is adjusted for."""
    found = re.search(r"adjusted for ([^;]+)", rung.note)
    return tuple(readable_text(name) for name in found[1].split(", ")) if found else ()


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
        f"Three hazard ratios of death with SBRT stand in this report. The truth here, "
        f"{number(truth, 2)}, counts all that SBRT does from surgery on, also the local "
        "progressions it prevents. The calibration assumes "
        f"{number(results.calibration.evidence[ASSUMED_RATIO], 2)} for its direct effect once it "
        "has begun. The models page estimates SBRT at the low dose against none, over all series."
    )


def method_finding(comparison: Comparison, results: StudyResults) -> str:
    """Return the plain and the adjusted result, and what is known of the truth."""
    firm = firm_horizons(comparison)
    if not firm:
        thin = few_sentence(comparison)
        return f"{thin} So no difference of risk leads here; {_adjusted_words(comparison)}."
    horizon = firm[0]
    rungs = select(comparison, "risk_difference", horizon)
    usable = [rung for rung in rungs if rung.value is not None]
    event = "deaths" if is_survival(comparison) else "local progressions"
    if not usable:
        return f"No method could estimate the difference at {horizon:g} months from these patients."
    text = (
        f"Per 100 patients and {horizon:g} months, the plain comparison finds "
        f"{difference_words(usable[0].value, event)} with {treatment_name(comparison)}; "
        f"{_adjusted_words(comparison)}."
    )
    truth = next((rung.truth for rung in usable if rung.truth is not None), None)
    if truth is not None:
        text += (
            " The effect built into these synthetic patients is "
            f"{difference_words(truth, event)} per 100. "
            "What lies between it and the plain comparison is chance, the choice of fitter "
            "patients for treatment, and the time they had to live until it began."
        )
    else:
        text += " How much of that is an effect of the treatment is not known."
    thin = few_sentence(comparison)
    return f"{text} {thin}".rstrip()


def _adjusted_words(comparison: Comparison) -> str:
    """Return the adjusted hazard ratio with its covariates, to stand beside the plain result."""
    event = "death" if is_survival(comparison) else "local progression"
    rung = next(
        (
            rung
            for rung in comparison.rungs
            if rung.method == "cox-adjusted" and rung.estimand == "hazard_ratio"
        ),
        None,
    )
    if rung is None or rung.value is None:
        return "nothing is adjusted for, as no adjusted hazard ratio could be estimated"
    names = sentence_list(covariates_of(rung)) or "the covariates"
    limit = interval(Estimate(rung.value, limit_of(rung.lower), limit_of(rung.upper)), 2)
    return (
        f"adjusted for {names}, the hazard ratio of {event} is {number(rung.value, 2)}"
        f"{f' ({limit})' if limit else ''}"
    )


def limit_of(value: float | None) -> float:
    """Return a limit as a number; NaN where there is none."""
    return float("nan") if value is None else value


def difference_words(difference: float | None, event: str) -> str:
    """Return a difference of risk as a difference in 100 patients."""
    value = 100 * (difference or 0.0)
    if abs(value) < 0.5:
        return f"no difference in {event}"
    return f"{abs(value):.0f} {'fewer' if value < 0 else 'more'} {event}"
