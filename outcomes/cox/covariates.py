"""Covariates read and refused by name."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from outcomes.arrays import FloatArray
from outcomes.errors import NotEstimableError, OutcomesError

# Of the information that a covariate has by itself, less than this beside the others is none.
_OWN_SHARE = 1e-10


def covariate_names(covariates: Any, names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the columns: as given, the table's own, or x1, x2, ….

    Raises
    ------
    OutcomesError
        If the covariates are no table, or the names are too many or too few.
    """
    shape = np.shape(covariates)
    if len(shape) != 2:
        raise OutcomesError(f"covariates: found shape {shape}; allowed: rows and columns")
    if names is not None:
        if isinstance(names, str) or not isinstance(names, Iterable):
            raise OutcomesError(f"names: found {names!r}; allowed: a list of names")
        if len(names) != shape[1]:
            raise OutcomesError(f"names: found {len(names)}; allowed: {shape[1]}, one a column")
        return tuple(str(name) for name in names)
    if isinstance(covariates, pd.DataFrame):
        return tuple(str(name) for name in covariates.columns)
    return tuple(f"x{position + 1}" for position in range(shape[1]))


def read_covariates(covariates: Any, names: tuple[str, ...]) -> FloatArray:
    """Return the covariates as numbers, shape (n, p).

    Raises
    ------
    OutcomesError
        If a value is no finite number; the message names column and row.
    """
    try:
        matrix = np.asarray(covariates, dtype=np.float64)
    except (TypeError, ValueError):
        raise OutcomesError(f"{_first_text(covariates, names)}; allowed: numbers") from None
    if not np.isfinite(matrix.sum()):
        wrong = np.argwhere(~np.isfinite(matrix))
        if wrong.size:
            row, column = wrong[0]
            raise OutcomesError(
                f"{names[column]} of row {row + 1}: found {matrix[row, column]}; "
                "allowed: a finite number"
            )
    return matrix


def _first_text(covariates: Any, names: tuple[str, ...]) -> str:
    """Return column and row of the first value that is no number."""
    table = pd.DataFrame(covariates)
    for name, (_, column) in zip(names, table.items(), strict=True):
        numbers = pd.to_numeric(column, errors="coerce")
        wrong = np.flatnonzero(numbers.isna())
        if wrong.size:
            return f"{name} of row {wrong[0] + 1}: found {str(column.iloc[wrong[0]])!r}"
        if not pd.api.types.is_numeric_dtype(column.infer_objects()):
            return f"{name}: found {column.dtype}"
    return f"{', '.join(names)}: found values that are no numbers"


def check_information(information: FloatArray, events: float, names: tuple[str, ...]) -> None:
    """Refuse covariates about which the risk sets say nothing.

    Parameters
    ----------
    information
        Of scaled covariates, at the start, shape (p, p).
    events
        Weight of the events.
    names
        Names of the covariates.

    Raises
    ------
    NotEstimableError
        If a covariate does not vary among those at risk, or follows from the ones before it.
    """
    own = np.diag(information)
    flat = own <= _OWN_SHARE * events
    if flat.any():
        raise NotEstimableError(
            f"{names[int(np.argmax(flat))]}: does not vary among the patients at risk when "
            "someone had the event"
        )
    scaled = information / np.sqrt(np.outer(own, own))
    if _own_parts(scaled).min(initial=1.0) >= _OWN_SHARE:
        return
    for k in range(1, len(names)):
        if _own_parts(scaled[: k + 1, : k + 1])[-1] < _OWN_SHARE:
            weights = np.linalg.lstsq(scaled[:k, :k], scaled[:k, k], rcond=None)[0]
            others = [names[j] for j in np.flatnonzero(np.abs(weights) > 1e-6)]
            raise NotEstimableError(f"{names[k]}: follows from {', '.join(others)}")


def _own_parts(scaled: FloatArray) -> FloatArray:
    """Return what each covariate's information has beyond those before it; 0 if one has none."""
    try:
        return np.asarray(np.diag(np.linalg.cholesky(scaled)) ** 2)
    except np.linalg.LinAlgError:
        return np.zeros(len(scaled))
