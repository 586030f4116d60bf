"""The Cox model of an endpoint."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri
from sklearn.utils.validation import check_is_fitted

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.cox import CoxFit, SmoothedEffect, proportional_hazards_test, smoothed_effect
from outcomes.cox.baseline import BaselineKind
from outcomes.cox.risk_sets import Ties
from outcomes.endpoints import Endpoint, get_endpoint
from outcomes.errors import ModelError
from outcomes.models import cox_interval
from outcomes.models.base import SeriesChoice, SurvivalModel
from outcomes.models.coarse_files import COARSE_NOTE
from outcomes.models.columns import Covariate, read_clusters, read_column
from outcomes.models.competing import cumulative_incidences
from outcomes.models.design import Design
from outcomes.models.few_events import largest_part, one_more
from outcomes.models.parameters import check_column, check_number
from outcomes.models.probabilities import finite
from outcomes.models.proportional_hazards import (
    CauseFit,
    FitOptions,
    Rows,
    fit_cause,
    hazard_grid,
)
from outcomes.models.terms import Separation
from outcomes.models.time_dependent import CHANGING, sbrt_start, split_at_sbrt

# Patients times grid months held at once.
_CELLS = 2_000_000


class CoxModel(SurvivalModel):
    """Cox regression with a baseline per series; a pair of them with a competing event.

    Fitted by `outcomes.cox`. With a competing event, each cause has its own Cox model, and the
    two are combined into cumulative incidences as `outcomes.models.competing` describes.

    Parameters
    ----------
    endpoint
        Name of the endpoint.
    covariates
        Columns to use; by default those of `DEFAULT_COVARIATES` that the cohort has and that
        vary.
    ties
        Handling of tied events: ``efron`` or ``breslow``.
    strata
        Column that names the series, each of which has its own baseline; ignored where the
        cohort lacks it. None for one baseline.
    penalizer
        Ridge penalty, as lifelines takes it: half of it, times patients, times the squared
        coefficients of covariates in standard deviations, is taken from the log-likelihood.
    separation
        Coding of `separation_mm`: ``threshold`` (below 3 mm), ``linear`` or ``spline``.
    separated
        What to do where a hazard ratio has no finite maximum likelihood estimate, as when no
        patient with some regimen had the event: ``firth`` fits that cause with Firth's penalty
        (see `outcomes.cox.firth`) and says so in `notes_`; ``error`` refuses.
    baseline
        Baseline hazard: ``breslow`` or ``efron``; they differ at tied events only.
    robust
        Whether standard errors, and limits of curves, are robust against a wrong model (Lin and
        Wei 1989).
    cluster
        Column that names what rows belong to, such as a hospital; standard errors, and limits of
        curves, are robust against dependence within. None for independent rows.
    weights
        Column of case weights; 2 counts as two patients, as in R. With `robust` or `cluster` they
        are sampling weights, such as inverse probabilities of treatment, whose scale does not
        matter: they are scaled to a mean of 1. None for none.
    splines
        Numbers of knots (3 to 7) of the numeric covariates that get a restricted cubic spline,
        such as ``{"kps": 4}``. One for `separation_mm` takes the place of `separation`.
    interactions
        Pairs of covariates whose products are added, such as ``[("sbrt", "kps")]``.
    time_dependent
        Whether `sbrt` and `dose_regimen` act only from `sbrt_start_months` on, instead of from
        surgery (see `outcomes.models.time_dependent`). A patient to predict then needs the month
        at which SBRT is planned.

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
    coarse_difference_
        Of a model from a file, the largest difference to the predictions of the model that was
        saved, over its training patients; None otherwise.
    """

    kind = "cox"
    fits_: dict[int, CauseFit]
    confined_: tuple[str, ...]
    coarse_difference_: float | None
    _training: FloatArray
    _engine: dict[int, CoxFit]
    _test: pd.DataFrame | None

    def __init__(
        self,
        endpoint: str | Endpoint = "overall-survival",
        covariates: Sequence[str] | None = None,
        ties: Ties = "efron",
        strata: str | None = "study",
        penalizer: float = 0.0,
        separation: Separation = "threshold",
        separated: Literal["firth", "error"] = "firth",
        baseline: BaselineKind = "breslow",
        robust: bool = False,
        cluster: str | None = None,
        weights: str | None = None,
        splines: Mapping[str, int] | None = None,
        interactions: Sequence[tuple[str, str]] | None = None,
        time_dependent: bool = False,
    ) -> None:
        self.endpoint = endpoint
        self.covariates = covariates
        self.ties = ties
        self.strata = strata
        self.penalizer = penalizer
        self.separation = separation
        self.separated = separated
        self.baseline = baseline
        self.robust = robust
        self.cluster = cluster
        self.weights = weights
        self.splines = splines
        self.interactions = interactions
        self.time_dependent = time_dependent

    def check_parameters(self) -> None:
        """Refuse parameters of a wrong type or range, with a ModelError."""
        super().check_parameters()
        for name in ("ties", "baseline"):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in ("efron", "breslow"):
                raise ModelError(f"{name}: found {value!r}; allowed: 'efron', 'breslow'")
        for name in ("cluster", "weights"):
            check_column(name, getattr(self, name))
        for name in ("robust", "time_dependent"):
            if not isinstance(getattr(self, name), bool | np.bool_):
                raise ModelError(f"{name}: found {getattr(self, name)!r}; allowed: True, False")
        if self.splines is not None and not isinstance(self.splines, Mapping):
            raise ModelError(
                f"splines: found {self.splines!r}; allowed: numbers of knots by covariate, such as "
                "{'kps': 4}"
            )
        pairs = self.interactions
        if pairs is not None and (isinstance(pairs, str) or not isinstance(pairs, Iterable)):
            raise ModelError(f"interactions: found {pairs!r}; allowed: pairs of two covariates")
        for pair in pairs or ():
            if not isinstance(pair, list | tuple) or len(pair) != 2 or pair[0] == pair[1]:
                raise ModelError(f"interactions: found {pair!r}; allowed: pairs of two covariates")
        check_number("penalizer", self.penalizer, 0)
        separated = self.separated
        if not isinstance(separated, str) or separated not in ("firth", "error"):
            raise ModelError(f"separated: found {self.separated!r}; allowed: 'firth', 'error'")

    def predict(self, X: Any, series: SeriesChoice = None) -> FloatArray:
        """Return the log relative hazard of the event of interest against the mean patient.

        Shape (n_patients,). It does not depend on the series, whose baselines differ; with a
        competing event it is the cause-specific hazard, with `time_dependent` that after SBRT.
        """
        check_is_fitted(self, "series_")
        return finite(self.fits_[1].linear_predictor(self._matrix(X)))

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
        notes = [*super().notes_, *(fit.note for fit in self.fits_.values() if fit.note)]
        notes.extend(self.confined_)
        if self.coarse_difference_ is not None:
            notes.append(COARSE_NOTE.format(difference=self.coarse_difference_))
        return tuple(notes)

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
        tables = [pd.DataFrame(columns=["event", "covariate", "statistic", "p"])]
        for code, fit in self._engine.items():
            if self.penalizer > 0 or not fit.names:
                continue
            table = proportional_hazards_test(fit).table.drop(columns="degrees_of_freedom")
            table.insert(0, "event", endpoint.events[code])
            tables.append(table)
        return pd.concat(tables[1:] or tables, ignore_index=True)

    def smoothed_effect(self, covariate: str, event: int = 1) -> SmoothedEffect:
        """Return a log hazard ratio over time, smoothed from scaled Schoenfeld residuals.

        Parameters
        ----------
        covariate
            Name of a column of the design, as in `summary_`.
        event
            Event code of the cause.

        Raises
        ------
        ModelError
            If the model was read from a file, or the cause was fitted after Firth.
        """
        check_is_fitted(self, "series_")
        if np.ndim(event) or event not in getattr(self, "_engine", {}):
            raise ModelError(
                f"event {event!r}: no residuals, as of a model from a file or a cause fitted "
                "after Firth"
            )
        return smoothed_effect(self._engine[event], covariate)

    def _coding(self) -> dict[str, Any]:
        pairs = tuple((first, second) for first, second in self.interactions or ())
        return {"splines": self.splines, "interactions": pairs}

    def _matrix(self, X: Any) -> FloatArray:
        matrix = super()._matrix(X)
        return np.column_stack([matrix, sbrt_start(X)]) if self.time_dependent else matrix

    def _fit_hazards(
        self,
        table: pd.DataFrame,
        matrix: FloatArray,
        time: FloatArray,
        event: IntArray,
        groups: Any,
    ) -> None:
        endpoint = get_endpoint(self.endpoint)
        self._test, self.coarse_difference_ = None, None
        self._training = matrix
        self.confined_ = _confined(self.design_, matrix, event, groups)
        weights, cluster = self._weights(table), read_clusters(table, self.cluster)
        if self.robust and cluster is None:
            # A patient may have several rows.
            cluster = np.arange(len(table))
        rows = Rows(matrix, time, event, groups, None, weights, cluster)
        changing = None
        if self.time_dependent:
            changing = self.changing_columns()
            start = sbrt_start(table)
            self._training = np.column_stack([matrix, start])
            rows = split_at_sbrt(rows, start, changing)
        options = FitOptions(
            self.ties, self.baseline, float(self.penalizer), self.robust, self.separated == "firth"
        )
        self.fits_, self._engine = {}, {}
        for code in self.causes:
            fit, engine = fit_cause(
                rows, code, self.design_.names, self.series_, endpoint.events[code], options
            )
            self.fits_[code] = replace(fit, changing=changing)
            if engine is not None:
                self._engine[code] = engine

    def changing_columns(self) -> BoolArray:
        """Return which columns of the design are 0 until SBRT starts, shape (n_terms,)."""
        return self.design_.terms_that_follow(CHANGING)

    def _counts(self, table: pd.DataFrame) -> BoolArray:
        weights = self._weights(table)
        return super()._counts(table) if weights is None else weights > 0

    def _weights(self, table: pd.DataFrame) -> FloatArray | None:
        if self.weights is None:
            return None
        values = read_column(table, Covariate(self.weights, self.weights, "number"))
        if not (values >= 0).all() or not (values > 0).any():
            raise ModelError(f"{self.weights}: allowed: weights of at least 0, not all of them 0")
        # Robust errors do not depend on the scale; the baseline's would.
        scale = values.mean() if self.robust or self.cluster else 1.0
        return np.asarray(values / scale, dtype=np.float64)

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

    def _interval_error(
        self, matrix: FloatArray, months: FloatArray, name: str | None, survived: float
    ) -> FloatArray:
        """Return the standard error of log(-log S), shape (n, n_months).

        It holds the uncertainty of the coefficients and of the baseline. Within one series and
        without competing events the variance is that of Tsiatis (Ann Stat 1981;9:93-108) and Link
        (Biometrics 1984;40:601-610), as R's `survfit.coxph` has it; otherwise it is taken over
        400 draws from the estimates' asymptotic distribution (see `cox_interval`). After a robust
        fit the baseline's part is robust, too.
        """
        if self._has_closed_form(name):
            position = 0 if name is None else self.series_.index(name)
            return cox_interval.tsiatis_error(self.fits_[1], matrix, months, position, survived)
        return cox_interval.drawn_error(
            tuple(self.fits_.values()), self.series_, matrix, months, name, survived
        )

    def _has_closed_form(self, name: str | None) -> bool:
        return len(self.fits_) == 1 and (name is not None or len(self.series_.names) == 1)

    def _one_event_more(
        self, matrix: FloatArray, name: str | None, survived: float
    ) -> FloatArray | None:
        if self._has_closed_form(name) and self.coarse_difference_ is None:
            return None
        fit = self.fits_[1]
        each = [one_more(b.times, b.increments, b.deaths, survived) for b in fit.baselines]
        return fit.relative_hazard(matrix) * largest_part(each, self.series_, name, survived)


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
