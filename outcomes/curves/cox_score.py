"""The score test of covariates in a Cox model that holds others fixed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.curves.risk_table import check_times
from outcomes.errors import NotEstimableError, OutcomesError

ITERATIONS = 30
TOLERANCE = 1e-7
# Directions with less than this share of the largest information are taken as empty.
EMPTY = 1e-8


@dataclass(frozen=True)
class ScoreTest:
    """A score test of no effect.

    Attributes
    ----------
    statistic, degrees_of_freedom, p
        Chi-squared statistic and its p value.
    """

    statistic: float
    degrees_of_freedom: int
    p: float


@dataclass(frozen=True, eq=False)
class _RiskSets:
    """Patients by descending time: the risk set of an event is a prefix.

    Attributes
    ----------
    columns
        Covariates, shape (n, n_columns).
    event
        Whether the event happened, shape (n,).
    ends
        For each patient the last position with the same time, shape (n,).
    """

    columns: FloatArray
    event: BoolArray
    ends: IntArray

    def log_likelihood(self, beta: FloatArray) -> float:
        """Return the log partial likelihood, Breslow's ties."""
        linear = self.columns @ beta
        top = linear.max()
        total = np.cumsum(np.exp(linear - top))[self.ends]
        return float(np.sum((linear - top - np.log(total))[self.event]))

    def score_and_information(self, beta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the score and the information of the log partial likelihood."""
        linear = self.columns @ beta
        weight = np.exp(linear - linear.max())
        total = np.cumsum(weight)[self.ends]
        sums = np.cumsum(weight[:, None] * self.columns, axis=0)[self.ends[self.event]]
        means = sums / total[self.event, None]
        score = (self.columns[self.event] - means).sum(axis=0)
        steps = np.where(self.event, 1 / total, 0.0)
        # Each patient is in the risk set of every event up to the own time.
        hazard = np.cumsum(steps[::-1])[::-1][self._starts]
        second = self.columns.T @ ((weight * hazard)[:, None] * self.columns)
        return score, second - means.T @ means

    @property
    def _starts(self) -> IntArray:
        """For each patient the first position with the same time, shape (n,)."""
        first = np.concatenate([[True], self.ends[1:] != self.ends[:-1]])
        return np.asarray(np.maximum.accumulate(np.where(first, np.arange(first.size), 0)))


def cox_score_test(
    time: npt.ArrayLike, event: npt.ArrayLike, tested: FloatArray, fixed: FloatArray
) -> ScoreTest:
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
    months = check_times(time)
    happened = np.asarray(event).astype(bool)
    if happened.shape != months.shape or len(tested) != months.size or len(fixed) != months.size:
        raise OutcomesError("time, event and covariates must have a row for each patient")
    if not happened.any():
        raise NotEstimableError("there is no event")
    order = np.argsort(-months, kind="stable")
    sorted_months = -months[order]
    ends = np.searchsorted(sorted_months, sorted_months, side="right") - 1
    columns = np.hstack([fixed, tested])[order]
    columns = columns - columns.mean(axis=0)
    spread = columns.std(axis=0)
    columns = columns / np.where(spread > 0, spread, 1.0)
    sets = _RiskSets(columns, happened[order], ends)
    held = fixed.shape[1]
    score, information = sets.score_and_information(_fit(sets, held))
    inner = _inverse(information[:held, :held])
    cross = information[held:, :held]
    variance = information[held:, held:] - cross @ inner @ cross.T
    rest = score[held:] - cross @ inner @ score[:held]
    rank = int(np.linalg.matrix_rank(variance, tol=EMPTY * happened.sum(), hermitian=True))
    if rank == 0:
        raise NotEstimableError("no tested covariate varies among those at risk")
    statistic = float(rest @ _inverse(variance) @ rest)
    return ScoreTest(statistic, rank, float(gammaincc(rank / 2, statistic / 2)))


def _inverse(information: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.pinv(information, rcond=EMPTY, hermitian=True))


def _fit(sets: _RiskSets, held: int) -> FloatArray:
    """Return the fit to the first `held` columns alone; the rest have coefficient 0."""
    beta = np.zeros(sets.columns.shape[1])
    if not held:
        return beta
    for _ in range(ITERATIONS):
        score, information = sets.score_and_information(beta)
        # A column without events in one of its groups drifts off, and its score vanishes all the
        # same, which is all that the test needs.
        if np.abs(score[:held]).max() < TOLERANCE * sets.event.sum():
            return beta
        step = np.zeros_like(beta)
        step[:held] = np.clip(_inverse(information[:held, :held]) @ score[:held], -2, 2)
        before = sets.log_likelihood(beta)
        while sets.log_likelihood(beta + step) < before - TOLERANCE:
            step /= 2
        beta = beta + step
    raise NotEstimableError(f"the Cox fit does not converge in {ITERATIONS} steps")
