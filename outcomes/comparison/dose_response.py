"""Risk by the dose: what would happen if all patients had this distance, or that."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from outcomes.arrays import FloatArray, IntArray
from outcomes.comparison.contrast import Z95
from outcomes.endpoints import OVERALL_SURVIVAL, Endpoint, get_endpoint
from outcomes.errors import CohortError, ModelError, NotEstimableError, OutcomesError, Violation
from outcomes.models import CoxModel
from outcomes.models.probabilities import log_log_limits
from outcomes.parallel import replicate, spawn_seeds
from outcomes.schema import one_row_per_patient, patient_numbers

KNOTS = 4
VALUES = 9
"""Doses shown, from the 5th to the 95th percentile."""
SPREAD = (0.05, 0.95)
LEAST_REPLICATES = 0.8


@dataclass(frozen=True, eq=False)
class DoseResponse:
    """Standardised risk by dose.

    Attributes
    ----------
    column, endpoint
        The dose, and what it is a risk of.
    doses
        Shape (n_doses,), in the unit of the column.
    horizon
        Months since surgery.
    risk, lower, upper
        Risk if all patients had the dose, with 95 % limits, shape (n_doses,).
    reference
        Dose that the others are compared with.
    difference, difference_lower, difference_upper
        Risk less that at the reference, with 95 % limits, shape (n_doses,).
    covariates
        What was adjusted for.
    """

    column: str
    endpoint: str
    doses: FloatArray
    horizon: float
    risk: FloatArray
    lower: FloatArray
    upper: FloatArray
    reference: float
    difference: FloatArray
    difference_lower: FloatArray
    difference_upper: FloatArray
    covariates: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a dose."""
        return pd.DataFrame(
            {
                "endpoint": self.endpoint,
                "horizon_months": self.horizon,
                self.column: self.doses,
                "risk": self.risk,
                "lower": self.lower,
                "upper": self.upper,
                "reference": self.reference,
                "difference": self.difference,
                "difference_lower": self.difference_lower,
                "difference_upper": self.difference_upper,
            }
        )


def dose_response(
    cohort: pd.DataFrame,
    column: str,
    *,
    endpoint: str | Endpoint,
    horizon: float,
    reference: float,
    covariates: Sequence[str],
    doses: Sequence[float] | None = None,
    bootstraps: int = 200,
    seed: int = 0,
    jobs: int = 1,
) -> DoseResponse:
    """Return the risk by dose, standardised over all patients.

    A Cox model of each cause with a restricted cubic spline of the dose (four knots) beside the
    covariates is averaged over the rows at each dose. The limits are the bootstrap's, which draws
    patients with all their lesions. A spline smooths a risk that jumps at a threshold.

    Parameters
    ----------
    cohort
        One row for each patient or lesion; for overall survival the first row with a dose of each
        ``patient_id`` is taken.
    column
        The dose: a column of finite numbers; rows without one are left out.
    endpoint
        The endpoint or its name; competing events compete.
    horizon
        Months since surgery.
    reference
        Dose to compare with.
    covariates
        Adjusting columns.
    doses
        Doses to show; by default nine from the 5th to the 95th percentile, and the reference.
    bootstraps, seed, jobs
        Samples of patients, their seed, and processes.

    Raises
    ------
    CohortError
        If the dose is no column of finite numbers.
    NotEstimableError
        If the model cannot be fitted, or for too many samples.
    """
    if bootstraps < 2:
        raise OutcomesError(f"bootstraps: found {bootstraps}; allowed: at least 2")
    if column not in cohort.columns or not pd.api.types.is_numeric_dtype(cohort[column]):
        raise CohortError((Violation(column, None, None, "a column of numbers, for a dose"),))
    infinite = np.flatnonzero(np.isinf(cohort[column].to_numpy(dtype=np.float64, na_value=np.nan)))
    if infinite.size:
        found = f"{cohort[column].iloc[infinite[0]]:g}"
        row = int(infinite[0]) + 1
        raise CohortError((Violation(column, row, found, "a finite number, for a dose"),))
    wanted = get_endpoint(endpoint)
    table = pd.DataFrame(cohort[cohort[column].notna()]).reset_index(drop=True)
    if wanted == OVERALL_SURVIVAL:
        table = one_row_per_patient(table)[0].reset_index(drop=True)
    if doses is None:
        low, high = np.quantile(table[column], SPREAD)
        doses = np.linspace(low, high, VALUES).tolist()
    shown = np.unique(np.append(np.asarray(doses, dtype=np.float64), reference))
    adjusting = tuple(name for name in dict.fromkeys(covariates) if name != column)
    task = partial(_risks, table, column, wanted, adjusting, shown, horizon)
    try:
        risk = task(None)
    except ModelError as error:
        raise NotEstimableError(str(error)) from error
    draws = replicate(partial(_risks_or_none, task), spawn_seeds(seed, bootstraps), jobs=jobs)
    samples = np.array([one for one in draws if one is not None])
    if len(samples) < LEAST_REPLICATES * bootstraps:
        raise NotEstimableError("too few bootstrap samples gave an estimate")
    at = int(np.searchsorted(shown, reference))
    scale = np.log(-np.log1p(-np.clip(samples, 1e-12, 1 - 1e-12)))
    upper_survival, lower_survival = log_log_limits(risk, scale.std(axis=0, ddof=1), Z95)
    limits = np.sort(np.array([1 - upper_survival, 1 - lower_survival]), axis=0)
    difference = risk - risk[at]
    spread = (samples - samples[:, [at]]).std(axis=0, ddof=1)
    return DoseResponse(
        column=column,
        endpoint=wanted.name,
        doses=shown,
        horizon=horizon,
        risk=risk,
        lower=limits[0],
        upper=limits[1],
        reference=reference,
        difference=difference,
        difference_lower=difference - Z95 * spread,
        difference_upper=difference + Z95 * spread,
        covariates=adjusting,
    )


def _risks(
    table: pd.DataFrame,
    column: str,
    endpoint: Endpoint,
    covariates: tuple[str, ...],
    doses: FloatArray,
    horizon: float,
    seed: np.random.SeedSequence | None,
) -> FloatArray:
    """Return the mean risk at each dose, of all patients or of a bootstrap sample of them."""
    sample = table
    if seed is not None:
        sample = table.iloc[_drawn(patient_numbers(table), seed)].reset_index(drop=True)
    model = CoxModel(
        endpoint=endpoint, covariates=[*covariates, column], splines={column: KNOTS}
    ).fit(sample)
    risks = []
    for dose in doses:
        given = sample.assign(**{column: dose})
        risks.append(1 - model.predict_survival(given, [horizon], series=_series(sample)).mean())
    return np.array(risks)


def _drawn(patients: IntArray, seed: np.random.SeedSequence) -> IntArray:
    """Return the rows of as many patients as there are, drawn with replacement."""
    order = np.argsort(patients, kind="stable")
    own = np.split(order, np.flatnonzero(np.diff(patients[order])) + 1)
    drawn = np.random.default_rng(seed).integers(len(own), size=len(own))
    return np.concatenate([own[patient] for patient in drawn])


def _risks_or_none(task: "partial[FloatArray]", seed: np.random.SeedSequence) -> FloatArray | None:
    try:
        return task(seed)
    except ModelError:
        return None


def _series(table: pd.DataFrame) -> list[str] | None:
    """Return each patient's series, where there are several."""
    if "study" not in table.columns or table["study"].nunique() < 2:
        return None
    return [str(name) for name in table["study"]]
