"""The columns of a design matrix, and which of them a covariate is coded by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from outcomes.errors import ModelError
from outcomes.models.columns import Covariate, label_of
from outcomes.schema import SEPARATION_THRESHOLD_MM

Separation = Literal["threshold", "linear", "spline"]
TermKind = Literal["number", "boolean", "level", "below", "absent", "curve", "product"]


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
        (less than `center`), ``absent`` (no separation procedure), ``curve`` (a curved column of
        a restricted cubic spline) or ``product`` (of two other columns).
    level
        The level of a ``level`` column.
    center, scale
        Of a number: the value subtracted, then the divisor.
    knots, part
        Of a curve: the spline's knots, and which of its curved columns this is, from 1.
    factors
        Names of the columns of a product.
    """

    name: str
    label: str
    covariate: str
    kind: TermKind
    level: str = ""
    center: float = 0.0
    scale: float = 1.0
    knots: tuple[float, ...] = ()
    part: int = 0
    factors: tuple[str, ...] = ()

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
        if self.kind == "curve" and not 1 <= self.part <= len(self.knots) - 2:
            raise ModelError(
                f"{self.name}: found part {self.part} of a spline with {len(self.knots)} knots"
            )
        if self.kind == "product" and len(self.factors) != 2:
            raise ModelError(f"{self.name}: found {len(self.factors)} factors; allowed: 2")


def terms_of(
    covariate: Covariate,
    separation: Separation,
    nested: bool,
    beside_sbrt: bool,
    knots: Sequence[float] = (),
) -> list[Term]:
    """Return the columns a covariate is coded by.

    Parameters
    ----------
    covariate
        The covariate.
    separation
        Coding of `separation_mm`: ``threshold`` (below 3 mm), ``linear`` or ``spline`` (in mm).
    nested
        Whether some patients had no separation procedure, and so have no distance.
    beside_sbrt
        Whether `sbrt` is among the covariates, so that `dose_regimen` is nested in it.
    knots
        Of a restricted cubic spline, where the covariate, a number, gets one.
    """
    name, label = covariate.name, covariate.label
    curves = [
        Term(
            name + "'" * part,
            f"{label}, curve {part}",
            name,
            "curve",
            knots=tuple(knots),
            part=part,
        )
        for part in range(1, len(knots) - 1)
    ]
    if name == "kps":
        return [Term(name, label, name, "number", "", 70.0, 1.0), *curves]
    if name == "separation_mm":
        limit = SEPARATION_THRESHOLD_MM
        if separation == "threshold":
            first = Term(f"separation_mm < {limit:g}", f"{label} below 3 mm", name, "below")
        else:
            first = Term(name, f"{label}, per mm", name, "number")
        first = Term(first.name, first.label, name, first.kind, "", limit, 1.0)
        none = Term("procedure=none", "no separation procedure", name, "absent")
        return [first, *curves, none] if nested else [first, *curves]
    if covariate.kind == "boolean":
        return [Term(name, label, name, "boolean")]
    if covariate.kind == "number":
        return [Term(name, label, name, "number"), *curves]
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


def products_of(first: Sequence[Term], second: Sequence[Term]) -> list[Term]:
    """Return the columns of the interaction of two covariates, given the columns of each."""
    return [
        Term(
            f"{one.name}:{other.name}",
            f"{one.label}, together with {other.label}",
            one.covariate,
            "product",
            factors=(one.name, other.name),
        )
        for one in first
        for other in second
    ]
