"""Numbers and sentences as readers see them. The only place that rounds."""

import math
from typing import TypeGuard

from outcomes.estimate import Estimate

NONE = "–"
INTERVAL = "95% CI"
# The one meaning of an interval, on every page that explains it.
INTERVAL_MEANING = (
    "95% CI (confidence interval): had the study been repeated often, 95 of 100 such intervals "
    "would hold the true value. A wide interval means that the number is uncertain."
)


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


def stacked(estimate: Estimate | None, digits: int = 2, scale: float = 1.0) -> str:
    """Return the value with its limits in a second line of a cell."""
    if estimate is None or not known(estimate.value):
        return NONE
    text = number(scale * estimate.value, digits)
    if known(estimate.lower) and known(estimate.upper):
        text += f"\n{limits(estimate.lower, estimate.upper, digits, scale)}"
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


def as_sentence(text: str) -> str:
    """Return the text with a capital at its start and a full stop at its end."""
    return sentence_case(text if text.endswith((".", "!", "?")) else f"{text}.")


def sentence_case(text: str) -> str:
    """Return the text with its first letter in upper case and the rest untouched."""
    return text[:1].upper() + text[1:]
