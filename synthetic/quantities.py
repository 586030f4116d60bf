"""The quantities that the illness-death model answers, and how each may be measured."""

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
    """

    meaning: str
    estimands: Mapping[str, Units]


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
    """Return the quantity of a name; None where the model knows none."""
    horizon = at_a_month(name)
    return AT_THE_END.get(name) if horizon is None else AT_A_MONTH[horizon[0]]


def quantity_names() -> tuple[str, ...]:
    """Return the names of all quantities; ``<k>`` stands for any number of months."""
    return (*(f"{name}_<k>m" for name in AT_A_MONTH), *AT_THE_END)
