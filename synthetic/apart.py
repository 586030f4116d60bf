"""Studies whose figures cannot be met together, solved apart so that they spoil no others."""

from dataclasses import replace

from outcomes.evidence import load_evidence
from outcomes.synthetic.parameters import SHARED
from outcomes.synthetic.sampling import published_value, tolerance
from outcomes.synthetic.solver import (
    Problem,
    Solution,
    expect_all,
    figures_at,
    jacobian_at,
    natural_values,
)
from outcomes.synthetic.starts import best_alone, solve_from_alone


def settle(problem: Problem, solution: Solution) -> tuple[Solution, tuple[str, ...]]:
    """Return a solution in which no study's contradictions move the others, and who was apart.

    Figures weigh far more than priors, so that a study that cannot be met draws the shared effects
    with it. A study that is not shipped with the package and misses a figure is therefore solved
    by itself, with the shared effects of all others.

    Parameters
    ----------
    problem, solution
        Figures and parameters, and where the search of all together ended.

    Returns
    -------
    solution, apart
        The solution, and the identifiers of the studies that were solved apart.
    """
    shipped = {design.id for design in load_evidence().designs}
    apart = tuple(study for study in _missing(problem, solution) if study not in shipped)
    if not apart:
        return solution, ()
    together = [k for k, series in enumerate(problem.series) if series.study not in apart]
    rest = _of_studies(problem, together)
    solved = solution.solved.copy()
    converged = True
    if together:
        found = solve_from_alone(rest)
        converged = found.converged
        solved[_columns(problem, rest)] = found.solved
    shared = natural_values(problem.parameters, solved, SHARED)
    for index, series in enumerate(problem.series):
        if series.study in apart:
            alone = replace(
                _of_studies(problem, [index]),
                parameters=tuple(p for p in problem.parameters if p.study == series.study),
                fixed={**problem.fixed, **shared},
            )
            solved[_columns(problem, alone)] = best_alone(alone)
    return (
        Solution(solved, expect_all(problem, solved), jacobian_at(problem, solved), converged),
        apart,
    )


def _missing(problem: Problem, solution: Solution) -> tuple[str, ...]:
    """Return the studies with a figure beyond its tolerance."""
    figures = [figure for some in problem.figures for figure in some]
    reached = figures_at(problem, solution.solved)
    missed = {
        figure.study
        for figure, value in zip(figures, reached, strict=True)
        if not abs(value - published_value(figure)) <= tolerance(figure)
    }
    return tuple(series.study for series in problem.series if series.study in missed)


def _of_studies(problem: Problem, indices: list[int]) -> Problem:
    studies = {problem.series[k].study for k in indices} | {SHARED}
    return replace(
        problem,
        series=tuple(problem.series[k] for k in indices),
        figures=tuple(problem.figures[k] for k in indices),
        parameters=tuple(p for p in problem.parameters if p.study in studies),
    )


def _columns(problem: Problem, part: Problem) -> list[int]:
    keys = {parameter.key for parameter in part.parameters}
    return [k for k, parameter in enumerate(problem.parameters) if parameter.key in keys]
