"""Reading the registry from TOML, and giving it back as plain data."""

import hashlib
import json
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outcomes.errors import EvidenceError
from outcomes.evidence.checks import check_assumption, check_figure, check_study
from outcomes.evidence.figure import UNITS, Assumption, Evidence, External, Figure, Study

if TYPE_CHECKING:
    import pandas as pd

SHIPPED = Path(__file__).parent / "data"

# Table name in the file -> the class of its rows.
TABLES: Mapping[str, type[Study | Figure | Assumption | External]] = {
    "study": Study,
    "figure": Figure,
    "assumption": Assumption,
    "external": External,
}
# Taken from the identifier, never written in a file.
DERIVED = ("study", "quantity")


@dataclass(frozen=True)
class _Row:
    """One table of a file, and the words an error about it begins with."""

    file: str
    table: str
    label: str
    cells: Mapping[str, Any]

    def error(self, key: str, found: object, allowed: str) -> EvidenceError:
        return EvidenceError(
            f"{self.file}: {self.table} {self.label}, {key}: found {found!r}; allowed: {allowed}"
        )


def load_evidence(path: str | Path | None = None) -> Evidence:
    """Read and check the published figures and the assumptions.

    Parameters
    ----------
    path
        None for the registry shipped with the package. A directory of ``.toml`` files is a whole
        registry of its own. A single file is laid over the shipped registry: a row whose ``id``
        is already there replaces it, any other is added.

    Returns
    -------
    Evidence
        Studies in the order of the source paper's reference list, figures study by study.

    Raises
    ------
    EvidenceError
        At the first fault, naming file, row, key, the value found and what is allowed.
    """
    if path is None:
        return _load_shipped()
    path = Path(path)
    if path.is_dir():
        return _assemble(_read_directory(path))
    rows = {(row.table, row.label): row for row in _read_directory(SHIPPED)}
    rows |= {(row.table, row.label): row for row in _read_files([path])}
    return _assemble(rows.values())


@cache
def _load_shipped() -> Evidence:
    return _assemble(_read_directory(SHIPPED))


def _read_directory(path: Path) -> list[_Row]:
    files = sorted(path.glob("*.toml"))
    if not files:
        raise EvidenceError(f"{path}: the directory holds no .toml file")
    return _read_files(files)


def _read_files(files: Iterable[Path]) -> list[_Row]:
    rows: dict[tuple[str, str], _Row] = {}
    for file in files:
        for row in _read_file(file):
            key = (row.table, row.label)
            if key in rows:
                raise row.error("id", row.cells["id"], f"an id not used in {rows[key].file}")
            rows[key] = row
    return list(rows.values())


def _read_file(file: Path) -> Iterator[_Row]:
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
            raise EvidenceError(
                f"{name}: unknown table {table!r}; allowed: {', '.join(sorted(TABLES))}"
            )
        entries = entries if isinstance(entries, list) else [entries]
        for position, entry in enumerate(entries, start=1):
            if not isinstance(entry, dict):
                raise EvidenceError(f"{name}: {table}: found {entry!r}; allowed: [[{table}]]")
            label = entry.get("id")
            row = _Row(name, table, repr(label) if isinstance(label, str) else str(position), entry)
            _check_types(row)
            yield row


def _check_types(row: _Row) -> None:
    """Check the keys of a row and the type of each value."""
    known = {field.name: field for field in fields(TABLES[row.table])}
    if row.table == "figure":
        known = {key: field for key, field in known.items() if key not in DERIVED}
    for key, value in row.cells.items():
        if key not in known:
            raise row.error(key, value, f"the keys {', '.join(known)}")
        kind = str(known[key].type)
        if "float" in kind:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value):
                raise row.error(key, value, "a finite number")
        elif "int" in kind:
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise row.error(key, value, "a whole number of at least 0")
        elif not isinstance(value, str):
            raise row.error(key, value, "text in quotes")
    for key, field in known.items():
        if field.default is not MISSING:
            continue
        if key not in row.cells:
            raise EvidenceError(f"{row.file}: {row.table} {row.label}, {key}: missing")
        if row.cells[key] == "":
            raise row.error(key, "", "text that is not empty")
    unit = row.cells.get("unit", "")
    if unit not in UNITS:
        raise row.error("unit", unit, ", ".join(repr(name) for name in UNITS))


def _assemble(rows: Iterable[_Row]) -> Evidence:
    rows = list(rows)
    studies = [_study(row) for row in rows if row.table == "study"]
    studies.sort(key=lambda study: math.inf if study.reference is None else study.reference)
    order = {study.id: position for position, study in enumerate(studies)}
    figures = [_figure(row, order) for row in rows if row.table == "figure"]
    figures.sort(key=lambda figure: order[figure.study])
    return Evidence(
        studies=tuple(studies),
        figures=tuple(figures),
        assumptions=tuple(_assumption(row) for row in rows if row.table == "assumption"),
        externals=tuple(
            External(**_as_floats(External, row.cells)) for row in rows if row.table == "external"
        ),
    )


def _study(row: _Row) -> Study:
    check_study(row.cells, row.error)
    return Study(**row.cells)


def _assumption(row: _Row) -> Assumption:
    check_assumption(row.cells, row.error)
    return Assumption(**_as_floats(Assumption, row.cells))


def _figure(row: _Row, studies: Iterable[str]) -> Figure:
    """Make a figure; study and quantity are taken from its ``study/quantity[/arm]``."""
    cells = row.cells
    study, _, rest = cells["id"].partition("/")
    if study not in studies:
        raise row.error("id", cells["id"], f"an id that begins with {', '.join(studies)}")
    arm = cells.get("arm", "")
    quantity = rest.removesuffix(f"/{arm}") if arm else rest
    if not quantity or quantity.startswith("/") or (arm and quantity == rest):
        raise row.error("id", cells["id"], "study/quantity, and /arm behind it where arm is given")
    check_figure(cells, row.error)
    return Figure(**_as_floats(Figure, {**cells, "study": study, "quantity": quantity}))


def _as_floats(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn whole numbers into floats where the field is a float."""
    real = {field.name for field in fields(kind) if "float" in str(field.type)}
    return {key: float(value) if key in real else value for key, value in values.items()}


def to_records(evidence: Evidence) -> list[dict[str, Any]]:
    """Return the figures as plain dictionaries, one a figure, with its standard error."""
    return [
        {**asdict(figure), "standard_error": figure.standard_error} for figure in evidence.figures
    ]


def to_dict(evidence: Evidence) -> dict[str, list[dict[str, Any]]]:
    """Return the whole registry as plain data, ready for JSON."""
    return {
        "studies": [asdict(study) for study in evidence.studies],
        "figures": to_records(evidence),
        "assumptions": [asdict(assumption) for assumption in evidence.assumptions],
        "externals": [asdict(external) for external in evidence.externals],
    }


def to_frame(evidence: Evidence) -> "pd.DataFrame":
    """Return the figures as a table, one row a figure, indexed by ``id``."""
    import pandas as pd

    return pd.DataFrame(to_records(evidence)).set_index("id")


def evidence_hash(evidence: Evidence) -> str:
    """Return the SHA-256 of the registry's canonical JSON, as 64 hexadecimal digits."""
    canonical = json.dumps(to_dict(evidence), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
