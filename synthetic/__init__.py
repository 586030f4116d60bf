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
    from outcomes.synthetic.cohort import (
        shipped_calibration,
        simulate,
        simulate_chunks,
        simulation_provenance,
    )
    from outcomes.synthetic.fitting import calibrate
    from outcomes.synthetic.members import draw_truth, member_provenance, with_member
    from outcomes.synthetic.patient_truth import true_risk
    from outcomes.synthetic.pooled import simulate_pooled
    from outcomes.synthetic.replicates import verification_size, verify
    from outcomes.synthetic.strategy_truth import treatment_truth
    from outcomes.synthetic.uncertainty import draw_ensemble

__all__ = [
    "Calibration",
    "Decomposition",
    "Parameter",
    "Target",
    "calibrate",
    "draw_ensemble",
    "draw_truth",
    "member_provenance",
    "read_calibration",
    "shipped_calibration",
    "simulate",
    "simulate_chunks",
    "simulate_pooled",
    "simulation_provenance",
    "treatment_truth",
    "true_risk",
    "verification_size",
    "verify",
    "with_member",
]

_HOMES = {
    "Calibration": "calibration",
    "Decomposition": "calibration",
    "Parameter": "calibration",
    "Target": "calibration",
    "calibrate": "fitting",
    "draw_ensemble": "uncertainty",
    "draw_truth": "members",
    "member_provenance": "members",
    "read_calibration": "calibration",
    "shipped_calibration": "cohort",
    "simulate": "cohort",
    "simulate_chunks": "cohort",
    "simulate_pooled": "pooled",
    "simulation_provenance": "cohort",
    "treatment_truth": "strategy_truth",
    "true_risk": "patient_truth",
    "verification_size": "replicates",
    "verify": "replicates",
    "with_member": "members",
}


def __getattr__(name: str) -> Any:
    """Import pandas and scipy only when something needs them."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
