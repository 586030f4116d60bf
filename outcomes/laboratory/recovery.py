"""Whether the ladder of comparisons recovers a known truth: many cohorts, every method."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from outcomes.comparison import Options, Rung
from outcomes.comparison.compare import METHODS
from outcomes.comparison.options import FOREST, LADDER
from outcomes.comparison.setting import make_setting
from outcomes.endpoints import get_endpoint
from outcomes.errors import CohortError, NotEstimableError, OutcomesError
from outcomes.laboratory.performance import Performance, measure_performance
from outcomes.laboratory.scenario import SCENARIOS, Scenario
from outcomes.parallel import Progress, replicate, spawn_seeds
from outcomes.synthetic import Calibration, shipped_calibration, simulate

ENDPOINTS = ("overall-survival", "local-control")
SIZES = (52, 200, 1000)
COHORTS = 200
JACKKNIFE_BELOW = Options().jackknife_below
FAST_METHODS = tuple(name for name in LADDER if name != FOREST)
"""All adjusted methods but the forest, which is slow and has no interval of its own."""
FEWEST_PATIENTS = 10
# The sign of an estimate in favour of the treatment.
FAVOURABLE: Mapping[str, int] = {
    "risk_difference": -1,
    "restricted_mean_difference": 1,
    "restricted_mean_time_lost_difference": -1,
    "log_hazard_ratio": -1,
}
"""The estimands that are measured; of a hazard ratio its logarithm."""

Key = tuple[str, str, str]
"""Endpoint, method, estimand."""
Estimates = dict[Key, tuple[float, float, float, float]]
"""Value, lower and upper limit, p value; NaN where there is none."""


@dataclass(frozen=True)
class Recovered:
    """How one method does at one size under one truth.

    Attributes
    ----------
    scenario, patients
        The truth by name, and patients of each cohort.
    endpoint, method, estimand
        As in the ladder; ``log_hazard_ratio`` is the natural logarithm.
    horizon_months
        Months since surgery; None for a hazard ratio.
    performance
        The measures.
    """

    scenario: str
    patients: int
    endpoint: str
    method: str
    estimand: str
    horizon_months: float | None
    performance: Performance

    def to_record(self) -> dict[str, Any]:
        """Return a row of plain values."""
        row = {name: value for name, value in vars(self).items() if name != "performance"}
        return {**row, **self.performance.to_record()}


@dataclass(frozen=True)
class Recovery:
    """A simulation study of the ladder.

    Attributes
    ----------
    study
        The series whose patients are simulated.
    scenarios, sizes
        The truths, and patients of each cohort.
    endpoints, horizon
        What is compared, and when.
    cohorts, seed
        Simulated cohorts of each truth and size, and their seed.
    bootstraps
        Bootstrap samples for the intervals of the adjusted methods; 0 for none.
    jackknife_below
        Patients below which the jackknife gives those that no bootstrap gives.
    results
        How each method does.
    """

    study: str
    scenarios: tuple[Scenario, ...]
    sizes: tuple[int, ...]
    endpoints: tuple[str, ...]
    horizon: float
    cohorts: int
    seed: int
    bootstraps: int
    jackknife_below: int
    results: tuple[Recovered, ...]

    def of(self, scenario: str, patients: int, endpoint: str, estimand: str) -> list[Recovered]:
        """Return the methods under one truth, in the order of the ladder."""
        wanted = (scenario, patients, endpoint, estimand)
        return [
            row
            for row in self.results
            if (row.scenario, row.patients, row.endpoint, row.estimand) == wanted
        ]

    def to_records(self) -> list[dict[str, Any]]:
        """Return a row of plain values for each method, estimand, endpoint, size and truth."""
        return [row.to_record() for row in self.results]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "study": self.study,
            "scenarios": [
                {**asdict(scenario), "choices": asdict(scenario.choices)}
                for scenario in self.scenarios
            ],
            "patients": list(self.sizes),
            "endpoints": list(self.endpoints),
            "horizon_months": self.horizon,
            "cohorts": self.cohorts,
            "seed": self.seed,
            "bootstraps": self.bootstraps,
            "jackknife_below": self.jackknife_below,
            "results": self.to_records(),
        }


class RecoveryPlan:
    """What is simulated, settled before the work begins.

    Parameters
    ----------
    study
        A series that treated by choice.
    scenarios
        Truths; by default all of `SCENARIOS`.
    endpoints
        Overall survival, local control or both.
    sizes
        Patients of the cohorts.
    cohorts
        Cohorts of each truth and size.
    horizon
        Month of the risks and restricted means.
    seed
        Seed. The cohorts of a size are drawn from the same random numbers under every truth, so
        that truths differ by less than their Monte Carlo errors say.
    methods
        Adjusted methods; by default all but the forest.
    bootstraps
        Bootstrap samples for the intervals of the adjusted methods in each cohort; 0 for those
        that `compare` gives, of influence functions or of the jackknife.
    jackknife_below
        In cohorts of fewer patients the jackknife gives those that no bootstrap gives; by default
        where `compare` takes it, 0 for never.
    calibration
        Parameters; by default those that come with the package.

    Raises
    ------
    OutcomesError
        If the series did not treat by choice, or a number or name is not allowed.
    """

    def __init__(
        self,
        study: str = "liu-2020",
        scenarios: Sequence[Scenario] = tuple(SCENARIOS.values()),
        *,
        endpoints: Sequence[str] = ENDPOINTS,
        sizes: Sequence[int] = SIZES,
        cohorts: int = COHORTS,
        horizon: float = 12.0,
        seed: int = 0,
        methods: tuple[str, ...] = FAST_METHODS,
        bootstraps: int = 0,
        jackknife_below: int = JACKKNIFE_BELOW,
        calibration: Calibration | None = None,
    ) -> None:
        self.study, self.horizon, self.seed, self.cohorts = study, float(horizon), seed, cohorts
        self.bootstraps, self.jackknife_below = bootstraps, jackknife_below
        self.scenarios = tuple(scenarios)
        self.endpoints = tuple(dict.fromkeys(get_endpoint(name).name for name in endpoints))
        self.sizes = tuple(sorted(set(sizes)))
        if cohorts < 2:
            raise OutcomesError(f"cohorts: found {cohorts}; allowed: at least 2")
        if not (self.scenarios and self.endpoints and self.sizes):
            raise OutcomesError("nothing to simulate; allowed: a scenario, an endpoint and a size")
        if self.sizes[0] < FEWEST_PATIENTS:
            raise OutcomesError(
                f"patients: found {self.sizes[0]}; allowed: at least {FEWEST_PATIENTS}"
            )
        if len({scenario.name for scenario in self.scenarios}) < len(self.scenarios):
            raise OutcomesError("scenarios: two of one name; allowed: each name once")
        for scenario in self.scenarios:
            last = scenario.choices.landmark
            if not last < self.horizon < math.inf:
                raise OutcomesError(
                    f"horizon: found {self.horizon:g}; allowed: after the landmark of "
                    f"{scenario.name}, month {last:.3g}"
                )
        solved = shipped_calibration() if calibration is None else calibration
        longest = solved.series_of(study).follow_up_range[1]
        if self.horizon > longest:
            raise OutcomesError(
                f"horizon: found {self.horizon:g}; allowed: up to month {longest:g}, the last of "
                f"{study}"
            )
        calibrations = [scenario.calibration(solved, study) for scenario in self.scenarios]
        self._task = _Cohort(
            study,
            tuple(calibrations),
            tuple(
                {
                    name: scenario.truth(altered, study, name, self.horizon)
                    for name in self.endpoints
                }
                for scenario, altered in zip(self.scenarios, calibrations, strict=True)
            ),
            self.horizon,
            tuple(
                Options(
                    choices=scenario.choices,
                    bootstraps=bootstraps,
                    methods=methods,
                    jackknife_below=jackknife_below,
                )
                for scenario in self.scenarios
            ),
        )

    @property
    def total(self) -> int:
        """Number of cohorts to simulate."""
        return len(self.scenarios) * len(self.sizes) * self.cohorts

    def run(
        self, *, jobs: int = 1, cluster: str | None = None, progress: Progress | None = None
    ) -> Recovery:
        """Simulate; the parameters are those of `outcomes.parallel.replicate`."""
        seeds = spawn_seeds(self.seed, self.cohorts)
        settings = [(s, n) for n in self.sizes for s in range(len(self.scenarios))]
        # The cohorts of all settings in turn, so that the time left can be told.
        items = [(*setting, seed) for seed in seeds for setting in settings]
        found = replicate(self._task, items, jobs=jobs, cluster=cluster, progress=progress)
        results = [
            row
            for place, (s, n) in enumerate(settings)
            for row in self._measured(self.scenarios[s], n, found[place :: len(settings)])
        ]
        order = [scenario.name for scenario in self.scenarios]
        results.sort(key=lambda row: order.index(row.scenario))
        return Recovery(
            study=self.study,
            scenarios=self.scenarios,
            sizes=self.sizes,
            endpoints=self.endpoints,
            horizon=self.horizon,
            cohorts=self.cohorts,
            seed=self.seed,
            bootstraps=self.bootstraps,
            jackknife_below=self.jackknife_below,
            results=tuple(results),
        )

    def _measured(
        self, scenario: Scenario, patients: int, found: "Sequence[_Found]"
    ) -> Iterator[Recovered]:
        """Yield the performance of each method in the cohorts of one truth and size."""
        truths = {key: truth for one in found for key, truth in one.truths.items()}
        missing = (math.nan,) * 4
        for key, truth in truths.items():
            endpoint, method, estimand = key
            values = np.array([one.estimates.get(key, missing) for one in found])
            known = truth if scenario.has_effect else 0.0
            yield Recovered(
                scenario=scenario.name,
                patients=patients,
                endpoint=endpoint,
                method=method,
                estimand=estimand,
                horizon_months=None if estimand == "log_hazard_ratio" else self.horizon,
                performance=measure_performance(
                    *values.T, truth=known, favourable=FAVOURABLE[estimand]
                ),
            )


@dataclass(frozen=True)
class _Found:
    """What the methods found in one cohort."""

    estimates: Estimates
    truths: dict[Key, float | None]


@dataclass(frozen=True)
class _Cohort:
    """Simulates one cohort and compares its arms by every method; picklable."""

    study: str
    calibrations: tuple[Calibration, ...]
    truths: tuple[Mapping[str, Mapping[str, float]], ...]
    horizon: float
    options: tuple[Options, ...]

    def __call__(self, item: tuple[int, int, np.random.SeedSequence]) -> _Found:
        number, patients, seed = item
        own = np.random.SeedSequence(entropy=seed.entropy, spawn_key=(*seed.spawn_key, patients))
        cohort = simulate(
            self.study, patients, np.random.default_rng(own), calibration=self.calibrations[number]
        )
        options = replace(self.options[number], seed=int(own.generate_state(1)[0]))
        estimates: Estimates = {}
        truths: dict[Key, float | None] = {}
        for endpoint, truth in self.truths[number].items():
            for rung in self._rungs(cohort, endpoint, truth, options):
                estimand, convert = _scale(rung.estimand)
                if estimand in FAVOURABLE:
                    key = (endpoint, rung.method, estimand)
                    truths[key] = None if rung.truth is None else convert(rung.truth)
                    estimates[key] = _numbers(rung, convert)
        return _Found(estimates, truths)

    def _rungs(
        self, cohort: pd.DataFrame, endpoint: str, truth: Mapping[str, float], options: Options
    ) -> Iterator[Rung]:
        """Yield the rungs of `compare`, without the curves and robustness that it adds."""
        try:
            setting = make_setting(
                cohort, get_endpoint(endpoint), "sbrt", [self.horizon], None, truth, options
            )
        except (CohortError, NotEstimableError):
            # One arm is empty: no method has an estimate.
            return
        for method in METHODS:
            yield from method(setting)


def _scale(estimand: str) -> tuple[str, Callable[[float], float]]:
    """Return the estimand as it is measured, and what brings a value to its scale."""
    return ("log_hazard_ratio", _log) if estimand == "hazard_ratio" else (estimand, float)


def _log(ratio: float) -> float:
    """Return a logarithm; NaN for a limit of 0 or infinity, which is none."""
    return math.log(ratio) if 0 < ratio < math.inf else math.nan


def _numbers(rung: Rung, convert: Callable[[float], float]) -> tuple[float, float, float, float]:
    value, lower, upper = (
        math.nan if number is None else convert(number)
        for number in (rung.value, rung.lower, rung.upper)
    )
    return value, lower, upper, math.nan if rung.p is None else rung.p
