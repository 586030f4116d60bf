"""Hazard ratios of the treatment by Cox regression."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.comparison.adjustment import make_adjustment
from outcomes.comparison.arm import check_arms
from outcomes.comparison.contrast import FEWEST_PATIENTS, Contrast, ratio_of_log
from outcomes.comparison.redundancy import find_redundant
from outcomes.comparison.result import Rung
from outcomes.comparison.setting import Setting
from outcomes.cox import fit_cox, with_robust_covariance
from outcomes.errors import NotEstimableError

_EVENTS_PER_COEFFICIENT = 10


def cox(setting: Setting) -> Iterator[Rung]:
    """Give the hazard ratio of the treatment, alone and beside the adjusting covariates.

    With competing events it is the cause-specific ratio: they end a patient's time at risk.
    Series that are pooled keep their own baseline hazards.
    """
    yield setting.rung("cox-unadjusted", "hazard_ratio", None, lambda: unadjusted(setting))
    warning = "not corrected for the time lived until treatment" if setting.starts_later else ""
    yield setting.rung("cox-adjusted", "hazard_ratio", None, lambda: adjusted(setting), warning)


def unadjusted(setting: Setting) -> Contrast:
    """Return the hazard ratio without covariates.

    Raises
    ------
    NotEstimableError
        If the partial likelihood has no maximum.
    """
    everyone = np.ones(setting.time.size, dtype=np.bool_)
    return _fit(setting, pd.DataFrame(index=setting.cohort.index), everyone, ())


def adjusted(setting: Setting) -> Contrast:
    """Return the hazard ratio given the adjusting covariates.

    Raises
    ------
    NotEstimableError
        If a covariate is missing, there is none to adjust for, or the partial likelihood has no
        maximum.
    """
    adjustment = make_adjustment(setting)
    notes = (f"adjusted for {', '.join(adjustment.columns.columns)}", *adjustment.notes)
    return _fit(setting, adjustment.columns, adjustment.complete, notes)


def _fit(
    setting: Setting, covariates: pd.DataFrame, rows: BoolArray, notes: tuple[str, ...]
) -> Contrast:
    """Fit the model to some patients and read off the treatment's hazard ratio."""
    event = setting.codes[rows] == 1
    treated = setting.treated[rows]
    check_arms(setting.labels, treated, event)
    strata = setting.stratum(rows)
    if setting.strata is not None:
        notes = (f"stratified by {setting.strata}", *notes)
    names = [*covariates.columns, setting.treatment]
    design = np.column_stack([covariates.to_numpy(dtype=np.float64), treated])
    _check_design(design, names, strata, event)
    if event.sum() < _EVENTS_PER_COEFFICIENT * len(names):
        notes = (*notes, f"only {event.sum()} events for {len(names)} coefficients")
    cluster = setting.cluster[rows] if setting.repeated else None
    log_ratio, error = _partial_likelihood(setting.time[rows], event, design, strata, cluster)
    if cluster is not None and np.unique(cluster).size < FEWEST_PATIENTS:
        reason = f"no interval because there are fewer than {FEWEST_PATIENTS} patients"
        return Contrast(math.exp(log_ratio), note="; ".join((*notes, reason)))
    return ratio_of_log(log_ratio, error, "; ".join(notes))


def _check_design(design: FloatArray, names: list[str], strata: IntArray, event: BoolArray) -> None:
    """Refuse a column that the others determine, or that is the same at every event.

    The treatment comes last, so that it is found to be determined by the covariates, not they
    by it.
    """
    redundant = find_redundant(design, strata)
    within = " within its strata" if strata.any() else ""
    for name, column, determined in zip(names, design.T, redundant, strict=True):
        if determined:
            raise NotEstimableError(f"the other columns determine {name}{within}")
        at_events = column[event]
        if np.unique(column).size == 2 and (at_events == at_events[0]).all():
            raise NotEstimableError(f"{name} is the same at every event")


def _partial_likelihood(
    time: FloatArray,
    event: BoolArray,
    design: FloatArray,
    strata: IntArray,
    cluster: IntArray | None,
) -> tuple[float, float]:
    """Return the last column's log hazard ratio and its standard error (Efron's ties).

    Given what rows belong together, the error is the sandwich's.
    """
    try:
        fit = fit_cox(design, time, event, strata=strata)
    except NotEstimableError as failure:
        raise NotEstimableError("the partial likelihood has no maximum") from failure
    if cluster is not None:
        fit = with_robust_covariance(fit, cluster)
    return float(fit.coefficients[-1]), float(fit.standard_errors[-1])
