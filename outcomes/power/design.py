"""The design of a trial or registry."""

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

from outcomes.endpoints import LOCAL_CONTROL, OVERALL_SURVIVAL, Endpoint, get_endpoint
from outcomes.errors import OutcomesError

Kind = Literal["trial", "registry"]
ENDPOINTS = (OVERALL_SURVIVAL.name, LOCAL_CONTROL.name)
# A month of waiting more changes nothing, and times beyond it no calibration speaks of.
LONGEST_MONTHS = 240.0


@dataclass(frozen=True)
class TrialDesign:
    """How many patients, who gets SBRT, how long they are followed, and what SBRT does.

    Attributes
    ----------
    study
        Series whose patients enter.
    endpoint
        ``overall-survival`` or ``local-control``.
    kind
        ``trial``: SBRT assigned by chance and analysed as assigned; ``registry``: chosen as in the
        series and analysed as received.
    allocation
        Treated to control patients; of a registry the choice decides, and this has no meaning.
    accrual_months
        Months of calendar time over which patients enter, evenly.
    follow_up_months
        Months from the last patient's surgery to the analysis; None for the follow-up of the
        series itself, in place of accrual.
    dropout_per_year
        Probability of being lost within a year, at a constant rate.
    crossover
        Share of controls who get SBRT all the same, in the usual weeks.
    untreated
        Share of those assigned to SBRT who never get it.
    death_hazard_ratio
        Hazard ratio of death from the start of SBRT on; 1 for none.
    progression_effect
        How much of SBRT's calibrated effect on local progression there is (of the log hazard
        ratio): 1 all of it, 0 none. Progression hastens death, so that it acts on survival too.
    horizon
        Month of the difference of risks and restricted means.
    alpha
        Two-sided level.

    Raises
    ------
    OutcomesError
        If a number is not allowed, or nobody is followed to the horizon.
    """

    study: str = "liu-2020"
    endpoint: str = OVERALL_SURVIVAL.name
    kind: Kind = "trial"
    allocation: tuple[float, float] = (1.0, 1.0)
    accrual_months: float = 24.0
    follow_up_months: float | None = 24.0
    dropout_per_year: float = 0.05
    crossover: float = 0.0
    untreated: float = 0.0
    death_hazard_ratio: float = 0.7
    progression_effect: float = 1.0
    horizon: float = 24.0
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if self.endpoint not in ENDPOINTS:
            raise OutcomesError(
                f"endpoint: found {self.endpoint!r}; allowed: {', '.join(ENDPOINTS)}"
            )
        if self.kind not in get_args(Kind):
            raise OutcomesError(f"design: found {self.kind!r}; allowed: trial, registry")
        treated, control = self.allocation
        if not all(math.isfinite(part) and part > 0 for part in (treated, control)):
            raise OutcomesError(
                f"allocation: found {treated:g}:{control:g}; allowed: two numbers above 0"
            )
        _check("accrual", self.accrual_months, 0, LONGEST_MONTHS, "months")
        if self.follow_up_months is not None:
            _check("follow-up", self.follow_up_months, 0, LONGEST_MONTHS, "months")
        _check("dropout", self.dropout_per_year, 0, 0.99, "a probability a year")
        _check("crossover", self.crossover, 0, 1, "a share")
        _check("untreated", self.untreated, 0, 1, "a share")
        _check("effect", self.death_hazard_ratio, 0.01, 100, "a hazard ratio")
        _check("progression effect", self.progression_effect, 0, 5, "a share")
        _check("alpha", self.alpha, 1e-6, 0.5, "a level")
        if self.kind == "registry" and (self.crossover or self.untreated):
            raise OutcomesError(
                "a registry records the treatment received; allowed: no crossover, nobody "
                "untreated of those assigned"
            )
        self._check_horizon()

    def _check_horizon(self) -> None:
        if not (math.isfinite(self.horizon) and self.horizon > 0):
            raise OutcomesError(f"horizon: found {self.horizon:g}; allowed: months above 0")
        if self.follow_up_months is None:
            return
        longest = self.accrual_months + self.follow_up_months
        if self.horizon > longest or (self.horizon == longest and self.accrual_months):
            raise OutcomesError(
                f"horizon: found month {self.horizon:g}; allowed: before month {longest:g}, where "
                "the longest follow-up ends (accrual and follow-up)"
            )

    @property
    def share(self) -> float:
        """Share of the patients assigned to SBRT."""
        treated, control = self.allocation
        return treated / (treated + control)

    @property
    def response(self) -> Endpoint:
        """The endpoint itself."""
        return get_endpoint(self.endpoint)

    @property
    def has_effect(self) -> bool:
        """Whether SBRT does anything."""
        return self.death_hazard_ratio != 1 or self.progression_effect != 0

    def without_effect(self) -> "TrialDesign":
        """Return the design with an SBRT that does nothing."""
        return replace(self, death_hazard_ratio=1.0, progression_effect=0.0)

    def treated_of(self, patients: int) -> int:
        """Return how many of some patients are assigned to SBRT: at least one, not all."""
        return min(max(round(self.share * patients), 1), patients - 1)


def _check(name: str, value: float, low: float, high: float, what: str) -> None:
    if not low <= value <= high:
        raise OutcomesError(f"{name}: found {value:g}; allowed: {what}, {low:g} to {high:g}")
