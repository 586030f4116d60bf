"""Do the predicted risks by one month come true? Curve, groups, ratio and distances.

The curve regresses pseudo-values of the risk on a restricted cubic spline of the predictions, both
on the complementary log-log scale: the flexible form of `recalibration`, for competing events too
(van Geloven et al., BMJ 2022;377:e069249; Austin, Harrell and van Klaveren, Stat Med
2020;39:2714-2742). Intervals of the curve are from the sandwich variance of the regression.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from outcomes.arrays import FloatArray, IntArray
from outcomes.cox.splines import place_knots, spline_basis
from outcomes.curves import aalen_johansen
from outcomes.errors import NotEstimableError
from outcomes.estimate import Estimate
from outcomes.models.checks import (
    check_count,
    check_labels,
    check_level,
    check_month,
    check_outcome,
    check_probabilities,
)
from outcomes.models.pseudo import pseudo_risks
from outcomes.models.recalibration import log_log
from outcomes.models.support import clip_months

# Points at which a curve is drawn.
_POINTS = 50


@dataclass(frozen=True, eq=False)
class Calibration:
    """Predicted against observed risk by one month.

    Attributes
    ----------
    month
        The month.
    curve
        Columns predicted, observed, lower, upper: from the 1st to the 99th percentile of the
        predictions; without rows where they take fewer than three values.
    groups
        By quantile group of the predictions: group, n, predicted (mean), observed
        (Aalen-Johansen), lower, upper; NaN where a group is not followed to the month.
    observed_expected
        Observed risk over mean predicted risk, with a log-normal interval; NaN where no event is
        predicted, and without limits where none was observed.
    integrated_calibration_index, e50, e90
        Mean, median and 90th percentile of the distance between predicted and observed risk over
        the patients (ICI, E50, E90).
    notes
        Who was left out, and why.
    """

    month: float
    curve: pd.DataFrame
    groups: pd.DataFrame
    observed_expected: Estimate
    integrated_calibration_index: float
    e50: float
    e90: float
    notes: tuple[str, ...] = ()


def calibrate_risks(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    predicted: npt.ArrayLike,
    month: float,
    *,
    groups: Any = None,
    n_knots: int = 4,
    n_groups: int = 10,
    level: float = 0.95,
) -> Calibration:
    """Compare predicted risks by a month with what was observed.

    Parameters
    ----------
    time, event
        Months, and codes (0 censored, 1 the event of interest, above 1 competing), shape (n,).
    predicted
        Predicted risk of event 1 by the month, shape (n,).
    month
        A month after which patients are still under observation.
    groups
        Series, within which pseudo-values are taken, shape (n,). One that nobody is observed of
        after the month is left out, and a note says so.
    n_knots
        Knots of the spline, 3 to 7.
    n_groups
        Quantile groups.
    level
        Coverage of the intervals.

    Raises
    ------
    ModelError
        If nobody is under observation after the month, lengths differ, a time or code is missing,
        or a risk is not from 0 to 1.
    """
    time, event = check_outcome(time, event)
    risk = check_probabilities("predicted", predicted, len(time))
    groups = check_labels("groups", groups, len(time))
    check_count("n_groups", n_groups, 1)
    support = clip_months(time, [check_month(month, time)], groups)
    followed = support.known[:, 0]
    time, event, risk = time[followed], event[followed], risk[followed]
    groups = None if groups is None else groups[followed]
    pseudo = grouped_pseudo_risks(time, event, month, groups)
    z = float(ndtri(0.5 + check_level(level) / 2))
    fit = fit_curve(pseudo, risk, np.ones(len(risk)), n_knots)
    distance = np.abs(fit.at(risk) - risk)
    lowest, highest = (float(limit) for limit in np.quantile(risk, [0.01, 0.99]))
    points = np.linspace(lowest, highest, _POINTS)
    if np.ptp(points) < 1e-9:
        points = points[:0]
    observed, lower, upper = fit.interval_at(points, z)
    return Calibration(
        month=month,
        curve=pd.DataFrame(
            {"predicted": points, "observed": observed, "lower": lower, "upper": upper}
        ),
        groups=calibration_groups(time, event, risk, month, n_groups, level),
        observed_expected=_ratio(pseudo, risk, z),
        integrated_calibration_index=float(distance.mean()),
        e50=float(np.median(distance)),
        e90=float(np.quantile(distance, 0.9)),
        notes=support.notes,
    )


def _ratio(pseudo: FloatArray, risk: FloatArray, z: float) -> Estimate:
    """Return the observed over the expected risk with its log-normal interval."""
    if risk.mean() <= 0:
        return Estimate(np.nan)
    ratio = float(pseudo.mean() / risk.mean())
    if len(pseudo) < 2 or ratio <= 0:
        return Estimate(ratio)
    error = float(pseudo.std(ddof=1) / np.sqrt(len(pseudo)) / pseudo.mean())
    return Estimate(ratio, ratio * float(np.exp(-z * error)), ratio * float(np.exp(z * error)))


def grouped_pseudo_risks(
    time: FloatArray, event: IntArray, month: float, groups: Any = None
) -> FloatArray:
    """Return `pseudo.pseudo_risks` taken within groups, shape (n,)."""
    if groups is None:
        return pseudo_risks(time, event, month)
    names = np.asarray(groups, dtype=object)
    pseudo = np.empty(len(time))
    for name in sorted(set(names)):
        rows = names == name
        pseudo[rows] = pseudo_risks(time[rows], event[rows], month)
    return pseudo


def calibration_groups(
    time: FloatArray,
    event: IntArray,
    predicted: FloatArray,
    month: float,
    n_groups: int,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return predicted and observed risk by quantile group; columns as `Calibration.groups`."""
    order = np.argsort(predicted, kind="stable")
    records = []
    causes = tuple(range(1, max(1, int(event.max(initial=1))) + 1))
    for number, rows in enumerate(np.array_split(order, n_groups), start=1):
        if not len(rows):
            continue
        observed = lower = upper = np.nan
        try:
            curve = aalen_johansen(time[rows], event[rows], causes=causes)
            observed = float(curve.incidence_at(1, month))
            lower, upper = (float(limit) for limit in curve.interval_at(1, month, level))
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


@dataclass(frozen=True, eq=False)
class FittedCurve:
    """A smooth calibration curve.

    Attributes
    ----------
    knots
        Of the spline of log(-log(1 - predicted)); None for a straight line.
    coefficients, covariance
        Of the observed risk on the same scale.
    """

    knots: FloatArray | None
    coefficients: FloatArray
    covariance: FloatArray

    def at(self, predicted: npt.ArrayLike) -> FloatArray:
        """Return the observed risk at predicted risks."""
        return _risk(_columns(predicted, self.knots) @ self.coefficients)

    def interval_at(
        self, predicted: npt.ArrayLike, z: float
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return observed risk with limits z standard errors away on the log-log scale."""
        columns = _columns(predicted, self.knots)
        center = columns @ self.coefficients
        error = np.sqrt(np.einsum("ij,jk,ik->i", columns, self.covariance, columns))
        return _risk(center), _risk(center - z * error), _risk(center + z * error)


def fit_curve(
    pseudo: FloatArray, predicted: FloatArray, weights: FloatArray, n_knots: int = 4
) -> FittedCurve:
    """Fit the smooth curve to pseudo-values by weighted least squares (damped Gauss-Newton).

    Where the predictions are too few for the knots, the curve is a straight line on the log-log
    scale; where they do not vary, a constant.
    """
    x = log_log(predicted)
    knots: FloatArray | None = None
    try:
        knots = place_knots(x, n_knots)
    except NotEstimableError:
        knots = None
    columns = _columns(predicted, knots)
    if np.ptp(x) < 1e-9:
        columns = columns * np.array([1.0, 0.0])
    # Begin with the predictions as they are.
    beta = np.zeros(columns.shape[1])
    beta[1] = 1.0
    if np.ptp(x) < 1e-9:
        beta = np.array([x[0], 0.0])
    for _ in range(50):
        gradient, residual = _slope_and_residual(columns @ beta, pseudo)
        tangent = columns * gradient[:, None]
        information = tangent.T @ (weights[:, None] * tangent)
        step = np.linalg.lstsq(information, tangent.T @ (weights * residual), rcond=1e-12)[0]
        size = np.abs(columns @ step).max()
        beta = beta + step * min(1.0, 1.0 / max(size, 1e-300))
        if size < 1e-8:
            break
    gradient, residual = _slope_and_residual(columns @ beta, pseudo)
    tangent = columns * gradient[:, None]
    bread = np.linalg.pinv(tangent.T @ (weights[:, None] * tangent), rcond=1e-12)
    score = tangent * (weights * residual)[:, None]
    return FittedCurve(knots, beta, np.asarray(bread @ (score.T @ score) @ bread))


def _columns(predicted: npt.ArrayLike, knots: FloatArray | None) -> FloatArray:
    x = log_log(np.asarray(predicted, dtype=np.float64))
    terms = x[:, None] if knots is None else spline_basis(x, knots)
    return np.column_stack([np.ones(len(x)), terms])


def _risk(eta: FloatArray) -> FloatArray:
    return np.asarray(-np.expm1(-np.exp(np.clip(eta, -30.0, 3.5))))


def _slope_and_residual(eta: FloatArray, pseudo: FloatArray) -> tuple[FloatArray, FloatArray]:
    hazard = np.exp(np.clip(eta, -30.0, 3.5))
    return np.asarray(hazard * np.exp(-hazard)), np.asarray(pseudo + np.expm1(-hazard))
