"""Calibration: from published figures to parameters."""

from collections.abc import Callable

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.evidence import Evidence, Figure, load_evidence
from outcomes.synthetic.apart import settle
from outcomes.synthetic.calibration import Calibration, Parameter, Target
from outcomes.synthetic.decomposition import decompose
from outcomes.synthetic.estimands import achieved, death_over_hardware, is_solved
from outcomes.synthetic.numeric import numeric_figures
from outcomes.synthetic.perioperative import DIRECTIONS
from outcomes.synthetic.requirements import check_requirements
from outcomes.synthetic.sampling import published_value, sampling_error, tolerance
from outcomes.synthetic.series import Series, all_series, shared_parameters, solved_series
from outcomes.synthetic.series_expectation import SeriesExpectation, expect_series
from outcomes.synthetic.solver import Problem, Solution
from outcomes.synthetic.starts import solve_from_alone
from outcomes.synthetic.truth import null_log_hazard_ratio, signed_log_hazard_ratio

LOG_HAZARD_RATIO = "log hazard ratio"

Progress = Callable[[str], None]


def calibrate(
    evidence: Evidence | None = None,
    *,
    progress: Progress | None = None,
) -> Calibration:
    """Solve the parameters of all survival series so that they report what was published.

    Deterministic: expectations by integration, parameters by least squares; no simulation.

    Parameters
    ----------
    evidence
        Registry of figures and assumptions; by default the one shipped.
    progress
        Called with a few words before each step.

    Returns
    -------
    Calibration

    Raises
    ------
    CalibrationError
        With every figure and design that cannot be solved for.
    """
    registry = load_evidence() if evidence is None else evidence
    check_requirements(registry)
    report = progress or (lambda _: None)
    problem = calibration_problem(registry)
    report("solving the parameters")
    solution, apart = settle(problem, solve_from_alone(problem))
    report("taking the difference of medians apart")
    decomposition = decompose(problem, solution)
    return Calibration(
        targets=_targets(problem, solution),
        parameters=_parameters(problem, solution),
        singular_values=tuple(float(v) for v in _singular_values(problem, solution)),
        converged=solution.converged,
        decomposition=decomposition,
        evidence=registry,
        apart=apart,
    )


def calibration_problem(evidence: Evidence) -> Problem:
    """Return the figures to meet and the parameters to move."""
    series = solved_series(evidence)
    shared = shared_parameters(evidence)
    own = tuple(parameter for one in series for parameter in one.parameters(evidence))
    figures = tuple(
        tuple(f for f in evidence.of_study(one.study) if f.role == "fit" and is_solved(f, one))
        + _assumed(one, evidence)
        for one in series
    )
    return Problem(evidence, series, figures, shared + own)


def _assumed(series: Series, evidence: Evidence) -> tuple[Figure, ...]:
    """Return assumptions that act as figures, where a study prints no survival."""
    median = evidence.design(series.study).overall_survival_median
    if median is None:
        return ()
    return (
        Figure(
            id=f"{series.study}/overall_survival_median",
            study=series.study,
            quantity="overall_survival_median",
            estimand="kaplan_meier_median",
            role="fit",
            source=str(median),
            value=evidence.number(median),
            unit="months",
            n=series.size,
        ),
    )


def _numeric_target(figure: Figure, expectation: SeriesExpectation) -> Target:
    published, got = published_value(figure), float(achieved(figure, expectation))
    if figure.quantity == "follow_up_median":
        got = min(got, expectation.follow_up.breaks[-1])
    error = sampling_error(figure, expectation)
    within = abs(got - published) <= tolerance(figure) if np.isfinite(got) else False
    if figure.role == "check":
        within = abs(got - published) <= 1.96 * error
    return Target(
        id=figure.id,
        study=figure.study,
        quantity=figure.quantity,
        role=figure.role,
        published=published,
        achieved=got,
        unit=figure.unit,
        n=figure.n,
        standard_error=error or None,
        z=(got - published) / error if error else None,
        within=bool(within),
        tension=figure.tension or None,
        statement=figure.statement,
    )


def _worded_target(figure: Figure, effect: float, unit: str, within: bool) -> Target:
    return Target(
        id=figure.id,
        study=figure.study,
        quantity=figure.quantity,
        role=figure.role,
        published=0.0 if figure.role == "null" else None,
        achieved=effect,
        unit=unit,
        n=figure.n,
        standard_error=None,
        z=None,
        within=within,
        tension=figure.tension or None,
        statement=figure.statement,
    )


def _targets(problem: Problem, solution: Solution) -> tuple[Target, ...]:
    evidence, effects = problem.evidence, problem.effects(solution.solved)
    expectations = {e.series.study: e for e in solution.expectations}
    found = []
    for series in all_series(evidence):
        if series.borrows in expectations:
            values = expectations[series.borrows].values
            expectations[series.study] = expect_series(series, values, effects, evidence)
        if series.study in expectations:
            expectation = expectations[series.study]
            figures = numeric_figures(series.study, evidence)
            found += [_numeric_target(figure, expectation) for figure in figures]
    for figure in evidence.figures:
        signed = signed_log_hazard_ratio(figure, effects, evidence)
        if signed is not None:
            found.append(_worded_target(figure, signed, LOG_HAZARD_RATIO, signed > 0))
        null = null_log_hazard_ratio(figure, effects, evidence)
        if null is not None:
            found.append(_worded_target(figure, null, LOG_HAZARD_RATIO, null == 0))
        if figure.estimand == "sign" and figure.study in expectations:
            found += _direction_targets(figure, expectations[figure.study])
    return tuple(found)


def _direction_targets(figure: Figure, expectation: SeriesExpectation) -> list[Target]:
    """Return the target of a published direction of a change or difference; none for others."""
    if figure.quantity in DIRECTIONS:
        change, unit = expectation.perioperative.change(figure), DIRECTIONS[figure.quantity]
    elif figure.quantity == "death_outweighs_hardware_failure":
        change, unit = 100 * death_over_hardware(expectation), "percentage points"
    else:
        return []
    return [_worded_target(figure, change, unit, change > 0)]


def _scaled_jacobian(problem: Problem, solution: Solution) -> FloatArray:
    """Return the figures' Jacobian in units of their standard errors and of the priors'.

    Assumptions that act as figures are left out: what they settle, no publication does.
    """
    rows, errors = [], []
    row = 0
    for figures, expectation in zip(problem.figures, solution.expectations, strict=True):
        for figure in figures:
            if figure in problem.evidence.figures:
                rows.append(row)
                errors.append(sampling_error(figure, expectation))
            row += 1
    spread = np.array([parameter.prior_sd for parameter in problem.parameters])
    return np.asarray(solution.jacobian[rows] / np.array(errors)[:, None] * spread)


def _singular_values(problem: Problem, solution: Solution) -> FloatArray:
    return np.asarray(np.linalg.svd(_scaled_jacobian(problem, solution), compute_uv=False))


def _parameters(problem: Problem, solution: Solution) -> tuple[Parameter, ...]:
    scaled = _scaled_jacobian(problem, solution)
    remaining = np.diag(np.linalg.inv(np.eye(len(problem.parameters)) + scaled.T @ scaled))
    return tuple(
        Parameter(
            study=free.study,
            name=free.name,
            value=free.to_natural(float(solved)),
            unit=free.unit,
            meaning=free.meaning,
            prior=free.prior,
            prior_sd=free.prior_sd,
            identified=float(np.clip(1 - left, 0, 1)),
        )
        for free, solved, left in zip(problem.parameters, solution.solved, remaining, strict=True)
    )


def solved_together(calibration: Calibration) -> int:
    """Return how many figures the parameters were solved for.

    The rest (sizes of arms, pain, function, complications, the operation) each stand for
    themselves: the simulation takes them over as published.
    """
    evidence = calibration.evidence
    return sum(
        figure.role == "fit" and is_solved(figure, series)
        for series in solved_series(evidence)
        for figure in evidence.of_study(series.study)
    )
