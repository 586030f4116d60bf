"""Who the patients are: the joint distribution of the prognostic factors.

Karnofsky score and neurologic deficit hang together; fitter patients have less progressive
systemic disease and get systemic therapy more often; visceral metastases go with progressive
systemic disease. Complications are independent of the rest, so that each series shows its own
share of them whatever its case mix. The distribution of the prognostic score is known exactly
and can be integrated over without simulation.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from outcomes.arrays import FloatArray
from outcomes.evidence import Evidence
from outcomes.synthetic.quadrature import gauss_nodes

KPS_LEVELS: FloatArray = np.arange(40.0, 101.0, 10.0)
PROGRESSIVE = "progressive_systemic_disease"
BINARY_FACTORS = (
    PROGRESSIVE,
    "visceral_metastases",
    "systemic_therapy_after",
    "embolization",
    "complication",
)
# Change of the log odds of each factor per 10 points of Karnofsky score, and with progressive
# systemic disease: plausible directions, no published magnitudes.
KPS_SLOPES = {
    PROGRESSIVE: -0.25,
    "visceral_metastases": 0.0,
    "systemic_therapy_after": 0.35,
    "embolization": 0.0,
    "complication": 0.0,
}
PROGRESSIVE_SLOPES = {"visceral_metastases": 1.5, "systemic_therapy_after": -0.4}
KPS_LOSS_WITH_DEFICIT = 9.0
NODES_PER_LEVEL = 4


@dataclass(frozen=True)
class CaseMix:
    """Marginals of the prognostic factors in one series.

    Attributes
    ----------
    kps_mean, kps_sd
        Mean and standard deviation of the Karnofsky score before it is cut to tens.
    neurologic_deficit, progressive_systemic_disease, visceral_metastases, \
    systemic_therapy_after, embolization, complication
        Shares of patients, between 0 and 1.
    """

    kps_mean: float
    kps_sd: float
    neurologic_deficit: float
    progressive_systemic_disease: float
    visceral_metastases: float
    systemic_therapy_after: float
    embolization: float
    complication: float


@dataclass(frozen=True)
class DeathEffects:
    """Log hazard ratios of death, shared by all series."""

    kps_per_10: float
    neurologic_deficit: float
    progressive_systemic_disease: float
    visceral_metastases: float
    systemic_therapy_after: float
    embolization: float
    complication: float

    @classmethod
    def from_assumptions(cls, evidence: Evidence) -> "DeathEffects":
        """Return the assumed effects."""
        names = ("kps_per_10", "neurologic_deficit", *BINARY_FACTORS)
        return cls(**{name: float(np.log(evidence[f"death_hr_{name}"])) for name in names})


def deficit_and_kps(mix: CaseMix) -> FloatArray:
    """Return P(deficit, Karnofsky level), shape (2, n_levels); row 1 is with deficit."""
    share = mix.neurologic_deficit
    means = mix.kps_mean + KPS_LOSS_WITH_DEFICIT * np.array([[share], [share - 1.0]])
    density = np.exp(-0.5 * ((KPS_LEVELS - means) / mix.kps_sd) ** 2)
    conditional = density / density.sum(axis=1, keepdims=True)
    return np.asarray(np.array([[1 - share], [share]]) * conditional, dtype=np.float64)


def _log_odds(factor: str, kps: FloatArray, progressive: FloatArray | float) -> FloatArray:
    slope = PROGRESSIVE_SLOPES.get(factor, 0.0)
    return np.asarray(KPS_SLOPES[factor] * (kps - 70) / 10 + slope * progressive)


@lru_cache(maxsize=512)
def _intercept(mix: CaseMix, factor: str) -> float:
    share = float(getattr(mix, factor))
    if share in (0.0, 1.0):
        return np.inf if share else -np.inf
    levels = deficit_and_kps(mix).sum(axis=0)
    without, progressive = _log_odds(factor, KPS_LEVELS, 0.0), _log_odds(factor, KPS_LEVELS, 1.0)
    weight = (
        np.zeros_like(levels)
        if factor == PROGRESSIVE
        else factor_probability(mix, PROGRESSIVE, KPS_LEVELS, 0.0)
    )

    def excess(intercept: float) -> float:
        both = (1 - weight) * expit(intercept + without) + weight * expit(intercept + progressive)
        return float(levels @ both) - share

    return float(brentq(excess, -30, 30))


def factor_probability(
    mix: CaseMix, factor: str, kps: FloatArray, progressive: FloatArray | float
) -> FloatArray:
    """Return P(factor | Karnofsky score, progressive disease).

    Its mean over the case mix before any tilt is the share given in the mix.
    """
    return np.asarray(expit(_intercept(mix, factor) + _log_odds(factor, kps, progressive)))


def kps_tilt(levels: FloatArray, tilt: float) -> FloatArray:
    """Return the level probabilities tilted exponentially, per 10 points."""
    weights = levels * np.exp(tilt * (KPS_LEVELS - 70) / 10)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class PrognosticCells:
    """The prognostic score as a discrete distribution.

    Attributes
    ----------
    levels
        P(Karnofsky level) before any tilt, shape (n_levels,).
    scores
        Log hazard ratio against KPS 70 with no other risk factor, shape (n_levels, n_nodes).
    weights
        P(node | level), same shape.
    """

    levels: FloatArray
    scores: FloatArray
    weights: FloatArray

    def probabilities(self, tilt: float) -> FloatArray:
        """Return the probability of each cell under a tilt of the Karnofsky score, flat."""
        return (kps_tilt(self.levels, tilt)[:, None] * self.weights).ravel()

    def mean_kps(self, tilt: float) -> float:
        """Return the mean Karnofsky score under a tilt."""
        return float(kps_tilt(self.levels, tilt) @ KPS_LEVELS)


@lru_cache(maxsize=256)
def prognostic_cells(mix: CaseMix, effects: DeathEffects) -> PrognosticCells:
    """Return the distribution of the prognostic score.

    Within a Karnofsky level the score takes 2^6 values; Gauss nodes of that discrete measure
    replace them (Golub & Welsch 1969), exact for polynomials up to degree 2 n_nodes - 1.
    """
    joint = deficit_and_kps(mix)
    scores, weights = [], []
    for index, kps in enumerate(KPS_LEVELS):
        with_deficit = joint[1, index] / joint[:, index].sum()
        atoms = np.array([0.0, effects.neurologic_deficit])
        masses = np.array([1 - with_deficit, with_deficit])
        progressive = np.zeros(2)
        for factor in BINARY_FACTORS:
            share = factor_probability(mix, factor, np.array([kps]), progressive)
            atoms = np.concatenate([atoms, atoms + getattr(effects, factor)])
            masses = np.concatenate([masses * (1 - share), masses * share])
            with_factor = np.ones_like(progressive) if factor == PROGRESSIVE else progressive
            progressive = np.concatenate([progressive, with_factor])
        nodes, node_weights = gauss_nodes(atoms, masses, NODES_PER_LEVEL)
        scores.append(nodes + effects.kps_per_10 * (kps - 70) / 10)
        weights.append(node_weights)
    return PrognosticCells(joint.sum(axis=0), np.array(scores), np.array(weights))
