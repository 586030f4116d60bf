"""A crude difference of medians taken apart: effect, selection, immortal time."""

from collections.abc import Mapping, Sequence

import numpy as np

from outcomes.synthetic.calibration import Decomposition
from outcomes.synthetic.case_mix import prognostic_cells
from outcomes.synthetic.effects import Effects
from outcomes.synthetic.estimands import crossing
from outcomes.synthetic.parameters import SHARED
from outcomes.synthetic.population import ArmExpectation, expected_arms, strategy_arms, time_grid
from outcomes.synthetic.ranges import with_assumptions
from outcomes.synthetic.series import Series
from outcomes.synthetic.solver import Problem, Solution, natural_values, solve

HAZARD_RATIOS = (0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 1.0)


def decompose(
    problem: Problem,
    solution: Solution,
    hazard_ratios: Sequence[float] = HAZARD_RATIOS,
) -> tuple[Decomposition, ...]:
    """Take the crude difference of medians of the selected series apart.

    For each causal hazard ratio the series is solved anew, so that every row reports the published
    figures; the order is effect, then selection, then immortal time.

    Parameters
    ----------
    problem, solution
        The calibration.
    hazard_ratios
        Causal hazard ratios of death under SBRT to assume.
    """
    rows = []
    for index, series in enumerate(problem.series):
        if not series.selected:
            continue
        own = tuple(p for p in problem.parameters if p.study == series.study)
        fixed = natural_values(problem.parameters, solution.solved, SHARED)
        start = np.array(
            [x for p, x in zip(problem.parameters, solution.solved, strict=True) if p in own]
        )
        step = np.zeros_like(start)
        for ratio in hazard_ratios:
            evidence = with_assumptions(problem.evidence, {"death_hr_sbrt": ratio})
            alone = Problem(evidence, (series,), (problem.figures[index],), own, fixed)
            # From one ratio to the next the solution moves by nearly the same step.
            solved = solve(alone, start + step).solved
            start, step = solved, solved - start
            values = natural_values(own, solved, series.study)
            rows.append(_decomposition(series, values, Effects.from_values(evidence, fixed)))
    return tuple(rows)


def _decomposition(series: Series, values: Mapping[str, float], effects: Effects) -> Decomposition:
    months = time_grid(series)
    recorded = expected_arms(series, values, effects, months)
    everyone = strategy_arms(series, values, effects, months, who="everyone")
    assigned = strategy_arms(series, values, effects, months, who="assigned")
    alone, treated = (arm.name for arm in series.arms)

    def difference(arms: Mapping[str, ArmExpectation]) -> float:
        medians = [crossing(months, arms[name].alive, 0.5) for name in (treated, alone)]
        return medians[0] - medians[1]

    prognosis = prognostic_cells(series.arms[1].mix, effects.death)
    scores, weights = prognosis.scores.ravel(), prognosis.probabilities(0.0)
    spread = float(np.sqrt(weights @ scores**2 - (weights @ scores) ** 2))
    score_difference = recorded[treated].mean_score - recorded[alone].mean_score
    crude, causal, chosen = difference(recorded), difference(everyone), difference(assigned)
    return Decomposition(
        study=series.study,
        hazard_ratio=effects.death_hr_sbrt,
        crude=crude,
        causal=causal,
        selection=chosen - causal,
        immortal_time=crude - chosen,
        kps_difference=recorded[treated].mean_kps - recorded[alone].mean_kps,
        score_difference=score_difference,
        standardised_difference=-score_difference / spread,
        odds_ratio_per_sd=float(np.exp(values["selection_slope"] * spread)),
    )
