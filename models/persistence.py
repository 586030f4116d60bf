"""Model files: a checked archive of JSON and plain arrays, never a pickle.

See `outcomes.models.archive` for the archive, and the modules of `_KINDS` for what it holds of each
kind of model. Reading a file runs no code from it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from outcomes.endpoints import get_endpoint
from outcomes.errors import ModelFileError
from outcomes.models.archive import FORMAT, FORMAT_VERSION, read_archive, write_archive
from outcomes.models.base import SurvivalModel
from outcomes.models.cox import CoxModel
from outcomes.models.cox_files import cox_arrays, cox_manifest, restore_cox
from outcomes.models.fine_gray import FineGrayModel
from outcomes.models.fine_gray_files import (
    fine_gray_arrays,
    fine_gray_manifest,
    restore_fine_gray,
)
from outcomes.models.forest import ForestModel
from outcomes.models.forest_files import forest_arrays, forest_manifest, restore_forest
from outcomes.models.series import SeriesSet
from outcomes.models.stored_design import restore_design

__all__ = ["FORMAT", "FORMAT_VERSION", "load_model", "save_model"]


@dataclass(frozen=True)
class _Kind:
    """A kind of model that files hold: its class, its contents, and how they come back."""

    model: type[Any]
    arrays: Callable[[Any], dict[str, Any]]
    manifest: Callable[[Any], dict[str, Any]]
    restore: Callable[[Any, Mapping[str, Any], Mapping[str, Any]], None]


_KINDS = {
    CoxModel.kind: _Kind(CoxModel, cox_arrays, cox_manifest, restore_cox),
    FineGrayModel.kind: _Kind(
        FineGrayModel, fine_gray_arrays, fine_gray_manifest, restore_fine_gray
    ),
    ForestModel.kind: _Kind(ForestModel, forest_arrays, forest_manifest, restore_forest),
}


def save_model(
    model: SurvivalModel, path: str | Path, provenance: Mapping[str, Any] | None = None
) -> None:
    """Write a fitted model to a file, whole or not at all.

    The file holds no patient's row. Baseline hazards of a Cox or Fine-Gray model are written in
    steps of at least five events (see `outcomes.models.coarsening`), so the loaded model's
    predictions differ from those of the model in memory, the more the fewer the events; the file
    holds how much at most, and `notes_` of the loaded model say it. Its coefficients and scores are
    the same. A forest's leaves are written as they are and need five
    patients or more; a loaded forest's predictions are exactly the same. Longest follow-up, numbers
    of patients and events, and ranges of covariates are written.

    Parameters
    ----------
    model
        A fitted `CoxModel`, `FineGrayModel` or `ForestModel`.
    path
        Any ending will do.
    provenance
        Plain data kept with the model, such as seed and source of the cohort.

    Raises
    ------
    ModelFileError
        If the model is not fitted or not one of ours, a forest's leaves may hold fewer than five
        patients, or the file cannot be written.
    """
    kind = _KINDS.get(getattr(model, "kind", ""))
    if kind is None or type(model) is not kind.model:
        names = ", ".join(kind.model.__name__ for kind in _KINDS.values())
        raise ModelFileError(
            f"model: found {type(model).__name__}; allowed: a fitted model, one of {names}"
        )
    if not hasattr(model, "series_"):
        raise ModelFileError(f"only a fitted model can be saved; this {kind.model.__name__} is not")
    where = _as_path(path)
    if provenance is not None and not isinstance(provenance, Mapping):
        raise ModelFileError(
            f"provenance: found {type(provenance).__name__}; allowed: values by name"
        )
    manifest = {
        "package_version": version("separation-outcomes"),
        "kind": model.kind,
        "parameters": _parameters(model),
        "design": model.design_.to_dict(),
        "series": {
            "names": list(model.series_.names),
            "sizes": list(model.series_.sizes),
            "ends": list(model.series_.ends),
        },
        "eventless": list(model.eventless_),
        "n_training": model.n_training_,
        "events": {str(code): count for code, count in model.events_.items()},
        "training_digest": model.training_digest_,
        "n_features": model.n_features_in_,
        "feature_names": _feature_names(model),
        "provenance": dict(provenance or getattr(model, "provenance_", {})),
        **kind.manifest(model),
    }
    write_archive(where, manifest, kind.arrays(model))


def _as_path(path: str | Path) -> Path:
    if not isinstance(path, str | PathLike):
        raise ModelFileError(f"path: found {path!r}; allowed: the name of a file")
    return Path(path)


def load_model(path: str | Path) -> CoxModel | FineGrayModel | ForestModel:
    """Read a model that `save_model` wrote.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, altered, no model file, or of another format version.
    """
    where = _as_path(path)
    manifest, arrays = read_archive(where)
    try:
        return _restore(manifest, arrays)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{where}: the contents do not describe a model ({type(error).__name__}: {error})"
        ) from None


def _restore(
    manifest: Mapping[str, Any], arrays: Mapping[str, Any]
) -> CoxModel | FineGrayModel | ForestModel:
    kind = _KINDS[manifest["kind"]]
    model: CoxModel | FineGrayModel | ForestModel = kind.model(**manifest["parameters"])
    _restore_parameters(model)
    model.design_ = restore_design(manifest["design"])
    model.n_training_ = int(manifest["n_training"])
    model.series_ = _restore_series(manifest["series"], model.n_training_)
    model.events_ = {int(code): int(count) for code, count in manifest["events"].items()}
    model.eventless_ = tuple(map(str, manifest["eventless"]))
    model.training_digest_ = str(manifest["training_digest"])
    model.n_features_in_ = int(manifest["n_features"])
    if manifest["feature_names"] is not None:
        model.feature_names_in_ = np.asarray(list(map(str, manifest["feature_names"])), object)
    model.provenance_ = dict(manifest["provenance"])
    kind.restore(model, manifest, arrays)
    described = {name: (a.dtype, a.shape) for name, a in kind.arrays(model).items()}
    if described != {name: (array.dtype, array.shape) for name, array in arrays.items()}:
        raise ValueError("the arrays are not those of such a model")
    return model


def _restore_series(data: Mapping[str, Any], n: int) -> SeriesSet:
    names, sizes = tuple(map(str, data["names"])), tuple(map(int, data["sizes"]))
    ends = tuple(map(float, data["ends"]))
    if not len(set(names)) == len(sizes) == len(ends) > 0:
        raise ValueError("series of unequal lengths")
    if min(sizes) < 1 or sum(sizes) != n:
        raise ValueError("the series' sizes do not sum to the patients")
    if not all(math.isfinite(end) and end >= 0 for end in ends):
        raise ValueError("a series' end is no month")
    return SeriesSet(names, sizes, ends)


def _restore_parameters(model: Any) -> None:
    """Check the parameters; lists of JSON that were tuples become tuples again."""
    if not isinstance(model.covariates, list | None):
        raise ValueError("covariates: no list of names")
    if getattr(model, "interactions", None) is not None:
        model.interactions = [tuple(pair) for pair in model.interactions]
    model.check_parameters()


def _parameters(model: SurvivalModel) -> dict[str, Any]:
    parameters = dict(model.get_params(deep=False))
    parameters["endpoint"] = get_endpoint(parameters["endpoint"]).name
    if parameters["covariates"] is not None:
        parameters["covariates"] = [str(name) for name in parameters["covariates"]]
    if isinstance(parameters.get("random_state"), np.random.RandomState):
        # The source of seeds has moved on; its state would not give this forest again.
        parameters["random_state"] = None
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in parameters.items()
    }


def _feature_names(model: SurvivalModel) -> list[str] | None:
    names = getattr(model, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]
