"""Two arms in words and in counts of a hundred patients."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from outcomes.endpoints import get_endpoint
from outcomes.reports.charts import Style
from outcomes.reports.content import IconGroup, IconRow, Icons
from outcomes.reports.names import KNOWN_NAMES
from outcomes.reports.summary_common import arm_at
from outcomes.reports.wording import interval, of_100, sentence_case

if TYPE_CHECKING:
    from outcomes.comparison import ArmCurve, Comparison

STYLES: tuple[Style, Style] = ("control", "treated")
FEW_LEFT = re.compile(r"few left under observation: (\d+) treated and (\d+) control")


def arm_label(curve: ArmCurve) -> str:
    """Return the name of an arm; levels of a column may be written with underscores."""
    known = KNOWN_NAMES.get(curve.label.lower().replace(" ", "_"))
    return sentence_case(known or curve.label.replace("_", " "))


def few_left(comparison: Comparison, horizon: float) -> tuple[int, int] | None:
    """Return the treated and control patients left at a horizon where an arm has hardly any."""
    for rung in comparison.rungs:
        if rung.method == "crude" and rung.horizon_months == horizon:
            found = FEW_LEFT.search(rung.note)
            if found:
                return int(found[1]), int(found[2])
    return None


def firm_horizons(comparison: Comparison) -> tuple[float, ...]:
    """Return the horizons at which both arms still hold enough patients to speak of."""
    return tuple(h for h in comparison.horizons if few_left(comparison, h) is None)


def few_sentence(comparison: Comparison) -> str:
    """Return which horizons are too thin; empty where none is."""
    parts = []
    for horizon in comparison.horizons:
        left = few_left(comparison, horizon)
        if left is not None:
            parts.append(
                f"At {horizon:g} months few are left under observation: "
                f"{left[0]} treated and {left[1]} control patients."
            )
    return " ".join(parts)


def group_words(comparison: Comparison) -> tuple[str, str]:
    """Return how the control and the treated arm are spoken of within a sentence."""
    if comparison.treatment == "sbrt":
        return "after surgery alone", "after surgery with SBRT"
    control, treated = arms(comparison)
    return f"in the group “{arm_label(control)}”", f"in the group “{arm_label(treated)}”"


def treatment_name(comparison: Comparison) -> str:
    """Return the name of the treatment within a sentence."""
    if comparison.treatment == "sbrt":
        return "SBRT"
    label = arm_label(arms(comparison)[1])
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def arms(comparison: Comparison) -> tuple[ArmCurve, ArmCurve]:
    """Return the arms, control first."""
    first, second = comparison.arms
    return (second, first) if first.arm == "treated" else (first, second)


def is_survival(comparison: Comparison) -> bool:
    """Whether the curves show survival; otherwise they show a cumulative incidence."""
    return not get_endpoint(comparison.endpoint).has_competing_events


def headline(comparison: Comparison) -> str:
    """Return one sentence of absolute risks for an endpoint."""
    firm = firm_horizons(comparison)
    if not firm:
        return f"{get_endpoint(comparison.endpoint).title}: {few_sentence(comparison)}"
    horizon = firm[0]
    survival = is_survival(comparison)
    start = 1.0 if survival else 0.0
    control, treated = (arm_at(curve, horizon, start=start) for curve in arms(comparison))
    words = group_words(comparison)
    verb = "are alive" if survival else "have had local progression"
    if control is None or treated is None:
        return (
            f"{get_endpoint(comparison.endpoint).title}: follow-up is too short to say how many "
            f"{verb} at {horizon:g} months in both groups."
        )
    return (
        f"Of 100 patients, {of_100(control.value)} {verb} at {horizon:g} months {words[0]}, "
        f"{of_100(treated.value)} {words[1]}."
    )


def icon_row(comparisons: Iterable[Comparison]) -> IconRow | None:
    """Return a hundred patients of each arm at the first firm horizon, for each endpoint."""
    groups, survivals = [], []
    for comparison in comparisons:
        firm = firm_horizons(comparison)
        if not firm:
            continue
        horizon = firm[0]
        survival = is_survival(comparison)
        arrays = []
        for curve, style in zip(arms(comparison), STYLES, strict=True):
            estimate = arm_at(curve, horizon, start=1.0 if survival else 0.0)
            if estimate is not None:
                arrays.append(
                    Icons(
                        title=arm_label(curve),
                        style=style,
                        marked=of_100(estimate.value),
                        marked_text=f"alive at {horizon:g} months"
                        if survival
                        else f"with local progression by {horizon:g} months",
                        rest_text="have died" if survival else "without it, alive or dead",
                        note=interval(estimate, 0, scale=100, unit="%"),
                    )
                )
        if len(arrays) == 2:
            groups.append(IconGroup(headline(comparison), tuple(arrays)))
            survivals.append(survival)
    if not groups:
        return None
    methods = []
    if any(survivals):
        methods.append("Survival by Kaplan–Meier.")
    if not all(survivals):
        methods.append(
            "Local progression (the tumour grows again at the operated site) as cumulative "
            "incidence, with death competing."
        )
    return IconRow(
        groups=tuple(groups),
        caption=f"Each circle is one of 100 patients. {' '.join(methods)} Not adjusted for "
        "differences between the groups.",
    )
