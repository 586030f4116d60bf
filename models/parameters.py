"""Parameters of models, refused by name."""

import math
from numbers import Real
from typing import Any

import numpy as np

from outcomes.errors import ModelError


def check_number(
    name: str, value: Any, least: float, *, whole: bool = False, optional: bool = False
) -> None:
    """Raise ModelError where a parameter is no finite number of at least `least`."""
    if value is None and optional:
        return
    kind = "whole number" if whole else "number"
    right = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if not right or value < least or (whole and int(value) != value):
        value = value.item() if isinstance(value, np.generic) else value
        raise ModelError(f"{name}: found {value!r}; allowed: a {kind} of at least {least:g}")


def check_column(name: str, value: Any) -> None:
    """Raise ModelError where a parameter is no name of a column."""
    if value is not None and not isinstance(value, str):
        raise ModelError(f"{name}: found {value!r}; allowed: the name of a column, None")
