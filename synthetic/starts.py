"""Where the search begins: with every series solved alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.errors import CalibrationError
from outcomes.evidence import load_evidence
from outcomes.synthetic.parameters import SHARED
from outcomes.synthetic.sampling import published_value
from outcomes.synthetic.solver import (
    FIGURE_WEIGHT,
    TOLERANCE,
    Problem,
    Solution,
    figures_at,
    rough_error,
    solve,
)

# With all figures this near, in rough standard errors, no other start is tried.
NEAR = 0.01
# How exactly a series is solved alone before all are solved together.
COARSE = 1e-4
# Where searches start, in standard deviations of the priors. Besides the centre: progressions late
# or early and close together; follow-up much alike, or long for a few and short for the others.
CENTRE: Mapping[str, float] = {}
STARTS = tuple(
    {"progression_median": late, "progression_sigma": -1.0, "follow_up_shape": alike}
    for late in (1.5, -1.0)
    for alike in (-1.0, 1.0)
)


def solve_from_alone(problem: Problem) -> Solution:
    """Return the parameters that meet the figures best.

    Each series is first solved alone, the shared parameters at their priors, and the search of all
    parameters begins there: most of the way is one series' own, where a step costs a fraction of
    one for all. The shipped series are solved from the centres of their priors, which is known to
    lead somewhere; any other also from each of `STARTS`. One share of progressions is met by early
    ones that all are seen and by late ones that few are followed for, and a search that goes
    towards the wrong ones does not turn round.

    Raises
    ------
    CalibrationError
        As `solve`.
    """
    shipped = {design.id for design in load_evidence().designs}
    start = np.array([p.prior_solved for p in problem.parameters])
    for index, series in enumerate(problem.series):
        columns = [k for k, p in enumerate(problem.parameters) if p.study == series.study]
        if problem.figures[index]:
            alone = _alone(problem, index)
            known = series.study in shipped
            start[columns] = best_alone(alone, (CENTRE,), COARSE) if known else best_alone(alone)
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


def best_alone(
    alone: Problem,
    starts: Sequence[Mapping[str, float]] = (CENTRE, *STARTS),
    tolerance: float = TOLERANCE,
) -> FloatArray:
    """Return the best point found for one series from any start; the centre where none leads on."""
    centre = np.array([p.prior_solved for p in alone.parameters])
    spread = np.array([p.prior_sd for p in alone.parameters])
    cost, best = np.inf, centre
    for start in starts:
        shift = np.array([start.get(p.name.partition("/")[0], 0.0) for p in alone.parameters])
        try:
            found = solve(alone, centre + spread * shift, tolerance).solved
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
