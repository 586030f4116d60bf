"""What a series would report of the time around treatment, in expectation.

Pain, function, complications, the operation and fractures: each arm's parameters follow from the
registry, and each published quantity from them, without simulation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq

from outcomes.arrays import FloatArray
from outcomes.errors import CalibrationError
from outcomes.evidence import Evidence, Figure
from outcomes.synthetic.arm_case_mix import ArmCaseMix, arm_case_mixes
from outcomes.synthetic.complications import RADIATION, ArmComplications, arm_complications
from outcomes.synthetic.effects import Effects
from outcomes.synthetic.follow_up import FollowUp
from outcomes.synthetic.fractures import (
    COUNTS,
    TIME,
    SeriesFractures,
    fracture_figure,
    series_fractures,
)
from outcomes.synthetic.function import ArmFunction, arm_functions
from outcomes.synthetic.moments import mixture, sd_of
from outcomes.synthetic.operation import COLUMNS as OPERATION
from outcomes.synthetic.operation import arm_moments
from outcomes.synthetic.pain import WORST_PAIN, ArmPain
from outcomes.synthetic.population import ArmExpectation
from outcomes.synthetic.published_pain import arm_pains
from outcomes.synthetic.series import COMPLICATION_KINDS, Series

COMPLICATIONS = (
    "complication",
    *COMPLICATION_KINDS,
    *(name for names in RADIATION.values() for name in names),
)
STEPS: Mapping[str, int] = {
    "frankel_worse": 0,
    "muscle_strength_decreased": 0,
    "muscle_strength_unchanged": 1,
    "frankel_improved": 2,
    "muscle_strength_recovered": 2,
}
PAIN_MOMENTS: Mapping[str, Callable[[ArmPain], FloatArray]] = {
    "vas_before": lambda pain: pain.before.raw_moments,
    "vas_after": lambda pain: pain.after_moments,
    "vas_after_sbrt": lambda pain: pain.after_sbrt_moments,
    "vas_decrease": lambda pain: pain.decrease_moments,
}
MEDIAN = "vas_decrease_median"
SPREADS = (*PAIN_MOMENTS, *OPERATION)
SHARES = ("pain_relief", "frankel_stable", *STEPS, *COMPLICATIONS)
FRACTURES = (*COUNTS, TIME)
QUANTITIES = (*SHARES, *SPREADS, *(f"{name}_sd" for name in SPREADS), MEDIAN, *FRACTURES)
# Quantities whose direction is published, and the unit of their expected change.
DIRECTIONS: Mapping[str, str] = {"frankel_after": "grades", "kps_after": "points"}


@dataclass(frozen=True, eq=False)
class Perioperative:
    """A series around treatment; every part is made when it is first asked for.

    Attributes
    ----------
    series, values, effects, evidence
        Design, natural values of its parameters, shared effects, registry.
    arms
        Expectation of each arm, by name.
    follow_up
        Distribution of the follow-up.
    """

    series: Series
    values: Mapping[str, float]
    effects: Effects
    evidence: Evidence
    arms: Mapping[str, ArmExpectation]
    follow_up: FollowUp

    @property
    def weights(self) -> dict[str, float]:
        """Expected patients (or lesions) of each arm."""
        return {name: arm.weight for name, arm in self.arms.items()}

    @cached_property
    def mixes(self) -> dict[str, ArmCaseMix]:
        """Patients of each arm."""
        return arm_case_mixes(self.series, self.values, self.effects)

    @cached_property
    def pains(self) -> dict[str, ArmPain]:
        """Pain of each arm."""
        return arm_pains(self.series, self.evidence, self.weights)

    @cached_property
    def functions(self) -> dict[str, ArmFunction]:
        """Change of function in each arm."""
        return arm_functions(self.series.study, self.evidence, self.mixes, self.weights)

    @cached_property
    def complications(self) -> dict[str, ArmComplications]:
        """Complications of each arm."""
        return arm_complications(self.series, self.evidence, self.mixes, self.weights)

    @cached_property
    def fractures(self) -> SeriesFractures:
        """Fractures of a series that counts them."""
        return series_fractures(
            self.series, self.values, self.effects, self.evidence, self.arms, self.follow_up
        )

    def value(self, figure: Figure) -> float:
        """Return what the series would report: a share, a mean, a standard deviation, a median."""
        quantity = figure.quantity
        if quantity in FRACTURES:
            return fracture_figure(quantity, figure.arm, self.fractures, self.weights)
        if quantity in SHARES:
            return self._average(figure, lambda arm: self._share(quantity, arm))
        if quantity == MEDIAN:
            return self._median(figure)
        moments = self.moments(figure)
        return sd_of(moments) if quantity.endswith("_sd") else float(moments[0])

    def moments(self, figure: Figure) -> FloatArray:
        """Return the first four moments about 0 of a figure's quantity in its arm."""
        quantity = figure.quantity.removesuffix("_sd")
        names = [name for name in self._names(figure) if self._has(quantity, name)]
        if not names:
            raise CalibrationError(f"{figure.id}: no patient of the series can have it")
        weights = [self.arms[name].weight for name in names]
        return mixture([self._arm_moments(quantity, name) for name in names], weights)

    def change(self, figure: Figure) -> float:
        """Return the expected change of a quantity of which only the direction is published."""
        if figure.quantity == "kps_after":
            return self._average(
                figure,
                lambda arm: self.functions[arm].kps_change(
                    self.mixes[arm].joint, self.pains[arm].relief
                ),
            )
        return self._average(figure, lambda arm: self._step(arm, 2) - self._step(arm, 0))

    def _names(self, figure: Figure) -> list[str]:
        if not figure.arm:
            return list(self.arms)
        if figure.arm not in self.arms:
            raise CalibrationError(f"{figure.id}: no such arm; allowed: {', '.join(self.arms)}")
        return [figure.arm]

    def _average(self, figure: Figure, of: Callable[[str], float]) -> float:
        names = self._names(figure)
        weights = [self.arms[name].weight for name in names]
        return float(np.average([of(name) for name in names], weights=weights))

    def _share(self, quantity: str, arm: str) -> float:
        if quantity == "pain_relief":
            return self.pains[arm].relief
        if quantity == "frankel_stable":
            return 1 - self._step(arm, 0) - self._step(arm, 2)
        if quantity == "muscle_strength_unchanged":
            return self._step(arm, 1) * self.functions[arm].reported
        if quantity in STEPS:
            return self._step(arm, STEPS[quantity])
        return self.complications[arm].share_of(quantity)

    def _step(self, arm: str, position: int) -> float:
        return self.functions[arm].step_shares(self.mixes[arm].deficit)[position]

    def _has(self, quantity: str, arm: str) -> bool:
        design = next(one for one in self.series.arms if one.name == arm)
        if quantity == "vas_after_sbrt":
            return design.treated
        return quantity in PAIN_MOMENTS or design.procedure != "none"

    def _arm_moments(self, quantity: str, arm: str) -> FloatArray:
        if quantity in PAIN_MOMENTS:
            return PAIN_MOMENTS[quantity](self.pains[arm])
        design = next(one for one in self.series.arms if one.name == arm)
        return arm_moments(quantity, self.series, design, self.evidence)

    def _median(self, figure: Figure) -> float:
        def excess(points: float) -> float:
            below = self._average(figure, lambda arm: self.pains[arm].decrease_at_most(points))
            return below - 0.5

        return float(brentq(excess, -WORST_PAIN, WORST_PAIN, xtol=1e-9))
