"""Numbers as readers see them. The only place that rounds."""

import math
import re
from typing import TypeGuard

from outcomes.estimate import Estimate

NONE = "–"
INTERVAL = "95% CI"


def known(number: float | None) -> TypeGuard[float]:
    """Whether a number is there and finite."""
    return number is not None and math.isfinite(number)


def number(value: float | None, digits: int = 1) -> str:
    """Return a number with a true minus sign, or a dash where there is none."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def plain(value: float | None) -> str:
    """Return a number with as many digits as it was given with."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{value:.6g}".replace("-", "−")


def percent(share: float | None, digits: int = 0) -> str:
    """Return a share between 0 and 1 as a percentage."""
    return f"{number(100 * share, digits)}%" if known(share) else NONE


def of_100(share: float) -> int:
    """Return how many of 100 patients a share is."""
    return math.floor(100 * min(max(share, 0.0), 1.0) + 0.5)


def interval(estimate: Estimate, digits: int = 1, *, scale: float = 1.0, unit: str = "") -> str:
    """Return ``95% CI a to b``; empty where the limits do not exist."""
    if not (known(estimate.lower) and known(estimate.upper)):
        return ""
    lower, upper = number(scale * estimate.lower, digits), number(scale * estimate.upper, digits)
    return f"{INTERVAL} {lower} to {upper}{unit}"


def limits(lower: float | None, upper: float | None, digits: int = 1, scale: float = 1.0) -> str:
    """Return ``a to b`` or a dash."""
    if lower is None or upper is None or not (known(lower) and known(upper)):
        return NONE
    return f"{number(scale * lower, digits)} to {number(scale * upper, digits)}"


def with_limits(estimate: Estimate | None, digits: int = 2, scale: float = 1.0) -> str:
    """Return ``value (a to b)``, or the value alone."""
    if estimate is None or not known(estimate.value):
        return NONE
    text = number(scale * estimate.value, digits)
    if known(estimate.lower) and known(estimate.upper):
        text += f" ({limits(estimate.lower, estimate.upper, digits, scale)})"
    return text


def p_value(p: float | None) -> str:
    """Return a p value with sensible digits."""
    if p is None or not math.isfinite(p):
        return NONE
    if p < 0.001:
        return "<0.001"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def months(value: float | None, digits: int = 1) -> str:
    """Return a number of months."""
    return NONE if not known(value) else f"{number(value, digits)} months"


def count(value: int, noun: str, plural: str = "") -> str:
    """Return ``1 patient`` or ``2 patients``."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def sentence_list(items: tuple[str, ...]) -> str:
    """Return ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def readable(name: str) -> str:
    """Return a column or quantity name as words."""
    if name in KNOWN_NAMES:
        return KNOWN_NAMES[name]
    words = name.replace("follow_up", "follow-up").replace("_", " ").split(" ")
    return " ".join(ABBREVIATIONS.get(word, word) for word in words)


def readable_text(text: str) -> str:
    """Return a text with the column names in it as words."""
    return re.sub(r"\b(?:[a-z]+(?:_[a-z0-9]+)+|kps|sbrt)\b", lambda m: _in_text(m[0]), text)


def _in_text(name: str) -> str:
    return ABBREVIATIONS.get(name) or readable(name)


def as_sentence(text: str) -> str:
    """Return the text with a capital at its start and a full stop at its end."""
    return sentence_case(text if text.endswith((".", "!", "?")) else f"{text}.")


def sentence_case(text: str) -> str:
    """Return the text with its first letter in upper case and the rest untouched."""
    return text[:1].upper() + text[1:]


ABBREVIATIONS = {
    "sbrt": "SBRT",
    "vas": "pain score (VAS)",
    "kps": "KPS",
    "escc": "ESCC",
    "noms": "NOMS",
    "ct": "CT",
    "3mm": "3 mm",
    "3m": "3 months",
    "frankel": "Frankel grade",
    "sd": "(standard deviation)",
}
KNOWN_NAMES = {
    "kps": "Karnofsky score (KPS)",
    "neurologic_deficit": "neurological deficit",
    "progressive_systemic_disease": "progressive systemic disease",
    "systemic_therapy_after": "systemic therapy after surgery",
    "embolization": "preoperative embolisation",
    "complication": "postoperative complication",
    "sbrt": "SBRT after surgery",
    "dose_regimen": "dose regimen",
    "separation_mm": "separation distance, mm",
    "overall-survival": "Overall survival",
    "local-control": "Local control",
    "hardware-failure": "Hardware failure",
    "single_24": "single fraction, 24 Gy",
    "hypofractionated_high": "high dose in 3 fractions (24–30 Gy)",
    "hypofractionated_low": "lower dose in 5–6 fractions (18–36 Gy)",
    "none": "no SBRT",
    "cox": "Cox model",
    "forest": "random survival forest",
    "crude_proportion": "share of patients, whatever their follow-up",
    "cumulative_incidence": "cumulative incidence, death competing",
    "kaplan_meier_complement": "1 − Kaplan–Meier",
    "kaplan_meier": "Kaplan–Meier probability",
    "kaplan_meier_median": "Kaplan–Meier median",
    "median_among_observed": "median among those with the event",
    "mean_among_observed": "mean among those with the event",
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
    "single_fraction": "single fraction",
    "construct_levels_above_6": "construct longer than 6 levels",
    "first": "first case",
    "second": "second case",
}
