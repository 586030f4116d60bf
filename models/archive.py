"""A checked archive: a manifest in JSON and plain arrays in a zip file, never a pickle.

``manifest.json`` names the format and its version and holds the SHA-256 of every array; its own
stands in ``manifest.sha256``. The arrays are ``.npy`` members, read with ``allow_pickle=False``.
Members stand in a fixed order with a fixed time stamp, so the same content gives the same bytes.
An archive is checked in full before anything is made of it. The checksums tell damage and careless
changes; they are no signature, so what the contents say is to be checked as well.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from outcomes.errors import ModelFileError, OutcomesError
from outcomes.files import replacing

FORMAT = "separation-outcomes-model"
FORMAT_VERSION = 2

_MANIFEST = "manifest.json"
_CHECKSUM = "manifest.sha256"
_STAMP = (1980, 1, 1, 0, 0, 0)
_LARGEST_MEMBER = 2 * 1024**3
_LARGEST_TOTAL = 4 * 1024**3
_LARGEST_MANIFEST = 16 * 1024**2
_MOST_MEMBERS = 10_000


def write_archive(path: Path, manifest: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write manifest and arrays, whole or not at all.

    Parameters
    ----------
    path
        The file.
    manifest
        Plain data; format, version and checksums are added.
    arrays
        By name.

    Raises
    ------
    ModelFileError
        If the manifest is no plain data, or the file cannot be written.
    """
    members = {f"{name}.npy": _npy_bytes(array) for name, array in sorted(arrays.items())}
    whole = {
        **manifest,
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
    }
    try:
        text = json.dumps(whole, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"the model cannot be written as JSON: {error}") from None
    data = text.encode()
    checksum = hashlib.sha256(data).hexdigest().encode()
    _write(path, {_MANIFEST: data, _CHECKSUM: checksum, **members})


def read_archive(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return manifest and arrays of an archive.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, altered, no model file, or of another format version.
    """
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
                if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
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
    manifest = json.loads(data, parse_constant=_refuse_constant)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ModelFileError(f"{path}: is no model file of this package")
    found = manifest.get("format_version")
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise ModelFileError(f"{path}: format version {found!r} is not known")
    if found > FORMAT_VERSION:
        raise ModelFileError(
            f"{path}: written in format {found}; this package reads up to {FORMAT_VERSION}; "
            "a newer version of it is needed"
        )
    if found < FORMAT_VERSION:
        raise ModelFileError(
            f"{path}: written in format {found} by an earlier version of this package, which reads "
            f"format {FORMAT_VERSION}; fit the model and save it anew"
        )
    if hashlib.sha256(data).hexdigest().encode() != archive.read(_CHECKSUM):
        raise ModelFileError(f"{path}: {_MANIFEST} was altered since it was written")
    return manifest


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
