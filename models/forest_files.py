"""What a model file holds of a forest.

Trees are written node by node, a node's left child straight behind it. The curve of a leaf is
written as its steps alone, and curves that several leaves share once. Everything is in the smallest
whole numbers that hold it, the hazards in single precision as the model itself has them: a loaded
forest predicts exactly what the saved one did.

Of the training patients a file holds the curves of leaves with at least five of them, on the time
grid. Of the trees' samples it holds the seeds, which say nothing of a patient.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from outcomes.arrays import IntArray
from outcomes.errors import ModelFileError
from outcomes.models.coarsening import FEWEST_EVENTS
from outcomes.models.draws import BAG, Draws
from outcomes.models.forest import ForestModel
from outcomes.models.forest_interval import Spread
from outcomes.models.grid import Grid
from outcomes.models.trees import Trees

# Hazards held in memory; a file of few bytes could ask for any number.
_MOST_HAZARDS = 500_000_000
_GRID_ARRAYS = ("months", "cuts", "cut_lengths")
_TREE_ARRAYS = ("sizes", "feature", "cut", "right", "curve", "steps", "months", "hazard")


def forest_arrays(model: ForestModel) -> dict[str, Any]:
    """Return the arrays of a fitted model, by name.

    Raises
    ------
    ModelFileError
        If leaves may hold fewer than five patients.
    """
    if model.min_samples_leaf < FEWEST_EVENTS:
        raise ModelFileError(
            f"min_samples_leaf: found {model.min_samples_leaf}; allowed in a file: at least "
            f"{FEWEST_EVENTS}, since smaller leaves would give back their patients"
        )
    arrays = {f"grid.{name}": array for name, array in model.grid_.to_arrays().items()}
    arrays = {name: array.astype("<f8") for name, array in arrays.items()}
    for code, trees in model.trees_.items():
        packed = pack_trees(trees)
        arrays.update({f"trees.{code}.{name}": array for name, array in packed.items()})
        arrays[f"trees.{code}.seeds"] = model.draws_[code].seeds.astype("<u4")
        arrays[f"trees.{code}.bags"] = model.draws_[code].bags.astype("<u4")
    return arrays


def forest_manifest(model: ForestModel) -> dict[str, Any]:
    """Return what the manifest holds beside the arrays."""
    return {
        "row_digest": model.row_digest_,
        "draws": {str(code): draws.size for code, draws in model.draws_.items()},
        "spreads": {
            str(code): None if math.isnan(spread.ratio) else [spread.ratio, spread.error]
            for code, spread in model.spreads_.items()
        },
    }


def restore_forest(
    model: ForestModel, manifest: Mapping[str, Any], arrays: Mapping[str, Any]
) -> None:
    """Give a model what its file holds.

    Raises
    ------
    ValueError, KeyError
        If that is no sound model.
    """
    model.row_digest_ = str(manifest["row_digest"])
    model.grid_ = _restore_grid({name: arrays[f"grid.{name}"] for name in _GRID_ARRAYS})
    several = len(model.series_.names) > 1
    n_features = len(model.design_.terms) + several * len(model.series_.names)
    if len(model.grid_.cuts) != n_features:
        raise ValueError("features and design do not fit")
    model.trees_, model.draws_, model.spreads_ = {}, {}, {}
    for code in model.causes:
        packed = {name: arrays[f"trees.{code}.{name}"] for name in _TREE_ARRAYS}
        trees = unpack_trees(packed, len(model.grid_.months))
        if trees.feature.max() >= n_features:
            raise ValueError("trees ask for features there are not")
        seeds, bags = (arrays[f"trees.{code}.{name}"] for name in ("seeds", "bags"))
        size = int(manifest["draws"][str(code)])
        if seeds.ndim != 1 or not len(trees.roots) == len(seeds) == model.n_estimators:
            raise ValueError("trees and parameters do not fit")
        if not 1 <= size <= model.n_training_ or bags.shape not in ((0,), (-(-len(seeds) // BAG),)):
            raise ValueError("samples and patients do not fit")
        model.trees_[code] = trees
        model.draws_[code] = Draws(
            seeds.astype(np.uint32), bags.astype(np.uint32), model.n_training_, size
        )
        model.spreads_[code] = _restore_spread(manifest["spreads"][str(code)], len(seeds))


def pack_trees(trees: Trees) -> dict[str, Any]:
    """Return the trees as the arrays of a file.

    ``sizes``: nodes of each tree; by node ``feature`` + 1, or 0 in a leaf; by inner node ``cut``,
    bins up to which go left, and ``right``, how far behind the right child stands; by leaf its
    ``curve``; by curve how many ``steps`` it has; by step its grid position (``months``) and the
    cumulative ``hazard`` from there on.
    """
    n = len(trees.feature)
    here = np.arange(n)
    inner = trees.feature >= 0
    curves, curve = _unique_rows(trees.hazard)
    used = trees.leaf[~inner]
    steps = np.diff(curves, axis=1, prepend=np.float32(0.0)) != 0
    return {
        "sizes": _smallest(np.diff(np.append(trees.roots, n))),
        "feature": _smallest(trees.feature + 1),
        # Bins are whole numbers, and thresholds halfway between two.
        "cut": _smallest(np.floor(trees.threshold[inner])),
        "right": _smallest((trees.right - here)[inner]),
        "curve": _smallest(curve[used]),
        "steps": _smallest(steps.sum(axis=1)),
        "months": _smallest(np.nonzero(steps)[1]),
        "hazard": curves[steps].astype("<f4"),
    }


def unpack_trees(packed: Mapping[str, Any], n_months: int) -> Trees:
    """Return the trees that `pack_trees` described.

    Raises
    ------
    ValueError
        If the arrays do not describe trees on a grid of `n_months`.
    """
    if any(
        array.ndim != 1 or not np.can_cast(array.dtype, np.float64) for array in packed.values()
    ):
        raise ValueError("the arrays do not describe trees")
    whole = {name: a.astype(np.int64) for name, a in packed.items() if name != "hazard"}
    sizes, feature = whole["sizes"], whole["feature"] - 1
    n, inner = len(feature), feature >= 0
    _require(len(sizes) > 0 and sizes.min() >= 1 and sizes.sum() == n < 2**31)
    _require(feature.min() >= -1 and len(whole["cut"]) == len(whole["right"]) == inner.sum())
    _require(len(whole["curve"]) == n - inner.sum())
    here = np.arange(n)
    left, right, threshold, leaf = here.copy(), here.copy(), np.zeros(n), np.full(n, -1)
    left[inner] += 1
    right[inner] += whole["right"]
    threshold[inner] = whole["cut"] + 0.5
    leaf[~inner] = whole["curve"]
    # Children stand behind their parent in the same tree, so every descent ends in a leaf of it.
    ends = np.repeat(np.cumsum(sizes), sizes)
    _require(bool(((left < right) & (right < ends))[inner].all()))
    hazard = _unpack_curves(whole["steps"], whole["months"], packed["hazard"], n_months)
    _require(int(whole["curve"].min()) >= 0 and int(whole["curve"].max()) < len(hazard))
    return Trees(
        roots=(np.cumsum(sizes) - sizes).astype(np.int32),
        feature=feature.astype(np.int32),
        threshold=threshold.astype(np.float32),
        left=left.astype(np.int32),
        right=right.astype(np.int32),
        leaf=leaf.astype(np.int32),
        hazard=hazard,
    )


def _unpack_curves(
    steps: IntArray, months: IntArray, hazard: Any, n_months: int
) -> npt.NDArray[np.float32]:
    _require(len(steps) > 0 and steps.min() >= 0 and steps.sum() == len(months) == len(hazard))
    _require(len(steps) * n_months <= _MOST_HAZARDS)
    _require(not len(months) or (months.min() >= 0 and months.max() < n_months))
    rows = np.repeat(np.arange(len(steps)), steps)
    curves = np.zeros((len(steps), n_months), dtype=np.float32)
    curves[rows, months] = hazard
    along = np.diff(rows) == 0
    _require(not len(hazard) or float(hazard.min()) > 0)
    _require(bool((np.diff(months)[along] > 0).all() and (np.diff(hazard)[along] > 0).all()))
    return np.asarray(np.maximum.accumulate(curves, axis=1))


def _restore_grid(arrays: Mapping[str, Any]) -> Grid:
    months, cuts, lengths = (arrays[name] for name in _GRID_ARRAYS)
    _require(months.ndim == cuts.ndim == lengths.ndim == 1)
    _require(len(months) > 0 and months[0] >= 0 and bool((np.diff(months) > 0).all()))
    _require(bool((lengths >= 0).all() and (lengths == np.floor(lengths)).all()))
    _require(lengths.sum() == len(cuts))
    grid = Grid.from_arrays(arrays)
    _require(all(bool((np.diff(feature) > 0).all()) for feature in grid.cuts))
    return grid


def _restore_spread(stored: Any, n_trees: int) -> Spread:
    if stored is None:
        _require(n_trees < 2)
        return Spread(math.nan, math.nan, n_trees)
    ratio, error = map(float, stored)
    _require(math.isfinite(ratio) and math.isfinite(error) and error >= 0 and n_trees > 1)
    return Spread(ratio, error, n_trees)


def _require(sound: bool) -> None:
    if not sound:
        raise ValueError("the arrays do not describe trees on a grid")


def _unique_rows(matrix: Any) -> tuple[Any, IntArray]:
    """Return the distinct rows, and which of them each row is."""
    rows = np.ascontiguousarray(matrix)
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return rows[first], np.asarray(inverse.ravel(), dtype=np.int64)


def _smallest(values: Any) -> Any:
    """Return whole numbers of at least 0 in the smallest type that holds them."""
    kind = np.min_scalar_type(int(values.max(initial=0)))
    return values.astype(kind.newbyteorder("<"))
