"""Which covariates a model's predictions rest on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from outcomes.arrays import FloatArray, IntArray
from outcomes.endpoints import get_endpoint
from outcomes.errors import ModelError
from outcomes.models.applicability import applies_to, moves_with
from outcomes.models.base import SurvivalModel
from outcomes.models.columns import label_of
from outcomes.models.concordance import concordance
from outcomes.models.inputs import as_table, read_response
from outcomes.models.ipcw import estimate_censoring
from outcomes.models.scores import brier_scores, integrate
from outcomes.parallel import replicate

Metric = Callable[[SurvivalModel, pd.DataFrame], float]

_BRIER_MONTHS = 13
_FEWEST_AT_RISK = 10


@dataclass(frozen=True, eq=False)
class Importance:
    """How much worse a model predicts when covariates are shuffled among patients.

    Attributes
    ----------
    names, labels
        The covariates or groups of them, the most important first.
    losses
        Loss of the metric in each shuffle, shape (n_names, n_repeats).
    metric
        Name of the metric.
    reference
        The metric before shuffling; higher is better.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    losses: FloatArray
    metric: str
    reference: float

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row per name.

        Columns: covariate, label, importance (mean loss), sd (over the shuffles), lower, upper
        (t limits of the mean). The limits hold the error of a finite number of shuffles, not
        that of a finite number of patients.
        """
        n = self.losses.shape[1]
        mean = self.losses.mean(axis=1)
        sd = self.losses.std(axis=1, ddof=1) if n > 1 else np.full(len(mean), np.nan)
        margin = sd / np.sqrt(n) * (stdtrit(n - 1, 0.5 + level / 2) if n > 1 else np.nan)
        return pd.DataFrame(
            {
                "covariate": list(self.names),
                "label": list(self.labels),
                "importance": mean,
                "sd": sd,
                "lower": mean - margin,
                "upper": mean + margin,
            }
        )


def permutation_importance(
    model: SurvivalModel,
    cohort: pd.DataFrame,
    *,
    metric: str | Metric = "c_index",
    groups: Mapping[str, Sequence[str]] | None = None,
    n_repeats: int = 5,
    random_state: int = 0,
    jobs: int = 1,
    cluster: str | None = None,
) -> Importance:
    """Return how much a model's metric loses when a covariate is shuffled among patients.

    Values are shuffled within series and only among patients they apply to (see
    `outcomes.models.applicability`), so that no patient arises who cannot exist; `sbrt` and its
    regimen, which are coded together, are shuffled together as one. Fisher, Rudin and Dominici
    (J Mach Learn Res 2019;20(177)) describe what is estimated. Of two covariates that go together,
    each may look unimportant alone; shuffle them as a group.

    Parameters
    ----------
    model
        A fitted model of any kind.
    cohort
        Patients with covariates and the endpoint's columns. They should be patients the model
        was not fitted to: in its own a covariate that only fits noise looks important.
    metric
        ``c_index``: concordance within series. ``integrated_brier_score``: 1 minus the Brier
        score, averaged until the last month with 10 patients under observation. Or a function of
        model and cohort, higher for a better model; for several processes it must be picklable.
    groups
        Columns to be shuffled as one, by a name for them, such as the dummies of a category; by
        default each covariate of the model is one group, and `sbrt` with its regimen.
    n_repeats
        Shuffles per group.
    random_state
        Seed. The shuffles depend on it and the group's name alone, so that models are compared
        on the same ones.
    jobs, cluster
        As `outcomes.parallel.replicate` takes them.

    Raises
    ------
    ModelError
        If a group's column is not in the cohort, the metric is unknown, or `n_repeats` is below 1.
    """
    if n_repeats < 1:
        raise ModelError(f"n_repeats: found {n_repeats!r}; allowed: at least 1")
    if isinstance(metric, str) and metric not in _METRICS:
        raise ModelError(f"metric: found {metric!r}; allowed: {', '.join(_METRICS)}, a function")
    measure = _METRICS[metric] if isinstance(metric, str) else metric
    table = as_table(cohort).reset_index(drop=True)
    names = [covariate.name for covariate in model.design_.covariates]
    together = _groups(names, table, groups)
    labels = {covariate.name: covariate.label for covariate in model.design_.covariates}
    items = [
        (columns, seed)
        for name, columns in together.items()
        for seed in np.random.SeedSequence([random_state, crc32(name.encode())]).spawn(n_repeats)
    ]
    reference = float(measure(model, table))
    score = partial(_shuffled_score, model, table, measure, names)
    scores = np.asarray(replicate(score, items, jobs=jobs, cluster=cluster))
    losses = reference - scores.reshape(len(together), n_repeats)
    order = np.argsort(-losses.mean(axis=1), kind="stable")
    keys = list(together)
    return Importance(
        names=tuple(keys[k] for k in order),
        labels=tuple(_label(keys[k], together[keys[k]], labels) for k in order),
        losses=losses[order],
        metric=metric if isinstance(metric, str) else getattr(metric, "__name__", "metric"),
        reference=reference,
    )


def _groups(
    names: Sequence[str], table: pd.DataFrame, groups: Mapping[str, Sequence[str]] | None
) -> dict[str, tuple[str, ...]]:
    if groups is None:
        moved = {name: moves_with(name, names) for name in names}
        within = {column for columns in moved.values() for column in columns[1:]}
        return {name: columns for name, columns in moved.items() if name not in within}
    for name, columns in groups.items():
        missing = [column for column in columns if column not in table.columns]
        if missing or not columns or isinstance(columns, str):
            raise ModelError(
                f"groups: {name}: found {columns!r}; allowed: one or more columns of the cohort"
            )
    return {name: tuple(columns) for name, columns in groups.items()}


def _label(name: str, columns: Sequence[str], labels: Mapping[str, str]) -> str:
    """Return the words of a group: those of its columns, where it bears the name of one."""
    if name not in labels:
        return label_of(name)
    return " and ".join(labels[column] for column in columns)


def _shuffled_score(
    model: SurvivalModel,
    table: pd.DataFrame,
    metric: Metric,
    names: Sequence[str],
    item: tuple[tuple[str, ...], np.random.SeedSequence],
) -> float:
    columns, seed = item
    order = _shuffle(model, table, columns, names, np.random.default_rng(seed))
    shuffled = table.copy()
    for column in columns:
        shuffled[column] = table[column].array[order]
    return float(metric(model, shuffled))


def _shuffle(
    model: SurvivalModel,
    table: pd.DataFrame,
    columns: tuple[str, ...],
    names: Sequence[str],
    rng: np.random.Generator,
) -> IntArray:
    """Return an order of the rows that moves only patients the columns apply to."""
    # With `sbrt` its regimen moves among all, as one value.
    single = [c for c in columns if not (c == "dose_regimen" and "sbrt" in columns)]
    applies = np.all([applies_to(table, column, names) for column in single], axis=0)
    groups = _series(model, table)[0]
    order = np.arange(len(table))
    for group in sorted(set(groups)):
        rows = np.flatnonzero(applies & (groups == group))
        order[rows] = rng.permutation(rows)
    return order


def _series(model: SurvivalModel, table: pd.DataFrame) -> tuple[Any, Any]:
    """Return the series of each row, and whose prediction to ask for: own, or None for average."""
    if model.strata is None or model.strata not in table.columns:
        return np.full(len(table), "", dtype=object), None
    groups = table[model.strata].astype(str).to_numpy(dtype=object)
    return groups, groups if set(groups) <= set(model.series_.names) else None


def _concordance(model: SurvivalModel, table: pd.DataFrame) -> float:
    time, event = read_response(get_endpoint(model.endpoint), table)
    groups, series = _series(model, table)
    return concordance(time, event, model.predict(table, series=series), groups)


def _brier(model: SurvivalModel, table: pd.DataFrame) -> float:
    time, event = read_response(get_endpoint(model.endpoint), table)
    groups, series = _series(model, table)
    followed = np.sort(time)[max(len(time) - _FEWEST_AT_RISK, 0)]
    months = np.linspace(0.0, min(followed, model.series_.end), _BRIER_MONTHS)
    known = np.ones((len(table), len(months)), dtype=np.bool_)
    risk = np.empty(known.shape)
    for name in sorted(set(groups)):
        rows = np.flatnonzero(groups == name)
        own = None if series is None else name
        end = min(model.series_.end_of(own), float(time[rows].max()))
        known[rows] = months <= end
        held = np.minimum(months, end)
        risk[rows] = 1.0 - model.predict_survival(table.iloc[rows], held, series=own)
    censoring = estimate_censoring(time, event, groups)
    scores = brier_scores(risk, months, known, censoring, np.ones((len(table), 1)))
    return 1.0 - float(integrate(scores, months)[0])


_METRICS: dict[str, Metric] = {"c_index": _concordance, "integrated_brier_score": _brier}
