"""Comparison of two treatments: crude, adjusted, and from a landmark on."""

from outcomes.comparison.adjustment import DEFAULT_ADJUSTMENT
from outcomes.comparison.compare import compare
from outcomes.comparison.landmark import LANDMARK_MONTHS
from outcomes.comparison.result import ArmCurve, Comparison, Rung
from outcomes.comparison.setting import treatment_labels

__all__ = [
    "DEFAULT_ADJUSTMENT",
    "LANDMARK_MONTHS",
    "ArmCurve",
    "Comparison",
    "Rung",
    "compare",
    "treatment_labels",
]
