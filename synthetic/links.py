"""The scale on which a published figure is about normal: logit for shares, log for months."""

from collections.abc import Sequence

import numpy as np
from scipy.special import logit

from outcomes.arrays import FloatArray
from outcomes.evidence import Figure
from outcomes.synthetic.sampling import published_value


def scale_of(figure: Figure) -> float:
    """Return what a figure is a share of: 100 or its n; 0 for a time."""
    if figure.unit == "percent":
        return 100.0
    return float(figure.n or 0) if figure.estimand == "count" else 0.0


def to_link(figures: Sequence[Figure], values: FloatArray, patients: float = 1.0) -> FloatArray:
    """Return values on the link scale.

    Parameters
    ----------
    figures
        Figures, n_figures of them.
    values
        In the figures' units, shape (..., n_figures).
    patients
        How many times the published number of patients they rest on; a share of 0 or 1 is taken
        as half a patient.
    """
    linked = np.empty_like(values, dtype=np.float64)
    for column, figure in enumerate(figures):
        scale = scale_of(figure)
        if scale:
            least = 0.5 / (patients * (figure.n or 100))
            linked[..., column] = logit(np.clip(values[..., column] / scale, least, 1 - least))
        else:
            linked[..., column] = np.log(np.maximum(values[..., column], 1e-3))
    return linked


def link_slope(figures: Sequence[Figure], values: FloatArray) -> FloatArray:
    """Return the derivative of the link at values in the figures' units, shape (n_figures,)."""
    scales = np.array([scale_of(figure) for figure in figures])
    share = np.clip(values / np.where(scales > 0, scales, np.inf), 1e-6, 1 - 1e-6)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_share = 1 / (scales * share * (1 - share))
    return np.where(scales > 0, of_share, 1 / np.maximum(values, 1e-3))


def published_link(figures: Sequence[Figure]) -> FloatArray:
    """Return the published values on the link scale, shape (n_figures,)."""
    return to_link(figures, np.array([published_value(figure) for figure in figures]))
