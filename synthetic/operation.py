"""The operation and the stay: blood loss, operation time, bed rest, days in hospital.

Each is a gamma with the mean and standard deviation that the study prints for the arm. What it
does not print is taken from another study: blood loss by approach from Echt, operation time from
Xu, bed rest by approach from Hikata, stay from Cofano; after piecemeal spondylectomy, blood loss
and time from Xu. A standard deviation that no one prints is an assumption.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import FloatArray
from outcomes.errors import CalibrationError
from outcomes.evidence import Evidence
from outcomes.synthetic.moments import Gamma, mixture
from outcomes.synthetic.published import printed_for
from outcomes.synthetic.series import Arm, Series

# Published quantity -> column of a cohort.
COLUMNS: Mapping[str, str] = {
    "blood_loss": "blood_loss_ml",
    "operation_time": "operation_hours",
    "bed_rest": "bed_rest_days",
    "hospital_stay": "hospital_stay_days",
}
DECIMALS: Mapping[str, int] = {
    "blood_loss": 0,
    "operation_time": 2,
    "bed_rest": 1,
    "hospital_stay": 1,
}
APPROACHES = ("open", "minimally_invasive")
# Where a quantity comes from if the study prints none, by procedure or approach: the identifier
# of a figure or of an assumption.
DONORS: Mapping[tuple[str, str], str] = {
    ("blood_loss", "piecemeal_spondylectomy"): "xu-2021/blood_loss/piecemeal",
    ("blood_loss", "open"): "echt-2021/blood_loss/open",
    ("blood_loss", "minimally_invasive"): "echt-2021/blood_loss/minimally_invasive",
    ("operation_time", "piecemeal_spondylectomy"): "xu-2021/operation_time/piecemeal",
    ("operation_time", "open"): "xu-2021/operation_time/separation",
    ("operation_time", "minimally_invasive"): "xu-2021/operation_time/separation",
    ("bed_rest", "open"): "hikata-2017/bed_rest/open",
    ("bed_rest", "minimally_invasive"): "hikata-2017/bed_rest/minimally_invasive",
    ("hospital_stay", "open"): "hospital_stay_open",
    ("hospital_stay", "minimally_invasive"): "cofano-2020/hospital_stay",
}


def quantity_of(
    quantity: str, series: Series, arm: Arm, approach: str, evidence: Evidence
) -> Gamma:
    """Return the distribution of a quantity in an arm's patients of one approach.

    Raises
    ------
    CalibrationError
        If the mean or standard deviation is not above 0.
    """
    figure = printed_for(evidence, series.study, quantity, arm.name)
    if figure is not None and figure.value is not None:
        name, mean, sd = figure.id, figure.value, figure.sd
    else:
        name = DONORS.get((quantity, arm.procedure)) or DONORS[quantity, approach]
        mean = evidence.number(name)
        sd = next((figure.sd for figure in evidence.figures if figure.id == name), None)
    spread = evidence[f"{quantity}_cv"] * mean if sd is None else sd
    if mean <= 0 or spread <= 0:
        raise CalibrationError(
            f"{name}: found {mean:g}, standard deviation {spread:g}; allowed: above 0"
        )
    return Gamma(mean, spread)


def arm_moments(quantity: str, series: Series, arm: Arm, evidence: Evidence) -> FloatArray:
    """Return the first four moments of a quantity in an arm, its approaches mixed."""
    shares = approach_shares(arm, evidence)
    moments = [
        quantity_of(quantity, series, arm, approach, evidence).raw_moments for approach in shares
    ]
    return mixture(moments, list(shares.values()))


def approach_shares(arm: Arm, evidence: Evidence) -> dict[str, float]:
    """Return the share of each approach in an arm."""
    if arm.approach != "mixed":
        return {arm.approach: 1.0}
    share = evidence["share_minimally_invasive"]
    return dict(zip(APPROACHES, (1 - share, share), strict=True))


def draw_operation(
    series: Series,
    evidence: Evidence,
    table: pd.DataFrame,
    arms: npt.NDArray[np.str_],
    generator: np.random.Generator,
) -> dict[str, FloatArray]:
    """Draw the four quantities of patients; missing without an operation.

    Parameters
    ----------
    series
        Design.
    evidence
        Registry.
    table
        Patients with ``approach``.
    arms
        Arm of each patient, shape (n_patients,).
    generator
        Source of randomness.
    """
    drawn = {column: np.full(arms.size, np.nan) for column in COLUMNS.values()}
    taken = table["approach"].to_numpy()
    for arm in series.arms:
        if arm.procedure == "none":
            continue
        for approach in approach_shares(arm, evidence):
            rows = np.flatnonzero((arms == arm.name) & (taken == approach))
            for quantity, column in COLUMNS.items():
                gamma = quantity_of(quantity, series, arm, approach, evidence)
                values = gamma.draw(rows.size, generator)
                drawn[column][rows] = np.round(values, DECIMALS[quantity])
    return drawn
