"""The proportional-hazards fit of one cause, and its baseline in each series."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.cox import (
    BaselineHazard,
    CoxFit,
    baseline_hazards,
    fit_firth,
    fit_prepared,
    prepare_cox,
    with_robust_covariance,
)
from outcomes.cox.baseline import BaselineKind
from outcomes.cox.risk_sets import Ties
from outcomes.errors import ModelError, NotEstimableError
from outcomes.models.series import SeriesSet

_REMEDY = "leave the covariate out, set separated='firth' or use a penalizer above 0"


@dataclass(frozen=True, eq=False)
class Baseline:
    """Baseline hazard of one series, for a patient with the mean covariates.

    Attributes
    ----------
    times
        Months at which someone had the event, increasing, shape (n_times,).
    increments
        Steps of the cumulative hazard.
    deaths
        Patients with the event at each of the times; weighted, or with Efron's baseline, how many
        would leave the step as uncertain as it is (its square over its variance).
    means
        Mean covariates of those at risk, weighted by relative hazard, minus the training mean,
        shape (n_times, n_terms).
    straight
        Whether the cumulative hazard rises in straight lines between the times, as it does once
        coarse (see `outcomes.models.coarsening`; `deaths` need not be whole then), instead of
        stepping at them.
    robust_variances, robust_covariances
        After a robust fit: steps of the variance of the cumulative hazard for known coefficients,
        and of its covariance with the coefficients, shapes (n_times,) and (n_times, n_terms). None
        otherwise.
    """

    times: FloatArray
    increments: FloatArray
    deaths: FloatArray
    means: FloatArray
    straight: bool = False
    robust_variances: FloatArray | None = None
    robust_covariances: FloatArray | None = None

    @property
    def variances(self) -> FloatArray:
        """Steps of the variance of the cumulative hazard for known coefficients, (n_times,)."""
        if self.robust_variances is not None:
            return self.robust_variances
        return self.increments**2 / self.deaths

    @property
    def covariances(self) -> FloatArray:
        """Steps of its covariance with the coefficients, shape (n_times, n_terms)."""
        if self.robust_covariances is not None:
            return self.robust_covariances
        return np.zeros_like(self.means)

    def cumulative(self, months: FloatArray, steps: FloatArray | None = None) -> FloatArray:
        """Return the running sum of the increments (or other steps) by each month."""
        steps = self.increments if steps is None else steps
        running = np.concatenate([np.zeros((1, *steps.shape[1:])), np.cumsum(steps, axis=0)])
        position = np.searchsorted(self.times, months, side="right")
        result = running[position]
        if self.straight and len(self.times):
            inside = np.minimum(position, len(self.times) - 1)
            before = np.concatenate([[0.0], self.times])[inside]
            share = np.clip((months - before) / (self.times[inside] - before), 0.0, 1.0)
            share = np.where(position < len(self.times), share, 0.0)
            result = result + steps[inside] * share.reshape(-1, *[1] * (steps.ndim - 1))
        return np.asarray(result)


@dataclass(frozen=True, eq=False)
class CauseFit:
    """The fitted hazard of one cause.

    Attributes
    ----------
    coefficients, covariance
        Log hazard ratios and their covariance, shapes (n_terms,) and (n_terms, n_terms).
    center
        Training mean of the design matrix, at which the baselines are given.
    baselines
        One per training series, in the order of the series.
    p_values
        Wald tests of the coefficients.
    log_likelihood
        Partial log-likelihood at the coefficients (Firth's with his penalty).
    note
        Why the estimates are Firth's; empty for maximum likelihood.
    changing
        Columns of the matrix that are 0 until a month which is the matrix's last column (see
        `outcomes.models.time_dependent`); None where all are known from the start.
    """

    coefficients: FloatArray
    covariance: FloatArray
    center: FloatArray
    baselines: tuple[Baseline, ...]
    p_values: FloatArray
    log_likelihood: float
    note: str = ""
    changing: BoolArray | None = None

    def linear_predictor(self, matrix: FloatArray) -> FloatArray:
        """Return the log relative hazard against the mean patient, after any change."""
        return np.asarray((matrix[:, : len(self.center)] - self.center) @ self.coefficients)

    def relative_hazard(self, matrix: FloatArray) -> FloatArray:
        """Return the hazard relative to the mean patient's, before or after a change: the larger.

        Shape (n,).
        """
        nothing = np.zeros(1)
        periods = self.periods(matrix, np.zeros_like, nothing)
        return np.asarray(np.max([np.exp(x @ self.coefficients) for x, _ in periods], axis=0))

    def periods(
        self, matrix: FloatArray, cumulate: Callable[[FloatArray], FloatArray], months: FloatArray
    ) -> list[tuple[FloatArray, FloatArray]]:
        """Return the covariates of each period, and what a sum over time gains in it.

        Parameters
        ----------
        matrix
            Design matrix, shape (n, n_terms), with a column of starts where a column changes.
        cumulate
            A running sum over time, such as the cumulative hazard: months to shape
            (n_months, ...).
        months
            Shape (n_months,).

        Returns
        -------
        list of (covariates less the centre, gains)
            Shapes (n, n_terms) and (n or 1, n_months, ...).
        """
        later = matrix[:, : len(self.center)] - self.center
        total = cumulate(months)[None]
        if self.changing is None:
            return [(later, total)]
        earlier = np.where(self.changing, -self.center, later)
        start = matrix[:, -1]
        before = months[None, :] <= start[:, None]
        before = before.reshape(*before.shape, *[1] * (total.ndim - 2))
        until = np.where(before, total, cumulate(start)[:, None])
        return [(earlier, until), (later, total - until)]

    def hazards(
        self,
        matrix: FloatArray,
        months: FloatArray,
        position: int,
        coefficients: FloatArray | None = None,
        increments: FloatArray | None = None,
    ) -> FloatArray:
        """Return cumulative hazards (n, n_months) in a series, at other estimates on request."""
        beta = self.coefficients if coefficients is None else coefficients
        baseline = self.baselines[position]
        periods = self.periods(matrix, lambda at: baseline.cumulative(at, increments), months)
        return np.asarray(sum(np.exp(x @ beta)[:, None] * gain for x, gain in periods))


def hazard_grid(fits: Sequence[CauseFit], position: int, months: FloatArray) -> FloatArray:
    """Return the months between which every cause's hazard is constant, the asked ones included."""
    grid = np.unique(np.concatenate([months, *(fit.baselines[position].times for fit in fits)]))
    return np.asarray(grid[grid <= months.max(initial=0.0)])


@dataclass(frozen=True)
class FitOptions:
    """How hazards are fitted.

    Attributes
    ----------
    ties
        ``efron`` or ``breslow``.
    baseline
        Baseline hazard: ``breslow`` or ``efron``.
    penalizer
        Ridge penalty per patient and unit of variance of a covariate, as lifelines takes it.
    robust
        Whether standard errors are robust (Lin and Wei).
    firth
        Whether a hazard ratio without a finite estimate is fitted after Firth.
    """

    ties: Ties = "efron"
    baseline: BaselineKind = "breslow"
    penalizer: float = 0.0
    robust: bool = False
    firth: bool = True


@dataclass(frozen=True, eq=False)
class Rows:
    """What a hazard is fitted to: a row per patient, or per interval of a patient.

    Attributes
    ----------
    matrix
        Design matrix, shape (n, n_terms).
    time, event
        Last month, and event code at it.
    groups
        Series of each row.
    entry, weights, cluster
        Month of entry, case weight, and what rows belong to; None where not in use.
    """

    matrix: FloatArray
    time: FloatArray
    event: IntArray
    groups: Any
    entry: FloatArray | None = None
    weights: FloatArray | None = None
    cluster: Any = None


def fit_cause(
    rows: Rows,
    code: int,
    names: tuple[str, ...],
    series: SeriesSet,
    cause: str,
    options: FitOptions,
) -> tuple[CauseFit, CoxFit | None]:
    """Fit the hazard of one cause, after Firth where that has no finite solution.

    Returns
    -------
    CauseFit, CoxFit
        The second is what the first was made from; None after Firth.

    Raises
    ------
    ModelError
        If the likelihood has no maximum and `options.firth` is false, naming the column.
    """
    observed = rows.event == code
    note = ""
    try:
        data = prepare_cox(
            rows.matrix,
            rows.time,
            observed,
            entry=rows.entry,
            weights=rows.weights,
            strata=rows.groups if len(series.names) > 1 else None,
            ties=options.ties,
            names=names,
        )
        try:
            ridge = options.penalizer * len(rows.time) * rows.matrix.std(axis=0, ddof=1) ** 2
            fit = fit_prepared(data, penalty=ridge)
        except NotEstimableError as error:
            note = _separation(rows.matrix, names, observed, rows.groups, cause)
            note = note or f"{cause}: {error}"
            if not options.firth or options.penalizer > 0:
                raise ModelError(f"{note}; {_REMEDY}") from error
            try:
                fit = fit_firth(data)
            except NotEstimableError as failure:
                raise ModelError(f"{note}; {failure}") from failure
            note = f"{note}; all of its hazard ratios are Firth's estimates"
    except NotEstimableError as error:
        raise ModelError(f"{cause}: {error}") from error
    if (options.robust or rows.cluster is not None) and note:
        # Where nobody had the event the residuals vanish, and robust errors with them.
        note = f"{note}, with standard errors of the model instead of robust ones"
    elif options.robust or rows.cluster is not None:
        try:
            fit = with_robust_covariance(fit, rows.cluster)
        except NotEstimableError as error:
            raise ModelError(f"{cause}: {error}") from error
    baselines = {str(b.stratum): b for b in baseline_hazards(fit, options.baseline)}
    ordered = baselines.values() if len(series.names) == 1 else map(baselines.get, series.names)
    found = CauseFit(
        fit.coefficients,
        fit.covariance,
        fit.data.centre,
        tuple(_from_engine(baseline) for baseline in ordered if baseline is not None),
        fit.p_values,
        fit.log_likelihood,
        note,
    )
    return found, None if note else fit


def _from_engine(baseline: BaselineHazard) -> Baseline:
    variances = np.where(baseline.variances > 0, baseline.variances, 1.0)
    return Baseline(
        times=baseline.times,
        increments=baseline.increments,
        deaths=baseline.increments**2 / variances,
        means=baseline.means,
        robust_variances=baseline.robust_variances,
        robust_covariances=baseline.robust_covariances,
    )


def _separation(
    matrix: FloatArray, names: tuple[str, ...], observed: BoolArray, groups: Any, cause: str
) -> str:
    """Name a column of two values one of which never had the event where both occur."""
    for position, name in enumerate(names):
        values = matrix[:, position]
        levels = np.unique(values)
        if len(levels) != 2:
            continue
        high = values == levels[1]
        mixed = [g for g in set(groups) if 0 < high[groups == g].mean() < 1]
        inside = np.isin(groups.astype(str), [str(g) for g in mixed])
        for which, here in zip(levels, (inside & ~high, inside & high), strict=True):
            if not (here & observed).any():
                return (
                    f"{name}: none of the {int(here.sum())} patients where it is {which:g} and "
                    f"can be compared had the event {cause!r}, so it has no finite hazard ratio"
                )
    return ""
