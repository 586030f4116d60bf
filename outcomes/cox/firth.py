"""Firth's penalised Cox regression, for effects that have no maximum likelihood estimate.

Where none (or all) of the patients with a covariate's value have the event, the likelihood grows
without end as its hazard ratio goes to 0 (or infinity). Adding half the log determinant of the
information to the log-likelihood makes every estimate finite and less biased: Firth, Biometrika
1993;80:27-38; for Cox regression Heinze and Schemper, Biometrics 2001;57:114-119. Intervals and
tests from it are Wald's, which are rough for a separated covariate.
"""

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.cox.covariates import check_information
from outcomes.cox.data import CoxData
from outcomes.cox.fit import LARGEST, CoxFit
from outcomes.cox.partial_likelihood import PartialLikelihood, partial_likelihood
from outcomes.cox.risk_sets import RiskSets
from outcomes.errors import NotEstimableError

ITERATIONS = 200
SMALLEST_STEP = 1e-9


def fit_firth(data: CoxData) -> CoxFit:
    """Fit sorted patients after Firth.

    Parameters
    ----------
    data
        From `prepare_cox`.

    Returns
    -------
    CoxFit
        Its log-likelihoods hold the penalty; there is no score test.

    Raises
    ------
    NotEstimableError
        If a covariate follows from others, or the iterations do not settle.
    """
    beta = np.zeros(len(data.names))
    here = _likelihood(data, beta)
    check_information(here.information, here.step.sum(), data.names)
    null = penalised_value(here)
    steps = 0
    while True:
        if steps == ITERATIONS or (np.abs(beta) * data.reach).max(initial=0.0) > LARGEST:
            raise NotEstimableError("the penalised fit does not settle; use fewer covariates")
        gradient = here.score + firth_score(data.sets, data.columns, here)
        step: FloatArray = np.asarray(np.linalg.solve(here.information, gradient), np.float64)
        step *= min(1.0, 1.0 / max(float(np.abs(step).max(initial=0.0)), 1e-300))
        # The information leaves out the penalty's curvature, so a step may go past the maximum;
        # the slope along it then turns.
        slope = float(gradient @ step)
        there = _likelihood(data, beta + step)
        while slope > 1e-12 and _slope(data, there, step) < -0.2 * slope:
            step, slope = step / 2, slope / 2
            there = _likelihood(data, beta + step)
        beta, here, steps = beta + step, there, steps + 1
        if np.abs(step).max(initial=0.0) < SMALLEST_STEP:
            break
    covariance = np.linalg.inv(here.information) / np.outer(data.spread, data.spread)
    # The determinant of the information changes with the scale of the covariates.
    scale = float(np.log(data.spread).sum())
    return CoxFit(
        coefficients=beta / data.spread,
        covariance=covariance,
        naive_covariance=covariance,
        log_likelihood=penalised_value(here) + scale,
        null_log_likelihood=null + scale,
        score_statistic=np.nan,
        iterations=steps,
        data=data,
        likelihood=here,
        penalty=np.zeros(len(beta)),
    )


def penalised_value(here: PartialLikelihood) -> float:
    """Return the log partial likelihood plus half the log determinant of the information."""
    sign, log_determinant = np.linalg.slogdet(here.information)
    return here.value + 0.5 * float(log_determinant) if sign > 0 else -np.inf


def firth_score(sets: RiskSets, columns: FloatArray, here: PartialLikelihood) -> FloatArray:
    """Return the gradient of half the log determinant of the information, shape (p,).

    For each event it is half the covariance, over its risk set, of x with the squared distance
    of x from the mean in the metric of the inverse information; summed in linear time.
    """
    inverse = np.linalg.inv(here.information)
    square = np.einsum("pn,pq,qn->n", columns, inverse, columns)
    mean_square = _risk_set_means(sets, square[None], here)[0]
    mean_product = _risk_set_means(sets, columns * square, here)
    turned = inverse @ here.means
    # The sum over events of (mean of x x') turned, patient by patient.
    share = here.step / here.total
    exposure = sets.while_at_risk(sets.per_group(turned * share))
    if sets.share is not None:
        exposure[:, sets.deaths] -= sets.per_event(sets.per_group(turned * share * sets.share))
    second = columns @ (here.relative * np.einsum("pn,pn->n", columns, exposure))
    length = np.einsum("pm,pm->m", here.means, turned)
    first = (mean_product - here.means * mean_square + 2 * here.means * length) @ here.step
    return np.asarray(0.5 * (first - 2 * second))


def _risk_set_means(sets: RiskSets, values: FloatArray, here: PartialLikelihood) -> FloatArray:
    """Return the mean of values (k, n) over the risk set of each event, shape (k, n_events)."""
    sums = sets.per_event(sets.weighted_sums(values, here.relative))
    if sets.share is not None:
        dying = values.take(sets.deaths, axis=1) * here.relative.take(sets.deaths)
        sums = sums - sets.share * sets.per_event(sets.per_group(dying))
    return np.asarray(sums / here.total)


def _likelihood(data: CoxData, beta: FloatArray) -> PartialLikelihood:
    return partial_likelihood(data.sets, data.columns, beta, data.weights, data.offset)


def _slope(data: CoxData, here: PartialLikelihood, step: FloatArray) -> float:
    return float((here.score + firth_score(data.sets, data.columns, here)) @ step)
