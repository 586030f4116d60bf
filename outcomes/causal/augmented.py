"""Augmented inverse probability weighting: right if either model is.

The estimator of Ozenne et al. (Biometrical Journal 2020;62:751; AIPTW, AIPCW of R's
`riskRegression::ate`): the outcome model's prediction for every patient, plus what the patients of
an arm had more or less than predicted, weighted by the propensity score and for censoring.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.causal.functionals import Functionals
from outcomes.causal.marginal import Marginal
from outcomes.causal.outcome_model import OutcomeModel, Predicted, predict, series_hazards
from outcomes.causal.propensity import Propensity
from outcomes.causal.subjects import Subjects

# Nobody is taken to be surer of an event than this.
LEAST_FREE = 1e-12


def augmented(model: OutcomeModel, propensity: Propensity, functionals: Functionals) -> Marginal:
    """Return the doubly robust mean risks if all patients were treated, and if none were.

    Censoring is taken as independent of the covariates within arm and series. The covariance is
    that of the estimator's influence function, in which the models' own uncertainty cancels where
    both hold.

    Parameters
    ----------
    model
        Outcome models.
    propensity
        Propensity scores of the same patients.
    functionals
        What is asked.
    """
    subjects = model.subjects
    pseudo = np.zeros((subjects.n, 2, functionals.size))
    for series in range(subjects.n_series):
        hazards = series_hazards(model, series, functionals)
        members = np.flatnonzero(subjects.stratum == series)
        for arm, is_treated in enumerate((True, False)):
            acting = np.full(hazards.months.size, is_treated)
            predicted = predict(model, hazards, subjects.columns[members], acting)
            pseudo[members, arm] = predicted.values(functionals)
            own = subjects.treated[members] == is_treated
            rows = members[own]
            if not rows.size:
                continue
            chance = propensity.probability[rows]
            weights = 1 / (chance if is_treated else 1 - chance)
            seen = _observed(subjects, rows, predicted, own, functionals)
            pseudo[rows, arm] += weights[:, None] * (seen - pseudo[rows, arm])
    total = subjects.weights.sum()
    values = np.einsum("n,nak->ak", subjects.weights, pseudo) / total
    moves = subjects.weights[:, None, None] * (pseudo - values) / total
    return Marginal.of_influence(functionals, values, moves, subjects.cluster)


def _observed(
    subjects: Subjects,
    rows: IntArray,
    predicted: Predicted,
    own: BoolArray,
    functionals: Functionals,
) -> FloatArray:
    """Return what patients of one arm showed, made good for censoring, shape (n, k).

    The patients are rows of the subjects and, where `own`, of what was predicted.

    An event counts for all who were censored before it; what those were still to expect is added
    at their censoring, and taken from everyone in step with the hazard of censoring.
    """
    time, codes = subjects.time[rows], subjects.codes[rows]
    censoring = _Censoring.of(subjects, rows)
    seen = np.where(codes == 1, functionals.at(time) / censoring.before(time), 0.0).T
    months = predicted.hazards.months
    # Intervals between steps: the first begins at 0, each later one at a step.
    free = np.column_stack([np.ones(rows.size), predicted.free[own]])
    likely = np.maximum(free, LEAST_FREE)
    last = np.searchsorted(months, time, side="right")
    interval = np.arange(months.size + 1)
    # In a month of both, events come before the censoring.
    spent = censoring.spent(np.append(0.0, months), side="left")
    taken = np.where(interval < last[:, None], np.append(np.diff(spent), 0.0), 0.0)
    patients = np.arange(rows.size)
    until = np.where(codes == 0, censoring.spent(time), censoring.spent(time, side="left"))
    taken[patients, last] = until - spent[last]
    # A step weighs what was taken in the intervals before it and, after a censoring, what is added.
    weight = -np.cumsum(taken / likely, axis=1)[:, :-1]
    ended = (codes == 0) / (censoring.before(time) * likely[patients, last])
    weight += np.where(interval[:-1] >= last[:, None], ended[:, None], 0.0)
    return np.asarray(seen + (predicted.steps[own] * weight) @ functionals.at(months).T)


@dataclass(frozen=True, eq=False)
class _Censoring:
    """The distribution of follow-up of one arm and series.

    Attributes
    ----------
    months
        Months with a censoring, shape (n_months,).
    steps
        Steps of its cumulative hazard there.
    followed
        Probability of being followed up to just before each of them.
    """

    months: FloatArray
    steps: FloatArray
    followed: FloatArray

    @classmethod
    def of(cls, subjects: Subjects, rows: IntArray) -> "_Censoring":
        time, weights = subjects.time[rows], subjects.weights[rows]
        ended = subjects.codes[rows] == 0
        months, group = np.unique(time[ended], return_inverse=True)
        lost = np.bincount(group, weights=weights[ended], minlength=months.size)
        order = np.argsort(time)
        ahead = np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)
        happened = np.zeros(months.size)
        tied = np.isin(time, months) & ~ended
        np.add.at(happened, np.searchsorted(months, time[tied]), weights[tied])
        steps = lost / (ahead[np.searchsorted(time[order], months)] - happened)
        return cls(months, steps, np.exp(steps - np.cumsum(steps)))

    def spent(self, months: FloatArray, side: Literal["left", "right"] = "right") -> FloatArray:
        """Return the sum of the steps over the probability of being followed, up to each month.

        That month's own step counts, or with `side="left"` does not.
        """
        running = np.append(0.0, np.cumsum(self.steps / self.followed))
        return np.asarray(running[np.searchsorted(self.months, months, side=side)])

    def before(self, months: FloatArray) -> FloatArray:
        """Return the probability of being followed up to just before each month."""
        followed = np.exp(-np.append(0.0, np.cumsum(self.steps)))
        return np.asarray(followed[np.searchsorted(self.months, months)])
