"""What the audit finds: one value a finding, and its severities."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Severity = Literal["contradiction", "improbable", "reading"]
SEVERITIES: tuple[str, ...] = get_args(Severity)

# What each severity means, as a heading.
MEANINGS: Mapping[str, str] = {
    "contradiction": "Contradictions: these figures cannot all be true",
    "improbable": "Improbable: these figures can all be true, but hardly",
    "reading": "Readings: arithmetic decides how these figures must be read",
}
# Names of the checks as readers see them.
CHECK_NAMES: Mapping[str, str] = {
    "bhatia-davis": "Standard deviation against range",
    "between-studies": "Hazards of death between studies",
    "count-in-words": "Count and percentage in words",
    "deaths": "Deaths against median survival and follow-up",
    "follow-up": "Average follow-up against its parts",
    "grim": "Percentages and means that no count gives",
    "groups": "Overall figure against its groups",
    "hazard-shape": "Time of events against their share",
    "immortal-time": "Immortal time",
    "late-events": "Rate at a horizon against the events in the end",
    "one-number-two-populations": "One number for two populations",
    "parts": "Parts against their whole",
    "primary-study": "Source paper against the primary study",
    "range": "Average outside its range",
    "shortest-follow-up": "Shortest follow-up against median survival",
    "text-against-table": "Text against table",
    "two-meanings": "One number under two meanings",
    "two-prints": "Two prints of one figure",
    "two-sizes": "Two sizes of one group",
    "words-against-numbers": "Words against numbers",
}

# Below this probability figures that chance could bring together are called improbable.
IMPROBABLE = 0.01

Number = float | str | tuple[float, ...]


@dataclass(frozen=True)
class Finding:
    """Something that arithmetic says about published figures.

    Attributes
    ----------
    check
        Short name of the check, one of `CHECK_NAMES`.
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
