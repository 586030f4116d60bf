"""Files that appear whole or not at all."""

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from outcomes.errors import OutcomesError

# Stands in every folder made here and lists its files: what is not listed is somebody else's.
MARKER = ".separation-outcomes"
# What file managers leave in a folder that was looked at.
DROPPINGS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
# Beyond ten digits a result depends on the machine's arithmetic, and the bytes with it.
DIGITS = 10


def to_json(data: object) -> str:
    """Return JSON text with ten significant digits; numbers that do not exist become null."""
    return json.dumps(_plain(data), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(data: Any) -> Any:
    if isinstance(data, float):
        return float(f"{data:.{DIGITS}g}") if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    return data


def write_text(path: str | Path, text: str) -> None:
    """Write a UTF-8 file with LF line ends, whole or not at all."""
    target = Path(path)
    with replacing(target) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def write_json(path: str | Path, data: object) -> None:
    """Write data as JSON, whole or not at all."""
    write_text(path, to_json(data))


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a temporary file beside the target; it takes the target's name on success.

    Missing parent folders are made.

    Raises
    ------
    OutcomesError
        If the file cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise _unwritable(target, error) from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_mask())
        temporary.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(target: Path, error: OSError) -> OutcomesError:
    return OutcomesError(f"{target}: cannot be written ({error.strerror or error})")


def _mask() -> int:
    """Return the user's file mask: temporary files are private, the final one is like any other."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def new_folder(target: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a temporary folder that takes the target's name once the block has succeeded.

    A folder made here carries the file `MARKER`, which lists what was written. Only such a
    folder is ever replaced, and only while nothing else stands in it. The old one is renamed
    aside and deleted once the new one is in its place.

    Parameters
    ----------
    target
        Folder to make, with its missing parents. Of a link, the folder it points to.
    replace
        Whether a folder made here earlier may be replaced.

    Raises
    ------
    OutcomesError
        If the target exists and may not be replaced, holds what was not written here, holds the
        working or the home folder, or cannot be written.
    """
    shown = Path(target)
    try:
        final = shown.resolve()
        _check_free(shown, final, replace=replace)
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
    except OSError as error:
        raise _unwritable(shown, error) from error
    except RuntimeError as error:  # links in a circle, before Python 3.13
        raise OutcomesError(f"{shown}: cannot be written ({error})") from error
    try:
        yield temporary
        listing = "".join(f"{name}\n" for name in _contents(temporary))
        (temporary / MARKER).write_bytes(listing.encode("utf-8"))
        temporary.chmod(0o777 & ~_mask())
        # The folder may have changed during a long run.
        _check_free(shown, final, replace=replace)
        _put_in_place(temporary, final)
    except OSError as error:
        raise _unwritable(shown, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _check_free(shown: Path, final: Path, *, replace: bool) -> None:
    """Refuse a folder that may not be made or replaced."""
    for kept, name in ((Path.cwd(), "working"), (Path.home(), "home")):
        if kept.resolve().is_relative_to(final):
            raise OutcomesError(f"{shown}: holds the {name} folder; allowed: a new folder")
    if not final.exists():
        return
    if not final.is_dir():
        raise OutcomesError(f"{shown}: is a file; allowed: a folder")
    if not any(final.iterdir()):
        return
    if not replace:
        raise OutcomesError(f"{shown}: is already there; allowed: a new folder, or --force")
    foreign = _foreign(final)
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise OutcomesError(
            f"{shown}: found {foreign[0]}{more}, which outcomes did not write there; allowed "
            "with --force: a folder that outcomes made and that holds nothing else"
        )


def _foreign(folder: Path) -> list[str]:
    """Return what stands in a folder and was not written by `new_folder`."""
    marker = folder / MARKER
    own = {MARKER, *marker.read_text(encoding="utf-8").splitlines()} if marker.is_file() else set()
    return [
        name for name in _contents(folder) if name not in own and Path(name).name not in DROPPINGS
    ]


def _contents(folder: Path) -> list[str]:
    """Return everything in a folder but its plain sub-folders, unless these are empty."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir() or not any(path.iterdir())
    )


def _put_in_place(temporary: Path, final: Path) -> None:
    """Rename a finished folder; whatever fails, the old or the new one is there."""
    if not final.exists():
        temporary.replace(final)
        return
    aside = temporary.with_name(f"{temporary.name}.old")
    final.replace(aside)
    try:
        temporary.replace(final)
    except BaseException:
        aside.replace(final)
        raise
    shutil.rmtree(aside, ignore_errors=True)
