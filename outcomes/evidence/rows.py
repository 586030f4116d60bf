"""Rows of TOML files, with every fault of them."""

import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from outcomes.errors import EvidenceError
from outcomes.evidence.design import Design, DesignArm
from outcomes.evidence.figure import UNITS, Assumption, External, Figure, Study

SHIPPED = Path(__file__).parent / "data"

RowClass = type[Study | Figure | Assumption | External | Design | DesignArm]
# Table name in the file -> the class of its rows.
TABLES: Mapping[str, RowClass] = {
    "study": Study,
    "figure": Figure,
    "assumption": Assumption,
    "external": External,
    "design": Design,
    "arm": DesignArm,
}
# Taken from the identifier or from other tables, never written in a row.
DERIVED: Mapping[str, tuple[str, ...]] = {"figure": ("study", "quantity"), "design": ("arms",)}


NUMBER_OR_NAME = "a finite number, or the id of an assumption, an external or a figure"


@dataclass(frozen=True)
class Row:
    """One table of a file, and the words an error about it begins with.

    A row is `sound` where its keys are known and the types of its values right.
    """

    file: str
    table: str
    label: str
    cells: Mapping[str, Any]
    sound: bool = True

    @property
    def id(self) -> str:
        """Identifier as written; "" where it is missing or no text."""
        found = self.cells.get("id")
        return found if isinstance(found, str) else ""

    def error(self, key: str, found: object, allowed: str) -> EvidenceError:
        """Return the error for a value of the row that is not allowed."""
        return self.fault(key, f"found {found!r}; allowed: {allowed}")

    def fault(self, key: str, words: str) -> EvidenceError:
        """Return an error that names file, row and key."""
        return EvidenceError(f"{self.file}: {self.table} {self.label}, {key}: {words}")


class Faults:
    """Collects the faults of many rows, so that all are told at once."""

    def __init__(self) -> None:
        self._found: list[EvidenceError] = []

    def __enter__(self) -> "Faults":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, EvidenceError):
            self._found.append(error)
            return True
        return False

    def add(self, faults: Iterable[EvidenceError]) -> None:
        """Add faults found."""
        self._found.extend(faults)

    def tell(self) -> None:
        """Raise one error with all faults, if there are any."""
        if self._found:
            raise EvidenceError("\n".join(str(error) for error in self._found))


def read_directory(path: Path, faults: Faults) -> list[Row]:
    """Read every ``.toml`` file of a directory, as `read_files`."""
    files = sorted(path.glob("*.toml"))
    if not files:
        raise EvidenceError(f"{path}: the directory holds no .toml file")
    return read_files(files, faults)


def read_files(files: Iterable[Path], faults: Faults) -> list[Row]:
    """Read the rows of files and check the types of their values.

    Parameters
    ----------
    files
        TOML files.
    faults
        Takes every fault of a row.

    Returns
    -------
    list of Row
        Rows with a fault are not `sound`.

    Raises
    ------
    EvidenceError
        If a file cannot be read, or is no TOML.
    """
    rows: dict[tuple[str, str], Row] = {}
    for file in files:
        for row in _read_file(file, faults):
            key = (row.table, row.label)
            if key in rows:
                faults.add(
                    [row.error("id", row.id or row.label, f"an id not used in {rows[key].file}")]
                )
            found = list(_type_faults(row))
            faults.add(found)
            rows[key] = replace(row, sound=not found)
    return list(rows.values())


def _read_file(file: Path, faults: Faults) -> Iterator[Row]:
    name = file.name if file.parent == SHIPPED else str(file)
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise EvidenceError(f"{name}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise EvidenceError(f"{name}: is not text in UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise EvidenceError(f"{name}: is not TOML: {error}") from error
    for table, entries in content.items():
        if table not in TABLES:
            words = f"{name}: unknown table {table!r}{_nearest(table, TABLES)}"
            faults.add([EvidenceError(f"{words}; allowed: {', '.join(sorted(TABLES))}")])
            continue
        entries = entries if isinstance(entries, list) else [entries]
        for position, entry in enumerate(entries, start=1):
            if not isinstance(entry, dict):
                words = f"{name}: {table}: found {entry!r}; allowed: [[{table}]]"
                faults.add([EvidenceError(words)])
                continue
            label = entry.get("id")
            shown = repr(label) if isinstance(label, str) else str(position)
            yield Row(name, table, shown, entry)


def _nearest(word: str, known: Iterable[str]) -> str:
    """Return a question after the known word that is most like an unknown one, if any is."""
    found = get_close_matches(word, list(known), n=1)
    return f" (is {found[0]} meant?)" if found else ""


def _type_faults(row: Row) -> Iterator[EvidenceError]:
    """Yield what is wrong with the keys of a row and the types of its values."""
    derived = DERIVED.get(row.table, ())
    known = {f.name: f for f in fields(TABLES[row.table]) if f.name not in derived}
    for key, value in row.cells.items():
        if key not in known:
            near = _nearest(key, known)
            yield row.fault(
                key, f"unknown key{near}; found {value!r}; allowed: the keys {', '.join(known)}"
            )
            continue
        kind = str(known[key].type)
        if "float" in kind:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            may_name = "str" in kind
            if may_name and isinstance(value, str):
                continue
            if not number or not math.isfinite(value):
                yield row.error(key, value, NUMBER_OR_NAME if may_name else "a finite number")
        elif "int" in kind:
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                yield row.error(key, value, "a whole number of at least 0")
        elif not isinstance(value, str):
            yield row.error(key, value, "text in quotes")
    for key, field in known.items():
        if field.default is not MISSING:
            continue
        if key not in row.cells:
            yield row.fault(key, "missing")
        elif row.cells[key] == "":
            yield row.error(key, "", "text that is not empty")
    unit = row.cells.get("unit", "")
    if "unit" in known and unit not in UNITS:
        yield row.error("unit", unit, ", ".join(repr(name) for name in UNITS))
