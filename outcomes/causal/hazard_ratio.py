"""Hazard ratios of the methods that weigh patients or follow their treatment."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from outcomes.arrays import FloatArray, IntArray
from outcomes.causal.cloning import NO_LATER_EVENTS, has_later_events
from outcomes.causal.estimators import Choices, known_start, make_clones
from outcomes.causal.outcome_model import fit_outcome_model
from outcomes.causal.propensity import fit_propensity, treatment_weights, without_scores
from outcomes.causal.subjects import Subjects
from outcomes.causal.time_dependent import rows_from_start
from outcomes.cox import dfbeta_residuals, fit_cox
from outcomes.errors import NotEstimableError


@dataclass(frozen=True, eq=False)
class LogHazardRatio:
    """A logarithmic hazard ratio.

    Attributes
    ----------
    value
        Treated against control.
    standard_error
        From the infinitesimal jackknife of whole clusters, which counts that weights are estimated.
    """

    value: float
    standard_error: float

    @classmethod
    def of_influence(cls, value: float, moves: FloatArray, subjects: Subjects) -> "LogHazardRatio":
        """Return a ratio that each row of the subjects moves by so much, shape (n,)."""
        together = np.bincount(subjects.cluster, weights=moves)
        return cls(value, math.sqrt(float(together @ together)))


def weighted_hazard_ratio(subjects: Subjects, choices: Choices) -> LogHazardRatio:
    """Return that of a Cox model of the arm alone in patients weighted by their propensity.

    Truncated weights are taken as they are.
    """
    propensity = fit_propensity(subjects)
    fit = fit_cox(
        subjects.treated[:, None].astype(np.float64),
        subjects.time,
        subjects.codes == 1,
        weights=subjects.weights
        * treatment_weights(subjects, propensity, truncate=choices.truncate),
        strata=subjects.stratum,
        names=["treatment"],
        robust=False,
    )
    moves = dfbeta_residuals(fit)[:, 0]
    if choices.truncate is None:
        moves = without_scores(moves, propensity.scores)
    return LogHazardRatio.of_influence(float(fit.coefficients[0]), moves, subjects)


def time_dependent_hazard_ratio(subjects: Subjects, choices: Choices) -> LogHazardRatio:
    """Return that of a Cox model in which treatment acts from its start on."""
    known = known_start(subjects)
    rows = rows_from_start(known)
    fit = fit_outcome_model(known, rows).causes[0].fit
    moves = _by_patient(rows.patient, dfbeta_residuals(fit)[:, -1], known)
    return LogHazardRatio.of_influence(float(fit.coefficients[-1]), moves, known)


def cloned_hazard_ratio(subjects: Subjects, choices: Choices) -> LogHazardRatio:
    """Return that of a Cox model of the strategy alone in the weighted copies of patients.

    Raises
    ------
    NotEstimableError
        If nobody had an event after being treated in time, or as `make_clones`.
    """
    known = known_start(subjects)
    clones = make_clones(known, choices.grace)
    if not has_later_events(clones[0]):
        raise NotEstimableError(NO_LATER_EVENTS)
    sizes = [copies.patient.size for copies in clones]
    patient, entry, until, codes, weights = (
        np.concatenate([getattr(copies, name) for copies in clones])
        for name in ("patient", "entry", "exit", "codes", "weights")
    )
    fit = fit_cox(
        np.repeat([1.0, 0.0], sizes)[:, None],
        until,
        codes == 1,
        entry=np.maximum(entry, 0.0) if (entry > 0).any() else None,
        weights=weights,
        strata=known.stratum[patient],
        names=["strategy"],
        robust=False,
    )
    moves = np.zeros(known.n)
    for copies, own in zip(clones, np.split(dfbeta_residuals(fit)[:, 0], sizes[:1]), strict=True):
        moves += without_scores(_by_patient(copies.patient, own, known), copies.scores)
    return LogHazardRatio.of_influence(float(fit.coefficients[0]), moves, known)


def _by_patient(patient: IntArray, moves: FloatArray, subjects: Subjects) -> FloatArray:
    """Return the sums over each subject's rows, shape (n,)."""
    sums = np.bincount(patient, weights=moves, minlength=subjects.n)
    return np.asarray(sums, dtype=np.float64)


HAZARD_RATIOS: Mapping[str, Callable[[Subjects, Choices], LogHazardRatio]] = {
    "iptw": weighted_hazard_ratio,
    "time-dependent": time_dependent_hazard_ratio,
    "clone-censor-weight": cloned_hazard_ratio,
}
"""By the name of the method."""
