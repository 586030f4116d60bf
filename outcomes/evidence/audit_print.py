"""One number printed twice: under two meanings, with two values, against its own words."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from outcomes.evidence.audit_follow_up import average_follow_up
from outcomes.evidence.figure import Evidence, External, Figure
from outcomes.evidence.finding import IMPROBABLE, Finding
from outcomes.evidence.printed import (
    ROUNDING,
    arm_sizes,
    chance,
    counts_of,
    decimals,
    half_unit,
    listed,
    name,
    same_number_elsewhere,
    sentence,
    shown,
    whole_of,
)

TIME_UNITS = ("days", "weeks", "months", "years")
AVERAGES = ("mean_sd", "mean_among_observed", "median_among_observed", "kaplan_meier_median")
SMALLER = ("less", "lower", "fewer", "shorter", "smaller", "reduced", "decreased")
LARGER = ("more", "higher", "greater", "longer", "larger", "increased")
VALUE = r"(\d+(?:\.\d+)?)(?:\s*±\s*\d+(?:\.\d+)?)?\s*(%|[A-Za-z]+)?"
COMPARED = re.compile(
    rf"\b({'|'.join((*SMALLER, *LARGER))})\b([^().,;]{{0,60}})\(\s*{VALUE}\s+(?:vs\.?|versus)\s+"
    rf"{VALUE}\s*\)",
    re.IGNORECASE,
)


def second_prints(evidence: Evidence) -> Iterator[Finding]:
    """Find figures whose second print (`same_as`) has another value."""
    for figure in evidence.figures:
        if not figure.same_as or same_number_elsewhere(evidence, figure) is not None:
            continue
        first = evidence.figure(figure.same_as)
        if not _differ(first, figure):
            continue
        tables = ["table" in f.source.lower() for f in (first, figure)]
        arms = arm_sizes(evidence, first.study).values()
        size = first.id in {arm.id for arm in arms}
        check = "two-sizes" if size else "two-prints"
        if tables[0] != tables[1] and not size:
            check = "text-against-table"
        words = f"{sentence(name(first))}: {shown(first)} ({first.source}), but {shown(figure)} "
        words += f"({figure.source}) for the same {first.n or ''} {'patients' if first.n else ''}"
        words = words.rstrip() + "."
        if size:
            words = f"{sentence(name(first))} is given {shown(first)} and again {shown(figure)} "
            words += f"({figure.source}).{_which_adds_up(evidence, first, figure)}"
        yield Finding(
            check,
            "contradiction",
            figure.study,
            tuple(dict.fromkeys((first.id, figure.id, *_others(first, arms, size)))),
            words,
            {"first": first.value or 0.0, "second": figure.value or 0.0},
        )


def _others(first: Figure, arms: Iterable[Figure], size: bool) -> list[str]:
    """Return the identifiers of the other arms' sizes, where sizes are compared."""
    return [arm.id for arm in arms if size and whole_of(arm) == whole_of(first)]


def _differ(first: Figure, second: Figure) -> bool:
    pairs = [(getattr(first, key), getattr(second, key)) for key in ("value", "sd", "low", "high")]
    return any(
        a is not None
        and b is not None
        and abs(a - b)
        > half_unit(a, first.statement) + half_unit(b, second.statement) - _exact(a, b) + ROUNDING
        for a, b in pairs
    )


def _exact(a: float, b: float) -> float:
    """Return 1 for whole numbers, which are not rounded."""
    return 1.0 if a == int(a) and b == int(b) else 0.0


def _which_adds_up(evidence: Evidence, first: Figure, second: Figure) -> str:
    """Tell which of two sizes of an arm adds up with the other arms."""
    arms = [
        f
        for f in arm_sizes(evidence, first.study).values()
        if f.id != first.id and whole_of(f) == whole_of(first)
    ]
    total = first.n or evidence.study(first.study).n
    if total is None or not arms:
        return ""
    rest = sum(f.value or 0.0 for f in arms)
    fits = [f for f in (first, second) if rest + (f.value or 0.0) == total]
    if len(fits) != 1:
        return ""
    right = fits[0].value or 0.0
    wrong = (second if fits[0] is first else first).value or 0.0
    others = " + ".join(f"{f.value:.0f}" for f in arms)
    return (
        f" Only {right:.0f} adds up with the others: {right:.0f} + {others} = {total}; with "
        f"{wrong:.0f} it would be {rest + wrong:.0f}."
    )


def meanings(evidence: Evidence) -> Iterator[Finding]:
    """Find one average time that stands in two places for two different times.

    Two registry readings of one print (same source, same words) are no second meaning. Where the
    groups' medians make one of the meanings improbable, the finding takes that probability.
    """
    improbable = {
        finding.figures[0]: finding.probability or 0.0
        for finding in average_follow_up(evidence)
        if finding.severity == "improbable"
    }
    groups: dict[tuple[str, str, str, float], list[Figure]] = defaultdict(list)
    for figure in evidence.figures:
        if figure.estimand not in AVERAGES or figure.unit not in TIME_UNITS or figure.same_as:
            continue
        if figure.value and len(f"{figure.value:g}".replace(".", "").strip("0")) > 1:
            groups[figure.study, figure.arm, figure.unit, figure.value].append(figure)
    for (study, *_), group in groups.items():
        prints: dict[tuple[str, str], Figure] = {}
        for figure in group:
            prints.setdefault((figure.source, figure.statement), figure)
        if len(prints) < 2 or len({_stem(figure) for figure in prints.values()}) < 2:
            continue
        told = listed(f"{name(figure)} ({figure.source})" for figure in prints.values())
        words = f"{shown(group[0])} stand for {told}."
        excluded = [figure for figure in group if figure.id in improbable]
        probability = improbable[excluded[0].id] if excluded else None
        if probability is not None:
            words += (
                f" As {name(excluded[0])} the number has a probability of {chance(probability)} at "
                "most beside the other times of the study, over hazards of Weibull kind, so it "
                "belongs to the other meaning."
            )
        else:
            words += " Which is meant cannot be told, and both may be."
        yield Finding(
            "two-meanings",
            "reading" if probability is None else "improbable",
            study,
            tuple(figure.id for figure in group),
            words,
            {"value": group[0].value or 0.0},
            probability,
        )


def _stem(figure: Figure) -> str:
    for ending in ("_mean", "_median"):
        if figure.quantity.endswith(ending):
            return figure.quantity.removesuffix(ending)
    return figure.quantity


def primary_studies(evidence: Evidence) -> Iterator[Finding]:
    """Find figures that another publication, usually the study's own, prints otherwise."""
    figures = {figure.id: figure for figure in evidence.figures}
    apart: dict[tuple[str, str], list[tuple[Figure, External, float]]] = defaultdict(list)
    for external in evidence.externals:
        figure = figures.get(external.figure or external.complement_of)
        if figure is None or figure.value is None or external.value is None:
            continue
        value = 100 - external.value if external.complement_of else external.value
        half = half_unit(external.value, external.fact)
        half += half_unit(figure.value, figure.statement)
        # Counts are not rounded.
        if abs(value - figure.value) > (0 if figure.estimand == "count" else half) + ROUNDING:
            apart[figure.study, external.source].append((figure, external, value))
    for (study, source), pairs in apart.items():
        told = "; ".join(
            f"{name(figure)} {_external(external, figure, value)} against {_here(figure)}"
            for figure, external, value in pairs
        )
        yield Finding(
            "primary-study",
            "contradiction",
            study,
            tuple(name for figure, external, _ in pairs for name in (figure.id, external.id)),
            f"{source}: {told}.",
            {figure.id: (figure.value or 0.0, value) for figure, _, value in pairs},
        )
    yield from _borrowed(evidence, figures)


def _here(figure: Figure) -> str:
    return f"{figure.value:.0f} here" if figure.estimand == "count" else f"{shown(figure)} here"


def _external(external: External, figure: Figure, value: float) -> str:
    unit = "%" if figure.unit == "percent" else f" {figure.unit}"
    unit = "" if figure.estimand == "count" else unit
    digits = decimals(external.value or 0.0, external.fact)
    text = f"{value:.{digits}f}{unit}"
    return f"{text} (100 less {external.value:g})" if external.complement_of else text


def _borrowed(evidence: Evidence, figures: dict[str, Figure]) -> Iterator[Finding]:
    """Find numbers that stand for one thing here and for another in the primary study.

    That two different means agree to the last digit is a coincidence whose probability is at most
    the width of that digit over the standard error's density; several multiply, and each choice
    among the pairs compared is one more chance.
    """
    found: dict[tuple[str, str], list[tuple[Figure, External, float]]] = defaultdict(list)
    compared: dict[tuple[str, str], int] = defaultdict(int)
    for external in evidence.externals:
        study = external.figure.partition("/")[0]
        if not external.figure or external.figure in figures or external.value is None:
            continue
        for figure in evidence.of_study(study):
            error = figure.standard_error
            if figure.value is None or figure.unit != external.unit or not error:
                continue
            compared[study, external.source] += 1
            if figure.value != external.value:
                continue
            width = 2 * half_unit(figure.value, figure.statement)
            odds = min(width / (error * math.sqrt(2 * math.pi)), 1.0)
            found[study, external.source].append((figure, external, odds))
    for (study, source), pairs in found.items():
        choices = math.comb(compared[study, source], len(pairs))
        probability = min(choices * math.prod(odds for _, _, odds in pairs), 1.0)
        here = listed(f"{shown(f)} as {name(f)} ({f.source})" for f, _, _ in pairs)
        there = listed(f"{e.value:g} is {_quantity(e)}" for _, e, _ in pairs)
        improbable = probability < IMPROBABLE
        words = f"Printed are {here}; in {source}, {there}."
        if improbable:
            words += (
                " That different means agree to the last digit has a probability of "
                f"{chance(probability)} at most: the numbers stand in the wrong place."
            )
        yield Finding(
            "two-meanings",
            "improbable" if improbable else "reading",
            study,
            tuple(name for figure, external, _ in pairs for name in (figure.id, external.id)),
            words,
            {figure.id: odds for figure, _, odds in pairs},
            probability,
        )


def _quantity(external: External) -> str:
    words = external.figure.partition("/")[2].replace("/", ", ").replace("_", " ")
    return re.sub(r"\b(vas|sbrt|kps)\b", lambda match: match[0].upper(), words)


def order_of_words(evidence: Evidence) -> Iterator[Finding]:
    """Find ``less … (A vs B)`` with A above B, and the like."""
    told = set()
    for figure in evidence.figures:
        for match in COMPARED.finditer(figure.statement):
            word, _, first_text, first_unit, second_text, _ = match.groups()
            first, second = float(first_text), float(second_text)
            smaller = word.lower() in SMALLER
            key = (figure.study, match[0])
            if first == second or (first < second) == smaller or key in told:
                continue
            told.add(key)
            touched = [
                other.id
                for other in evidence.of_study(figure.study)
                if match[0] in other.statement and other.value in (first, second)
            ]
            words = (
                f"“{match[0]}” ({figure.source}): the words say the first is "
                f"{'smaller' if smaller else 'larger'}, the numbers say it is "
                f"{'larger' if smaller else 'smaller'} ({first_text} against {second_text})."
            )
            numbers = {"first": first, "second": second}
            if first_unit == "%":
                words += _sizes_behind(evidence, figure.study, first_text, second_text)
            yield Finding(
                "words-against-numbers",
                "contradiction",
                figure.study,
                tuple(touched or [figure.id]),
                words,
                numbers,
            )


def _sizes_behind(evidence: Evidence, study: str, first: str, second: str) -> str:
    """Tell the sizes of two arms that make both percentages counts, where only one pair does."""
    total = evidence.study(study).n
    if total is None:
        return ""
    pairs = []
    for size in range(1, total):
        counts = [
            counts_of(float(text), n, half_unit(float(text), text))
            for text, n in ((first, size), (second, total - size))
        ]
        if all(counts):
            pairs.append((counts[0][0], size, counts[1][0], total - size))
    if len(pairs) != 1:
        return ""
    ((a, n, b, m),) = pairs
    return f" Of {total} patients only {a} of {n} and {b} of {m} give these percentages."
