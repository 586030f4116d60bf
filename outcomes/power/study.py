"""A power study: simulated power over sizes, the formulas, and the published study."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from outcomes.errors import OutcomesError
from outcomes.parallel import Progress
from outcomes.power.design import TrialDesign
from outcomes.power.limit import Limit, limit_of, randomised
from outcomes.power.needed import Needed, find_needed, formula_power, size_grid
from outcomes.power.published import PublishedPower, assess_published, published_scenarios
from outcomes.power.simulated import PowerPoint, Scenario, simulate_power
from outcomes.synthetic import Calibration, shipped_calibration

# Streams of the trials of a size: with the effect, and without any.
EFFECT_STREAM, NULL_STREAM = 0, 1


@dataclass(frozen=True)
class SizePower:
    """Power at one size.

    Attributes
    ----------
    power, null
        What trials show with the effect, and without any.
    formula
        Power by formula, by method.
    """

    power: PowerPoint
    null: PowerPoint
    formula: Mapping[str, float]


@dataclass(frozen=True)
class PowerStudy:
    """How many patients show an effect.

    Attributes
    ----------
    design
        The design.
    trials, seed
        Simulated trials of each size, and their seed.
    limit
        What the design shows in the limit; of a registry, with its bias.
    truth
        What a trial of the same patients, with as many treated, shows in the limit; the formulas
        rest on it. Of a trial it is its own limit.
    sizes
        Power by number of patients.
    needed
        Patients needed, by method and power.
    published
        What the study itself could have shown at its published size; None where it did not treat
        by choice, or it was not asked for.
    """

    design: TrialDesign
    trials: int
    seed: int
    limit: Limit
    truth: Limit
    sizes: tuple[SizePower, ...]
    needed: tuple[Needed, ...]
    published: PublishedPower | None

    def needs(self, method: str, power: float) -> Needed:
        """Return the patients that a method needs for a power."""
        return next(one for one in self.needed if (one.method, one.power) == (method, power))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)

    def to_records(self) -> list[dict[str, Any]]:
        """Return a row of plain values for each size and method."""
        return [
            {
                "patients": size.power.patients,
                "treated": size.power.treated,
                "events": size.power.events,
                "method": name,
                "power": method.rejects.value,
                "monte_carlo_error": method.rejects.monte_carlo_error,
                "lower": method.rejects.lower,
                "upper": method.rejects.upper,
                "formula_power": size.formula[name],
                "rejects_without_effect": size.null.methods[name].rejects.value,
                "rejects_wrong_way": method.wrong_way,
                "not_estimable": method.not_estimable,
                "estimate": method.estimate,
                "estimate_if_significant": method.estimate_if_significant,
            }
            for size in self.sizes
            for name, method in size.power.methods.items()
        ]


class PowerPlan:
    """What a power study simulates, settled before the work begins.

    Parameters
    ----------
    design
        The design.
    patients
        Sizes; by default six around what Schoenfeld's formula gives.
    trials
        Trials of each size.
    seed
        Seed.
    calibration
        Parameters; by default those that come with the package.
    published
        Whether the study itself is assessed too, if it treated by choice.

    Raises
    ------
    OutcomesError
        If a number is not allowed, the series does not fit the design, or the sizes needed are out
        of all reason.
    """

    def __init__(
        self,
        design: TrialDesign,
        patients: Sequence[int] | None = None,
        *,
        trials: int = 1_000,
        seed: int = 0,
        calibration: Calibration | None = None,
        published: bool = True,
    ) -> None:
        self.design, self.trials, self.seed = design, trials, seed
        self.calibration = shipped_calibration() if calibration is None else calibration
        series = self.calibration.series_of(design.study)
        self.limit = limit_of(design, seed, self.calibration)
        self.truth = self.limit
        if design.kind == "registry":
            twin = randomised(design, self.limit.share)
            self.truth = limit_of(twin, seed, self.calibration)
        sizes = size_grid(design, self.truth) if patients is None else sorted(set(patients))
        for size in sizes:
            if size < 2:
                raise OutcomesError(f"patients: found {size}; allowed: at least 2")
        self.sizes = tuple(sizes)
        self.scenarios = tuple(
            Scenario(one, size, stream)
            for size in self.sizes
            for one, stream in ((design, EFFECT_STREAM), (design.without_effect(), NULL_STREAM))
        )
        self.own: tuple[Scenario, ...] = ()
        if published and series.selected:
            self.own = published_scenarios(design, self.calibration)

    @property
    def total(self) -> int:
        """Number of trials to simulate."""
        return self.trials * (len(self.scenarios) + len(self.own))

    def run(
        self, *, jobs: int = 1, cluster: str | None = None, progress: Progress | None = None
    ) -> PowerStudy:
        """Simulate; the parameters are those of `outcomes.parallel.replicate`."""
        points = simulate_power(
            (*self.scenarios, *self.own),
            self.trials,
            self.seed,
            calibration=self.calibration,
            jobs=jobs,
            cluster=cluster,
            progress=progress,
        )
        mine, own = points[: len(self.scenarios)], points[len(self.scenarios) :]
        effects, nulls = mine[::2], mine[1::2]
        return PowerStudy(
            design=self.design,
            trials=self.trials,
            seed=self.seed,
            limit=self.limit,
            truth=self.truth,
            sizes=tuple(
                SizePower(power, null, formula_power(self.design, self.truth, power.patients))
                for power, null in zip(effects, nulls, strict=True)
            ),
            needed=find_needed(self.design, self.truth, effects),
            published=(
                assess_published(self.design, own, self.seed, self.calibration) if own else None
            ),
        )


def power_study(
    design: TrialDesign,
    patients: Sequence[int] | None = None,
    *,
    trials: int = 1_000,
    seed: int = 0,
    calibration: Calibration | None = None,
    published: bool = True,
    jobs: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> PowerStudy:
    """Return how many patients show an effect; parameters and errors as `PowerPlan`."""
    plan = PowerPlan(
        design,
        patients,
        trials=trials,
        seed=seed,
        calibration=calibration,
        published=published,
    )
    return plan.run(jobs=jobs, cluster=cluster, progress=progress)
