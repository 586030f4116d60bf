"""Quantities derived from the calibrated parameters, whose uncertainty readers ask for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.synthetic.effects import Effects
from outcomes.synthetic.estimands import crossing
from outcomes.synthetic.population import ArmExpectation, expected_arms, strategy_arms, time_grid
from outcomes.synthetic.series import Series

YEAR = 12.0
RESTRICTED_MONTHS = 24.0


@dataclass(frozen=True)
class Derived:
    """A derived quantity under one set of parameters; the fields are those of `Quantity`."""

    id: str
    study: str
    unit: str
    meaning: str
    value: float


def derive(
    series: tuple[Series, ...], values: Mapping[str, Mapping[str, float]], effects: Effects
) -> tuple[Derived, ...]:
    """Return the derived quantities of all series.

    For each arm the risk of local progression and survival at 12 months and the median survival;
    for a series with SBRT by choice the effect of SBRT in all its patients, and what selection
    and immortal time add to the crude difference of medians.

    Parameters
    ----------
    series
        Designs of the solved series.
    values
        Natural values of their parameters, by study and name.
    effects
        Shared effects.
    """
    found: list[Derived] = []
    for one in series:
        months = time_grid(one)
        arms = expected_arms(one, values[one.study], effects, months)
        for name, arm in arms.items():
            found += _of_arm(one.study, name, arm)
        if one.selected:
            found += _of_strategies(one, values[one.study], effects, months, arms)
    return tuple(found)


def _of_arm(study: str, name: str, arm: ArmExpectation) -> Iterator[Derived]:
    def row(quantity: str, unit: str, meaning: str, value: float) -> Derived:
        return Derived(f"{study}/{quantity}/{name}", study, unit, meaning, value)

    progressed = 100 * float(np.interp(YEAR, arm.months, arm.progressed))
    alive = 100 * float(np.interp(YEAR, arm.months, arm.alive))
    yield row(
        "local_progression_12m",
        "percent",
        "cumulative incidence of local progression at 12 months",
        progressed,
    )
    yield row("overall_survival_12m", "percent", "overall survival at 12 months", alive)
    yield row(
        "overall_survival_median",
        "months",
        "median overall survival",
        crossing(arm.months, arm.alive, 0.5),
    )


def _of_strategies(
    series: Series,
    values: Mapping[str, float],
    effects: Effects,
    months: FloatArray,
    recorded: Mapping[str, ArmExpectation],
) -> Iterator[Derived]:
    alone, treated = (arm.name for arm in series.arms)
    everyone = strategy_arms(series, values, effects, months, who="everyone")
    assigned = strategy_arms(series, values, effects, months, who="assigned")

    def row(quantity: str, unit: str, meaning: str, value: float) -> Derived:
        return Derived(f"{series.study}/{quantity}", series.study, unit, meaning, value)

    def medians(arms: Mapping[str, ArmExpectation]) -> float:
        of = {name: crossing(months, arms[name].alive, 0.5) for name in (treated, alone)}
        return of[treated] - of[alone]

    def change(name: str, at: float) -> float:
        curves = [getattr(everyone[arm], name) for arm in (treated, alone)]
        return float(np.interp(at, months, curves[0] - curves[1]))

    gained = everyone[treated].alive - everyone[alone].alive
    until = months <= RESTRICTED_MONTHS
    crude, causal, chosen = medians(recorded), medians(everyone), medians(assigned)
    yield row(
        "sbrt_effect/median_survival",
        "months",
        "causal effect of SBRT: difference of the medians if all had it or none",
        causal,
    )
    yield row(
        "sbrt_effect/restricted_mean_24m",
        "months",
        "causal effect of SBRT on the mean survival within 24 months",
        float(np.trapezoid(gained[until], months[until])),
    )
    yield row(
        "sbrt_effect/overall_survival_24m",
        "points",
        "causal effect of SBRT on survival at 24 months",
        100 * change("alive", RESTRICTED_MONTHS),
    )
    yield row(
        "sbrt_effect/local_progression_12m",
        "points",
        "causal effect of SBRT on the cumulative incidence of local progression at 12 months",
        100 * change("progressed", YEAR),
    )
    yield row("crude_difference", "months", "crude difference of the medians", crude)
    yield row("selection", "months", "what selection adds to it", chosen - causal)
    yield row("immortal_time", "months", "what immortal time adds to it", crude - chosen)
