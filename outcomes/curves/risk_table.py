"""Events and numbers at risk at every observed time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.arrays import FloatArray, IntArray
from outcomes.errors import NotEstimableError, OutcomesError


@dataclass(frozen=True, eq=False)
class RiskTable:
    """Counts at the distinct observed times; a tie of event and censoring has the event first.

    Attributes
    ----------
    times
        Distinct times of events and censorings in months, increasing, shape (n_times,).
    at_risk
        Patients under observation just before each time, shape (n_times,).
    events
        Events of each cause at each time, shape (n_times, n_causes).
    censored
        Patients censored at each time, shape (n_times,).
    entries
        Sorted months at which patients came under observation; empty if all did at month 0.
    """

    times: FloatArray
    at_risk: IntArray
    events: IntArray
    censored: IntArray
    entries: FloatArray

    @property
    def n(self) -> int:
        """Number of patients."""
        return int(self.events.sum() + self.censored.sum())

    def at_risk_at(self, months: npt.ArrayLike) -> IntArray:
        """Return the number of patients under observation just before each month."""
        query = np.asarray(months, dtype=np.float64)
        left = np.concatenate(([0], np.cumsum(self.events.sum(axis=1) + self.censored)))
        gone = left[np.searchsorted(self.times, query, side="left")]
        if not self.entries.size:
            return np.asarray(self.n - gone, dtype=np.int64)
        entered = np.where(
            query > 0,
            np.searchsorted(self.entries, query, side="left"),
            np.searchsorted(self.entries, query, side="right"),
        )
        return np.asarray(entered - gone, dtype=np.int64)


def check_times(time: npt.ArrayLike, *others: npt.ArrayLike) -> FloatArray:
    """Return the times as an array, checked against the sequences that accompany them.

    Raises
    ------
    OutcomesError
        If lengths differ, or a time is negative, missing or infinite.
    NotEstimableError
        If there is no patient.
    """
    times = np.asarray(time, dtype=np.float64)
    if times.ndim != 1:
        raise OutcomesError(f"time must be one sequence of months; found shape {times.shape}")
    for other in others:
        if np.shape(other) != times.shape:
            raise OutcomesError(
                "the sequences must be as long as time; "
                f"found shapes {times.shape} and {np.shape(other)}"
            )
    if not times.size:
        raise NotEstimableError("there is no patient")
    bad = np.flatnonzero(~(np.isfinite(times) & (times >= 0)))
    if bad.size:
        raise OutcomesError(
            f"time of row {bad[0] + 1}: found {times[bad[0]]}; "
            "allowed: months since surgery, finite and at least 0"
        )
    return times


def check_codes(event: npt.ArrayLike, causes: tuple[int, ...]) -> IntArray:
    """Return event codes as integers: 0 is censored, the others are causes.

    Raises
    ------
    OutcomesError
        If a code is neither 0 nor one of the causes.
    """
    codes = np.asarray(event, dtype=np.float64)
    bad = np.flatnonzero(~np.isin(codes, (0, *causes)))
    if bad.size:
        allowed = ", ".join(str(code) for code in (0, *causes))
        raise OutcomesError(
            f"event of row {bad[0] + 1}: found {codes[bad[0]]:g}; allowed: {allowed}"
        )
    return codes.astype(np.int64)


def make_risk_table(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    causes: tuple[int, ...] = (1,),
    *,
    entry: npt.ArrayLike | None = None,
) -> RiskTable:
    """Count events and patients at risk at the distinct times.

    Parameters
    ----------
    time, event
        Months since surgery and event code (0 censored, else one of the causes), shape (n,).
    causes
        Event codes, one column of counts each.
    entry
        Month at which each patient came under observation (left truncation), shape (n,);
        a patient is at risk after it.

    Raises
    ------
    OutcomesError
        If the sequences differ in length, a time or code is not allowed, or a patient
        leaves before or as they enter.
    NotEstimableError
        If there is no patient.
    """
    times = check_times(time, event)
    codes = check_codes(event, causes)
    distinct, position = np.unique(times, return_inverse=True)
    events = np.stack(
        [np.bincount(position[codes == cause], minlength=distinct.size) for cause in causes], axis=1
    )
    total = np.bincount(position, minlength=distinct.size)
    entries = np.empty(0)
    if entry is None:
        at_risk = total[::-1].cumsum()[::-1]
    else:
        entries = check_times(entry, times)
        if (entries > 0).any() and (entries >= times).any():
            row = int(np.flatnonzero(entries >= times)[0])
            raise OutcomesError(
                f"entry of row {row + 1}: found {entries[row]:g}; "
                f"allowed: before the patient's last month, {times[row]:g}"
            )
        entries = np.sort(entries) if (entries > 0).any() else np.empty(0)
        entered = np.searchsorted(entries, distinct, side="left") if entries.size else times.size
        at_risk = entered - np.concatenate(([0], total.cumsum()[:-1]))
    return RiskTable(
        times=distinct,
        at_risk=np.asarray(at_risk, dtype=np.int64),
        events=events.astype(np.int64),
        censored=(total - events.sum(axis=1)).astype(np.int64),
        entries=entries,
    )
