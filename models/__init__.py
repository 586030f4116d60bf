"""Models of overall survival and local control, their evaluation and their files."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outcomes.models.calibration import calibrate_risks
    from outcomes.models.concordance import Concordance, harrell_concordance, uno_concordance
    from outcomes.models.cox import CoxModel
    from outcomes.models.dependence import PartialDependence, partial_dependence
    from outcomes.models.design import DEFAULT_COVARIATES, Design
    from outcomes.models.evaluation import Evaluation, cross_validate, evaluate
    from outcomes.models.export import calculator_data, evaluate_calculator
    from outcomes.models.fine_gray import FineGrayModel
    from outcomes.models.forest import ForestModel
    from outcomes.models.importance import Importance, permutation_importance
    from outcomes.models.lifelines_view import as_lifelines
    from outcomes.models.net_benefit import decision_curve
    from outcomes.models.null_model import KaplanMeierModel
    from outcomes.models.optimism import OptimismCorrection, bootstrap_optimism
    from outcomes.models.out_of_bag_error import OutOfBag, out_of_bag
    from outcomes.models.persistence import load_model, save_model
    from outcomes.models.risk_scores import RiskScores, score_risks
    from outcomes.models.selection import (
        ModelComparison,
        NestedEvaluation,
        compare_models,
        nested_cross_validate,
    )
    from outcomes.models.uniformity import DCalibration, d_calibration

# Imported on first use: lifelines and scikit-survival take seconds to load.
_HOMES = {
    "DEFAULT_COVARIATES": "design",
    "Concordance": "concordance",
    "CoxModel": "cox",
    "DCalibration": "uniformity",
    "Design": "design",
    "Evaluation": "evaluation",
    "FineGrayModel": "fine_gray",
    "ForestModel": "forest",
    "Importance": "importance",
    "KaplanMeierModel": "null_model",
    "ModelComparison": "selection",
    "NestedEvaluation": "selection",
    "OptimismCorrection": "optimism",
    "OutOfBag": "out_of_bag_error",
    "PartialDependence": "dependence",
    "RiskScores": "risk_scores",
    "as_lifelines": "lifelines_view",
    "bootstrap_optimism": "optimism",
    "calculator_data": "export",
    "calibrate_risks": "calibration",
    "compare_models": "selection",
    "cross_validate": "evaluation",
    "d_calibration": "uniformity",
    "decision_curve": "net_benefit",
    "evaluate": "evaluation",
    "evaluate_calculator": "export",
    "harrell_concordance": "concordance",
    "load_model": "persistence",
    "nested_cross_validate": "selection",
    "out_of_bag": "out_of_bag_error",
    "partial_dependence": "dependence",
    "permutation_importance": "importance",
    "save_model": "persistence",
    "score_risks": "risk_scores",
    "uno_concordance": "concordance",
}

__all__ = [
    "DEFAULT_COVARIATES",
    "Concordance",
    "CoxModel",
    "DCalibration",
    "Design",
    "Evaluation",
    "FineGrayModel",
    "ForestModel",
    "Importance",
    "KaplanMeierModel",
    "ModelComparison",
    "NestedEvaluation",
    "OptimismCorrection",
    "OutOfBag",
    "PartialDependence",
    "RiskScores",
    "as_lifelines",
    "bootstrap_optimism",
    "calculator_data",
    "calibrate_risks",
    "compare_models",
    "cross_validate",
    "d_calibration",
    "decision_curve",
    "evaluate",
    "evaluate_calculator",
    "harrell_concordance",
    "load_model",
    "nested_cross_validate",
    "out_of_bag",
    "partial_dependence",
    "permutation_importance",
    "save_model",
    "score_risks",
    "uno_concordance",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"outcomes.models.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'outcomes.models' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
