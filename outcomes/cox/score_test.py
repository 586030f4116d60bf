"""The score test of covariates in a Cox model that holds others fixed."""

import numpy as np
import numpy.typing as npt

from outcomes.arrays import FloatArray
from outcomes.cox.fit import ChiSquared, chi_squared
from outcomes.cox.partial_likelihood import partial_likelihood
from outcomes.cox.risk_sets import RiskSets, make_risk_sets
from outcomes.errors import NotEstimableError, OutcomesError

ITERATIONS = 30
TOLERANCE = 1e-7
# Directions with less than this share of the largest information are taken as empty.
EMPTY = 1e-8


def cox_score_test(
    time: npt.ArrayLike, event: npt.ArrayLike, tested: FloatArray, fixed: FloatArray
) -> ChiSquared:
    """Test that some covariates have no effect on a hazard, others held fixed.

    The score of the tested covariates at the fit without them, over its variance
    (Therneau & Grambsch, Modeling Survival Data, 2000, 3.4). With one binary covariate and nothing
    held fixed this is the log-rank test. Columns that are constant or that follow from the others
    are left out.

    Parameters
    ----------
    time, event
        Months since surgery and whether the event happened then (0/1), shape (n,).
    tested
        Covariates tested together, shape (n, n_tested).
    fixed
        Covariates held fixed, shape (n, n_fixed); n_fixed may be 0.

    Raises
    ------
    OutcomesError
        If the shapes do not fit.
    NotEstimableError
        If there is no event, no tested covariate varies, or the fit does not converge.
    """
    sets = make_risk_sets(time, event, ties="breslow")
    if len(tested) != sets.n or len(fixed) != sets.n:
        raise OutcomesError("time, event and covariates must have a row for each patient")
    if not sets.n_events:
        raise NotEstimableError("there is no event")
    columns = np.hstack([fixed, tested])[sets.order].T
    columns = columns - columns.mean(axis=1, keepdims=True)
    spread = columns.std(axis=1, keepdims=True)
    columns = np.ascontiguousarray(columns / np.where(spread > 0, spread, 1.0))
    held = fixed.shape[1]
    here = partial_likelihood(sets, columns, _fit(sets, columns, held))
    score, information = here.score, here.information
    inner = _inverse(information[:held, :held])
    cross = information[held:, :held]
    variance = information[held:, held:] - cross @ inner @ cross.T
    rest = score[held:] - cross @ inner @ score[:held]
    rank = int(np.linalg.matrix_rank(variance, tol=EMPTY * sets.n_events, hermitian=True))
    if rank == 0:
        raise NotEstimableError("no tested covariate varies among those at risk")
    return chi_squared(float(rest @ _inverse(variance) @ rest), rank)


def _inverse(information: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.pinv(information, rcond=EMPTY, hermitian=True))


def _fit(sets: RiskSets, columns: FloatArray, held: int) -> FloatArray:
    """Return the fit to the first `held` columns alone; the rest have coefficient 0."""
    beta = np.zeros(len(columns))
    if not held:
        return beta
    here = partial_likelihood(sets, columns, beta)
    for _ in range(ITERATIONS):
        # A column without events in one of its groups drifts off, and its score vanishes all the
        # same, which is all that the test needs.
        if np.abs(here.score[:held]).max() < TOLERANCE * sets.n_events:
            return beta
        step = np.zeros_like(beta)
        step[:held] = _inverse(here.information[:held, :held]) @ here.score[:held]
        step = np.clip(step, -2, 2)
        there = partial_likelihood(sets, columns, beta + step)
        while there.value < here.value - TOLERANCE:
            step /= 2
            there = partial_likelihood(sets, columns, beta + step)
        beta, here = beta + step, there
    raise NotEstimableError(f"the Cox fit does not converge in {ITERATIONS} steps")
