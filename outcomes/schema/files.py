"""Cohorts in files: CSV and Parquet."""

import json
import warnings
from collections.abc import Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from outcomes.errors import OutcomesError
from outcomes.files import replacing
from outcomes.schema.cohort import Cohort
from outcomes.schema.columns import COLUMNS
from outcomes.schema.mapping import apply_mapping
from outcomes.schema.validation import validate_cohort

ENDINGS = (".csv", ".parquet")
# Where the provenance stands in the metadata of a Parquet file.
PROVENANCE_KEY = b"separation-outcomes"
# Cells of a CSV that mean "missing". "None" is not among them: it is a dose regimen.
NOTHING = ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "<NA>"]

_ARROW = {
    "text": pa.string(),
    "category": pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "number": pa.float64(),
}


def read_table(path: str | Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read a table of patients, unchecked, and its provenance.

    Parameters
    ----------
    path
        A file that ends in ``.csv`` (UTF-8, with a header) or ``.parquet``.

    Returns
    -------
    tuple of DataFrame and dict
        The provenance is empty where the file holds none, as a CSV never does.

    Raises
    ------
    OutcomesError
        If the file is missing, cannot be read, is empty, or has another ending.
    """
    path = Path(path)
    ending = _ending(path)
    if not path.exists():
        raise OutcomesError(f"{path}: there is no such file")
    try:
        return _read_csv(path) if ending == ".csv" else _read_parquet(path)
    except pd.errors.EmptyDataError:
        raise OutcomesError(f"{path}: the file is empty") from None
    except UnicodeDecodeError:
        raise OutcomesError(
            f'{path}: is not text in UTF-8 (in Excel: save as "CSV UTF-8")'
        ) from None
    except (pd.errors.ParserError, pd.errors.ParserWarning, pa.ArrowException) as error:
        reason = str(error).strip().splitlines()[0]
        raise OutcomesError(f"{path}: is no readable {ending[1:]} file ({reason})") from error
    except OSError as error:
        raise OutcomesError(f"{path}: cannot be read ({error.strerror or error})") from error


def read_cohort(
    path: str | Path,
    *,
    endpoints: Iterable[Any] = (),
    covariates: Iterable[str] = (),
    mapping: str | Path | None = None,
) -> Cohort:
    """Read and check a cohort.

    Parameters
    ----------
    path
        A file that ends in ``.csv`` or ``.parquet``.
    endpoints, covariates
        What must be there and complete, see `validate_cohort`.
    mapping
        TOML file that says how the table's names and codes translate, see `apply_mapping`.

    Returns
    -------
    Cohort
        Rows in the order of the file.

    Raises
    ------
    OutcomesError
        If a file cannot be read.
    CohortError
        With every breach of the schema.
    """
    table, provenance = read_table(path)
    if mapping is not None:
        table = apply_mapping(table, mapping)
    return validate_cohort(
        table,
        endpoints=endpoints,
        covariates=covariates,
        source=str(path),
        provenance=provenance,
    )


def write_cohort(
    frames: pd.DataFrame | Iterable[pd.DataFrame],
    path: str | Path,
    *,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write a cohort, or a stream of its parts, in constant memory.

    The file appears under its name when it is complete, and not at all on an error.

    Parameters
    ----------
    frames
        A table, or tables with the same columns, written one after the other.
    path
        A file that ends in ``.csv`` or ``.parquet``; replaced where it exists.
    provenance
        Kept in the metadata of a Parquet file; by default that of the (first) table. A CSV
        has no place for it.

    Raises
    ------
    OutcomesError
        If the file cannot be written or has another ending, if two parts differ in their
        columns, or a column does not have the type that the schema gives it in Parquet.
    """
    path = Path(path)
    ending = _ending(path)
    parts = iter([frames] if isinstance(frames, pd.DataFrame) else frames)
    first = next(parts, None)
    if first is None:
        raise OutcomesError(f"{path}: nothing to write; allowed: at least one table")
    if provenance is None:
        provenance = getattr(first, "provenance", None)

    def tables() -> Iterator[pd.DataFrame]:
        yield first
        for part in parts:
            if list(part.columns) != list(first.columns):
                raise OutcomesError(
                    f"{path}: found a part with the columns {', '.join(map(str, part.columns))}; "
                    f"allowed: {', '.join(map(str, first.columns))}"
                )
            yield part

    with replacing(path) as unfinished:
        if ending == ".csv":
            _write_csv(tables(), unfinished)
        else:
            try:
                _write_parquet(tables(), unfinished, dict(provenance or {}))
            except pa.ArrowException as error:
                reason = str(error).strip().splitlines()[0]
                raise OutcomesError(f"{path}: does not fit the schema ({reason})") from error


def _ending(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise OutcomesError(
            f"{path}: unknown ending {path.suffix!r}; allowed: {', '.join(ENDINGS)}"
        )
    return ending


def _read_csv(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    # Identifiers keep their leading zeros, grades such as 2 and 1a stay texts.
    texts: dict[Hashable, type[str]] = {
        name: str for name, column in COLUMNS.items() if column.kind in ("text", "category")
    }
    # pandas renames the second of two equal names; the schema is to see both.
    header = pd.read_csv(
        path, header=None, nrows=1, dtype=str, keep_default_na=False, encoding="utf-8-sig"
    )
    names = [str(name) for name in header.iloc[0]]
    if len(names) == 1:
        for separator, name in ((";", "semicolons"), ("\t", "tabs")):
            if separator in names[0]:
                raise OutcomesError(f"{path}: found columns separated by {name}; allowed: commas")
    with warnings.catch_warnings():
        # pandas only warns when it drops the cells of rows longer than the header.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        table = pd.read_csv(
            path,
            dtype=texts,
            keep_default_na=False,
            na_values=NOTHING,
            encoding="utf-8-sig",
            float_precision="round_trip",
            low_memory=False,
            index_col=False,
        )
    if len(table.columns) == len(names):
        table.columns = pd.Index(names)
    return table, {}


def _read_parquet(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    table = pq.read_table(path)
    stored = (table.schema.metadata or {}).get(PROVENANCE_KEY)
    try:
        provenance = json.loads(stored) if stored else {}
    except ValueError:
        raise OutcomesError(f"{path}: its provenance is not JSON") from None
    if not isinstance(provenance, dict):
        raise OutcomesError(f"{path}: its provenance is no JSON object")
    # Column by column, so that the table never stands in memory twice.
    return table.to_pandas(split_blocks=True, self_destruct=True), provenance


def _write_csv(tables: Iterable[pd.DataFrame], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        for position, table in enumerate(tables):
            table.to_csv(file, index=False, header=position == 0, lineterminator="\n")


def _write_parquet(
    tables: Iterator[pd.DataFrame], path: Path, provenance: Mapping[str, Any]
) -> None:
    first = next(tables)
    schema = pa.Schema.from_pandas(first, preserve_index=False)
    for position, name in enumerate(schema.names):
        column = COLUMNS.get(name)
        if column is not None:
            schema = schema.set(position, pa.field(name, _ARROW[column.kind]))
    text = json.dumps(provenance, sort_keys=True)
    schema = schema.with_metadata({PROVENANCE_KEY: text.encode()})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        writer.write_table(pa.Table.from_pandas(first, schema=schema, preserve_index=False))
        for table in tables:
            writer.write_table(pa.Table.from_pandas(table, schema=schema, preserve_index=False))
