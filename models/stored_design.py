"""A coding read from a file, checked before it is used."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from outcomes.models.columns import Covariate
from outcomes.models.design import Design
from outcomes.models.terms import Term

_LARGEST = 1e12


def restore_design(data: Mapping[str, Any]) -> Design:
    """Return the design that `Design.to_dict` described.

    Raises
    ------
    ValueError, TypeError, KeyError
        If it is no sound one.
    """
    design = Design.from_dict(data)
    for covariate in design.covariates:
        _check_types(covariate)
    for term in design.terms:
        _check_types(term)
    known = [covariate.name for covariate in design.covariates]
    names = list(design.names)
    if len(set(known)) != len(known) or len(set(names)) != len(names):
        raise ValueError("a covariate or column stands there twice")
    if not {term.covariate for term in design.terms} <= set(known):
        raise ValueError("a column is made from no covariate")
    for position, term in enumerate(design.terms):
        if term.kind == "product" and not set(term.factors) <= set(names[:position]):
            raise ValueError("a product of columns there are not")
        kind = next(c.kind for c in design.covariates if c.name == term.covariate)
        if (kind == "category") != (term.kind == "level") and term.kind != "product":
            raise ValueError("a column does not fit its covariate")
    if not (design.fixed_sbrt is None or isinstance(design.fixed_sbrt, bool)):
        raise ValueError("fixed_sbrt is no truth value")
    if not isinstance(design.without_procedure, bool):
        raise ValueError("without_procedure is no truth value")
    return design


def _check_types(part: Covariate | Term) -> None:
    hints = get_type_hints(type(part))
    for item in fields(part):
        value, hint = getattr(part, item.name), hints[item.name]
        if get_origin(hint) is tuple:
            sound = all(_is(entry, get_args(hint)[0]) for entry in value)
        else:
            sound = _is(value, hint)
        if not sound:
            raise ValueError(f"{item.name}: found {value!r}")


def _is(value: Any, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if hint is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and math.isfinite(value) and abs(value) <= _LARGEST
    return type(value) is hint
