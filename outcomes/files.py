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

    Raises
    ------
    OutcomesError
        If the file cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise OutcomesError(f"{target}: cannot be written ({error.strerror})") from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_mask())
        temporary.replace(target)
    except OSError as error:
        raise OutcomesError(f"{target}: cannot be written ({error.strerror})") from error
    finally:
        temporary.unlink(missing_ok=True)


def _mask() -> int:
    """Return the user's file mask: temporary files are private, the final one is like any other."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def new_folder(target: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a temporary folder that takes the target's name once the block has succeeded.

    Parameters
    ----------
    target
        Folder to make.
    replace
        Whether a folder of that name may be replaced.

    Raises
    ------
    OutcomesError
        If the target exists and may not be replaced, or cannot be written.
    """
    final = Path(target)
    if final.exists() and not replace and not (final.is_dir() and not any(final.iterdir())):
        raise OutcomesError(f"{final}: is already there; allowed: a new folder, or --force")
    if final.exists() and not final.is_dir():
        raise OutcomesError(f"{final}: is a file; allowed: a folder")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
    except OSError as error:
        raise OutcomesError(f"{final}: cannot be written ({error.strerror})") from error
    try:
        yield temporary
        temporary.chmod(0o777 & ~_mask())
        if final.exists():
            shutil.rmtree(final)
        temporary.replace(final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
