"""Synthetic cohorts calibrated to published figures.

>>> from outcomes.synthetic import simulate
>>> cohort = simulate("liu-2020", n=2_000, seed=7)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outcomes.synthetic.calibration import (
        Calibration,
        Decomposition,
        Parameter,
        Target,
        read_calibration,
    )
    from outcomes.synthetic.cohort import shipped_calibration, simulate, simulate_chunks
    from outcomes.synthetic.fitting import calibrate
    from outcomes.synthetic.patient_truth import true_risk
    from outcomes.synthetic.pooled import simulate_pooled
    from outcomes.synthetic.strategy_truth import treatment_truth

__all__ = [
    "Calibration",
    "Decomposition",
    "Parameter",
    "Target",
    "calibrate",
    "read_calibration",
    "shipped_calibration",
    "simulate",
    "simulate_chunks",
    "simulate_pooled",
    "treatment_truth",
    "true_risk",
]

_HOMES = {
    "Calibration": "calibration",
    "Decomposition": "calibration",
    "Parameter": "calibration",
    "Target": "calibration",
    "calibrate": "fitting",
    "read_calibration": "calibration",
    "shipped_calibration": "cohort",
    "simulate": "cohort",
    "simulate_chunks": "cohort",
    "simulate_pooled": "pooled",
    "treatment_truth": "strategy_truth",
    "true_risk": "patient_truth",
}


def __getattr__(name: str) -> Any:
    """Import pandas and scipy only when something needs them."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
