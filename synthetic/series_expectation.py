"""A series in expectation: what the published quantities are computed from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from outcomes.arrays import FloatArray
from outcomes.errors import CalibrationError
from outcomes.evidence import Evidence
from outcomes.synthetic.effects import Effects, series_follow_up
from outcomes.synthetic.follow_up import FollowUp
from outcomes.synthetic.hardware import hardware_hazard, hardware_incidence
from outcomes.synthetic.perioperative import Perioperative
from outcomes.synthetic.population import ArmExpectation, expected_arms, merge
from outcomes.synthetic.series import Series


@dataclass(frozen=True, eq=False)
class SeriesExpectation:
    """A series in expectation; its parts are made when they are first asked for.

    Attributes
    ----------
    series
        Design.
    arms
        Expectation of each arm, by name.
    follow_up
        Distribution of the follow-up.
    values, effects, evidence
        Natural values of the series' parameters, shared effects, registry.
    """

    series: Series
    arms: Mapping[str, ArmExpectation]
    follow_up: FollowUp
    values: Mapping[str, float]
    effects: Effects
    evidence: Evidence

    @cached_property
    def whole(self) -> ArmExpectation:
        """All arms together."""
        return merge(list(self.arms.values()))

    @cached_property
    def hardware(self) -> FloatArray:
        """Cumulative incidence of hardware failure with death competing, shape (n_months,)."""
        hazard = hardware_hazard(self.series.study, self.values, self.evidence)
        return hardware_incidence(
            hazard, self.evidence, self.series.female, self.whole.months, self.whole.alive
        )

    @cached_property
    def perioperative(self) -> Perioperative:
        """What is reported of the time around treatment."""
        return Perioperative(
            self.series, self.values, self.effects, self.evidence, self.arms, self.follow_up
        )

    def arm(self, name: str) -> ArmExpectation:
        """Return an arm by its name; "" is the whole series."""
        if not name:
            return self.whole
        if name not in self.arms:
            raise CalibrationError(
                f"{self.series.study}: no arm {name!r}; allowed: {', '.join(self.arms)}"
            )
        return self.arms[name]


def expect_series(
    series: Series,
    values: Mapping[str, float],
    effects: Effects,
    evidence: Evidence,
    arms: Mapping[str, ArmExpectation] | None = None,
) -> SeriesExpectation:
    """Return the expectation of a series for given parameters.

    Parameters
    ----------
    series
        Design.
    values
        Natural values of the series' parameters, by name.
    effects
        Shared effects.
    evidence
        Registry.
    arms
        Expectation of its arms where it is known, since neither follow-up nor hardware changes it.
    """
    if arms is None:
        arms = expected_arms(series, values, effects)
    follow_up = series_follow_up(series, values)
    return SeriesExpectation(series, arms, follow_up, values, effects, evidence)
