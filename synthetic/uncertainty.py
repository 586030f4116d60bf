"""The calibration solved again for other draws of the figures, the priors and the assumptions.

Randomised maximum likelihood (Oliver, He & Reynolds, ECMOR V 1996): each set of parameters is the
best fit to figures drawn from their sampling distributions and to priors drawn from themselves,
each weighed by its error. For linear models the sets are draws from the posterior distribution.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.linalg import block_diag
from scipy.optimize import least_squares

from outcomes.arrays import FloatArray
from outcomes.errors import CalibrationError
from outcomes.evidence import Figure
from outcomes.parallel import replicate, spawn_seeds
from outcomes.synthetic.attribution import attribute
from outcomes.synthetic.calibration import Calibration
from outcomes.synthetic.derived import Derived, derive
from outcomes.synthetic.effects import Effects
from outcomes.synthetic.ensemble import Ensemble, Quantity, Source
from outcomes.synthetic.fitting import calibration_problem
from outcomes.synthetic.links import link_slope, published_link, to_link
from outcomes.synthetic.parameters import SHARED
from outcomes.synthetic.ranges import draw_assumptions
from outcomes.synthetic.replicates import draw_figures
from outcomes.synthetic.series import HORIZON_MONTHS
from outcomes.synthetic.solver import (
    Problem,
    figures_at,
    jacobian_at,
    keep_near,
    natural_values,
    remember_last,
)

# Cohorts of ten times the published size are about normal on the link scale; three hundred give
# correlations within 0.06.
COHORTS, TIMES_THE_SIZE = 300, 10
# Some figures follow from others (parts that add up to the whole) on the published scale but not
# on the link scale; a little independent error keeps them from contradicting each other.
INDEPENDENT = 0.05
# An assumption that acts as a figure is met.
ASSUMED_ERROR = 0.005
ATTEMPTS = 5
LARGEST_MISS = 50.0
LEAST_VARIANCE = 1e-5

Progress = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class Errors:
    """The joint sampling distribution of the figures, on the link scale.

    Attributes
    ----------
    covariance
        Of the published figures, shape (n_figures, n_figures).
    root
        Matrix L with L Lᵀ the covariance.
    whitening
        Matrix W with Wᵀ W the inverse of the covariance with a little independent error added.
    """

    covariance: FloatArray
    root: FloatArray
    whitening: FloatArray

    @classmethod
    def of(cls, covariance: FloatArray) -> "Errors":
        """Return the errors of a covariance."""
        diagonal = np.diag(np.diag(covariance))
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.maximum(values, 0))
        regular = np.linalg.cholesky(covariance + INDEPENDENT * diagonal)
        return cls(covariance, root, np.linalg.inv(regular))


@dataclass(frozen=True)
class Member:
    """One set: solved parameters, drawn assumptions and what follows from them, by key."""

    parameters: Mapping[str, float]
    assumptions: Mapping[str, float]
    derived: tuple[float, ...]


def draw_ensemble(
    calibration: Calibration,
    draws: int,
    seed: int,
    *,
    jobs: int = 1,
    cluster: str | None = None,
    simulated: Progress | None = None,
    progress: Progress | None = None,
) -> Ensemble:
    """Return an ensemble of parameter sets with the derived quantities' intervals.

    Parameters
    ----------
    calibration
        The calibration to the published figures.
    draws
        Number of sets.
    seed
        Seed; the same sets whatever `jobs` and `cluster`.
    jobs, cluster
        As in `outcomes.parallel.replicate`.
    simulated
        Called with the number of cohorts that are simulated for the sampling errors, of
        `sampling_size`.
    progress
        Called with the number of sets that are solved, first with 0.

    Raises
    ------
    CalibrationError
        If fewer than two sets are asked for, or a draw cannot be solved.
    """
    if draws < 2:
        raise CalibrationError(f"draws: found {draws}; allowed: at least 2")
    of_figures, of_sets = spawn_seeds(seed, 2)
    problem = calibration_problem(calibration.evidence)
    errors = sampling_errors(
        problem, calibration, of_figures, jobs=jobs, cluster=cluster, progress=simulated
    )
    start = solved_point(problem, calibration)
    if progress is not None:
        progress(0)
    members = replicate(
        partial(solve_member, problem, errors, start),
        spawn_seeds(of_sets, draws),
        jobs=jobs,
        cluster=cluster,
        progress=progress,
    )
    centre = derive_at(problem, start)
    nothing = np.zeros(errors.root.shape[0]), np.zeros(start.size)
    middle = solve_draw(problem, errors, start, *nothing)
    sources = attribute(
        problem,
        start if middle is None else middle,
        errors.covariance,
        errors.whitening,
        derive_at,
    )
    return ensemble_of(members, centre, sources, seed)


def ensemble_of(
    members: Sequence[Member],
    centre: Sequence[Derived],
    sources: Sequence[tuple[Source, ...]],
    seed: int,
) -> Ensemble:
    """Return solved parameter sets as an ensemble.

    Parameters
    ----------
    members
        The sets.
    centre
        Derived quantities under the calibrated parameters.
    sources
        Where the uncertainty of each comes from.
    seed
        Seed of the sets.
    """
    found = np.array([member.derived for member in members])
    return Ensemble(
        seed=seed,
        size=len(members),
        parameters=_columns([member.parameters for member in members]),
        assumptions=_columns([member.assumptions for member in members]),
        quantities=tuple(
            _quantity(derived, found[:, k], sources[k]) for k, derived in enumerate(centre)
        ),
    )


def _columns(rows: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, ...]]:
    """Return the values by key, to the six digits that mean something."""
    return {key: tuple(float(f"{row[key]:.6g}") for row in rows) for key in rows[0]}


def _quantity(derived: Derived, values: FloatArray, sources: tuple[Source, ...]) -> Quantity:
    # A median that is not reached is infinite, and between two of them nothing can be interpolated.
    shares = [0.025, 0.5, 0.975]
    with np.errstate(invalid="ignore"):
        between = np.quantile(values, shares)
    plain = np.quantile(values, shares, method="inverted_cdf")
    lower, median, upper = np.where(np.isnan(between), plain, between)
    return Quantity(
        id=derived.id,
        study=derived.study,
        unit=derived.unit,
        meaning=derived.meaning,
        value=derived.value,
        lower=float(lower),
        median=float(median),
        upper=float(upper),
        sources=sources,
    )


def solved_point(problem: Problem, calibration: Calibration) -> FloatArray:
    """Return a calibration's parameters on the scale they are solved on."""
    values = {parameter.key: parameter.value for parameter in calibration.parameters}
    return np.array([free.to_solved(values[free.key]) for free in problem.parameters])


def sampling_size(calibration: Calibration) -> int:
    """Return how many cohorts `sampling_errors` simulates in all."""
    return COHORTS * len(calibration_problem(calibration.evidence).series)


def sampling_errors(
    problem: Problem,
    calibration: Calibration,
    seed: np.random.SeedSequence,
    *,
    jobs: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Errors:
    """Return the joint sampling distribution of the figures, from simulated cohorts.

    Progress counts the cohorts, of `sampling_size`.
    """
    blocks = []
    seeds = seed.spawn(len(problem.series))
    rows = zip(problem.series, problem.figures, seeds, strict=True)
    for before, (series, figures, one) in enumerate(rows):
        published = [figure for figure in figures if figure in problem.evidence.figures]
        drawn = draw_figures(
            series.study,
            published,
            COHORTS,
            one,
            calibration=calibration,
            size=TIMES_THE_SIZE * series.size,
            jobs=jobs,
            cluster=cluster,
            progress=progress and partial(_further, progress, before * COHORTS),
        )
        # A median that is not reached lies beyond the months that are simulated.
        drawn = np.where(np.isinf(drawn), HORIZON_MONTHS, drawn)
        linked = to_link(published, drawn, TIMES_THE_SIZE)
        usable = linked[np.isfinite(linked).all(axis=1)]
        if len(usable) < COHORTS // 2:
            raise CalibrationError(
                f"{series.study}: figures that few cohorts of this design can report; their "
                "sampling distribution cannot be found"
            )
        block = TIMES_THE_SIZE * np.cov(usable, rowvar=False).reshape(2 * (len(published),))
        for figure, variance in zip(published, np.diag(block), strict=True):
            if variance < LEAST_VARIANCE:
                raise CalibrationError(f"{figure.id}: is the same in every cohort of this design")
        blocks.append(block)
        blocks += [np.full((1, 1), ASSUMED_ERROR**2)] * (len(figures) - len(published))
    return Errors.of(np.asarray(block_diag(*blocks)))


def _further(progress: Progress, before: int, done: int) -> None:
    progress(before + done)


def solve_member(
    problem: Problem, errors: Errors, start: FloatArray, seed: np.random.SeedSequence
) -> Member:
    """Draw figures, priors and assumptions, and solve for them.

    A draw that has no solution (a median that no parameters reach) is drawn again.
    """
    generator = np.random.default_rng(seed)
    for _ in range(ATTEMPTS):
        assumptions, evidence = draw_assumptions(problem.evidence, generator)
        drawn = calibration_problem(evidence)
        noise = errors.root @ generator.standard_normal(errors.root.shape[1])
        shift = generator.standard_normal(len(drawn.parameters))
        solved = solve_draw(drawn, errors, start, noise, shift)
        if solved is not None:
            break
    else:
        raise CalibrationError(f"no solution for {ATTEMPTS} draws of the figures and assumptions")
    parameters = {
        free.key: free.to_natural(float(x))
        for free, x in zip(drawn.parameters, solved, strict=True)
    }
    values = tuple(derived.value for derived in derive_at(drawn, solved))
    return Member(parameters, assumptions, values)


def solve_draw(
    problem: Problem, errors: Errors, start: FloatArray, noise: FloatArray, shift: FloatArray
) -> FloatArray | None:
    """Return the best fit to drawn figures and priors; None where there is none near.

    Parameters
    ----------
    problem
        Figures and parameters.
    errors
        Sampling distribution of the figures, which weighs them.
    start
        Where to begin, shape (n_parameters,).
    noise
        What is added to the published figures on the link scale, shape (n_figures,).
    shift
        What is added to the centres of the priors, in their standard deviations,
        shape (n_parameters,).
    """
    figures: list[Figure] = [figure for some in problem.figures for figure in some]
    spread = np.array([free.prior_sd for free in problem.parameters])
    centre = np.array([free.prior_solved for free in problem.parameters]) + spread * shift
    wanted = published_link(figures) + noise

    @remember_last
    def report(solved: FloatArray) -> FloatArray:
        return figures_at(problem, keep_near(problem, solved))

    def residuals(solved: FloatArray) -> FloatArray:
        misses = np.nan_to_num(to_link(figures, report(solved)) - wanted, nan=LARGEST_MISS)
        misses = np.clip(misses, -LARGEST_MISS, LARGEST_MISS)
        return np.concatenate([errors.whitening @ misses, (solved - centre) / spread])

    def jacobian(solved: FloatArray) -> FloatArray:
        slope = link_slope(figures, report(solved))
        derivatives = jacobian_at(problem, keep_near(problem, solved))
        block = errors.whitening @ (slope[:, None] * derivatives)
        return np.vstack([block, np.diag(1 / spread)])

    # A trial point may be absurd (an event that nobody has); it counts as a large miss.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        try:
            found = least_squares(
                residuals, start, jac=jacobian, x_scale=spread, xtol=1e-4, ftol=1e-3, max_nfev=40
            )
        except (ValueError, np.linalg.LinAlgError):
            # The search came where a derivative does not exist.
            return None
    return keep_near(problem, found.x) if found.status > 0 else None


def derive_at(problem: Problem, solved: FloatArray) -> tuple[Derived, ...]:
    """Return the derived quantities at a point."""
    values = {
        series.study: natural_values(problem.parameters, solved, series.study)
        for series in problem.series
    }
    shared = natural_values(problem.parameters, solved, SHARED)
    effects = Effects.from_values(problem.evidence, shared)
    return derive(problem.series, values, effects)
