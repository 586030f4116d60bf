"""The test that subdistribution hazard ratios are constant over time."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from outcomes.arrays import FloatArray
from outcomes.cox.clusters import sum_by_cluster
from outcomes.cox.subdistribution import FineGrayFit, evaluate
from outcomes.cox.subdistribution_checks import read_subjects
from outcomes.cox.subdistribution_fit import quadratic_form
from outcomes.cox.subdistribution_influence import score_influence
from outcomes.cox.subdistribution_sweeps import make_risk_sets
from outcomes.errors import OutcomesError

TimeTransform = Literal["events", "identity", "log"]


@dataclass(frozen=True, eq=False)
class ProportionalityTest:
    """A test of each column, and of all together.

    Attributes
    ----------
    names
        Columns of the fit.
    statistics, p_values
        Chi-squared with one degree of freedom, and p, by column, shape (p,).
    global_statistic, global_p
        Chi-squared of all columns with p degrees of freedom, and p; NaN with too few clusters.
    """

    names: tuple[str, ...]
    statistics: FloatArray
    p_values: FloatArray
    global_statistic: float
    global_p: float


def fine_gray_proportionality_test(
    fit: FineGrayFit,
    covariates: Any,
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    cause: int = 1,
    censoring_groups: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    transform: TimeTransform = "events",
) -> ProportionalityTest:
    """Test whether a coefficient changes in proportion to g(t).

    The sum of Schoenfeld residuals times g is compared with its variance, which has the
    influence of the coefficients and of the censoring weights in it: the score test of Zhou, Fine
    and Laird (Stat Med 2013; 32: 3804-3811).

    Parameters
    ----------
    fit
        Result of `fit_fine_gray`.
    covariates, time, event, cause, censoring_groups, strata, weights, cluster
        What it was fitted to.
    transform
        g: ``"events"`` is the share of the events until t, ``"identity"`` is t, ``"log"`` its
        logarithm.

    Raises
    ------
    OutcomesError
        If the sequences do not fit or the transform is unknown.
    """
    subjects = read_subjects(
        covariates, time, event, cause, fit.names, weights, strata, censoring_groups, cluster
    )
    matrix = subjects.matrix
    sets = make_risk_sets(
        subjects.time, subjects.codes, cause, subjects.weight, subjects.stratum, subjects.group
    )
    scale = matrix.std(axis=0)
    x = np.ascontiguousarray(((matrix[sets.order] - fit.center) / scale).T)
    state = evaluate(sets, x, fit.coefficients * scale)
    change = _transform(sets.event_times, sets.deaths, transform)

    own = np.flatnonzero(sets.own)
    at = sets.event_of[own]
    score = (x[:, own] - state.means[:, at]) @ (sets.weight[own] * change[at])
    exposure = state.relative * sets.weight * sets.over_patients((change * state.steps)[None])[0]
    cross = (x * exposure) @ x.T - (state.means * (sets.deaths * change)) @ state.means.T
    parts = (sets, x, state.relative, state.steps, state.means)
    influence = score_influence(*parts, change) - cross @ np.linalg.solve(
        state.information, score_influence(*parts)
    )
    cluster_of = None if subjects.cluster is None else subjects.cluster[sets.order]
    influence = sum_by_cluster(influence * sets.weight, cluster_of)
    variance = influence @ influence.T
    statistics = score**2 / np.diag(variance)
    everything = quadratic_form(variance, score)
    return ProportionalityTest(
        names=fit.names,
        statistics=statistics,
        p_values=np.asarray(chdtrc(1, statistics)),
        global_statistic=everything,
        global_p=float(chdtrc(len(score), everything)),
    )


def _transform(times: FloatArray, deaths: FloatArray, transform: TimeTransform) -> FloatArray:
    """Return g at the event times, less its mean over the events."""
    if transform == "events":
        order = np.argsort(times, kind="stable")
        until = np.concatenate([[0.0], np.cumsum(deaths[order])])
        # Ties between strata share one value.
        change = until[np.searchsorted(times[order], times, side="left")] / deaths.sum()
    elif transform == "identity":
        change = times
    elif transform == "log":
        if not (times > 0).all():
            raise OutcomesError("transform 'log': found an event at month 0; allowed: later ones")
        change = np.log(times)
    else:
        raise OutcomesError(f"transform: found {transform!r}; allowed: 'events', 'identity', 'log'")
    return np.asarray(change - np.average(change, weights=deaths))
