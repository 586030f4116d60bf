"""How patients fare around treatment: the operation, complications, pain, function, fractures."""

from typing import Any

import numpy as np
import pandas as pd

from outcomes.synthetic.calibration import Calibration
from outcomes.synthetic.complications import draw_complications
from outcomes.synthetic.expectation import expectation_of
from outcomes.synthetic.fractures import (
    OPERATED_DONOR,
    SBRT_ALONE_DONOR,
    ArmFractures,
    counts_fractures,
    draw_fractures,
)
from outcomes.synthetic.function import draw_function
from outcomes.synthetic.operation import draw_operation
from outcomes.synthetic.pain import draw_pain
from outcomes.synthetic.series import Series


def draw_recovery(
    series: Series,
    calibration: Calibration,
    patients: pd.DataFrame,
    generator: np.random.Generator,
) -> dict[str, "pd.Series[Any]"]:
    """Draw the columns about the time around treatment, one entry a patient.

    Parameters
    ----------
    series
        Design.
    calibration
        Calibrated parameters.
    patients
        One row a patient, with ``study_arm``, covariates, treatment, ``os_months`` and ``death``.
    generator
        Source of randomness; children are spawned by kind of column.
    """
    operation, complication, pain, function, fracture = generator.spawn(5)
    around = expectation_of(calibration, series.study).perioperative
    arms = patients["study_arm"].to_numpy(dtype=np.str_)
    anything, treated = (patients[name].to_numpy(dtype=bool) for name in ("complication", "sbrt"))
    scores = draw_pain(around.pains, arms, pain)
    relieved = scores["pain_relief"] == 1
    columns = {
        **draw_operation(series, calibration.evidence, patients, arms, operation),
        **draw_complications(around.complications, arms, anything, treated, complication),
        **scores,
        **draw_function(around.functions, patients, arms, relieved, function),
        **draw_fractures(fracture_hazards(series, calibration), patients, arms, fracture),
    }
    drawn = {name: pd.Series(column) for name, column in columns.items()}
    known = pd.Series(relieved, dtype="boolean")
    drawn["pain_relief"] = known.where(drawn["vas_before"].notna())
    return drawn


def fracture_hazards(series: Series, calibration: Calibration) -> dict[str, ArmFractures]:
    """Return the hazard of vertebral fracture of each arm, the study's own or another's."""
    if counts_fractures(series.study, calibration.evidence):
        return dict(expectation_of(calibration, series.study).perioperative.fractures.arms)
    found = {}
    for arm in series.arms:
        alone = arm.procedure == "none"
        donor = expectation_of(calibration, SBRT_ALONE_DONOR if alone else OPERATED_DONOR)
        like = next(one.name for one in donor.series.arms if (one.procedure == "none") == alone)
        found[arm.name] = donor.perioperative.fractures.arms[like]
    return found
