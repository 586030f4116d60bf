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

from outcomes.arrays import BoolArray, FloatArray
from outcomes.errors import ModelError
from outcomes.estimate import Estimate
from outcomes.models.calibration import calibrate_risks, calibration_groups
from outcomes.models.checks import check_count
from outcomes.models.measuring import (
    THRESHOLDS,
    Measured,
    Predicted,
    measure_columns,
    resample,
    summarise,
)
from outcomes.models.uniformity import DCalibration, d_calibration

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
    horizons, horizons_used
        Months asked for, and those that the follow-up supports.
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
    accuracy
        Index of prediction accuracy by horizon.
    integrated_brier_score, brier_null
        Mean Brier score from month 0 to the last supported horizon, of the model and of the
        null prediction (each series' own curve).
    index_of_prediction_accuracy
        1 minus their ratio (Kattan and Gerds 2018).
    calibration_slope, calibration_in_the_large
        At `calibration_horizon`; see `outcomes.models.recalibration`. Right are 1 and 0.
    observed_expected_ratio, integrated_calibration_index, e50, e90
        At `calibration_horizon`; see `outcomes.models.calibration`. Right are 1, 0, 0 and 0. By
        chance alone the distances lie above 0, and in bootstrap samples further up.
    calibration_curve
        By fifth of the predicted risk: group, n, predicted (mean), observed (Aalen-Johansen),
        lower, upper.
    smooth_calibration
        Smooth calibration curve: predicted, observed, lower, upper.
    calibration_horizon
        Month of the calibration and of the net benefit.
    d_calibration
        Of the event-free probability at the own time; see `outcomes.models.uniformity`.
    net_benefit
        By threshold of risk: threshold, net_benefit, lower, upper, treat_all, treat_none, and
        difference, difference_lower, difference_upper: the net benefit above the better of
        treating all and none; see `outcomes.models.net_benefit`.
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
    horizons_used: tuple[float, ...]
    c_index: Estimate
    c_index_ipcw: Estimate
    auc: Mapping[float, Estimate | None]
    brier: Mapping[float, Estimate | None]
    accuracy: Mapping[float, Estimate | None]
    integrated_brier_score: Estimate
    brier_null: Estimate
    index_of_prediction_accuracy: Estimate
    calibration_slope: Estimate
    calibration_in_the_large: Estimate
    observed_expected_ratio: Estimate
    integrated_calibration_index: Estimate
    e50: Estimate
    e90: Estimate
    calibration_curve: pd.DataFrame
    smooth_calibration: pd.DataFrame
    calibration_horizon: float
    d_calibration: DCalibration
    net_benefit: pd.DataFrame
    truth_mean_absolute_error: Mapping[float, float] | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data as `metrics.json` holds it; what does not exist is None."""

        def by_month(values: Mapping[float, Estimate | None]) -> dict[str, Any]:
            return {
                f"{month:g}": None if value is None else value.to_dict()
                for month, value in values.items()
            }

        def records(table: pd.DataFrame) -> list[dict[str, Any]]:
            return [
                {str(key): _plain(value) for key, value in row.items()}
                for row in table.to_dict("records")
            ]

        truth = self.truth_mean_absolute_error
        return {
            "endpoint": self.endpoint,
            "model": self.model,
            "method": self.method,
            "n": self.n,
            "events": self.events,
            "horizons": list(self.horizons),
            "horizons_used": list(self.horizons_used),
            "c_index": self.c_index.to_dict(),
            "c_index_ipcw": self.c_index_ipcw.to_dict(),
            "auc": by_month(self.auc),
            "brier": by_month(self.brier),
            "index_of_prediction_accuracy_by_month": by_month(self.accuracy),
            "integrated_brier_score": self.integrated_brier_score.to_dict(),
            "brier_null": self.brier_null.to_dict(),
            "index_of_prediction_accuracy": self.index_of_prediction_accuracy.to_dict(),
            "calibration_slope": self.calibration_slope.to_dict(),
            "calibration_in_the_large": self.calibration_in_the_large.to_dict(),
            "calibration_horizon": _plain(self.calibration_horizon),
            "calibration_curve": records(self.calibration_curve),
            "observed_expected_ratio": self.observed_expected_ratio.to_dict(),
            "integrated_calibration_index": self.integrated_calibration_index.to_dict(),
            "e50": self.e50.to_dict(),
            "e90": self.e90.to_dict(),
            "smooth_calibration": records(self.smooth_calibration),
            "d_calibration": self.d_calibration.to_dict(),
            "net_benefit": records(self.net_benefit),
            "truth": {
                "mean_absolute_error": None
                if truth is None
                else {f"{month:g}": _plain(value) for month, value in truth.items()}
            },
            "notes": list(self.notes),
        }


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
    check_draws(n_bootstrap, random_state)
    rng = np.random.default_rng([random_state, 1])
    weights = resample(cohort.patients, cohort.groups, n_bootstrap, rng)
    return summarise_measures(cohort, measure_columns(cohort, horizons, weights), n_bootstrap)


def check_draws(n_bootstrap: int, random_state: int) -> None:
    """Raise ModelError where a number of bootstrap samples or a seed is none."""
    check_count("n_bootstrap", n_bootstrap, 0)
    check_count("random_state", random_state, 0)


def summarise_measures(cohort: Predicted, measured: Measured, n_bootstrap: int) -> Evaluation:
    """Return the measures with their bootstrap intervals.

    Parameters
    ----------
    cohort
        The cohort and its predictions.
    measured
        Its measures: of the cohort itself, and of each bootstrap sample.
    n_bootstrap
        Bootstrap samples.
    """
    columns, horizons, notes = measured.columns, measured.horizons, list(cohort.notes)
    time, event, rows = cohort.time, cohort.event, measured.rows
    predictions = cohort.predictions
    place = {month: int(np.searchsorted(predictions.months, month)) for month in horizons}
    predicted = predictions.risk[rows, place[measured.month]]
    notes.extend(measured.notes)
    left = [month for month in horizons if month not in measured.used]
    if left:
        notes.append(f"asked for months {_listed(horizons)}, used {_listed(measured.used)}")
    truth = _truth_error(
        cohort.truth, predictions.risk, predictions.reached, place, horizons, notes
    )

    def by_month(name: str) -> dict[float, Estimate | None]:
        values = {month: columns[f"{name} {month:g}"] for month in horizons}
        return {m: None if np.isnan(v[0]) else summarise(v) for m, v in values.items()}

    calibration = calibrate_risks(
        time[rows], event[rows], predicted, measured.month, groups=cohort.groups[rows]
    )
    return Evaluation(
        endpoint=cohort.endpoint.name,
        model=cohort.model,
        method=f"{cohort.method}; intervals from {n_bootstrap} bootstrap samples of patients",
        n=len(time),
        events=int((event == 1).sum()),
        horizons=horizons,
        horizons_used=measured.used,
        c_index=summarise(columns["c_index"]),
        c_index_ipcw=summarise(columns["c_index_ipcw"]),
        auc=by_month("auc"),
        brier=by_month("brier"),
        accuracy=by_month("index_of_prediction_accuracy"),
        integrated_brier_score=summarise(columns["integrated_brier_score"]),
        brier_null=summarise(columns["brier_null"]),
        index_of_prediction_accuracy=summarise(columns["index_of_prediction_accuracy"]),
        calibration_slope=summarise(columns["calibration_slope"]),
        calibration_in_the_large=summarise(columns["calibration_in_the_large"]),
        observed_expected_ratio=summarise(columns["observed_expected_ratio"]),
        integrated_calibration_index=summarise(columns["integrated_calibration_index"]),
        e50=summarise(columns["e50"]),
        e90=summarise(columns["e90"]),
        calibration_curve=calibration_groups(
            time[rows], event[rows], predicted, measured.month, _RISK_GROUPS
        ),
        smooth_calibration=calibration.curve,
        calibration_horizon=measured.month,
        d_calibration=d_calibration(predictions.own, predictions.own_observed),
        net_benefit=_net_benefit(columns),
        truth_mean_absolute_error=truth,
        notes=tuple(notes),
    )


def _net_benefit(columns: Mapping[str, FloatArray]) -> pd.DataFrame:
    records = []
    for threshold in THRESHOLDS:
        model = summarise(columns[f"net_benefit {threshold:g}"])
        everyone = columns[f"treat_all {threshold:g}"]
        gain = summarise(columns[f"net_benefit {threshold:g}"] - np.maximum(everyone, 0.0))
        records.append(
            {
                "threshold": threshold,
                "net_benefit": model.value,
                "lower": model.lower,
                "upper": model.upper,
                "treat_all": float(everyone[0]),
                "treat_none": 0.0,
                "difference": gain.value,
                "difference_lower": gain.lower,
                "difference_upper": gain.upper,
            }
        )
    return pd.DataFrame(records)


def _listed(months: tuple[float, ...]) -> str:
    return ", ".join(f"{month:g}" for month in months)


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
    try:
        true = np.asarray(truth, dtype=np.float64)
    except (TypeError, ValueError):
        raise ModelError("truth: allowed: a number for each patient and horizon") from None
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
