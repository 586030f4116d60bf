"""Estimates of both arms together, of which a patient may have lesions in either.

Where a patient has several rows, the rows of both arms may depend on each other. The infinitesimal
jackknife of the Aalen-Johansen estimate, summed over the rows of each patient, holds the joint
variance of the arms (Lin & Wei, J. Am. Stat. Assoc. 1989; 84: 1074-1078, for clusters).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from outcomes.arrays import FloatArray, IntArray
from outcomes.causal.functionals import Functionals
from outcomes.causal.incidence import weighted_incidence
from outcomes.causal.marginal import Marginal
from outcomes.comparison.arm import Arm
from outcomes.comparison.contrast import ArmEstimate
from outcomes.comparison.setting import Setting


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
    """Estimates of both arms of a setting at its horizons.

    Attributes
    ----------
    setting
        The question.
    """

    setting: Setting

    def risk(self, horizon: float) -> Pair:
        """Return the risks by a horizon; see `Arm.risk` for errors raised."""
        return self._pair(lambda arm: arm.risk(horizon), lambda: self._joint[0], horizon)

    def naive_risk(self, horizon: float) -> Pair:
        """Return 1 - Kaplan-Meier at a horizon; see `Arm.naive_risk` for errors raised."""
        return self._pair(lambda arm: arm.naive_risk(horizon), lambda: self._alone[0], horizon)

    def restricted_mean(self, horizon: float) -> Pair:
        """Return restricted means; see `Arm.restricted_mean` for errors raised."""
        # Mean survival moves by as much as the mean time lost, the other way, in both arms.
        return self._pair(lambda arm: arm.restricted_mean(horizon), lambda: self._joint[1], horizon)

    def _pair(
        self,
        read: Callable[[Arm], ArmEstimate],
        covariances: Callable[[], FloatArray],
        horizon: float,
    ) -> Pair:
        covariance = 0.0
        if self.setting.spans_arms:
            covariance = float(covariances()[self.setting.horizons.index(horizon)])
        return Pair(lambda place: read(self.setting.arms[place]), covariance)

    @cached_property
    def _joint(self) -> FloatArray:
        return _covariances(self.setting, self.setting.codes)

    @cached_property
    def _alone(self) -> FloatArray:
        return _covariances(self.setting, (self.setting.codes == 1).astype(np.int64))


def _covariances(setting: Setting, codes: IntArray) -> FloatArray:
    """Return the covariances of the arms' risks and of their times lost, shape (2, n_horizons)."""
    functionals = Functionals(np.array(setting.horizons))
    arms = [
        weighted_incidence(setting.time, codes, member.astype(np.float64), functionals)
        for member in (setting.treated, ~setting.treated)
    ]
    values = np.stack([arm.values for arm in arms])
    moves = np.stack([arm.moves for arm in arms], axis=1)
    found = Marginal.of_influence(functionals, values, moves, setting.cluster)
    return found.covariance[:, 0, 1].reshape(2, -1)
