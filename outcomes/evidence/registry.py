"""Reading the registry from TOML, and giving it back as plain data."""

import hashlib
import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, fields, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outcomes.evidence.checks import check_assumption, check_figure, check_links, check_study
from outcomes.evidence.design import (
    Design,
    DesignArm,
    check_arm,
    check_arms,
    check_borrows,
    check_design,
)
from outcomes.evidence.figure import Assumption, Evidence, External, Figure, Study
from outcomes.evidence.rows import NUMBER_OR_NAME, SHIPPED, Faults, Row, read_directory, read_files

if TYPE_CHECKING:
    import pandas as pd


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
        With every faulty row, naming file, row, key, the value found and what is allowed.
    """
    if path is None:
        return _load_shipped()
    path, faults = Path(path), Faults()
    if path.is_dir():
        return _assemble(read_directory(path, faults), faults)
    rows = {(row.table, row.label): row for row in read_directory(SHIPPED, faults)}
    rows |= {(row.table, row.label): row for row in read_files([path], faults)}
    return _assemble(rows.values(), faults)


@cache
def _load_shipped() -> Evidence:
    faults = Faults()
    return _assemble(read_directory(SHIPPED, faults), faults)


def _assemble(rows: Iterable[Row], faults: Faults) -> Evidence:
    """Make the registry; every faulty row is told.

    A row that is not sound is not made, but other rows may name it.
    """
    rows = list(rows)
    found: dict[str, list[Any]] = {}
    studies: list[Study] = []
    for row in rows:
        if row.table == "study" and row.sound:
            with faults:
                check_study(row.cells, row.error)
                studies.append(Study(**row.cells))
    studies.sort(key=lambda study: math.inf if study.reference is None else study.reference)
    named = [study.id for study in studies] + [row.id for row in rows if row.table == "study"]
    order = {study: place for place, study in enumerate(dict.fromkeys(named))}
    known = {row.id for row in rows if row.table in ("figure", "assumption", "external")}
    for row in rows:
        if row.table != "study" and row.sound:
            with faults:
                found.setdefault(row.table, []).append(_make(row, order, known))
    printed = {row.id for row in rows if row.table == "figure"}
    for row in rows:
        if row.table in ("figure", "external") and row.sound:
            with faults:
                check_links(row.cells, printed, order, row.error)
    _check_designs(rows, faults)
    faults.tell()
    figures = sorted(found.get("figure", []), key=lambda figure: order[figure.study])
    arms = found.get("arm", [])
    designs = [
        replace(design, arms=tuple(arm for arm in arms if arm.id.startswith(f"{design.id}/")))
        for design in sorted(found.get("design", []), key=lambda design: order[design.id])
    ]
    return Evidence(
        studies=tuple(studies),
        figures=tuple(figures),
        assumptions=tuple(found.get("assumption", [])),
        externals=tuple(found.get("external", [])),
        designs=tuple(designs),
    )


def _make(
    row: Row, studies: Collection[str], known: Collection[str]
) -> Figure | Assumption | External | Design | DesignArm:
    """Make what a row holds.

    Parameters
    ----------
    row
        Row.
    studies
        Identifiers of the studies.
    known
        Identifiers of the figures, assumptions and externals, which a design may name.
    """
    if row.table == "figure":
        return _figure(row, studies)
    if row.table == "assumption":
        check_assumption(row.cells, row.error)
        return Assumption(**_as_floats(Assumption, row.cells))
    if row.table == "external":
        return External(**_as_floats(External, row.cells))
    study = row.cells["id"].partition("/")[0]
    if study not in studies:
        raise row.error("id", row.cells["id"], f"an id that begins with {', '.join(studies)}")
    kind: type[Design] | type[DesignArm] = Design if row.table == "design" else DesignArm
    (check_design if kind is Design else check_arm)(row.cells, row.error)
    for field in fields(kind):
        value = row.cells.get(field.name)
        if "float" in str(field.type) and isinstance(value, str) and value not in known:
            raise row.error(field.name, value, NUMBER_OR_NAME)
    borrowed = row.cells.get("borrows")
    if borrowed and borrowed not in studies:
        raise row.error("borrows", borrowed, ", ".join(studies))
    return kind(**_as_floats(kind, row.cells))


def _check_designs(rows: Iterable[Row], faults: Faults) -> None:
    """Check what a design and its arms must be to each other, and to the study it borrows from."""
    rows = list(rows)
    designs = {row.id: row for row in rows if row.table == "design"}
    arms: dict[str, list[Row]] = {}
    for row in rows:
        if row.table == "arm" and row.id:
            study = row.id.partition("/")[0]
            arms.setdefault(study, []).append(row)
            if study not in designs:
                faults.add([row.error("id", row.id, f"an arm of a study with a [design], {study}")])
    for row in designs.values():
        own = arms.get(row.id, [])
        if not row.sound or not all(arm.sound for arm in own):
            continue
        with faults:
            check_arms(row.id, row.cells, [arm.cells for arm in own], row.error)
        if row.cells.get("borrows"):
            lender = designs.get(row.cells["borrows"])
            with faults:
                check_borrows(row.cells, None if lender is None else lender.cells, row.error)


def _figure(row: Row, studies: Iterable[str]) -> Figure:
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
    return {
        key: float(value) if key in real and isinstance(value, int) else value
        for key, value in values.items()
    }


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
        "designs": [asdict(design) for design in evidence.designs],
    }


def to_frame(evidence: Evidence) -> "pd.DataFrame":
    """Return the figures as a table, one row a figure, indexed by ``id``."""
    import pandas as pd

    return pd.DataFrame(to_records(evidence)).set_index("id")


@lru_cache(maxsize=8)
def evidence_hash(evidence: Evidence) -> str:
    """Return the SHA-256 of the registry's canonical JSON, as 64 hexadecimal digits."""
    canonical = json.dumps(to_dict(evidence), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
