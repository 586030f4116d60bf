"""Two arms in words and in counts of a hundred patients."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outcomes.endpoints import get_endpoint
from outcomes.reports.charts import Style
from outcomes.reports.content import IconGroup, IconRow, Icons
from outcomes.reports.names import KNOWN_NAMES
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import arm_at, patient_count
from outcomes.reports.wording import count, interval, of_100, sentence_case

if TYPE_CHECKING:
    from outcomes.comparison import ArmCurve, Comparison, Rung

STYLES: tuple[Style, Style] = ("control", "treated")
# "Separation (mm) below 3" is read as "separation below 3 mm".
UNIT_FIRST = re.compile(r"^(.+) \((mm|cm|months|years|Gy)\) ((?:below )?\S+)")
FEW_LEFT = re.compile(r"few left under observation: (\d+) treated and (\d+) control")


def arm_label(curve: ArmCurve) -> str:
    """Return the name of an arm; levels of a column may be written with underscores."""
    known = KNOWN_NAMES.get(curve.label.lower().replace(" ", "_"))
    return sentence_case(known or UNIT_FIRST.sub(r"\1 \3 \2", curve.label.replace("_", " ")))


def few_left(comparison: Comparison, horizon: float) -> tuple[int, int] | None:
    """Return the treated and control patients left at a horizon where an arm has hardly any."""
    found = (
        few_of(rung)
        for rung in comparison.rungs
        if rung.method == "crude" and rung.horizon_months == horizon
    )
    return next((few for few in found if few is not None), None)


def few_of(rung: Rung) -> tuple[int, int] | None:
    """Return the treated and control patients left of those a rung rests on, where hardly any."""
    found = FEW_LEFT.search(rung.note)
    return None if found is None else (int(found[1]), int(found[2]))


def firm_horizons(comparison: Comparison) -> tuple[float, ...]:
    """Return the horizons at which both arms still hold enough patients to speak of."""
    return tuple(h for h in comparison.horizons if few_left(comparison, h) is None)


def nobody(comparison: Comparison) -> str:
    """Return that an arm has no patient; empty where both have."""
    for curve, words in zip(arms(comparison), group_words(comparison), strict=True):
        if not curve.n:
            return f"No patient was observed {words}: nothing can be compared."
    return ""


def few_sentence(comparison: Comparison) -> str:
    """Return which horizons are too thin; empty where none is."""
    if nobody(comparison):
        return nobody(comparison)
    left = [(h, few) for h in comparison.horizons if (few := few_left(comparison, h)) is not None]
    if not left:
        return ""
    horizon, few = left[0]
    text = f"At {horizon:g} months {still_observed(comparison, few)} still under observation"
    for horizon, few in left[1:]:
        counts = f"{few[1]} and {few[0]}" if any(few) else "nobody"
        text += f", at {horizon:g} months {counts}"
    return f"{text}."


def still_observed(comparison: Comparison, few: tuple[int, int]) -> str:
    """Return how few of the treated and of the control arm are left, with the verb."""
    n_treated, n_control = few
    if not n_treated and not n_control:
        return "nobody is"
    control, treated = group_words(comparison)
    first = f"only {n_control} {control}" if n_control else f"nobody {control}"
    second = f"{n_treated if n_control else f'only {n_treated}'} {treated}"
    return f"{first} and {second if n_treated else f'nobody {treated}'} are"


def _inside(label: str) -> str:
    """Return a label as it stands within a sentence."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


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
    return _inside(arm_label(arms(comparison)[1]))


def with_treatment(comparison: Comparison) -> str:
    """Return where a difference lies, as the end of a sentence: treated against control."""
    if comparison.treatment == "sbrt":
        return "with SBRT"
    control, treated = group_words(comparison)
    return f"{treated} than {control}"


def against(comparison: Comparison) -> str:
    """Return which group is held against which."""
    if comparison.treatment == "sbrt":
        return "with SBRT against without"
    control, treated = (arm_label(curve) for curve in arms(comparison))
    return f"“{treated}” against “{control}”"


def unit_of(comparison: Comparison, results: StudyResults) -> str:
    """Return what an endpoint counts: patients, or lesions where a patient may have several."""
    cohort = results.cohort if results.comparison_cohort is None else results.comparison_cohort
    several = patient_count(cohort) < len(cohort)
    return "lesions" if several and not is_survival(comparison) else "patients"


def compared_sentence(comparison: Comparison, results: StudyResults) -> str:
    """Return how many are in each group."""
    control, treated = arms(comparison)
    words = group_words(comparison)
    patients = count(control.n, unit_of(comparison, results).removesuffix("s"))
    text = f"Compared are {patients} {words[0]} and {treated.n:,} {words[1]}."
    complete = comparison.complete
    if complete is not None and sum(complete) < control.n + treated.n:
        text += (
            f" Like with like rests on the {complete[1]:,} and {complete[0]:,} of them whose "
            "characteristics are all known."
        )
    return text


def arms(comparison: Comparison) -> tuple[ArmCurve, ArmCurve]:
    """Return the arms, control first."""
    first, second = comparison.arms
    return (second, first) if first.arm == "treated" else (first, second)


def is_survival(comparison: Comparison) -> bool:
    """Whether the curves show survival; otherwise they show a cumulative incidence."""
    return not get_endpoint(comparison.endpoint).has_competing_events


def headline(comparison: Comparison, unit: str = "patients") -> str:
    """Return one sentence of absolute risks for an endpoint, not adjusted."""
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
        f"Not adjusted: of 100 {unit}, {of_100(control.value)} {verb} at {horizon:g} months "
        f"{words[0]}, {of_100(treated.value)} {words[1]}."
    )


def icon_row(results: StudyResults) -> IconRow | None:
    """Return a hundred patients of each arm at the first firm horizon, for each endpoint."""
    groups, survivals, units = [], [], []
    for comparison in results.comparisons.values():
        firm = firm_horizons(comparison)
        if not firm:
            continue
        horizon = firm[0]
        survival = is_survival(comparison)
        unit = unit_of(comparison, results)
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
            groups.append(IconGroup(headline(comparison, unit), tuple(arrays)))
            survivals.append(survival)
            units.append(unit)
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
        caption=f"Each circle is one of 100 {' or '.join(dict.fromkeys(units))}. "
        f"{' '.join(methods)} The groups as they stand: not adjusted for differences between them.",
    )
