"""The null model: each series' own curve, the same for all its patients."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from outcomes.arrays import FloatArray, IntArray
from outcomes.curves import StepFunction, aalen_johansen
from outcomes.endpoints import Endpoint
from outcomes.errors import ModelError
from outcomes.models.base import SeriesChoice, SurvivalModel
from outcomes.models.inputs import series_per_patient


@dataclass(frozen=True, eq=False)
class NullCurve:
    """The curve of one series.

    Attributes
    ----------
    incidences
        Cumulative incidence of each cause, in the order of the model's causes.
    standard_error
        Of the first one.
    """

    incidences: tuple[StepFunction, ...]
    standard_error: StepFunction


class KaplanMeierModel(SurvivalModel):
    """Kaplan-Meier curve of each series, or Aalen-Johansen's with competing events.

    It knows no covariates: what another model does not better, its covariates do not tell.

    Parameters
    ----------
    endpoint
        Name of the endpoint, or an endpoint.
    strata
        Column that names the series; ignored where the cohort lacks it. None for one curve.

    Attributes
    ----------
    curves_
        The curve of each series.
    """

    kind = "kaplan-meier"
    covariates = ()
    separation = "threshold"
    curves_: tuple[NullCurve, ...]

    def __init__(
        self, endpoint: str | Endpoint = "overall-survival", strata: str | None = "study"
    ) -> None:
        self.endpoint = endpoint
        self.strata = strata

    def predict(self, X: Any, series: SeriesChoice = None) -> FloatArray:
        """Return 0 for every patient, shape (n_patients,): none is known to be at higher risk."""
        check_is_fitted(self, "curves_")
        n = len(self._matrix(X))
        if series is not None and not isinstance(series, str):
            for name in sorted(set(series_per_patient(series, n))):
                self.series_.index(name)
        elif isinstance(series, str):
            self.series_.index(series)
        return np.zeros(n)

    def _fit_hazards(
        self,
        table: pd.DataFrame,
        matrix: FloatArray,
        time: FloatArray,
        event: IntArray,
        groups: Any,
    ) -> None:
        self.curves_ = tuple(
            self._fit_curve(time[groups == name], event[groups == name])
            for name in self.series_.names
        )

    def _fit_curve(self, time: FloatArray, event: IntArray) -> NullCurve:
        curve = aalen_johansen(time, event, causes=self.causes)
        errors = StepFunction(curve.times, curve.standard_error[1], 0.0, curve.event_free.end)
        return NullCurve(tuple(curve.incidence[cause] for cause in self.causes), errors)

    def _series_incidences(
        self, matrix: FloatArray, times: FloatArray, position: int
    ) -> FloatArray:
        curve = self.curves_[position]
        risks = np.stack([incidence(times) for incidence in curve.incidences])
        return np.repeat(risks[:, None, :], len(matrix), axis=1)

    def _interval_error(
        self, matrix: FloatArray, months: FloatArray, name: str | None, survived: float
    ) -> FloatArray:
        if survived > 0:
            raise ModelError("survived: a kaplan-meier model has intervals from month 0 only")
        chosen = range(len(self.curves_)) if name is None else [self.series_.index(name)]
        if len(chosen) > 1 and months.max() > min(self.series_.ends):
            raise ModelError(
                f"times: the average over the series has intervals until month "
                f"{min(self.series_.ends):g} only, where the first series ends"
            )
        share = self.series_.weights[list(chosen)] / self.series_.weights[list(chosen)].sum()
        risk, variance = np.zeros((2, len(months)))
        for weight, position in zip(share, chosen, strict=True):
            curve = self.curves_[position]
            risk += weight * curve.incidences[0](months)
            variance += weight**2 * curve.standard_error(months) ** 2
        slope = (1.0 - risk) * -np.log1p(-np.clip(risk, 1e-12, 1.0 - 1e-12))
        error = np.divide(np.sqrt(variance), slope, out=np.zeros(len(months)), where=slope > 1e-12)
        return np.repeat(error[None, :], len(matrix), axis=0)
