"""The columns of a design matrix, and which of them a covariate is coded by."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from outcomes.errors import ModelError
from outcomes.models.columns import Covariate, label_of
from outcomes.schema import SEPARATION_THRESHOLD_MM

Separation = Literal["threshold", "linear"]
TermKind = Literal["number", "boolean", "level", "below", "absent"]


@dataclass(frozen=True)
class Term:
    """One column of the design matrix.

    Attributes
    ----------
    name, label
        Identifier and reader's words.
    covariate
        The cohort's column it is made from.
    kind
        ``number`` (centred and scaled), ``boolean``, ``level`` (equal to `level`), ``below``
        (less than `center`) or ``absent`` (no separation procedure).
    level
        The level of a ``level`` column.
    center, scale
        Of a number: the value subtracted, then the divisor.
    """

    name: str
    label: str
    covariate: str
    kind: TermKind
    level: str = ""
    center: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(TermKind):
            raise ModelError(
                f"{self.name}: found {self.kind!r}; allowed: {', '.join(get_args(TermKind))}"
            )
        if not (math.isfinite(self.center) and math.isfinite(self.scale) and self.scale > 0):
            raise ModelError(
                f"{self.name}: found center {self.center!r}, scale {self.scale!r}; "
                "allowed: finite numbers, the scale above 0"
            )


def terms_of(
    covariate: Covariate, separation: Separation, nested: bool, beside_sbrt: bool
) -> list[Term]:
    """Return the columns a covariate is coded by.

    Parameters
    ----------
    covariate
        The covariate.
    separation
        Coding of `separation_mm`: ``threshold`` (below 3 mm) or ``linear`` (in mm).
    nested
        Whether some patients had no separation procedure, and so have no distance.
    beside_sbrt
        Whether `sbrt` is among the covariates, so that `dose_regimen` is nested in it.
    """
    name, label = covariate.name, covariate.label
    if name == "kps":
        return [Term(name, label, name, "number", "", 70.0, 1.0)]
    if name == "separation_mm":
        limit = SEPARATION_THRESHOLD_MM
        if separation == "threshold":
            first = Term(f"separation_mm < {limit:g}", f"{label} below 3 mm", name, "below")
        else:
            first = Term(name, f"{label}, per mm", name, "number")
        first = Term(first.name, first.label, name, first.kind, "", limit, 1.0)
        none = Term("procedure=none", "no separation procedure", name, "absent")
        return [first, none] if nested else [first]
    if covariate.kind == "boolean":
        return [Term(name, label, name, "boolean")]
    if covariate.kind == "number":
        return [Term(name, label, name, "number")]
    reference = label_of(covariate.levels[0]) if covariate.levels else ""
    return [
        Term(
            f"{name}={level}",
            f"{label}: {label_of(level)}, against {reference}",
            name,
            "level",
            level,
        )
        for level in covariate.levels[1:]
        if not (name == "dose_regimen" and beside_sbrt and level == "none")
    ]
