"""The bias laboratory: whether the ladder of comparisons recovers a truth that is known."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outcomes.laboratory.performance import Measured, Performance, measure_performance
    from outcomes.laboratory.recovery import Recovered, Recovery, RecoveryPlan
    from outcomes.laboratory.scenario import SCENARIOS, Scenario, get_scenario
    from outcomes.laboratory.words import recovery_tables, recovery_words

__all__ = [
    "SCENARIOS",
    "Measured",
    "Performance",
    "Recovered",
    "Recovery",
    "RecoveryPlan",
    "Scenario",
    "get_scenario",
    "measure_performance",
    "recovery_tables",
    "recovery_words",
]

_HOMES = {
    "SCENARIOS": "scenario",
    "Measured": "performance",
    "Performance": "performance",
    "Recovered": "recovery",
    "Recovery": "recovery",
    "RecoveryPlan": "recovery",
    "Scenario": "scenario",
    "get_scenario": "scenario",
    "measure_performance": "performance",
    "recovery_tables": "words",
    "recovery_words": "words",
}


def __getattr__(name: str) -> Any:
    """Import pandas and scipy only when something needs them."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
