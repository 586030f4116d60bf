"""Two arms in words and in counts of a hundred patients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from outcomes.endpoints import get_endpoint
from outcomes.reports.content import IconGroup, IconRow, Icons, Style
from outcomes.reports.summary_common import arm_at
from outcomes.reports.wording import interval, of_100

if TYPE_CHECKING:
    from outcomes.comparison import ArmCurve, Comparison

STYLES: tuple[Style, Style] = ("control", "treated")


def group_words(comparison: Comparison) -> tuple[str, str]:
    """Return how the control and the treated arm are spoken of within a sentence."""
    if comparison.treatment == "sbrt":
        return "after surgery alone", "after surgery with SBRT"
    control, treated = arms(comparison)
    return f"in the group “{control.label}”", f"in the group “{treated.label}”"


def treatment_name(comparison: Comparison) -> str:
    """Return the name of the treatment within a sentence."""
    return "SBRT" if comparison.treatment == "sbrt" else arms(comparison)[1].label


def arms(comparison: Comparison) -> tuple[ArmCurve, ArmCurve]:
    """Return the arms, control first."""
    first, second = comparison.arms
    return (second, first) if first.arm == "treated" else (first, second)


def is_survival(comparison: Comparison) -> bool:
    """Whether the curves show survival; otherwise they show a cumulative incidence."""
    return not get_endpoint(comparison.endpoint).has_competing_events


def headline(comparison: Comparison) -> str:
    """Return one sentence of absolute risks for an endpoint."""
    horizon = comparison.horizons[0]
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
    """Return a hundred patients of each arm at the first horizon, for each endpoint."""
    groups = []
    for comparison in comparisons:
        horizon = comparison.horizons[0]
        survival = is_survival(comparison)
        arrays = []
        for curve, style in zip(arms(comparison), STYLES, strict=True):
            estimate = arm_at(curve, horizon, start=1.0 if survival else 0.0)
            if estimate is not None:
                arrays.append(
                    Icons(
                        title=curve.label,
                        style=style,
                        marked=of_100(estimate.value),
                        marked_text=f"alive at {horizon:g} months"
                        if survival
                        else f"with local progression by {horizon:g} months",
                        rest_text="have died" if survival else "without it, alive or dead",
                        note=interval(estimate, 0, scale=100),
                    )
                )
        if len(arrays) == 2:
            groups.append(IconGroup(headline(comparison), tuple(arrays)))
    if not groups:
        return None
    return IconRow(
        groups=tuple(groups),
        caption="Each circle is one of 100 patients. Survival by Kaplan–Meier; local progression "
        "(the tumour grows again at the operated site) as cumulative incidence, with death "
        "competing. Not adjusted for differences between the groups. 95% CI: the range in which "
        "the true value plausibly lies.",
    )
