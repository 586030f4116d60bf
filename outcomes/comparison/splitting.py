"""How a column of more than two values makes two arms: two of its levels, or a threshold."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray
from outcomes.errors import CohortError, OutcomesError, Violation
from outcomes.schema.coercion import as_text

LISTED = 6


@dataclass(frozen=True)
class Levels:
    """Two values of a column; patients with others are left out.

    Attributes
    ----------
    treated, control
        The values.
    """

    treated: str
    control: str

    def __post_init__(self) -> None:
        if self.treated == self.control:
            raise OutcomesError(f"levels: found {self.treated!r} twice; allowed: two values")

    def keeps(self, column: "pd.Series") -> BoolArray:
        """Return who has one of the two values, shape (n,).

        Raises
        ------
        CohortError
            If nobody has one of them.
        """
        text = column.astype(str)
        for level in (self.treated, self.control):
            if not (text == level).any():
                levels = sorted({as_text(value) for value in column.unique()})
                listed = ", ".join(levels[:LISTED]) + (", …" if len(levels) > LISTED else "")
                violation = Violation(str(column.name), None, f"no {level!r}", f"one of {listed}")
                raise CohortError((violation,))
        return text.isin([self.treated, self.control]).to_numpy(dtype=np.bool_)

    def read(self, column: "pd.Series") -> tuple[BoolArray, tuple[str, str]]:
        """Return who is treated, and the labels of the treated and the control arm."""
        treated = (column.astype(str) == self.treated).to_numpy(dtype=np.bool_)
        return treated, (_words(self.treated), _words(self.control))


@dataclass(frozen=True)
class Below:
    """A threshold of a number: the treated are below it.

    Attributes
    ----------
    threshold
        In the unit of the column.
    """

    threshold: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.threshold):
            raise OutcomesError(f"threshold: found {self.threshold:g}; allowed: a finite number")

    def keeps(self, column: "pd.Series") -> BoolArray:
        """Return who has a value, shape (n,); CohortError where it is no number."""
        if not pd.api.types.is_numeric_dtype(column):
            violation = Violation(str(column.name), None, "text", "numbers, for a threshold")
            raise CohortError((violation,))
        return np.ones(len(column), dtype=np.bool_)

    def read(self, column: "pd.Series") -> tuple[BoolArray, tuple[str, str]]:
        """Return who is below, and the labels of both arms; CohortError where one is empty."""
        below = column.to_numpy(dtype=np.float64) < self.threshold
        if below.all() or not below.any():
            side = "below" if below.all() else "at or above"
            violation = Violation(
                str(column.name), None, f"all {side} {self.threshold:g}", "values on both sides"
            )
            raise CohortError((violation,))
        name = _words(str(column.name))
        return below, (f"{name} below {self.threshold:g}", f"{name} {self.threshold:g} or more")


Split = Levels | Below


def _words(name: str) -> str:
    """Return a name as words, e.g. ``Separation (mm)`` for ``separation_mm``."""
    words, _, unit = name.rpartition("_")
    if words and unit in ("mm", "cm", "months", "years", "gy"):
        name = f"{words} ({'Gy' if unit == 'gy' else unit})"
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]
