"""What the audit finds: one value a finding, and its severities."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Severity = Literal["contradiction", "improbable", "reading"]
SEVERITIES: tuple[str, ...] = get_args(Severity)

# Below this probability figures that chance could bring together are called improbable.
IMPROBABLE = 0.01

Number = float | str | tuple[float, ...]


@dataclass(frozen=True)
class Finding:
    """Something that arithmetic says about published figures.

    Attributes
    ----------
    check
        Short name of the check, e.g. ``grim``.
    severity
        ``contradiction``: the figures cannot all be true. ``improbable``: they can, with the small
        `probability`. ``reading``: arithmetic decides how a number must be read.
    study
        Study the figures belong to; "" where the finding is about several.
    figures
        Identifiers of the figures, and of other publications' figures.
    statement
        What was found, in plain words with the numbers.
    numbers
        What was computed, by name.
    probability
        Largest probability of figures at least as far apart; None where chance has no part.
    """

    check: str
    severity: Severity
    study: str
    figures: tuple[str, ...]
    statement: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    probability: float | None = None
