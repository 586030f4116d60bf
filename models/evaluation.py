"""How good a model's predictions are, on patients it has not seen.

Every measure compares patients with their own series: discrimination counts only pairs of one
series, censoring is estimated within series, and the null prediction is each series' own curve.
What the series differ in is known beforehand and earns a model nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.curves import aalen_johansen
from outcomes.endpoints import Endpoint, get_endpoint
from outcomes.errors import ModelError, OutcomesError
from outcomes.estimate import Estimate
from outcomes.models.base import SurvivalModel, as_table, read_response
from outcomes.models.concordance import weighted_concordance
from outcomes.models.ipcw import estimate_censoring
from outcomes.models.pseudo import pseudo_risks
from outcomes.models.recalibration import calibration_in_the_large, calibration_slope
from outcomes.models.scores import brier_scores, dynamic_auc, integrate

HORIZONS = (3.0, 6.0, 12.0, 24.0)
CALIBRATION_MONTH = 12.0
FEWEST_AT_RISK = 10
_RISK_GROUPS = 5


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The measures of one model on one cohort, each with a 95 % bootstrap interval.

    Attributes
    ----------
    endpoint, model, method
        What was evaluated, and how.
    n, events
        Patients, and events of interest.
    horizons
        Months asked for.
    c_index
        Concordance of the predicted risk, within series (Wolbers et al. 2009 with competing
        events).
    c_index_ipcw
        The same weighted for censoring (Uno et al. 2011; Wolbers et al. 2014).
    auc
        Cumulative/dynamic area under the ROC curve by horizon (Blanche et al. 2013); None where
        the follow-up does not support it.
    brier
        Brier score by horizon (Graf et al. 1999; Schoop et al. 2011).
    integrated_brier_score, brier_null
        Mean Brier score from month 0 to the last supported horizon, of the model and of the
        null prediction (each series' own curve).
    index_of_prediction_accuracy
        1 minus their ratio (Kattan and Gerds 2018).
    calibration_slope, calibration_in_the_large
        At `calibration_horizon`; see `outcomes.models.recalibration`. Right are 1 and 0.
    calibration_curve
        By fifth of the predicted risk: group, n, predicted (mean), observed (Aalen-Johansen),
        lower, upper.
    calibration_horizon
        Month of the calibration; NaN where there is none.
    truth_mean_absolute_error
        Mean absolute error of the predicted against the true risk by horizon; None without a
        truth.
    notes
        What was left out, and why.
    """

    endpoint: str
    model: str
    method: str
    n: int
    events: int
    horizons: tuple[float, ...]
    c_index: Estimate
    c_index_ipcw: Estimate
    auc: Mapping[float, Estimate | None]
    brier: Mapping[float, Estimate | None]
    integrated_brier_score: Estimate
    brier_null: Estimate
    index_of_prediction_accuracy: Estimate
    calibration_slope: Estimate
    calibration_in_the_large: Estimate
    calibration_curve: pd.DataFrame
    calibration_horizon: float
    truth_mean_absolute_error: Mapping[float, float] | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data as `metrics.json` holds it; what does not exist is None."""

        def by_month(values: Mapping[float, Estimate | None]) -> dict[str, Any]:
            return {
                f"{month:g}": None if value is None else value.to_dict()
                for month, value in values.items()
            }

        curve = self.calibration_curve
        truth = self.truth_mean_absolute_error
        return {
            "endpoint": self.endpoint,
            "model": self.model,
            "method": self.method,
            "n": self.n,
            "events": self.events,
            "horizons": list(self.horizons),
            "c_index": self.c_index.to_dict(),
            "c_index_ipcw": self.c_index_ipcw.to_dict(),
            "auc": by_month(self.auc),
            "brier": by_month(self.brier),
            "integrated_brier_score": self.integrated_brier_score.to_dict(),
            "brier_null": self.brier_null.to_dict(),
            "index_of_prediction_accuracy": self.index_of_prediction_accuracy.to_dict(),
            "calibration_slope": self.calibration_slope.to_dict(),
            "calibration_in_the_large": self.calibration_in_the_large.to_dict(),
            "calibration_horizon": _plain(self.calibration_horizon),
            "calibration_curve": [
                {str(key): _plain(value) for key, value in row.items()}
                for row in curve.to_dict("records")
            ],
            "truth": {
                "mean_absolute_error": None
                if truth is None
                else {f"{month:g}": _plain(value) for month, value in truth.items()}
            },
            "notes": list(self.notes),
        }


@dataclass(frozen=True, eq=False)
class _Predictions:
    """Predicted and null risks at months, and where the model reaches, each (n, n_months)."""

    months: FloatArray
    risk: FloatArray
    null: FloatArray
    reached: BoolArray


def evaluate(
    model: SurvivalModel,
    cohort: pd.DataFrame,
    horizons: Sequence[float] = HORIZONS,
    truth: npt.ArrayLike | None = None,
    n_bootstrap: int = 200,
    random_state: int = 0,
) -> Evaluation:
    """Evaluate a fitted model on patients it was not fitted to.

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
    predictions = _predict(model, table, groups, months, notes)
    null = np.empty_like(predictions.risk)
    for name in sorted(set(groups)):
        rows = np.flatnonzero(groups == name)
        null[rows] = _null_risk(time[rows], event[rows], endpoint, months)
    return _measure(
        endpoint,
        model.kind,
        "external: the model was fitted to other patients",
        time,
        event,
        groups,
        _patients(table),
        _Predictions(months, predictions.risk, null, predictions.reached),
        asked,
        truth,
        n_bootstrap,
        random_state,
        notes,
    )


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

    The folds are alike in series and events, and the rows of one `patient_id` stay in one fold.
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
    patients = _patients(table)
    folds = assign_folds(patients, groups, event, n_folds, np.random.default_rng(random_state))
    shape = (len(table), len(months))
    risk, null, reached = np.empty(shape), np.empty(shape), np.zeros(shape, dtype=bool)
    notes: list[str] = []
    for fold in range(n_folds):
        out, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        fitted = clone(model).fit(table.iloc[rest])
        part = _predict(fitted, table.iloc[out], groups[out], months, notes)
        risk[out], reached[out] = part.risk, part.reached
        for name in sorted(set(groups[out])):
            rows = out[groups[out] == name]
            known = rest[groups[rest] == name]
            known = known if len(known) else rest
            null[rows] = _null_risk(time[known], event[known], endpoint, months)
    return _measure(
        endpoint,
        model.kind,
        f"{n_folds}-fold cross-validation",
        time,
        event,
        groups,
        patients,
        _Predictions(months, risk, null, reached),
        asked,
        truth,
        n_bootstrap,
        random_state,
        list(dict.fromkeys(notes)),
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
    strata, _ = pd.factorize(np.array([f"{g}\0{k}" for g, k in zip(home, kind, strict=True)]))
    shuffled = rng.permutation(len(unique))
    dealt = shuffled[np.argsort(strata[shuffled], kind="stable")]
    fold_of = np.empty(len(unique), dtype=np.int64)
    fold_of[dealt] = np.arange(len(unique)) % n_folds
    return np.asarray(fold_of[codes])


def _predict(
    model: SurvivalModel, table: pd.DataFrame, groups: Any, months: FloatArray, notes: list[str]
) -> _Predictions:
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
    return _Predictions(months, risk, risk, reached)


def _measure(
    endpoint: Endpoint,
    kind: str,
    method: str,
    time: FloatArray,
    event: IntArray,
    groups: Any,
    patients: Any,
    predictions: _Predictions,
    horizons: tuple[float, ...],
    truth: npt.ArrayLike | None,
    n_bootstrap: int,
    random_state: int,
    notes: list[str],
) -> Evaluation:
    months, risk = predictions.months, predictions.risk
    known = predictions.reached & _supported(time, groups, months)
    column = {month: int(np.searchsorted(months, month)) for month in horizons}
    supported = [month for month in horizons if known[:, column[month]].any()]
    _note_support(horizons, column, known, groups, notes)
    if not supported:
        raise ModelError(
            f"no horizon of {', '.join(f'{m:g}' for m in horizons)} months has "
            f"{FEWEST_AT_RISK} patients under observation after it in any series"
        )
    last = supported[-1]
    within = months <= last
    censoring = estimate_censoring(time, event, groups)
    rng = np.random.default_rng([random_state, 1])
    weights = _resample(patients, groups, n_bootstrap, rng)

    # The risk at the last month the series supports ranks its patients.
    reach = np.maximum((known & within).sum(axis=1) - 1, 0)
    marker = risk[np.arange(len(time)), reach]
    limit = months[reach]
    capped = np.where((time > limit) & (event == 1), 0, event)
    c_index = weighted_concordance(time, event, marker, weights, groups)
    c_ipcw = weighted_concordance(
        time, capped, marker, weights, groups, np.maximum(censoring.before_own_time, 1e-12)
    )
    scores = brier_scores(risk, months, known, censoring, weights)
    null_scores = brier_scores(predictions.null, months, known, censoring, weights)
    integrated = integrate(scores[within], months[within])
    null = integrate(null_scores[within], months[within])

    auc: dict[float, Estimate | None] = {}
    brier: dict[float, Estimate | None] = {}
    for month in horizons:
        k = column[month]
        rows = np.flatnonzero(known[:, k])
        auc[month] = brier[month] = None
        if len(rows):
            values = dynamic_auc(risk[:, k], month, rows, censoring, weights)
            auc[month] = None if np.isnan(values[0]) else _estimate(values)
            brier[month] = _estimate(scores[k])

    at = CALIBRATION_MONTH if CALIBRATION_MONTH in supported else last
    rows = np.flatnonzero(known[:, column[at]])
    predicted = risk[rows, column[at]]
    pseudo = np.empty(len(rows))
    for name in sorted(set(groups[rows])):
        members = groups[rows] == name
        pseudo[members] = pseudo_risks(time[rows][members], event[rows][members], at)
    return Evaluation(
        endpoint=endpoint.name,
        model=kind,
        method=f"{method}; intervals from {n_bootstrap} bootstrap samples of patients",
        n=len(time),
        events=int((event == 1).sum()),
        horizons=horizons,
        c_index=_estimate(c_index),
        c_index_ipcw=_estimate(c_ipcw),
        auc=auc,
        brier=brier,
        integrated_brier_score=_estimate(integrated),
        brier_null=_estimate(null),
        index_of_prediction_accuracy=_estimate(1.0 - integrated / null),
        calibration_slope=_estimate(calibration_slope(pseudo, predicted, weights[rows])),
        calibration_in_the_large=_estimate(
            calibration_in_the_large(pseudo, predicted, weights[rows])
        ),
        calibration_curve=_calibration_curve(time[rows], event[rows], predicted, at),
        calibration_horizon=at,
        truth_mean_absolute_error=_truth_error(
            truth, risk, predictions.reached, column, horizons, notes
        ),
        notes=tuple(notes),
    )


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


def _patients(table: pd.DataFrame) -> Any:
    if "patient_id" in table.columns:
        return table["patient_id"].astype(str).to_numpy(dtype=object)
    return np.arange(len(table)).astype(str).astype(object)


def _null_risk(
    time: FloatArray, event: IntArray, endpoint: Endpoint, months: FloatArray
) -> FloatArray:
    causes = tuple(code for code in sorted(endpoint.events) if code)
    curve = aalen_johansen(time, event, causes=causes).incidence[1]
    return curve(np.minimum(months, curve.end))


def _supported(time: FloatArray, groups: Any, months: FloatArray) -> BoolArray:
    """Tell at which months each patient's series is still under observation."""
    supported = np.zeros((len(time), len(months)), dtype=bool)
    for name in sorted(set(groups)):
        rows = groups == name
        later = (time[rows][:, None] > months[None, :]).sum(axis=0)
        supported[rows] = later >= FEWEST_AT_RISK
    return supported


def _note_support(
    horizons: tuple[float, ...],
    column: Mapping[float, int],
    known: BoolArray,
    groups: Any,
    notes: list[str],
) -> None:
    for month in horizons:
        rows = known[:, column[month]]
        out = sorted(set(groups) - set(groups[rows]))
        if not rows.any():
            notes.append(f"month {month:g}: beyond the follow-up, not evaluated")
        elif out:
            notes.append(
                f"month {month:g}: without the series not followed so far ({', '.join(out)})"
            )


def _resample(patients: Any, groups: Any, n_bootstrap: int, rng: np.random.Generator) -> FloatArray:
    """Return ones, then bootstrap counts of whole patients drawn within series."""
    weights = np.ones((len(groups), n_bootstrap + 1))
    for name in sorted(set(groups)):
        rows = np.flatnonzero(groups == name)
        codes, unique = pd.factorize(patients[rows])
        counts = rng.multinomial(len(unique), np.full(len(unique), 1 / len(unique)), n_bootstrap)
        weights[rows, 1:] = counts[:, codes].T
    return weights


def _estimate(values: FloatArray) -> Estimate:
    """Return the first value with the middle 95 % of the others."""
    others = values[1:][np.isfinite(values[1:])]
    if len(others) < 20:
        return Estimate(float(values[0]))
    lower, upper = np.quantile(others, [0.025, 0.975])
    return Estimate(float(values[0]), float(lower), float(upper))


def _calibration_curve(
    time: FloatArray, event: IntArray, predicted: FloatArray, month: float
) -> pd.DataFrame:
    order = np.argsort(predicted, kind="stable")
    records = []
    for number, rows in enumerate(np.array_split(order, _RISK_GROUPS), start=1):
        if not len(rows):
            continue
        observed = lower = upper = np.nan
        try:
            curve = aalen_johansen(time[rows], event[rows], causes=(1, 2))
            observed = float(curve.incidence_at(1, month))
            lower, upper = (float(limit) for limit in curve.interval_at(1, month))
        except OutcomesError:
            # The group's follow-up ends before the month: its observed risk is not known.
            observed = lower = upper = np.nan
        records.append(
            {
                "group": number,
                "n": len(rows),
                "predicted": float(predicted[rows].mean()),
                "observed": observed,
                "lower": lower,
                "upper": upper,
            }
        )
    return pd.DataFrame(records)


def _truth_error(
    truth: npt.ArrayLike | None,
    risk: FloatArray,
    reached: BoolArray,
    column: Mapping[float, int],
    horizons: tuple[float, ...],
    notes: list[str],
) -> dict[float, float] | None:
    if truth is None:
        return None
    true = np.asarray(truth, dtype=np.float64)
    if true.shape != (len(risk), len(horizons)):
        raise ModelError(
            f"truth: found shape {true.shape}; allowed: {(len(risk), len(horizons))}, "
            "a risk per patient and horizon"
        )
    if not ((true >= 0) & (true <= 1)).all() or (np.diff(true, axis=1) < -1e-9).any():
        raise ModelError("truth: allowed are risks from 0 to 1 that do not fall with time")
    errors = {}
    for k, month in enumerate(horizons):
        rows = reached[:, column[month]]
        errors[month] = (
            float(np.abs(risk[rows, column[month]] - true[rows, k]).mean())
            if rows.any()
            else np.nan
        )
    return errors


def _plain(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else float(value)
    return int(value) if isinstance(value, np.integer) else value
