"""How good a model's predictions are, on patients it has not seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from outcomes.arrays import FloatArray, IntArray
from outcomes.curves import aalen_johansen
from outcomes.endpoints import Endpoint, get_endpoint
from outcomes.errors import ModelError, OutcomesError
from outcomes.models.base import SurvivalModel, as_table, digest, read_response
from outcomes.models.measures import Evaluation, Predicted, Predictions, measure

__all__ = ["HORIZONS", "Evaluation", "assign_folds", "cross_validate", "evaluate"]

HORIZONS = (3.0, 6.0, 12.0, 24.0)

GIVEN = "a cohort given by the user"
APPARENT = (
    "these are the patients the model was fitted to: the figures are apparent, not out of sample"
)


def evaluate(
    model: SurvivalModel,
    cohort: pd.DataFrame,
    horizons: Sequence[float] = HORIZONS,
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
        A fitted model.
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
    """
    table = as_table(cohort)
    endpoint = get_endpoint(model.endpoint)
    time, event = read_response(endpoint, table)
    months, asked = _months(horizons)
    groups = _groups(model, table)
    notes: list[str] = []
    if digest(model.design_.matrix(table), time, event) == model.training_digest_:
        notes.append(APPARENT)
    predictions = _predict(model, table, groups, months, notes)
    null = np.empty_like(predictions.risk)
    for name in sorted(set(groups)):
        rows = np.flatnonzero(groups == name)
        null[rows] = _null_risk(time[rows], event[rows], endpoint, months)
    cohort_as_predicted = Predicted(
        endpoint,
        model.kind,
        GIVEN,
        time,
        event,
        groups,
        identify_patients(table),
        Predictions(months, predictions.risk, null, predictions.reached),
        truth,
        tuple(notes),
    )
    return measure(cohort_as_predicted, asked, n_bootstrap, random_state)


def cross_validate(
    model: SurvivalModel,
    cohort: pd.DataFrame,
    n_folds: int = 5,
    horizons: Sequence[float] = HORIZONS,
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
        An estimator, fitted or not; clones of it are fitted.
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
    if not 2 <= n_folds <= len(table):
        raise ModelError(f"n_folds: found {n_folds!r}; allowed: 2 to {len(table)}")
    endpoint = get_endpoint(model.endpoint)
    time, event = read_response(endpoint, table)
    months, asked = _months(horizons)
    groups = _groups(model, table)
    patients = identify_patients(table)
    folds = assign_folds(patients, groups, event, n_folds, np.random.default_rng(random_state))
    shape = (len(table), len(months))
    risk, null, reached = np.empty(shape), np.empty(shape), np.zeros(shape, dtype=bool)
    notes: list[str] = []
    for fold in range(n_folds):
        out, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        try:
            fitted = clone(model).fit(table.iloc[rest])
        except OutcomesError as error:
            raise ModelError(f"fold {fold + 1} of {n_folds}: {error}") from error
        part = _predict(fitted, table.iloc[out], groups[out], months, notes)
        risk[out], reached[out] = part.risk, part.reached
        for name in sorted(set(groups[out])):
            rows = out[groups[out] == name]
            known = rest[groups[rest] == name]
            known = known if len(known) else rest
            null[rows] = _null_risk(time[known], event[known], endpoint, months)
    cohort_as_predicted = Predicted(
        endpoint,
        model.kind,
        f"{n_folds}-fold cross-validation",
        time,
        event,
        groups,
        patients,
        Predictions(months, risk, null, reached),
        truth,
        tuple(dict.fromkeys(notes)),
    )
    return measure(cohort_as_predicted, asked, n_bootstrap, random_state)


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
    model: SurvivalModel, table: pd.DataFrame, groups: Any, months: FloatArray, notes: list[str]
) -> Predictions:
    """Predict each patient in the own series, and hold what lies beyond its follow-up."""
    risk = np.empty((len(table), len(months)))
    reached = np.zeros(risk.shape, dtype=bool)
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
    return Predictions(months, risk, risk, reached)


def _months(horizons: Sequence[float]) -> tuple[FloatArray, tuple[float, ...]]:
    """Return the months at which risks are predicted, and the horizons in order."""
    asked = tuple(sorted({float(month) for month in horizons}))
    if not asked or not all(np.isfinite(month) and month > 0 for month in asked):
        raise ModelError(f"horizons: found {horizons!r}; allowed: months above 0")
    grid = np.linspace(0.0, asked[-1], 25)
    return np.union1d(grid, np.asarray(asked)), asked


def _groups(model: SurvivalModel, table: pd.DataFrame) -> Any:
    if model.strata is not None and model.strata in table.columns:
        return table[model.strata].astype(str).to_numpy(dtype=object)
    return np.full(len(table), "", dtype=object)


def identify_patients(table: pd.DataFrame) -> Any:
    """Return a number per patient: a `patient_id` is unique within its `study` only."""
    if "patient_id" not in table.columns:
        return np.arange(len(table))
    key = [name for name in ("study", "patient_id") if name in table.columns]
    return table.groupby(key, sort=False, dropna=False).ngroup().to_numpy()


def _null_risk(
    time: FloatArray, event: IntArray, endpoint: Endpoint, months: FloatArray
) -> FloatArray:
    causes = tuple(code for code in sorted(endpoint.events) if code)
    curve = aalen_johansen(time, event, causes=causes).incidence[1]
    return curve(np.minimum(months, curve.end))
