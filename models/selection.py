"""Choosing a model: candidates side by side on the same folds, and tuning that is itself tested."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import FloatArray, IntArray
from outcomes.endpoints import get_endpoint
from outcomes.errors import ModelError
from outcomes.models.checks import check_count
from outcomes.models.evaluation import (
    HORIZONS,
    deal_folds,
    groups_of,
    identify_patients,
    months_of,
    predict_out_of_fold,
)
from outcomes.models.inputs import as_table, read_response
from outcomes.models.measures import Evaluation, check_draws, summarise_measures
from outcomes.models.measuring import measure_columns, resample, summarise
from outcomes.models.null_model import KaplanMeierModel
from outcomes.models.wrapping import model_in, splits_by_group

NULL = "kaplan-meier"


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """Models measured on the same out-of-fold patients.

    Attributes
    ----------
    table
        One row per model and measure: model, measure, value, lower, upper.
    differences
        One row per pair of models and measure: model, reference, measure, difference (model minus
        reference), lower, upper. The bootstrap samples are the same for both, so the difference is
        paired.
    evaluations
        The full evaluation of each model, by name.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    evaluations: Mapping[str, Evaluation]

    def best(self, measure: str = "integrated_brier_score") -> str:
        """Return the model with the best value of a measure, the first one where they are equal.

        Raises
        ------
        ModelError
            If the measure is unknown or has no better and worse.
        """
        sign = next((s for name, s in _BETTER.items() if measure.split(" ")[0] == name), None)
        rows = self.table[(self.table["measure"] == measure) & self.table["value"].notna()]
        if sign is None or rows.empty:
            raise ModelError(f"measure: found {measure!r}; allowed: {', '.join(_BETTER)}")
        return str(rows["model"].to_numpy()[int(np.argmax(sign * rows["value"].to_numpy()))])


_BETTER = {
    "c_index": 1,
    "c_index_ipcw": 1,
    "auc": 1,
    "brier": -1,
    "integrated_brier_score": -1,
    "index_of_prediction_accuracy": 1,
    "integrated_calibration_index": -1,
    "net_benefit": 1,
}


def compare_models(
    models: Mapping[str, Any],
    cohort: pd.DataFrame,
    *,
    n_folds: int = 5,
    horizons: Sequence[float] | float = HORIZONS,
    truth: npt.ArrayLike | None = None,
    n_bootstrap: int = 200,
    random_state: int = 0,
) -> ModelComparison:
    """Cross-validate models on the same folds and give their paired differences.

    Parameters
    ----------
    models
        Estimators as `evaluate` takes, by name: a model, a Pipeline, or a search such as
        GridSearchCV, which is then tuned anew in each fold. All of one endpoint and of the same
        series. The null model is added as "kaplan-meier" where no name is that.
    cohort, n_folds, horizons, truth, n_bootstrap, random_state
        As `cross_validate`; the intervals come from one set of bootstrap samples of patients, for
        all models, without refits.

    Raises
    ------
    ModelError
        If there is no model, the models differ in endpoint or series, or a fold cannot be fitted.
    """
    if not isinstance(models, Mapping):
        raise ModelError(
            f"models: found {type(models).__name__}; allowed: a mapping of names to models, such "
            'as {"cox": CoxModel()}'
        )
    check_draws(n_bootstrap, random_state)
    if not models:
        raise ModelError("models: found none; allowed: at least one model by name")
    inner = [model_in(model) for model in models.values()]
    first = inner[0]
    if any(
        get_endpoint(one.endpoint) != get_endpoint(first.endpoint) or one.strata != first.strata
        for one in inner
    ):
        raise ModelError("models: allowed are models of one endpoint and with the same strata")
    candidates = dict(models)
    candidates.setdefault(NULL, KaplanMeierModel(first.endpoint, strata=first.strata))
    table = as_table(cohort)
    months, asked = months_of(horizons)
    folds = deal_folds(first, table, n_folds, random_state)
    weights = resample(
        identify_patients(table),
        groups_of(first, table),
        n_bootstrap,
        np.random.default_rng([random_state, 1]),
    )
    evaluations: dict[str, Evaluation] = {}
    columns: dict[str, Mapping[str, FloatArray]] = {}
    for name, model in candidates.items():
        try:
            predicted, _ = predict_out_of_fold(
                model, table, folds, months, f"{n_folds}-fold cross-validation", truth
            )
        except ModelError as error:
            raise ModelError(f"{name}: {error}") from error
        measured = measure_columns(predicted, asked, weights)
        evaluations[name] = summarise_measures(predicted, measured, n_bootstrap)
        columns[name] = measured.columns
    names = list(candidates)
    pairs = [(one, other) for k, other in enumerate(names) for one in names[:k]]
    return ModelComparison(
        table=_rows(("model",), {(name,): columns[name] for name in names}, "value"),
        differences=_rows(
            ("model", "reference"),
            {
                (one, other): {
                    measure: values - columns[other][measure]
                    for measure, values in columns[one].items()
                }
                for one, other in pairs
            },
            "difference",
        ),
        evaluations=evaluations,
    )


@dataclass(frozen=True, eq=False)
class NestedEvaluation:
    """A search measured on patients that took no part in it.

    Attributes
    ----------
    evaluation
        The measures over the outer folds.
    chosen
        One row per outer fold: fold, score (the search's best inner score), and the parameters
        it chose.
    """

    evaluation: Evaluation
    chosen: pd.DataFrame


def nested_cross_validate(
    search: Any,
    cohort: pd.DataFrame,
    *,
    n_folds: int = 5,
    cv: Any = None,
    horizons: Sequence[float] | float = HORIZONS,
    truth: npt.ArrayLike | None = None,
    n_bootstrap: int = 200,
    random_state: int = 0,
) -> NestedEvaluation:
    """Evaluate a search, such as GridSearchCV, by searching anew in each outer training fold.

    The measures are those of the whole procedure, tuning included; the search's own best score is
    not, since it was chosen for being the best (Cawley and Talbot, J Mach Learn Res
    2010;11:2079-2107).

    Parameters
    ----------
    search
        A scikit-learn search around a model or a Pipeline. Where its ``cv`` is a splitter by
        group, such as GroupKFold, it is given the patients, so that rows of one stay together.
    cohort, n_folds, horizons, truth, n_bootstrap, random_state
        As `cross_validate`.
    cv
        A scikit-learn splitter of the outer folds instead of `n_folds`, or their number; each
        patient must be left out exactly once.

    Raises
    ------
    ModelError
        If `search` is no search, the outer folds do not leave each row out once, or a fold cannot
        be fitted.
    """
    if not hasattr(search, "estimator"):
        raise ModelError(
            f"search: found {type(search).__name__}; allowed: a scikit-learn search, such as "
            "GridSearchCV"
        )
    check_draws(n_bootstrap, random_state)
    if cv is not None and not hasattr(cv, "get_n_splits"):
        cv, n_folds = None, check_count("cv", cv, 2)
    table = as_table(cohort)
    months, asked = months_of(horizons)
    if cv is None:
        folds = deal_folds(search, table, n_folds, random_state)
        method = f"nested {n_folds}-fold cross-validation"
    else:
        folds = _folds_of(cv, search, table)
        method = f"nested cross-validation, {type(cv).__name__}"
    predicted, fits = predict_out_of_fold(search, table, folds, months, method, truth)
    weights = resample(
        predicted.patients,
        predicted.groups,
        n_bootstrap,
        np.random.default_rng([random_state, 1]),
    )
    measured = measure_columns(predicted, asked, weights)
    chosen = pd.DataFrame(
        [
            {"fold": fold + 1, "score": float(fit.best_score_), **fit.best_params_}
            for fold, fit in enumerate(fits)
        ]
    )
    return NestedEvaluation(summarise_measures(predicted, measured, n_bootstrap), chosen)


def _folds_of(cv: Any, search: Any, table: pd.DataFrame) -> IntArray:
    _, event = read_response(get_endpoint(model_in(search).endpoint), table)
    patients = identify_patients(table) if splits_by_group(cv) else None
    folds = np.full(len(table), -1, dtype=np.int64)
    seen = np.zeros(len(table), dtype=np.int64)
    for number, (_, out) in enumerate(cv.split(table, event, patients)):
        folds[out] = number
        seen[out] += 1
    if (seen != 1).any():
        row = int(np.flatnonzero(seen != 1)[0])
        raise ModelError(
            f"cv: row {row + 1} is left out {seen[row]} times; allowed: a splitter that leaves "
            "each row out once, such as KFold"
        )
    return folds


def _rows(
    keys: tuple[str, ...],
    columns: Mapping[tuple[str, ...], Mapping[str, FloatArray]],
    value: str,
) -> pd.DataFrame:
    records = []
    for names, measures in columns.items():
        for measure, values in measures.items():
            estimate = summarise(values)
            records.append(
                {
                    **dict(zip(keys, names, strict=True)),
                    "measure": measure,
                    value: estimate.value,
                    "lower": estimate.lower,
                    "upper": estimate.upper,
                }
            )
    return pd.DataFrame(records, columns=[*keys, "measure", value, "lower", "upper"])
