"""The random survival forest of an endpoint."""

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from outcomes.arrays import FloatArray, IntArray
from outcomes.endpoints import Endpoint
from outcomes.errors import ModelError, NotEstimableError
from outcomes.models.base import SeriesChoice, SurvivalModel
from outcomes.models.competing import cumulative_incidences
from outcomes.models.conditional import conditional_incidences
from outcomes.models.draws import SMALLEST_TO_THIN, Draws
from outcomes.models.forest_interval import Spread, learn_spread, risk_error
from outcomes.models.grid import Grid, learn_grid
from outcomes.models.growing import Growth, grow
from outcomes.models.inputs import series_per_patient
from outcomes.models.parameters import check_number
from outcomes.models.probabilities import finite
from outcomes.models.series import average_over_series
from outcomes.models.terms import Separation
from outcomes.models.trees import Trees


class ForestModel(SurvivalModel):
    """Random survival forest (Ishwaran et al., Ann Appl Stat 2008;2:841-860).

    The trees are grown by scikit-survival on a grid of event quantiles and on features in
    quantile bins (see `outcomes.models.grid`), with the series among the features. With a
    competing event, each cause has its own forest on the same grid, and the two are combined as
    `outcomes.models.competing` describes.

    `interval` gives normal limits on the log(-log) scale, from the infinitesimal jackknife and the
    error of a finite number of trees (see `outcomes.models.forest_interval`). They cover what
    forests like this one predict on average over training cohorts of this size, not the forest's
    bias: leaves of some fifteen patients smooth the risk, and where it is extreme the truth lies
    outside more often than the level says. Few trees give limits that are too wide; a thousand
    give sharp ones. A single tree has none (NotEstimableError).

    Parameters
    ----------
    endpoint, covariates, strata, separation
        As `CoxModel`; the distance of separation is linear by default, since trees find their
        own thresholds.
    n_estimators
        Trees per cause.
    min_samples_leaf
        Fewest patients in a leaf.
    max_features
        Features tried at each split, as scikit-survival takes it.
    max_samples
        Share or number of patients drawn for each tree; None for as many as there are. By
        default ("auto") as many as there are up to 5,000, and fewer of more, drawn from halves of
        them (see `outcomes.models.draws`).
    n_bins, n_times
        Largest number of bins per feature, and of grid months.
    n_jobs
        Processes or threads that grow trees; it does not change the result.
    random_state
        Seed of the trees, or a source of seeds as scikit-learn takes it.

    Attributes
    ----------
    design_, series_
        The learned coding, and the training series.
    grid_
        Cut points of time and features.
    trees_
        The trees of each cause, by event code.
    draws_
        Whom the trees were grown on, by event code.
    spreads_
        What the limits of a prediction rest on, by event code.
    row_digest_
        SHA-256 of the training patients in their order, which the samples refer to.
    """

    kind = "forest"
    grid_: Grid
    trees_: dict[int, Trees]
    draws_: dict[int, Draws]
    spreads_: dict[int, Spread]
    row_digest_: str

    def __init__(
        self,
        endpoint: str | Endpoint = "overall-survival",
        covariates: Sequence[str] | None = None,
        n_estimators: int = 100,
        min_samples_leaf: int = 15,
        max_features: str | int | float | None = "sqrt",
        max_samples: int | float | Literal["auto"] | None = "auto",
        n_bins: int = 32,
        n_times: int = 60,
        n_jobs: int | None = 1,
        random_state: int | np.random.RandomState | None = None,
        strata: str | None = "study",
        separation: Separation = "linear",
    ) -> None:
        self.endpoint = endpoint
        self.covariates = covariates
        self.n_estimators = n_estimators
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.max_samples = max_samples
        self.n_bins = n_bins
        self.n_times = n_times
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.strata = strata
        self.separation = separation

    def check_parameters(self) -> None:
        """Refuse parameters of a wrong type or range, with a ModelError."""
        super().check_parameters()
        for name, least in (
            ("n_estimators", 1),
            ("min_samples_leaf", 1),
            ("n_bins", 2),
            ("n_times", 1),
        ):
            check_number(name, getattr(self, name), least, whole=True)
        if self.max_samples != "auto":
            check_number("max_samples", self.max_samples, 0, optional=True)
            if self.max_samples == 0:
                raise ModelError("max_samples: found 0; allowed: above 0, 'auto', None")
        if not isinstance(self.max_features, str):
            check_number("max_features", self.max_features, 0, optional=True)

    def predict(self, X: Any, series: SeriesChoice = None) -> FloatArray:
        """Return the expected number of events of interest, shape (n_patients,).

        The cumulative cause-specific hazard summed over the time grid (ensemble mortality), in
        the series asked for or averaged over the training series.
        """
        check_is_fitted(self, "trees_")
        matrix = self._matrix(X)
        if series is None:
            scores = [self._mortality(matrix, k) for k in range(len(self.series_.names))]
            return finite(np.average(scores, axis=0, weights=self.series_.weights))
        if isinstance(series, str):
            return self._mortality(matrix, self.series_.index(series))
        names = series_per_patient(series, len(matrix))
        result = np.empty(len(matrix))
        for name in sorted(set(names)):
            rows = names == name
            result[rows] = self._mortality(matrix[rows], self.series_.index(name))
        return result

    def _coding(self) -> dict[str, Any]:
        # Trees need no identifiable coefficients: only constants are left out.
        return {"identifiable": False, "groups": None}

    def _fit_hazards(
        self,
        table: pd.DataFrame,
        matrix: FloatArray,
        time: FloatArray,
        event: IntArray,
        groups: Any,
    ) -> None:
        if not self.design_.terms and len(self.series_.names) == 1:
            raise ModelError("a forest needs at least one covariate")
        self.row_digest_ = row_digest(matrix, time, event)
        positions = np.asarray([self.series_.names.index(name) for name in groups])
        features = self._features(matrix, positions)
        self.grid_ = learn_grid(features, time[event > 0], self.n_times, self.n_bins)
        bins = self.grid_.bin_features(features)
        snapped = self.grid_.snap_times(time)
        largest = 1.0 if isinstance(self.max_samples, float) else len(time)
        if isinstance(self.max_samples, int | float) and self.max_samples > largest:
            raise ModelError(
                f"max_samples: found {self.max_samples!r}; allowed: a share of at most 1.0, or a "
                f"number of at most the {len(time)} patients"
            )
        thin = self.max_samples == "auto" and len(time) > SMALLEST_TO_THIN
        how = Growth(
            self.n_estimators,
            self.min_samples_leaf,
            self.max_features,
            None if self.max_samples == "auto" else self.max_samples,
            self.n_jobs,
            bags=thin,
        )
        self.trees_, self.draws_, self.spreads_ = {}, {}, {}
        seeds = _seeds(self.random_state, len(self.causes))
        for code, seed in zip(self.causes, seeds, strict=True):
            trees, draws = grow(bins, event == code, snapped, self.grid_.months, how, int(seed))
            self.trees_[code], self.draws_[code] = trees, draws
            self.spreads_[code] = learn_spread(trees, draws, bins)

    def _series_incidences(
        self, matrix: FloatArray, times: FloatArray, position: int
    ) -> FloatArray:
        bins = self.bins_of(matrix, position)
        return self.combine([trees.predict(bins) for trees in self.trees_.values()], times)

    def combine(self, hazards: Sequence[FloatArray], times: FloatArray) -> FloatArray:
        """Return the incidences of cumulative hazards on the grid.

        Parameters
        ----------
        hazards
            Of each cause, shape (n, n_grid).
        times
            Months, shape (n_times,).

        Returns
        -------
        array, shape (n_causes, n, n_times)
        """
        grid = self.grid_.months
        # Events were moved up to the grid, so the hazards are straight lines between its months.
        fine = np.unique(np.concatenate([grid, times[times < grid[-1]]]))
        fine = fine[fine <= times.max()] if times.max() >= fine[0] else fine[:1]
        return cumulative_incidences(
            [_interpolate(hazard, grid, fine) for hazard in hazards], fine, times
        )

    def _interval_error(
        self, matrix: FloatArray, months: FloatArray, name: str | None, survived: float
    ) -> FloatArray:
        if any(spread.n_trees < 2 for spread in self.spreads_.values()):
            raise NotEstimableError(
                "interval: found a forest of 1 tree; allowed: at least 2, best 1,000"
            )
        asked = np.minimum(np.append(months, survived), self.series_.end_of(name))
        averaged = name is None and len(self.series_.names) > 1
        positions = (
            range(len(self.series_.names))
            if averaged
            else [0 if name is None else self.series_.index(name)]
        )

        def risk_of(hazards: Sequence[Sequence[FloatArray]]) -> FloatArray:
            def evaluate(grid: FloatArray, position: int) -> FloatArray:
                return self.combine([by_series[position] for by_series in hazards], grid)

            curves = (
                average_over_series(evaluate, asked, self.series_)
                if averaged
                else evaluate(asked, 0)
            )
            if survived > 0:
                return np.asarray(
                    conditional_incidences(curves[..., :-1], curves[..., -1:], months, survived)[0]
                )
            return np.asarray(curves[0, :, :-1])

        risk, error = risk_error(
            list(self.trees_.values()),
            list(self.spreads_.values()),
            [self.bins_of(matrix, position) for position in positions],
            risk_of,
            len(months),
        )
        # The slope of log(-log(1 - risk)).
        slope = -(1.0 - risk) * np.log1p(-np.minimum(risk, 1.0 - 1e-16))
        return np.divide(error, slope, out=np.zeros_like(error), where=slope > 0)

    def bins_of(self, matrix: FloatArray, position: int) -> IntArray:
        """Return the binned features of patients in the series at a position."""
        return self.grid_.bin_features(self._features(matrix, np.full(len(matrix), position)))

    def _mortality(self, matrix: FloatArray, position: int) -> FloatArray:
        return np.asarray(self.trees_[1].predict(self.bins_of(matrix, position)).sum(axis=1))

    def _features(self, matrix: FloatArray, positions: Any) -> FloatArray:
        """Return the design matrix with a 0/1 column per series, where there are several."""
        if len(self.series_.names) == 1:
            return matrix
        one_hot = np.arange(len(self.series_.names))[None, :] == np.asarray(positions)[:, None]
        return np.hstack([matrix, one_hot.astype(np.float64)])


def row_digest(matrix: FloatArray, time: FloatArray, event: IntArray) -> str:
    """Return the SHA-256 of patients in their order."""
    numbers = np.round(np.column_stack([time, event, matrix]), 6) + 0.0
    return hashlib.sha256(np.ascontiguousarray(numbers, dtype="<f8").tobytes()).hexdigest()


def _seeds(random_state: Any, n: int) -> Any:
    """Return a seed per forest."""
    try:
        if random_state is None or isinstance(random_state, int | np.integer):
            return np.random.SeedSequence(random_state).generate_state(n)
        return check_random_state(random_state).randint(np.iinfo(np.int32).max, size=n)
    except (TypeError, ValueError):
        raise ModelError(
            f"random_state: found {random_state!r}; allowed: a whole number of at least 0, a "
            "numpy RandomState, None"
        ) from None


def _interpolate(hazard: FloatArray, grid: FloatArray, fine: FloatArray) -> FloatArray:
    """Return the hazards (n, n_grid) at finer months within the grid, from 0 at month 0."""
    months = np.concatenate([[0.0], grid]) if grid[0] > 0 else grid
    values = np.pad(hazard, ((0, 0), (1, 0))) if grid[0] > 0 else hazard
    upper = np.clip(np.searchsorted(months, fine, side="left"), 1, max(len(months) - 1, 1))
    if len(months) == 1:
        return np.repeat(values, len(fine), axis=1)
    width = months[upper] - months[upper - 1]
    share = (fine - months[upper - 1]) / width
    return np.asarray(values[:, upper - 1] * (1 - share) + values[:, upper] * share)
