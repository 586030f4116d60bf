"""Hardware failure, with death competing."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.synthetic.calibration import Calibration

# The one series that reports hardware failure; the others take its hazard.
SOURCE_STUDY = "amankulor-2014"
LONG_CONSTRUCT = 6


def draw_hardware(
    table: pd.DataFrame,
    patient: npt.NDArray[np.intp],
    calibration: Calibration,
    generator: np.random.Generator,
) -> dict[str, Any]:
    """Draw months and event of hardware failure of each row.

    A patient has one construct, so the lesions of one patient share it; without an operation
    there is no hardware to fail.

    Parameters
    ----------
    table
        Rows with ``procedure``, the three risk factors, ``os_months`` and ``death``.
    patient
        Patient of each row.
    calibration
        Calibrated hazard and assumed hazard ratios.
    generator
        Source of randomness.
    """
    evidence, values = calibration.evidence, calibration.values(SOURCE_STUDY)
    ratio = np.ones(len(table))
    for name, present in (
        ("chest_wall_resection", table["chest_wall_resection"].to_numpy(dtype=bool)),
        ("construct_levels_above_6", table["construct_levels"].to_numpy() > LONG_CONSTRUCT),
        ("female", table["sex"].to_numpy() == "female"),
    ):
        ratio = np.where(present, ratio * evidence[f"hardware_hr_{name}"], ratio)
    exponential = generator.standard_exponential(int(patient[-1]) + 1)[patient]
    units = exponential / (values["hardware_12m"] * ratio)
    latent = 12 * units ** (1 / values["hardware_shape"])
    latent = np.where(table["procedure"].to_numpy() == "none", np.inf, latent)
    end = table["os_months"].to_numpy(dtype=np.float64)
    failed = latent < end
    event = np.where(failed, 1, np.where(table["death"].to_numpy() == 1, 2, 0))
    return {
        "hardware_months": np.where(failed, latent, end),
        "hardware_event": event.astype(np.int8),
    }
