"""Risks and restricted means of both arms, with their joint uncertainty."""

import math
from dataclasses import dataclass

import numpy as np

from outcomes.arrays import FloatArray, IntArray
from outcomes.causal.functionals import Functionals

NOT_ASKED = "none was asked for"


@dataclass(frozen=True, eq=False)
class Marginal:
    """What would happen to all patients in each arm.

    Attributes
    ----------
    functionals
        What was asked.
    values
        Risks, then times lost, of the treated and the control arm, shape (2, n_functionals).
    covariance
        Of the two arms' values, shape (n_functionals, 2, 2); NaN where there is none.
    reason
        Why there is none.
    since, end
        Months between which the patients can answer: a landmark, and the end of follow-up of the
        group that is followed least.
    """

    functionals: Functionals
    values: FloatArray
    covariance: FloatArray
    reason: str = ""
    since: float = 0.0
    end: float = math.inf

    @classmethod
    def without_covariance(
        cls, functionals: Functionals, values: FloatArray, reason: str
    ) -> "Marginal":
        """Return estimates whose uncertainty is unknown, and why."""
        return cls(functionals, values, np.full((functionals.size, 2, 2), np.nan), reason)

    @classmethod
    def of_influence(
        cls, functionals: Functionals, values: FloatArray, moves: FloatArray, cluster: IntArray
    ) -> "Marginal":
        """Return estimates with the infinitesimal jackknife's covariance.

        Parameters
        ----------
        functionals, values
            As the attributes.
        moves
            What each row moves them by, to first order, shape (n, 2, n_functionals).
        cluster
            What rows belong together, shape (n,).
        """
        together = np.zeros((int(cluster.max()) + 1, *moves.shape[1:]))
        np.add.at(together, cluster, moves)
        return cls(functionals, values, np.einsum("iak,ibk->kab", together, together))

    @classmethod
    def of_replicates(
        cls, functionals: Functionals, values: FloatArray, replicates: FloatArray
    ) -> "Marginal":
        """Return estimates with the bootstrap's covariance.

        `replicates` has the shape (n_replicates, 2, n_functionals).
        """
        away = replicates - replicates.mean(axis=0)
        covariance = np.einsum("bik,bjk->kij", away, away) / (len(replicates) - 1)
        return cls(functionals, values, covariance)

    @classmethod
    def of_jackknife(
        cls, functionals: Functionals, values: FloatArray, replicates: FloatArray
    ) -> "Marginal":
        """Return estimates with the jackknife's covariance.

        `replicates` are the estimates without each group, shape (n_groups, 2, n_functionals).
        """
        away = replicates - replicates.mean(axis=0)
        groups = len(replicates)
        covariance = np.einsum("bik,bjk->kij", away, away) * (groups - 1) / groups
        return cls(functionals, values, covariance)
