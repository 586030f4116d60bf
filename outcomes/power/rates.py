"""Shares of simulated trials with their Monte Carlo error, and where a rising share crosses one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from outcomes.arrays import FloatArray
from outcomes.curves.intervals import normal_quantile
from outcomes.errors import NotEstimableError, OutcomesError
from outcomes.estimate import Estimate

ITERATIONS = 100
CONVERGED = 1e-10
# A share that does not differ from flat by this many standard errors crosses nothing.
RISING = 3.0
STEEP = "power jumps from none to all between those simulated"


@dataclass(frozen=True)
class Rate:
    """A share of simulated trials.

    Attributes
    ----------
    value
        The share.
    monte_carlo_error
        Its standard error, from the number of trials.
    lower, upper
        Wilson's 95 % interval (JASA 1927; 22: 209-212).
    trials
        Number of trials.
    """

    value: float
    monte_carlo_error: float
    lower: float
    upper: float
    trials: int

    @property
    def count(self) -> int:
        """Number of trials counted."""
        return round(self.value * self.trials)


def rate(count: int, trials: int) -> Rate:
    """Return the share of a count of trials.

    Raises
    ------
    OutcomesError
        If there is no trial, or the count is not among them.
    """
    if not 0 <= count <= trials or not trials:
        raise OutcomesError(f"count: found {count} of {trials} trials; allowed: 0 to all of some")
    share = count / trials
    z = normal_quantile(0.95)
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials)
    half *= math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return Rate(
        value=share,
        monte_carlo_error=math.sqrt(share * (1 - share) / trials),
        lower=max(centre - half, 0.0) if count else 0.0,
        upper=min(centre + half, 1.0) if count < trials else 1.0,
        trials=trials,
    )


def crossing(
    where: Sequence[float], rates: Sequence[Rate], target: float, *, floor: float = 0.0
) -> Estimate:
    """Return where a rising share reaches a target, with its 95 % interval.

    A probit regression of the share on `where`, in which the power of a Wald test is linear up to
    its other tail: the drift of the statistic grows with the root of the patients, or with the log
    hazard ratio. What the line does not explain widens the interval (Finney, Probit Analysis, 1971,
    4.6); the interval is the delta method's.

    Parameters
    ----------
    where
        Roots of numbers of patients, or sizes of effects; at least two different ones.
    rates
        Share of rejections at each.
    target
        Wanted share, between 0 and 1.
    floor
        Shares up to it are left out: near the level of the test the other tail bends the line.

    Raises
    ------
    NotEstimableError
        If the share does not rise, or jumps from none to all.
    """
    x = np.asarray(where, dtype=np.float64)
    if not 0 < target < 1:
        raise OutcomesError(f"power: found {target:g}; allowed: between 0 and 1")
    if x.shape != (len(rates),):
        raise OutcomesError(f"where: found shape {x.shape}; allowed: one for each of {len(rates)}")
    kept = np.array([one.value > floor for one in rates], dtype=np.bool_)
    counts, trials = (
        np.array([getattr(one, name) for one in rates], dtype=np.float64)[kept]
        for name in ("count", "trials")
    )
    x = x[kept]
    if np.unique(x).size < 2:
        raise NotEstimableError(
            f"power is above {100 * floor:.0f} % in fewer than two of those simulated"
        )
    centre = float(x.mean())
    line, covariance = _probit(x - centre, counts, trials)
    if line[1] < RISING * math.sqrt(covariance[1, 1]):
        raise NotEstimableError("power does not rise over those simulated")
    found = (float(ndtri(target)) - line[0]) / line[1]
    gradient = -np.array([1.0, found]) / line[1]
    error = normal_quantile(0.95) * math.sqrt(gradient @ covariance @ gradient)
    return Estimate(centre + found, centre + found - error, centre + found + error)


def _probit(x: FloatArray, counts: FloatArray, trials: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return intercept and slope of a probit regression, and their covariance."""
    design = np.column_stack([np.ones_like(x), x])
    # Half a count keeps the start finite where none or all reject.
    start = ndtri((counts + 0.5) / (trials + 1))
    line = np.asarray(np.linalg.lstsq(design, start, rcond=None)[0], dtype=np.float64)
    for _ in range(ITERATIONS):
        score, information = _derivatives(design, line, counts, trials)
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            raise NotEstimableError(STEEP) from None
        line = np.asarray(line + step, dtype=np.float64)
        if score @ step < CONVERGED:
            break
    else:
        raise NotEstimableError(STEEP)
    expected = ndtr(design @ line)
    spread = np.maximum(trials * expected * (1 - expected), 1e-12)
    freedom = x.size - 2
    pearson = float(((counts - trials * expected) ** 2 / spread).sum())
    widening = max(pearson / freedom, 1.0) if freedom else 1.0
    return line, np.asarray(widening * np.linalg.inv(information), dtype=np.float64)


def _derivatives(
    design: FloatArray, line: FloatArray, counts: FloatArray, trials: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return score and expected information of a probit regression."""
    eta = design @ line
    density = -0.5 * eta**2 - 0.5 * math.log(2 * math.pi)
    upper = np.asarray(np.exp(density - log_ndtr(eta)), dtype=np.float64)
    lower = np.asarray(np.exp(density - log_ndtr(-eta)), dtype=np.float64)
    score = design.T @ (counts * upper - (trials - counts) * lower)
    information = design.T @ (design * (trials * upper * lower)[:, None])
    return np.asarray(score, dtype=np.float64), np.asarray(information, dtype=np.float64)
