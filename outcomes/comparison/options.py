"""What a user may choose of the adjusted methods."""

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
        function, which the forest does not have.
    seed
        Of the bootstrap and the forest.
    jobs
        Processes for the bootstrap.
    methods
        Adjusted methods wanted, by name; None for all.
    jackknife_below
        With fewer patients than this the intervals are the jackknife's, not those of influence
        functions, which are too narrow then; 0 for never.
    """

    choices: Choices = field(default_factory=Choices)
    bootstraps: int = 0
    seed: int = 0
    jobs: int = 1
    methods: tuple[str, ...] | None = None
    jackknife_below: int = 300

    def __post_init__(self) -> None:
        if self.bootstraps and self.bootstraps < FEWEST_BOOTSTRAPS:
            raise OutcomesError(
                f"bootstraps: found {self.bootstraps}; allowed: 0, or at least {FEWEST_BOOTSTRAPS}"
            )
        unknown = set(self.methods or ()) - set(LADDER)
        if unknown:
            raise OutcomesError(
                f"methods: found {', '.join(sorted(unknown))}; allowed: {', '.join(LADDER)}"
            )

    @property
    def wanted(self) -> tuple[str, ...]:
        """The adjusted methods wanted, in the order of the ladder."""
        return tuple(name for name in LADDER if self.methods is None or name in self.methods)
