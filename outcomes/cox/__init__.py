"""The Cox model: risk sets, fit, baselines, residuals, tests."""

from outcomes.cox.baseline import BaselineHazard, PredictedHazard, baseline_hazards, predict_hazard
from outcomes.cox.data import CoxData, prepare_cox
from outcomes.cox.fit import ChiSquared, CoxFit, fit_cox, fit_prepared
from outcomes.cox.proportionality import (
    ProportionalHazardsTest,
    SmoothedEffect,
    proportional_hazards_test,
    smoothed_effect,
)
from outcomes.cox.residuals import (
    dfbeta_residuals,
    martingale_residuals,
    schoenfeld_residuals,
    score_residuals,
    with_robust_covariance,
)
from outcomes.cox.splines import place_knots, spline_basis

__all__ = [
    "BaselineHazard",
    "ChiSquared",
    "CoxData",
    "CoxFit",
    "PredictedHazard",
    "ProportionalHazardsTest",
    "SmoothedEffect",
    "baseline_hazards",
    "dfbeta_residuals",
    "fit_cox",
    "fit_prepared",
    "martingale_residuals",
    "place_knots",
    "predict_hazard",
    "prepare_cox",
    "proportional_hazards_test",
    "schoenfeld_residuals",
    "score_residuals",
    "smoothed_effect",
    "spline_basis",
    "with_robust_covariance",
]
