"""Baseline hazards of a Cox model, and predicted curves with all of their uncertainty."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from outcomes.arrays import FloatArray
from outcomes.cox.baseline_spread import robust_spread
from outcomes.cox.fit import CoxFit
from outcomes.cox.inputs import as_numbers
from outcomes.errors import OutcomesError

BaselineKind = Literal["breslow", "efron"]


@dataclass(frozen=True, eq=False)
class BaselineHazard:
    """Baseline of one stratum, for a patient with the mean covariates.

    Attributes
    ----------
    stratum
        Its value.
    times
        Months with an event, increasing, shape (n_times,).
    increments
        Steps of the cumulative hazard, shape (n_times,).
    variances
        Variances of the steps for known coefficients, shape (n_times,).
    means
        Mean covariates of those at risk less the overall mean, weighted by relative hazard,
        shape (n_times, p).
    robust_variances, robust_covariances
        After a robust fit: steps of the variance of the cumulative hazard for known coefficients,
        and of its covariance with the coefficients, shapes (n_times,) and (n_times, p); they may
        be negative. None otherwise.
    """

    stratum: object
    times: FloatArray
    increments: FloatArray
    variances: FloatArray
    means: FloatArray
    robust_variances: FloatArray | None = None
    robust_covariances: FloatArray | None = None

    def cumulative(self, months: npt.ArrayLike) -> FloatArray:
        """Return the cumulative hazard at each month."""
        return _running(self.increments, self.times, np.asarray(months, dtype=np.float64))


@dataclass(frozen=True, eq=False)
class PredictedHazard:
    """Cumulative hazards of patients.

    Attributes
    ----------
    cumulative
        Cumulative hazard, shape (n, n_months).
    standard_error
        Its standard error, from coefficients and baseline, shape (n, n_months).
    """

    cumulative: FloatArray
    standard_error: FloatArray

    @property
    def survival(self) -> FloatArray:
        """Return the probability of no event, exp(-cumulative hazard)."""
        return np.asarray(np.exp(-self.cumulative))


def baseline_hazards(fit: CoxFit, kind: BaselineKind | None = None) -> tuple[BaselineHazard, ...]:
    """Return the baseline of each stratum.

    Parameters
    ----------
    fit
        A fit.
    kind
        ``breslow`` or ``efron``; by default that of the fit's ties, as R's `survfit.coxph` has it.
        They differ at tied deaths only.

    Returns
    -------
    tuple of BaselineHazard
        In the order of `fit.data.sets.stratum_names`.
    """
    if kind is not None and (not isinstance(kind, str) or kind not in ("breslow", "efron")):
        raise OutcomesError(f"kind: found {kind!r}; allowed: 'breslow', 'efron'")
    sets, here, data = fit.data.sets, fit.likelihood, fit.data
    breslow = kind == "breslow" and sets.share is not None
    if breslow:
        # Everyone at risk, without Efron's share of the deaths.
        total = sets.prefix_sums(here.relative)
        deaths = sets.per_group(here.step)
        increments, variances = deaths / total, deaths / total**2
        moments = sets.prefix_sums(data.columns * here.relative) / total * increments
    else:
        steps = here.step / here.total
        increments = sets.per_group(steps)
        variances = sets.per_group(steps / here.total)
        moments = sets.per_group(here.means * steps)
    robust = None if fit.cluster is None else robust_spread(fit, variances, breslow)
    scale = np.exp(-here.largest[sets.stratum])
    positive = np.where(increments > 0, increments, 1.0)
    means = (moments / positive * data.spread[:, None]).T
    found = []
    for position, name in enumerate(sets.stratum_names):
        # Groups descend in time.
        groups = np.flatnonzero(sets.stratum == position)[::-1]
        found.append(
            BaselineHazard(
                stratum=name,
                times=sets.months[groups],
                increments=(increments * scale)[groups],
                variances=(variances * scale**2)[groups],
                means=means[groups],
                robust_variances=None if robust is None else robust[0][groups],
                robust_covariances=None if robust is None else robust[1][:, groups].T,
            )
        )
    return tuple(found)


def predict_hazard(
    fit: CoxFit, baseline: BaselineHazard, covariates: Any, months: npt.ArrayLike
) -> PredictedHazard:
    """Return patients' cumulative hazards with standard errors.

    The variance is Tsiatis's (Ann Stat 1981;9:93-108; Link, Biometrics 1984;40:601-610), as R's
    `survfit.coxph` has it: that of the baseline's steps, and that of the coefficients. After a
    robust fit it is the sum of squares of the clusters' influence on the hazard, through
    coefficients and baseline alike (the infinitesimal jackknife); `survfit` then still takes the
    baseline's of independent rows.

    Parameters
    ----------
    fit, baseline
        A fit and one of its baselines.
    covariates
        Shape (n, p).
    months
        Shape (n_months,).
    """
    when = as_numbers(months, "months")
    if when.ndim != 1 or not np.isfinite(when).all():
        raise OutcomesError(f"months: found {months!r}; allowed: a list of finite months")
    centred = fit.data.read(covariates) - fit.data.centre
    relative = np.exp(centred @ fit.coefficients)[:, None]
    hazard = baseline.cumulative(when)
    robust = baseline.robust_variances
    variance = _running(baseline.variances if robust is None else robust, baseline.times, when)
    moments = _running(baseline.means * baseline.increments[:, None], baseline.times, when)
    # The quadratic form of (x - mean) H(t) - moments(t), by its parts.
    own = np.einsum("np,pq,nq->n", centred, fit.covariance, centred)[:, None]
    cross = centred @ fit.covariance @ moments.T
    rest = np.einsum("tp,pq,tq->t", moments, fit.covariance, moments)
    form = own * hazard**2 - 2 * cross * hazard + rest
    if baseline.robust_covariances is not None:
        shared = _running(baseline.robust_covariances, baseline.times, when)
        form += 2 * (centred @ shared.T * hazard - np.einsum("tp,tp->t", moments, shared))
    total = np.maximum(variance + form, 0.0)
    return PredictedHazard(relative * hazard, relative * np.sqrt(total))


def _running(steps: FloatArray, times: FloatArray, months: FloatArray) -> FloatArray:
    """Return the sum of the steps up to each month."""
    sums = np.concatenate([np.zeros((1, *steps.shape[1:])), np.cumsum(steps, axis=0)])
    return np.asarray(sums[np.searchsorted(times, months, side="right")])
