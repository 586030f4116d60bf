"""The true effect of what was given to patients: dose regimen, separation distance."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from outcomes.endpoints import OVERALL_SURVIVAL, Endpoint, get_endpoint
from outcomes.synthetic.calibration import Calibration
from outcomes.synthetic.patient_truth import true_risk

GRID_MONTHS = 0.5


def exposure_truth(
    cohort: pd.DataFrame,
    endpoint: str | Endpoint,
    horizons: Sequence[float],
    calibration: Calibration,
    *,
    treated: dict[str, Any],
    control: dict[str, Any],
) -> dict[str, float]:
    """Return the true contrasts in these patients had all had one exposure, and all the other.

    Parameters
    ----------
    cohort
        Simulated patients, with what was recorded of them.
    endpoint
        Overall survival or local control.
    horizons
        Months since surgery.
    calibration
        The calibration they were drawn from.
    treated, control
        Values of columns under either exposure, e.g. ``{"separation_mm": 2.0}``.

    Returns
    -------
    dict
        As `treatment_truth` has them, without hazard ratios.

    Raises
    ------
    OutcomesError
        As `true_risk`.
    """
    months = np.unique(
        np.concatenate(
            [np.arange(0.0, max(horizons), GRID_MONTHS), np.asarray(horizons, dtype=np.float64)]
        )
    )
    curves = {
        name: true_risk(cohort.assign(**values), endpoint, months, calibration).mean(axis=0)
        for name, values in (("treated", treated), ("control", control))
    }
    survival = get_endpoint(endpoint) is OVERALL_SURVIVAL
    mean = "restricted_mean" if survival else "restricted_mean_time_lost"
    found: dict[str, float] = {}
    for horizon in horizons:
        inside = months <= horizon
        risks = {name: float(curve[inside][-1]) for name, curve in curves.items()}
        lost = {
            name: float(np.trapezoid(curve[inside], months[inside]))
            for name, curve in curves.items()
        }
        means = {name: horizon - area if survival else area for name, area in lost.items()}
        at = f"@{horizon:g}"
        found |= {f"risk_{name}{at}": risk for name, risk in risks.items()}
        found |= {f"{mean}_{name}{at}": value for name, value in means.items()}
        found[f"risk_difference{at}"] = risks["treated"] - risks["control"]
        found[f"{mean}_difference{at}"] = means["treated"] - means["control"]
    return found
