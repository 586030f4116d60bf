"""The free parameters of the calibration: names, scales and priors."""

import math
from dataclasses import dataclass
from typing import Literal

from scipy.special import expit, logit

Scale = Literal["log", "logit", "identity"]
SHARED = "shared"


@dataclass(frozen=True)
class FreeParameter:
    """One parameter that the calibration solves for.

    Attributes
    ----------
    study
        Series it belongs to, or ``shared``.
    name
        Name within the series.
    prior
        Prior centre on the natural scale.
    prior_sd
        Prior standard deviation on the scale it is solved on.
    scale
        ``log`` for positive parameters, ``logit`` for shares, ``identity`` otherwise.
    unit
        Unit of the natural scale.
    meaning
        What it is, in a few words.
    """

    study: str
    name: str
    prior: float
    prior_sd: float
    scale: Scale
    unit: str
    meaning: str

    @property
    def key(self) -> str:
        """Unique name."""
        return f"{self.study}/{self.name}"

    @property
    def prior_solved(self) -> float:
        """Prior centre on the scale it is solved on."""
        return self.to_solved(self.prior)

    def to_solved(self, natural: float) -> float:
        """Bring a value from the natural scale to the one it is solved on."""
        if self.scale == "log":
            return math.log(natural)
        return float(logit(natural)) if self.scale == "logit" else natural

    def to_natural(self, solved: float) -> float:
        """Bring a value from the scale it is solved on to the natural one."""
        if self.scale == "log":
            return math.exp(solved)
        return float(expit(solved)) if self.scale == "logit" else solved
