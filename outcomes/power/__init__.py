"""How many patients a trial or a registry needs to show what SBRT does."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outcomes.power.design import TrialDesign
    from outcomes.power.schoenfeld import (
        detectable_hazard_ratio,
        events_needed,
        patients_for_difference,
        patients_for_risks,
        patients_needed,
        power_of_events,
    )
    from outcomes.power.simulated import Scenario, simulate_power
    from outcomes.power.study import PowerPlan, PowerStudy, power_study
    from outcomes.power.words import power_table, power_words

__all__ = [
    "PowerPlan",
    "PowerStudy",
    "Scenario",
    "TrialDesign",
    "detectable_hazard_ratio",
    "events_needed",
    "patients_for_difference",
    "patients_for_risks",
    "patients_needed",
    "power_of_events",
    "power_study",
    "power_table",
    "power_words",
    "simulate_power",
]

_HOMES = {
    "PowerPlan": "study",
    "PowerStudy": "study",
    "Scenario": "simulated",
    "TrialDesign": "design",
    "detectable_hazard_ratio": "schoenfeld",
    "events_needed": "schoenfeld",
    "patients_for_difference": "schoenfeld",
    "patients_for_risks": "schoenfeld",
    "patients_needed": "schoenfeld",
    "power_of_events": "schoenfeld",
    "power_study": "study",
    "power_table": "words",
    "power_words": "words",
    "simulate_power": "simulated",
}


def __getattr__(name: str) -> Any:
    """Import pandas and scipy only when something needs them."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
