"""Model files: a zip archive of JSON and plain arrays, never a pickle.

``manifest.json`` names the format and its version, the parameters, the coding, the series, and
the SHA-256 of every array; its own stands in ``manifest.sha256``. The arrays are ``.npy`` members,
read with ``allow_pickle=False``.
Members stand in a fixed order with a fixed time stamp, so one model gives one sequence of bytes.
A file is checked in full before anything is made of it, and reading one runs no code from it.
"""

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from outcomes.endpoints import get_endpoint
from outcomes.errors import ModelFileError, OutcomesError
from outcomes.files import replacing
from outcomes.models.base import SurvivalModel
from outcomes.models.coarsening import FEWEST_EVENTS, coarsen_fit
from outcomes.models.cox import CoxModel
from outcomes.models.design import Design
from outcomes.models.fine_gray import FineGrayModel
from outcomes.models.fine_gray_files import (
    fine_gray_arrays,
    fine_gray_manifest,
    restore_fine_gray,
)
from outcomes.models.forest import ForestModel
from outcomes.models.grid import Grid
from outcomes.models.proportional_hazards import Baseline, CauseFit
from outcomes.models.series import SeriesSet
from outcomes.models.trees import Trees

FORMAT = "separation-outcomes-model"
FORMAT_VERSION = 1

_MANIFEST = "manifest.json"
_CHECKSUM = "manifest.sha256"
_STAMP = (1980, 1, 1, 0, 0, 0)
_LARGEST_MEMBER = 2 * 1024**3
_LARGEST_TOTAL = 4 * 1024**3
_LARGEST_MANIFEST = 16 * 1024**2
_MOST_MEMBERS = 10_000
_TREE_TYPES = {"threshold": "<f4", "hazard": "<f4"}
_CAUSE_ARRAYS = ("coefficients", "covariance", "center", "p_values")
_GRID_ARRAYS = ("months", "cuts", "cut_lengths")
_BASELINE_ARRAYS = ("times", "increments", "deaths", "means")


def save_model(
    model: SurvivalModel, path: str | Path, provenance: Mapping[str, Any] | None = None
) -> None:
    """Write a fitted model to a file, whole or not at all.

    The file holds no patient's row. The baseline hazards of a Cox or Fine-Gray model are written in
    steps of at least five events (see `outcomes.models.coarsening`), so the loaded model's
    predictions differ a little from those of the model in memory, never by more than a step; its
    coefficients and scores are the same. A forest's leaves are written as they are and need five
    patients or more.
    Longest follow-up, numbers of patients and events, and ranges of covariates are written.

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
    if not isinstance(model, CoxModel | FineGrayModel | ForestModel) or not hasattr(
        model, "series_"
    ):
        raise ModelFileError("only a fitted CoxModel, FineGrayModel or ForestModel can be saved")
    if isinstance(model, ForestModel) and model.min_samples_leaf < FEWEST_EVENTS:
        raise ModelFileError(
            f"min_samples_leaf: found {model.min_samples_leaf}; allowed in a file: at least "
            f"{FEWEST_EVENTS}, since smaller leaves would give back their patients"
        )
    if isinstance(model, CoxModel):
        arrays = _cox_arrays(model)
    elif isinstance(model, FineGrayModel):
        arrays = fine_gray_arrays(model)
    else:
        arrays = _forest_arrays(model)
    members = {f"{name}.npy": _npy_bytes(array) for name, array in sorted(arrays.items())}
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "package_version": version("separation-outcomes"),
        "kind": model.kind,
        "parameters": _parameters(model),
        "design": model.design_.to_dict(),
        "series": {
            "names": list(model.series_.names),
            "sizes": list(model.series_.sizes),
            "ends": list(model.series_.ends),
        },
        "n_training": model.n_training_,
        "events": {str(code): count for code, count in model.events_.items()},
        "training_digest": model.training_digest_,
        "n_features": model.n_features_in_,
        "feature_names": _feature_names(model),
        "provenance": dict(provenance or getattr(model, "provenance_", {})),
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
    }
    if isinstance(model, CoxModel):
        manifest["log_likelihood"] = {
            str(code): None if math.isnan(fit.log_likelihood) else fit.log_likelihood
            for code, fit in model.fits_.items()
        }
        manifest["notes"] = {str(code): fit.note for code, fit in model.fits_.items()}
        manifest["confined"] = list(model.confined_)
        manifest["proportional_hazards_test"] = [
            {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
            for row in model.proportional_hazards_test().to_dict("records")
        ]
    if isinstance(model, FineGrayModel):
        manifest.update(fine_gray_manifest(model))
    try:
        text = json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"the model cannot be written as JSON: {error}") from None
    data = text.encode()
    checksum = hashlib.sha256(data).hexdigest().encode()
    _write(Path(path), {_MANIFEST: data, _CHECKSUM: checksum, **members})


def load_model(path: str | Path) -> CoxModel | FineGrayModel | ForestModel:
    """Read a model that `save_model` wrote.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, altered, no model file, or of a newer format.
    """
    where = Path(path)
    manifest, arrays = _read(where)
    try:
        return _restore(manifest, arrays)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ModelFileError(
            f"{where}: the contents do not describe a model ({type(error).__name__}: {error})"
        ) from None


def _restore(
    manifest: Mapping[str, Any], arrays: Mapping[str, Any]
) -> CoxModel | FineGrayModel | ForestModel:
    kinds: dict[str, type[CoxModel] | type[FineGrayModel] | type[ForestModel]] = {
        "cox": CoxModel,
        "fine-gray": FineGrayModel,
        "forest": ForestModel,
    }
    model = kinds[manifest["kind"]](**manifest["parameters"])
    model.check_parameters()
    model.design_ = Design.from_dict(manifest["design"])
    model.n_training_ = int(manifest["n_training"])
    model.series_ = _restore_series(manifest["series"], model.n_training_)
    model.events_ = {int(code): int(count) for code, count in manifest["events"].items()}
    model.training_digest_ = str(manifest["training_digest"])
    model.n_features_in_ = int(manifest["n_features"])
    if manifest["feature_names"] is not None:
        model.feature_names_in_ = np.asarray(list(map(str, manifest["feature_names"])), object)
    model.provenance_ = dict(manifest["provenance"])
    if isinstance(model, CoxModel):
        _restore_cox(model, manifest, arrays)
    elif isinstance(model, FineGrayModel):
        restore_fine_gray(model, manifest, arrays)
    else:
        model.grid_ = Grid.from_arrays({k: arrays[f"grid.{k}"] for k in _GRID_ARRAYS})
        model.trees_ = {
            code: Trees.from_arrays(_under(arrays, f"trees.{code}.")) for code in model.causes
        }
        widths = {trees.hazard.shape[1] for trees in model.trees_.values()}
        if any((trees.hazard < 0).any() for trees in model.trees_.values()):
            raise ValueError("a hazard is negative")
        if widths != {len(model.grid_.months)}:
            raise ValueError("trees and grid do not fit")
        if any(trees.feature.max() >= len(model.grid_.cuts) for trees in model.trees_.values()):
            raise ValueError("trees ask for features there are not")
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


def _restore_cox(model: CoxModel, manifest: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    model.fits_ = {}
    model.confined_ = tuple(map(str, manifest["confined"]))
    model._test = pd.DataFrame(
        manifest["proportional_hazards_test"], columns=["event", "covariate", "statistic", "p"]
    )
    p = len(model.design_.terms)
    for code in model.causes:
        part = _under(arrays, f"cause.{code}.")
        if len(part) != len(_CAUSE_ARRAYS) + len(_BASELINE_ARRAYS) * len(model.series_.names):
            raise ValueError("baselines and series do not fit")
        baselines = []
        for position in range(len(model.series_.names)):
            stored = {name: part[f"{position}.{name}"] for name in _BASELINE_ARRAYS}
            baselines.append(_checked_baseline(Baseline(**stored, straight=True), p))
        coefficients, covariance, center, p_values = (part[name] for name in _CAUSE_ARRAYS)
        if coefficients.shape != (p,) or covariance.shape != (p, p) or center.shape != (p,):
            raise ValueError("coefficients and design do not fit")
        if p_values.shape != (p,) or (np.diag(covariance) < 0).any():
            raise ValueError("errors and tests of the coefficients are not sound")
        likelihood = manifest["log_likelihood"][str(code)]
        model.fits_[code] = CauseFit(
            coefficients,
            covariance,
            center,
            tuple(baselines),
            p_values,
            math.nan if likelihood is None else float(likelihood),
            str(manifest["notes"][str(code)]),
        )


def _checked_baseline(baseline: Baseline, p: int) -> Baseline:
    n = len(baseline.times)
    shapes = (baseline.increments.shape, baseline.deaths.shape, baseline.means.shape)
    if (
        shapes != ((n,), (n,), (n, p))
        or (np.diff(baseline.times, prepend=0.0) <= 0).any()
        or (baseline.increments < 0).any()
        or (baseline.deaths <= 0).any()
    ):
        raise ValueError("a baseline is not sound")
    return baseline


def _cox_arrays(model: CoxModel) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    for code, fit in model.fits_.items():
        for name in _CAUSE_ARRAYS:
            arrays[f"cause.{code}.{name}"] = getattr(fit, name).astype("<f8")
        coarse = coarsen_fit(fit, model.series_).baselines
        for position, baseline in enumerate(coarse):
            for name in _BASELINE_ARRAYS:
                arrays[f"cause.{code}.{position}.{name}"] = getattr(baseline, name).astype("<f8")
    return arrays


def _forest_arrays(model: ForestModel) -> dict[str, Any]:
    arrays = {f"grid.{k}": v.astype("<f8") for k, v in model.grid_.to_arrays().items()}
    for code, trees in model.trees_.items():
        for name, array in trees.to_arrays().items():
            arrays[f"trees.{code}.{name}"] = array.astype(_TREE_TYPES.get(name, "<i4"))
    return arrays


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


def _under(arrays: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name[len(prefix) :]: a for name, a in arrays.items() if name.startswith(prefix)}


def _npy_bytes(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def _write(path: Path, members: Mapping[str, bytes]) -> None:
    try:
        with replacing(path) as unfinished, zipfile.ZipFile(unfinished, "w") as archive:
            for member, data in members.items():
                info = zipfile.ZipInfo(member, _STAMP)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.create_system = 3
                info.external_attr = 0o644 << 16
                archive.writestr(info, data, compresslevel=6)
    except OutcomesError as error:
        raise ModelFileError(str(error)) from None


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = _check_members(path, archive)
            manifest = _read_manifest(path, archive)
            expected = manifest["sha256"]
            if set(expected) != set(sizes) - {_MANIFEST, _CHECKSUM}:
                raise ModelFileError(f"{path}: the members are not those its manifest lists")
            arrays = {}
            for name in sorted(expected):
                data = archive.read(name)
                if hashlib.sha256(data).hexdigest() != expected[name]:
                    raise ModelFileError(f"{path}: {name} was altered since it was written")
                array = np.load(io.BytesIO(data), allow_pickle=False)
                if array.dtype.kind not in "fi" or not np.isfinite(array).all():
                    raise ModelFileError(f"{path}: {name} holds what is no finite number")
                arrays[name.removesuffix(".npy")] = array
    except OutcomesError:
        raise
    except FileNotFoundError:
        raise ModelFileError(f"{path}: no such file") from None
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror or error})") from None
    except Exception as error:
        # A damaged archive fails in many ways inside zlib, zipfile and numpy; all mean the same.
        raise ModelFileError(
            f"{path}: damaged or no model file ({type(error).__name__}: {error})"
        ) from None
    return manifest, arrays


def _check_members(path: Path, archive: zipfile.ZipFile) -> dict[str, int]:
    infos = archive.infolist()
    sizes = {info.filename: info.file_size for info in infos}
    if len(infos) > _MOST_MEMBERS or len(sizes) != len(infos):
        raise ModelFileError(f"{path}: too many members, or two of one name")
    for name, size in sizes.items():
        if name not in (_MANIFEST, _CHECKSUM) and (
            not name.endswith(".npy") or "/" in name or "\\" in name
        ):
            raise ModelFileError(f"{path}: holds {name!r}, which is no part of a model file")
        if size > _LARGEST_MEMBER:
            raise ModelFileError(f"{path}: {name} would unpack to {size:,} bytes; too large")
    if sum(sizes.values()) > _LARGEST_TOTAL:
        raise ModelFileError(f"{path}: would unpack to {sum(sizes.values()):,} bytes; too large")
    # Deflate packs at most about 1000 to 1, and honest arrays far less tightly than that.
    packed = sum(info.compress_size for info in infos)
    if sum(sizes.values()) > 100_000_000 and sum(sizes.values()) > 200 * packed:
        raise ModelFileError(f"{path}: is packed too tightly for a model file")
    for name in (_MANIFEST, _CHECKSUM):
        if name not in sizes:
            raise ModelFileError(f"{path}: is no model file of this package; it lacks {name}")
        if sizes[name] > _LARGEST_MANIFEST:
            raise ModelFileError(f"{path}: {name} is too large")
    return sizes


def _read_manifest(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    data = archive.read(_MANIFEST)
    manifest = json.loads(data)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ModelFileError(f"{path}: is no model file of this package")
    found = manifest.get("format_version")
    if not isinstance(found, int) or found < 1:
        raise ModelFileError(f"{path}: format version {found!r} is not known")
    if found > FORMAT_VERSION:
        raise ModelFileError(
            f"{path}: written in format {found}; this package reads up to {FORMAT_VERSION}; "
            "a newer version of it is needed"
        )
    if hashlib.sha256(data).hexdigest().encode() != archive.read(_CHECKSUM):
        raise ModelFileError(f"{path}: {_MANIFEST} was altered since it was written")
    return manifest
