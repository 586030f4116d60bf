"""D-calibration: predicted probabilities of survival at the own times should be uniform."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from outcomes.arrays import FloatArray
from outcomes.errors import ModelError
from outcomes.models.checks import check_count, check_flags, check_probabilities


@dataclass(frozen=True, eq=False)
class DCalibration:
    """The distribution of predicted probabilities of being event-free at the own time.

    Attributes
    ----------
    edges
        Edges of the bins from 0 to 1, shape (n_bins + 1,).
    counts
        Patients in each bin, the censored spread over the bins their event may fall into.
    statistic, degrees_of_freedom, p
        Pearson's test that all bins are alike.
    """

    edges: FloatArray
    counts: FloatArray
    statistic: float
    degrees_of_freedom: int
    p: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "counts": [float(count) for count in self.counts],
            "statistic": self.statistic,
            "degrees_of_freedom": self.degrees_of_freedom,
            "p": self.p,
        }


def d_calibration(own: npt.ArrayLike, observed: npt.ArrayLike, n_bins: int = 10) -> DCalibration:
    """Test whether a model's survival curves are calibrated over all times (Haider et al. 2020).

    Parameters
    ----------
    own
        Predicted probability of being event-free at each patient's own time, shape (n,).
    observed
        Whether the patient had an event then, of any kind, as true and false or 1 and 0; the others
        are censored.
    n_bins
        Bins.

    Notes
    -----
    Haider, Hoehn, Davis and Greiner, J Mach Learn Res 2020;21(85):1-63, section 3.5: a censored
    patient at probability s counts (s - lower) / s in its own bin and width / s in each below.
    With much censoring the test is conservative. With competing events it is about the
    probability of no event.

    Raises
    ------
    ModelError
        If a probability is not from 0 to 1, `observed` is not true or false for each patient, or
        there are fewer than 2 bins or no patients.
    """
    s = check_probabilities("own", own)
    if not len(s):
        raise ModelError("own: found no patients; allowed: one or more")
    seen = check_flags("observed", observed, len(s))
    check_count("n_bins", n_bins, 2)
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    place = np.clip(np.searchsorted(edges, s, side="right") - 1, 0, n_bins - 1)
    counts = np.bincount(place[seen], minlength=n_bins).astype(np.float64)
    lost, at = s[~seen], place[~seen]
    held = np.maximum(lost, 1e-12)
    counts += np.bincount(at, weights=1.0 - edges[at] / held, minlength=n_bins)
    # What a patient gives to each bin below its own: summed from the top.
    below = np.bincount(at, weights=1.0 / (n_bins * held), minlength=n_bins)
    counts += np.concatenate([np.cumsum(below[::-1])[::-1][1:], [0.0]])
    expected = len(s) / n_bins
    statistic = float(((counts - expected) ** 2).sum() / expected)
    return DCalibration(edges, counts, statistic, n_bins - 1, float(chi2.sf(statistic, n_bins - 1)))
