"""What a Fine-Gray regression found: coefficients, baselines, tests and predictions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, ndtri

from outcomes.arrays import FloatArray
from outcomes.errors import OutcomesError


@dataclass(frozen=True, eq=False)
class SubdistributionBaseline:
    """Cumulative subdistribution hazard of one stratum, for a patient at `FineGrayFit.center`.

    All but `events` are running sums at the times of events.

    Attributes
    ----------
    times
        Months at which somebody had the event, increasing, shape (n_times,).
    events
        Number of events at each time (sum of weights), shape (n_times,).
    hazard
        Cumulative hazard after Breslow, shape (n_times,).
    moments
        Sum of mean covariates of the risk set, less the center, times the hazard's step,
        shape (n_times, p).
    variance
        Variance of the hazard at known coefficients, shape (n_times,).
    covariance
        Covariance of the hazard, at known coefficients, with the coefficients,
        shape (n_times, p).
    straight
        Whether the sums rise in straight lines between the times instead of stepping at them.
    """

    times: FloatArray
    events: FloatArray
    hazard: FloatArray
    moments: FloatArray
    variance: FloatArray
    covariance: FloatArray
    straight: bool = False

    def at(self, values: FloatArray, months: npt.ArrayLike) -> FloatArray:
        """Return one of the running sums at months, shape (n_months, ...)."""
        query = np.asarray(months, dtype=np.float64)
        padded = np.concatenate([np.zeros((1, *values.shape[1:])), values])
        position = np.searchsorted(self.times, query, side="right")
        result = padded[position]
        if self.straight and len(self.times):
            upper = np.minimum(position, len(self.times) - 1)
            begin = np.where(position > 0, self.times[np.maximum(position - 1, 0)], 0.0)
            share = (query - begin) / np.where(position <= upper, self.times[upper] - begin, 1.0)
            share = np.where(position <= upper, share, 0.0).reshape(-1, *[1] * (values.ndim - 1))
            result = result + share * (padded[upper + 1] - result)
        return np.asarray(result)


@dataclass(frozen=True, eq=False)
class FineGrayFit:
    """A fitted Fine-Gray model.

    Attributes
    ----------
    names
        Names of the columns, in order.
    coefficients
        Log subdistribution hazard ratios, shape (p,).
    covariance
        Their sandwich covariance with the uncertainty of the censoring weights (Fine & Gray
        1999, section 3; `var` of cmprsk::crr), shape (p, p).
    information
        Minus the second derivative of the log pseudo-likelihood, shape (p, p).
    center
        Mean covariates, at which the baselines are given, shape (p,).
    baselines
        One for each of `strata`.
    strata
        Labels of the strata in order; a single None without strata.
    log_likelihood, log_likelihood_null
        Log pseudo-likelihood (Breslow's ties) at the coefficients, and at 0.
    score_statistic
        Robust score test of all coefficients being 0, chi-squared with p degrees of freedom; NaN
        with so few clusters that their covariance has no inverse.
    n, n_events, n_competing
        Patients, and those with the event and with a competing one.
    iterations
        Newton steps.
    residual_times, residuals
        Schoenfeld residuals, one row an event ordered by stratum and month: the covariates less
        their mean in the risk set, shapes (n_events,) and (n_events, p).
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    covariance: FloatArray
    information: FloatArray
    center: FloatArray
    baselines: tuple[SubdistributionBaseline, ...]
    strata: tuple[object, ...]
    log_likelihood: float
    log_likelihood_null: float
    score_statistic: float
    n: int
    n_events: int
    n_competing: int
    iterations: int
    residual_times: FloatArray
    residuals: FloatArray

    @property
    def standard_errors(self) -> FloatArray:
        """Standard errors of the coefficients, shape (p,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def p_values(self) -> FloatArray:
        """Wald tests of each coefficient being 0, shape (p,)."""
        return np.asarray(chdtrc(1, (self.coefficients / self.standard_errors) ** 2))

    def tests(self) -> dict[str, tuple[float, int, float]]:
        """Return statistic, degrees of freedom and p of the tests that all coefficients are 0.

        ``wald`` and ``score`` use the sandwich covariance. ``pseudo_likelihood_ratio`` is twice
        the gain in log pseudo-likelihood; under censoring it is chi-squared only roughly. With too
        few clusters the first two are NaN.
        """
        p = len(self.coefficients)
        if not p:
            return {}
        wald = quadratic_form(self.covariance, self.coefficients)
        ratio = 2 * (self.log_likelihood - self.log_likelihood_null)
        return {
            name: (value, p, float(chdtrc(p, np.maximum(value, 0.0))))
            for name, value in (
                ("wald", wald),
                ("score", self.score_statistic),
                ("pseudo_likelihood_ratio", ratio),
            )
        }

    def linear_predictor(self, X: npt.ArrayLike) -> FloatArray:
        """Return the log subdistribution hazard ratio against the mean patient, shape (n,)."""
        return np.asarray((self._columns(X) - self.center) @ self.coefficients)

    def cumulative_incidence(
        self, X: npt.ArrayLike, months: npt.ArrayLike, stratum: object = None
    ) -> FloatArray:
        """Return the probability of the event by each month, shape (n, n_months).

        It is 1 - exp(-H), H being the patient's cumulative subdistribution hazard; constant
        after the last event.
        """
        baseline = self._baseline(stratum)
        hazard = baseline.at(baseline.hazard, np.atleast_1d(months))
        return np.asarray(-np.expm1(-np.exp(self.linear_predictor(X))[:, None] * hazard))

    def standard_error_log_hazard(
        self, X: npt.ArrayLike, months: npt.ArrayLike, stratum: object = None
    ) -> FloatArray:
        """Return the standard error of log H = log(-log(1 - incidence)), shape (n, n_months).

        The estimate's influence function is that of Fine & Gray (1999, section 5): of the
        coefficients, of the baseline, and of the censoring weights in both. 0 where no event has
        happened yet.
        """
        baseline = self._baseline(stratum)
        query = np.atleast_1d(np.asarray(months, dtype=np.float64))
        hazard = baseline.at(baseline.hazard, query)
        moments = baseline.at(baseline.moments, query)
        drift = (self._columns(X) - self.center)[:, None, :] * hazard[:, None] - moments
        total = baseline.at(baseline.variance, query) + np.einsum(
            "ntp,ntp->nt",
            drift @ self.covariance + 2 * baseline.at(baseline.covariance, query),
            drift,
        )
        positive = np.broadcast_to(hazard > 0, total.shape)
        error = np.sqrt(np.maximum(total, 0.0))
        return np.asarray(np.divide(error, hazard, out=np.zeros_like(total), where=positive))

    def interval(
        self,
        X: npt.ArrayLike,
        months: npt.ArrayLike,
        stratum: object = None,
        level: float = 0.95,
    ) -> tuple[FloatArray, FloatArray]:
        """Return pointwise limits of `cumulative_incidence`, symmetric for log(-log(1 - F))."""
        if not 0 < level < 1:
            raise OutcomesError(f"the confidence level must lie between 0 and 1; found {level:g}")
        hazard = -np.log1p(-self.cumulative_incidence(X, months, stratum))
        width = float(ndtri(0.5 + level / 2)) * self.standard_error_log_hazard(X, months, stratum)
        return (
            np.asarray(-np.expm1(-hazard * np.exp(-width))),
            np.asarray(-np.expm1(-hazard * np.exp(width))),
        )

    def _columns(self, X: npt.ArrayLike) -> FloatArray:
        matrix = np.asarray(X, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != len(self.names):
            raise OutcomesError(
                f"X: found shape {matrix.shape}; allowed: one row a patient and the "
                f"{len(self.names)} columns of the fit"
            )
        return matrix

    def _baseline(self, stratum: object) -> SubdistributionBaseline:
        if stratum is None and len(self.strata) == 1:
            return self.baselines[0]
        if stratum not in self.strata:
            allowed = ", ".join(str(label) for label in self.strata)
            raise OutcomesError(f"stratum: found {stratum!r}; allowed: {allowed}")
        return self.baselines[self.strata.index(stratum)]


def quadratic_form(covariance: FloatArray, values: FloatArray) -> float:
    """Return values' covariance^-1 values; NaN where few clusters leave it without inverse."""
    scale = np.sqrt(np.diag(covariance))
    if not scale.all():
        return float("nan")
    scaled = covariance / np.outer(scale, scale)
    if np.linalg.matrix_rank(scaled, hermitian=True) < len(values):
        return float("nan")
    return float(values / scale @ np.linalg.solve(scaled, values / scale))
