"""Cox and Fine-Gray regression: risk sets, fit, baselines, residuals, tests."""

from outcomes.cox.baseline import BaselineHazard, PredictedHazard, baseline_hazards, predict_hazard
from outcomes.cox.clustered_rank_test import clustered_rank_test
from outcomes.cox.data import CoxData, prepare_cox
from outcomes.cox.firth import fit_firth
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
from outcomes.cox.score_test import cox_score_test
from outcomes.cox.splines import place_knots, spline_basis
from outcomes.cox.subdistribution import fit_fine_gray
from outcomes.cox.subdistribution_fit import FineGrayFit, SubdistributionBaseline
from outcomes.cox.subdistribution_proportionality import fine_gray_proportionality_test

__all__ = [
    "BaselineHazard",
    "ChiSquared",
    "CoxData",
    "CoxFit",
    "FineGrayFit",
    "PredictedHazard",
    "ProportionalHazardsTest",
    "SmoothedEffect",
    "SubdistributionBaseline",
    "baseline_hazards",
    "clustered_rank_test",
    "cox_score_test",
    "dfbeta_residuals",
    "fine_gray_proportionality_test",
    "fit_cox",
    "fit_fine_gray",
    "fit_firth",
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
