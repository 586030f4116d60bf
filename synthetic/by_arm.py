"""Patients by their arm."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import FloatArray


def values_of_patients(
    by_arm: Mapping[str, float | Sequence[float]], arms: npt.NDArray[np.str_]
) -> FloatArray:
    """Return what each patient's arm has.

    Parameters
    ----------
    by_arm
        A number, or as many numbers, of each arm, by name.
    arms
        Arm of each patient, shape (n_patients,).

    Returns
    -------
    array
        Shape (n_patients,), or (n_patients, n_numbers).
    """
    position = pd.Index(list(by_arm)).get_indexer(pd.Index(arms))
    return np.array(list(by_arm.values()), dtype=np.float64)[position]
