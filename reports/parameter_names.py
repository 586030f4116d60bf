"""Parameters and sources of uncertainty in the words of the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.reports.names import plain_terms, readable
from outcomes.reports.results import StudyResults
from outcomes.reports.wording import percent

if TYPE_CHECKING:
    from outcomes.synthetic.calibration import Parameter
    from outcomes.synthetic.ensemble import Source

SHARED = "shared"
WORDS = {
    "death_scale": "the level of survival",
    "death_shape": "how the risk of death changes with time",
    "progression_median": "the typical time of local progression",
    "progression_sigma": "the spread of the times of local progression",
    "progression_total": "the long-run risk of local progression",
    "progression_hr_no_sbrt": "the hazard ratio of local progression without SBRT",
    "progression_hr_single_24": "the hazard ratio of local progression after 24 Gy at once",
    "progression_hr_hypofractionated_high": (
        "the hazard ratio of local progression after a high dose in 3 fractions"
    ),
    "progression_hr_below_3mm": (
        "the hazard ratio of local progression with a separation below 3 mm"
    ),
    "share_below_3mm": "the share of patients with a separation below 3 mm",
    "kps_tilt": "how fit the patients are",
    "selection_intercept": "how many patients get SBRT",
    "selection_slope": "how strongly the fitter are chosen for SBRT",
    "follow_up_scale": "the length of follow-up",
    "follow_up_shape": "the spread of follow-up",
    "follow_up_mean": "the mean length of follow-up",
    "follow_up_concentration": "the spread of follow-up",
    "hardware_12m": "the risk of hardware failure within 12 months",
    "hardware_shape": "how the risk of hardware failure changes with time",
}
ASSUMPTIONS = {
    "death_hr_sbrt": "hazard ratio of death under SBRT",
    "death_hr_after_local_progression": "hazard ratio of death after local progression",
    "overall_survival_median_amankulor": "median survival of Amankulor 2014",
    "share_hypofractionated_high_liu": "share of Liu’s patients with a high dose",
    "share_single_24_liu": "share of Liu’s patients with a single fraction",
}
# Smaller shares of a variance are left out.
LEAST_SHARE = 0.07
MOST_SOURCES = 3


def parameter_words(parameter: Parameter) -> str:
    """Return what a parameter is, with its arm, to stand within a sentence."""
    return _words(parameter.name, parameter.meaning)


def _words(name: str, meaning: str) -> str:
    base, _, arm = name.partition("/")
    words = WORDS.get(base) or lower_first(plain_terms(meaning or readable(base)))
    return f"{words} ({readable(arm)})" if arm else words


def lower_first(text: str) -> str:
    """Return a text to stand within a sentence; abbreviations keep their capitals."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def source_words(results: StudyResults, source: Source) -> str:
    """Return one cause of uncertainty, to stand within a sentence."""
    if source.kind == "sampling":
        return "the small number of patients"
    if source.kind == "assumption":
        return f"the assumed {_assumption(results, source.name)}"
    calibration = results.calibration
    known = calibration.parameters if calibration is not None else ()
    study, _, name = source.name.partition("/")
    meaning = next((one.meaning for one in known if one.key == source.name), "")
    series = "" if study == SHARED else f" in {results.study_title(study)}"
    return f"the prior for {_words(name, meaning)}{series}"


def _assumption(results: StudyResults, name: str) -> str:
    if name in ASSUMPTIONS:
        return ASSUMPTIONS[name]
    evidence = results.evidence
    if evidence is not None:
        for assumption in evidence.assumptions:
            if assumption.id == name:
                return lower_first(plain_terms(assumption.meaning))
    return readable(name)


def sources_words(results: StudyResults, sources: tuple[Source, ...]) -> str:
    """Return the main causes of a quantity's uncertainty with their shares of its variance."""
    parts = [
        f"{percent(source.share)} from {source_words(results, source)}"
        for source in sources[:MOST_SOURCES]
        if source.share >= LEAST_SHARE
    ]
    return "; ".join(parts) or "many small causes"
