"""Clone, censor and weight: each patient follows both strategies until the data contradict one.

Treatment within a grace period against none (Cain et al., Int J Biostat 2010;6(2):18; Maringe et
al., Int J Epidemiol 2020;49:1719). Time zero is surgery for both, so that nobody has to survive
until treatment to count.
"""

from dataclasses import dataclass

import numpy as np

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.causal.functionals import Functionals
from outcomes.causal.incidence import incidence_by_series
from outcomes.causal.marginal import NOT_ASKED, Marginal
from outcomes.causal.outcome_model import AT_SURGERY
from outcomes.causal.propensity import fit_logistic, without_scores
from outcomes.causal.subjects import Subjects
from outcomes.cox import baseline_hazards, fit_cox, score_residuals
from outcomes.errors import NotEstimableError

# The weights of the untreated strategy change at so many months of the start of treatment at most.
WEIGHT_MONTHS = 40
NO_LATER_EVENTS = "nobody who was treated in time had an event afterwards"


@dataclass(frozen=True, eq=False)
class Clones:
    """The copies of patients that follow one strategy, as rows whose weight is constant.

    Attributes
    ----------
    patient
        Number of the patient of each row, shape (n_rows,).
    entry, exit
        Months between which a row is at risk.
    codes
        Event code at its end; 0 also where the patient left the strategy.
    weights
        Inverse probability of still following the strategy, times the case weight.
    scores
        Each patient's share of the score of the model of leaving, shape (n, q).
    left
        How many patients left the strategy while under observation.
    """

    patient: IntArray
    entry: FloatArray
    exit: FloatArray
    codes: IntArray
    weights: FloatArray
    scores: FloatArray
    left: int


def clone_treated(subjects: Subjects, start: FloatArray, grace: tuple[float, float]) -> Clones:
    """Return the copies that are to be treated within a grace period.

    A copy is censored when treatment begins before the period, and at its end where none has
    begun. Who goes on counts from then on for those alike who do not: the weight is one over the
    logistic probability of having begun, among those at risk at the end of the period.

    Parameters
    ----------
    subjects
        Patients.
    start
        Month at which treatment began, infinite where it never did, shape (n,).
    grace
        First and last month of the period.

    Raises
    ------
    NotEstimableError
        If nobody, or everybody alike, begins in it.
    """
    first, last = grace
    early = (start < first) & (start < subjects.time)
    present = subjects.time > last
    follows = (start >= first) & (start <= last)
    if not (present & follows).any():
        raise NotEstimableError(f"nobody was treated between months {first:.2g} and {last:.2g}")
    chance = np.ones(subjects.n)
    scores = np.zeros((subjects.n, 0))
    if (present & ~follows).any():
        at_risk = subjects.take(present)
        fitted = fit_logistic(
            at_risk.with_series,
            follows[present],
            at_risk.weights,
            f"treatment by month {last:.2g}",
        )
        chance[present] = fitted.probability
        scores = np.zeros((subjects.n, fitted.scores.shape[1]))
        scores[present] = fitted.scores
    until = np.minimum(subjects.time, last)
    until = np.where(early, start, until)
    goes_on = present & follows
    ended = np.where((subjects.time <= last) & ~early, subjects.codes, 0)
    patients = np.arange(subjects.n)
    return Clones(
        patient=np.concatenate([patients, patients[goes_on]]),
        entry=np.concatenate([np.full(subjects.n, AT_SURGERY), np.full(goes_on.sum(), last)]),
        exit=np.concatenate([until, subjects.time[goes_on]]),
        codes=np.concatenate([ended, subjects.codes[goes_on]]),
        weights=np.concatenate([subjects.weights, (subjects.weights / chance)[goes_on]]),
        scores=scores,
        left=int((early | (present & ~follows)).sum()),
    )


def clone_untreated(subjects: Subjects, start: FloatArray) -> Clones:
    """Return the copies that are never to be treated.

    A copy is censored when treatment begins; the weight is one over the probability of none so
    far, from a Cox model of its beginning.

    Parameters
    ----------
    subjects, start
        As `clone_treated`.
    """
    begun = start < subjects.time
    until = np.where(begun, start, subjects.time)
    codes = np.where(begun, 0, subjects.codes)
    patients = np.arange(subjects.n)
    if not begun.any():
        return Clones(
            patients,
            np.full(subjects.n, AT_SURGERY),
            until,
            codes,
            subjects.weights,
            np.zeros((subjects.n, 0)),
            0,
        )
    hazard, scores = _starting(subjects, until, begun)
    edges = np.concatenate([[AT_SURGERY], hazard.months])
    # One row between two changes of the weight, as long as the patient is there.
    there = edges[None, :] < until[:, None]
    patient, step = np.nonzero(there)
    following = np.append(edges[1:], np.inf)[step]
    last = following >= until[patient]
    return Clones(
        patient=patient,
        entry=edges[step],
        exit=np.minimum(following, until[patient]),
        codes=np.where(last, codes[patient], 0),
        weights=subjects.weights[patient] * np.exp(hazard.cumulative[patient, step]),
        scores=scores,
        left=int(begun.sum()),
    )


@dataclass(frozen=True, eq=False)
class _Starting:
    """Cumulative hazard of beginning treatment, from 0 and from each month on.

    `months` has the shape (n_months,), `cumulative` (n, n_months + 1).
    """

    months: FloatArray
    cumulative: FloatArray


def _starting(
    subjects: Subjects, until: FloatArray, begun: BoolArray
) -> tuple[_Starting, FloatArray]:
    """Fit the Cox model of beginning treatment; return it with each patient's score."""
    if not subjects.names:
        return _without_covariates(subjects, until, begun), np.zeros((subjects.n, 0))
    fit = fit_cox(
        subjects.columns,
        until,
        begun,
        weights=subjects.weights,
        strata=subjects.stratum,
        names=subjects.names,
        robust=False,
    )
    relative = np.exp((subjects.columns - fit.data.centre) @ fit.coefficients)
    months = _few(np.unique(until[begun]))
    cumulative = np.zeros((subjects.n, months.size + 1))
    for baseline in baseline_hazards(fit):
        members = subjects.stratum == int(np.asarray(baseline.stratum))
        cumulative[members, 1:] = relative[members, None] * baseline.cumulative(months)
    return _Starting(months, cumulative), score_residuals(fit) * subjects.weights[:, None]


def _without_covariates(subjects: Subjects, until: FloatArray, begun: BoolArray) -> _Starting:
    """Return Nelson and Aalen's hazard of beginning treatment in each series."""
    months = _few(np.unique(until[begun]))
    cumulative = np.zeros((subjects.n, months.size + 1))
    for series in range(subjects.n_series):
        members = subjects.stratum == series
        own = np.unique(until[begun & members])
        at_risk, starts = (
            np.array([subjects.weights[members & rule(until, at)].sum() for at in own])
            for rule in (np.greater_equal, lambda ends, at: begun & (ends == at))
        )
        running = np.append(0.0, np.cumsum(starts / at_risk))
        cumulative[members, 1:] = running[np.searchsorted(own, months, side="right")]
    return _Starting(months, cumulative)


def _few(months: FloatArray) -> FloatArray:
    """Return the months, or so many of them, spread evenly, the last included."""
    chosen = np.linspace(0, months.size - 1, min(months.size, WEIGHT_MONTHS))
    return months[np.round(chosen).astype(np.int64)]


def has_later_events(treated: Clones, until: float = np.inf) -> bool:
    """Return whether an event of interest happened by a month to who had begun in time."""
    later = (treated.entry > 0) & (treated.codes == 1) & (treated.exit <= until)
    return bool(later.any())


def clone_censor_weight(
    subjects: Subjects,
    clones: tuple[Clones, Clones],
    functionals: Functionals,
    *,
    covariance: bool = True,
) -> Marginal:
    """Return the risks under both strategies, with the uncertainty of the estimated weights.

    Parameters
    ----------
    subjects
        Patients.
    clones
        Their copies: to be treated, and never to be.
    functionals
        What is asked.
    covariance
        Whether the covariance is wanted.
    """
    values = np.zeros((2, functionals.size))
    moves = np.zeros((subjects.n, 2, functionals.size))
    for arm, copies in enumerate(clones):
        values[arm], own = incidence_by_series(
            subjects,
            copies.patient,
            copies.exit,
            copies.codes,
            copies.weights,
            functionals,
            entry=copies.entry,
            covariance=covariance,
        )
        if covariance:
            moves[:, arm] = without_scores(own, copies.scores)
    if not covariance:
        return Marginal.without_covariance(functionals, values, NOT_ASKED)
    if not has_later_events(clones[0], functionals.last):
        # Their hazard is estimated as 0, and so would its error be.
        return Marginal.without_covariance(functionals, values, NO_LATER_EVENTS)
    return Marginal.of_influence(functionals, values, moves, subjects.cluster)
