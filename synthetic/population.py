"""What a series of a given design would show in expectation, by integration.

Each arm is a weighted sum over its cells.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.synthetic.case_mix import prognostic_cells
from outcomes.synthetic.cells import Cells, arm_cells, mean_kps, sbrt_start_nodes
from outcomes.synthetic.effects import Effects, arm_baseline, arm_tilt, selection_probability
from outcomes.synthetic.hazards import Baseline, Occupation, occupation, two_phase
from outcomes.synthetic.series import HORIZON_MONTHS, Series


def time_grid(series: Series, nodes: int = 60) -> FloatArray:
    """Return the months of the integration: dense early, with every break and published month."""
    low, high = series.follow_up_range
    starts, _ = sbrt_start_nodes(series)
    smooth = HORIZON_MONTHS * np.linspace(0, 1, nodes) ** 2
    return np.unique(np.concatenate([smooth, starts, [low, high, 3.0, 12.0, 24.0]]))


@dataclass(frozen=True, eq=False)
class ArmExpectation:
    """The expected state of an arm over time, as shares of its patients (or lesions).

    Attributes
    ----------
    months
        Grid, shape (n_months,).
    weight
        Expected number of patients of the arm, on the scale of the published sizes.
    alive, event_free, progressed
        Overall survival; alive without local progression; cumulative incidence of it.
    mean_kps, mean_score
        Mean Karnofsky score and mean prognostic log hazard ratio.
    """

    months: FloatArray
    weight: float
    alive: FloatArray
    event_free: FloatArray
    progressed: FloatArray
    mean_kps: float
    mean_score: float

    @property
    def died_first(self) -> FloatArray:
        """Cumulative incidence of death without local progression."""
        return np.asarray(1 - self.event_free - self.progressed)


def merge(arms: list[ArmExpectation]) -> ArmExpectation:
    """Return the union of arms."""
    weights = np.array([arm.weight for arm in arms])
    shares = weights / weights.sum()

    def average(name: str) -> FloatArray:
        return np.asarray(sum(s * getattr(arm, name) for s, arm in zip(shares, arms, strict=True)))

    return ArmExpectation(
        months=arms[0].months,
        weight=float(weights.sum()),
        alive=average("alive"),
        event_free=average("event_free"),
        progressed=average("progressed"),
        mean_kps=float(average("mean_kps")),
        mean_score=float(average("mean_score")),
    )


def _second_lesion(
    baseline: Baseline, cells: Cells, states: Occupation
) -> tuple[FloatArray, FloatArray]:
    """Return event-free and progressed shares of second lesions.

    A second lesion shares its patient's death, which the first lesion may hasten.
    """
    months = states.months
    alive = np.sum(
        states.alive * cells.below_shares[None, None, :, None, None], axis=2, keepdims=True
    )
    start = baseline.progression_units(np.asarray(cells.course.sbrt_start))
    hazard = baseline.progression_total * two_phase(
        baseline.progression_units(months),
        start[..., None],
        np.asarray(cells.course.progression_before)[..., None],
        np.asarray(cells.course.progression_after)[..., None],
    )
    controlled = np.exp(-hazard)
    entering = -np.diff(controlled, axis=-1) * (alive[..., 1:] + alive[..., :-1]) / 2
    progressed = np.concatenate(
        [np.zeros_like(entering[..., :1]), np.cumsum(entering, axis=-1)], axis=-1
    )
    return cells.average(alive * controlled), cells.average(progressed)


def _whole_arm(
    series: Series,
    baseline: Baseline,
    cells: Cells,
    months: FloatArray,
    weight: float,
    kps: float,
) -> ArmExpectation:
    states = occupation(baseline, cells.course, months)
    event_free = cells.average(states.event_free)
    progressed = cells.average(states.progressed)
    if series.second_lesions:
        second_free, second_progressed = _second_lesion(baseline, cells, states)
        share = series.second_lesions / (1 + series.second_lesions)
        event_free = (1 - share) * event_free + share * second_free
        progressed = (1 - share) * progressed + share * second_progressed
    score = np.broadcast_to(cells.course.score, cells.weights.shape)
    return ArmExpectation(
        months=months,
        weight=weight,
        alive=cells.average(states.alive),
        event_free=event_free,
        progressed=progressed,
        mean_kps=kps,
        mean_score=float(np.sum(cells.weights * score) / cells.weights.sum()),
    )


def expected_arms(
    series: Series,
    values: Mapping[str, float],
    effects: Effects,
    months: FloatArray | None = None,
) -> dict[str, ArmExpectation]:
    """Return the expectation of each arm of a series, by name.

    Parameters
    ----------
    series
        Design.
    values
        Natural values of the series' own parameters, by name.
    effects
        Shared effects.
    months
        Time grid; by default `time_grid(series)`.
    """
    grid = time_grid(series) if months is None else months
    if series.selected:
        return _selected_arms(series, values, effects, grid)
    found = {}
    for arm in series.arms:
        prognosis = prognostic_cells(arm.mix, effects.death)
        probability = prognosis.probabilities(arm_tilt(arm, values))
        cells = arm_cells(series, arm, values, effects, prognosis, probability, chosen=False)
        kps = mean_kps(prognosis, probability)
        baseline = arm_baseline(arm, values)
        found[arm.name] = _whole_arm(series, baseline, cells, grid, arm.size, kps)
    return found


def strategy_arms(
    series: Series,
    values: Mapping[str, float],
    effects: Effects,
    months: FloatArray,
    who: str = "everyone",
) -> dict[str, ArmExpectation]:
    """Return what a selected series would show if SBRT were assigned from surgery on.

    Parameters
    ----------
    who
        ``everyone``: all patients under each strategy, the causal contrast; ``assigned``: each
        strategy in those whom the series assigned to it, the contrast with selection.
    """
    prognosis = prognostic_cells(series.arms[1].mix, effects.death)
    everyone = prognosis.probabilities(0.0)
    chosen = selection_probability(values, prognosis.scores.ravel())
    alone, treated = series.arms
    found = {}
    for arm, share in ((alone, 1 - chosen), (treated, chosen)):
        probability = everyone * share if who == "assigned" else everyone
        cells = arm_cells(series, arm, values, effects, prognosis, probability, chosen=True)
        weight = series.size * float(probability.sum())
        kps = mean_kps(prognosis, probability)
        baseline = arm_baseline(arm, values)
        found[arm.name] = _whole_arm(series, baseline, cells, months, weight, kps)
    return found


def _selected_arms(
    series: Series,
    values: Mapping[str, float],
    effects: Effects,
    months: FloatArray,
) -> dict[str, ArmExpectation]:
    """Return the arms as a series records them: a patient counts as treated once SBRT starts.

    Patients assigned to SBRT who die before it count as surgery alone: the immortal time.
    """
    alone, treated = series.arms
    baseline = arm_baseline(treated, values)
    prognosis = prognostic_cells(treated.mix, effects.death)
    everyone = prognosis.probabilities(0.0)
    chosen = selection_probability(values, prognosis.scores.ravel())
    untreated_cells, treated_cells = (
        arm_cells(series, arm, values, effects, prognosis, everyone * share, chosen=True)
        for arm, share in ((alone, 1 - chosen), (treated, chosen))
    )
    untreated = occupation(baseline, untreated_cells.course, months)
    assigned = occupation(baseline, treated_cells.course, months)

    start = np.broadcast_to(
        treated_cells.course.sbrt_start[..., None], (*treated_cells.weights.shape, 1)
    )
    at_start = np.searchsorted(months, start[..., 0])[..., None]

    def at(values_by_month: FloatArray) -> FloatArray:
        return np.take_along_axis(values_by_month, at_start, axis=-1)

    waiting = months < start
    alive_at_start = at(assigned.alive)
    died_waiting = 1 - alive_at_start
    lost_progressed = at(assigned.progressed) - (alive_at_start - at(assigned.event_free))
    reached = np.maximum(assigned.alive, 0)
    alive_treated = np.where(waiting, alive_at_start, reached)
    # Who progresses and dies within the two to four weeks of waiting is so rare that the months of
    # progression inside that wait are not told apart.
    progressed_treated = np.maximum(assigned.progressed - lost_progressed, 0)
    free_treated = np.where(
        waiting,
        np.maximum(alive_at_start - progressed_treated, 0),
        assigned.event_free,
    )
    weights = treated_cells.weights

    def total(cells_weights: FloatArray, array: FloatArray) -> FloatArray:
        return np.tensordot(cells_weights, array, axes=cells_weights.ndim)

    mass_treated = float(np.sum(weights * alive_at_start[..., 0]))
    mass_alone = float(untreated_cells.weights.sum() + np.sum(weights * died_waiting[..., 0]))
    alone_alive = total(untreated_cells.weights, untreated.alive) + total(
        weights, np.where(waiting, reached - alive_at_start, 0.0)
    )
    alone_free = total(untreated_cells.weights, untreated.event_free) + total(
        weights, np.where(waiting, np.maximum(assigned.event_free - free_treated, 0.0), 0.0)
    )
    alone_progressed = total(untreated_cells.weights, untreated.progressed) + total(
        weights, assigned.progressed - progressed_treated
    )
    scores = prognosis.scores.ravel()
    survivors = np.sum(weights * alive_at_start[..., 0], axis=(1, 2, 3))
    others = everyone - survivors
    return {
        alone.name: ArmExpectation(
            months,
            series.size * mass_alone,
            alone_alive / mass_alone,
            alone_free / mass_alone,
            alone_progressed / mass_alone,
            mean_kps(prognosis, others),
            float(others @ scores / others.sum()),
        ),
        treated.name: ArmExpectation(
            months,
            series.size * mass_treated,
            total(weights, alive_treated) / mass_treated,
            total(weights, free_treated) / mass_treated,
            total(weights, progressed_treated) / mass_treated,
            mean_kps(prognosis, survivors),
            float(survivors @ scores / survivors.sum()),
        ),
    }


@dataclass(frozen=True, eq=False)
class CellExpectation:
    """Expected states by prognostic cell and separation, shape (n_cells, n_months)."""

    weights: FloatArray
    alive: FloatArray
    event_free: FloatArray
    progressed: FloatArray


def strategy_cells(
    series: Series,
    values: Mapping[str, float],
    effects: Effects,
    months: FloatArray,
) -> tuple[CellExpectation, CellExpectation]:
    """Return both strategies in everyone, by cell, averaged over regimen and start of SBRT.

    The cells of the two strategies agree: control first, then treated.
    """
    prognosis = prognostic_cells(series.arms[1].mix, effects.death)
    everyone = prognosis.probabilities(0.0)
    found = []
    for arm in series.arms:
        cells = arm_cells(series, arm, values, effects, prognosis, everyone, chosen=True)
        states = occupation(arm_baseline(arm, values), cells.course, months)
        weights = cells.weights.sum(axis=(1, 3)).ravel()

        def by_cell(
            curves: FloatArray, cells: Cells = cells, weights: FloatArray = weights
        ) -> FloatArray:
            total = np.sum(cells.weights[..., None] * curves, axis=(1, 3))
            return np.asarray(total.reshape(-1, months.size) / weights[:, None])

        found.append(
            CellExpectation(
                weights,
                by_cell(states.alive),
                by_cell(states.event_free),
                by_cell(states.progressed),
            )
        )
    return found[0], found[1]
