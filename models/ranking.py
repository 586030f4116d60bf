"""Which patients a concordance index compares, and the pairs' weight."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.models.pairs import share_pairs, sum_pairs


@dataclass(frozen=True, eq=False)
class Shares:
    """What every patient adds to the sums over pairs, in both roles, shape (n,) each.

    Attributes
    ----------
    concordant, comparable
        As the one with the earlier event.
    concordant_later, comparable_later
        As the one who outlives it.
    tied
        Pairs tied in the score, as the one with the earlier event; they count one half in
        `concordant`.
    """

    concordant: FloatArray
    comparable: FloatArray
    concordant_later: FloatArray
    comparable_later: FloatArray
    tied: FloatArray


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Sums within blocks of a sequence, over those before a limit of each member.

    Attributes
    ----------
    order
        The patients in sequence.
    start, limit
        Of the member at each place: place where its block begins, and where those end that it
        is compared with.
    """

    order: IntArray
    start: IntArray
    limit: IntArray

    def before(self, front: FloatArray) -> FloatArray:
        """Return for each patient the front weights before its limit, shape (n_columns, n)."""
        running = np.zeros((len(front), front.shape[1] + 1))
        np.cumsum(front.take(self.order, axis=1), axis=1, out=running[:, 1:])
        sums = np.empty_like(front)
        sums[:, self.order] = running.take(self.limit, axis=1) - running.take(self.start, axis=1)
        return sums

    def total(self, behind: FloatArray, front: FloatArray) -> FloatArray:
        """Return the sum over the pairs by column."""
        return np.asarray(np.einsum("ci,ci->c", behind, self.before(front)))

    def after(self, behind: FloatArray) -> FloatArray:
        """Return for each patient the weights behind whose limit lies after it, shape (n,)."""
        n = len(self.order)
        by_limit = np.bincount(self.limit, weights=behind[self.order], minlength=n)
        running = np.cumsum(by_limit)
        last = np.concatenate([np.flatnonzero(self.start[1:] != self.start[:-1]), [n - 1]])
        of_block = np.repeat(running[last], np.diff(last, prepend=-1))
        sums = np.empty(n)
        sums[self.order] = of_block - running
        return sums


class RankedPairs:
    """Pairs of a patient and the patients in front, within groups.

    Parameters
    ----------
    keys
        Columns by which patients stand in the row, the first one deciding first; each (n,).
    together
        How many of the keys name those at one place in the row, who are no pairs. They must
        stand by falling score.
    score
        Concordant is a pair whose one in front has the lower score, shape (n,).
    group
        Code of each patient's group, shape (n,).
    """

    def __init__(
        self,
        keys: tuple[FloatArray | IntArray, ...],
        together: int,
        score: FloatArray,
        group: IntArray,
    ) -> None:
        self._order = np.lexsort((*reversed(keys), group))
        place = _first(_changes(group, *keys[:together], order=self._order))
        position = np.empty(len(score), dtype=np.int64)
        position[self._order] = np.arange(len(score))
        self._compared = _Blocks(self._order, _first(_changes(group, order=self._order)), place)
        # Falling ranks from group to group: no pair across groups is concordant.
        by_rank = np.lexsort((position, score, -group))
        new_rank = _changes(group, score, order=by_rank)
        rank = np.empty(len(score), dtype=np.int64)
        rank[by_rank] = np.cumsum(new_rank)
        self._rank = rank[self._order]
        limit = np.empty(len(score), dtype=np.int64)
        limit[self._order] = place
        self._tied = None
        if not new_rank.all():
            self._tied = _Blocks(
                by_rank, _first(new_rank), _first(_changes(rank, limit, order=by_rank))
            )

    def totals(self, behind: FloatArray, front: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the concordant pairs (of the tied one half) and all pairs, by column.

        Parameters
        ----------
        behind, front
            Weights of the patients in either role, shape (n_columns, n).
        """
        in_row = (weights.take(self._order, axis=1) for weights in (behind, front))
        concordant = sum_pairs(self._rank, *in_row)
        if self._tied is not None:
            concordant = concordant + self._tied.total(behind, front) / 2
        return concordant, self._compared.total(behind, front)

    def shares(self, behind: FloatArray, front: FloatArray) -> Shares:
        """Return the same patient by patient, for one column of weights, shape (n,)."""
        shared = share_pairs(self._rank, behind[self._order], front[self._order])
        concordant, later, tied = np.zeros((3, len(behind)))
        concordant[self._order], later[self._order] = shared.in_front, shared.behind
        if self._tied is not None:
            tied = self._tied.before(front[None])[0]
            concordant += tied / 2
            later += self._tied.after(behind) / 2
        return Shares(
            behind * concordant,
            behind * self._compared.before(front[None])[0],
            front * later,
            front * self._compared.after(behind),
            behind * tied,
        )


def code_groups(groups: Any, n: int) -> IntArray:
    """Return a whole number per patient that names its group; 0 for all without groups."""
    if groups is None:
        return np.zeros(n, dtype=np.int64)
    return np.asarray(pd.factorize(np.asarray(groups, dtype=object))[0], dtype=np.int64)


def _changes(*keys: FloatArray | IntArray, order: IntArray) -> BoolArray:
    """Tell where, in this order, any key differs from the one before."""
    changes = np.zeros(len(order), dtype=bool)
    changes[:1] = True
    for key in keys:
        ordered = key[order]
        changes[1:] |= ordered[1:] != ordered[:-1]
    return changes


def _first(begins: BoolArray) -> IntArray:
    """Return for each place the place where its stretch begins."""
    return np.asarray(np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0)))
