"""The probability of treatment given the covariates."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from outcomes.arrays import BoolArray, FloatArray
from outcomes.causal.memory import kept
from outcomes.causal.subjects import Subjects
from outcomes.errors import NotEstimableError, OutcomesError

# A fitted probability nearer to 0 or 1 than this means that the covariates determine treatment.
LEAST_PROBABILITY = 1e-6


@dataclass(frozen=True, eq=False)
class Propensity:
    """A fitted logistic model of treatment.

    Attributes
    ----------
    probability
        Of being treated, shape (n,).
    scores
        Each row's share of the score, shape (n, p + 1): what the estimated coefficients depend on.
    """

    probability: FloatArray
    scores: FloatArray


def fit_logistic(
    columns: FloatArray, outcome: BoolArray, weights: FloatArray, what: str
) -> Propensity:
    """Fit a logistic model by maximum likelihood.

    Parameters
    ----------
    columns
        Shape (n, p).
    outcome, weights
        Shape (n,).
    what
        What is modelled, for the message.

    Raises
    ------
    NotEstimableError
        If all have the same outcome, or the covariates determine it for some.
    """
    if outcome.all() or not outcome.any():
        raise NotEstimableError(f"{what} is the same for everyone")
    spread = columns.std(axis=0)
    varying = columns[:, spread > 0]
    scaled = (varying - varying.mean(axis=0)) / spread[spread > 0]
    if scaled.shape[1] == 0:
        probability = np.full(outcome.size, np.average(outcome, weights=weights))
    else:
        model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-9, max_iter=100)
        with warnings.catch_warnings():
            # Separation shows in the fitted probabilities, which are looked at below.
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            model.fit(scaled, outcome, sample_weight=weights)
        probability = model.predict_proba(scaled)[:, 1]
    extreme = np.minimum(probability, 1 - probability).min()
    if not extreme > LEAST_PROBABILITY:
        raise NotEstimableError(f"the covariates determine {what} for some patients")
    design = np.column_stack([np.ones(outcome.size), scaled])
    residual = weights * (outcome - probability)
    return Propensity(probability, design * residual[:, None])


@kept
def fit_propensity(subjects: Subjects) -> Propensity:
    """Fit the propensity score of the arm, with an intercept of its own for each series.

    Raises
    ------
    NotEstimableError
        If a series has only one arm, or the covariates determine the arm of some patients.
    """
    subjects.require_both_arms()
    return fit_logistic(subjects.with_series, subjects.treated, subjects.weights, "the treatment")


WeightKind = Literal["stabilised", "plain"]


def treatment_weights(
    subjects: Subjects, propensity: Propensity, *, truncate: float | None = None
) -> FloatArray:
    """Return stabilised inverse probability of treatment weights, without the case weights.

    Parameters
    ----------
    subjects, propensity
        Patients and their propensity scores.
    truncate
        Share of the weights to cut at either end, e.g. 0.01 for the 1st and the 99th percentile
        (Cole & Hernan, Am J Epidemiol 2008;168:656); None for no cut.

    Raises
    ------
    OutcomesError
        If `truncate` is not between 0 and 0.5.
    """
    treated = subjects.treated
    share = np.average(treated, weights=subjects.weights)
    probability = propensity.probability
    weights = np.where(treated, share / probability, (1 - share) / (1 - probability))
    if truncate is not None:
        if not 0 < truncate < 0.5:
            raise OutcomesError(f"truncate: found {truncate!r}; allowed: above 0, below 0.5")
        limits = weighted_quantile(weights, [truncate, 1 - truncate], subjects.weights)
        weights = np.clip(weights, *limits)
    return weights


def weighted_quantile(
    values: FloatArray, levels: Sequence[float], weights: FloatArray
) -> FloatArray:
    """Return the smallest values below or at which the shares of the case weights lie."""
    found = np.quantile(values, levels, weights=weights, method="inverted_cdf")
    return np.asarray(found, dtype=np.float64)


def without_scores(moves: FloatArray, scores: FloatArray) -> FloatArray:
    """Return what rows move estimates by once the model that weighs them is estimated as well.

    Estimated weights make an estimate depend on the rows through the model's score too; what
    remains is the residual of a regression on it (Robins, Rotnitzky & Zhao, JASA 1994;89:846;
    Lunceford & Davidian, Stat Med 2004;23:2937), for a model that holds.

    Parameters
    ----------
    moves
        Shape (n, ...).
    scores
        Shape (n, q).
    """
    flat = moves.reshape(len(moves), -1)
    slopes = np.linalg.lstsq(scores, flat, rcond=None)[0]
    return np.asarray((flat - scores @ slopes).reshape(moves.shape))
