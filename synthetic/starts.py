"""Where the search begins for studies that are not shipped with the package."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.errors import CalibrationError
from outcomes.evidence import load_evidence
from outcomes.synthetic.parameters import SHARED
from outcomes.synthetic.sampling import published_value
from outcomes.synthetic.solver import (
    FIGURE_WEIGHT,
    Problem,
    Solution,
    figures_at,
    rough_error,
    solve,
)

# With all figures this near, in rough standard errors, no other start is tried.
NEAR = 0.01
# Other starts, in standard deviations of the priors: progressions late or early and close together;
# follow-up much alike, or long for a few and short for the others.
STARTS: tuple[Mapping[str, float], ...] = tuple(
    {"progression_median": late, "progression_sigma": -1.0, "follow_up_shape": alike}
    for late in (1.5, -1.0)
    for alike in (-1.0, 1.0)
)


def solve_from_own_starts(problem: Problem) -> Solution:
    """Return the parameters that meet the figures best.

    The shipped series are solved from the centres of their priors, which is known to lead
    somewhere. Any other is first solved alone, the shared parameters at their priors, from the
    centre and from each of `STARTS`; the best of these begins the search of all parameters. One
    share of progressions is met by early ones that all are seen and by late ones that few are
    followed for, and a search that goes towards the wrong ones does not turn round.

    Raises
    ------
    CalibrationError
        As `solve`.
    """
    shipped = {design.id for design in load_evidence().designs}
    start = np.array([p.prior_solved for p in problem.parameters])
    for index, series in enumerate(problem.series):
        columns = [k for k, p in enumerate(problem.parameters) if p.study == series.study]
        if series.study not in shipped and problem.figures[index]:
            start[columns] = best_alone(_alone(problem, index))
    return solve(problem, start)


def _alone(problem: Problem, index: int) -> Problem:
    """Return the problem of one series, the shared parameters at their priors."""
    study = problem.series[index].study
    shared = {p.name: p.prior for p in problem.parameters if p.study == SHARED}
    return replace(
        problem,
        series=(problem.series[index],),
        figures=(problem.figures[index],),
        parameters=tuple(p for p in problem.parameters if p.study == study),
        fixed={**problem.fixed, **shared},
    )


def best_alone(alone: Problem) -> FloatArray:
    """Return the best point found for one series from any start; the centre where none leads on."""
    centre = np.array([p.prior_solved for p in alone.parameters])
    spread = np.array([p.prior_sd for p in alone.parameters])
    cost, best = np.inf, centre
    for start in ({}, *STARTS):
        shift = np.array([start.get(p.name.partition("/")[0], 0.0) for p in alone.parameters])
        try:
            found = solve(alone, centre + spread * shift).solved
        except CalibrationError:
            continue
        if _cost(alone, found) < cost:
            cost, best = _cost(alone, found), found
        if np.abs(_misses(alone, best)).max() <= NEAR:
            break
    return best


def _misses(problem: Problem, solved: FloatArray) -> FloatArray:
    figures = [figure for each in problem.figures for figure in each]
    wanted = np.array([published_value(figure) for figure in figures])
    errors = np.array([rough_error(figure) for figure in figures])
    return np.asarray((figures_at(problem, solved) - wanted) / errors)


def _cost(problem: Problem, solved: FloatArray) -> float:
    centre = np.array([p.prior_solved for p in problem.parameters])
    spread = np.array([p.prior_sd for p in problem.parameters])
    misses, shifts = FIGURE_WEIGHT * _misses(problem, solved), (solved - centre) / spread
    return float(misses @ misses + shifts @ shifts)
