"""What Cox models and forests have in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.endpoints import Endpoint, get_endpoint
from outcomes.errors import ModelError
from outcomes.models.checks import check_level
from outcomes.models.coding import learn_design
from outcomes.models.concordance import concordance
from outcomes.models.conditional import check_survived, conditional_incidences
from outcomes.models.design import Design
from outcomes.models.few_events import wider_limits
from outcomes.models.inputs import (
    as_months,
    as_table,
    digest,
    read_response,
    series_column,
    series_per_patient,
)
from outcomes.models.parameters import check_column
from outcomes.models.probabilities import finite, log_log_limits
from outcomes.models.series import SeriesSet, average_over_series

SeriesChoice = str | Sequence[str] | None

FEWEST_EVENTS = 5


class SurvivalModel(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn ships no types
    """Base of the models: the response, the design, the series, and predictions from hazards.

    A subclass fits cause-specific hazards and gives the cumulative incidences of a design matrix
    in one series; everything else is here.

    Prediction takes ``series``: the name of a training series, one name per patient, or None for
    the size-weighted average over the training series (see `series.average_incidences`).
    """

    endpoint: str | Endpoint
    covariates: Sequence[str] | None
    strata: str | None
    separation: Any
    design_: Design
    series_: SeriesSet
    n_training_: int
    events_: Mapping[int, int]
    eventless_: tuple[str, ...]
    training_digest_: str
    n_features_in_: int
    kind = ""

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X
            The cohort, shape (n_patients, n_columns), or an array of covariates.
        y
            Structured array of event and time in months, as `Endpoint.response` gives; by
            default taken from the endpoint's columns of the cohort.

        Raises
        ------
        ModelError
            If the data cannot carry the model; the message names the column or the rows.
        OutcomesError
            If the response is not usable.
        """
        endpoint = get_endpoint(self.endpoint)
        self.check_parameters()
        table = as_table(X)
        if table.empty:
            raise ModelError("there are no patients to fit the model to")
        time, event = read_response(endpoint, table, y)
        for code, meaning in endpoint.events.items():
            if code and not (event == code).any():
                raise ModelError(f"no patient had the event {meaning!r}; there is nothing to fit")
        of_interest = int((event == 1).sum())
        if of_interest < FEWEST_EVENTS:
            raise ModelError(
                f"found {of_interest} patient{'s' * (of_interest > 1)} with the event "
                f"{endpoint.events[1]!r}; a model needs at least {FEWEST_EVENTS}"
            )
        groups, self.series_ = self._learn_series(table, time)
        self.design_ = self._learn_design(table, groups if len(self.series_.names) > 1 else None)
        self.n_training_ = len(table)
        self.events_ = {code: int((event == code).sum()) for code in endpoint.events if code}
        self._remember_features(X, table)
        self.eventless_ = self._without_event(groups, (event == 1) & self._counts(table))
        matrix = self.design_.matrix(table)
        self.training_digest_ = digest(matrix, time, event)
        self._fit_hazards(table, matrix, time, event, groups)
        return self

    def check_parameters(self) -> None:
        """Refuse parameters of a wrong type or range.

        Raises
        ------
        ModelError
            Naming the parameter and what is allowed.
        """
        get_endpoint(self.endpoint)
        check_column("strata", self.strata)

    @abstractmethod
    def predict(self, X: Any, series: SeriesChoice = None) -> FloatArray:
        """Return a risk score per patient; a higher score means an earlier event.

        See the subclass for the score's scale.
        """

    def predict_survival(
        self, X: Any, times: npt.ArrayLike, series: SeriesChoice = None, survived: float = 0.0
    ) -> FloatArray:
        """Return the probability that the event of interest has not happened by each month.

        For overall survival, the probability of being alive; with competing events, 1 minus the
        cumulative incidence of the event of interest.

        Parameters
        ----------
        X
            Patients, with the model's covariates as columns.
        times
            Months since surgery, shape (n_times,).
        series
            A training series, one per patient, or None for the weighted average.
        survived
            Month by which the patients are known to have had no event: alive, and with competing
            events free of all of them. The probabilities are given that (see
            `outcomes.models.conditional`), and 1 for months until then.

        Returns
        -------
        array, shape (n_patients, n_times)

        Raises
        ------
        ModelError
            If a patient cannot be coded, or a month lies beyond the series' follow-up.
        """
        return np.asarray(1.0 - self._incidences(X, times, series, survived)[0])

    def predict_cumulative_incidence(
        self,
        X: Any,
        times: npt.ArrayLike,
        series: SeriesChoice = None,
        event: int = 1,
        survived: float = 0.0,
    ) -> FloatArray:
        """Return the probability of an event by each month; parameters as `predict_survival`."""
        causes = self.causes
        if np.ndim(event) or event not in causes:
            raise ModelError(f"event: found {event!r}; allowed: {', '.join(map(str, causes))}")
        return np.asarray(self._incidences(X, times, series, survived)[causes.index(event)])

    def predict_event_free(
        self, X: Any, times: npt.ArrayLike, series: SeriesChoice = None, survived: float = 0.0
    ) -> FloatArray:
        """Return the probability that no event has happened; parameters as `predict_survival`."""
        return np.asarray(1.0 - self._incidences(X, times, series, survived).sum(axis=0))

    def interval(
        self,
        X: Any,
        times: npt.ArrayLike,
        level: float = 0.95,
        series: SeriesChoice = None,
        survived: float = 0.0,
    ) -> tuple[FloatArray, FloatArray]:
        """Return pointwise limits of `predict_survival`, symmetric on the log(-log) scale.

        How the standard error comes about, the subclass says. Where the limits rest on draws, and
        in models that were read from a file, they are never narrower than those of the few events
        behind them (see `outcomes.models.few_events.event_limits`).

        Parameters
        ----------
        X, times, series, survived
            As `predict_survival`.
        level
            Coverage, between 0 and 1.

        Returns
        -------
        lower, upper
            Arrays of shape (n_patients, n_times).

        Raises
        ------
        ModelError
            As `predict_survival`, or if the model has no intervals.
        """
        level = check_level(level)
        risk = self._incidences(X, times, series, survived)[0]
        matrix, months = self._matrix(X), as_months(times)
        given = check_survived(survived)
        z = float(ndtri(0.5 + level / 2))
        if series is None or isinstance(series, str):
            return self._limits(risk, matrix, months, series, given, z)
        names = series_per_patient(series, len(matrix))
        lower, upper = np.empty_like(risk), np.empty_like(risk)
        for name in sorted(set(names)):
            rows = np.flatnonzero(names == name)
            lower[rows], upper[rows] = self._limits(
                risk[rows], matrix[rows], months, name, given, z
            )
        return lower, upper

    def score(self, X: Any, y: Any = None) -> float:
        """Return the concordance index of the risk score, compared within series.

        Only patients of one series are compared, since prediction does not rank the series. A
        patient with a competing event counts as never having the event of interest (Wolbers
        et al., Epidemiology 2009;20:555-561).
        """
        table = as_table(X)
        time, event = read_response(get_endpoint(self.endpoint), table, y)
        column = series_column(table, self.strata)
        groups = None if column is None else column.astype(str).to_numpy(dtype=object)
        return concordance(time, event, self.predict(table), groups)

    @property
    def causes(self) -> tuple[int, ...]:
        """Event codes with a hazard, the event of interest first."""
        return tuple(code for code in sorted(get_endpoint(self.endpoint).events) if code)

    @property
    def notes_(self) -> tuple[str, ...]:
        """What a reader of the results should know, such as covariates left out."""
        check_is_fitted(self, "series_")
        event = get_endpoint(self.endpoint).events[1]
        return (
            *(f"{name} left out: {why}" for name, why in self.design_.omitted.items()),
            *(
                f"nobody in {name} had the event {event!r}: predictions there, and their "
                "intervals, rest on none of its events"
                for name in self.eventless_
            ),
        )

    @property
    def follow_up_(self) -> dict[str, float]:
        """Last month of follow-up of each training series."""
        check_is_fitted(self, "series_")
        return dict(zip(self.series_.names, self.series_.ends, strict=True))

    @abstractmethod
    def _fit_hazards(
        self,
        table: pd.DataFrame,
        matrix: FloatArray,
        time: FloatArray,
        event: IntArray,
        groups: Any,
    ) -> None:
        """Fit the hazard of each cause to the coded patients; `table` has their other columns."""

    @abstractmethod
    def _series_incidences(
        self, matrix: FloatArray, times: FloatArray, position: int
    ) -> FloatArray:
        """Return the incidences (n_causes, n, n_times) in the series at a position."""

    def _interval_error(
        self, matrix: FloatArray, months: FloatArray, name: str | None, survived: float
    ) -> FloatArray:
        """Return the standard error of log(-log S), S as `predict_survival`, shape (n, n_months).

        For a series, or the average over the training series where name is None.
        """
        raise ModelError(f"a {self.kind} model has no intervals")

    def _one_event_more(
        self, matrix: FloatArray, name: str | None, survived: float
    ) -> FloatArray | None:
        """Return what one event more would add to each patient's cumulative hazard, shape (n,).

        None where the standard error says enough of few events.
        """
        return None

    def _limits(
        self,
        risk: FloatArray,
        matrix: FloatArray,
        months: FloatArray,
        name: str | None,
        survived: float,
        z: float,
    ) -> tuple[FloatArray, FloatArray]:
        error = self._interval_error(matrix, months, name, survived)
        added = self._one_event_more(matrix, name, survived)
        if added is None:
            return log_log_limits(risk, error, z)
        return wider_limits(risk, error, added[:, None] * (months > survived), z)

    def _learn_design(self, table: pd.DataFrame, groups: Any) -> Design:
        coding = {"separation": self.separation, "groups": groups} | self._coding()
        response = get_endpoint(self.endpoint).columns
        return learn_design(table, self._covariates(table), response=response, **coding)

    def _coding(self) -> dict[str, Any]:
        """Return what `learn_design` is to be told beside, or instead of, the usual."""
        return {}

    def _counts(self, table: pd.DataFrame) -> BoolArray:
        """Tell which patients count, shape (n,); those of weight 0 do not."""
        return np.ones(len(table), dtype=np.bool_)

    def _without_event(self, groups: Any, happened: BoolArray) -> tuple[str, ...]:
        """Return the series in which nobody who counts had the event of interest."""
        return tuple(name for name in self.series_.names if not happened[groups == name].any())

    def _remember_features(self, X: Any, table: pd.DataFrame) -> None:
        """Keep the number of columns, and their names where there are any, as scikit-learn does."""
        self.n_features_in_ = table.shape[1]
        if isinstance(X, pd.DataFrame) and all(isinstance(name, str) for name in table.columns):
            self.feature_names_in_ = np.asarray(table.columns, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _matrix(self, X: Any) -> FloatArray:
        """Return the design matrix of patients to predict."""
        table = as_table(X)
        if not isinstance(X, pd.DataFrame) and table.shape[1] != self.n_features_in_:
            raise ModelError(
                f"X: found {table.shape[1]} columns; allowed: the {self.n_features_in_} that the "
                "model was fitted to"
            )
        return self.design_.matrix(table)

    def _covariates(self, table: pd.DataFrame) -> Sequence[str] | None:
        # An array has no names to choose defaults by, so all of its columns are meant.
        unnamed = self.covariates is None and all(
            str(column).startswith("x") and str(column)[1:].isdigit() for column in table.columns
        )
        return list(table.columns) if unnamed else self.covariates

    def _learn_series(self, table: pd.DataFrame, time: FloatArray) -> tuple[Any, SeriesSet]:
        names = np.full(len(table), "", dtype=object)
        column = series_column(table, self.strata)
        if column is not None:
            if column.isna().any():
                row = int(np.flatnonzero(column.isna().to_numpy())[0]) + 1
                raise ModelError(f"{self.strata}: missing in row {row}; a series needs a name")
            names = column.astype(str).to_numpy(dtype=object)
        levels = sorted(set(names))
        return names, SeriesSet(
            names=tuple(levels),
            sizes=tuple(int((names == level).sum()) for level in levels),
            ends=tuple(float(time[names == level].max()) for level in levels),
        )

    def _incidences(
        self, X: Any, times: npt.ArrayLike, series: SeriesChoice, survived: float = 0.0
    ) -> FloatArray:
        """Return the incidences, shape (n_causes, n_patients, n_times)."""
        check_is_fitted(self, "series_")
        given = check_survived(survived)
        if given > 0:
            asked = as_months(times)
            together = self._incidences(X, np.append(asked, given), series)
            return conditional_incidences(together[..., :-1], together[..., -1:], asked, given)
        matrix = self._matrix(X)
        months = as_months(times)
        if series is None or isinstance(series, str):
            return finite(self._matrix_incidences(matrix, months, series))
        names = series_per_patient(series, len(matrix))
        result = np.empty((len(self.causes), len(matrix), len(months)))
        for name in sorted(set(names)):
            rows = np.flatnonzero(names == name)
            result[:, rows] = self._matrix_incidences(matrix[rows], months, name)
        return finite(result)

    def _matrix_incidences(
        self, matrix: FloatArray, months: FloatArray, name: str | None
    ) -> FloatArray:
        self.series_.check_times(months, name)
        months = np.minimum(months, self.series_.end_of(name))
        if name is not None:
            return self._series_incidences(matrix, months, self.series_.index(name))
        if len(self.series_.names) == 1:
            return self._series_incidences(matrix, months, 0)
        return average_over_series(
            lambda grid, position: self._series_incidences(matrix, grid, position),
            months,
            self.series_,
        )
