"""What a Fine-Gray fit refuses, and how it says so."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from outcomes.arrays import FloatArray, IntArray
from outcomes.cox.covariates import covariate_names, read_covariates
from outcomes.cox.subdistribution_sweeps import RiskSets
from outcomes.errors import NotEstimableError, OutcomesError

# Share of a column's variance that the columns before it must leave over.
_LEAST_SHARE = 1e-10
# Largest standard error of a coefficient per standard deviation of its column.
_LARGEST_ERROR = 20.0


def check_outcome(
    time: npt.ArrayLike, event: npt.ArrayLike, cause: int
) -> tuple[FloatArray, IntArray]:
    """Return times and event codes as arrays, or raise naming the row."""
    times = np.asarray(time, dtype=np.float64)
    codes = np.asarray(event, dtype=np.float64)
    if times.ndim != 1 or times.shape != codes.shape:
        raise OutcomesError(
            "time and event must be two sequences of one length; "
            f"found shapes {times.shape} and {codes.shape}"
        )
    bad = np.flatnonzero(~(np.isfinite(times) & (times >= 0)))
    if bad.size:
        raise OutcomesError(
            f"time of row {bad[0] + 1}: found {times[bad[0]]}; "
            "allowed: months since surgery, finite and at least 0"
        )
    bad = np.flatnonzero(~(np.isfinite(codes) & (codes >= 0) & (codes == np.floor(codes))))
    if bad.size:
        raise OutcomesError(
            f"event of row {bad[0] + 1}: found {codes[bad[0]]:g}; allowed: whole numbers, 0 for "
            "censored"
        )
    if cause == 0:
        raise OutcomesError("cause 0 stands for censoring; allowed: an event code")
    if not (codes == cause).any():
        raise NotEstimableError(f"no event of cause {cause}")
    return times, codes.astype(np.int64)


def check_columns(
    covariates: Any, times: FloatArray, names: Sequence[str] | None
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the covariates as an array with their names, or raise naming the column."""
    columns = covariate_names(covariates, names)
    matrix = read_covariates(covariates, columns)
    if len(matrix) != len(times):
        raise OutcomesError(
            f"covariates: found {len(matrix)} rows; allowed: {len(times)}, one for each time"
        )
    return matrix, columns


def check_weights(weights: npt.ArrayLike | None, times: FloatArray) -> FloatArray:
    """Return the weights, 1 by default, or raise."""
    if weights is None:
        return np.ones(len(times))
    weight = np.asarray(weights, dtype=np.float64)
    if weight.shape != times.shape or not (np.isfinite(weight).all() and (weight > 0).all()):
        raise OutcomesError("weights must be positive numbers, one for each patient")
    return weight


def check_labels(
    labels: npt.ArrayLike | None, times: FloatArray, what: str
) -> tuple[tuple[object, ...], IntArray]:
    """Return the distinct labels in order and the number of each patient's; (None,) without."""
    if labels is None:
        return (None,), np.zeros(len(times), dtype=np.int64)
    if np.shape(labels) != times.shape:
        raise OutcomesError(f"{what}: found shape {np.shape(labels)} for {len(times)} patients")
    distinct, position = np.unique(np.asarray(labels), return_inverse=True)
    return tuple(distinct.tolist()), position.astype(np.int64)


def check_design(matrix: FloatArray, columns: tuple[str, ...], sets: RiskSets) -> FloatArray:
    """Return the standard deviation of each column within strata.

    Raises
    ------
    OutcomesError
        If a column does not vary there, is a combination of those before it, or never takes one
        of its two values in a patient with the event.
    """
    inside = np.empty_like(matrix)
    for patients in sets.patients_by_stratum:
        inside[patients] = matrix[patients] - matrix[patients].mean(axis=0)
    scale = np.sqrt((inside**2).mean(axis=0))
    size = np.abs(matrix).max(axis=0, initial=0.0)
    for name, spread, largest in zip(columns, scale, size, strict=True):
        if spread <= 1e-12 * largest or spread == 0:
            where = " within every stratum" if len(sets.patients_by_stratum) > 1 else ""
            raise OutcomesError(f"{name}: constant{where}, so it has no hazard ratio")
    inside /= scale
    position = _dependent(inside.T @ inside / len(inside))
    if position is not None:
        raise OutcomesError(f"{columns[position]}: a linear combination of the columns before it")
    for name, values in zip(columns, matrix.T, strict=True):
        low, high = values.min(), values.max()
        if ((values == low) | (values == high)).all():
            for level in (low, high):
                if not (sets.own & (values == level)).any():
                    raise OutcomesError(
                        f"{name}: nobody with the value {level:g} had the event, so it has no "
                        "finite hazard ratio; leave the column out"
                    )
    return np.asarray(scale)


def check_information(information: FloatArray, columns: tuple[str, ...]) -> None:
    """Raise if the risk sets tell nothing of a column beyond those before it."""
    scale = np.sqrt(np.maximum(np.diag(information), 0.0))
    position = _dependent(information / np.outer(scale, scale)) if scale.all() else 0
    if not scale.all():
        position = int(np.flatnonzero(scale == 0)[0])
    if position is not None:
        raise OutcomesError(
            f"{columns[position]}: among the patients at risk at an event it is constant or a "
            "linear combination of the columns before it"
        )


def check_settled(information: FloatArray, beta: FloatArray, columns: tuple[str, ...]) -> None:
    """Raise if a coefficient of a standardised column has no usable estimate."""
    if not len(beta):
        return
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(np.diag(np.linalg.pinv(information, hermitian=True)))
    wrong = ~np.isfinite(beta) | ~np.isfinite(spread) | (spread > _LARGEST_ERROR)
    if wrong.any() or np.linalg.matrix_rank(information, hermitian=True) < len(beta):
        worst = int(np.argmax(np.where(wrong, np.inf, np.abs(beta))))
        raise OutcomesError(
            f"{columns[worst]}: its hazard ratio grows without end, so it has no finite estimate; "
            "leave the column out"
        )


def _dependent(correlation: FloatArray) -> int | None:
    """Return the first column that those before it explain, by Cholesky's elimination."""
    left = correlation.copy()
    for position in range(len(left)):
        pivot = left[position, position]
        if not pivot > _LEAST_SHARE:
            return position
        below = left[position + 1 :, position]
        left[position + 1 :, position + 1 :] -= np.outer(below, below) / pivot
    return None
