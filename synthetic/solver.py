"""Least squares that meets the published figures.

Baselines belong to one series each and only a few effects are shared, so that a Jacobian column
needs the expectation of one series (all series for a shared effect).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import least_squares

from outcomes.arrays import FloatArray
from outcomes.errors import CalibrationError
from outcomes.evidence import Evidence, Figure
from outcomes.synthetic.effects import Effects
from outcomes.synthetic.estimands import achieved
from outcomes.synthetic.parameters import SHARED, FreeParameter
from outcomes.synthetic.population import ArmExpectation
from outcomes.synthetic.sampling import binomial_error, published_value
from outcomes.synthetic.series import HORIZON_MONTHS, Series
from outcomes.synthetic.series_expectation import SeriesExpectation, expect_series

# A figure counts two hundred times its rough error against the priors, so that it is met and the
# priors settle only what the figures leave open.
FIGURE_WEIGHT = 200.0
STEP = 1e-6
# No figure counts as more exact than this, in months or percentage points.
LEAST_ERROR = 0.05
LARGEST_MISS = 1e3
# Figures that go together need about fifty; with others the search creeps on.
MOST_EVALUATIONS = 120
# Relative decrease of the objective at which the search ends: parameters then hold to 1e-3 of their
# priors' standard deviations.
TOLERANCE = 1e-9
# The search sees no parameter further from its prior, in standard deviations of it: out there a
# figure hardly changes, and exponentials overflow.
FARTHEST = 9.0


@dataclass(frozen=True)
class Problem:
    """The figures to meet and the parameters to move.

    Attributes
    ----------
    evidence
        Registry.
    series
        Designs.
    figures
        For each series, the figures to meet.
    parameters
        Free parameters: the shared ones first.
    fixed
        Natural values of shared parameters that do not move, by name.
    """

    evidence: Evidence
    series: tuple[Series, ...]
    figures: tuple[tuple[Figure, ...], ...]
    parameters: tuple[FreeParameter, ...]
    fixed: Mapping[str, float] = field(default_factory=dict)

    def columns(self, study: str) -> list[int]:
        """Return the positions of the parameters that a series depends on."""
        return [k for k, p in enumerate(self.parameters) if p.study in (study, SHARED)]

    def effects(self, solved: FloatArray) -> Effects:
        """Return the shared effects at a point."""
        shared = natural_values(self.parameters, solved, SHARED)
        return Effects.from_values(self.evidence, {**self.fixed, **shared})


@dataclass(frozen=True, eq=False)
class Solution:
    """Solved parameters.

    Attributes
    ----------
    solved
        Parameters on the scale they are solved on, shape (n_parameters,).
    expectations
        Expectation of each series there.
    jacobian
        Derivatives of the achieved figures, shape (n_figures, n_parameters).
    converged
        Whether the search met its tolerance.
    """

    solved: FloatArray
    expectations: tuple[SeriesExpectation, ...]
    jacobian: FloatArray
    converged: bool


def rough_error(figure: Figure) -> float:
    """Return an error good enough to weigh figures of different units against each other.

    Binomial for shares and counts; value / sqrt(n), that of an exponential mean, for months. What
    is reported is `sampling_error`, which needs the solution.
    """
    if figure.unit == "months":
        return max(float(published_value(figure) / np.sqrt(figure.n or 1)), LEAST_ERROR)
    points = 1.0 if figure.unit == "percent" else (figure.n or 0) / 100
    return max(binomial_error(figure), LEAST_ERROR * points)


def natural_values(
    parameters: Sequence[FreeParameter], solved: FloatArray, study: str
) -> dict[str, float]:
    """Return the natural values of one series' (or the shared) parameters, by name."""
    return {
        p.name: p.to_natural(float(x))
        for p, x in zip(parameters, solved, strict=True)
        if p.study == study
    }


def expect_all(problem: Problem, solved: FloatArray) -> tuple[SeriesExpectation, ...]:
    """Return the expectation of every series at a point."""
    return tuple(_expect(problem, index, solved) for index in range(len(problem.series)))


def figures_at(problem: Problem, solved: FloatArray) -> FloatArray:
    """Return what the series report at a point, shape (n_figures,)."""
    expectations = expect_all(problem, solved)
    return np.concatenate([_report(problem, k, e) for k, e in enumerate(expectations)])


def jacobian_at(problem: Problem, solved: FloatArray) -> FloatArray:
    """Return the derivatives of what the series report, shape (n_figures, n_parameters)."""
    each = range(len(problem.series))
    return np.vstack([_jacobian_block(problem, index, solved) for index in each])


def _expect(
    problem: Problem,
    index: int,
    solved: FloatArray,
    arms: Mapping[str, ArmExpectation] | None = None,
) -> SeriesExpectation:
    series = problem.series[index]
    values = natural_values(problem.parameters, solved, series.study)
    return expect_series(series, values, problem.effects(solved), problem.evidence, arms)


def _report(problem: Problem, index: int, expectation: SeriesExpectation) -> FloatArray:
    return np.array([achieved(figure, expectation) for figure in problem.figures[index]])


def _jacobian_block(problem: Problem, index: int, solved: FloatArray) -> FloatArray:
    block = np.zeros((len(problem.figures[index]), solved.size))
    expectation = _expect(problem, index, solved)
    here = _report(problem, index, expectation)
    for column in problem.columns(problem.series[index].study):
        shift = np.zeros_like(solved)
        shift[column] = STEP
        observed_only = problem.parameters[column].name.startswith(("follow_up", "hardware"))
        arms = expectation.arms if observed_only else None
        shifted = _expect(problem, index, solved + shift, arms)
        block[:, column] = (_report(problem, index, shifted) - here) / STEP
    return block


def remember_last(
    function: Callable[[FloatArray], FloatArray],
) -> Callable[[FloatArray], FloatArray]:
    """Return the function, which keeps its last result."""
    last: list[FloatArray] = []

    def remembered(point: FloatArray) -> FloatArray:
        if not last or not np.array_equal(last[0], point):
            last[:] = [point.copy(), function(point)]
        return last[1]

    return remembered


def keep_near(problem: Problem, solved: FloatArray) -> FloatArray:
    """Return a point moved to where parameters still mean something."""
    centre = np.array([p.prior_solved for p in problem.parameters])
    reach = FARTHEST * np.array([p.prior_sd for p in problem.parameters])
    return np.clip(solved, centre - reach, centre + reach)


def solve(
    problem: Problem, start: FloatArray | None = None, tolerance: float = TOLERANCE
) -> Solution:
    """Return the parameters that meet the figures best.

    The objective is the sum of squares of (200 z) over the figures and of (p - p0) / sd over the
    priors.

    Parameters
    ----------
    problem
        Figures and parameters.
    start
        Where to begin, shape (n_parameters,); by default the prior centres.
    tolerance
        Relative decrease of the objective at which the search ends.

    Raises
    ------
    CalibrationError
        If a figure lies beyond the months that are simulated, or the search leads where one
        has no value.
    """
    centre = np.array([p.prior_solved for p in problem.parameters])
    spread = np.array([p.prior_sd for p in problem.parameters])
    flat = [figure for figures in problem.figures for figure in figures]
    wanted = np.array([published_value(figure) for figure in flat])
    errors = np.array([rough_error(figure) for figure in flat])
    for figure, value in zip(flat, wanted, strict=True):
        if figure.unit == "months" and not 0 < value <= HORIZON_MONTHS:
            raise CalibrationError(
                f"{figure.id}: found {value:g} months; allowed: above 0, up to the "
                f"{HORIZON_MONTHS:g} months that are simulated"
            )

    def residuals(solved: FloatArray) -> FloatArray:
        misses = (figures_at(problem, keep_near(problem, solved)) - wanted) / errors
        misses = np.clip(np.nan_to_num(misses, nan=LARGEST_MISS), -LARGEST_MISS, LARGEST_MISS)
        return np.concatenate([FIGURE_WEIGHT * misses, (solved - centre) / spread])

    def jacobian(solved: FloatArray) -> FloatArray:
        blocks = jacobian_at(problem, keep_near(problem, solved))
        lost = [f.id for f, row in zip(flat, blocks, strict=True) if not np.isfinite(row).all()]
        if lost:
            raise CalibrationError(
                f"{', '.join(lost)}: cannot be met together with the other figures within "
                f"{HORIZON_MONTHS:g} months"
            )
        return np.vstack([FIGURE_WEIGHT * blocks / errors[:, None], np.diag(1 / spread)])

    # A trial point may be absurd (an event that nobody has); it counts as a large miss.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = least_squares(
            residuals,
            centre if start is None else start,
            jac=jacobian,
            method="trf",
            x_scale=spread,
            xtol=1e-10,
            ftol=tolerance,
            gtol=1e-8,
            max_nfev=MOST_EVALUATIONS,
        )
    solved = keep_near(problem, found.x)
    return Solution(
        solved=solved,
        expectations=expect_all(problem, solved),
        jacobian=np.asarray(found.jac)[: len(flat)] * errors[:, None] / FIGURE_WEIGHT,
        converged=bool(found.status > 0),
    )
