"""The truth of the simulation: known effects, and what each patient's risk really is."""

from collections.abc import Mapping

import numpy as np

from outcomes.evidence import Evidence, Figure
from outcomes.synthetic.effects import Effects

# Which hazard ratio each published direction speaks of.
SIGNS: Mapping[str, str] = {
    "gong-2021/separation_below_3mm": "below_3mm",
    "amankulor-2014/hardware_risk/chest_wall_resection": "chest_wall_resection",
    "amankulor-2014/hardware_risk/construct_levels_above_6": "construct_levels_above_6",
    "amankulor-2014/hardware_risk/female": "female",
}
ENDPOINT_OF_NULL: Mapping[str, str] = {
    "overall_survival": "overall-survival",
    "local_control": "local-control",
    "local_progression": "local-control",
    "hardware_failure": "hardware-failure",
}


def log_hazard_ratios(effects: Effects, evidence: Evidence) -> dict[str, dict[str, float]]:
    """Return every nonzero log hazard ratio of the simulation, by endpoint and covariate.

    A covariate that is absent has none: published nulls are absent.
    """
    death = {
        "kps_per_10": effects.death.kps_per_10,
        "neurologic_deficit": effects.death.neurologic_deficit,
        "progressive_systemic_disease": effects.death.progressive_systemic_disease,
        "visceral_metastases": effects.death.visceral_metastases,
        "systemic_therapy_after": effects.death.systemic_therapy_after,
        "embolization": effects.death.embolization,
        "complication": effects.death.complication,
        "sbrt": float(np.log(effects.death_hr_sbrt)),
        "local_progression": float(np.log(effects.death_hr_after_progression)),
    }
    progression = {
        name: float(np.log(ratio)) for name, ratio in effects.progression.items() if ratio > 0
    }
    hardware = {
        name: float(np.log(evidence[f"hardware_hr_{name}"]))
        for name in ("chest_wall_resection", "construct_levels_above_6", "female")
    }
    return {
        "overall-survival": {name: value for name, value in death.items() if value},
        "local-control": progression,
        "hardware-failure": hardware,
    }


def signed_log_hazard_ratio(figure: Figure, effects: Effects, evidence: Evidence) -> float | None:
    """Return the true log hazard ratio a published direction speaks of; None without one."""
    covariate = SIGNS.get(figure.id)
    if covariate is None:
        return None
    ratios = log_hazard_ratios(effects, evidence)
    return {**ratios["local-control"], **ratios["hardware-failure"]}[covariate]


def null_log_hazard_ratio(figure: Figure, effects: Effects, evidence: Evidence) -> float | None:
    """Return the true log hazard ratio of a covariate published as without effect.

    None where the figure is no null, or speaks of an endpoint the model does not have.
    """
    parts = figure.quantity.split("/")
    if figure.role != "null" or len(parts) != 3 or parts[1] not in ENDPOINT_OF_NULL:
        return None
    ratios = log_hazard_ratios(effects, evidence)[ENDPOINT_OF_NULL[parts[1]]]
    return ratios.get(parts[2], 0.0)
