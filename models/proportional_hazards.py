"""The proportional-hazards fit of one cause, and its baseline in each series."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from outcomes.arrays import BoolArray, FloatArray
from outcomes.errors import ModelError
from outcomes.models.firth import fit_firth
from outcomes.models.series import SeriesSet

_REMEDY = "leave the covariate out, set separated='firth' or use a penalizer above 0"


@dataclass(frozen=True, eq=False)
class Baseline:
    """Breslow baseline hazard of one series, for a patient with the mean covariates.

    Attributes
    ----------
    times
        Months at which someone had the event, increasing, shape (n_times,).
    increments
        Steps of the cumulative hazard.
    deaths
        Patients with the event at each of the times.
    means
        Mean covariates of those at risk, weighted by relative hazard, minus the training mean,
        shape (n_times, n_terms).
    straight
        Whether the cumulative hazard rises in straight lines between the times, as it does once
        coarse (see `outcomes.models.coarsening`; `deaths` need not be whole then), instead of
        stepping at them.
    """

    times: FloatArray
    increments: FloatArray
    deaths: FloatArray
    means: FloatArray
    straight: bool = False

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
        Partial log-likelihood at the coefficients (penalised where there is a penalty).
    note
        Why the estimates are Firth's; empty for maximum likelihood.
    """

    coefficients: FloatArray
    covariance: FloatArray
    center: FloatArray
    baselines: tuple[Baseline, ...]
    p_values: FloatArray
    log_likelihood: float
    note: str = ""

    def linear_predictor(self, matrix: FloatArray) -> FloatArray:
        """Return the log relative hazard against the mean patient."""
        return np.asarray((matrix - self.center) @ self.coefficients)

    def hazards(self, matrix: FloatArray, months: FloatArray, position: int) -> FloatArray:
        """Return the cumulative hazards (n, n_months) in a series."""
        cumulative = self.baselines[position].cumulative(months)
        return np.asarray(np.exp(self.linear_predictor(matrix))[:, None] * cumulative)


def hazard_grid(fits: Sequence[CauseFit], position: int, months: FloatArray) -> FloatArray:
    """Return the months between which every cause's hazard is constant, the asked ones included."""
    grid = np.unique(np.concatenate([months, *(fit.baselines[position].times for fit in fits)]))
    return np.asarray(grid[grid <= months.max(initial=0.0)])


def fit_cause(
    matrix: FloatArray,
    names: tuple[str, ...],
    time: FloatArray,
    observed: BoolArray,
    groups: Any,
    series: SeriesSet,
    penalizer: float,
    cause: str,
    firth: bool,
) -> CauseFit:
    """Fit the hazard of one cause with lifelines, or after Firth where that has no solution.

    Raises
    ------
    ModelError
        If the likelihood has no maximum and `firth` is false, naming the column.
    """
    frame = pd.DataFrame(matrix, columns=list(names))
    frame["_months"], frame["_event"] = time, observed.astype(np.int64)
    stratified = len(series.names) > 1
    if stratified:
        frame["_series"] = groups
    center = matrix.mean(axis=0)
    note = ""
    beta, covariance = np.zeros(len(names)), np.zeros((len(names), len(names)))
    p_values, log_likelihood = np.zeros(len(names)), np.nan
    if names:
        try:
            if penalizer == 0:
                _refuse_separation(matrix, names, observed, groups, cause)
            fitter = _run_lifelines(frame, stratified, penalizer, cause)
            beta = fitter.params_.to_numpy(np.float64)
            covariance = fitter.variance_matrix_.to_numpy(np.float64)
            p_values = fitter.summary["p"].to_numpy(np.float64)
            log_likelihood = float(fitter.log_likelihood_)
            _refuse_divergence(beta, covariance, matrix, names, cause)
        except ModelError as error:
            if not firth or penalizer > 0:
                raise ModelError(f"{error}; {_REMEDY}") from error
            note = f"{error}; all of its hazard ratios are Firth's estimates"
            beta, covariance, log_likelihood = fit_firth(matrix, time, observed, groups, cause)
            p_values = 2 * ndtr(-np.abs(beta) / np.sqrt(np.diag(covariance)))
    centered = matrix - center
    relative = np.exp(centered @ beta)
    baselines = []
    for name in series.names:
        rows = groups == name
        baselines.append(
            breslow_baseline(time[rows], observed[rows], centered[rows], relative[rows])
        )
    return CauseFit(beta, covariance, center, tuple(baselines), p_values, log_likelihood, note)


def breslow_baseline(
    time: FloatArray, observed: BoolArray, centered: FloatArray, relative: FloatArray
) -> Baseline:
    """Return the Breslow baseline given the relative hazards, shape (n,)."""
    order = np.argsort(-time, kind="stable")
    at_risk = np.cumsum(relative[order])
    moments = np.cumsum(relative[order, None] * centered[order], axis=0)
    times, deaths = np.unique(time[observed], return_counts=True)
    # Everyone with a time of at least t is at risk at t.
    last = np.searchsorted(-time[order], -times, side="right") - 1
    total = at_risk[last]
    return Baseline(
        times=times,
        increments=deaths / total,
        deaths=deaths.astype(np.float64),
        means=moments[last] / total[:, None],
    )


def _run_lifelines(frame: pd.DataFrame, stratified: bool, penalizer: float, cause: str) -> Any:
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    fitter = CoxPHFitter(penalizer=penalizer, strata=["_series"] if stratified else None)
    try:
        # Its other warnings guess at separation and collinearity, which are checked here.
        with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
            warnings.simplefilter("always")
            fitter.fit(
                frame,
                duration_col="_months",
                event_col="_event",
                fit_options={"precision": 1e-14, "r_precision": 1e-16, "max_steps": 100},
            )
    except (ConvergenceError, np.linalg.LinAlgError, ValueError) as error:
        raise ModelError(
            f"{cause}: the likelihood has no maximum ({str(error).split('.')[0]})"
        ) from error
    if any("Newton-Raphson" in str(warning.message) for warning in caught):
        spread = frame[list(fitter.params_.index)].std().to_numpy()
        widest = int(np.argmax(np.abs(fitter.params_.to_numpy()) * spread))
        raise ModelError(
            f"{cause}: the hazard ratio of {fitter.params_.index[widest]} grows without end"
        )
    return fitter


def _refuse_separation(
    matrix: FloatArray, names: tuple[str, ...], observed: BoolArray, groups: Any, cause: str
) -> None:
    """Refuse a column of two values one of which never had the event where both occur."""
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
                raise ModelError(
                    f"{name}: none of the {int(here.sum())} patients where it is {which:g} and "
                    f"can be compared had the event {cause!r}, so it has no finite hazard ratio"
                )


def _refuse_divergence(
    beta: FloatArray, covariance: FloatArray, matrix: FloatArray, names: tuple[str, ...], cause: str
) -> None:
    errors = np.sqrt(np.diag(covariance))
    spread = matrix.std(axis=0)
    wrong = ~np.isfinite(beta) | ~np.isfinite(errors) | (errors * spread > 20)
    if wrong.any():
        raise ModelError(
            f"{cause}: the hazard ratio of {names[int(np.flatnonzero(wrong)[0])]} has no finite "
            "estimate"
        )
