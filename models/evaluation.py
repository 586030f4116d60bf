"""How good a model's predictions are, on patients it has not seen."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from outcomes.arrays import FloatArray, IntArray
from outcomes.endpoints import get_endpoint
from outcomes.errors import ModelError, OutcomesError
from outcomes.models.base import SurvivalModel
from outcomes.models.checks import check_count
from outcomes.models.inputs import as_table, digest, read_response, series_column
from outcomes.models.measures import Evaluation, check_draws, measure
from outcomes.models.measuring import Predicted, Predictions
from outcomes.models.null_model import KaplanMeierModel
from outcomes.models.risk_scores import null_risks
from outcomes.models.wrapping import fit_estimator, model_in, transform_for

__all__ = ["HORIZONS", "Evaluation", "assign_folds", "cross_validate", "evaluate"]

HORIZONS = (3.0, 6.0, 12.0, 24.0)

# Patients predicted at their own times at once.
_TOGETHER = 250

GIVEN = "a cohort given by the user"
APPARENT = (
    "these are the patients the model was fitted to: the figures are apparent, not out of sample"
)


def evaluate(
    model: Any,
    cohort: pd.DataFrame,
    horizons: Sequence[float] | float = HORIZONS,
    truth: npt.ArrayLike | None = None,
    n_bootstrap: int = 200,
    random_state: int = 0,
) -> Evaluation:
    """Evaluate a fitted model on a cohort, best of patients it was not fitted to.

    Whether the cohort is another one cannot be told in general; where it is exactly the one the
    model was fitted to, a note says so.

    Parameters
    ----------
    model
        A fitted model, or a fitted Pipeline or search such as GridSearchCV around one.
    cohort
        Patients with the model's covariates and the endpoint's columns. Each is predicted in
        the own series where the model knows it, otherwise by the average over the training
        series. The null prediction is fitted to the cohort itself.
    horizons
        Months of AUC and Brier score.
    truth
        True risk of the event of interest by each horizon, shape (n, n_horizons): of death, or
        the cumulative incidence of local progression.
    n_bootstrap
        Bootstrap samples of patients, drawn within series; no model is refitted.
    random_state
        Seed.

    Raises
    ------
    ModelError
        If the cohort cannot be predicted.
    NotFittedError
        If the model is not fitted.
    """
    months, asked = months_of(horizons)
    check_draws(n_bootstrap, random_state)
    predicted = predict_cohort(model, cohort, months, truth)
    return measure(predicted, asked, n_bootstrap, random_state)


def cross_validate(
    model: Any,
    cohort: pd.DataFrame,
    n_folds: int = 5,
    horizons: Sequence[float] | float = HORIZONS,
    truth: npt.ArrayLike | None = None,
    n_bootstrap: int = 200,
    random_state: int = 0,
) -> Evaluation:
    """Evaluate a kind of model by predicting each patient from a fit to the others.

    The folds are alike in series and events, and the rows of one patient (a `patient_id` within
    a `study`) stay in one fold.
    Each patient is predicted in the own series. All measures are taken over the pooled
    out-of-fold predictions; the intervals come from a bootstrap of patients, without refits.

    Parameters
    ----------
    model
        An estimator as `evaluate` takes, fitted or not; clones of it are fitted.
    n_folds
        Folds, at least 2.
    cohort, horizons, truth, n_bootstrap, random_state
        As `evaluate`; here the null prediction is fitted to the training folds.

    Raises
    ------
    ModelError
        If a fold cannot be fitted.
    """
    table = as_table(cohort)
    months, asked = months_of(horizons)
    check_draws(n_bootstrap, random_state)
    folds = deal_folds(model, table, n_folds, random_state)
    predicted, _ = predict_out_of_fold(
        model, table, folds, months, f"{n_folds}-fold cross-validation", truth
    )
    return measure(predicted, asked, n_bootstrap, random_state)


def predict_cohort(
    model: Any,
    cohort: pd.DataFrame,
    months: FloatArray,
    truth: npt.ArrayLike | None = None,
    *,
    own_times: bool = True,
) -> Predicted:
    """Return a fitted estimator's predictions for a cohort; the null is fitted to the cohort.

    Parameters
    ----------
    model, cohort, truth
        As `evaluate`.
    months
        Months at which risks are predicted.
    own_times
        Whether to predict each patient at the own time too, which only D-calibration needs.
    """
    table = as_table(cohort)
    fitted = model_in(model)
    check_is_fitted(fitted, "series_")
    endpoint = get_endpoint(fitted.endpoint)
    time, event = read_response(endpoint, table)
    groups = groups_of(fitted, table)
    notes: list[str] = []
    seen = transform_for(model, table)
    if digest(fitted.design_.matrix(seen), time, event) == fitted.training_digest_:
        notes.append(APPARENT)
    predictions = _predict(fitted, seen, time, event, groups, months, notes, own_times)
    null = null_risks(time, event, groups, months)
    return Predicted(
        endpoint,
        fitted.kind,
        GIVEN,
        time,
        event,
        groups,
        identify_patients(table),
        replace(predictions, null=null),
        truth,
        tuple(notes),
        not isinstance(fitted, KaplanMeierModel),
    )


def predict_out_of_fold(
    model: Any,
    table: pd.DataFrame,
    folds: IntArray,
    months: FloatArray,
    method: str,
    truth: npt.ArrayLike | None = None,
) -> tuple[Predicted, list[Any]]:
    """Return predictions of each fold by a fit to the others, and the fitted estimators.

    Parameters
    ----------
    model
        An estimator; clones of it are fitted.
    table
        The cohort.
    folds
        Fold of each row, from 0, shape (n,).
    months
        Months at which risks are predicted.
    method
        How the cohort is evaluated.
    truth
        As `evaluate`.
    """
    inner = model_in(model)
    endpoint = get_endpoint(inner.endpoint)
    time, event = read_response(endpoint, table)
    groups, patients = groups_of(inner, table), identify_patients(table)
    shape = (len(table), len(months))
    risk, null, reached = np.empty(shape), np.empty(shape), np.zeros(shape, dtype=bool)
    own, own_observed = np.empty(len(table)), np.zeros(len(table), dtype=bool)
    notes: list[str] = []
    fits = []
    n_folds = int(folds.max()) + 1
    for fold in range(n_folds):
        out, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        try:
            fitted = fit_estimator(clone(model), table.iloc[rest], patients[rest])
        except OutcomesError as error:
            raise ModelError(f"fold {fold + 1} of {n_folds}: {error}") from error
        fits.append(fitted)
        seen = transform_for(fitted, table.iloc[out])
        part = _predict(model_in(fitted), seen, time[out], event[out], groups[out], months, notes)
        risk[out], reached[out] = part.risk, part.reached
        own[out], own_observed[out] = part.own, part.own_observed
        for name in sorted(set(groups[out])):
            rows = out[groups[out] == name]
            known = rest[groups[rest] == name]
            known = known if len(known) else rest
            null[rows] = null_risks(time[known], event[known], np.full(len(known), ""), months)[0]
    predicted = Predicted(
        endpoint,
        inner.kind,
        method,
        time,
        event,
        groups,
        patients,
        Predictions(months, risk, null, reached, own, own_observed),
        truth,
        tuple(dict.fromkeys(notes)),
        not isinstance(inner, KaplanMeierModel),
    )
    return predicted, fits


def deal_folds(model: Any, table: pd.DataFrame, n_folds: int, random_state: int) -> IntArray:
    """Return the fold of each row of a cohort; see `assign_folds`.

    Raises
    ------
    ModelError
        If the number of folds is not 2 to the number of rows, or the seed no whole number.
    """
    check_count("n_folds", n_folds, 2, len(table))
    check_count("random_state", random_state, 0)
    inner = model_in(model)
    _, event = read_response(get_endpoint(inner.endpoint), table)
    return assign_folds(
        identify_patients(table),
        groups_of(inner, table),
        event,
        n_folds,
        np.random.default_rng(random_state),
    )


def assign_folds(
    patients: Any, groups: Any, event: IntArray, n_folds: int, rng: np.random.Generator
) -> IntArray:
    """Return the fold of each row: alike in series and events, patients kept whole.

    Parameters
    ----------
    patients, groups, event
        Patient, series and event code of each row, shape (n,).
    n_folds
        Number of folds.
    rng
        Generator of the order in which patients are dealt.
    """
    codes, unique = pd.factorize(np.asarray(patients, dtype=object))
    kind = np.zeros(len(unique), dtype=np.int64)
    np.maximum.at(kind, codes, np.where(event == 1, 1_000, event))
    home = np.empty(len(unique), dtype=object)
    home[codes] = groups
    series, _ = pd.factorize(home)
    strata = series * 2_000 + kind
    shuffled = rng.permutation(len(unique))
    dealt = shuffled[np.argsort(strata[shuffled], kind="stable")]
    fold_of = np.empty(len(unique), dtype=np.int64)
    fold_of[dealt] = np.arange(len(unique)) % n_folds
    return np.asarray(fold_of[codes])


def _predict(
    model: SurvivalModel,
    table: pd.DataFrame,
    time: FloatArray,
    event: IntArray,
    groups: Any,
    months: FloatArray,
    notes: list[str],
    own_times: bool = True,
) -> Predictions:
    """Predict each patient in the own series, and hold what lies beyond its follow-up."""
    risk = np.empty((len(table), len(months)))
    reached = np.zeros(risk.shape, dtype=bool)
    own, own_observed = np.full(len(table), np.nan), np.zeros(len(table), dtype=bool)
    strangers = sorted({name for name in groups if name not in model.series_.names} - {""})
    if strangers and any(model.series_.names):
        notes.append(
            f"predicted by the average over the training series, since the model does not know "
            f"their own: {', '.join(strangers)}"
        )
    for name in sorted(set(groups)):
        rows = np.flatnonzero(groups == name)
        known = name if name != "" and name in model.series_.names else None
        end = model.series_.end_of(known)
        held = np.minimum(months, end)
        risk[rows] = 1.0 - model.predict_survival(table.iloc[rows], held, series=known)
        reached[rows] = months <= end
        if not own_times:
            continue
        own[rows] = _event_free_at_own(model, table.iloc[rows], np.minimum(time[rows], end), known)
        own_observed[rows] = (event[rows] > 0) & (time[rows] <= end)
    return Predictions(months, risk, risk, reached, own, own_observed)


def _event_free_at_own(
    model: SurvivalModel, table: pd.DataFrame, time: FloatArray, series: str | None
) -> FloatArray:
    """Return each patient's probability of no event by the own time, shape (n,)."""
    own = np.empty(len(time))
    # Patients of like times together, so that few months are predicted for each.
    for rows in np.array_split(np.argsort(time, kind="stable"), -(-len(time) // _TOGETHER)):
        months, place = np.unique(time[rows], return_inverse=True)
        free = model.predict_event_free(table.iloc[rows], months, series=series)
        own[rows] = free[np.arange(len(rows)), place]
    return np.clip(own, 0.0, 1.0)


def months_of(horizons: Sequence[float] | float) -> tuple[FloatArray, tuple[float, ...]]:
    """Return the months at which risks are predicted, and the horizons in order."""
    try:
        given = np.atleast_1d(np.asarray(horizons, dtype=np.float64)).ravel()
    except (TypeError, ValueError):
        raise ModelError(f"horizons: found {horizons!r}; allowed: months above 0") from None
    asked = tuple(sorted({float(month) for month in given}))
    if not asked or not all(np.isfinite(month) and month > 0 for month in asked):
        raise ModelError(f"horizons: found {horizons!r}; allowed: months above 0")
    grid = np.linspace(0.0, asked[-1], 25)
    return np.union1d(grid, np.asarray(asked)), asked


def groups_of(model: SurvivalModel, table: pd.DataFrame) -> Any:
    """Return the series of each row, "" for all where the model or the table knows none."""
    column = series_column(table, model.strata)
    if column is None:
        return np.full(len(table), "", dtype=object)
    return column.astype(str).to_numpy(dtype=object)


def identify_patients(table: pd.DataFrame) -> Any:
    """Return a number per patient: a `patient_id` is unique within its `study` only."""
    if "patient_id" not in table.columns:
        return np.arange(len(table))
    key = [n for n in ("study", "patient_id") if series_column(table, n) is not None]
    return table.groupby(key, sort=False, dropna=False).ngroup().to_numpy()
