"""The measures of predicted risks, each with its bootstrap interval.

Every measure compares patients with their own series: discrimination counts only pairs of one
series, censoring is estimated within series, and the null prediction is each series' own curve.
What the series differ in is known beforehand and earns a model nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.curves import aalen_johansen
from outcomes.endpoints import Endpoint
from outcomes.errors import ModelError, NotEstimableError
from outcomes.estimate import Estimate
from outcomes.models.concordance import weighted_concordance
from outcomes.models.ipcw import estimate_censoring
from outcomes.models.pseudo import pseudo_risks
from outcomes.models.recalibration import calibration_in_the_large, calibration_slope
from outcomes.models.scores import brier_scores, dynamic_auc, integrate

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
class Predictions:
    """Predicted and null risks at months, and where the model reaches, each (n, n_months)."""

    months: FloatArray
    risk: FloatArray
    null: FloatArray
    reached: BoolArray


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


def measure(
    cohort: Predicted, horizons: tuple[float, ...], n_bootstrap: int, random_state: int
) -> Evaluation:
    """Return every measure of the predictions.

    Parameters
    ----------
    cohort
        The cohort and its predictions.
    horizons, n_bootstrap, random_state
        As `evaluation.evaluate`.

    Raises
    ------
    ModelError
        If no horizon is supported by the follow-up, or the truth is not one risk per patient
        and horizon.
    """
    if n_bootstrap < 0:
        raise ModelError(f"n_bootstrap: found {n_bootstrap!r}; allowed: at least 0")
    time, event, groups = cohort.time, cohort.event, cohort.groups
    predictions, notes = cohort.predictions, list(cohort.notes)
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
    weights = _resample(cohort.patients, groups, n_bootstrap, rng)

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
        endpoint=cohort.endpoint.name,
        model=cohort.model,
        method=f"{cohort.method}; intervals from {n_bootstrap} bootstrap samples of patients",
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
            cohort.truth, risk, predictions.reached, column, horizons, notes
        ),
        notes=tuple(notes),
    )


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
        except NotEstimableError:
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
