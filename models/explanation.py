"""Which covariates a model's ranking of patients rests on."""

from typing import Any

import numpy as np
import pandas as pd

from outcomes.arrays import IntArray
from outcomes.endpoints import get_endpoint
from outcomes.errors import ModelError
from outcomes.models.base import SurvivalModel, as_table, read_response
from outcomes.models.concordance import concordance


def permutation_importance(
    model: SurvivalModel, cohort: pd.DataFrame, n_repeats: int = 5, random_state: int = 0
) -> pd.DataFrame:
    """Return how much concordance is lost when a covariate is shuffled among patients.

    Values are shuffled within series and only among patients they apply to, so that no patient
    arises who cannot exist: `dose_regimen` among those with SBRT, `separation_mm` among those
    with a separation procedure, and `sbrt` together with its regimen (its importance is that
    of both).

    Parameters
    ----------
    model
        A fitted model.
    cohort
        Patients with covariates and the endpoint's columns. They should be patients the model
        was not fitted to: in its own a covariate that only fits noise looks important.
    n_repeats
        Shuffles per covariate.
    random_state
        Seed.

    Returns
    -------
    DataFrame
        Columns covariate, label, importance (mean loss of the C-index), sd (over the shuffles);
        the most important first.
    """
    if n_repeats < 1:
        raise ModelError(f"n_repeats: found {n_repeats!r}; allowed: at least 1")
    table = as_table(cohort).reset_index(drop=True)
    time, event = read_response(get_endpoint(model.endpoint), table)
    groups = np.full(len(table), "", dtype=object)
    series: Any = None
    if model.strata is not None and model.strata in table.columns:
        groups = table[model.strata].astype(str).to_numpy(dtype=object)
        if set(groups) <= set(model.series_.names):
            series = groups
    reference = concordance(time, event, model.predict(table, series=series), groups)
    names = [covariate.name for covariate in model.design_.covariates]
    generators = np.random.default_rng(random_state).spawn(len(names))
    rows = []
    for covariate, rng in zip(model.design_.covariates, generators, strict=True):
        together = [covariate.name]
        if covariate.name == "sbrt" and "dose_regimen" in names:
            together.append("dose_regimen")
        losses = []
        for _ in range(n_repeats):
            order = _shuffle(table, covariate.name, names, groups, rng)
            shuffled = table.copy()
            for column in together:
                shuffled[column] = table[column].to_numpy()[order]
            score = concordance(time, event, model.predict(shuffled, series=series), groups)
            losses.append(reference - score)
        rows.append(
            {
                "covariate": covariate.name,
                "label": covariate.label,
                "importance": float(np.mean(losses)),
                "sd": float(np.std(losses, ddof=1)) if n_repeats > 1 else 0.0,
            }
        )
    result = pd.DataFrame(rows, columns=["covariate", "label", "importance", "sd"])
    return result.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def _shuffle(
    table: pd.DataFrame, name: str, names: list[str], groups: Any, rng: np.random.Generator
) -> IntArray:
    """Return an order of the rows that moves only patients the covariate applies to."""
    applies = np.ones(len(table), dtype=bool)
    if name == "dose_regimen" and "sbrt" in names:
        applies = (table["dose_regimen"].astype(str) != "none").to_numpy()
    if name == "separation_mm" and "procedure" in table.columns:
        applies = (table["procedure"].astype(object) != "none").to_numpy()
    order = np.arange(len(table))
    for group in sorted(set(groups)):
        rows = np.flatnonzero(applies & (groups == group))
        order[rows] = rng.permutation(rows)
    return order
