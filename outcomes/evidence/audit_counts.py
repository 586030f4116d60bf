"""Counts behind percentages, and parts that add up to their whole."""

import re
from collections import defaultdict
from collections.abc import Iterator

from outcomes.evidence.checks import AT_A_HORIZON
from outcomes.evidence.figure import Evidence, Figure
from outcomes.evidence.finding import Finding, Number, Severity
from outcomes.evidence.printed import (
    ROUNDING,
    arm_name,
    arm_sizes,
    counts_of,
    cut_off_count,
    decimals,
    fits,
    half_unit,
    is_percentage,
    is_size,
    listed,
    name,
    possible_counts,
    printed_sizes,
    same_number_elsewhere,
    sentence,
    shown,
    whole_of,
)

# "17 (80%)" and "46 patients (88.5%)"
COUNT_IN_WORDS = re.compile(
    r"\b(\d+)\s*(?:patients|cases|lesions|tumou?rs)?\s*\((\d+(?:\.\d+)?)\s?%\)"
)


def grim(evidence: Evidence) -> Iterator[Finding]:
    """Find percentages that no count out of their n gives.

    Brown NJL, Heathers JAJ. The GRIM test. Soc Psychol Personal Sci. 2017;8(4):363-369.
    A count is exact, an estimate with censoring is not: for it the same arithmetic only says that
    it is no count.
    """
    estimates: dict[str, list[Figure]] = defaultdict(list)
    for figure in evidence.figures:
        if not is_percentage(figure) or fits(figure, figure.n or 0):
            continue
        if figure.estimand in AT_A_HORIZON:
            estimates[figure.study].append(figure)
        else:
            yield _no_count(evidence, figure)
    for study, group in estimates.items():
        prints = listed(f"{shown(figure)} of {figure.n}" for figure in group)
        verb = "is the percentage" if len(group) == 1 else "are percentages"
        yield Finding(
            "grim",
            "reading",
            study,
            tuple(figure.id for figure in group),
            f"{prints} {verb} of no whole number of patients: "
            f"{'an estimate' if len(group) == 1 else 'estimates'} with censoring, no "
            f"{'share' if len(group) == 1 else 'shares'} of patients counted.",
            {figure.id: (figure.value or 0) * (figure.n or 0) / 100 for figure in group},
        )


def _no_count(evidence: Evidence, figure: Figure) -> Finding:
    """Return the finding about a share of patients that is no count of its n."""
    value, n = figure.value or 0.0, figure.n or 0
    behind = value * n / 100
    below, above = int(behind), int(behind) + 1
    digits = decimals(value, figure.statement)
    near = f"{below} of {n} is {100 * below / n:.{digits}f}%, "
    near += f"{above} of {n} is {100 * above / n:.{digits}f}%" if above <= n else "all is 100%"
    numbers = {"count": behind, "n": float(n)}
    twin = same_number_elsewhere(evidence, figure)
    if twin is not None:
        (count, *_) = possible_counts(twin) or (0,)
        sizes = [size for size in printed_sizes(evidence, figure.study) if fits(figure, size)]
        others = f"of the group sizes printed, only {listed(map(str, sizes))} can give it"
        return Finding(
            "one-number-two-populations",
            "contradiction",
            figure.study,
            (figure.id, twin.id),
            f"{shown(figure)} is printed for {arm_name(twin)} (n = {twin.n}; {twin.source}) and "
            f"for {arm_name(figure)} (n = {n}; {figure.source}). It is {count} of {twin.n} but no "
            f"count of {n} ({near}); {others}.",
            {**numbers, "count_elsewhere": float(count), "n_elsewhere": float(twin.n or 0)},
        )
    cut = cut_off_count(value, n, half_unit(value, figure.statement))
    words = f"{name(figure)}: {shown(figure)} of {n} is no whole number ({behind:.1f}); {near}."
    if cut is not None:
        words = f"{words[:-1]}: {cut} of {n} with the decimals cut off instead of rounded."
    severity: Severity = "contradiction" if cut is None else "reading"
    return Finding("grim", severity, figure.study, (figure.id,), sentence(words), numbers)


def percentages_in_words(evidence: Evidence) -> Iterator[Finding]:
    """Find ``N (P%)`` in published words where P is not N out of n."""
    told = set()
    for figure in evidence.figures:
        if figure.n is None:
            continue
        counts = possible_counts(figure) or ()
        for match in COUNT_IN_WORDS.finditer(figure.statement):
            percent_words = match[2]
            count, percent = int(match[1]), float(percent_words)
            half = half_unit(percent, percent_words)
            sizes = {figure.n, *printed_sizes(evidence, figure.study)}
            right = any(count in counts_of(percent, size, half) for size in sizes)
            key = (figure.study, figure.statement, count)
            if counts != (count,) or right or key in told:
                continue
            told.add(key)
            share = 100 * count / figure.n
            cut = cut_off_count(percent, figure.n, half) == count
            yield Finding(
                "count-in-words",
                "reading" if cut else "contradiction",
                figure.study,
                (figure.id,),
                f"“{match[0]}”: {count} of {figure.n} is {share:.2f}%, so "
                f"{share:.{decimals(percent, percent_words)}f}%"
                + (
                    "; the decimals were cut off instead of rounded."
                    if cut
                    else f", and {count} of none of the group sizes printed is {percent_words}%."
                ),
                {"count": float(count), "n": float(figure.n), "percent": share},
            )


def whole_numbers_behind_means(evidence: Evidence) -> Iterator[Finding]:
    """Find mean scores that no sum of whole points gives (GRIM in its first use)."""
    broken: dict[str, list[Figure]] = defaultdict(list)
    for figure in evidence.figures:
        if figure.unit != "points" or figure.estimand not in ("mean_sd", "mean_among_observed"):
            continue
        if figure.value is None or not figure.n:
            continue
        total = figure.value * figure.n
        half = half_unit(figure.value, figure.statement) + ROUNDING
        if abs(round(total) - total) > half * figure.n:
            broken[figure.study].append(figure)
    for study, group in broken.items():
        told = listed(
            f"{name(f)}, {f.value:.{decimals(f.value or 0, f.statement)}f} of {f.n}" for f in group
        )
        yield Finding(
            "grim",
            "reading",
            study,
            tuple(figure.id for figure in group),
            f"{sentence(told)}: no sum of whole points gives such a mean of so many. The scale had "
            "finer marks than whole points, or the number of patients is another.",
            {figure.id: (figure.value or 0.0) * (figure.n or 0) for figure in group},
        )


def parts(evidence: Evidence) -> Iterator[Finding]:
    """Find parts whose counts do not add up to their whole."""
    groups: dict[str, list[Figure]] = defaultdict(list)
    for figure in evidence.figures:
        if whole_of(figure) and possible_counts(figure):
            groups[whole_of(figure)].append(figure)
    for whole, members in groups.items():
        # A study's patients can be parted in several ways: by arm, by what became of them.
        for group in _partitions(members):
            total = _total(evidence, whole, group)
            if total is None:
                continue
            options = [possible_counts(figure) or () for figure in group]
            low, high = sum(min(o) for o in options), sum(max(o) for o in options)
            if not low <= total <= high:
                yield _sum_finding(evidence, whole, group, total, (low, high))


def _partitions(members: list[Figure]) -> Iterator[list[Figure]]:
    """Part the parts of one whole: by arm where a quantity has several, else all together."""
    by_quantity: dict[str, list[Figure]] = defaultdict(list)
    for figure in members:
        by_quantity[figure.quantity].append(figure)
    yield from (group for group in by_quantity.values() if len(group) > 1)
    rest = [group[0] for group in by_quantity.values() if len(group) == 1]
    if len(rest) > 1:
        yield rest


def _total(evidence: Evidence, whole: str, group: list[Figure]) -> int | None:
    for figure in evidence.figures:
        if figure.id == whole:
            counts = possible_counts(figure)
            return counts[0] if counts and len(counts) == 1 else None
    size = evidence.study(group[0].study).n if whole == group[0].study else None
    sizes = {figure.n for figure in group}
    return size if size is not None else (sizes.pop() if len(sizes) == 1 else None)


def _sum_finding(
    evidence: Evidence, whole: str, group: list[Figure], total: int, sums: tuple[int, int]
) -> Finding:
    options = [possible_counts(figure) or () for figure in group]
    counts = [f"{min(o)}" if min(o) == max(o) else f"{min(o)}-{max(o)}" for o in options]
    found = f"{sums[0]}" if sums[0] == sums[1] else f"{sums[0]} to {sums[1]}"
    labels = [arm_name(figure) if figure.arm else name(figure) for figure in group]
    names = listed(" ".join(pair) for pair in zip(counts, labels, strict=True))
    sources = ", ".join(dict.fromkeys(figure.source for figure in group))
    words = f"{names} ({sources}) add up to {found}, not to the {total} printed for the whole."
    numbers: dict[str, Number] = {"sum": tuple(map(float, sums)), "whole": float(total)}
    touched = [figure.id for figure in group]
    touched += [whole] if any(figure.id == whole for figure in evidence.figures) else []
    if all(is_size(figure) for figure in group) and sums[0] == sums[1]:
        for figure, (size, *_) in zip(group, options, strict=True):
            mended = size + total - sums[0]
            told, ids = _mended(evidence, figure, size, mended)
            words += told
            touched += ids
    return Finding(
        "parts", "contradiction", group[0].study, tuple(dict.fromkeys(touched)), words, numbers
    )


def _mended(evidence: Evidence, figure: Figure, size: int, mended: int) -> tuple[str, list[str]]:
    """Tell which percentages of an arm speak for the size that would mend the sum."""
    if mended <= 0:
        return "", []
    speaks: dict[bool, list[str]] = {True: [], False: []}
    ids = []
    for other in evidence.of_study(figure.study):
        if other.arm != figure.arm or not is_percentage(other):
            continue
        now, then = fits(other, size), fits(other, mended)
        if now == then:
            continue
        good, bad = (mended, size) if then else (size, mended)
        half = half_unit(other.value or 0, other.statement)
        count = counts_of(other.value or 0, good, half)[0]
        speaks[then].append(f"{shown(other)} is {count} of {good} but no count of {bad}")
        ids.append(other.id)
    words = f" With {mended} instead of {size} {arm_name(figure)} the sum is right"
    if speaks[True]:
        words += f": {listed(speaks[True])}"
    if speaks[False]:
        words += f"; against it: {listed(speaks[False])}"
    return (f"{words}." if ids else ""), ids


def sizes(evidence: Evidence) -> Iterator[Finding]:
    """Find a study or an arm that is given two sizes."""
    for study in evidence.studies:
        arms = arm_sizes(evidence, study.id)
        for figure in evidence.of_study(study.id):
            if (
                figure.id == f"{study.id}/patients"
                and study.n
                and figure.value
                not in (
                    None,
                    study.n,
                )
            ):
                yield Finding(
                    "two-sizes",
                    "contradiction",
                    study.id,
                    (figure.id,),
                    f"The study has {study.n} patients; {figure.source} prints {shown(figure)}.",
                    {"study": float(study.n), "printed": float(figure.value or 0)},
                )
            size = arms.get(figure.arm)
            if size is None or size.value is None or figure.n is None or figure.same_as:
                continue
            if whole_of(figure) == whole_of(size) or figure.n <= size.value:
                continue
            yield Finding(
                "two-sizes",
                "contradiction",
                study.id,
                (figure.id, size.id),
                f"{sentence(name(figure))} rests on {figure.n}, but the arm has "
                f"{size.value:.0f} ({size.source}).",
                {"n": float(figure.n), "size": size.value},
            )
