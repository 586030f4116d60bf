"""The truth of the simulation: known effects, and what each patient's risk really is."""

from collections.abc import Mapping

import numpy as np

from outcomes.evidence import Evidence, Figure
from outcomes.synthetic.effects import Effects
from outcomes.synthetic.hardware import RISK_FACTORS

# Which covariate each published direction speaks of, by the figure's quantity and arm.
SIGNS: Mapping[tuple[str, str], str] = {
    ("separation_below_3mm", ""): "below_3mm",
    **{("hardware_risk", factor): factor for factor in RISK_FACTORS},
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
    hardware = {name: float(np.log(evidence[f"hardware_hr_{name}"])) for name in RISK_FACTORS}
    return {
        "overall-survival": {name: value for name, value in death.items() if value},
        "local-control": progression,
        "hardware-failure": hardware,
    }


def signed_log_hazard_ratio(figure: Figure, effects: Effects, evidence: Evidence) -> float | None:
    """Return the true log hazard ratio a published direction speaks of; None without one."""
    covariate = SIGNS.get((figure.quantity, figure.arm))
    if covariate is None or figure.estimand != "sign":
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
