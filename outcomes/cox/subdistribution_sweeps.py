"""Risk sets of a subdistribution and the two linear sweeps over them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from outcomes.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Censoring:
    """The censoring curve G of one group, and its increments.

    Attributes
    ----------
    rows
        Sorted rows of the group's patients, in order of time.
    times
        Distinct times of censoring, shape (n_times,).
    at_risk, censored
        Weight at risk just before, and weight censored at, each of the times.
    survival
        G from each time on.
    end
        Last month of the group; G counts as 0 afterwards.
    """

    rows: IntArray
    times: FloatArray
    at_risk: FloatArray
    censored: FloatArray
    survival: FloatArray
    end: float

    def before(self, months: FloatArray) -> FloatArray:
        """Return G(t-)."""
        padded = np.concatenate([[1.0], self.survival])
        value = padded[np.searchsorted(self.times, months, side="left")]
        return np.asarray(np.where(months > self.end, 0.0, value))


@dataclass(frozen=True, eq=False)
class Carried:
    """The competing events of one stratum and censoring group, who stay in the risk sets.

    Attributes
    ----------
    stratum, group
        Numbers of both.
    rows
        Sorted rows of the patients, in order of time.
    inverse
        1 / G(X-) of each.
    joined
        By event time of the stratum, how many of the patients had their event before.
    later
        By patient, the position of the stratum's first event time after the own.
    weight
        G(t-) at the stratum's event times.
    """

    stratum: int
    group: int
    rows: IntArray
    inverse: FloatArray
    joined: IntArray
    later: IntArray
    weight: FloatArray


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Patients sorted by stratum and time, with their risk sets.

    Arrays by patient have shape (n,), arrays by event time hold the strata one after another.

    Attributes
    ----------
    order
        Row of the data at each place of the sorted patients.
    time, weight, own, competing, censored
        Months, weight, and whether the event, a competing one or none happened.
    stratum, group
        Number of the stratum and of the censoring group.
    patients_by_stratum, events_by_stratum
        The places of each stratum.
    event_times, deaths
        Distinct times with an event of interest, and their weight.
    event_of
        For patients with the event, the place of its time; undefined for others.
    first
        By event time, the first patient still at risk.
    passed
        By patient, how many of the stratum's event times are at or before the own time.
    carried
        The competing events, by stratum and group.
    censoring
        The censoring curves, by group.
    """

    order: IntArray
    time: FloatArray
    weight: FloatArray
    own: BoolArray
    competing: BoolArray
    censored: BoolArray
    stratum: IntArray
    group: IntArray
    patients_by_stratum: tuple[slice, ...]
    events_by_stratum: tuple[slice, ...]
    event_times: FloatArray
    deaths: FloatArray
    event_of: IntArray
    first: IntArray
    passed: IntArray
    carried: tuple[Carried, ...]
    censoring: tuple[Censoring, ...]

    def over_risk_sets(self, values: FloatArray) -> FloatArray:
        """Return the sum of patients' values over each risk set, from (m, n) to (m, n_events)."""
        result = np.empty((len(values), len(self.event_times)))
        for patients, events in self.strata():
            later = reverse_sum(values[:, patients])
            result[:, events] = later[:, self.first[events] - patients.start]
        for part in self.carried:
            events = self.events_by_stratum[part.stratum]
            gone = running_sum(values[:, part.rows] * part.inverse)
            result[:, events] += part.weight * gone[:, part.joined]
        return result

    def over_patients(self, values: FloatArray) -> FloatArray:
        """Return the sum, for each patient, of values over the risk sets they are in.

        From (m, n_events) to (m, n); a competing event counts with its weight.
        """
        result = np.empty((len(values), len(self.time)))
        for patients, events in self.strata():
            result[:, patients] = running_sum(values[:, events])[:, self.passed[patients]]
        for part in self.carried:
            events = self.events_by_stratum[part.stratum]
            later = reverse_sum(values[:, events] * part.weight)
            result[:, part.rows] += part.inverse * later[:, part.later]
        return result

    def strata(self) -> Iterator[tuple[slice, slice]]:
        """Yield the places of the patients and of the event times of each stratum."""
        return zip(self.patients_by_stratum, self.events_by_stratum, strict=True)


def running_sum(values: FloatArray) -> FloatArray:
    """Return sums along the rows, starting with 0: shape (m, k) to (m, k + 1)."""
    result = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=result[:, 1:])
    return result


def reverse_sum(values: FloatArray) -> FloatArray:
    """Return sums from each place to the end, ending with 0: shape (m, k) to (m, k + 1)."""
    result = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values[:, ::-1], axis=1, out=result[:, -2::-1])
    return result


def make_risk_sets(
    time: FloatArray,
    codes: IntArray,
    cause: int,
    weight: FloatArray,
    stratum: IntArray,
    group: IntArray,
) -> RiskSets:
    """Sort the patients and prepare the sweeps; strata and groups are numbered from 0."""
    order = np.lexsort((time, stratum))
    time, codes, weight = time[order], codes[order], weight[order]
    stratum, group = stratum[order], group[order]
    own = codes == cause
    competing = (codes != 0) & ~own
    censoring = tuple(
        _censoring(np.flatnonzero(group == k), time, weight, codes == 0)
        for k in range(int(group.max()) + 1)
    )
    edges = np.searchsorted(stratum, np.arange(int(stratum.max()) + 2))
    patients, events, times, deaths, first, carried = [], [], [], [], [], []
    event_of = np.zeros(len(time), dtype=np.int64)
    passed = np.zeros(len(time), dtype=np.int64)
    begin = 0
    for number in range(len(edges) - 1):
        here = slice(int(edges[number]), int(edges[number + 1]))
        mine = np.flatnonzero(own[here]) + here.start
        distinct, place = np.unique(time[mine], return_inverse=True)
        patients.append(here)
        events.append(slice(begin, begin + len(distinct)))
        event_of[mine] = begin + place
        times.append(distinct)
        deaths.append(np.bincount(place, weight[mine], len(distinct)))
        first.append(np.searchsorted(time[here], distinct, side="left") + here.start)
        passed[here] = np.searchsorted(distinct, time[here], side="right")
        others = np.flatnonzero(competing[here]) + here.start
        for k in np.unique(group[others]).tolist():
            rows = others[group[others] == k]
            carried.append(
                Carried(
                    stratum=number,
                    group=k,
                    rows=rows,
                    inverse=1.0 / censoring[k].before(time[rows]),
                    joined=np.searchsorted(time[rows], distinct, side="left"),
                    later=passed[rows],
                    weight=censoring[k].before(distinct),
                )
            )
        begin += len(distinct)
    return RiskSets(
        order=order,
        time=time,
        weight=weight,
        own=own,
        competing=competing,
        censored=codes == 0,
        stratum=stratum,
        group=group,
        patients_by_stratum=tuple(patients),
        events_by_stratum=tuple(events),
        event_times=np.concatenate(times),
        deaths=np.concatenate(deaths),
        event_of=event_of,
        first=np.concatenate(first),
        passed=passed,
        carried=tuple(carried),
        censoring=censoring,
    )


def _censoring(
    rows: IntArray, time: FloatArray, weight: FloatArray, censored: BoolArray
) -> Censoring:
    rows = rows[np.argsort(time[rows], kind="stable")]
    months, w = time[rows], weight[rows]
    lost = censored[rows]
    distinct, place = np.unique(months[lost], return_inverse=True)
    at_risk = reverse_sum(w[None])[0][np.searchsorted(months, distinct, side="left")]
    count = np.asarray(np.bincount(place, w[lost], len(distinct)), dtype=np.float64)
    # Taken from those who stay, so that it is exactly 0 when all at risk are censored.
    stay = reverse_sum(w[None])[0][np.searchsorted(months, distinct, side="right")]
    tied = reverse_sum(np.where(lost, 0.0, w)[None])[0]
    tied = (
        tied[np.searchsorted(months, distinct, side="left")]
        - tied[np.searchsorted(months, distinct, side="right")]
    )
    survival = np.cumprod((stay + tied) / (stay + tied + count))
    return Censoring(rows, distinct, at_risk, count, survival, float(months[-1]))
