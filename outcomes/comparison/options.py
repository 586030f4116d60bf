"""What a user may choose of the adjusted methods."""

from dataclasses import dataclass, field

from outcomes.causal.estimators import Choices
from outcomes.errors import OutcomesError

FEWEST_BOOTSTRAPS = 50


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
    """

    choices: Choices = field(default_factory=Choices)
    bootstraps: int = 0
    seed: int = 0
    jobs: int = 1

    def __post_init__(self) -> None:
        if self.bootstraps and self.bootstraps < FEWEST_BOOTSTRAPS:
            raise OutcomesError(
                f"bootstraps: found {self.bootstraps}; allowed: 0, or at least {FEWEST_BOOTSTRAPS}"
            )
