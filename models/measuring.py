"""Every measure of predicted risks at once, for each column of patient weights.

A column of ones gives the measures, columns of bootstrap counts their distribution. Measures of
two models with the same columns are paired.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.endpoints import Endpoint
from outcomes.errors import ModelError
from outcomes.estimate import Estimate
from outcomes.models.calibration import fit_curve, grouped_pseudo_risks
from outcomes.models.concordance import weighted_concordance
from outcomes.models.ipcw import estimate_censoring
from outcomes.models.net_benefit import net_benefits
from outcomes.models.recalibration import calibration_in_the_large, calibration_slope
from outcomes.models.scores import brier_scores, dynamic_auc, integrate

CALIBRATION_MONTH = 12.0
FEWEST_AT_RISK = 10
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)

# Numbers of weights held at once.
_CELLS = 8_000_000


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predicted and null risks at months, and where the model reaches, each (n, n_months).

    `own` is the predicted probability of no event at each patient's own time, or where the model
    ends before, and `own_observed` whether an event was seen by then, shape (n,).
    """

    months: FloatArray
    risk: FloatArray
    null: FloatArray
    reached: BoolArray
    own: FloatArray
    own_observed: BoolArray


@dataclass(frozen=True, eq=False)
class Predicted:
    """A cohort and what was predicted for it.

    Attributes
    ----------
    endpoint
        The endpoint.
    model, method
        Kind of model, and how it was evaluated.
    time, event
        Response: months and event code, shape (n,).
    groups, patients
        Series and patient of each row, shape (n,); a patient is one of one series.
    predictions
        The predicted risks.
    truth
        True risks by the horizons, or None.
    notes
        What there is to say so far.
    ranks
        Whether the model tells the patients of a series apart; if not, its concordance is one
        half and it has no calibration slope, though its curve differs a little from fold to fold.
    """

    endpoint: Endpoint
    model: str
    method: str
    time: FloatArray
    event: IntArray
    groups: Any
    patients: Any
    predictions: Predictions
    truth: npt.ArrayLike | None = None
    notes: tuple[str, ...] = ()
    ranks: bool = True


@dataclass(frozen=True, eq=False)
class Measured:
    """The measures of a cohort's predictions.

    Attributes
    ----------
    columns
        Each measure by name, shape (n_columns,): those with a month are named as "auc 12". Not
        a number where the follow-up does not support it.
    horizons, used
        Months asked for, and those the follow-up supports.
    month
        Month of the calibration and of the net benefit.
    rows
        Who is followed to it.
    notes
        What was left out, and why.
    """

    columns: Mapping[str, FloatArray]
    horizons: tuple[float, ...]
    used: tuple[float, ...]
    month: float
    rows: IntArray
    notes: tuple[str, ...]


def measure_columns(
    cohort: Predicted, horizons: tuple[float, ...], weights: npt.NDArray[np.generic]
) -> Measured:
    """Return every measure for each column of weights.

    Parameters
    ----------
    cohort
        The cohort and its predictions.
    horizons
        Months of AUC and Brier score, increasing.
    weights
        How often each patient counts, shape (n, n_columns).

    Raises
    ------
    ModelError
        If no horizon is supported by the follow-up.
    """
    groups, months = cohort.groups, cohort.predictions.months
    known = cohort.predictions.reached & _supported(cohort.time, groups, months)
    used = tuple(m for m in horizons if known[:, int(np.searchsorted(months, m))].any())
    if not used:
        raise ModelError(
            f"no horizon of {', '.join(f'{m:g}' for m in horizons)} months has "
            f"{FEWEST_AT_RISK} patients under observation after it in any series"
        )
    month = CALIBRATION_MONTH if CALIBRATION_MONTH in used else used[-1]
    rows = np.flatnonzero(known[:, int(np.searchsorted(months, month))])
    plan = _Plan(cohort, horizons, used, known, month, rows)
    width = max(1, _CELLS // max(len(weights), 1))
    parts = [
        plan.measure(weights[:, start : start + width].astype(np.float64))
        for start in range(0, weights.shape[1], width)
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    notes = _support_notes(horizons, months, known, groups)
    return Measured(columns, horizons, used, month, rows, notes)


def _supported(time: FloatArray, groups: Any, months: FloatArray) -> BoolArray:
    """Tell at which months each patient's series is still under observation."""
    supported = np.zeros((len(time), len(months)), dtype=bool)
    for name in sorted(set(groups)):
        rows = groups == name
        later = rows.sum() - np.searchsorted(np.sort(time[rows]), months, side="right")
        supported[rows] = later >= FEWEST_AT_RISK
    return supported


def resample(
    patients: Any, groups: Any, n_bootstrap: int, rng: np.random.Generator
) -> npt.NDArray[np.int16]:
    """Return ones, then bootstrap counts of whole patients drawn within series."""
    weights = np.ones((len(groups), n_bootstrap + 1), dtype=np.int16)
    for name in sorted(set(groups)):
        rows = np.flatnonzero(groups == name)
        codes, unique = pd.factorize(patients[rows])
        counts = rng.multinomial(len(unique), np.full(len(unique), 1 / len(unique)), n_bootstrap)
        weights[rows, 1:] = counts[:, codes].T
    return weights


def summarise(values: FloatArray) -> Estimate:
    """Return the first value with the middle 95 % of the others, where there are enough."""
    others = values[1:][np.isfinite(values[1:])]
    if len(others) < 20 or np.isnan(values[0]):
        return Estimate(float(values[0]))
    lower, upper = np.quantile(others, [0.025, 0.975])
    return Estimate(float(values[0]), float(lower), float(upper))


@dataclass(frozen=True, eq=False)
class _Plan:
    cohort: Predicted
    horizons: tuple[float, ...]
    used: tuple[float, ...]
    known: BoolArray
    month: float
    rows: IntArray

    def measure(self, weights: FloatArray) -> dict[str, FloatArray]:
        cohort, known = self.cohort, self.known
        time, event, groups = cohort.time, cohort.event, cohort.groups
        months, risk = cohort.predictions.months, cohort.predictions.risk
        within = months <= self.used[-1]
        censoring = estimate_censoring(time, event, groups)
        # The risk at the last month the series supports ranks its patients.
        reach = np.maximum((known & within).sum(axis=1) - 1, 0)
        # Patients alike in all covariates are tied, though their risks may differ in the last bit.
        ranking = np.round(risk, 12) if cohort.ranks else np.zeros_like(risk)
        marker, limit = ranking[np.arange(len(time)), reach], months[reach]
        capped = np.where((time > limit) & (event == 1), 0, event)
        before = np.maximum(censoring.before_own_time, 1e-12)
        scores = brier_scores(risk, months, known, censoring, weights)
        null_scores = brier_scores(cohort.predictions.null, months, known, censoring, weights)
        integrated = integrate(scores[within], months[within])
        null = integrate(null_scores[within], months[within])
        result = {
            "c_index": weighted_concordance(time, event, marker, weights, groups),
            "c_index_ipcw": weighted_concordance(time, capped, marker, weights, groups, before),
            "integrated_brier_score": integrated,
            "brier_null": null,
            "index_of_prediction_accuracy": 1.0 - _over(integrated, null),
        }
        for month in self.horizons:
            k = int(np.searchsorted(months, month))
            rows = np.flatnonzero(known[:, k])
            missing = np.full(weights.shape[1], np.nan)
            result[f"auc {month:g}"] = (
                dynamic_auc(ranking[:, k], month, rows, censoring, weights)
                if len(rows)
                else missing
            )
            result[f"brier {month:g}"] = scores[k] if len(rows) else missing
            result[f"index_of_prediction_accuracy {month:g}"] = (
                1.0 - _over(scores[k], null_scores[k]) if len(rows) else missing
            )
        return {**result, **self._calibration(weights), **self._net_benefit(weights)}

    def _calibration(self, weights: FloatArray) -> dict[str, FloatArray]:
        cohort, rows = self.cohort, self.rows
        k = int(np.searchsorted(cohort.predictions.months, self.month))
        predicted, w = cohort.predictions.risk[rows, k], weights[rows]
        pseudo = grouped_pseudo_risks(
            cohort.time[rows], cohort.event[rows], self.month, cohort.groups[rows]
        )
        distances = np.empty((3, w.shape[1]))
        for column in range(w.shape[1]):
            counts = w[:, column]
            distance = np.abs(fit_curve(pseudo, predicted, counts).at(predicted) - predicted)
            distances[0, column] = np.average(distance, weights=counts)
            distances[1:, column] = _quantiles(distance, counts, (0.5, 0.9))
        undefined = np.full(w.shape[1], np.nan)
        return {
            "calibration_slope": (
                calibration_slope(pseudo, predicted, w) if cohort.ranks else undefined
            ),
            "calibration_in_the_large": calibration_in_the_large(pseudo, predicted, w),
            "observed_expected_ratio": _over(pseudo @ w, predicted @ w),
            "integrated_calibration_index": distances[0],
            "e50": distances[1],
            "e90": distances[2],
        }

    def _net_benefit(self, weights: FloatArray) -> dict[str, FloatArray]:
        cohort, rows = self.cohort, self.rows
        k = int(np.searchsorted(cohort.predictions.months, self.month))
        marks = np.asarray(THRESHOLDS)
        time, event, w = cohort.time[rows], cohort.event[rows], weights[rows]
        risk = cohort.predictions.risk[rows, k]
        model = net_benefits(time, event, risk, self.month, marks, w)
        everyone = net_benefits(time, event, np.ones(len(rows)), self.month, marks, w)
        return {
            f"{name} {mark:g}": values[row]
            for name, values in (("net_benefit", model), ("treat_all", everyone))
            for row, mark in enumerate(THRESHOLDS)
        }


def _over(values: FloatArray, others: FloatArray) -> FloatArray:
    """Return ratios; NaN where the denominator is 0, as where nobody has an event."""
    return np.asarray(values / np.where(others > 0, others, np.nan))


def _quantiles(values: FloatArray, weights: FloatArray, shares: tuple[float, ...]) -> FloatArray:
    """Return quantiles of values that count as often as their whole weights say."""
    return np.quantile(np.repeat(values, weights.astype(np.int64)), shares)


def _support_notes(
    horizons: tuple[float, ...], months: FloatArray, known: BoolArray, groups: Any
) -> tuple[str, ...]:
    notes = []
    for month in horizons:
        rows = known[:, int(np.searchsorted(months, month))]
        out = sorted(set(groups) - set(groups[rows]))
        if not rows.any():
            notes.append(f"month {month:g}: beyond the follow-up, not evaluated")
        elif out:
            notes.append(
                f"month {month:g}: without the series not followed so far ({', '.join(out)})"
            )
    return tuple(notes)
