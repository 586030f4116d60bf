"""How well a score ranks patients: Harrell's and Uno's concordance, in n log n.

A pair can be compared where one patient has the event of interest while the other is still
event-free: a later time, or the same time without an event. Two events at one time are no pair.
Pairs tied in the score count one half. R's `survival::concordance` and scikit-survival (where no
times are tied) count the same pairs.
"""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from outcomes.arrays import FloatArray, IntArray
from outcomes.errors import ModelError
from outcomes.estimate import Estimate
from outcomes.models.checks import (
    check_column,
    check_flag,
    check_labels,
    check_level,
    check_outcome,
    check_weights,
)
from outcomes.models.ipcw import Censoring, estimate_censoring
from outcomes.models.ranking import RankedPairs, Shares, code_groups

# Numbers held at once.
_CELLS = 4_000_000


@dataclass(frozen=True, eq=False)
class Concordance:
    """A concordance index with its standard error.

    Attributes
    ----------
    value
        Concordant pairs and half the pairs tied in the score, as a share of all; NaN without one.
    standard_error
        Root of the summed squares of `influence`, summed within clusters first.
    concordant, discordant, tied_score
        Pairs, or their weights.
    influence
        What the index changes by, to first order, per unit of a patient's relative weight (the
        infinitesimal jackknife), shape (n,).
    """

    value: float
    standard_error: float
    concordant: float
    discordant: float
    tied_score: float
    influence: FloatArray

    def interval(self, level: float = 0.95) -> Estimate:
        """Return the index with its normal interval, cut off at 0 and 1; NaN without a pair."""
        margin = float(ndtri(0.5 + check_level(level) / 2)) * self.standard_error
        if np.isnan(margin):
            return Estimate(self.value)
        return Estimate(self.value, max(0.0, self.value - margin), min(1.0, self.value + margin))


def concordance(time: FloatArray, event: IntArray, score: FloatArray, groups: Any = None) -> float:
    """Return Harrell's concordance index; pairs tied in the score count one half.

    Parameters
    ----------
    time
        Months, shape (n,).
    event
        0 censored, 1 the event of interest, above 1 a competing event; a patient with a
        competing event counts as never having the event of interest (Wolbers et al.,
        Epidemiology 2009;20:555-561).
    score
        Higher means an earlier event; finite.
    groups
        Compare only pairs of one group; by default all pairs.

    Returns
    -------
    float
        NaN where no pair can be compared.
    """
    ones = np.ones((len(time), 1))
    return float(weighted_concordance(time, event, score, ones, groups)[0])


def weighted_concordance(
    time: FloatArray,
    event: IntArray,
    score: FloatArray,
    weights: FloatArray,
    groups: Any = None,
    censoring: FloatArray | None = None,
    horizon: float = np.inf,
) -> FloatArray:
    """Return the concordance index for each column of patient weights.

    Parameters
    ----------
    time, event, score, groups
        As `concordance`.
    weights
        How often each patient counts, shape (n, n_columns): ones, or bootstrap counts.
    censoring
        Probability G(T-) of being uncensored just before each patient's time. With it, a pair
        is weighted by 1 / G(Ti-)^2 (Uno et al., Stat Med 2011;30:1105-1117) or, where the
        second patient had a competing event first, 1 / (G(Ti-) G(Tj-)) (Wolbers et al.,
        Biostatistics 2014;15:526-539).
    horizon
        Only events before this month count.
    """
    n, n_columns = weights.shape
    index = np.full(n_columns, np.nan)
    if n == 0:
        return index
    kinds = _compared(time, event, score, groups, censoring, horizon)
    width = max(1, _CELLS // n)
    for start in range(0, n_columns, width):
        part = slice(start, start + width)
        columns = np.ascontiguousarray(weights[:, part].T, dtype=np.float64)
        sums = [kind.pairs.totals(columns * kind.earlier, columns * kind.later) for kind in kinds]
        concordant, comparable = np.sum(sums, axis=0)
        np.divide(concordant, comparable, out=index[part], where=comparable > 0)
    return index


def harrell_concordance(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    groups: Any = None,
    clusters: Any = None,
    horizon: float = np.inf,
) -> Concordance:
    """Return Harrell's concordance index with its standard error.

    Parameters
    ----------
    time, event, score, groups
        As `concordance`.
    weights
        Case weights, shape (n,).
    clusters
        Whom the rows belong to, where a patient has several, shape (n,).
    horizon
        Only events before this month count.

    Raises
    ------
    ModelError
        If there are no patients, lengths differ, a number is missing or not finite, a code is no
        whole number of at least 0, or a weight is below 0.

    Notes
    -----
    The standard error is the infinitesimal jackknife's, as R's `concordance` has it.
    """
    given = _check(time, event, score, weights, groups, clusters, horizon)
    kinds = _compared(given.time, given.event, given.score, given.groups, None, horizon)
    return _estimate(kinds, given.weights, given.clusters, None)


def uno_concordance(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    censoring: Censoring | None = None,
    weights: npt.ArrayLike | None = None,
    groups: Any = None,
    clusters: Any = None,
    horizon: float = np.inf,
    fixed_censoring: bool = False,
) -> Concordance:
    """Return the concordance index weighted for censoring, with its standard error.

    Parameters
    ----------
    time, event, score, weights, groups, clusters
        As `harrell_concordance`.
    censoring
        Censoring distribution of these patients; by default estimated from them within groups.
    horizon
        Only events before this month count (tau of Uno et al.).
    fixed_censoring
        Whether the standard error takes the censoring distribution as known, as R's
        `concordance(timewt = "n/G2")` does; by default it includes its estimation.

    Raises
    ------
    ModelError
        As `harrell_concordance`.

    Notes
    -----
    Uno et al., Stat Med 2011;30:1105-1117; with competing events Wolbers et al., Biostatistics
    2014;15:526-539. Weights take G(t-), the probability of being uncensored just before t.
    """
    given = _check(time, event, score, weights, groups, clusters, horizon)
    fixed = check_flag("fixed_censoring", fixed_censoring)
    if censoring is None:
        censoring = estimate_censoring(given.time, given.event, given.groups, given.weights)
    elif not isinstance(censoring, Censoring):
        raise ModelError(
            f"censoring: found {type(censoring).__name__}; allowed: what estimate_censoring "
            "returns, None"
        )
    elif len(censoring.time) != len(given.time):
        raise ModelError(
            f"censoring: found that of {len(censoring.time)} patients; allowed: of these "
            f"{len(given.time)}"
        )
    before = censoring.before_own_time
    kinds = _compared(given.time, given.event, given.score, given.groups, before, horizon)
    return _estimate(kinds, given.weights, given.clusters, None if fixed else censoring)


@dataclass(frozen=True, eq=False)
class _Given:
    """What a concordance is asked of, checked."""

    time: FloatArray
    event: IntArray
    score: FloatArray
    weights: FloatArray
    groups: Any
    clusters: Any


def _check(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    score: npt.ArrayLike,
    weights: npt.ArrayLike | None,
    groups: Any,
    clusters: Any,
    horizon: float,
) -> _Given:
    months, codes = check_outcome(time, event)
    n = len(months)
    if not isinstance(horizon, Real) or not horizon > 0:
        raise ModelError(f"horizon: found {horizon!r}; allowed: a month above 0")
    return _Given(
        months,
        codes,
        check_column("score", score, n),
        check_weights(weights, n),
        check_labels("groups", groups, n),
        check_labels("clusters", clusters, n),
    )


@dataclass(frozen=True, eq=False)
class _Compared:
    """One kind of pairs, with the factors of a pair's weight.

    Attributes
    ----------
    pairs
        Who is compared.
    earlier, later
        Factor of the patient with the earlier event, and of the other, shape (n,).
    powers
        Powers of 1 / G(T-) in the two.
    """

    pairs: RankedPairs
    earlier: FloatArray
    later: FloatArray
    powers: tuple[int, int]


def _compared(
    time: FloatArray,
    event: IntArray,
    score: FloatArray,
    groups: Any,
    censoring: FloatArray | None,
    horizon: float,
) -> list[_Compared]:
    if len(score) and not np.isfinite(score).all():
        row = int(np.flatnonzero(~np.isfinite(score))[0])
        raise ModelError(f"score: row {row + 1}: found {score[row]}; allowed: a finite number")
    group = code_groups(groups, len(time))
    case, competing = event == 1, event > 1
    counts = case & (time < horizon)
    if censoring is None:
        # Who had a competing event will never have the event of interest.
        lasting = np.where(competing, np.inf, time)
        pairs = RankedPairs((-lasting, case.astype(np.int64), -score), 2, score, group)
        return [_Compared(pairs, counts.astype(np.float64), np.ones(len(time)), (0, 0))]
    inverse = 1.0 / np.maximum(censoring, 1e-12)
    kind = np.where(competing, 2, event)
    outlived = RankedPairs((-time, kind, -score), 2, score, group)
    kinds = [_Compared(outlived, counts * inverse**2, np.ones(len(time)), (2, 0))]
    if competing.any():
        spared = RankedPairs((time, -competing.astype(np.int64)), 2, score, group)
        kinds.append(_Compared(spared, counts * inverse, competing * inverse, (1, 1)))
    return kinds


def _estimate(
    kinds: list[_Compared], weights: FloatArray, clusters: Any, censoring: Censoring | None
) -> Concordance:
    """Return the index; `censoring` where its estimation is to count in the standard error."""
    shares = [kind.pairs.shares(weights * kind.earlier, weights * kind.later) for kind in kinds]
    concordant = sum(float(one.concordant.sum()) for one in shares)
    comparable = sum(float(one.comparable.sum()) for one in shares)
    tied = sum(float(one.tied.sum()) for one in shares)
    counts = (concordant - tied / 2, comparable - concordant - tied / 2, tied)
    if comparable <= 0:
        return Concordance(np.nan, np.nan, *counts, np.full(len(weights), np.nan))
    value = concordant / comparable

    def excess(one: Shares) -> tuple[FloatArray, FloatArray]:
        """Return what the patients' pairs hold above the index, as the earlier and the later."""
        return (
            (one.concordant - value * one.comparable) / comparable,
            (one.concordant_later - value * one.comparable_later) / comparable,
        )

    influence = np.zeros(len(weights))
    by_log_g = np.zeros(len(weights))
    for kind, one in zip(kinds, shares, strict=True):
        earlier, later = excess(one)
        influence += earlier + later
        by_log_g -= kind.powers[0] * earlier + kind.powers[1] * later
    if censoring is not None:
        influence += censoring.influence(by_log_g)
    summed = influence if clusters is None else np.bincount(pd.factorize(clusters)[0], influence)
    error = float(np.sqrt((summed**2).sum()))
    return Concordance(value, error, *counts, influence)
