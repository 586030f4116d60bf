"""Patients sorted once, so that every risk set is a difference of two prefixes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.cox.inputs import as_numbers, read_labels
from outcomes.curves.risk_table import check_times
from outcomes.errors import OutcomesError

Ties = Literal["efron", "breslow"]
# Numbers worked on at once.
CACHED = 100_000
# Strata that are summed one by one.
MOST_STRATA = 100


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Rows by stratum and descending last month; deaths of one stratum and month are a group.

    Groups stand by stratum and descending month, too. Whoever is at risk at a group's month is in
    the prefix of rows that ends at `last`, less the prefix that ends at `base` (earlier strata)
    and, with late entry, less those who entered at that month or after it.

    Attributes
    ----------
    order
        Row of the data at each sorted position, shape (n,).
    time, entry
        Last month and month of entry of each sorted row, shape (n,); `entry` is None where all
        entered at the start.
    months
        Month of each group, shape (n_groups,).
    stratum_names
        Values of the strata, shape (n_strata,).
    stratum
        Position of each group's stratum, shape (n_groups,).
    row_stratum
        Position of each sorted row's stratum, shape (n,).
    deaths
        Sorted positions of the events, shape (n_events,).
    group
        Group of each event, shape (n_events,).
    first_death
        Position in `deaths` of each group's first, shape (n_groups,).
    share
        Efron: of d deaths in a group the k-th (from 0) sees the share k / d of them gone, shape
        (n_events,). None without ties, or with Breslow's.
    last, base
        Ends of the prefixes, shape (n_groups,).
    row_ends, group_ends
        Ends of each stratum's rows and groups; sums then run within strata, so that none loses
        digits beside a larger one. None with more than `MOST_STRATA`.
    since, until
        Each sorted row is at risk in the groups from `since` to before `until`, shape (n,).
    entry_order
        Sorted positions by stratum and descending entry, shape (n,); None without late entry.
    entered, entered_base
        As `last` and `base`, of the prefixes of `entry_order` that are not at risk yet.
    """

    order: IntArray
    time: FloatArray
    months: FloatArray
    stratum_names: npt.NDArray[np.object_]
    stratum: IntArray
    row_stratum: IntArray
    deaths: IntArray
    group: IntArray
    first_death: IntArray
    share: FloatArray | None
    last: IntArray
    base: IntArray
    since: IntArray
    until: IntArray
    row_ends: IntArray | None = None
    group_ends: IntArray | None = None
    entry: FloatArray | None = None
    entry_order: IntArray | None = None
    entered: IntArray | None = None
    entered_base: IntArray | None = None

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.order.size

    @property
    def n_events(self) -> int:
        """Number of events."""
        return self.deaths.size

    @property
    def deaths_per_group(self) -> IntArray:
        """Number of events in each group."""
        return np.diff(np.append(self.first_death, self.n_events))

    def prefix_sums(self, values: FloatArray) -> FloatArray:
        """Return the sums over those at risk in each group.

        Parameters
        ----------
        values
            A number for each sorted row, shape (..., n).

        Returns
        -------
        array, shape (..., n_groups)
        """
        sums = _differences(values, self.base, self.last, self.row_ends)
        if self.entry_order is not None and self.entered is not None:
            assert self.entered_base is not None  # noqa: S101 - they come together
            entered = values.take(self.entry_order, axis=-1)
            sums -= _differences(entered, self.entered_base, self.entered, self.row_ends)
        return sums

    def weighted_sums(self, columns: FloatArray, weights: FloatArray) -> FloatArray:
        """Return `prefix_sums` of columns (p, n) times weights (n,), in pieces kept in cache."""
        at_once = max(1, CACHED // self.n)
        if at_once >= len(columns):
            return self.prefix_sums(columns * weights)
        sums = np.empty((len(columns), self.months.size))
        for start in range(0, len(columns), at_once):
            part = slice(start, start + at_once)
            sums[part] = self.prefix_sums(columns[part] * weights)
        return sums

    def per_group(self, values: FloatArray) -> FloatArray:
        """Return the sums over the events of each group, shape (..., n_groups)."""
        if self.months.size == self.n_events:
            return values
        return np.asarray(np.add.reduceat(values, self.first_death, axis=-1))

    def per_event(self, values: FloatArray) -> FloatArray:
        """Return a group's value for each of its events, shape (..., n_events)."""
        if self.months.size == self.n_events:
            return values
        return values.take(self.group, axis=-1)

    def while_at_risk(self, increments: FloatArray) -> FloatArray:
        """Return the sum of the groups' increments while each row was at risk, shape (..., n)."""
        if self.group_ends is None:
            running = np.zeros((*increments.shape[:-1], increments.shape[-1] + 1))
            # From the last group, which has the earliest month.
            np.cumsum(increments[..., ::-1], axis=-1, out=running[..., -2::-1])
            return np.asarray(running.take(self.since, axis=-1) - running.take(self.until, axis=-1))
        # Each stratum's sums end with a 0 of its own.
        size = increments.shape[-1] + self.group_ends.size
        running, start = np.zeros((*increments.shape[:-1], size)), 0
        for shift, end in enumerate(self.group_ends):
            part = running[..., start + shift : end + shift]
            part[..., ::-1] = np.cumsum(increments[..., start:end][..., ::-1], axis=-1)
            start = end
        since, until = self.since + self.row_stratum, self.until + self.row_stratum
        return np.asarray(running.take(since, axis=-1) - running.take(until, axis=-1))


def _differences(
    values: FloatArray, start: IntArray, end: IntArray, ends: IntArray | None
) -> FloatArray:
    """Return the sums over values[..., start:end], each within one of the slices that end there."""
    if ends is None:
        running = np.concatenate(
            [np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1
        )
        return np.asarray(running.take(end, axis=-1) - running.take(start, axis=-1))
    running = _running_sums(values, ends)
    sums = running.take(end - 1, axis=-1)
    empty = end == start
    if empty.any():
        sums[..., empty] = 0.0
    return np.asarray(sums)


def _running_sums(values: FloatArray, ends: IntArray) -> FloatArray:
    if ends.size == 1:
        return np.cumsum(values, axis=-1)
    running, start = np.empty_like(values), 0
    for end in ends:
        np.cumsum(values[..., start:end], axis=-1, out=running[..., start:end])
        start = end
    return running


def make_risk_sets(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    ties: Ties = "efron",
) -> RiskSets:
    """Sort patients, or intervals of patients, into risk sets.

    Parameters
    ----------
    time, event
        Last month under observation and whether the event happened then (0/1), shape (n,).
    entry
        Month at which observation began, shape (n,); a row is at risk after it. By default 0,
        and then a row at month 0 is at risk in month 0.
    strata
        Rows of different strata are never compared, shape (n,).
    ties
        ``efron`` or ``breslow``.

    Raises
    ------
    OutcomesError
        If lengths differ, a month is missing, negative or infinite, an event is neither 0 nor 1,
        or an interval is empty.
    """
    if not isinstance(ties, str) or ties not in ("efron", "breslow"):
        raise OutcomesError(f"ties: found {ties!r}; allowed: 'efron', 'breslow'")
    months = check_times(as_numbers(time, "time"), event)
    happened = check_events(event)
    codes, names = _stratum_codes(strata, months.size)
    order = np.argsort(-months, kind="stable")
    if codes is not None:
        order = order[np.argsort(codes[order], kind="stable")]
    months, happened = months[order], happened[order]
    rows = np.zeros(months.size, dtype=np.int64) if codes is None else codes[order]
    deaths = np.flatnonzero(happened)
    new = np.ones(deaths.size, dtype=np.bool_)
    new[1:] = months[deaths[1:]] != months[deaths[:-1]]
    new[1:] |= rows[deaths[1:]] != rows[deaths[:-1]]
    first_death = np.flatnonzero(new)
    group = np.cumsum(new) - 1
    heads = deaths[first_death]
    last = _block_ends(months, rows)[heads]
    counts = np.diff(np.append(first_death, deaths.size))
    tied = ties == "efron" and counts.size < deaths.size
    share = (np.arange(deaths.size) - first_death[group]) / counts[group] if tied else None
    stratum = rows[heads]
    starts = np.searchsorted(rows, np.arange(names.size))
    group_ends = np.searchsorted(stratum, np.arange(names.size), side="right")
    few = names.size <= MOST_STRATA
    late = _late_entry(entry, months, order)
    made = RiskSets(
        order=order,
        time=months,
        months=months[heads],
        stratum_names=names,
        stratum=stratum,
        row_stratum=rows,
        deaths=deaths,
        group=group,
        first_death=first_death,
        share=share,
        last=last,
        base=starts[stratum],
        since=np.cumsum(np.bincount(last, minlength=months.size + 1))[: months.size],
        until=group_ends[rows],
        row_ends=np.append(starts[1:], rows.size) if few else None,
        group_ends=group_ends if few else None,
    )
    return made if late is None else _with_entry(made, late)


def check_events(event: npt.ArrayLike) -> BoolArray:
    """Return whether the event happened, refusing codes that are neither 0 nor 1."""
    found = np.asarray(event)
    if found.ndim != 1:
        raise OutcomesError(f"event: found shape {found.shape}; allowed: one for each row")
    if found.dtype == np.bool_:
        return found
    wrong = np.flatnonzero(~((found == 0) | (found == 1)))
    if wrong.size:
        raise OutcomesError(f"event of row {wrong[0] + 1}: found {found[wrong[0]]}; allowed: 0, 1")
    return np.asarray(found == 1)


def _stratum_codes(
    strata: npt.ArrayLike | None, n: int
) -> tuple[IntArray | None, npt.NDArray[np.object_]]:
    if strata is None:
        return None, np.array([""], dtype=object)
    names, codes = read_labels(strata, "strata", n)
    return codes, names


def _block_ends(months: FloatArray, rows: IntArray) -> IntArray:
    """Return for each sorted row the position after the last row of its stratum and month."""
    new = np.flatnonzero((months[1:] != months[:-1]) | (rows[1:] != rows[:-1])) + 1
    ends = np.append(new, months.size)
    return np.repeat(ends, np.diff(np.concatenate([[0], ends])))


def _late_entry(
    entry: npt.ArrayLike | None, months: FloatArray, order: IntArray
) -> FloatArray | None:
    """Return the sorted rows' entries, None where all entered at the start."""
    if entry is None:
        return None
    entries = check_times(as_numbers(entry, "entry"), order)
    if not entries.any():
        return None
    # Who enters at surgery is at risk on that day, too.
    entries = np.where(entries == 0, -1.0, entries)
    wrong = np.flatnonzero(entries[order] >= months)
    if wrong.size:
        row = int(order[wrong].min())
        raise OutcomesError(
            f"entry of row {row + 1}: found {entries[row]:g}; allowed: before the row's last month"
        )
    return entries[order]


def _with_entry(sets: RiskSets, entry: FloatArray) -> RiskSets:
    """Take out of each risk set those who entered at its month or later."""
    rank = np.unique(np.concatenate([entry, sets.months]), return_inverse=True)[1]
    # Keys that order by stratum and descending month.
    span = int(rank.max()) + 1
    keys = sets.row_stratum * span + (span - 1 - rank[: entry.size])
    groups = sets.stratum * span + (span - 1 - rank[entry.size :])
    entry_order = np.argsort(keys, kind="stable")
    ordered = keys[entry_order]
    values = {name: getattr(sets, name) for name in RiskSets.__dataclass_fields__}
    return RiskSets(
        **values
        | {
            "entry": np.maximum(entry, 0.0),
            # The first group at or before the entry.
            "until": np.searchsorted(groups, keys, side="left"),
            "entry_order": entry_order,
            "entered": np.searchsorted(ordered, groups, side="right"),
            "entered_base": np.searchsorted(ordered, sets.stratum * span),
        }
    )
