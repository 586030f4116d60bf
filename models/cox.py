"""The Cox model of an endpoint."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri
from sklearn.utils.validation import check_is_fitted

from outcomes.arrays import FloatArray, IntArray
from outcomes.endpoints import Endpoint, get_endpoint
from outcomes.errors import ModelError
from outcomes.models import cox_interval
from outcomes.models.base import (
    SeriesChoice,
    SurvivalModel,
    as_months,
    check_number,
    finite,
    series_per_patient,
)
from outcomes.models.competing import cumulative_incidences
from outcomes.models.design import Design
from outcomes.models.proportional_hazards import CauseFit, fit_cause, hazard_grid
from outcomes.models.schoenfeld import proportional_hazards_test
from outcomes.models.terms import Separation

# Patients times grid months held at once.
_CELLS = 2_000_000


COARSE_NOTE = (
    "the model was read from a file, which holds its baseline hazards in steps of at least 5 "
    "events, so that no patient can be read from it; predictions differ a little from those of the "
    "model that was saved"
)


class CoxModel(SurvivalModel):
    """Cox regression with a baseline per series; a pair of them with a competing event.

    Coefficients, standard errors and tests are lifelines'; the baselines are Breslow's. With a
    competing event, each cause has its own Cox model, and the two are combined into cumulative
    incidences as `outcomes.models.competing` describes.

    Parameters
    ----------
    endpoint
        Name of the endpoint.
    covariates
        Columns to use; by default those of `DEFAULT_COVARIATES` that the cohort has and that
        vary.
    ties
        Handling of tied events; ``efron``, which is what lifelines has.
    strata
        Column that names the series, each of which has its own baseline; ignored where the
        cohort lacks it. None for one baseline.
    penalizer
        Ridge penalty, as lifelines takes it.
    separation
        Coding of `separation_mm`: ``threshold`` (below 3 mm) or ``linear``.
    separated
        What to do where a hazard ratio has no finite maximum likelihood estimate, as when no
        patient with some regimen had the event: ``firth`` fits that cause with Firth's penalty
        (see `outcomes.models.firth`) and says so in `notes_`; ``error`` refuses.

    Attributes
    ----------
    design_
        The learned coding.
    series_
        The training series.
    fits_
        The fitted hazard of each cause, by event code.
    confined_
        Notes on the coefficients that rest on some of the series alone.
    """

    kind = "cox"
    fits_: dict[int, CauseFit]
    confined_: tuple[str, ...]
    _training: tuple[FloatArray, FloatArray, IntArray, Any]
    _test: pd.DataFrame | None

    def __init__(
        self,
        endpoint: str | Endpoint = "overall-survival",
        covariates: Sequence[str] | None = None,
        ties: str = "efron",
        strata: str | None = "study",
        penalizer: float = 0.0,
        separation: Separation = "threshold",
        separated: Literal["firth", "error"] = "firth",
    ) -> None:
        self.endpoint = endpoint
        self.covariates = covariates
        self.ties = ties
        self.strata = strata
        self.penalizer = penalizer
        self.separation = separation
        self.separated = separated

    def check_parameters(self) -> None:
        """Refuse parameters of a wrong type or range, with a ModelError."""
        super().check_parameters()
        if self.ties != "efron":
            raise ModelError(f"ties: found {self.ties!r}; allowed: 'efron'")
        check_number("penalizer", self.penalizer, 0)
        if self.separated not in ("firth", "error"):
            raise ModelError(f"separated: found {self.separated!r}; allowed: 'firth', 'error'")

    def predict(self, X: Any, series: SeriesChoice = None) -> FloatArray:
        """Return the log relative hazard of the event of interest against the mean patient.

        Shape (n_patients,). It does not depend on the series, whose baselines differ; with a
        competing event it is the cause-specific hazard.
        """
        check_is_fitted(self, "series_")
        return finite(self.fits_[1].linear_predictor(self._matrix(X)))

    def interval(
        self,
        X: Any,
        times: npt.ArrayLike,
        level: float = 0.95,
        series: SeriesChoice = None,
    ) -> tuple[FloatArray, FloatArray]:
        """Return pointwise limits of `predict_survival`.

        They hold the uncertainty of the coefficients and of the baseline, on the log(-log)
        scale. Within one series and without competing events the variance is that of Tsiatis
        (Ann Stat 1981;9:93-108) and Link (Biometrics 1984;40:601-610), as R's `survfit.coxph`
        has it; otherwise it is taken over 400 draws from the estimates' asymptotic
        distribution (see `cox_interval`).

        Parameters
        ----------
        X, times, series
            As `predict_survival`.
        level
            Coverage, between 0 and 1.

        Returns
        -------
        lower, upper
            Arrays of shape (n_patients, n_times).
        """
        if not 0 < level < 1:
            raise ModelError(f"level: found {level!r}; allowed: between 0 and 1")
        check_is_fitted(self, "series_")
        months = as_months(times)
        matrix = self._matrix(X)
        if series is None or isinstance(series, str):
            error, risk = self._log_log_error(matrix, months, series)
        else:
            names = series_per_patient(series, len(matrix))
            error, risk = np.empty((2, len(matrix), len(months)))
            for name in sorted(set(names)):
                rows = np.flatnonzero(names == name)
                error[rows], risk[rows] = self._log_log_error(matrix[rows], months, name)
        return cox_interval.log_log_limits(risk, error, float(ndtri(0.5 + level / 2)))

    @property
    def summary_(self) -> pd.DataFrame:
        """Coefficients by event and covariate.

        Columns: event, covariate, label, log_hr, se, hr, lower, upper (95 %), p, method
        (maximum likelihood, ridge or Firth).
        """
        check_is_fitted(self, "series_")
        endpoint = get_endpoint(self.endpoint)
        z = float(ndtri(0.975))
        method = "ridge" if self.penalizer > 0 else "maximum likelihood"
        tables = []
        for code, fit in self.fits_.items():
            errors = np.sqrt(np.diag(fit.covariance))
            tables.append(
                pd.DataFrame(
                    {
                        "event": endpoint.events[code],
                        "covariate": list(self.design_.names),
                        "label": list(self.design_.labels),
                        "log_hr": fit.coefficients,
                        "se": errors,
                        "hr": np.exp(fit.coefficients),
                        "lower": np.exp(fit.coefficients - z * errors),
                        "upper": np.exp(fit.coefficients + z * errors),
                        "p": fit.p_values,
                        "method": "Firth" if fit.note else method,
                    }
                )
            )
        return pd.concat(tables, ignore_index=True)

    @property
    def notes_(self) -> tuple[str, ...]:
        """What a reader of the results should know: covariates left out, Firth's estimates.

        Also coefficients that rest on some of the series alone, and, after reading a file, that
        the baselines are coarse.
        """
        firth = (fit.note for fit in self.fits_.values() if fit.note)
        coarse = any(b.straight for fit in self.fits_.values() for b in fit.baselines)
        return (*super().notes_, *firth, *self.confined_, *((COARSE_NOTE,) if coarse else ()))

    def proportional_hazards_test(self) -> pd.DataFrame:
        """Return the test that each hazard ratio is constant over time.

        See `schoenfeld.proportional_hazards_test`. Columns: event, covariate, statistic, p; only
        for causes fitted by maximum likelihood, not for a ridge penalty or Firth's estimates.
        """
        check_is_fitted(self, "series_")
        if self._test is None:
            self._test = self._test_proportional_hazards()
        return self._test.copy()

    def _test_proportional_hazards(self) -> pd.DataFrame:
        endpoint = get_endpoint(self.endpoint)
        matrix, time, event, groups = self._training
        tables = [pd.DataFrame(columns=["event", "covariate", "statistic", "p"])]
        for code, fit in self.fits_.items():
            if fit.note or self.penalizer > 0 or not self.design_.names:
                continue
            table = proportional_hazards_test(
                matrix, self.design_.names, time, event == code, groups, fit.coefficients
            )
            table.insert(0, "event", endpoint.events[code])
            tables.append(table)
        return pd.concat(tables[1:] or tables, ignore_index=True)

    def _fit_hazards(
        self,
        table: pd.DataFrame,
        matrix: FloatArray,
        time: FloatArray,
        event: IntArray,
        groups: Any,
    ) -> None:
        endpoint = get_endpoint(self.endpoint)
        self.fits_ = {}
        self._training = (matrix, time, event, groups)
        self._test = None
        self.confined_ = _confined(self.design_, matrix, event, groups)
        for code in self.causes:
            self.fits_[code] = fit_cause(
                matrix,
                self.design_.names,
                time,
                event == code,
                groups,
                self.series_,
                float(self.penalizer),
                endpoint.events[code],
                self.separated == "firth",
            )

    def _series_incidences(
        self, matrix: FloatArray, times: FloatArray, position: int
    ) -> FloatArray:
        fits = list(self.fits_.values())
        if len(fits) == 1:
            return np.asarray(-np.expm1(-fits[0].hazards(matrix, times, position))[None])
        grid = hazard_grid(fits, position, times)
        result = np.empty((len(fits), len(matrix), len(times)))
        rows = max(1, _CELLS // max(len(grid), 1))
        for start in range(0, len(matrix), rows):
            part = matrix[start : start + rows]
            hazards = [fit.hazards(part, grid, position) for fit in fits]
            result[:, start : start + rows] = cumulative_incidences(hazards, grid, times)
        return result

    def _log_log_error(
        self, matrix: FloatArray, months: FloatArray, name: str | None
    ) -> tuple[FloatArray, FloatArray]:
        """Return the standard error on the log(-log) scale, and the risk of event 1."""
        risk = self._matrix_incidences(matrix, months, name)[0]
        single = name is not None or len(self.series_.names) == 1
        if single and len(self.fits_) == 1:
            position = 0 if name is None else self.series_.index(name)
            error = cox_interval.tsiatis_error(self.fits_[1], matrix, months, position)
        else:
            error = cox_interval.drawn_error(
                tuple(self.fits_.values()), self.series_, matrix, months, name
            )
        return error, risk


def _confined(design: Design, matrix: FloatArray, event: IntArray, groups: Any) -> tuple[str, ...]:
    """Name the terms that vary in only some of several series, and whom they rest on."""
    names = sorted(set(groups))
    notes = []
    for term, values in zip(design.terms, matrix.T, strict=True):
        varying = [name for name in names if np.ptp(values[groups == name]) > 0]
        if not 0 < len(varying) < len(names):
            continue
        inside = np.isin(groups.astype(str), varying)
        events = int((event[inside] == 1).sum())
        levels = np.unique(values[inside])
        if len(levels) == 2:
            high = int((values[inside] == levels[1]).sum())
            whom = f"{high} patients with and {int(inside.sum()) - high} without"
        else:
            whom = f"{int(inside.sum())} patients"
        notes.append(
            f"{term.name} varies only within {', '.join(varying)}: {whom}, {events} events"
        )
    return tuple(notes)
