"""Whom each tree of a forest was grown on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.arrays import BoolArray, IntArray

SMALLEST_TO_THIN = 5_000
_PER_ROOT = 30


@dataclass(frozen=True, eq=False)
class Draws:
    """The bootstrap samples of a forest's trees, drawn with replacement.

    Only the seeds are kept: they give the samples again, and say nothing of the patients.

    Attributes
    ----------
    seeds
        Seed of each tree, shape (n_trees,).
    n
        Training patients.
    size
        Patients drawn for each tree.
    """

    seeds: npt.NDArray[np.uint32]
    n: int
    size: int

    def counts(self, tree: int) -> IntArray:
        """Return how often each training patient was drawn for a tree, shape (n,)."""
        # The draw of scikit-learn's forests, which is that of scikit-survival's.
        source = np.random.RandomState(int(self.seeds[tree]))
        drawn = source.randint(0, self.n, self.size, dtype=np.int32)
        return np.bincount(drawn, minlength=self.n)

    def out_of_bag(self) -> BoolArray:
        """Return which patients a tree has not seen, shape (n_trees, n)."""
        return np.stack([self.counts(tree) == 0 for tree in range(len(self.seeds))])


def sample_size(n: int) -> int:
    """Return how many of n patients are drawn for each tree by default.

    All of them up to 5,000; of more, 30 times the root of their number: 3,000 of 10,000 and
    9,500 of 100,000. Discrimination and Brier score were the same as with all of them, the time a
    half and a seventh.
    """
    return n if n <= SMALLEST_TO_THIN else int(_PER_ROOT * np.sqrt(n))
