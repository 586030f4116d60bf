"""What a user may choose of the adjusted methods."""

import math
from dataclasses import dataclass, field

from outcomes.causal.estimators import ESTIMATORS, Choices
from outcomes.errors import OutcomesError

FEWEST_BOOTSTRAPS = 50
FOREST = "g-formula-forest"
LADDER = ("g-formula-cox", FOREST, *[name for name in ESTIMATORS if name != "g-formula-cox"])
"""The adjusted methods in their order."""


@dataclass(frozen=True)
class Options:
    """Choices for the adjusted methods.

    Attributes
    ----------
    choices
        Truncation of weights, landmark, grace period.
    bootstraps
        Bootstrap samples for the intervals of all adjusted methods; 0 for those of the influence
        function.
    forest_bootstraps
        Bootstrap samples for the interval of the forest, which has no influence function, where
        the other methods need none; 0 for no interval.
    seed
        Of the bootstrap and the forest.
    jobs
        Processes for the bootstrap.
    methods
        Adjusted methods wanted, by name; None for all.
    jackknife_below
        With fewer patients than this, or a quarter of it in an arm, the intervals are the
        jackknife's, not those of influence functions, which are too narrow then; 0 for never.
    """

    choices: Choices = field(default_factory=Choices)
    bootstraps: int = 0
    forest_bootstraps: int = FEWEST_BOOTSTRAPS
    seed: int = 0
    jobs: int = 1
    methods: tuple[str, ...] | None = None
    jackknife_below: int = 300

    def __post_init__(self) -> None:
        for name in ("bootstraps", "forest_bootstraps"):
            samples = getattr(self, name)
            if samples and samples < FEWEST_BOOTSTRAPS:
                raise OutcomesError(
                    f"{name}: found {samples}; allowed: 0, or at least {FEWEST_BOOTSTRAPS}"
                )
        first, last = self.choices.grace
        if not 0 <= first < last < math.inf:
            raise OutcomesError(
                f"grace: found {first:g} and {last:g}; allowed: two increasing months from 0 on"
            )
        if not 0 < self.choices.landmark < math.inf:
            raise OutcomesError(
                f"landmark: found {self.choices.landmark:g}; allowed: a month above 0"
            )
        unknown = set(self.methods or ()) - set(LADDER)
        if unknown:
            raise OutcomesError(
                f"methods: found {', '.join(sorted(unknown))}; allowed: {', '.join(LADDER)}"
            )

    def samples(self, method: str) -> int:
        """Return how many bootstrap samples the interval of an adjusted method takes."""
        return self.bootstraps or (self.forest_bootstraps if method == FOREST else 0)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The adjusted methods wanted, in the order of the ladder."""
        return tuple(name for name in LADDER if self.methods is None or name in self.methods)
