"""Standard errors of a cumulative incidence that count patients, not their lesions."""

import math

import numpy as np

from outcomes.arrays import FloatArray, IntArray
from outcomes.causal.functionals import Functionals
from outcomes.causal.incidence import weighted_incidence
from outcomes.cox.clusters import Changes, spread_over_time, sum_by_cluster


def incidence_errors(time: FloatArray, codes: IntArray, cluster: IntArray) -> FloatArray:
    """Return standard errors of the Aalen-Johansen incidence of code 1, in n log n.

    They are the infinitesimal jackknife's, summed over the rows of each cluster; without competing
    codes they are those of Kaplan-Meier survival. The influence of a row on F(t) is

        gain - cost F(t)                for rows gone by t,
        -P(t) + F(t) Q(t)               for those still there,

    P and Q being running sums of the hazards, gain and cost fixed for each row.

    Parameters
    ----------
    time, codes
        Months and event codes (0 censored, 1 of interest, else competing), shape (n,).
    cluster
        Number of each row's patient, from 0, shape (n,).

    Returns
    -------
    array of shape (n_times,)
        At the distinct times in order.
    """
    months, group = np.unique(time, return_inverse=True)

    def count(member: np.ndarray) -> FloatArray:
        return np.asarray(np.bincount(group, weights=member, minlength=months.size))

    at_risk = np.cumsum(count(np.ones(time.size))[::-1])[::-1]
    own, other = count(codes == 1), count(codes > 1)
    staying = at_risk - own - other
    survival = np.cumprod(staying / at_risk)
    before = np.concatenate([[1.0], survival[:-1]])
    incidence = np.cumsum(before * own / at_risk)
    # Where nobody stays the curve has ended, and nothing that follows can depend on it.
    cost = np.divide(1.0, staying, out=np.zeros(months.size), where=staying > 0)
    gain_other = incidence * cost
    gain_own = before / at_risk + gain_other
    spent = np.cumsum((gain_own * own + gain_other * other) / at_risk)
    saved = np.cumsum(cost * (own + other) / at_risk)
    gain = np.select([codes == 1, codes > 1], [gain_own[group], gain_other[group]])
    gone = np.stack([gain - spent[group], np.where(codes > 0, cost[group], 0.0) - saved[group]])
    there = np.ones((1, time.size))
    changes = Changes(
        size=np.hstack([np.vstack([0 * gone, there]), np.vstack([gone, -there])]),
        when=np.concatenate([np.zeros_like(group), group]),
        cluster=np.tile(cluster, 2),
    )
    functions = np.stack([np.ones(months.size), -incidence, incidence * saved - spent])
    variance, _ = spread_over_time(changes, functions, np.zeros((0, int(cluster.max()) + 1)))
    return np.asarray(np.sqrt(variance))


def time_lost_error(time: FloatArray, codes: IntArray, cluster: IntArray, horizon: float) -> float:
    """Return the standard error of the mean time lost to code 1 within a horizon.

    Parameters as those of `incidence_errors`; the horizon in months.
    """
    functionals = Functionals(np.array([horizon]))
    moves = weighted_incidence(time, codes, np.ones(time.size), functionals).moves[:, 1]
    return math.sqrt(float((sum_by_cluster(moves[None], cluster) ** 2).sum()))
