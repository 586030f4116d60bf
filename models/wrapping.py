"""Models inside scikit-learn's pipelines and searches."""

from typing import Any

import pandas as pd
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    LeaveOneGroupOut,
    LeavePGroupsOut,
    StratifiedGroupKFold,
)

from outcomes.errors import ModelError
from outcomes.models.base import SurvivalModel
from outcomes.models.inputs import as_table

_BY_GROUP = (
    GroupKFold,
    GroupShuffleSplit,
    LeaveOneGroupOut,
    LeavePGroupsOut,
    StratifiedGroupKFold,
)


def model_in(estimator: Any) -> SurvivalModel:
    """Return the model in an estimator: itself, a pipeline's last step, a search's best.

    Raises
    ------
    ModelError
        If there is none.
    """
    inner = estimator
    while not isinstance(inner, SurvivalModel):
        if hasattr(inner, "steps"):
            inner = inner.steps[-1][1]
        elif hasattr(inner, "best_estimator_"):
            inner = inner.best_estimator_
        elif hasattr(inner, "estimator"):
            inner = inner.estimator
        else:
            raise ModelError(
                f"model: found {type(estimator).__name__}; allowed: a model of this package, or a "
                "Pipeline or a search such as GridSearchCV around one"
            )
    return inner


def transform_for(estimator: Any, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as the fitted estimator's model sees it, after the steps before it."""
    inner = getattr(estimator, "best_estimator_", estimator)
    if not hasattr(inner, "steps"):
        return table
    for _, step in inner.steps[:-1]:
        if step is not None and step != "passthrough":
            table = as_table(step.transform(table))
    return transform_for(inner.steps[-1][1], table)


def fit_estimator(estimator: Any, table: pd.DataFrame, patients: Any) -> Any:
    """Fit an estimator; a search whose splitter takes groups keeps each patient's rows together."""
    if splits_by_group(getattr(estimator, "cv", None)):
        return estimator.fit(table, groups=patients)
    return estimator.fit(table)


def splits_by_group(splitter: Any) -> bool:
    """Tell whether a splitter of scikit-learn keeps groups of rows together."""
    return isinstance(splitter, _BY_GROUP)
