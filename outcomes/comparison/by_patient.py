"""Estimates by arm whose errors count patients, not lesions.

Where a patient has several rows, the rows of both arms may depend on each other. The infinitesimal
jackknife of the Aalen-Johansen estimate, summed over the rows of each patient, holds the joint
variance of the arms (Lin & Wei, J. Am. Stat. Assoc. 1989; 84: 1074-1078, for clusters).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from outcomes.arrays import FloatArray, IntArray
from outcomes.causal.functionals import Functionals
from outcomes.causal.incidence import weighted_incidence
from outcomes.causal.marginal import Marginal
from outcomes.comparison.arm import Arm
from outcomes.comparison.contrast import Z95, ArmEstimate
from outcomes.comparison.setting import Setting
from outcomes.curves.intervals import probability_limits


@dataclass(frozen=True, eq=False)
class Pair:
    """Estimates of two arms, each read when asked for: one may be had without the other."""

    read: Callable[[int], ArmEstimate]
    covariance: float

    @property
    def treated(self) -> ArmEstimate:
        """Estimate in the treated arm."""
        return self.read(0)

    @property
    def control(self) -> ArmEstimate:
        """Estimate in the control arm."""
        return self.read(1)

    @property
    def both(self) -> tuple[ArmEstimate, ArmEstimate, float]:
        """Both estimates and their covariance."""
        return self.treated, self.control, self.covariance


@dataclass(frozen=True, eq=False)
class ArmPairs:
    """Estimates of both arms of a setting; the arms' own where every patient has one row.

    Attributes
    ----------
    setting
        The question.
    """

    setting: Setting

    def risk(self, horizon: float) -> Pair:
        """Return the risks by a horizon; see `Arm.risk` for errors raised."""
        competing = self.setting.endpoint.has_competing_events
        return self._risk(lambda arm: arm.risk(horizon), self.setting.codes, horizon, competing)

    def naive_risk(self, horizon: float) -> Pair:
        """Return 1 - Kaplan-Meier at a horizon; see `Arm.naive_risk` for errors raised."""
        alone = (self.setting.codes == 1).astype(np.int64)
        return self._risk(lambda arm: arm.naive_risk(horizon), alone, horizon, False)

    def restricted_mean(self, horizon: float) -> Pair:
        """Return restricted means; see `Arm.restricted_mean` for errors raised."""

        def limits(value: float, error: float) -> tuple[float, float]:
            return value - Z95 * error, value + Z95 * error

        # Mean survival moves by as much as the mean time lost, the other way.
        return self._pair(
            lambda arm: arm.restricted_mean(horizon), self.setting.codes, horizon, 1, limits
        )

    def _risk(
        self,
        read: Callable[[Arm], ArmEstimate],
        codes: IntArray,
        horizon: float,
        competing: bool,
    ) -> Pair:
        # The scale of the arms' own intervals: that of survival, or of the incidence itself.
        def limits(value: float, error: float) -> tuple[float, float]:
            if competing:
                lower, upper = probability_limits(value, error)
                return float(lower), float(upper)
            lower, upper = probability_limits(1 - value, error)
            return 1 - float(upper), 1 - float(lower)

        return self._pair(read, codes, horizon, 0, limits)

    def _pair(
        self,
        read: Callable[[Arm], ArmEstimate],
        codes: IntArray,
        horizon: float,
        position: int,
        limits: Callable[[float, float], tuple[float, float]],
    ) -> Pair:
        if not self.setting.repeated:
            return Pair(lambda place: read(self.setting.arms[place]), 0.0)
        covariance = _covariance(self.setting, codes, horizon)[position]

        def clustered(place: int) -> ArmEstimate:
            one = read(self.setting.arms[place])
            if one.standard_error is None:
                return one
            error = math.sqrt(covariance[place, place])
            if not error > 0:
                return ArmEstimate(one.value, None, reason="the rows are of one patient")
            lower, upper = limits(one.value, error)
            return replace(one, standard_error=error, lower=lower, upper=upper)

        return Pair(clustered, float(covariance[0, 1]))


def _covariance(setting: Setting, codes: IntArray, horizon: float) -> FloatArray:
    """Return the covariance of the arms' risks and of their times lost, shape (2, 2, 2)."""
    functionals = Functionals(np.array([horizon]))
    arms = [
        weighted_incidence(setting.time, codes, member.astype(np.float64), functionals)
        for member in (setting.treated, ~setting.treated)
    ]
    values = np.stack([arm.values for arm in arms])
    moves = np.stack([arm.moves for arm in arms], axis=1)
    return Marginal.of_influence(functionals, values, moves, setting.cluster).covariance
