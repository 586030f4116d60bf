"""Rank tests of equal curves: log-rank and Gray's."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc

from outcomes.arrays import FloatArray, IntArray
from outcomes.curves.risk_table import check_codes, check_times
from outcomes.errors import NotEstimableError, OutcomesError


@dataclass(frozen=True, eq=False)
class RankTest:
    """A test that the groups share one curve.

    Attributes
    ----------
    name
        ``"log_rank"`` or ``"gray"``.
    statistic, degrees_of_freedom, p
        Chi-squared statistic and its p value.
    groups
        The groups in order.
    observed, expected
        Events of each group, and those expected were the curves equal, shape (n_groups,); both
        weighted where the test weights time.
    variance
        Covariance of observed - expected, shape (n_groups, n_groups).
    """

    name: str
    statistic: float
    degrees_of_freedom: int
    p: float
    groups: tuple[object, ...]
    observed: FloatArray
    expected: FloatArray
    variance: FloatArray


def log_rank_test(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    strata: npt.ArrayLike | None = None,
) -> RankTest:
    """Test that two or more groups have the same survival.

    Parameters
    ----------
    time, event
        Months since surgery and whether the event happened then (0/1), shape (n,).
    group
        Group of each patient, shape (n,).
    strata
        Compare within these strata only, shape (n,).

    Raises
    ------
    OutcomesError
        If the sequences differ in length or a value is not allowed.
    NotEstimableError
        If fewer than two groups are at risk at an event.

    References
    ----------
    Mantel, Cancer Chemother. Rep. 1966; 50: 163-170; ties by the hypergeometric variance, as
    R's survdiff.
    """
    times = check_times(time, event, group)
    codes = check_codes(event, (1,))
    labels, members = _encode(group)
    size = len(labels)
    observed, expected, variance = np.zeros(size), np.zeros(size), np.zeros((size, size))
    for rows in _strata(strata, times):
        n, d = _counts(times[rows], codes[rows] == 1, members[rows], size)
        total, deaths = n.sum(axis=1), d.sum(axis=1)
        share = n / total[:, None]
        spread = np.where(total > 1, deaths * (total - deaths) / np.maximum(total - 1, 1), 0.0)
        observed += d.sum(axis=0)
        expected += (deaths[:, None] * share).sum(axis=0)
        variance += (
            np.diag((spread[:, None] * share).sum(axis=0)) - (spread[:, None] * share).T @ share
        )
    return _finish("log_rank", labels, observed, expected, variance)


def gray_test(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    cause: int = 1,
    strata: npt.ArrayLike | None = None,
    rho: float = 0.0,
) -> RankTest:
    """Test that two or more groups have the same cumulative incidence of a cause.

    Parameters
    ----------
    time, event
        Months since surgery and what happened then (0 censored, else the cause), shape (n,).
    group
        Group of each patient, shape (n,).
    cause
        Event code of interest; every other code but 0 competes.
    strata
        Compare within these strata only, shape (n,).
    rho
        Events at t weigh (1 - F(t-)) ** rho, F being the incidence of all groups together: above
        0 early differences count for more, below 0 late ones.

    Raises
    ------
    OutcomesError
        If the sequences differ in length or a value is not allowed.
    NotEstimableError
        If fewer than two groups are at risk at an event of the cause.

    References
    ----------
    Gray, Annals of Statistics 1988; 16: 1141-1154, with the variance of cmprsk::cuminc.
    """
    times = check_times(time, event, group)
    values = np.asarray(event, dtype=np.float64)
    codes = check_codes(event, tuple(int(code) for code in np.unique(values) if code != 0))
    if not np.isfinite(rho):
        raise OutcomesError(f"rho: found {rho!r}; allowed: a finite number")
    if cause == 0:
        raise OutcomesError("cause 0 stands for censoring; allowed: an event code")
    if not (codes == cause).any():
        raise NotEstimableError(f"no event of cause {cause}")
    labels, members = _encode(group)
    size = len(labels)
    observed, expected, variance = np.zeros(size), np.zeros(size), np.zeros((size, size))
    for rows in _strata(strata, times):
        if not (codes[rows] == cause).any():
            continue
        parts = _gray_stratum(times[rows], codes[rows], members[rows], size, cause, rho)
        observed += parts[0]
        expected += parts[1]
        variance += parts[2]
    return _finish("gray", labels, observed, expected, variance)


def _gray_stratum(
    times: FloatArray, codes: IntArray, members: IntArray, size: int, cause: int, rho: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return observed and expected events by group, and the covariance of their difference."""
    n, d = _counts(times, codes != 0, members, size)
    own = _counts(times, codes != 0, members, size, codes == cause)[1]
    other = d - own
    safe = np.maximum(n, 1.0)
    survival: FloatArray = np.cumprod(1 - d / safe, axis=0, dtype=np.float64)
    before = _shift(survival, 1.0)
    ratio = _divide(n, before)
    incidence: FloatArray = np.cumsum(before * own / safe, axis=0, dtype=np.float64)
    # Numbers at risk had the competing events not removed patients (Gray's R).
    adjusted: FloatArray = ratio * (1 - _shift(incidence, 0.0))
    cases: FloatArray = own.sum(axis=1)
    pooled_risk, pooled_ratio = adjusted.sum(axis=1), ratio.sum(axis=1)

    # The score's variance under the null, with one pooled incidence for all groups.
    jump = _divide(cases, pooled_ratio)
    null: FloatArray = np.cumsum(jump)
    null_before = _shift(null, 0.0)
    weight: FloatArray = np.maximum(1 - null_before, 0.0) ** rho if rho else np.ones_like(cases)
    share = _divide(adjusted, pooled_risk[:, None])
    expected = ((weight * cases)[:, None] * share).sum(axis=0)
    observed = (weight[:, None] * own).sum(axis=0)
    share = _divide(ratio, pooled_ratio[:, None])
    direct = (weight[:, None] * ratio)[:, :, None] * (np.eye(size) - share[:, None, :])
    carried = np.cumsum(direct * _divide(jump, 1 - null_before)[:, None, None], axis=0)
    final = carried[-1]
    tail = _divide((1 - null)[:, None], survival)
    variance = np.zeros((size, size))
    ties = 1 - _divide((cases - 1)[:, None], pooled_ratio[:, None] * before - 1)
    ties = np.where(cases[:, None] > 1, ties, 1.0)
    own_size = np.where(n > 0, ties * before * cases[:, None] / (pooled_ratio[:, None] * safe), 0.0)
    own_tail = np.where(survival > 0, 1 - tail, 1.0)
    ties = np.where(other > 1, 1 - _divide(other - 1, n - 1), 1.0)
    other_size = np.where(survival > 0, ties * before**2 * other / safe**2, 0.0)
    for scale, slope, base in ((own_size, own_tail, direct), (other_size, -tail, None)):
        # The effect of a group's jump on the score: at once, and by all later risk sets.
        effect = slope[:, None, :] * (final - carried)
        if base is not None:
            effect = effect + base
        variance += np.einsum("tik,tjk,tk->ij", effect, effect, scale)
    return observed, expected, variance


def _finish(
    name: str,
    labels: tuple[object, ...],
    observed: FloatArray,
    expected: FloatArray,
    variance: FloatArray,
) -> RankTest:
    """Turn score and covariance into the test, leaving out groups never at risk."""
    used = np.flatnonzero(expected > 0)
    if used.size < 2:
        raise NotEstimableError("fewer than two groups are at risk at an event")
    kept = used[:-1]
    block = variance[np.ix_(kept, kept)]
    score = (observed - expected)[kept]
    spread = np.linalg.eigvalsh(block)
    # Gray's correction for ties can turn the variance negative in a handful of patients.
    if spread[0] <= 1e-12 * abs(spread[-1]):
        raise NotEstimableError(
            "the groups are at risk together at too few events to compare all of them"
        )
    statistic = float(score @ np.linalg.solve(block, score))
    freedom = int(kept.size)
    p = float(gammaincc(freedom / 2, statistic / 2))
    return RankTest(name, statistic, freedom, p, labels, observed, expected, variance)


def _counts(
    times: FloatArray,
    counted: npt.NDArray[np.bool_],
    members: IntArray,
    size: int,
    among: npt.NDArray[np.bool_] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return patients at risk and events by group at the distinct times of counted events.

    ``among`` restricts the events but not the times.
    """
    distinct = np.unique(times[counted])
    if not distinct.size:
        return np.ones((0, size)), np.zeros((0, size))
    chosen = counted if among is None else counted & among
    at_risk = np.empty((distinct.size, size))
    events = np.empty((distinct.size, size))
    for index in range(size):
        mine = members == index
        at_risk[:, index] = mine.sum() - np.searchsorted(
            np.sort(times[mine]), distinct, side="left"
        )
        position = np.searchsorted(distinct, times[mine & chosen])
        events[:, index] = np.bincount(position, minlength=distinct.size)
    return at_risk, events


def _encode(group: npt.ArrayLike) -> tuple[tuple[object, ...], IntArray]:
    """Return the group labels in order and the group number of each patient."""
    labels, members = np.unique(np.asarray(group), return_inverse=True)
    if labels.size < 2:
        raise NotEstimableError("a comparison needs two groups; found one")
    return tuple(labels.tolist()), members.astype(np.int64)


def _strata(strata: npt.ArrayLike | None, times: FloatArray) -> list[npt.NDArray[Any]]:
    """Return the row numbers of each stratum."""
    if strata is None:
        return [np.arange(times.size)]
    check_times(times, strata)
    _, members = np.unique(np.asarray(strata), return_inverse=True)
    return [np.flatnonzero(members == index) for index in range(members.max() + 1)]


def _shift(values: FloatArray, start: float) -> FloatArray:
    """Return the values just before each time."""
    before: FloatArray = np.concatenate((np.full_like(values[:1], start), values[:-1]))
    return before


def _divide(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return numerator / denominator, 0 where the denominator is not positive."""
    top, bottom = np.broadcast_arrays(numerator, denominator)
    quotient: FloatArray = np.divide(top, bottom, out=np.zeros(top.shape), where=bottom > 0)
    return quotient
