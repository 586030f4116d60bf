"""Two arms of a cohort compared by every method."""

from outcomes.causal.estimators import GRACE_MONTHS, LANDMARK_MONTHS, Choices
from outcomes.comparison.adjustment import DEFAULT_ADJUSTMENT
from outcomes.comparison.compare import compare
from outcomes.comparison.options import Options
from outcomes.comparison.result import ArmCurve, Comparison, Rung
from outcomes.comparison.setting import treatment_labels

__all__ = [
    "DEFAULT_ADJUSTMENT",
    "GRACE_MONTHS",
    "LANDMARK_MONTHS",
    "ArmCurve",
    "Choices",
    "Comparison",
    "Options",
    "Rung",
    "compare",
    "treatment_labels",
]
