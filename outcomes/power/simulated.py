"""Power by simulation: many trials drawn and analysed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from outcomes.arrays import BoolArray, FloatArray
from outcomes.endpoints import OVERALL_SURVIVAL
from outcomes.errors import OutcomesError
from outcomes.parallel import Progress, replicate
from outcomes.power.analysis import MEANS, METHODS, analyse
from outcomes.power.design import TrialDesign
from outcomes.power.rates import Rate, rate
from outcomes.power.trial import draw_trials
from outcomes.synthetic import Calibration

BATCH_ROWS = 20_000


@dataclass(frozen=True)
class Scenario:
    """Trials of one design and size.

    Attributes
    ----------
    design
        The design.
    patients
        Patients of each trial.
    stream
        Number that tells scenarios of one size apart; the same number gives the same patients.
    """

    design: TrialDesign
    patients: int
    stream: int = 0


@dataclass(frozen=True)
class MethodPower:
    """How often a method rejects, and what it then says.

    Attributes
    ----------
    method
        One of `METHODS`.
    rejects
        Share of trials that reject no effect, in either direction.
    wrong_way
        Share of trials that reject it in favour of surgery alone.
    not_estimable
        Share of trials without a result; they count as not rejecting.
    estimate, estimate_if_significant
        Median estimate over the trials, and over those that reject: a log hazard ratio, or a
        difference treated minus control. NaN where there is none.
    """

    method: str
    rejects: Rate
    wrong_way: float
    not_estimable: float
    estimate: float
    estimate_if_significant: float


@dataclass(frozen=True)
class PowerPoint:
    """What trials of one scenario show.

    Attributes
    ----------
    patients
        Patients of each trial.
    treated, events
        Mean number of patients in the SBRT arm, and of events seen in both arms.
    methods
        By name.
    """

    patients: int
    treated: float
    events: float
    methods: Mapping[str, MethodPower]


@dataclass(frozen=True)
class _Batch:
    scenario: Scenario
    trials: int
    seed: np.random.SeedSequence


def simulate_power(
    scenarios: Sequence[Scenario],
    trials: int,
    seed: int,
    *,
    calibration: Calibration,
    jobs: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> tuple[PowerPoint, ...]:
    """Return what many trials of each scenario show.

    Parameters
    ----------
    scenarios
        Designs and sizes. What one gives depends on the seed and on itself, not on the others.
    trials
        Trials of each.
    seed
        Seed.
    calibration
        Parameters.
    jobs, cluster, progress
        As in `outcomes.parallel.replicate`; progress counts trials.

    Raises
    ------
    OutcomesError
        If there is no trial, or a scenario cannot be drawn.
    """
    if trials < 1:
        raise OutcomesError(f"trials: found {trials}; allowed: at least 1")
    batches = [batch for scenario in scenarios for batch in _batches(scenario, trials, seed)]
    done = np.cumsum([0, *(batch.trials for batch in batches)])
    parts = replicate(
        partial(_analyse_batch, calibration),
        batches,
        jobs=jobs,
        cluster=cluster,
        progress=None if progress is None else lambda finished: progress(int(done[finished])),
    )
    points, position = [], 0
    for scenario in scenarios:
        size = len(_sizes(scenario, trials))
        table = np.concatenate(parts[position : position + size])
        points.append(_point(scenario, table))
        position += size
    return tuple(points)


def _sizes(scenario: Scenario, trials: int) -> list[int]:
    at_once = max(1, BATCH_ROWS // scenario.patients)
    return [min(at_once, trials - start) for start in range(0, trials, at_once)]


def _batches(scenario: Scenario, trials: int, seed: int) -> list[_Batch]:
    sizes = _sizes(scenario, trials)
    seeds = np.random.SeedSequence([seed, scenario.patients, scenario.stream]).spawn(len(sizes))
    return [_Batch(scenario, size, one) for size, one in zip(sizes, seeds, strict=True)]


def _analyse_batch(calibration: Calibration, batch: _Batch) -> FloatArray:
    """Return a row for each trial: treated patients, events, and p and value of each method."""
    design = batch.scenario.design
    rows = []
    for trial in draw_trials(
        design, batch.scenario.patients, batch.trials, batch.seed, calibration
    ):
        found = analyse(trial, design)
        counts = (trial.treated.sum(), (trial.codes == 1).sum())
        rows.append([*counts, *(x for one in found.values() for x in (one.p, one.value))])
    return np.array(rows, dtype=np.float64)


def _point(scenario: Scenario, table: FloatArray) -> PowerPoint:
    alpha = scenario.design.alpha
    methods = {
        name: _method(name, scenario.design, table[:, 2 + 2 * k], table[:, 3 + 2 * k], alpha)
        for k, name in enumerate(METHODS)
    }
    treated, events = table[:, :2].mean(axis=0)
    return PowerPoint(scenario.patients, float(treated), float(events), methods)


def _method(
    name: str, design: TrialDesign, p: FloatArray, value: FloatArray, alpha: float
) -> MethodPower:
    estimable = np.isfinite(p)
    significant = np.less(p, alpha, out=np.zeros(p.size, dtype=np.bool_), where=estimable)
    # Longer survival is better; a higher hazard, a higher risk or more time lost is worse.
    survived = name == MEANS and design.response == OVERALL_SURVIVAL
    worse = -value if survived else value
    return MethodPower(
        method=name,
        rejects=rate(int(significant.sum()), p.size),
        wrong_way=float(np.mean(significant & (worse > 0))),
        not_estimable=float(np.mean(~estimable)),
        estimate=_median(value, estimable),
        estimate_if_significant=_median(value, significant),
    )


def _median(values: FloatArray, rows: BoolArray) -> float:
    return float(np.median(values[rows])) if rows.any() else float("nan")
