"""The weighted Aalen-Johansen estimate, with what each patient moves it by."""

from dataclasses import dataclass

import numpy as np

from outcomes.arrays import FloatArray, IntArray
from outcomes.causal.functionals import Functionals
from outcomes.causal.subjects import Subjects


@dataclass(frozen=True, eq=False)
class WeightedIncidence:
    """Functionals of a weighted cumulative incidence of code 1.

    Attributes
    ----------
    values
        Shape (n_functionals,).
    moves
        What each patient moves them by for known weights, shape (n, n_functionals): the
        infinitesimal jackknife, whose sum over the patients is 0. NaN where not wanted.
    months, incidence
        The curve: months of its steps and its values there, shape (n_months,).
    """

    values: FloatArray
    moves: FloatArray
    months: FloatArray
    incidence: FloatArray


def weighted_incidence(
    time: FloatArray,
    codes: IntArray,
    weights: FloatArray,
    functionals: Functionals,
    *,
    entry: FloatArray | None = None,
    covariance: bool = True,
) -> WeightedIncidence:
    """Return the weighted Aalen-Johansen estimate of an arm.

    With weights of 1 it is the Aalen-Johansen estimate (without competing codes 1 minus
    Kaplan-Meier), and the jackknife gives the variance of R's `survfit(…, robust = TRUE)`.

    Parameters
    ----------
    time, codes
        Months and event codes (0 censored, 1 of interest, else competing), shape (n,).
    weights
        Shape (n,), not negative.
    functionals
        What is asked.
    entry
        Months from which each row is at risk, shape (n,); by default 0. A patient whose weight
        changes is several rows.
    covariance
        Whether what each patient moves them by is wanted, which is most of the work.
    """
    months, group = np.unique(time, return_inverse=True)
    size = months.size

    def total(rows: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(group, weights=rows, minlength=size), dtype=np.float64)

    at_risk = np.cumsum(total(weights)[::-1])[::-1]
    since = np.zeros(time.size, dtype=np.int64)
    if entry is not None:
        # The first of the months after a row's entry.
        since = np.searchsorted(months, entry, side="right")
        entered = np.bincount(since, weights=weights, minlength=size + 1)
        at_risk = at_risk - np.cumsum(entered[::-1])[::-1][1:]
    positive = np.where(at_risk > 0, at_risk, 1.0)
    hazards = [
        total(np.where(member, weights, 0.0)) / positive for member in (codes == 1, codes > 1)
    ]
    leaving = np.minimum(hazards[0] + hazards[1], 1.0)
    survival = np.cumprod(1 - leaving)
    before = np.concatenate([[1.0], survival[:-1]])
    steps = before * hazards[0]
    phi = functionals.at(months)
    parts = phi * steps
    values = parts.sum(axis=1)
    if not covariance:
        unknown = np.full((time.size, functionals.size), np.nan)
        return WeightedIncidence(values, unknown, months, np.cumsum(steps))
    # What is still to come, of those free of any event just after a month.
    later = values[:, None] - np.cumsum(parts, axis=1)
    staying = 1 - leaving
    ahead = np.divide(later, staying, out=np.zeros_like(later), where=staying > 0)
    gradients = (phi * before - ahead, -ahead)
    moves = np.zeros((time.size, functionals.size))
    for gradient, hazard, member in zip(gradients, hazards, (codes == 1, codes > 1), strict=True):
        slope = gradient / positive
        spent = np.vstack([np.zeros(functionals.size), np.cumsum(slope * hazard, axis=1).T])
        moves += np.where(member[:, None], slope.T[group], 0.0)
        moves -= spent[group + 1] - spent[since]
    return WeightedIncidence(values, weights[:, None] * moves, months, np.cumsum(steps))


def incidence_by_series(
    subjects: Subjects,
    patient: IntArray,
    time: FloatArray,
    codes: IntArray,
    weights: FloatArray,
    functionals: Functionals,
    *,
    entry: FloatArray | None = None,
    covariance: bool = True,
) -> tuple[FloatArray, FloatArray]:
    """Return weighted estimates of an arm, averaged over the series by the size of each.

    Series are followed for different times, and their patients fare differently: an estimate of
    all together would take those of the series followed longest for all.

    Parameters
    ----------
    subjects
        Patients of both arms.
    patient
        Number of the patient of each row, shape (n_rows,).
    time, codes, weights, functionals, entry, covariance
        As `weighted_incidence`, a row each.

    Returns
    -------
    values
        Shape (n_functionals,).
    moves
        What each patient moves them by, shape (n, n_functionals); NaN where not wanted.
    """
    share = np.bincount(subjects.stratum, subjects.weights, subjects.n_series)
    share = share / subjects.weights.sum()
    own = np.zeros((subjects.n_series, functionals.size))
    moves = np.full((subjects.n, functionals.size), 0.0 if covariance else np.nan)
    for series in np.flatnonzero(share):
        rows = subjects.stratum[patient] == series
        found = weighted_incidence(
            time[rows],
            codes[rows],
            weights[rows],
            functionals,
            entry=None if entry is None else entry[rows],
            covariance=covariance,
        )
        own[series] = found.values
        if covariance:
            np.add.at(moves, patient[rows], share[series] * found.moves)
    values = share @ own
    moves += (subjects.weights / subjects.weights.sum())[:, None] * (own[subjects.stratum] - values)
    return values, moves
