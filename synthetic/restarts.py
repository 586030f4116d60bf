"""Other starting points for a series whose figures the first search does not meet."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.errors import CalibrationError
from outcomes.synthetic.parameters import SHARED
from outcomes.synthetic.sampling import published_value
from outcomes.synthetic.solver import (
    FIGURE_WEIGHT,
    Problem,
    Solution,
    figures_at,
    natural_values,
    rough_error,
    solve,
)

# A series with a figure further off, in rough standard errors, is started anew.
FAR = 0.2
# Starts, in standard deviations of the priors: progressions late or early and close together;
# follow-up much alike, or long for a few and short for the others.
STARTS: tuple[Mapping[str, float], ...] = tuple(
    {"progression_median": late, "progression_sigma": -1.0, "follow_up_shape": alike}
    for late in (1.5, -1.0)
    for alike in (-1.0, 1.0)
)


def solve_with_restarts(problem: Problem) -> Solution:
    """Return the parameters that meet the figures best, from more starts where one is not enough.

    Where a series misses a figure by more than `FAR` errors, it is solved alone, the shared
    parameters held, from each of `STARTS`; the best of them begins another search of all
    parameters. A study of few figures may need it: one share of progressions is met by early
    ones that all are seen and by late ones that few are followed for, and a search that goes
    towards the wrong ones does not turn round.

    Raises
    ------
    CalibrationError
        As `solve`.
    """
    solution = solve(problem)
    start = solution.solved.copy()
    improved = False
    for index, series in enumerate(problem.series):
        alone = _alone(problem, index, solution)
        columns = [k for k, p in enumerate(problem.parameters) if p.study == series.study]
        if not columns or np.abs(_misses(alone, start[columns])).max(initial=0.0) <= FAR:
            continue
        best = _best(alone, start[columns])
        if best is not None:
            start[columns] = best
            improved = True
    if not improved:
        return solution
    again = solve(problem, start)
    return min(solution, again, key=lambda found: _cost(problem, found.solved))


def _alone(problem: Problem, index: int, solution: Solution) -> Problem:
    """Return the problem of one series, the shared parameters held."""
    study = problem.series[index].study
    shared = natural_values(problem.parameters, solution.solved, SHARED)
    return replace(
        problem,
        series=(problem.series[index],),
        figures=(problem.figures[index],),
        parameters=tuple(p for p in problem.parameters if p.study == study),
        fixed={**problem.fixed, **shared},
    )


def _best(alone: Problem, here: FloatArray) -> FloatArray | None:
    """Return the best point found from other starts; None where none is better."""
    centre = np.array([p.prior_solved for p in alone.parameters])
    spread = np.array([p.prior_sd for p in alone.parameters])
    cost, best = _cost(alone, here), None
    for start in STARTS:
        shift = np.array([start.get(p.name.partition("/")[0], 0.0) for p in alone.parameters])
        try:
            found = solve(alone, centre + spread * shift).solved
        except CalibrationError:
            continue
        if _cost(alone, found) < cost:
            cost, best = _cost(alone, found), found
        if best is not None and np.abs(_misses(alone, best)).max() <= FAR:
            break
    return best


def _misses(problem: Problem, solved: FloatArray) -> FloatArray:
    figures = [figure for each in problem.figures for figure in each]
    if not figures:
        return np.zeros(0)
    wanted = np.array([published_value(figure) for figure in figures])
    errors = np.array([rough_error(figure) for figure in figures])
    return np.asarray((figures_at(problem, solved) - wanted) / errors)


def _cost(problem: Problem, solved: FloatArray) -> float:
    centre = np.array([p.prior_solved for p in problem.parameters])
    spread = np.array([p.prior_sd for p in problem.parameters])
    misses, shifts = FIGURE_WEIGHT * _misses(problem, solved), (solved - centre) / spread
    return float(misses @ misses + shifts @ shifts)
