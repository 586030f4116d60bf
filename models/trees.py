"""Survival trees as plain arrays, and their predictions without scikit-survival."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from outcomes.arrays import FloatArray, IntArray

Int32Array = npt.NDArray[np.int32]
Float32Array = npt.NDArray[np.float32]

_BLOCK = 20_000


@dataclass(frozen=True, eq=False)
class Trees:
    """The trees of one forest, their nodes one after another.

    Attributes
    ----------
    roots
        Position of each tree's root, shape (n_trees,).
    feature
        Feature a node splits on; -1 in a leaf. Shape (n_nodes,).
    threshold
        Values up to it go left.
    left, right
        Positions of the children; a leaf is its own child.
    leaf
        Row of `hazard` for a leaf, -1 elsewhere.
    hazard
        Cumulative hazard of each leaf on the time grid, shape (n_leaves, n_grid).
    """

    roots: Int32Array
    feature: Int32Array
    threshold: Float32Array
    left: Int32Array
    right: Int32Array
    leaf: Int32Array
    hazard: Float32Array

    def predict(self, bins: IntArray) -> FloatArray:
        """Return the mean cumulative hazard over the trees, shape (n, n_grid)."""
        result = np.empty((len(bins), self.hazard.shape[1]))
        for start in range(0, len(bins), _BLOCK):
            part = slice(start, start + _BLOCK)
            result[part] = self.mean_hazard(self.leaves(bins[part]))
        return result

    def mean_hazard(self, leaves: Int32Array) -> FloatArray:
        """Return the mean cumulative hazard over leaves of shape (n, n_trees)."""
        result = np.zeros((len(leaves), self.hazard.shape[1]))
        for column in leaves.T:
            result += self.hazard[column]
        result /= leaves.shape[1]
        return result

    def leaves(self, bins: IntArray) -> Int32Array:
        """Return the leaf of each patient in each tree, shape (n, n_trees)."""
        node = np.broadcast_to(self.roots, (len(bins), len(self.roots))).copy()
        rows = np.arange(len(bins))[:, None]
        while True:
            feature = self.feature[node]
            if (feature < 0).all():
                return np.asarray(self.leaf[node])
            goes_left = bins[rows, np.maximum(feature, 0)] <= self.threshold[node]
            node = np.where(goes_left, self.left[node], self.right[node])

    def to_arrays(self) -> dict[str, Any]:
        """Return the arrays that `from_arrays` takes."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> "Trees":
        """Return the trees that `to_arrays` described.

        Raises
        ------
        ValueError
            If the arrays do not describe trees.
        """
        trees = cls(**{item.name: arrays[item.name] for item in fields(cls)})
        n, leaves = len(trees.feature), len(trees.hazard)
        inner, here = trees.feature >= 0, np.arange(n)
        sound = (
            trees.hazard.ndim == 2
            and all(
                array.shape == (n,)
                for array in (trees.threshold, trees.left, trees.right, trees.leaf)
            )
            and len(trees.roots) > 0
            and all(
                array.size == 0 or (array.min() >= 0 and array.max() < limit)
                for array, limit in (
                    (trees.roots, n),
                    (trees.left, n),
                    (trees.right, n),
                    (trees.leaf[~inner], leaves),
                )
            )
            # Children stand behind their parent, so no descent can run in a circle.
            and bool((trees.left[inner] > here[inner]).all())
            and bool((trees.right[inner] > here[inner]).all())
        )
        if not sound:
            raise ValueError("the arrays do not describe trees")
        return trees


def flatten_forest(forest: Any) -> Trees:
    """Return the trees of a fitted scikit-survival forest."""
    parts: dict[str, list[Any]] = {item.name: [] for item in fields(Trees)}
    n_nodes = n_leaves = 0
    for estimator in forest.estimators_:
        tree = estimator.tree_
        is_leaf = tree.children_left < 0
        here = np.arange(tree.node_count)
        parts["roots"].append([n_nodes])
        parts["feature"].append(np.where(is_leaf, -1, tree.feature))
        parts["threshold"].append(np.where(is_leaf, 0.0, tree.threshold))
        parts["left"].append(np.where(is_leaf, here, tree.children_left) + n_nodes)
        parts["right"].append(np.where(is_leaf, here, tree.children_right) + n_nodes)
        numbers = np.cumsum(is_leaf) - 1 + n_leaves
        parts["leaf"].append(np.where(is_leaf, numbers, -1))
        parts["hazard"].append(tree.value[is_leaf, :, 0])
        n_nodes += tree.node_count
        n_leaves += int(is_leaf.sum())
    whole = {name: np.concatenate(part) for name, part in parts.items()}
    return Trees(
        roots=whole["roots"].astype(np.int32),
        feature=whole["feature"].astype(np.int32),
        threshold=whole["threshold"].astype(np.float32),
        left=whole["left"].astype(np.int32),
        right=whole["right"].astype(np.int32),
        leaf=whole["leaf"].astype(np.int32),
        hazard=whole["hazard"].astype(np.float32),
    )
