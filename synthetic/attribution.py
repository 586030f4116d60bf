"""Where the uncertainty of a derived quantity comes from.

First-order shares of the variance: the solution is taken as linear in the figures, the priors and
the assumptions (the implicit function theorem at the middle of the ensemble), so that each source
adds its own variance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.synthetic.derived import Derived
from outcomes.synthetic.ensemble import Source, SourceKind
from outcomes.synthetic.fitting import calibration_problem
from outcomes.synthetic.links import link_slope, published_link, to_link
from outcomes.synthetic.ranges import quantile, varied, with_assumptions
from outcomes.synthetic.solver import Problem, figures_at, jacobian_at

STEP = 1e-5
# One standard deviation below and above the median of a normal distribution.
ONE_BELOW, ONE_ABOVE = 0.158655, 0.841345
# A smaller share is not worth a line.
LEAST_SHARE = 0.005

Derive = Callable[[Problem, FloatArray], tuple[Derived, ...]]


@dataclass(frozen=True, eq=False)
class _Response:
    """How the solution moves.

    Attributes
    ----------
    to_figures
        With the figures on the link scale, shape (n_parameters, n_figures).
    to_priors
        With the centres of the priors, shape (n_parameters, n_parameters).
    """

    to_figures: FloatArray
    to_priors: FloatArray


def attribute(
    problem: Problem,
    solved: FloatArray,
    covariance: FloatArray,
    whitening: FloatArray,
    derive_at: Derive,
) -> tuple[tuple[Source, ...], ...]:
    """Return the sources of the variance of each derived quantity, the largest first.

    Parameters
    ----------
    problem, solved
        Figures and parameters, and the best fit to what was published with each figure weighed by
        its sampling error: the middle of the ensemble.
    covariance, whitening
        Sampling covariance of the figures on the link scale, and the matrix that whitens it.
    derive_at
        Returns the derived quantities at a point.

    Returns
    -------
    tuple of tuples of Source
        For each derived quantity; shares below half a percent are left out.
    """
    response = _response(problem, solved, whitening)
    gradient = _gradient(problem, solved, derive_at)
    by_figures = gradient @ response.to_figures
    sampling = np.einsum("qf,fg,qg->q", by_figures, covariance, by_figures)
    spread = np.array([free.prior_sd for free in problem.parameters])
    by_prior = gradient @ response.to_priors * spread
    by_assumption = _assumption_effects(problem, solved, derive_at, response, gradient)
    names: list[tuple[SourceKind, str]] = [("sampling", "")]
    variances = [sampling]
    for column, free in enumerate(problem.parameters):
        names.append(("prior", free.key))
        variances.append(by_prior[:, column] ** 2)
    for name, effect in by_assumption.items():
        names.append(("assumption", name))
        variances.append(effect**2)
    shares = np.array(variances) / np.sum(variances, axis=0)
    return tuple(_sources(names, shares[:, k]) for k in range(shares.shape[1]))


def _sources(names: Sequence[tuple[SourceKind, str]], shares: FloatArray) -> tuple[Source, ...]:
    order = np.argsort(-shares, kind="stable")
    return tuple(
        Source(names[k][0], names[k][1], float(shares[k]))
        for k in order
        if shares[k] >= LEAST_SHARE
    )


def _linked(problem: Problem, solved: FloatArray) -> FloatArray:
    flat = [figure for figures in problem.figures for figure in figures]
    return to_link(flat, figures_at(problem, solved))


def _response(problem: Problem, solved: FloatArray, whitening: FloatArray) -> _Response:
    flat = [figure for figures in problem.figures for figure in figures]
    slope = link_slope(flat, figures_at(problem, solved))
    white = whitening @ (slope[:, None] * jacobian_at(problem, solved))
    precision = np.diag([free.prior_sd**-2 for free in problem.parameters])
    inverse: FloatArray = np.asarray(np.linalg.inv(white.T @ white + precision), dtype=np.float64)
    return _Response(inverse @ white.T @ whitening, inverse @ precision)


def _values(derive_at: Derive, problem: Problem, solved: FloatArray) -> FloatArray:
    return np.array([derived.value for derived in derive_at(problem, solved)])


def _gradient(problem: Problem, solved: FloatArray, derive_at: Derive) -> FloatArray:
    """Return the derivatives of the derived quantities, shape (n_quantities, n_parameters)."""
    columns = []
    for column in range(solved.size):
        shift = np.zeros_like(solved)
        shift[column] = STEP
        ends = [_values(derive_at, problem, solved + side * shift) for side in (1, -1)]
        columns.append((ends[0] - ends[1]) / (2 * STEP))
    return np.stack(columns, axis=1)


def _assumption_effects(
    problem: Problem,
    solved: FloatArray,
    derive_at: Derive,
    response: _Response,
    gradient: FloatArray,
) -> dict[str, FloatArray]:
    """Return what one standard deviation of each assumption does to the derived quantities."""
    effects = {}
    for assumption in varied(problem.evidence):
        ends = []
        for probability in (ONE_ABOVE, ONE_BELOW):
            value = quantile(assumption, probability)
            moved = calibration_problem(with_assumptions(problem.evidence, {assumption.id: value}))
            flat = [figure for figures in moved.figures for figure in figures]
            centre = np.array([free.prior_solved for free in moved.parameters])
            missing = published_link(flat) - _linked(moved, solved)
            ends.append((missing, centre, _values(derive_at, moved, solved)))
        missing, centre, direct = ((above - below) / 2 for above, below in zip(*ends, strict=True))
        shift = response.to_figures @ missing + response.to_priors @ centre
        effects[assumption.id] = gradient @ shift + direct
    return effects
