"""How far the predictions of a model file lie from those of the model that was saved."""

import math
from copy import copy
from typing import Any

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.models.base import SurvivalModel

COARSE_NOTE = (
    "the model was read from a file, which holds its baseline hazards in steps of at least 5 "
    "events, so that no patient can be read from it; its predictions for the training patients "
    "differ by up to {difference:g} from those of the model that was saved"
)
# Patients and months that are compared at most.
_PATIENTS, _MONTHS = 500, 120
_TEN_THOUSANDTHS = 10_000


def coarse_difference(model: SurvivalModel, fits: Any, matrix: FloatArray) -> float:
    """Return the largest difference of a probability once the fits of a model are replaced.

    Every probability of the model is compared, in every series, for the training patients at whole
    months of its follow-up. Of more than 500 patients those are taken who stand evenly in the order
    of their risk, the first and the last among them; of more than 120 months as many, evenly.

    Parameters
    ----------
    model
        A fitted Cox or Fine-Gray model.
    fits
        What replaces its `fits_`.
    matrix
        Design matrix of the training patients, as the model's `_matrix` gives it.

    Returns
    -------
    float
        Rounded up to four decimals.
    """
    other: Any = copy(model)
    other.fits_ = fits
    chosen = matrix
    if len(matrix) > _PATIENTS:
        order = np.argsort(fits[1].linear_predictor(matrix), kind="stable")
        chosen = matrix[order[np.linspace(0, len(order) - 1, _PATIENTS).astype(np.int64)]]
    largest = 0.0
    for position, end in enumerate(model.series_.ends):
        months = np.append(np.arange(1.0, end), end)
        if len(months) > _MONTHS:
            months = months[np.linspace(0, len(months) - 1, _MONTHS).astype(np.int64)]
        gap = model._series_incidences(chosen, months, position) - other._series_incidences(
            chosen, months, position
        )
        largest = max(largest, float(np.abs(gap).max()))
    return math.ceil(largest * _TEN_THOUSANDTHS) / _TEN_THOUSANDTHS


def read_difference(value: Any) -> float:
    """Return the difference that a file tells, or raise ValueError."""
    difference = float(value)
    if not 0 <= difference <= 1:
        raise ValueError("the difference of predictions is not sound")
    return difference
