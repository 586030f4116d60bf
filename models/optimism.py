"""Optimism of a model's own patients, by the bootstrap.

Harrell, Lee and Mark, Stat Med 1996;15:361-387: a model fitted to a bootstrap sample is measured
on the sample and on the cohort; the mean difference is what a model gains by being measured on
its own patients. Efron and Tibshirani's .632 rule (An Introduction to the Bootstrap, section 17.7)
weighs the apparent measure by .368 and the mean on the patients left out of a sample by .632.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.random import SeedSequence
from sklearn.base import clone

from outcomes.arrays import FloatArray, IntArray
from outcomes.endpoints import get_endpoint
from outcomes.errors import ModelError, NotEstimableError
from outcomes.models.checks import check_count
from outcomes.models.evaluation import (
    HORIZONS,
    groups_of,
    identify_patients,
    months_of,
    predict_cohort,
)
from outcomes.models.inputs import as_table, read_response
from outcomes.models.measuring import measure_columns
from outcomes.models.wrapping import fit_estimator, model_in
from outcomes.parallel import Progress, replicate, spawn_seeds

Method = Literal["harrell", ".632"]


@dataclass(frozen=True, eq=False)
class OptimismCorrection:
    """Measures of a model corrected for optimism.

    Attributes
    ----------
    table
        One row per measure: measure, apparent, optimism, corrected, lower, upper. The interval is
        that of the apparent measure in the bootstrap samples, shifted by the optimism (Noma et
        al., Stat Med 2021;40:5691-5701).
    samples
        The measures of each sample: sample, measure, own (on the sample), cohort (on all
        patients), left_out (on those not drawn).
    method
        "harrell" or ".632".
    n_failed
        Samples to which the model could not be fitted; they are left out.
    notes
        Notes of the apparent evaluation, and on failures.
    """

    table: pd.DataFrame
    samples: pd.DataFrame
    method: Method
    n_failed: int
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data by measure; what does not exist is None."""
        return {
            "method": self.method,
            "n_failed": self.n_failed,
            "measures": {
                str(row["measure"]): {
                    name: None if np.isnan(row[name]) else float(row[name])
                    for name in ("apparent", "optimism", "corrected", "lower", "upper")
                }
                for row in self.table.to_dict("records")
            },
            "notes": list(self.notes),
        }


def bootstrap_optimism(
    model: Any,
    cohort: pd.DataFrame,
    *,
    horizons: Sequence[float] | float = HORIZONS,
    n_bootstrap: int = 200,
    method: Method = "harrell",
    random_state: int | SeedSequence = 0,
    jobs: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> OptimismCorrection:
    """Measure a model on its own patients and correct for that, refitting it to each sample.

    All that the estimator does is repeated in each sample: pass a Pipeline or a search such as
    GridSearchCV to have its selection and tuning counted. A patient drawn twice has two rows, so
    let a search split by group (GroupKFold), which keeps them together.

    Parameters
    ----------
    model
        An estimator as `evaluate` takes, fitted or not; clones of it are fitted.
    cohort
        Patients with the model's covariates and the endpoint's columns.
    horizons
        Months of AUC and Brier score.
    n_bootstrap
        Samples of whole patients, drawn within series; at least 2.
    method
        ``harrell`` or ``.632``.
    random_state
        Seed; the result does not depend on `jobs`.
    jobs, cluster, progress
        As `outcomes.parallel.replicate`.

    Raises
    ------
    ModelError
        If the model cannot be fitted to the cohort, or to hardly any sample.
    """
    model_in(model)
    if method not in ("harrell", ".632"):
        raise ModelError(f"method: found {method!r}; allowed: 'harrell', '.632'")
    check_count("n_bootstrap", n_bootstrap, 2)
    if not isinstance(random_state, SeedSequence):
        check_count("random_state", random_state, 0)
    table = as_table(cohort)
    months, asked = months_of(horizons)
    patients = identify_patients(table)
    fitted = fit_estimator(clone(model), table, patients)
    read_response(get_endpoint(model_in(model).endpoint), table)
    apparent, notes = _measures(fitted, table, months, asked)
    one = partial(_measure_sample, model=model, table=table, months=months, asked=asked)
    found = replicate(
        one, spawn_seeds(random_state, n_bootstrap), jobs=jobs, cluster=cluster, progress=progress
    )
    kept = [sample for sample in found if not isinstance(sample, str)]
    reasons = sorted({sample for sample in found if isinstance(sample, str)})
    n_failed = len(found) - len(kept)
    if len(kept) < max(2, n_bootstrap // 2):
        raise ModelError(
            f"the model could be fitted to {len(kept)} of {n_bootstrap} bootstrap samples; "
            f"{reasons[0]}"
        )
    if n_failed:
        notes = (*notes, f"{n_failed} of {n_bootstrap} samples left out: {'; '.join(reasons[:3])}")
    samples = pd.DataFrame(
        [
            {"sample": number, "measure": name, **values}
            for number, sample in enumerate(kept)
            for name, values in sample.items()
        ]
    )
    records = [_correct(name, value, samples, method) for name, value in apparent.items()]
    return OptimismCorrection(pd.DataFrame(records), samples, method, n_failed, notes)


def _measure_sample(
    seed: SeedSequence,
    model: Any,
    table: pd.DataFrame,
    months: FloatArray,
    asked: tuple[float, ...],
) -> dict[str, dict[str, float]] | str:
    """Return the measures of a fit to one sample, or why there is none."""
    drawn = _draw(table, model, np.random.default_rng(seed))
    sample = table.iloc[drawn].reset_index(drop=True)
    left_out = np.setdiff1d(np.arange(len(table)), drawn)
    try:
        fitted = fit_estimator(clone(model), sample, identify_patients(table)[drawn])
        own, _ = _measures(fitted, sample, months, asked)
        cohort, _ = _measures(fitted, table, months, asked)
    except (ModelError, NotEstimableError) as error:
        return str(error)
    try:
        others, _ = _measures(fitted, table.iloc[left_out], months, asked)
    except (ModelError, NotEstimableError):
        # Too few are left out to be followed to any horizon.
        others = dict.fromkeys(own, np.nan)
    return {
        name: {"own": own[name], "cohort": cohort[name], "left_out": others[name]} for name in own
    }


def _draw(table: pd.DataFrame, model: Any, rng: np.random.Generator) -> IntArray:
    """Return the rows of whole patients drawn within series."""
    patients, groups = identify_patients(table), groups_of(model_in(model), table)
    rows = []
    for name in sorted(set(groups)):
        members = np.flatnonzero(groups == name)
        codes, unique = pd.factorize(patients[members])
        counts = rng.multinomial(len(unique), np.full(len(unique), 1 / len(unique)))
        rows.append(np.repeat(members, counts[codes]))
    return np.concatenate(rows)


def _measures(
    fitted: Any, table: pd.DataFrame, months: FloatArray, asked: tuple[float, ...]
) -> tuple[dict[str, float], tuple[str, ...]]:
    predicted = predict_cohort(fitted, table, months, own_times=False)
    measured = measure_columns(predicted, asked, np.ones((len(table), 1)))
    values = {name: float(column[0]) for name, column in measured.columns.items()}
    return values, (*predicted.notes, *measured.notes)


def _correct(
    name: str, apparent: float, samples: pd.DataFrame, method: Method
) -> dict[str, float | str]:
    mine = samples[samples["measure"] == name]
    own, cohort, left_out = (mine[column].to_numpy() for column in ("own", "cohort", "left_out"))
    by_rule = {
        "harrell": _finite_mean(own - cohort),
        ".632": 0.632 * (apparent - _finite_mean(left_out)),
    }
    optimism = by_rule[method]
    finite = own[np.isfinite(own)]
    lower, upper = np.quantile(finite, [0.025, 0.975]) if len(finite) >= 20 else (np.nan, np.nan)
    return {
        "measure": name,
        "apparent": apparent,
        "optimism": optimism,
        "corrected": apparent - optimism,
        "lower": float(lower - optimism),
        "upper": float(upper - optimism),
    }


def _finite_mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
