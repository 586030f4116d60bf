"""Cause-specific hazards combined into the probabilities of each event.

Between two event times the causes' hazards are taken as constant. Over a step in which the
cumulative hazards grow by h1, h2, ..., the event-free probability falls by the factor
exp(-(h1 + h2 + ...)), and what it loses goes to cause k in the share hk / (h1 + h2 + ...). The
incidences and the event-free probability therefore sum to exactly 1, and with one cause the
result is exp(-H), as R's `survfit.coxph` computes it. It is the estimator of Benichou and Gail
(Biometrics 1990;46:813-826) with the product over steps in its exponential form.
"""

from collections.abc import Sequence

import numpy as np

from outcomes.arrays import FloatArray, IntArray


def cumulative_incidences(
    hazards: Sequence[FloatArray], grid: FloatArray, times: FloatArray
) -> FloatArray:
    """Return the cumulative incidence of every cause.

    Parameters
    ----------
    hazards
        Cumulative cause-specific hazards on the grid, one array of shape (n, n_grid) per cause.
    grid
        Increasing months at which a hazard steps, shape (n_grid,).
    times
        Months asked for, shape (n_times,); the incidences are step functions.

    Returns
    -------
    array, shape (n_causes, n, n_times)
    """
    position = np.searchsorted(grid, times, side="right")
    total = hazards[0] if len(hazards) == 1 else np.sum(hazards, axis=0)
    if len(hazards) == 1:
        lost = -np.expm1(-_at(total, position))
        return np.asarray(lost[None])
    steps = np.diff(total, axis=1, prepend=0.0)
    before = np.exp(-(total - steps))
    # The hazard lost per unit of hazard; its limit for an empty step is the event-free share.
    weight = before * np.divide(
        -np.expm1(-steps), steps, out=np.ones_like(steps), where=steps > 1e-300
    )
    return np.stack(
        [
            _at(np.cumsum(np.diff(hazard, axis=1, prepend=0.0) * weight, axis=1), position)
            for hazard in hazards
        ]
    )


def _at(values: FloatArray, position: IntArray) -> FloatArray:
    padded = np.concatenate([np.zeros((len(values), 1)), values], axis=1)
    return np.asarray(padded[:, position])
