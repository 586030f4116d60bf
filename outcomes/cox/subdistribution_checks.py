"""What a Fine-Gray fit refuses, and how it says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from outcomes.arrays import FloatArray, IntArray
from outcomes.cox.covariates import covariate_names, read_covariates
from outcomes.cox.inputs import as_numbers, check_rows, read_finite, read_labels
from outcomes.cox.subdistribution_sweeps import RiskSets
from outcomes.errors import NotEstimableError, OutcomesError

# Share of a column's variance that the columns before it must leave over.
_LEAST_SHARE = 1e-10
# Largest standard error of a coefficient per standard deviation of its column.
_LARGEST_ERROR = 20.0
_TIMES = "months since surgery, finite and at least 0"
_CODES = "whole numbers, 0 for censored"


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
        Number of what each patient belongs to, shape (n,); None where patients stand alone.
    """

    time: FloatArray
    codes: IntArray
    weight: FloatArray
    matrix: FloatArray
    columns: tuple[str, ...]
    strata: tuple[object, ...]
    stratum: IntArray
    group: IntArray
    cluster: IntArray | None


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
    n = len(times)
    weight = np.ones(n) if weights is None else read_finite(weights, "weights", n, least=0.0)
    labels, stratum = _labels(strata, "strata", n)
    _, group = _labels(censoring_groups, "censoring_groups", n)
    member = None if cluster is None else read_labels(cluster, "cluster", n)[1]
    here = weight > 0
    if not here.all():
        times, codes, weight, matrix = times[here], codes[here], weight[here], matrix[here]
        present, stratum = np.unique(stratum[here], return_inverse=True)
        labels = tuple(labels[position] for position in present.tolist())
        group = np.unique(group[here], return_inverse=True)[1]
        if member is not None:
            member = np.unique(member[here], return_inverse=True)[1]
    if member is not None and not member.any():
        raise NotEstimableError("cluster: found one; robust standard errors need at least two")
    if not (codes == cause).any():
        raise NotEstimableError(f"no event of cause {cause}")
    return Subjects(times, codes, weight, matrix, columns, labels, stratum, group, member)


def _outcome(time: Any, event: Any, cause: int) -> tuple[FloatArray, IntArray]:
    """Return times and event codes as arrays, or raise naming the row."""
    times, codes = as_numbers(time, "time", _TIMES), as_numbers(event, "event", _CODES)
    if times.ndim != 1 or times.shape != codes.shape:
        raise OutcomesError(
            "time and event must be two sequences of one length; "
            f"found shapes {times.shape} and {codes.shape}"
        )
    check_rows(times, np.isfinite(times) & (times >= 0), "time", _TIMES)
    whole = np.isfinite(codes) & (codes >= 0) & (codes == np.floor(codes))
    check_rows(codes, whole, "event", _CODES)
    if not isinstance(cause, Integral) or isinstance(cause, bool) or cause < 1:
        raise OutcomesError(f"cause: found {cause!r}; allowed: an event code of at least 1")
    return times, codes.astype(np.int64)


def _labels(labels: Any, name: str, n: int) -> tuple[tuple[object, ...], IntArray]:
    """Return the distinct labels in order and the number of each patient's; (None,) without."""
    if labels is None:
        return (None,), np.zeros(n, dtype=np.int64)
    distinct, position = read_labels(labels, name, n)
    return tuple(distinct.tolist()), position


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
