"""Risks and restricted means as sums over the steps of a cumulative incidence."""

from dataclasses import dataclass

import numpy as np

from outcomes.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Functionals:
    """What is asked of a cumulative incidence F: F(h) and its area up to h, at each horizon h.

    Both are sums of phi(s) dF(s) over the months s of its steps, with phi(s) = 1 or h - s up to
    the horizon and 0 beyond.

    Attributes
    ----------
    horizons
        Months since surgery, shape (n_horizons,).
    """

    horizons: FloatArray

    @property
    def size(self) -> int:
        """Number of functionals: a risk, then a mean time lost, at each horizon."""
        return 2 * self.horizons.size

    @property
    def last(self) -> float:
        """The last horizon, months."""
        return float(self.horizons.max())

    def at(self, months: FloatArray) -> FloatArray:
        """Return phi at each month, shape (2 n_horizons, n_months): risks, then times lost."""
        left = self.horizons[:, None] - months[None, :]
        inside = left >= 0
        return np.vstack([inside.astype(np.float64), np.where(inside, left, 0.0)])
