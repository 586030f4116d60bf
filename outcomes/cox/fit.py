"""The fit of a Cox model: Newton's method on the partial likelihood."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, ndtr, ndtri

from outcomes.arrays import FloatArray, IntArray
from outcomes.cox.covariates import check_information
from outcomes.cox.data import CoxData, prepare_cox
from outcomes.cox.inputs import as_numbers
from outcomes.cox.partial_likelihood import (
    PartialLikelihood,
    partial_likelihood,
    sum_at_events,
)
from outcomes.cox.risk_sets import Ties
from outcomes.errors import NotEstimableError, OutcomesError

ITERATIONS = 60
# Twice what the last Newton step gains, per event: what the step moves the information by is about
# the root of it, 1e-8 of the whole.
CONVERGED = 1e-16
# With so little left to gain (per mean weight of an event), a step that is still this large a part
# of a covariate's range belongs to a likelihood that rises for ever.
NOTHING_LEFT = 1e-8
STILL_MOVING = 0.05
# No estimate makes hazards over a covariate's range differ by more than exp of this.
LARGEST = 250.0


@dataclass(frozen=True)
class ChiSquared:
    """A test that refers to the chi-squared distribution.

    Attributes
    ----------
    statistic, degrees_of_freedom, p
        The statistic and its p value.
    """

    statistic: float
    degrees_of_freedom: int
    p: float


def chi_squared(statistic: float, degrees_of_freedom: int) -> ChiSquared:
    """Return the test of a chi-squared statistic."""
    return ChiSquared(statistic, degrees_of_freedom, float(chdtrc(degrees_of_freedom, statistic)))


@dataclass(frozen=True, eq=False)
class CoxFit:
    """A fitted Cox model.

    Attributes
    ----------
    coefficients
        Log hazard ratios, shape (p,).
    covariance
        Their covariance: robust where that was asked for, else the inverse information, shape
        (p, p).
    naive_covariance
        The inverse information (of the penalised likelihood), shape (p, p).
    log_likelihood, null_log_likelihood
        Log partial likelihood at the coefficients, without the penalty, and at zero.
    score_statistic
        Of the score test that all coefficients are zero; NaN where the fit started elsewhere.
    iterations
        Newton steps.
    data
        What was fitted.
    likelihood
        The partial likelihood at the coefficients, in scaled covariates.
    penalty
        Ridge penalty of each coefficient, shape (p,).
    cluster
        Where the covariance is robust, the number of what each row of the data belongs to, shape
        (n,); else None.
    """

    coefficients: FloatArray
    covariance: FloatArray
    naive_covariance: FloatArray
    log_likelihood: float
    null_log_likelihood: float
    score_statistic: float
    iterations: int
    data: CoxData = field(repr=False)
    likelihood: PartialLikelihood = field(repr=False)
    penalty: FloatArray = field(repr=False)
    cluster: IntArray | None = field(default=None, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the covariates."""
        return self.data.names

    @property
    def standard_errors(self) -> FloatArray:
        """Standard errors of the coefficients."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def p_values(self) -> FloatArray:
        """Two-sided Wald tests of the coefficients."""
        return np.asarray(2 * ndtr(-np.abs(self.coefficients / self.standard_errors)))

    @property
    def wald_test(self) -> ChiSquared:
        """Wald test that all coefficients are zero."""
        if _is_singular(self.covariance / np.outer(self.standard_errors, self.standard_errors)):
            raise NotEstimableError("the covariance of too few clusters has no inverse")
        statistic = self.coefficients @ np.linalg.solve(self.covariance, self.coefficients)
        return chi_squared(float(statistic), len(self.names))

    @property
    def likelihood_ratio_test(self) -> ChiSquared:
        """Likelihood-ratio test that all coefficients are zero; for independent patients."""
        return chi_squared(2 * (self.log_likelihood - self.null_log_likelihood), len(self.names))

    @property
    def score_test(self) -> ChiSquared:
        """Score test that all coefficients are zero (the log-rank test, for a group)."""
        return chi_squared(self.score_statistic, len(self.names))

    def limits(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return the lower and upper Wald limits of the coefficients."""
        if not 0 < level < 1:
            raise OutcomesError(f"level: found {level!r}; allowed: between 0 and 1")
        reach = float(ndtri(0.5 + level / 2)) * self.standard_errors
        return self.coefficients - reach, self.coefficients + reach

    def linear_predictor(self, covariates: npt.ArrayLike) -> FloatArray:
        """Return the log hazard ratio against the mean patient, shape (n,)."""
        return np.asarray((self.data.read(covariates) - self.data.centre) @ self.coefficients)


def fit_cox(
    covariates: Any,
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    offset: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    robust: bool | None = None,
    ties: Ties = "efron",
    penalty: float | npt.ArrayLike = 0.0,
    names: Sequence[str] | None = None,
    initial: npt.ArrayLike | None = None,
) -> CoxFit:
    """Fit a Cox model.

    Parameters
    ----------
    covariates
        A table or array, shape (n, p).
    time, event
        Month of the last observation and whether the event happened then, shape (n,).
    entry
        Month at which a row came under observation (left truncation, or the start of an interval
        of a patient whose covariates change), shape (n,).
    weights
        Case weights, at least 0, shape (n,). Rows of weight 0 count as absent.
    strata
        Strata with baseline hazards of their own, shape (n,).
    offset
        Fixed part of the linear predictor, shape (n,).
    cluster
        Rows of one patient or centre; asks for robust standard errors, shape (n,).
    robust
        Whether the covariance is the sandwich of Lin and Wei (JASA 1989;84:1074-1078); by default
        where there are clusters.
    ties
        ``efron`` (Efron, JASA 1977;72:557-565) or ``breslow`` (Biometrics 1974;30:89-99).
    penalty
        Ridge: half of it times the squared coefficient is taken from the log-likelihood, for all
        coefficients or one each.
    names
        Names of the covariates, for messages; by default those of the table.
    initial
        Where to start, shape (p,); by default at zero.

    Raises
    ------
    OutcomesError
        If shapes differ or a value is not allowed; the message names column and row.
    NotEstimableError
        If there is no event, a covariate is constant or follows from others, or the likelihood
        has no maximum; the message names the covariate.
    """
    data = prepare_cox(
        covariates,
        time,
        event,
        entry=entry,
        weights=weights,
        strata=strata,
        offset=offset,
        ties=ties,
        names=names,
        constant=bool(np.any(np.asarray(penalty))),
    )
    fit = fit_prepared(data, penalty=penalty, initial=initial)
    if robust or (robust is None and cluster is not None):
        from outcomes.cox.residuals import with_robust_covariance

        return with_robust_covariance(fit, cluster)
    return fit


def fit_prepared(
    data: CoxData,
    *,
    weights: FloatArray | None = None,
    penalty: float | npt.ArrayLike = 0.0,
    initial: npt.ArrayLike | None = None,
) -> CoxFit:
    """Fit sorted patients; what bootstraps call, with `weights` and a nearby `initial`.

    Parameters
    ----------
    data
        From `prepare_cox`.
    weights
        Case weights in the order of the data's risk sets, shape (n,), instead of the data's own. An
        event of weight 0 still counts among its ties.
    penalty, initial
        As `fit_cox`.

    Raises
    ------
    NotEstimableError
        As `fit_cox`.
    """
    p = len(data.names)
    try:
        ridge = np.broadcast_to(np.asarray(penalty, dtype=np.float64), (p,))
    except (TypeError, ValueError):
        raise OutcomesError(
            f"penalty: found {penalty!r}; allowed: one number, or one for each of {p} covariates"
        ) from None
    if not (np.isfinite(ridge) & (ridge >= 0)).all():
        raise OutcomesError(f"penalty: found {penalty!r}; allowed: finite numbers of at least 0")
    scaled_ridge = ridge / data.spread**2
    case = data.weights if weights is None else weights
    beta = np.zeros(p) if initial is None else _read_initial(initial, data.names) * data.spread
    at_events = sum_at_events(data.sets, data.columns, case)

    def likelihood(beta: FloatArray) -> PartialLikelihood:
        return partial_likelihood(data.sets, data.columns, beta, case, data.offset, at_events)

    here = likelihood(beta)
    check_information(here.information + np.diag(scaled_ridge), here.step.sum(), data.names)
    null, score_statistic = np.nan, np.nan
    if initial is None:
        null = here.value
        score_statistic = _score_statistic(here)
    steps = 0
    while True:
        information = here.information + np.diag(scaled_ridge)
        gradient = here.score - scaled_ridge * beta
        step = _newton_step(information, gradient, data, beta)
        gain = float(gradient @ step)
        if gain < NOTHING_LEFT * here.step.mean():
            _refuse_divergence(step, data)
        if gain < CONVERGED * here.step.sum():
            break
        if steps == ITERATIONS:
            raise NotEstimableError(
                f"{_widest(beta, data)}: the fit does not settle in {ITERATIONS} steps; "
                "the hazard ratio may have no finite estimate"
            )
        beta, here = _climb(data, likelihood, scaled_ridge, beta, here, step)
        if (np.abs(beta) * data.reach).max(initial=0.0) > LARGEST:
            _refuse_divergence(beta, data)
        steps += 1
    covariance = np.linalg.inv(information) / np.outer(data.spread, data.spread)
    return CoxFit(
        coefficients=(beta + step) / data.spread,
        covariance=covariance,
        naive_covariance=covariance,
        log_likelihood=here.value,
        null_log_likelihood=null,
        score_statistic=score_statistic,
        iterations=steps,
        data=data if weights is None else _reweighted(data, weights),
        likelihood=here,
        penalty=np.asarray(ridge),
    )


def _read_initial(initial: npt.ArrayLike, names: tuple[str, ...]) -> FloatArray:
    start = as_numbers(initial, "initial")
    if start.shape != (len(names),) or not np.isfinite(start).all():
        raise OutcomesError(
            f"initial: found {initial!r}; allowed: a finite number for each of {', '.join(names)}"
        )
    return start


def _score_statistic(here: PartialLikelihood) -> float:
    """Return the score statistic, NaN where the information is singular (with a ridge)."""
    if _is_singular(here.information):
        return np.nan
    return float(here.score @ np.linalg.solve(here.information, here.score))


def _is_singular(matrix: FloatArray) -> bool:
    return bool(np.linalg.matrix_rank(matrix, hermitian=True) < len(matrix))


def _reweighted(data: CoxData, weights: FloatArray) -> CoxData:
    return CoxData(
        data.sets, data.columns, data.centre, data.spread, data.names, weights, data.offset
    )


def _newton_step(
    information: FloatArray, gradient: FloatArray, data: CoxData, beta: FloatArray
) -> FloatArray:
    try:
        return np.asarray(np.linalg.solve(information, gradient))
    except np.linalg.LinAlgError as error:
        raise NotEstimableError(
            f"{_widest(beta, data)}: the hazard ratio has no finite estimate"
        ) from error


def _climb(
    data: CoxData,
    likelihood: Callable[[FloatArray], PartialLikelihood],
    ridge: FloatArray,
    beta: FloatArray,
    here: PartialLikelihood,
    step: FloatArray,
) -> tuple[FloatArray, PartialLikelihood]:
    """Return the next coefficients and their likelihood, halving a step that goes too far."""
    before = here.value - 0.5 * float(ridge @ beta**2)
    for _ in range(40):
        there = beta + step
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found = likelihood(there)
        value = found.value - 0.5 * float(ridge @ there**2)
        # Rounding may take a little from the last steps.
        if np.isfinite(value) and value >= before - 1e-9 * abs(before):
            return there, found
        step = step / 2
    raise NotEstimableError(f"{_widest(beta, data)}: the likelihood cannot be improved nor settled")


def _refuse_divergence(step: FloatArray, data: CoxData) -> None:
    moving = np.abs(step) * data.reach
    if moving.max(initial=0.0) > STILL_MOVING:
        worst = [
            name for name, far in zip(data.names, moving, strict=True) if far > moving.max() / 2
        ]
        raise NotEstimableError(
            f"{', '.join(worst)}: the hazard ratio has no finite estimate, because its values "
            "separate those who had the event from the others at risk"
        )


def _widest(beta: FloatArray, data: CoxData) -> str:
    return data.names[int(np.argmax(np.abs(beta) * data.reach))]
