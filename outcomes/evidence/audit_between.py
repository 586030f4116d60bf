"""Hazards of death between studies."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from outcomes.evidence.figure import Evidence, Figure
from outcomes.evidence.finding import IMPROBABLE, Finding
from outcomes.evidence.printed import chance

LOG_2 = math.log(2)


@dataclass(frozen=True)
class _Hazard:
    """Deaths a patient and month in a group, between two limits, with the log's standard error."""

    study: str
    figures: tuple[str, ...]
    low: float
    high: float
    error: float


def between(evidence: Evidence) -> Iterator[Finding]:
    """Find hazards of death that a common baseline hazard does not allow.

    Cochran's Q of the log hazards, at the common hazard that makes it smallest (Cochran WG. The
    combination of estimates from different experiments. Biometrics. 1954;10(1):101-129). A hazard
    known between limits counts with the nearer one.
    """
    hazards = [h for study in evidence.studies for h in _hazards(evidence, study.id)]
    studies = {hazard.study for hazard in hazards}
    if len(studies) < 2:
        return
    low = np.log([hazard.low for hazard in hazards])
    high = np.log([hazard.high for hazard in hazards])
    error = np.array([hazard.error for hazard in hazards])
    common = np.linspace(low.min(), high.max(), 2_001)[:, None]
    apart = np.maximum(np.maximum(low - common, common - high), 0.0) / error
    statistics = (apart**2).sum(axis=1)
    smallest = float(statistics.min())
    probability = float(stats.chi2.sf(smallest, len(hazards) - 1))
    if probability >= IMPROBABLE:
        return
    by_study: dict[str, list[_Hazard]] = {}
    for hazard in hazards:
        by_study.setdefault(hazard.study, []).append(hazard)
    order = sorted(by_study, key=lambda name: -max(hazard.high for hazard in by_study[name]))
    told = "; ".join(
        f"{evidence.study(name).title} {' and '.join(_per_hundred(h) for h in by_study[name])}"
        for name in order
    )
    yield Finding(
        "between-studies",
        "reading",
        "",
        tuple(dict.fromkeys(name for hazard in hazards for name in hazard.figures)),
        f"Deaths in 100 patient-months: {told}. That one hazard of death lies behind all has a "
        f"probability of {chance(probability)} at most, so each study keeps its own.",
        {
            "q": smallest,
            "degrees_of_freedom": float(len(hazards) - 1),
            "ratio": math.exp(float(low.max() - high.min())),
        },
        probability,
    )


def _per_hundred(hazard: _Hazard) -> str:
    if hazard.low == hazard.high:
        return f"{100 * hazard.low:.1f}"
    return f"{100 * hazard.low:.1f}-{100 * hazard.high:.1f}"


def _hazards(evidence: Evidence, study: str) -> list[_Hazard]:
    """Return the hazards of a study's groups, from the first of three kinds of figures it has."""
    figures = [f for f in evidence.of_study(study) if f.value and f.n and not f.same_as]
    counted = _from_times(figures)
    if counted is not None:
        return [counted]
    medians = [f for f in figures if f.estimand == "kaplan_meier_median"]
    shares = [f for f in figures if f.estimand == "kaplan_meier"]
    kinds = ((medians, _from_median), (shares, _from_share))
    for found, make in kinds:
        groups = [f for f in found if f.quantity.startswith("overall_survival")]
        groups = [f for f in groups if f.arm] or groups
        if groups:
            deaths = {f.n: f.value for f in figures if f.quantity == "deaths"}
            return [make(figure, deaths) for figure in groups]
    return []


def _from_times(figures: list[Figure]) -> _Hazard | None:
    """Return deaths over the months of all, where medians of all groups are printed.

    A group's mean time lies between its median (symmetric) and median / log 2 (exponential).
    """
    groups = [f for f in figures if f.part_of and f.estimand == "median_among_observed"]
    groups = [f for f in groups if f.unit == "months"]
    dead = [f for f in groups if "death" in f.quantity or "died" in f.quantity]
    if not dead or len({f.part_of for f in groups}) != 1:
        return None
    deaths = sum(f.n or 0 for f in dead)
    months = sum((f.n or 0) * (f.value or 0.0) for f in groups)
    low, high = deaths * LOG_2 / months, deaths / months
    return _Hazard(dead[0].study, tuple(f.id for f in groups), low, high, 1 / math.sqrt(deaths))


def _from_median(figure: Figure, deaths: dict[int | None, float | None]) -> _Hazard:
    hazard = LOG_2 / (figure.value or 1.0)
    n = figure.n or 1
    # By the median half have died; fewer where fewer deaths are printed.
    printed = [n * (count or 0.0) / (size or 1) for size, count in deaths.items()]
    events = max(min([n / 2, *printed]), 1.0)
    return _Hazard(figure.study, (figure.id,), hazard, hazard, 1 / math.sqrt(events))


def _from_share(figure: Figure, deaths: dict[int | None, float | None]) -> _Hazard:
    n = figure.n or 1
    alive = min(max((figure.value or 0.0) / 100, 0.5 / n), 1 - 0.5 / n)
    hazard = -math.log(alive) / (figure.at_month or 1.0)
    # Greenwood's variance of the log hazard without censoring, which only adds to it.
    error = math.sqrt((1 - alive) / (alive * n)) / -math.log(alive)
    return _Hazard(figure.study, (figure.id,), hazard, hazard, error)
