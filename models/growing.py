"""Growing the trees of a forest with scikit-survival."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.models.draws import BAG, Draws, half_sample, sample_size
from outcomes.models.trees import Trees, flatten_forest

# Trees held at once as scikit-survival keeps them, sixteen times as large as ours.
_BATCH = 50


@dataclass(frozen=True)
class Growth:
    """How trees are grown, in scikit-survival's terms.

    With `bags`, trees are drawn from half-samples (see `outcomes.models.draws.Draws`), and
    `max_samples` is ignored.
    """

    n_trees: int
    min_samples_leaf: int
    max_features: str | int | float | None
    max_samples: int | float | None
    n_jobs: int | None
    bags: bool = False


def grow(
    bins: IntArray,
    event: BoolArray,
    snapped: FloatArray,
    months: FloatArray,
    how: Growth,
    seed: int,
) -> tuple[Trees, Draws]:
    """Grow a forest for one cause.

    Parameters
    ----------
    bins
        Binned features, shape (n, n_features).
    event
        Whether the cause's event happened, shape (n,).
    snapped
        Months on the grid, shape (n,).
    months
        The grid, at which the trees' hazards are given.
    how
        Parameters of the trees.
    seed
        Seed of the forest.
    """
    from sksurv.ensemble import RandomSurvivalForest
    from sksurv.util import Surv

    n = len(bins)
    features = bins.astype(np.float32)
    response = Surv.from_arrays(event, snapped)
    # One source for all batches, so that their number does not change the trees.
    source = np.random.RandomState(seed)
    batches: list[Trees] = []
    seeds: list[int] = []
    bags: list[int] = []
    size = n
    batch = BAG if how.bags else _BATCH
    for start in range(0, how.n_trees, batch):
        rows: Any = slice(None)
        if how.bags:
            bags.append(int(source.randint(np.iinfo(np.int32).max)))
            rows = half_sample(n, bags[-1])
        forest = RandomSurvivalForest(
            n_estimators=min(batch, how.n_trees - start),
            min_samples_split=max(6, 2 * how.min_samples_leaf),
            min_samples_leaf=how.min_samples_leaf,
            max_features=how.max_features,
            max_samples=sample_size(n) if how.bags else how.max_samples,
            n_jobs=how.n_jobs,
            random_state=source,
        )
        forest.fit(features[rows], response[rows])
        size = int(forest._n_samples_bootstrap)
        seeds.extend(int(tree.random_state) for tree in forest.estimators_)
        batches.append(_on_grid(flatten_forest(forest), forest.unique_times_, months))
    draws = Draws(np.asarray(seeds, np.uint32), np.asarray(bags, np.uint32), n, size)
    return _join(batches), draws


def _join(batches: Sequence[Trees]) -> Trees:
    if len(batches) == 1:
        return batches[0]
    parts: dict[str, list[Any]] = {item.name: [] for item in fields(Trees)}
    n_nodes = n_leaves = 0
    for trees in batches:
        shift = {"roots": n_nodes, "left": n_nodes, "right": n_nodes}
        for name, arrays in parts.items():
            arrays.append(getattr(trees, name) + np.int32(shift.get(name, 0)))
        parts["leaf"][-1] = np.where(trees.leaf < 0, np.int32(-1), trees.leaf + np.int32(n_leaves))
        parts["threshold"][-1] = trees.threshold
        parts["hazard"][-1] = trees.hazard
        n_nodes += len(trees.feature)
        n_leaves += len(trees.hazard)
    return Trees(**{name: np.concatenate(arrays) for name, arrays in parts.items()})


def _on_grid(trees: Trees, unique_times: FloatArray, months: FloatArray) -> Trees:
    """Return the trees with their hazards given at every grid month."""
    position = np.searchsorted(unique_times, months, side="right") - 1
    if np.array_equal(position, np.arange(len(unique_times))):
        return trees
    hazard = np.where(position >= 0, trees.hazard[:, np.maximum(position, 0)], np.float32(0.0))
    return Trees(
        trees.roots,
        trees.feature,
        trees.threshold,
        trees.left,
        trees.right,
        trees.leaf,
        hazard.astype(np.float32),
    )
