"""Hazard ratios against one reference: each dose regimen against no SBRT."""

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from outcomes.endpoints import get_endpoint
from outcomes.models.cox import CoxModel
from outcomes.models.design import Design

_REGIMEN = "dose_regimen="


def regimen_effects(model: CoxModel, level: float = 0.95) -> pd.DataFrame | None:
    """Return the hazard ratio of each SBRT regimen against no SBRT.

    The design compares SBRT at its reference regimen with none, and each other regimen with that
    one; here their coefficients are added, with the variance of the sum.

    Parameters
    ----------
    model
        A fitted Cox model.
    level
        Coverage of the limits, between 0 and 1.

    Returns
    -------
    DataFrame or None
        One row per event and regimen: event, covariate (``dose_regimen=...``), label, log_hr, se,
        hr, lower, upper, p (Wald); None where the design does not nest regimens in SBRT.
    """
    names = model.design_.names
    if "sbrt" not in names or not any(name.startswith(_REGIMEN) for name in names):
        return None
    z = float(ndtri(0.5 + level / 2))
    rows = []
    for code, fit in model.fits_.items():
        for regimen, label in _regimens(model.design_):
            weights = np.array([name in ("sbrt", regimen) for name in names], dtype=np.float64)
            log_hr = float(weights @ fit.coefficients)
            se = float(np.sqrt(weights @ fit.covariance @ weights))
            rows.append(
                {
                    "event": get_endpoint(model.endpoint).events[code],
                    "covariate": regimen,
                    "label": label,
                    "log_hr": log_hr,
                    "se": se,
                    "hr": np.exp(log_hr),
                    "lower": np.exp(log_hr - z * se),
                    "upper": np.exp(log_hr + z * se),
                    "p": 2 * float(ndtr(-abs(log_hr / se))),
                }
            )
    return pd.DataFrame(rows)


def _regimens(design: Design) -> list[tuple[str, str]]:
    """Return the name and label of each regimen, the reference first."""
    terms = {term.level: term for term in design.terms if term.name.startswith(_REGIMEN)}
    (covariate,) = [item for item in design.covariates if item.name == "dose_regimen"]
    reference = [level for level in covariate.levels if level not in {*terms, "none"}]
    return [
        *((f"{_REGIMEN}{level}", level) for level in reference),
        *((term.name, term.label) for term in terms.values()),
    ]
