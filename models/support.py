"""Which months the follow-up supports: where censoring weights exist."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from outcomes.arrays import BoolArray, FloatArray
from outcomes.errors import ModelError
from outcomes.models.ranking import code_groups


@dataclass(frozen=True, eq=False)
class Support:
    """The months asked for, and those that are used.

    Attributes
    ----------
    asked, used
        Months in order.
    known
        Whose group still has patients under observation after each used month,
        shape (n, n_used).
    notes
        What was left out, and why; empty where all months are used for all.
    """

    asked: tuple[float, ...]
    used: tuple[float, ...]
    known: BoolArray
    notes: tuple[str, ...]


def clip_months(
    time: FloatArray, months: Sequence[float] | FloatArray, groups: Any = None, fewest: int = 1
) -> Support:
    """Return the months after which patients are still under observation.

    Where nobody is, the probability of being uncensored may be 0 and no patient can stand in for
    the censored.

    Parameters
    ----------
    time
        Months, shape (n,).
    months
        Months asked for.
    groups
        Group of each patient; a month is used for the groups that support it.
    fewest
        Patients of a group that must be under observation after a month.

    Raises
    ------
    ModelError
        If a month is not finite and above 0, or none is supported.
    """
    asked = tuple(sorted({float(month) for month in months}))
    if not asked or not all(np.isfinite(month) and month > 0 for month in asked):
        raise ModelError(f"months: found {list(months)!r}; allowed: finite months above 0")
    names = np.full(len(time), "", dtype=object) if groups is None else np.asarray(groups, object)
    code = code_groups(names, len(time))
    n_groups = int(code.max(initial=-1)) + 1
    later = np.stack(
        [np.bincount(code[time > month], minlength=n_groups) for month in asked], axis=1
    )
    supported = later >= fewest
    known = supported[code] if len(time) else np.zeros((0, len(asked)), dtype=bool)
    is_used: BoolArray = np.asarray(known.any(axis=0))
    used = tuple(month for month, use in zip(asked, is_used, strict=True) if use)
    people = "nobody is" if fewest == 1 else f"fewer than {fewest} patients are"
    if not used:
        last = float(time.max()) if len(time) else 0.0
        raise ModelError(
            f"months: found {_listed(asked)}; allowed: months after which patients are under "
            f"observation; the last time is month {last:g}"
        )
    notes = []
    if len(used) < len(asked):
        notes.append(
            f"asked for months {_listed(asked)}, used {_listed(used)}: {people} under "
            "observation after the others"
        )
    for month, column in zip(used, known[:, is_used].T, strict=True):
        out = sorted({str(name) for name in names[~column]})
        if out:
            notes.append(f"month {month:g}: without {', '.join(out)}, not followed so far")
    return Support(asked, used, known[:, is_used], tuple(notes))


def _listed(months: Sequence[float]) -> str:
    return ", ".join(f"{month:g}" for month in months)
