"""The Fine-Gray model of an endpoint."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri
from sklearn.utils.validation import check_is_fitted

from outcomes.arrays import FloatArray, IntArray
from outcomes.cox.subdistribution import fit_fine_gray
from outcomes.cox.subdistribution_fit import FineGrayFit
from outcomes.cox.subdistribution_proportionality import fine_gray_proportionality_test
from outcomes.endpoints import Endpoint, get_endpoint
from outcomes.errors import ModelError, OutcomesError
from outcomes.models.base import SeriesChoice, SurvivalModel
from outcomes.models.coarse_files import COARSE_NOTE
from outcomes.models.columns import read_clusters
from outcomes.models.competing import subdistribution_incidences
from outcomes.models.few_events import end_of_first, largest_part, one_more
from outcomes.models.fine_gray_interval import drawn_error
from outcomes.models.parameters import check_column
from outcomes.models.probabilities import finite
from outcomes.models.terms import Separation

# Patients times grid months held at once.
_CELLS = 2_000_000

OTHERS_NOTE = (
    "the subdistribution hazard is that of {event} alone; the probabilities of other events rest "
    "on cause-specific hazards beside it"
)


class FineGrayModel(SurvivalModel):
    """Fine and Gray's regression (JASA 1999;94:496-509), with a baseline per series.

    The covariates act on the cumulative incidence of the event of interest directly: its
    subdistribution hazard ratios. Each series has its own censoring curve. The other events have
    cause-specific Cox models (Breslow's ties), which act on whoever is left; all probabilities
    therefore sum to 1 (see `competing.subdistribution_incidences`). Without competing events
    this is Cox regression with robust standard errors.

    Parameters
    ----------
    endpoint, covariates, strata, separation
        As `CoxModel`.
    cluster
        Column that names what rows belong to, such as a hospital; standard errors, and limits of
        curves, then count the dependence within. None for independent rows.

    Attributes
    ----------
    design_, series_
        The learned coding, and the training series.
    fits_
        By event code: the subdistribution hazard of event 1, the cause-specific ones of others.
    coarse_difference_
        As of `CoxModel`.
    """

    kind = "fine-gray"
    fits_: dict[int, FineGrayFit]
    coarse_difference_: float | None
    _training: tuple[FloatArray, FloatArray, IntArray, Any, Any]
    _test: pd.DataFrame | None

    def __init__(
        self,
        endpoint: str | Endpoint = "local-control",
        covariates: Sequence[str] | None = None,
        strata: str | None = "study",
        separation: Separation = "threshold",
        cluster: str | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.covariates = covariates
        self.strata = strata
        self.separation = separation
        self.cluster = cluster

    def check_parameters(self) -> None:
        """Refuse parameters of a wrong type or range, with a ModelError."""
        super().check_parameters()
        check_column("cluster", self.cluster)

    def predict(self, X: Any, series: SeriesChoice = None) -> FloatArray:
        """Return the log subdistribution hazard ratio against the mean patient, shape (n,).

        It does not depend on the series, whose baselines differ.
        """
        check_is_fitted(self, "series_")
        return finite(self.fits_[1].linear_predictor(self._matrix(X)))

    @property
    def summary_(self) -> pd.DataFrame:
        """Coefficients by event and covariate, with robust standard errors.

        Columns: event, covariate, label, log_hr, se, hr, lower, upper (95 %), p, method:
        "Fine-Gray" where hr is a subdistribution hazard ratio, "cause-specific" elsewhere.
        """
        check_is_fitted(self, "series_")
        endpoint = get_endpoint(self.endpoint)
        z = float(ndtri(0.975))
        tables = []
        for code, fit in self.fits_.items():
            value, error = fit.coefficients, fit.standard_errors
            tables.append(
                pd.DataFrame(
                    {
                        "event": endpoint.events[code],
                        "covariate": list(self.design_.names),
                        "label": list(self.design_.labels),
                        "log_hr": value,
                        "se": error,
                        "hr": np.exp(value),
                        "lower": np.exp(value - z * error),
                        "upper": np.exp(value + z * error),
                        "p": fit.p_values,
                        "method": "Fine-Gray" if self._competes(code) else "cause-specific",
                    }
                )
            )
        return pd.concat(tables, ignore_index=True)

    @property
    def notes_(self) -> tuple[str, ...]:
        """What a reader of the results should know."""
        notes = list(super().notes_)
        if len(self.fits_) > 1:
            event = get_endpoint(self.endpoint).events[1]
            notes.append(OTHERS_NOTE.format(event=event))
        if self.coarse_difference_ is not None:
            notes.append(COARSE_NOTE.format(difference=self.coarse_difference_))
        return tuple(notes)

    def proportional_hazards_test(self) -> pd.DataFrame:
        """Return the test that each hazard ratio is constant over time.

        See `outcomes.cox.subdistribution_proportionality`. Columns: event, covariate, statistic,
        p.
        """
        check_is_fitted(self, "series_")
        if self._test is None:
            self._test = self._test_proportional_hazards()
        return self._test.copy()

    def _competes(self, code: int) -> bool:
        return code == 1 and len(self.fits_) > 1

    def _test_proportional_hazards(self) -> pd.DataFrame:
        endpoint = get_endpoint(self.endpoint)
        matrix, time, event, positions, cluster = self._training
        tables = [pd.DataFrame(columns=["event", "covariate", "statistic", "p"])]
        for code, fit in self.fits_.items():
            if not fit.names:
                continue
            test = fine_gray_proportionality_test(
                fit,
                matrix,
                time,
                _codes(event, code),
                cause=code,
                strata=positions,
                censoring_groups=positions,
                cluster=cluster,
            )
            tables.append(
                pd.DataFrame(
                    {
                        "event": endpoint.events[code],
                        "covariate": list(fit.names),
                        "statistic": test.statistics,
                        "p": test.p_values,
                    }
                )
            )
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
        positions = np.asarray([self.series_.names.index(name) for name in groups])
        cluster = read_clusters(table, self.cluster)
        self._training, self._test = (matrix, time, event, positions, cluster), None
        self.coarse_difference_ = None
        self.fits_ = {}
        for code in self.causes:
            try:
                self.fits_[code] = fit_fine_gray(
                    matrix,
                    time,
                    _codes(event, code),
                    cause=code,
                    names=self.design_.names,
                    strata=positions,
                    censoring_groups=positions,
                    cluster=cluster,
                )
            except OutcomesError as error:
                raise ModelError(f"{endpoint.events[code]}: {error}") from error

    def _series_incidences(
        self, matrix: FloatArray, times: FloatArray, position: int
    ) -> FloatArray:
        grid = hazard_grid(self.fits_, position, times)
        result = np.empty((len(self.fits_), len(matrix), len(times)))
        rows = max(1, _CELLS // max(len(grid), 1))
        for start in range(0, len(matrix), rows):
            part = matrix[start : start + rows]
            risk, *others = (
                np.exp(fit.linear_predictor(part))[:, None]
                * fit.baselines[position].at(fit.baselines[position].hazard, grid)
                for fit in self.fits_.values()
            )
            result[:, start : start + rows] = subdistribution_incidences(
                -np.expm1(-risk), others, grid, times
            )
        return result

    def _interval_error(
        self, matrix: FloatArray, months: FloatArray, name: str | None, survived: float
    ) -> FloatArray:
        """Return the standard error of log(-log S), shape (n, n_months).

        Within one series, and if nothing is given, it has a closed form (see
        `FineGrayFit.standard_error_log_hazard`); otherwise it is taken over draws (see
        `fine_gray_interval`).
        """
        self.series_.check_times(months, name)
        if self._has_closed_form(name, survived):
            position = 0 if name is None else self.series_.index(name)
            baseline = self.fits_[1].baselines[position]
            if baseline.straight:
                # Until the first events have happened the hazard is known as well as at their end.
                months = np.maximum(months, end_of_first(baseline.times, baseline.events))
            return self.fits_[1].standard_error_log_hazard(matrix, months, position)
        return drawn_error(tuple(self.fits_.values()), self.series_, matrix, months, name, survived)

    def _has_closed_form(self, name: str | None, survived: float) -> bool:
        return survived == 0 and (name is not None or len(self.series_.names) == 1)

    def _one_event_more(
        self, matrix: FloatArray, name: str | None, survived: float
    ) -> FloatArray | None:
        if self._has_closed_form(name, survived) and self.coarse_difference_ is None:
            return None
        fit = self.fits_[1]
        each = [
            one_more(b.times, np.diff(b.hazard, prepend=0.0), b.events, survived)
            for b in fit.baselines
        ]
        relative = np.exp(fit.linear_predictor(matrix))
        return relative * largest_part(each, self.series_, name, survived)


def hazard_grid(fits: dict[int, FineGrayFit], position: int, months: FloatArray) -> FloatArray:
    """Return the months at which a hazard of a series steps, and those asked for."""
    times = (fit.baselines[position].times for fit in fits.values())
    grid = np.unique(np.concatenate([months, *times]))
    return np.asarray(grid[grid <= months.max(initial=0.0)])


def _codes(event: IntArray, cause: int) -> IntArray:
    """Return event codes in which every event but the first of interest censors its cause."""
    return event if cause == 1 else np.where(event == cause, cause, 0)
