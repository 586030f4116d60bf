"""Firth's penalised Cox regression, for effects that have no maximum likelihood estimate.

Where none (or all) of the patients with a covariate's value have the event, the likelihood grows
without end as its hazard ratio goes to 0 (or infinity). Adding half the log determinant of the
information to the log-likelihood makes every estimate finite and less biased: Firth, Biometrika
1993;80:27-38; for Cox regression Heinze and Schemper, Biometrics 2001;57:114-119. Ties are
Efron's. Intervals and tests from it are Wald's, which are rough for a separated covariate.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from outcomes.arrays import BoolArray, FloatArray
from outcomes.errors import ModelError


@dataclass(frozen=True, eq=False)
class PartialLikelihood:
    """The partial likelihood at given coefficients.

    Attributes
    ----------
    value
        Log partial likelihood.
    score
        Its gradient, shape (n_terms,).
    information
        Minus its second derivative, shape (n_terms, n_terms).
    firth_score
        Gradient of half the log determinant of the information; zero where that is singular.
    """

    value: float
    score: FloatArray
    information: FloatArray
    firth_score: FloatArray

    @property
    def gradient(self) -> FloatArray:
        """Return the gradient of the penalised likelihood."""
        return np.asarray(self.score + self.firth_score)

    @property
    def penalised(self) -> float:
        """Return the log partial likelihood plus half the log determinant of the information."""
        sign, log_determinant = np.linalg.slogdet(self.information)
        return self.value + 0.5 * float(log_determinant) if sign > 0 else -np.inf


def partial_likelihood(
    matrix: FloatArray, time: FloatArray, observed: BoolArray, groups: Any, beta: FloatArray
) -> PartialLikelihood:
    """Return the stratified partial likelihood with Efron's ties.

    Parameters
    ----------
    matrix, time, observed, groups
        Design, months, whether the event happened, and stratum of each patient.
    beta
        Coefficients, shape (n_terms,).
    """
    p = matrix.shape[1]
    value, score, information = 0.0, np.zeros(p), np.zeros((p, p))
    rows = []
    for name in sorted(set(groups)):
        members = groups == name
        if not (members & observed).any():
            continue
        part = _Stratum(matrix[members], time[members], observed[members], beta)
        value += part.value
        score += part.score
        information += part.information
        rows.append(part)
    firth = np.zeros(p)
    if np.linalg.matrix_rank(information) == p:
        inverse = np.asarray(np.linalg.inv(information), dtype=np.float64)
        firth = 0.5 * np.sum([part.determinant_gradient(inverse) for part in rows], axis=0)
    return PartialLikelihood(value, score, information, firth)


def fit_firth(
    matrix: FloatArray, time: FloatArray, observed: BoolArray, groups: Any, cause: str
) -> tuple[FloatArray, FloatArray, float]:
    """Return coefficients, their covariance and the penalised log-likelihood.

    Raises
    ------
    ModelError
        If the iterations do not settle.
    """
    centered = matrix - matrix.mean(axis=0)
    scale = centered.std(axis=0)
    scaled = centered / scale
    beta = np.zeros(matrix.shape[1])
    here = partial_likelihood(scaled, time, observed, groups, beta)
    for _ in range(200):
        try:
            step = np.linalg.solve(here.information, here.gradient)
        except np.linalg.LinAlgError:
            break
        step *= min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-300))
        # The information leaves out the penalty's curvature, so a step may go past the maximum;
        # the slope along it then turns.
        slope = float(here.gradient @ step)
        there = partial_likelihood(scaled, time, observed, groups, beta + step)
        halvings = 0
        while float(there.gradient @ step) < -0.2 * slope and halvings < 30:
            step, slope, halvings = step / 2, slope / 2, halvings + 1
            there = partial_likelihood(scaled, time, observed, groups, beta + step)
        beta, here = beta + step, there
        if np.abs(step).max() < 1e-9:
            covariance = np.linalg.inv(here.information) / np.outer(scale, scale)
            return beta / scale, covariance, here.penalised - float(np.log(scale).sum())
    raise ModelError(f"{cause}: the penalised fit did not settle; use fewer covariates")


class _Stratum:
    """Sums over the risk sets of one stratum, one row per death."""

    def __init__(
        self, matrix: FloatArray, time: FloatArray, observed: BoolArray, beta: FloatArray
    ) -> None:
        order = np.argsort(-time, kind="stable")
        self._x, t, died = matrix[order], time[order], observed[order]
        eta = self._x @ beta
        self._shift = float(eta.max())
        self._weight = np.exp(eta - self._shift)
        months, at = np.unique(t[died], return_inverse=True)
        self._deaths = np.flatnonzero(died)
        self._at = at
        self._months = len(months)
        self._last = np.searchsorted(-t, -months, side="right") - 1
        # Efron: of d deaths at one time, the k-th sees k / d of the others already gone.
        ranks = np.empty(len(at))
        arranged = np.argsort(at, kind="stable")
        counts = np.bincount(at)
        ranks[arranged] = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
        self._gone = ranks / counts[at]

        w = self._weight
        self._s0 = self._rows(w)
        self._mean = self._rows(w[:, None] * self._x) / self._s0[:, None]
        outer = self._x[:, :, None] * self._x[:, None, :]
        second = self._rows(w[:, None, None] * outer) / self._s0[:, None, None]
        self._variance = second - self._mean[:, :, None] * self._mean[:, None, :]
        self.value = float((eta[died] - self._shift).sum() - np.log(self._s0).sum())
        self.score = self._x[died].sum(axis=0) - self._mean.sum(axis=0)
        self.information = self._variance.sum(axis=0)

    def determinant_gradient(self, inverse: FloatArray) -> FloatArray:
        """Return the trace of inverse times the information's derivative by each coefficient.

        For a risk set it is the covariance of x with (x - mean)' inverse (x - mean).
        """
        form = np.einsum("ni,ij,nj->n", self._x, inverse, self._x)
        weighted = self._weight * form
        mean_form = self._rows(weighted) / self._s0
        cross = self._rows(weighted[:, None] * self._x) / self._s0[:, None]
        covariance = cross - self._mean * mean_form[:, None]
        return np.asarray(
            covariance.sum(axis=0)
            - 2 * np.einsum("nij,jk,nk->i", self._variance, inverse, self._mean)
        )

    def _rows(self, values: FloatArray) -> FloatArray:
        """Return the sum over the risk set of each death, less those already gone."""
        at_risk = np.cumsum(values, axis=0)[self._last][self._at]
        dying = np.zeros((self._months, *values.shape[1:]))
        np.add.at(dying, self._at, values[self._deaths])
        gone = self._gone.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(at_risk - gone * dying[self._at])
