"""Positivity: whether patients of every kind had a chance of both treatments."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from outcomes.arrays import FloatArray
from outcomes.causal.checks import check_arms, check_weights
from outcomes.errors import OutcomesError

BINS = tuple(k / 20 for k in range(21))
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
EXTREME = (0.05, 0.95)
"""Propensity scores beyond these count as extreme."""


@dataclass(frozen=True)
class ArmPropensity:
    """Propensity scores of one arm.

    Attributes
    ----------
    n
        Patients.
    counts
        Patients in each bin; the last bin holds its right edge, the others do not.
    quantiles
        At the probabilities of the `Overlap`.
    mean
        Mean score.
    outside_support
        Patients whose score lies outside the range that both arms share.
    below, above
        Shares of patients with an extreme score, 0 to 1.
    """

    n: int
    counts: tuple[int, ...]
    quantiles: tuple[float, ...]
    mean: float
    outside_support: int
    below: float
    above: float


@dataclass(frozen=True)
class Overlap:
    """How far the propensity scores of two arms overlap.

    Attributes
    ----------
    bins
        Edges of the bins.
    probabilities
        Of the quantiles.
    extreme
        The scores below and above which one counts as extreme.
    support
        Range of scores that occur in both arms, from the larger of the two smallest to the
        smaller of the two largest; None where the arms do not overlap.
    treated, control
        Either arm.
    below, above
        Shares of all patients with an extreme score, 0 to 1.
    """

    bins: tuple[float, ...]
    probabilities: tuple[float, ...]
    extreme: tuple[float, float]
    support: tuple[float, float] | None
    treated: ArmPropensity
    control: ArmPropensity
    below: float
    above: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


@dataclass(frozen=True)
class ArmWeights:
    """Weights of one arm.

    Attributes
    ----------
    n
        Patients.
    total
        Sum of their weights.
    effective_sample_size
        Kish's: the square of the sum over the sum of the squares.
    largest
        The largest weights, the first one first.
    largest_share
        Share of the arm's total weight that the largest alone has, 0 to 1.
    """

    n: int
    total: float
    effective_sample_size: float
    largest: tuple[float, ...]
    largest_share: float


@dataclass(frozen=True)
class WeightSpread:
    """How unequal the weights are.

    Attributes
    ----------
    treated, control
        Either arm.
    mean
        Of all weights; near 1 for stabilised ones.
    effective_sample_size
        Of both arms together.
    """

    treated: ArmWeights
    control: ArmWeights
    mean: float
    effective_sample_size: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def overlap(
    propensity: npt.ArrayLike,
    treated: npt.ArrayLike,
    *,
    bins: Sequence[float] = BINS,
    probabilities: Sequence[float] = QUANTILES,
    extreme: tuple[float, float] = EXTREME,
) -> Overlap:
    """Describe the propensity scores of both arms and the range that they share.

    Parameters
    ----------
    propensity
        Probability of treatment given the covariates, shape (n,).
    treated
        The arm, shape (n,).
    bins
        Increasing edges that hold every score.
    probabilities
        Of the quantiles, by linear interpolation.
    extreme
        Scores below the first or above the second are counted as extreme.

    Raises
    ------
    OutcomesError
        If a score is outside 0 to 1, the bins do not increase or leave a score out, a
        probability is impossible, or the sequences differ in length.
    NotEstimableError
        If an arm has no patient.
    """
    arms = check_arms(treated)
    scores = np.asarray(propensity, dtype=np.float64)
    if scores.shape != arms.shape:
        raise OutcomesError(f"propensity: found shape {scores.shape}; allowed: {arms.shape}")
    bad = np.flatnonzero(~((scores >= 0) & (scores <= 1)))
    if bad.size:
        raise OutcomesError(
            f"propensity of row {bad[0] + 1}: found {scores[bad[0]]:g}; allowed: between 0 and 1"
        )
    edges = np.asarray(bins, dtype=np.float64)
    if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0).all():
        raise OutcomesError("bins: allowed: at least two edges, each above the one before")
    if scores.min() < edges[0] or scores.max() > edges[-1]:
        raise OutcomesError(
            f"bins: found edges from {edges[0]:g} to {edges[-1]:g}; "
            f"allowed: edges that hold all scores, {scores.min():g} to {scores.max():g}"
        )
    if not all(0 <= probability <= 1 for probability in probabilities):
        raise OutcomesError("probabilities: allowed: between 0 and 1")
    start = float(max(scores[arms].min(), scores[~arms].min()))
    end = float(min(scores[arms].max(), scores[~arms].max()))

    def describe(own: FloatArray) -> ArmPropensity:
        inside = (own >= start) & (own <= end)
        return ArmPropensity(
            n=own.size,
            counts=tuple(np.histogram(own, edges)[0].tolist()),
            quantiles=tuple(np.quantile(own, probabilities).tolist()),
            mean=float(own.mean()),
            outside_support=int((~inside).sum()),
            below=float((own < extreme[0]).mean()),
            above=float((own > extreme[1]).mean()),
        )

    return Overlap(
        bins=tuple(edges.tolist()),
        probabilities=tuple(probabilities),
        extreme=extreme,
        support=(start, end) if start <= end else None,
        treated=describe(scores[arms]),
        control=describe(scores[~arms]),
        below=float((scores < extreme[0]).mean()),
        above=float((scores > extreme[1]).mean()),
    )


def weight_spread(
    weights: npt.ArrayLike, treated: npt.ArrayLike, *, n_largest: int = 5
) -> WeightSpread:
    """Describe weights by arm.

    Parameters
    ----------
    weights
        At least 0, shape (n,).
    treated
        The arm, shape (n,).
    n_largest
        How many of the largest weights to list of each arm.

    Raises
    ------
    OutcomesError
        If a weight is negative, missing or infinite, the sequences differ in length, or
        `n_largest` is below 1.
    NotEstimableError
        If an arm has no patient or only weights of 0.
    """
    arms = check_arms(treated)
    values = check_weights(weights, arms)
    if n_largest < 1:
        raise OutcomesError(f"n_largest: found {n_largest}; allowed: at least 1")

    def describe(own: FloatArray) -> ArmWeights:
        largest = np.sort(own)[::-1][:n_largest]
        return ArmWeights(
            n=own.size,
            total=float(own.sum()),
            effective_sample_size=effective_sample_size(own),
            largest=tuple(largest.tolist()),
            largest_share=float(largest[0] / own.sum()),
        )

    return WeightSpread(
        treated=describe(values[arms]),
        control=describe(values[~arms]),
        mean=float(values.mean()),
        effective_sample_size=effective_sample_size(values),
    )


def effective_sample_size(weights: FloatArray) -> float:
    """Return how many patients of equal weight say as much (Kish, Survey Sampling, 1965)."""
    # Divided first: the square of a large weight overflows.
    relative = weights / weights.max()
    return float(relative.sum() ** 2 / (relative @ relative))
