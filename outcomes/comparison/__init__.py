"""Two arms of a cohort compared by every method."""

from outcomes.causal.estimators import GRACE_MONTHS, LANDMARK_MONTHS, Choices
from outcomes.comparison.adjustment import DEFAULT_ADJUSTMENT
from outcomes.comparison.compare import compare
from outcomes.comparison.dose_response import DoseResponse, dose_response
from outcomes.comparison.options import Options
from outcomes.comparison.result import ArmCurve, Comparison, Rung
from outcomes.comparison.robustness import RatioEValue, Robustness
from outcomes.comparison.saving import COMPARISON_FILES, save_comparisons
from outcomes.comparison.splitting import Below, Levels
from outcomes.comparison.target_trial import TargetTrial
from outcomes.comparison.treatment import treatment_labels

__all__ = [
    "COMPARISON_FILES",
    "DEFAULT_ADJUSTMENT",
    "GRACE_MONTHS",
    "LANDMARK_MONTHS",
    "ArmCurve",
    "Below",
    "Choices",
    "Comparison",
    "DoseResponse",
    "Levels",
    "Options",
    "RatioEValue",
    "Robustness",
    "Rung",
    "TargetTrial",
    "compare",
    "dose_response",
    "save_comparisons",
    "treatment_labels",
]
