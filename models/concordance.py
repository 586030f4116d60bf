"""How well a score ranks patients: concordance of pairs, with bootstrap weights."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from outcomes.arrays import FloatArray, IntArray

# Pairs held at once.
_PAIRS = 4_000_000


def concordance(time: FloatArray, event: IntArray, score: FloatArray, groups: Any = None) -> float:
    """Return Harrell's concordance index; pairs tied in the score count one half.

    Parameters
    ----------
    time
        Months, shape (n,).
    event
        0 censored, 1 the event of interest, above 1 a competing event; a patient with a
        competing event counts as never having the event of interest.
    score
        Higher means an earlier event.
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
    concordant = np.zeros(weights.shape[1])
    comparable = np.zeros(weights.shape[1])
    for rows in _members(groups, len(time)):
        t, e, s, w = time[rows], event[rows], score[rows], weights[rows]
        inverse = np.ones(len(t)) if censoring is None else 1.0 / censoring[rows]
        cases = np.flatnonzero((e == 1) & (t < horizon))
        block = max(1, _PAIRS // len(t))
        for start in range(0, len(cases), block):
            i = cases[start : start + block]
            later = t[None, :] > t[i, None]
            # Of two patients at one time, the one without an event outlives the other.
            later |= (t[None, :] == t[i, None]) & (e[None, :] == 0)
            never = (e[None, :] > 1) & ~later
            pair = later * inverse[i, None] ** 2 + never * (inverse[i, None] * inverse[None, :])
            higher = (s[i, None] > s[None, :]) + 0.5 * (s[i, None] == s[None, :])
            comparable += np.einsum("ib,ib->b", w[i], pair @ w)
            concordant += np.einsum("ib,ib->b", w[i], (pair * higher) @ w)
    undefined = np.full(len(concordant), np.nan)
    return np.asarray(np.divide(concordant, comparable, out=undefined, where=comparable > 0))


def _members(groups: Any, n: int) -> Iterator[IntArray]:
    if groups is None:
        yield np.arange(n)
        return
    names = np.asarray(groups, dtype=object)
    for name in sorted(set(names)):
        yield np.flatnonzero(names == name)
