"""Sums over ordered pairs in n log n, by counting in halves.

Patients stand in a row. A pair counts where the one in front (at the smaller position) has the
lower rank. Halving the row again and again meets each pair once: where its two members first fall
into different halves. There, one running sum over the patients in order of rank gives each patient
the weight of the other half.
"""

from dataclasses import dataclass

import numpy as np

from outcomes.arrays import BoolArray, FloatArray, IntArray

# Length up to which a stretch of the row is compared pair by pair.
_STRETCH = 16
# Numbers held at once.
_CELLS = 2_000_000


@dataclass(frozen=True, eq=False)
class PairShares:
    """What every patient meets in the pairs.

    Attributes
    ----------
    in_front
        Weight of the patients in front with a lower rank, shape (n,).
    behind
        Weight of the patients behind with a higher rank, shape (n,).
    """

    in_front: FloatArray
    behind: FloatArray


def sum_pairs(rank: IntArray, behind: FloatArray, front: FloatArray) -> FloatArray:
    """Return the sum of behind[i] * front[j] over j in front of i with rank[j] < rank[i].

    Parameters
    ----------
    rank
        Rank of the patient at each position, shape (n,); equal ranks are no pair.
    behind, front
        Weight of each patient as the one behind and as the one in front, shape (n_columns, n).

    Returns
    -------
    array, shape (n_columns,)
    """
    if len(rank) < 2:
        return np.zeros(len(behind))
    row = _Row.of(rank)
    columns = max(1, _CELLS // row.length)
    parts = range(0, len(behind), columns)
    return np.concatenate(
        [_sum_columns(row, behind[k : k + columns], front[k : k + columns]) for k in parts]
    )


def share_pairs(rank: IntArray, behind: FloatArray, front: FloatArray) -> PairShares:
    """Return the sums of `sum_pairs` patient by patient, for one column of weights, shape (n,)."""
    n = len(rank)
    if n < 2:
        return PairShares(np.zeros(n), np.zeros(n))
    row = _Row.of(rank)
    last, first = row.pad(behind), row.pad(front)
    in_front, at_back = np.zeros((2, row.length))
    order = row.order
    for size in row.sizes:
        back = _is_back(order, size)
        at_left, at_right = np.flatnonzero(~back), np.flatnonzero(back)
        left, right = order.take(at_left), order.take(at_right)
        lower = np.cumsum((first.take(order) * ~back).reshape(-1, size), axis=1)
        in_front[right] += lower.take(at_right)
        higher = np.cumsum((last.take(order) * back).reshape(-1, size), axis=1)
        at_back[left] += (higher[:, -1:] - higher).take(at_left)
        order = _regroup(left, right, size)
    ranks = row.stretches
    last, first = last.reshape(ranks.shape), first.reshape(ranks.shape)
    met_front, met_behind = in_front.reshape(ranks.shape), at_back.reshape(ranks.shape)
    for gap in range(1, ranks.shape[1]):
        lower_in_front = ranks[:, :-gap] < ranks[:, gap:]
        met_front[:, gap:] += first[:, :-gap] * lower_in_front
        met_behind[:, :-gap] += last[:, gap:] * lower_in_front
    return PairShares(in_front[:n], at_back[:n])


@dataclass(frozen=True, eq=False)
class _Row:
    """The row, filled up with patients of no weight so that it halves evenly.

    Attributes
    ----------
    n, length
        Patients, and positions with those filled up.
    order
        Positions by rank, shape (length,); of equal ranks the hindmost comes first, so that
        their running sum leaves them out.
    sizes
        Lengths of the parts that are halved, one a level.
    stretches
        Ranks in the parts that are left, shape (n_parts, part).
    """

    n: int
    length: int
    order: IntArray
    sizes: tuple[int, ...]
    stretches: IntArray

    @classmethod
    def of(cls, rank: IntArray) -> "_Row":
        n = len(rank)
        halvings = max(0, int(np.ceil(np.log2(n / _STRETCH))))
        stretch = -(-n // 2**halvings)
        length = stretch * 2**halvings
        by_rank = n - 1 - np.argsort(rank[::-1], kind="stable")
        ranks = np.zeros(length, dtype=np.int64)
        ranks[:n] = rank
        return cls(
            n,
            length,
            np.concatenate([by_rank, np.arange(n, length)]),
            tuple(stretch * 2**level for level in range(halvings, 0, -1)),
            ranks.reshape(-1, stretch),
        )

    def pad(self, weights: FloatArray) -> FloatArray:
        wide = np.zeros((*weights.shape[:-1], self.length))
        wide[..., : self.n] = weights
        return wide


def _sum_columns(row: _Row, behind: FloatArray, front: FloatArray) -> FloatArray:
    columns = len(behind)
    last, first = row.pad(behind), row.pad(front)
    sums = np.zeros(columns)
    order = row.order
    for size in row.sizes:
        back = _is_back(order, size)
        at_right = np.flatnonzero(back)
        left, right = order.take(np.flatnonzero(~back)), order.take(at_right)
        lower = (first.take(order, axis=1) * ~back).reshape(columns, -1, size)
        lower = np.cumsum(lower, axis=2).reshape(columns, -1).take(at_right, axis=1)
        sums += np.einsum("ci,ci->c", lower, last.take(right, axis=1))
        order = _regroup(left, right, size)
    ranks = row.stretches
    last, first = last.reshape(columns, *ranks.shape), first.reshape(columns, *ranks.shape)
    for gap in range(1, ranks.shape[1]):
        lower_in_front = ranks[:, :-gap] < ranks[:, gap:]
        sums += np.einsum("cps,cps,ps->c", last[:, :, gap:], first[:, :, :-gap], lower_in_front)
    return sums


def _is_back(order: IntArray, size: int) -> BoolArray:
    """Tell who stands in the back half of a part; `order` holds the parts one after another."""
    middle = np.arange(len(order) // size) * size + size // 2
    return np.asarray((order.reshape(-1, size) >= middle[:, None]).ravel())


def _regroup(left: IntArray, right: IntArray, size: int) -> IntArray:
    """Return the order with the two halves of each part one after the other."""
    halves = [left.reshape(-1, size // 2), right.reshape(-1, size // 2)]
    return np.asarray(np.stack(halves, axis=1).ravel())
