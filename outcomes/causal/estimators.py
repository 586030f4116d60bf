"""The estimators of the risks of both arms, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from outcomes.arrays import FloatArray, IntArray
from outcomes.causal.augmented import augmented
from outcomes.causal.cloning import Clones, clone_censor_weight, clone_treated, clone_untreated
from outcomes.causal.functionals import Functionals
from outcomes.causal.incidence import incidence_by_series
from outcomes.causal.marginal import NOT_ASKED, Marginal
from outcomes.causal.memory import kept
from outcomes.causal.outcome_model import FEWER_STEPS, MOST_STEPS, fit_outcome_model
from outcomes.causal.propensity import (
    fit_propensity,
    treatment_weights,
    weighted_quantile,
    without_scores,
)
from outcomes.causal.standardisation import standardise
from outcomes.causal.subjects import Subjects, followed_until
from outcomes.causal.time_dependent import rows_from_start
from outcomes.errors import NotEstimableError
from outcomes.schema import DAYS_PER_MONTH

LANDMARK_MONTHS = 42 / DAYS_PER_MONTH
"""Six weeks after surgery, when SBRT has usually begun."""
GRACE_MONTHS = (14 / DAYS_PER_MONTH, 42 / DAYS_PER_MONTH)
"""Two to six weeks after surgery: within them SBRT is to begin."""


@dataclass(frozen=True)
class Choices:
    """What a user may choose of the estimators.

    Attributes
    ----------
    truncate
        Share of the treatment weights to cut at either end; None for no cut.
    landmark
        Month of the landmark analysis.
    grace
        First and last month in which treatment is to begin.
    covariance
        Whether the covariance is wanted, which is most of the work.
    """

    truncate: float | None = None
    landmark: float = LANDMARK_MONTHS
    grace: tuple[float, float] = GRACE_MONTHS
    covariance: bool = True

    @property
    def most_steps(self) -> int:
        """Steps of a baseline hazard from which on some are taken together."""
        return MOST_STEPS if self.covariance else FEWER_STEPS


Estimator = Callable[[Subjects, Functionals, Choices], Marginal]


def g_formula(subjects: Subjects, functionals: Functionals, choices: Choices) -> Marginal:
    """Standardise Cox models over all patients."""
    model = fit_outcome_model(subjects, most_steps=choices.most_steps)
    found = standardise(model, functionals, covariance=choices.covariance)
    return replace(found, end=_end(subjects, subjects.stratum))


def _end(subjects: Subjects, group: IntArray) -> float:
    return followed_until(subjects.time, subjects.codes, group)


def inverse_probability(subjects: Subjects, functionals: Functionals, choices: Choices) -> Marginal:
    """Weigh each arm to all patients' covariates and take its Aalen-Johansen estimate.

    In several series each has its own, and they are averaged. The covariance counts that the
    weights are estimated; truncated ones are taken as they are.
    """
    propensity = fit_propensity(subjects)
    weights = subjects.weights * treatment_weights(subjects, propensity, truncate=choices.truncate)
    values = np.zeros((2, functionals.size))
    moves = np.zeros((subjects.n, 2, functionals.size))
    for arm, member in enumerate((subjects.treated, ~subjects.treated)):
        values[arm], moves[:, arm] = incidence_by_series(
            subjects,
            np.flatnonzero(member),
            subjects.time[member],
            subjects.codes[member],
            weights[member],
            functionals,
            covariance=choices.covariance,
        )
    end = _end(subjects, subjects.arm_of_series)
    if not choices.covariance:
        return replace(Marginal.without_covariance(functionals, values, NOT_ASKED), end=end)
    if choices.truncate is None:
        moves = without_scores(moves, propensity.scores)
    estimate = Marginal.of_influence(functionals, values, moves, subjects.cluster)
    return replace(estimate, end=end)


def doubly_robust(subjects: Subjects, functionals: Functionals, choices: Choices) -> Marginal:
    """Augment the weighted estimate by Cox models, or the other way round."""
    model = fit_outcome_model(subjects, most_steps=choices.most_steps)
    found = augmented(model, fit_propensity(subjects), functionals)
    return replace(found, end=_end(subjects, subjects.arm_of_series))


def landmark(subjects: Subjects, functionals: Functionals, choices: Choices) -> Marginal:
    """Standardise Cox models over those without an event at the landmark.

    The arm is what had begun by then; risks are of events between landmark and horizon.
    """
    found = g_formula(from_landmark(subjects, choices.landmark), functionals, choices)
    return replace(found, since=choices.landmark)


def from_landmark(subjects: Subjects, month: float) -> Subjects:
    """Return those without an event at a landmark, in the arm they had entered by then."""
    known = known_start(subjects)
    if not (known.time > month).any():
        raise NotEstimableError(f"nobody is under observation at month {month:.3g}")
    later = known.take(known.time > month)
    return replace(later, treated=later.start <= month)


def time_dependent(subjects: Subjects, functionals: Functionals, choices: Choices) -> Marginal:
    """Standardise Cox models in which treatment acts from its start on.

    Treated means to begin in the median month of those who did.
    """
    known = known_start(subjects)
    rows = rows_from_start(known)
    model = fit_outcome_model(known, rows, most_steps=choices.most_steps)
    start = median_start(known)
    found = standardise(model, functionals, start=start, covariance=choices.covariance)
    return replace(found, end=_end(known, known.stratum))


@kept
def known_start(subjects: Subjects) -> Subjects:
    """Return those of whom it is known when treatment began, if it did.

    They stand for the treated of their series of whom it is not, which is right where it is
    missing by chance.

    Raises
    ------
    NotEstimableError
        If in a series it is known of none of the treated.
    """
    known = ~np.isnan(subjects.start)
    if known.all():
        return subjects
    treated, counted = (
        np.bincount(subjects.stratum, subjects.weights * member, subjects.n_series)
        for member in (subjects.treated, subjects.treated & known)
    )
    if (counted[treated > 0] == 0).any():
        raise NotEstimableError(
            "of all treated patients of a series the start of treatment is unknown"
        )
    stands_for = np.divide(treated, counted, out=np.ones_like(treated), where=counted > 0)
    weights = np.where(subjects.treated, stands_for[subjects.stratum], 1.0) * subjects.weights
    return replace(subjects, weights=weights).take(known)


def median_start(subjects: Subjects) -> float:
    """Return the median month at which treatment began.

    Raises
    ------
    NotEstimableError
        If it began in nobody under observation.
    """
    begun = subjects.start < subjects.time
    if not begun.any():
        raise NotEstimableError("treatment began in nobody under observation")
    return float(weighted_quantile(subjects.start[begun], [0.5], subjects.weights[begun])[0])


def cloned(subjects: Subjects, functionals: Functionals, choices: Choices) -> Marginal:
    """Clone, censor and weight."""
    subjects.require_both_arms()
    known = known_start(subjects)
    clones = make_clones(known, choices.grace)
    ends = [followed_until(one.exit, one.codes, known.stratum[one.patient]) for one in clones]
    found = clone_censor_weight(known, clones, functionals, covariance=choices.covariance)
    return replace(found, end=min(ends))


@kept
def make_clones(subjects: Subjects, grace: tuple[float, float]) -> tuple[Clones, Clones]:
    """Return the copies to be treated in the grace period, and those never to be."""
    return (
        clone_treated(subjects, subjects.start, grace),
        clone_untreated(subjects, subjects.start),
    )


ESTIMATORS: Mapping[str, Estimator] = {
    "g-formula-cox": g_formula,
    "iptw": inverse_probability,
    "doubly-robust": doubly_robust,
    "landmark-adjusted": landmark,
    "time-dependent": time_dependent,
    "clone-censor-weight": cloned,
}
"""In the order of the ladder."""
NEEDS_START = ("landmark-adjusted", "time-dependent", "clone-censor-weight")


def values_of(
    estimators: Mapping[str, Estimator],
    subjects: Subjects,
    functionals: Functionals,
    choices: Choices,
) -> dict[str, FloatArray]:
    """Return the estimates that can be had, by name, shape (2, n_functionals) each."""
    quick = replace(choices, covariance=False)
    found = {}
    for name, estimator in estimators.items():
        try:
            found[name] = estimator(subjects, functionals, quick).values
        except NotEstimableError:
            continue
    return found
