"""The quantities that the simulation answers, and how each may be measured."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

Units = tuple[str, ...]

SHARE: Mapping[str, Units] = {
    "crude_proportion": ("percent",),
    "count": ("patients", "lesions"),
}
TIME: Mapping[str, Units] = {
    "median_among_observed": ("months",),
    "mean_among_observed": ("months",),
}
SPREAD: Mapping[str, Units] = {"mean_sd": ("months",)}
SIZE: Mapping[str, Units] = {"count": ("patients", "lesions")}


@dataclass(frozen=True)
class Quantity:
    """A quantity.

    Attributes
    ----------
    meaning
        What it is, in a few words.
    estimands
        The estimands it may have, and the units of each.
    arms
        Names that may stand for an arm of the design; empty where only those arms may.
    silent
        Whether it may be printed without the number of patients it rests on.
    """

    meaning: str
    estimands: Mapping[str, Units]
    arms: Units = ()
    silent: bool = False

    @property
    def units(self) -> Units:
        """Units of the first estimand."""
        return next(iter(self.estimands.values()))


# Measured at a month that the name ends with, e.g. ``overall_survival_24m``.
AT_A_MONTH: Mapping[str, Quantity] = {
    "overall_survival": Quantity("alive at month k", {"kaplan_meier": ("percent",)}),
    "local_progression": Quantity(
        "local progression by month k (cumulative_incidence: death competes; "
        "kaplan_meier_complement: deaths are censored)",
        {"cumulative_incidence": ("percent",), "kaplan_meier_complement": ("percent",)},
    ),
    "local_control": Quantity(
        "no local progression by month k, deaths censored", {"kaplan_meier": ("percent",)}
    ),
}
AT_THE_END: Mapping[str, Quantity] = {
    "overall_survival_median": Quantity("median survival", {"kaplan_meier_median": ("months",)}),
    "deaths": Quantity("seen to die", SHARE),
    "survivors": Quantity("alive when last seen", SHARE),
    "local_progression_crude": Quantity("seen to progress locally", SHARE),
    "local_control_crude": Quantity("not seen to progress locally, dead or alive", SHARE),
    "died_without_progression": Quantity("seen to die without local progression", SHARE),
    "alive_without_progression": Quantity("alive without local progression when last seen", SHARE),
    "time_of_progression": Quantity("month of the local progressions seen", TIME),
    "time_of_progression_mean": Quantity(
        "the mean of it, beside a median", {"mean_among_observed": ("months",)}
    ),
    "time_of_progression_sd": Quantity("the standard deviation of it", SPREAD),
    "time_of_death_without_progression": Quantity(
        "month of the deaths seen without local progression", TIME
    ),
    "follow_up_died": Quantity("month of the deaths seen", TIME),
    "follow_up_survived": Quantity("follow-up of those alive when last seen", TIME),
    "follow_up_survived_sd": Quantity("the standard deviation of it", SPREAD),
    "follow_up_alive_without_progression": Quantity(
        "follow-up of those alive without local progression", TIME
    ),
    "follow_up_median": Quantity(
        "median follow-up of all (median_among_observed: to death or last seen; "
        "kaplan_meier_median: reverse Kaplan-Meier, deaths censored)",
        {"median_among_observed": ("months",), "kaplan_meier_median": ("months",)},
    ),
    "follow_up_mean": Quantity(
        "mean follow-up of all, to death or last seen", {"mean_among_observed": ("months",)}
    ),
    "patients": Quantity("size of an arm", SIZE),
    "lesions": Quantity("size of an arm in lesions", SIZE),
    "dose_regimen": Quantity("size of an arm by dose regimen", SIZE),
    "hardware_failure": Quantity("seen to have a hardware failure", SHARE),
    "hardware_failure_after_3m": Quantity("of these, after month 3", SHARE),
}


def _score(meaning: str, unit: str) -> Quantity:
    return Quantity(meaning, {"mean_sd": (unit,), "mean_among_observed": (unit,)}, silent=True)


def _share(meaning: str) -> Quantity:
    return Quantity(meaning, SHARE)


# Means of what a patient has a number of.
SCORES: Mapping[str, Quantity] = {
    "vas_before": _score("pain before treatment", "points"),
    "vas_after": _score("pain after surgery", "points"),
    "vas_after_sbrt": _score("pain after SBRT", "points"),
    "vas_decrease": _score("decrease of pain after surgery", "points"),
    "blood_loss": _score("blood loss", "mL"),
    "operation_time": _score("duration of the operation", "hours"),
    "bed_rest": _score("bed rest after the operation", "days"),
    "hospital_stay": _score("stay in hospital after the operation", "days"),
}
_FRACTURE = Quantity(
    "seen to have a vertebral fracture; as arm also single_fraction or fractionated, out of the "
    "patients with a fracture",
    SHARE,
    arms=("single_fraction", "fractionated"),
)
# What follows from the registry alone: no parameter of the illness-death model is solved for it.
AROUND_TREATMENT: Mapping[str, Quantity] = {
    **SCORES,
    **{
        f"{name}_sd": Quantity(f"standard deviation of {name}", {"mean_sd": score.units})
        for name, score in SCORES.items()
    },
    "vas_decrease_median": Quantity("median of it", {"median_among_observed": ("points",)}),
    "pain_relief": _share("relief of pain"),
    "frankel_improved": _share("better Frankel grade"),
    "frankel_stable": _share("same Frankel grade"),
    "frankel_worse": _share("worse Frankel grade"),
    "muscle_strength_recovered": _share("muscle strength reported as recovered"),
    "muscle_strength_unchanged": _share("muscle strength reported as unchanged"),
    "muscle_strength_decreased": _share("muscle strength reported as decreased"),
    "complication": _share("postoperative complication of any kind"),
    "wound_infection": _share("wound infection"),
    "deep_infection": _share("deep infection"),
    "cerebrospinal_fluid_leak": _share("leak of cerebrospinal fluid"),
    "radiation_myelopathy": _share("damage of the cord by radiation"),
    "radiation_cord_injury": _share("the same"),
    "esophagitis": _share("oesophagitis after SBRT"),
    "fracture": _FRACTURE,
    "vertebral_compression_fracture": _FRACTURE,
    "time_of_fracture": Quantity(
        "month of the fractures seen, from SBRT", {"mean_among_observed": ("months",)}
    ),
    "hardware_reoperation": _share("failures of hardware that were operated again"),
    "hardware_failure_early_days": Quantity(
        "days of the two failures within three months, as arms first and second",
        {"mean_among_observed": ("days",)},
        arms=("first", "second"),
    ),
}
# What speaks of neither survival nor local progression.
ASIDE = (
    "patients",
    "lesions",
    "dose_regimen",
    "follow_up_median",
    "follow_up_mean",
    "hardware_failure",
    "hardware_failure_after_3m",
)

_AT_A_MONTH = re.compile(rf"({'|'.join(AT_A_MONTH)})_(\d+(?:\.\d+)?)m")


def at_a_month(name: str) -> tuple[str, float] | None:
    """Return what a name such as ``overall_survival_24m`` measures, and at which month."""
    found = _AT_A_MONTH.fullmatch(name)
    return None if found is None else (found[1], float(found[2]))


def find_quantity(name: str) -> Quantity | None:
    """Return the quantity of a name; None where the simulation knows none."""
    horizon = at_a_month(name)
    if horizon is not None:
        return AT_A_MONTH[horizon[0]]
    return AT_THE_END.get(name) or AROUND_TREATMENT.get(name)


def is_solved_for(name: str) -> bool:
    """Whether the illness-death model's parameters answer to a quantity."""
    return name in AT_THE_END or at_a_month(name) is not None


def quantity_names() -> tuple[str, ...]:
    """Return the names of all quantities; ``<k>`` stands for any number of months."""
    return (*(f"{name}_<k>m" for name in AT_A_MONTH), *AT_THE_END, *AROUND_TREATMENT)
