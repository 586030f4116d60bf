"""Columns, quantities and model terms by the one name that all pages use."""

import re
from collections.abc import Collection

# The ends of a range; no hyphen of an identifier, whose parts hang together on other sides too.
RANGE = re.compile(r"(?<![\w.-])(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)(?![\d-]|\w+-)")
GRADES = re.compile(r"\b([A-E])-([A-E])\b")
MINUS = re.compile(r"(?<=[\s(])-(?=\d)")
REFERENCE_REGIMEN = "hypofractionated_low"
TERMS = {
    "low-dose hypofractionated": "low dose in 5–6 fractions",
    "high-dose against": "high dose in 3 fractions against",
    "single fraction of 24 Gy": "single fraction, 24 Gy,",
    "limit of the progression hazard": "cumulative hazard of local progression in the long run",
    "the progression hazard": "the hazard of local progression",
    "KPS": "Karnofsky score",
    "embolization": "embolisation",
}
ABBREVIATIONS = {
    "sbrt": "SBRT",
    "vas": "pain score (VAS)",
    "kps": "Karnofsky score",
    "escc": "ESCC",
    "noms": "NOMS",
    "ct": "CT",
    "3mm": "3 mm",
    "3m": "3 months",
    "frankel": "Frankel grade",
    "sd": "(standard deviation)",
}
KNOWN_NAMES = {
    "kps": "Karnofsky score",
    "neurologic_deficit": "neurological deficit",
    "progressive_systemic_disease": "progressive systemic disease",
    "systemic_therapy_after": "systemic therapy after surgery",
    "embolization": "preoperative embolisation",
    "complication": "postoperative complication",
    "sbrt": "SBRT after surgery",
    "dose_regimen": "dose regimen",
    "separation_mm": "separation distance",
    "overall-survival": "Overall survival",
    "local-control": "Local control",
    "hardware-failure": "Hardware failure",
    "single_24": "single fraction, 24 Gy",
    "hypofractionated_high": "high dose in 3 fractions (24–30 Gy)",
    "hypofractionated_low": "low dose in 5–6 fractions (18–36 Gy)",
    "none": "no SBRT",
    "cox": "Cox model",
    "forest": "random survival forest",
    "crude_proportion": "share of patients, whatever their follow-up",
    "cumulative_incidence": "cumulative incidence, death competing",
    "kaplan_meier_complement": "1 − Kaplan–Meier",
    "kaplan_meier": "Kaplan–Meier probability",
    "kaplan_meier_median": "Kaplan–Meier median",
    "median_among_observed": "median among those it applies to",
    "mean_among_observed": "mean among those it applies to",
    "mean_sd": "mean ± standard deviation",
    "sign": "direction of an effect",
    "null": "absence of an effect",
    "alone": "surgery alone",
    "above_6": "more than 6",
    "female": "women",
    "surgery_sbrt": "surgery + SBRT",
    "surgery_radiotherapy": "surgery + radiotherapy",
    "radiotherapy": "radiotherapy alone",
    "sbrt_alone": "SBRT alone",
    "single_fraction": "of them after a single fraction",
    "construct_levels_above_6": "construct longer than 6 levels",
    "embolisation": "preoperative embolisation",
    "follow_up_survived": "follow-up of survivors",
    "follow_up_survived_sd": "follow-up of survivors (standard deviation)",
    "follow_up_died": "follow-up of those who died",
    "follow_up_alive_without_progression": "follow-up of those alive without local progression",
    "local_progression_crude": "local progression, share of patients",
    "kps_tilt": "shift of the Karnofsky scores",
    "separation_below_3mm": "separation below 3 mm",
    "local_progression": "local progression",
    "vas_decrease": "decrease of the pain score (VAS)",
    "vas_decrease_sd": "decrease of the pain score (VAS, standard deviation)",
    "vas_decrease_median": "decrease of the pain score (VAS), median",
    "vas_before": "pain score (VAS) before treatment",
    "vas_after": "pain score (VAS) after surgery",
    "vas_after_sd": "pain score (VAS) after surgery (standard deviation)",
    "vas_after_sbrt": "pain score (VAS) after SBRT",
    "vas_after_sbrt_sd": "pain score (VAS) after SBRT (standard deviation)",
    "pain_relief": "relief of pain",
    "blood_loss_ml": "blood loss (mL)",
    "operation_hours": "operation time (hours)",
    "bed_rest": "days in bed after the operation",
    "bed_rest_days": "days in bed after the operation",
    "hospital_stay": "days in hospital after the operation",
    "hospital_stay_days": "days in hospital after the operation",
    "blood_loss_sd": "blood loss (standard deviation)",
    "operation_time_sd": "operation time (standard deviation)",
    "cerebrospinal_fluid_leak": "leak of cerebrospinal fluid",
    "esophagitis": "oesophagitis",
    "radiation_cord_injury": "injury of the cord by radiation",
    "fracture": "vertebral fracture",
    "time_of_fracture": "time of vertebral fracture, from SBRT",
    "fractionated": "of them after fractionated SBRT",
    "hardware_failure_early_days": "early hardware failure, day",
    "hardware_reoperation": "hardware failure operated again",
    "sbrt_start_first": "start of SBRT, earliest",
    "sbrt_start_last": "start of SBRT, latest",
    "follow_up_range_first": "follow-up, shortest",
    "follow_up_range_last": "follow-up, longest",
    "time_of_progression_range_first": "time of local progression, first",
    "time_of_progression_range_last": "time of local progression, last",
    "kps_after": "Karnofsky score after treatment",
    "muscle_strength_change": "change of muscle strength",
    "time_of_progression": "time of local progression",
    "time_of_progression_mean": "mean time of local progression",
    "time_of_progression_sd": "time of local progression (standard deviation)",
    "time_of_progression_range": "time of local progression, first to last",
    "overall_survival_median": "median overall survival",
    "follow_up_mean": "mean follow-up",
    "follow_up_range": "follow-up, shortest to longest",
    "local_control_crude": "local control, share of patients",
    "sbrt_start": "start of SBRT",
    "frankel_after": "Frankel grade after treatment",
    "primary_tumor": "primary tumour",
    "primary_tumor_share": "share of the primary tumours",
    "radiosensitive": "radiosensitive tumour",
    "os_months": "time observed, months",
    "lp_months": "time to local progression, months",
    "lp_event": "local progression",
    "hardware_months": "time to hardware failure, months",
    "hardware_event": "hardware failure",
    "fracture_months": "time to vertebral fracture, months",
    "fracture_event": "vertebral fracture",
    "sbrt_start_months": "start of SBRT, months after surgery",
    "first": "first case",
    "second": "second case",
}


def readable(name: str) -> str:
    """Return a column or quantity name as words."""
    if name in KNOWN_NAMES:
        return KNOWN_NAMES[name]
    words = name.replace("follow_up", "follow-up").replace("_", " ").split(" ")
    return " ".join(ABBREVIATIONS.get(word, word) for word in words)


def readable_text(text: str) -> str:
    """Return a text with the column names in it as words."""
    text = re.sub(r"\bseparation_mm < (\S+?)(?=[,;.]?(?:\s|$))", r"separation below \1 mm", text)
    words = r"\b(?:[a-z]+(?:_[a-z0-9]+)+|kps|sbrt|embolization|complication)\b"
    return re.sub(words, lambda m: _in_text(m[0]), text)


def _in_text(name: str) -> str:
    return ABBREVIATIONS.get(name) or readable(name)


def term_name(term: str, label: str, terms: Collection[str] = ()) -> str:
    """Return the name of a column of a design.

    Parameters
    ----------
    term
        Its identifier, e.g. ``kps``, ``dose_regimen=single_24`` or ``separation_mm < 3``.
    label
        Its name where the identifier is not one of the usual columns.
    terms
        Identifiers of the whole design: beside dose regimens, SBRT means that at the reference.
    """
    if term == "sbrt" and any(other.startswith("dose_regimen=") for other in terms):
        return f"SBRT at {KNOWN_NAMES[REFERENCE_REGIMEN]}, against none"
    column, equals, level = term.partition("=")
    if equals and column == "dose_regimen" and level in KNOWN_NAMES:
        return f"{KNOWN_NAMES[level]}, against low dose"
    column, below, limit = term.partition(" < ")
    if below and column == "separation_mm":
        return f"separation below {limit} mm"
    return KNOWN_NAMES.get(term, label)


def plain_terms(text: str) -> str:
    """Return a text with the terms of the simulation in the words of these pages."""
    for term, words in TERMS.items():
        text = text.replace(term, words)
    return house_style(text)


def house_style(text: str) -> str:
    """Return a text with the signs of these pages: ``24–30``, ``27.8%``, ``±``, a true minus."""
    text = RANGE.sub(r"\1–\2", text.replace("+-", "±"))
    text = MINUS.sub("−", GRADES.sub(r"\1–\2", text))
    return re.sub(r"(?<=\d) %", "%", text).replace("Kaplan-Meier", "Kaplan–Meier")
