"""A figure as it is printed: its digits, the counts that can stand behind it, its name."""

import math
import re
from collections.abc import Iterable

from outcomes.evidence.checks import AT_A_HORIZON, PERCENTAGES
from outcomes.evidence.figure import Evidence, Figure

NUMBER = re.compile(r"\d+(?:\.\d+)?")
# A little for the binary representation of decimal fractions.
ROUNDING = 1e-9
# Quantities whose figures by arm are the arms' sizes.
SIZES = ("patients", "lesions")


def decimals(value: float, statement: str = "") -> int:
    """Return how many decimals a number is printed with.

    The published words decide where they hold the number ("9.0"); a whole number without words is
    taken to be printed without decimals, which claims the least.
    """
    for token in NUMBER.findall(statement):
        if float(token) == value:
            return len(token.partition(".")[2])
    return 0 if value == int(value) else len(repr(value).partition(".")[2])


def half_unit(value: float, statement: str = "") -> float:
    """Return half a unit of the last printed digit: how far rounding can have moved a number."""
    return 0.5 * 10.0 ** -decimals(value, statement)


def counts_of(percent: float, n: int, half: float) -> tuple[int, ...]:
    """Return the counts out of `n` that round to a percentage."""
    first = max(math.ceil((percent - half - ROUNDING) * n / 100 - ROUNDING), 0)
    last = min(math.floor((percent + half + ROUNDING) * n / 100 + ROUNDING), n)
    return tuple(range(first, last + 1))


def cut_off_count(percent: float, n: int, half: float) -> int | None:
    """Return the count whose percentage of `n` gives the printed one when cut off, not rounded."""
    count = math.ceil(percent * n / 100 - ROUNDING)
    cut = count <= n and 100 * count / n < percent + 2 * half - ROUNDING
    return count if cut else None


def possible_counts(figure: Figure) -> tuple[int, ...] | None:
    """Return the counts that can stand behind a figure; None where it is no count.

    A crude proportion whose percentage fits no count gives an empty tuple.
    """
    if figure.value is None or figure.estimand in AT_A_HORIZON:
        return None
    if figure.count is not None:
        return (figure.count,)
    if figure.estimand == "count":
        return (int(figure.value),)
    if figure.estimand == "crude_proportion" and figure.n:
        return counts_of(figure.value, figure.n, half_unit(figure.value, figure.statement))
    return None


def fits(figure: Figure, n: int) -> bool:
    """Whether a percentage is a count out of `n`, and of its own n the printed count."""
    value = figure.value or 0.0
    counts = counts_of(value, n, half_unit(value, figure.statement))
    return bool(counts) and (figure.count is None or figure.n != n or figure.count in counts)


def same_number_elsewhere(evidence: Evidence, figure: Figure) -> Figure | None:
    """Return the figure of another group that prints the same percentage and is a count of its n.

    None where the percentage is a count of its own n, too.
    """
    if figure.estimand != "crude_proportion" or not figure.n or fits(figure, figure.n):
        return None
    for other in evidence.of_study(figure.study):
        if (
            other.estimand == "crude_proportion"
            and other.value == figure.value
            and (other.arm, other.n) != (figure.arm, figure.n)
            and possible_counts(other)
        ):
            return other
    return None


def is_percentage(figure: Figure) -> bool:
    """Whether the figure is a percentage of its n patients."""
    return figure.estimand in PERCENTAGES and figure.value is not None and bool(figure.n)


def is_size(figure: Figure) -> bool:
    """Whether the figure is the size of a study or of an arm."""
    return figure.estimand == "count" and figure.quantity.rpartition("/")[2] in SIZES


def whole_of(figure: Figure) -> str:
    """Return the identifier of what a figure is a part of; "" where it is no part.

    Sizes of arms are parts of their study's size without being told.
    """
    if figure.part_of or not (is_size(figure) and figure.arm) or figure.same_as:
        return figure.part_of
    return figure.id.removesuffix(f"/{figure.arm}")


def arm_sizes(evidence: Evidence, study: str) -> dict[str, Figure]:
    """Return the figures that print how many patients (or lesions) each arm of a study has."""
    wholes = {study, *(f"{study}/{name}" for name in SIZES)}
    return {
        figure.arm: figure
        for figure in evidence.of_study(study)
        if figure.arm and figure.estimand == "count" and whole_of(figure) in wholes
    }


def printed_sizes(evidence: Evidence, study: str) -> tuple[int, ...]:
    """Return every size of a group that a study prints, in order."""
    sizes = {figure.n for figure in evidence.of_study(study)} | {evidence.study(study).n}
    sizes |= {int(figure.value or 0) for figure in arm_sizes(evidence, study).values()}
    return tuple(sorted(size for size in sizes if size))


def name(figure: Figure) -> str:
    """Return the name of a figure in words."""
    quantity = figure.quantity
    if figure.at_month is not None:
        quantity = quantity.removesuffix(f"_{figure.at_month:g}m")
    quantity = quantity.rpartition("/")[2].replace("follow_up", "follow-up")
    if quantity.endswith("_mean"):
        quantity = f"average_{quantity.removesuffix('_mean')}"
    words = quantity.replace("_", " ")
    for term in ("sbrt", "vas", "kps"):
        words = re.sub(rf"\b{term}\b", term.upper(), words)
    if figure.at_month is not None and "after" not in words:
        words += f" at {figure.at_month:g} months"
    return words + (f" ({arm_name(figure)})" if figure.arm else "")


def arm_name(figure: Figure) -> str:
    """Return the arm of a figure in words; ``all`` without one."""
    words = figure.arm.replace("surgery_sbrt", "surgery_+_sbrt").replace("_", " ") or "all"
    return re.sub(r"\bsbrt\b", "SBRT", words)


def shown(figure: Figure) -> str:
    """Return the value of a figure as printed, with its spread and unit."""
    if figure.value is None:
        return ""
    text = f"{figure.value:.{decimals(figure.value, figure.statement)}f}"
    if figure.sd is not None:
        text += f" ± {figure.sd:g}"
    return f"{text}%" if figure.unit == "percent" else f"{text} {figure.unit}".rstrip()


def chance(probability: float) -> str:
    """Return an upper limit of a probability: one digit, rounded up, at least 0.0001."""
    digits = max(-math.floor(math.log10(max(probability, 1e-4))), 1)
    return f"{math.ceil(max(probability, 1e-4) * 10**digits - ROUNDING) / 10**digits:g}"


def about(probability: float) -> str:
    """Return a probability to one digit, in words."""
    return "below 0.0001" if probability < 1e-4 else f"about {float(f'{probability:.1g}'):g}"


def listed(items: Iterable[str]) -> str:
    """Return ``a, b and c``."""
    *first, last = items
    return f"{', '.join(first)} and {last}" if first else last


def sentence(text: str) -> str:
    """Return the text with a capital at its start."""
    return text[:1].upper() + text[1:]
