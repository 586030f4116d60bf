"""What a Fine-Gray fit refuses, and how it says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.cox.covariates import covariate_names, read_covariates
from outcomes.cox.subdistribution_sweeps import RiskSets
from outcomes.errors import NotEstimableError, OutcomesError

# Share of a column's variance that the columns before it must leave over.
_LEAST_SHARE = 1e-10
# Largest standard error of a coefficient per standard deviation of its column.
_LARGEST_ERROR = 20.0


@dataclass(frozen=True, eq=False)
class Subjects:
    """Patients as a fit takes them, those of weight 0 left out.

    Attributes
    ----------
    time, codes, weight
        Months, event codes and weights, shape (n,).
    matrix, columns
        Covariates, shape (n, p), and their names.
    strata, stratum
        Labels of the strata, (None,) without; the number of each patient's, shape (n,).
    group
        Number of each patient's censoring group, shape (n,).
    cluster
        Number of what each patient belongs to, shape (n,).
    """

    time: FloatArray
    codes: IntArray
    weight: FloatArray
    matrix: FloatArray
    columns: tuple[str, ...]
    strata: tuple[object, ...]
    stratum: IntArray
    group: IntArray
    cluster: IntArray


def read_subjects(
    covariates: Any,
    time: Any,
    event: Any,
    cause: int,
    names: Sequence[str] | None,
    weights: Any,
    strata: Any,
    censoring_groups: Any,
    cluster: Any,
) -> Subjects:
    """Return the patients, checked; parameters and errors as `fit_fine_gray`."""
    times, codes = _outcome(time, event, cause)
    columns = covariate_names(covariates, names)
    matrix = read_covariates(covariates, columns)
    if len(matrix) != len(times):
        raise OutcomesError(
            f"covariates: found {len(matrix)} rows; allowed: {len(times)}, one for each time"
        )
    weight = _weights(weights, times)
    labels, stratum = _labels(strata, times, "strata")
    _, group = _labels(censoring_groups, times, "censoring_groups")
    member = np.arange(len(times)) if cluster is None else _labels(cluster, times, "cluster")[1]
    here = weight > 0
    if not here.all():
        times, codes, weight, matrix = times[here], codes[here], weight[here], matrix[here]
        present, stratum = np.unique(stratum[here], return_inverse=True)
        labels = tuple(labels[position] for position in present.tolist())
        group = np.unique(group[here], return_inverse=True)[1]
        member = np.unique(member[here], return_inverse=True)[1]
    if cluster is not None and not member.any():
        raise NotEstimableError("cluster: found one; robust standard errors need at least two")
    if not (codes == cause).any():
        raise NotEstimableError(f"no event of cause {cause}")
    return Subjects(times, codes, weight, matrix, columns, labels, stratum, group, member)


def _outcome(time: Any, event: Any, cause: int) -> tuple[FloatArray, IntArray]:
    """Return times and event codes as arrays, or raise naming the row."""
    times = _numbers(time, "time", "months since surgery, finite and at least 0")
    codes = _numbers(event, "event", "whole numbers, 0 for censored")
    if times.ndim != 1 or times.shape != codes.shape:
        raise OutcomesError(
            "time and event must be two sequences of one length; "
            f"found shapes {times.shape} and {codes.shape}"
        )
    _refuse(
        times,
        np.isfinite(times) & (times >= 0),
        "time",
        "months since surgery, finite and at least 0",
    )
    _refuse(
        codes,
        np.isfinite(codes) & (codes >= 0) & (codes == np.floor(codes)),
        "event",
        "whole numbers, 0 for censored",
    )
    if not isinstance(cause, Integral) or isinstance(cause, bool) or cause < 1:
        raise OutcomesError(f"cause: found {cause!r}; allowed: an event code of at least 1")
    return times, codes.astype(np.int64)


def _weights(weights: Any, times: FloatArray) -> FloatArray:
    """Return the weights, 1 by default, or raise naming the row."""
    if weights is None:
        return np.ones(len(times))
    weight = _numbers(weights, "weights", "a finite number of at least 0")
    if weight.shape != times.shape:
        raise OutcomesError(f"weights: found shape {weight.shape} for {len(times)} patients")
    _refuse(weight, np.isfinite(weight) & (weight >= 0), "weights", "a finite number of at least 0")
    return weight


def _labels(labels: Any, times: FloatArray, what: str) -> tuple[tuple[object, ...], IntArray]:
    """Return the distinct labels in order and the number of each patient's; (None,) without."""
    if labels is None:
        return (None,), np.zeros(len(times), dtype=np.int64)
    found = _as_array(labels)
    if found.shape != times.shape:
        raise OutcomesError(f"{what}: found shape {found.shape} for {len(times)} patients")
    missing = np.flatnonzero(pd.isna(found))
    if missing.size:
        raise OutcomesError(f"{what} of row {missing[0] + 1}: missing; allowed: a label")
    try:
        distinct, position = np.unique(found, return_inverse=True)
    except TypeError:
        kinds = [isinstance(label, str) for label in found]
        row = kinds.index(not kinds[0]) if len(set(kinds)) > 1 else 0
        raise OutcomesError(
            f"{what} of row {row + 1}: found {found[row]!r}; allowed: labels of one kind, text or "
            "numbers"
        ) from None
    return tuple(distinct.tolist()), position.astype(np.int64)


def _as_array(values: Any) -> npt.NDArray[Any]:
    """Return values as an array that keeps what is missing or of another kind as it is."""
    if isinstance(values, np.ndarray):
        return values
    if isinstance(values, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        plain = isinstance(values.dtype, np.dtype)
        return np.asarray(values if plain else values.astype(object))
    if np.ndim(values) == 0:
        return np.asarray(values)
    # Numpy would make text of what stands beside text.
    found = np.empty(len(values), dtype=object)
    found[:] = list(values)
    return found


def _numbers(values: Any, what: str, allowed: str) -> FloatArray:
    """Return numbers, NaN where one is missing; text and dates are none."""
    found = np.asarray(values) if np.ndim(values) != 1 else _as_array(values)
    if found.dtype.kind in "biuf":
        return np.asarray(found, dtype=np.float64)
    if found.dtype.kind != "O" or found.ndim != 1:
        first = f" of row 1: found {found[0].item()!r}" if found.ndim == 1 and found.size else ""
        raise OutcomesError(f"{what}{first}; allowed: {allowed}")
    result = np.full(found.shape, np.nan)
    for row, value in enumerate(found):
        if isinstance(value, Real | np.bool_):
            result[row] = float(value)
        elif not (value is None or value is pd.NA):
            raise OutcomesError(
                f"{what} of row {row + 1}: found {str(value)!r}; allowed: {allowed}"
            )
    return result


def _refuse(values: FloatArray, right: BoolArray, what: str, allowed: str) -> None:
    """Raise if a value is not right, naming the first row."""
    wrong = np.flatnonzero(~right)
    if wrong.size:
        raise OutcomesError(
            f"{what} of row {wrong[0] + 1}: found {values[wrong[0]]:g}; allowed: {allowed}"
        )


def check_design(matrix: FloatArray, columns: tuple[str, ...], sets: RiskSets) -> FloatArray:
    """Return the standard deviation of each column within strata.

    Raises
    ------
    NotEstimableError
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
            raise NotEstimableError(f"{name}: constant{where}, so it has no hazard ratio")
    inside /= scale
    position = _dependent(inside.T @ inside / len(inside))
    if position is not None:
        raise NotEstimableError(
            f"{columns[position]}: a linear combination of the columns before it"
        )
    for name, values in zip(columns, matrix.T, strict=True):
        low, high = values.min(), values.max()
        if ((values == low) | (values == high)).all():
            for level in (low, high):
                if not (sets.own & (values == level)).any():
                    raise NotEstimableError(
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
        raise NotEstimableError(
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
        raise NotEstimableError(
            f"{columns[worst]}: its hazard ratio grows without end, so it has no finite estimate; "
            "leave the column out"
        )


def check_spread(covariance: FloatArray, bread: FloatArray, columns: tuple[str, ...]) -> None:
    """Raise if the robust variance of a coefficient is nothing but rounding."""
    nothing = np.diag(covariance) <= 1e-16 * np.diag(bread)
    if nothing.any():
        raise NotEstimableError(
            f"{columns[int(np.argmax(nothing))]}: no patient has influence on its hazard ratio, as "
            "where everybody has the event in one month"
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
