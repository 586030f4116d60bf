"""The truths under which the ladder of comparisons is tried."""

from collections.abc import Mapping
from dataclasses import dataclass

from outcomes.comparison import GRACE_MONTHS, LANDMARK_MONTHS, Choices
from outcomes.errors import OutcomesError
from outcomes.synthetic import Calibration, treatment_truth
from outcomes.synthetic.altered import with_truth


@dataclass(frozen=True)
class Scenario:
    """What SBRT does, who gets it, and when.

    Attributes
    ----------
    name
        Name.
    death_hazard_ratio
        Hazard ratio of death from the start of SBRT on; None for the assumed one.
    progression_effect
        Share of the calibrated log hazard ratio of local progression that is kept: 0 for no
        effect, 1 for the calibrated one, more for a stronger one.
    selection
        Factor of the calibrated slope by which fitter patients get SBRT more often; 0 for chance.
    sbrt_start
        First and last month of SBRT; None for the series' own.
    """

    name: str
    death_hazard_ratio: float | None = None
    progression_effect: float = 1.0
    selection: float = 1.0
    sbrt_start: tuple[float, float] | None = None

    @property
    def has_effect(self) -> bool:
        """Whether SBRT does anything."""
        return self.death_hazard_ratio != 1 or self.progression_effect != 0

    @property
    def choices(self) -> Choices:
        """What an analyst who knows when SBRT is given would choose.

        The usual landmark and grace period where they hold every start; else the period in which
        SBRT starts, and its end.
        """
        if self.sbrt_start is None:
            return Choices()
        first, last = self.sbrt_start
        if GRACE_MONTHS[0] <= first and last <= LANDMARK_MONTHS:
            return Choices()
        return Choices(landmark=last, grace=(first, last))

    def calibration(self, calibration: Calibration, study: str) -> Calibration:
        """Return the calibration with this truth; errors as `outcomes.synthetic.altered`."""
        return with_truth(
            calibration,
            study,
            death=self.death_hazard_ratio,
            progression=self.progression_effect,
            selection=self.selection,
            sbrt_start=self.sbrt_start,
        )

    def truth(
        self, calibration: Calibration, study: str, endpoint: str, horizon: float
    ) -> dict[str, float]:
        """Return the true contrasts that `compare` is given, under a calibration of this truth."""
        choices = self.choices
        return treatment_truth(
            calibration,
            study,
            endpoint,
            [horizon],
            landmark=choices.landmark,
            grace=choices.grace,
        )


LATE_START = (1.0, 3.0)
SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario("no-effect", death_hazard_ratio=1.0, progression_effect=0.0),
        Scenario("default"),
        Scenario("strong-effect", death_hazard_ratio=0.5, progression_effect=1.5),
        Scenario("no-selection", 1.0, 0.0, selection=0.0),
        Scenario("double-selection", 1.0, 0.0, selection=2.0),
        Scenario("late-start", 1.0, 0.0, sbrt_start=LATE_START),
        Scenario("late-start-no-selection", 1.0, 0.0, selection=0.0, sbrt_start=LATE_START),
    )
}
"""By name. Those named after selection or start are without effect, so that what an estimate
shows is bias."""


def get_scenario(name: str) -> Scenario:
    """Return a scenario by name (`OutcomesError` for an unknown one)."""
    if name not in SCENARIOS:
        raise OutcomesError(f"scenario: found {name!r}; allowed: {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
