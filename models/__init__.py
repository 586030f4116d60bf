"""Models of overall survival and local control, their evaluation and their files."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outcomes.models.cox import CoxModel
    from outcomes.models.design import DEFAULT_COVARIATES, Design
    from outcomes.models.evaluation import Evaluation, cross_validate, evaluate
    from outcomes.models.explanation import permutation_importance
    from outcomes.models.export import calculator_data, evaluate_calculator
    from outcomes.models.fine_gray import FineGrayModel
    from outcomes.models.forest import ForestModel
    from outcomes.models.persistence import load_model, save_model

# Imported on first use: lifelines and scikit-survival take seconds to load.
_HOMES = {
    "DEFAULT_COVARIATES": "design",
    "CoxModel": "cox",
    "Design": "design",
    "Evaluation": "evaluation",
    "FineGrayModel": "fine_gray",
    "ForestModel": "forest",
    "calculator_data": "export",
    "cross_validate": "evaluation",
    "evaluate": "evaluation",
    "evaluate_calculator": "export",
    "load_model": "persistence",
    "permutation_importance": "explanation",
    "save_model": "persistence",
}

__all__ = [
    "DEFAULT_COVARIATES",
    "CoxModel",
    "Design",
    "Evaluation",
    "FineGrayModel",
    "ForestModel",
    "calculator_data",
    "cross_validate",
    "evaluate",
    "evaluate_calculator",
    "load_model",
    "permutation_importance",
    "save_model",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"outcomes.models.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'outcomes.models' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
