"""Fine-Gray regression: proportional hazards of a subdistribution.

The subdistribution hazard of a cause is the hazard of the time to that cause, counted as never
where a competing event comes first. Patients with a competing event therefore stay at risk, with
the probability w(t) = G(t-) / G(X-) that they would not have been censored meanwhile; G is the
Kaplan-Meier curve of the censoring. Everything is two linear sweeps over sorted times, since at
an event time

    risk set = patients still at risk + G(t-) * (earlier competing events) / G(X-):

one sweep sums patients over risk sets, the other sums risk sets over patients (Kawaguchi et al.,
R Journal 2021; 12(2): 43-60). The work is n log n once and n p^2 per iteration.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from outcomes.arrays import FloatArray
from outcomes.cox.clusters import sum_by_cluster
from outcomes.cox.subdistribution_checks import (
    check_design,
    check_information,
    check_settled,
    check_spread,
    read_subjects,
)
from outcomes.cox.subdistribution_fit import (
    FineGrayFit,
    SubdistributionBaseline,
    quadratic_form,
)
from outcomes.cox.subdistribution_influence import (
    BaselineInfluence,
    baseline_influence,
    score_influence,
)
from outcomes.cox.subdistribution_sweeps import RiskSets, make_risk_sets
from outcomes.errors import NotEstimableError

__all__ = [
    "FineGrayFit",
    "PseudoLikelihood",
    "SubdistributionBaseline",
    "evaluate",
    "fit_fine_gray",
]

MAX_ITERATIONS = 50
_SMALLEST_STEP = 1e-9


def fit_fine_gray(
    covariates: Any,
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    cause: int = 1,
    names: Sequence[str] | None = None,
    censoring_groups: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
) -> FineGrayFit:
    """Fit proportional subdistribution hazards.

    Parameters
    ----------
    covariates
        A table or array, shape (n, p); p may be 0.
    time, event
        Months, and what happened then (0 censored, else the cause), shape (n,).
    cause
        Event code of interest; every other code but 0 competes. If none does, this is Cox
        regression with Breslow's ties and Lin and Wei's robust covariance.
    names
        Names of the columns for messages; by default those of the table.
    censoring_groups
        Groups with a censoring curve each (`cengroup` of crr), shape (n,). A patient with a
        competing event leaves the risk set where the follow-up of the group ends.
    strata
        Groups with a baseline each and common coefficients, shape (n,). The censoring curves
        are those of `censoring_groups`, so give both where follow-up differs by stratum.
    weights
        Weight of each patient, at least 0, shape (n,); 0 leaves the patient, and a stratum of
        such patients, out. They are sampling weights: the covariance is the robust one, and the
        censoring curves are weighted, too.
    cluster
        What patients belong to, such as a hospital, shape (n,): covariance and intervals then sum
        the patients' influence within it. By default patients are independent.

    Raises
    ------
    OutcomesError
        If the sequences do not fit or hold a value that is not allowed; the message names the
        row.
    NotEstimableError
        If nobody had the event, or a column is constant, a combination of others, or has no
        finite hazard ratio; the message names it.

    Notes
    -----
    The covariance is that of cmprsk's `crr`, but for `censoring_groups`: a patient censored in a
    group changes the weights of the group's competing events in every later risk set, and all of
    that is counted here. `crr` with `cengroup` counts it only at the event times of the group's
    own patients, so its standard errors then differ; the coefficients are the same.

    References
    ----------
    Fine & Gray, JASA 1999; 94: 496-509. Zhou, Latouche, Rocha & Fine, Biometrics 2011; 67:
    661-670 (strata).
    """
    subjects = read_subjects(
        covariates, time, event, cause, names, weights, strata, censoring_groups, cluster
    )
    columns, matrix = subjects.columns, subjects.matrix
    sets = make_risk_sets(
        subjects.time, subjects.codes, cause, subjects.weight, subjects.stratum, subjects.group
    )
    matrix, center = matrix[sets.order], np.average(matrix, axis=0, weights=subjects.weight)
    # Standardised, so that one size of step fits all columns.
    scale = check_design(matrix, columns, sets)
    x = np.ascontiguousarray(((matrix - center) / scale).T)
    beta, state, null, iterations = _newton(sets, x, columns)
    check_settled(state.information, beta, columns)

    influence = score_influence(sets, x, state.relative, state.steps, state.means)
    bread = np.asarray(np.linalg.inv(state.information))
    cluster_of = None if subjects.cluster is None else subjects.cluster[sets.order]
    moves = sum_by_cluster(bread @ influence * sets.weight, cluster_of)
    covariance = moves @ moves.T
    check_spread(covariance, bread, columns)
    start = score_influence(sets, x, null.relative, null.steps, null.means) * sets.weight
    start = sum_by_cluster(start, cluster_of)
    score_statistic = quadratic_form(start @ start.T, null.score)
    spread = baseline_influence(sets, state.relative, state.steps, state.total, moves, cluster_of)
    own = np.flatnonzero(sets.own)
    return FineGrayFit(
        names=columns,
        coefficients=beta / scale,
        covariance=covariance / np.outer(scale, scale),
        information=state.information * np.outer(scale, scale),
        center=center,
        baselines=_baselines(sets, state, spread, scale),
        strata=subjects.strata,
        log_likelihood=state.value,
        log_likelihood_null=null.value,
        score_statistic=score_statistic,
        n=len(subjects.time),
        n_events=len(own),
        n_competing=int(sets.competing.sum()),
        iterations=iterations,
        residual_times=sets.time[own],
        residuals=np.asarray((x[:, own] - state.means[:, sets.event_of[own]]).T * scale),
    )


@dataclass(frozen=True, eq=False)
class PseudoLikelihood:
    """The log pseudo-likelihood at some coefficients.

    Attributes
    ----------
    value, score, information
        The log pseudo-likelihood, its gradient, and minus its second derivative.
    relative
        Relative hazards of the patients, shape (n,).
    total, steps, means
        Weight of each risk set, Breslow's step of the hazard, and mean covariates there,
        shapes (n_events,), (n_events,) and (p, n_events).
    """

    value: float
    relative: FloatArray
    total: FloatArray
    steps: FloatArray
    means: FloatArray
    score: FloatArray
    information: FloatArray


def evaluate(sets: RiskSets, x: FloatArray, beta: FloatArray) -> PseudoLikelihood:
    """Return the log pseudo-likelihood at coefficients, for covariates of shape (p, n)."""
    predictor = beta @ x
    # The shift keeps exp within range; it leaves the likelihood as it is.
    shift = float(predictor.max(initial=0.0))
    scaled = np.exp(predictor - shift)
    weighted = scaled * sets.weight
    total = sets.over_risk_sets(weighted[None])[0]
    means = sets.over_risk_sets(weighted * x) / total
    steps = sets.deaths / total
    exposure = weighted * sets.over_patients(steps[None])[0]
    own = sets.own
    value = float(sets.weight[own] @ predictor[own] - sets.deaths @ (np.log(total) + shift))
    between = means * np.sqrt(sets.deaths)
    factor = np.exp(shift)
    return PseudoLikelihood(
        value=value,
        relative=np.exp(predictor),
        total=total * factor,
        steps=steps / factor,
        means=means,
        score=np.asarray(x[:, own] @ sets.weight[own] - x @ exposure),
        information=np.asarray((x * exposure) @ x.T - between @ between.T),
    )


def _newton(
    sets: RiskSets, x: FloatArray, columns: tuple[str, ...]
) -> tuple[FloatArray, PseudoLikelihood, PseudoLikelihood, int]:
    """Return the maximum, the state there and at 0, and the number of steps."""
    beta = np.zeros(len(x))
    null = state = evaluate(sets, x, beta)
    if not len(x):
        return beta, state, null, 0
    check_information(state.information, columns)
    for iteration in range(1, MAX_ITERATIONS + 1):
        try:
            step = np.linalg.solve(state.information, state.score)
        except np.linalg.LinAlgError:
            break
        if not np.isfinite(step).all():
            break
        after = _try(sets, x, beta + step)
        halvings = 0
        # Rounding of the sum of n terms is no fall.
        slack = 1e-11 * max(1.0, abs(state.value))
        while not after.value >= state.value - slack and halvings < 20:
            step, halvings = step / 2, halvings + 1
            after = _try(sets, x, beta + step)
        beta, state = beta + step, after
        if np.abs(step).max() < _SMALLEST_STEP:
            return beta, state, null, iteration
    widest = columns[int(np.argmax(np.abs(beta)))]
    raise NotEstimableError(
        f"{widest}: its hazard ratio grows without end, so it has no finite estimate; leave the "
        "column out"
    )


def _try(sets: RiskSets, x: FloatArray, beta: FloatArray) -> PseudoLikelihood:
    """Return the state at coefficients that may be too far out, where the value is NaN."""
    with np.errstate(all="ignore"):
        return evaluate(sets, x, beta)


def _baselines(
    sets: RiskSets, state: PseudoLikelihood, spread: BaselineInfluence, scale: FloatArray
) -> tuple[SubdistributionBaseline, ...]:
    moments = state.means * state.steps
    return tuple(
        SubdistributionBaseline(
            times=sets.event_times[part],
            events=sets.deaths[part],
            hazard=np.cumsum(state.steps[part]),
            moments=np.cumsum(moments[:, part], axis=1).T * scale,
            variance=spread.variance[part],
            covariance=spread.covariance[:, part].T / scale,
        )
        for part in sets.events_by_stratum
    )
