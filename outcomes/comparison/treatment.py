"""Which of two values of a treatment column is the treated one, and what the arms are called."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray
from outcomes.errors import CohortError, Violation
from outcomes.schema.coercion import FALSE, TRUE, as_text

_LABELS: Mapping[str, tuple[str, str]] = {"sbrt": ("Surgery + SBRT", "Surgery alone")}
LISTED_VALUES = 5
CONTROL_WORDS = FALSE | {
    "none",
    "nil",
    "never",
    "alone",
    "control",
    "controls",
    "untreated",
    "observation",
    "placebo",
    "standard",
}
"""Texts that name the control arm; so do those that begin with "no" or end with "alone"."""


@dataclass(frozen=True, eq=False)
class Arms:
    """Who is treated.

    Attributes
    ----------
    treated
        Shape (n,).
    labels
        Names of the treated and the control arm.
    note
        How the values were told apart, where nothing but their order does it.
    """

    treated: BoolArray
    labels: tuple[str, str]
    note: str = ""


def read_treatment(column: pd.Series) -> Arms:
    """Read a treatment column of two values.

    Truth values speak for themselves, also as 0 and 1 or texts such as "yes" and "no", and even if
    all patients have the same: the other arm is empty then. Of two
    numbers the larger is the treated one. Of two texts that which names a control (`CONTROL_WORDS`)
    is the control; if neither or both do, the second in alphabetical order is the treated one, and
    a note says so.

    Raises
    ------
    CohortError
        If it does not have two values.
    """
    name = str(column.name)
    numbers = all(isinstance(level, Real) for level in column.unique())
    levels = sorted(
        column.unique().tolist(),
        key=None if numbers else lambda one: (str(one).casefold(), str(one)),
    )
    if len(levels) == 1 and (word := as_text(levels[0]).strip().casefold()) in TRUE | FALSE:
        labels = treatment_labels(name)
        member = np.full(column.size, word in TRUE)
        return Arms(member, labels, f"the arm '{labels[word in TRUE]}' has no patient")
    if len(levels) != 2:
        found = ", ".join(as_text(level) for level in levels[:LISTED_VALUES])
        if len(levels) > LISTED_VALUES:
            found += f" and {len(levels) - LISTED_VALUES} more values"
        only = "only " if len(levels) == 1 else ""
        raise CohortError((Violation(name, None, f"{only}{found}", "a column of two values"),))
    words = [as_text(level).strip().casefold() for level in levels]
    if _is_control(words[1]) and not _is_control(words[0]):
        levels.reverse()
        words.reverse()
    control, treated = levels
    member = (column == treated).to_numpy(dtype=np.bool_)
    if words[0] in FALSE and words[1] in TRUE:
        return Arms(member, treatment_labels(name))
    labels = as_text(treated), as_text(control)
    if numbers or _is_control(words[0]) != _is_control(words[1]):
        return Arms(member, labels)
    return Arms(
        member,
        labels,
        f"of {name}, {labels[0]} is taken as treated and {labels[1]} as control, for no reason but "
        f"the alphabet; --levels {labels[1]},{labels[0]} turns them round",
    )


def treatment_labels(treatment: str) -> tuple[str, str]:
    """Return the names of the treated and the control arm of a column of truth values."""
    words = treatment.replace("_", " ")
    return _LABELS.get(treatment, (words[:1].upper() + words[1:], f"No {words}"))


def _is_control(words: str) -> bool:
    return (
        words in CONTROL_WORDS or words.startswith(("no ", "without ")) or words.endswith(" alone")
    )
