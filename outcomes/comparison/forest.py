"""Standardisation by random survival forests: no form of the covariates' effects is assumed."""

import numpy as np
import pandas as pd

from outcomes.arrays import FloatArray
from outcomes.causal.functionals import Functionals
from outcomes.causal.propensity import fit_propensity
from outcomes.causal.subjects import Subjects
from outcomes.endpoints import Endpoint
from outcomes.errors import ModelError, NotEstimableError
from outcomes.models import ForestModel

TREES = 100
TREES_PER_REPLICATE = 10
"""Fewer for a bootstrap sample: what they vary by themselves is small against the samples."""
MONTHS = 60
"""Months at which predicted incidences are taken for the area under them."""


def forest_values(
    subjects: Subjects,
    endpoint: Endpoint,
    functionals: Functionals,
    *,
    trees: int = TREES,
    seed: int = 0,
) -> FloatArray:
    """Return the mean risks of all patients from a forest of each arm, shape (2, k).

    A forest for each arm lets nothing of the treatment be smoothed away among the covariates.

    Parameters
    ----------
    subjects
        Patients; those drawn several times by the bootstrap are as many rows.
    endpoint
        What the codes mean.
    functionals
        What is asked.
    trees, seed
        Of each forest.

    Raises
    ------
    NotEstimableError
        If a series has only one arm, the covariates determine the arm of some patients (a forest
        knows nothing of an arm where it has nobody), or a forest cannot be grown.
    """
    fit_propensity(subjects)
    times = np.round(subjects.weights).astype(np.int64)
    # Trees draw rows by their position; the order of the patients is not to matter.
    order = np.lexsort((*subjects.with_series.T, subjects.codes, subjects.time))
    rows = np.repeat(order, times[order])
    table = pd.DataFrame(subjects.with_series, columns=_names(subjects))
    months = np.unique(
        np.concatenate([np.linspace(0, functionals.last, MONTHS + 1)[1:], functionals.horizons])
    )
    values = []
    for arm in (True, False):
        own = rows[subjects.treated[rows] == arm]
        training = table.iloc[own].reset_index(drop=True)
        training[list(endpoint.columns)] = np.column_stack(
            [subjects.time[own], subjects.codes[own]]
        )
        varying = [name for name in _names(subjects) if np.ptp(training[name]) > 0]
        if not varying:
            raise NotEstimableError("no covariate varies in one of the arms")
        model = ForestModel(
            endpoint=endpoint,
            covariates=varying,
            strata=None,
            n_estimators=trees,
            max_features=0.5,
            random_state=seed,
        )
        try:
            model.fit(training)
        except ModelError as error:
            raise NotEstimableError(f"the forest cannot be grown ({error})") from error
        # A risk after the arm's last month is asked of nobody; those before must not be lost by it.
        followed = np.minimum(months, subjects.time[own].max())
        curves = model.predict_cumulative_incidence(table, followed)
        values.append(_functionals(curves, subjects.weights, months, functionals))
    return np.array(values)


def _names(subjects: Subjects) -> list[str]:
    """Return names for the covariates and the indicators of series."""
    return [f"covariate {k}" for k in range(subjects.with_series.shape[1])]


def _functionals(
    curves: FloatArray, weights: FloatArray, months: FloatArray, functionals: Functionals
) -> FloatArray:
    """Return risks and areas under the mean of incidences known at some months."""
    mean = np.append(0.0, weights @ curves / weights.sum())
    edges = np.append(0.0, months)
    areas = np.append(0.0, np.cumsum(np.diff(edges) * (mean[1:] + mean[:-1]) / 2))
    at = np.searchsorted(edges, functionals.horizons)
    return np.concatenate([mean[at], areas[at]])
