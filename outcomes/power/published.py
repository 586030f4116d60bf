"""What a published study could have shown at its own size."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from outcomes.endpoints import OVERALL_SURVIVAL
from outcomes.errors import NotEstimableError
from outcomes.estimate import Estimate
from outcomes.power.analysis import COX, METHODS, RANK_TEST, RISKS
from outcomes.power.design import TrialDesign
from outcomes.power.limit import Limit, limit_of
from outcomes.power.needed import TARGETS, formula_power
from outcomes.power.rates import crossing
from outcomes.power.schoenfeld import detectable_hazard_ratio
from outcomes.power.simulated import PowerPoint, Scenario
from outcomes.synthetic import Calibration

# Hazard ratios of death, and shares of the calibrated effect on progression, that are tried.
DEATH_HAZARD_RATIOS = (1.0, 0.85, 0.7, 0.55, 0.4, 0.3, 0.2, 0.12)
PROGRESSION_EFFECTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
# Over effects power rises in a line near the target only.
FLOOR = 0.3
# Streams apart from those of the sizes that are asked for.
FIRST_STREAM = 10
# What decides how large a trial the limits by effect are taken from: they only label effects.
LIMIT_PATIENTS = 50_000


@dataclass(frozen=True)
class EffectPower:
    """What trials of the published size show under one effect.

    Attributes
    ----------
    effect
        Hazard ratio of death, or the share of the calibrated effect on local progression.
    hazard_ratio
        Hazard ratio of the endpoint in the limit: all ways in which SBRT acts.
    risk_difference
        At the horizon, in the limit; NaN where follow-up does not reach it.
    power
        What trials show.
    formula
        Power by formula, by method.
    """

    effect: float
    hazard_ratio: float
    risk_difference: float
    power: PowerPoint
    formula: Mapping[str, float]


@dataclass(frozen=True)
class Detectable:
    """The smallest effect that a method shows with a wanted power.

    Attributes
    ----------
    method, power
        Method and power.
    effect
        As in `EffectPower`, with the 95 % interval of its Monte Carlo error; NaN where none of the
        effects tried is strong enough.
    hazard_ratio, risk_difference
        What that effect is in all; NaN where there is none.
    formula_hazard_ratio
        Hazard ratio in all by Schoenfeld's formula from the events at the design's effect; None for
        methods other than the rank test.
    most
        The largest share of trials that show any effect tried.
    note
        Why there is none.
    """

    method: str
    power: float
    effect: Estimate
    hazard_ratio: float
    risk_difference: float
    formula_hazard_ratio: float | None
    most: float
    note: str


@dataclass(frozen=True)
class PublishedPower:
    """What a published study could have shown.

    Attributes
    ----------
    patients, treated
        Published numbers.
    assumed
        The effect of the design.
    trial
        Had SBRT been assigned by chance, by effect; the design's effect among them.
    trial_null
        The same without any effect.
    registry, registry_null
        SBRT by choice and analysed as received, under the design's effect and without any.
    detectable
        The smallest effects shown, SBRT assigned by chance.
    """

    patients: int
    treated: int
    assumed: float
    trial: tuple[EffectPower, ...]
    trial_null: PowerPoint
    registry: PowerPoint
    registry_null: PowerPoint
    detectable: tuple[Detectable, ...]

    @property
    def at_assumed(self) -> EffectPower:
        """What the trial shows under the design's effect."""
        return next(one for one in self.trial if one.effect == self.assumed)


def published_designs(
    design: TrialDesign, calibration: Calibration
) -> tuple[int, dict[float, TrialDesign], TrialDesign]:
    """Return the published patients, trials by effect, and the registry.

    They have the study's follow-up and numbers, and no crossover or loss beyond it.
    """
    alone, sbrt = calibration.series_of(design.study).arms
    own = replace(
        design,
        kind="trial",
        allocation=(sbrt.size, alone.size),
        follow_up_months=None,
        dropout_per_year=0.0,
        crossover=0.0,
        untreated=0.0,
    )
    if design.response == OVERALL_SURVIVAL:
        effects = sorted({*DEATH_HAZARD_RATIOS, design.death_hazard_ratio}, reverse=True)
        trials = {effect: replace(own, death_hazard_ratio=effect) for effect in effects}
    else:
        effects = sorted({*PROGRESSION_EFFECTS, design.progression_effect})
        trials = {effect: replace(own, progression_effect=effect) for effect in effects}
    return round(alone.size + sbrt.size), trials, replace(own, kind="registry")


def published_scenarios(design: TrialDesign, calibration: Calibration) -> tuple[Scenario, ...]:
    """Return what must be simulated: the trials by effect, then trial and registry without one."""
    patients, trials, registry = published_designs(design, calibration)
    own = next(iter(trials.values()))
    designs = (*trials.values(), own.without_effect(), registry, registry.without_effect())
    return tuple(
        Scenario(one, patients, FIRST_STREAM + position) for position, one in enumerate(designs)
    )


def assess_published(
    design: TrialDesign, points: Sequence[PowerPoint], seed: int, calibration: Calibration
) -> PublishedPower:
    """Return what a published study could have shown.

    Parameters
    ----------
    design
        Study, endpoint, effect, horizon and level; the rest is the study's own.
    points
        What the scenarios of `published_scenarios` show, in their order.
    seed
        Seed of the limits.
    calibration
        Parameters.
    """
    patients, trials, _ = published_designs(design, calibration)
    limits = {
        effect: limit_of(one, seed, calibration, LIMIT_PATIENTS) for effect, one in trials.items()
    }
    shown = tuple(
        EffectPower(
            effect=effect,
            hazard_ratio=limit.hazard_ratio(COX),
            risk_difference=limit.methods[RISKS].value,
            power=point,
            formula=formula_power(design, limit, patients),
        )
        for (effect, limit), point in zip(limits.items(), points[: len(trials)], strict=True)
    )
    survival = design.response == OVERALL_SURVIVAL
    assumed = design.death_hazard_ratio if survival else design.progression_effect
    null, registry, registry_null = points[len(trials) :]
    return PublishedPower(
        patients=patients,
        treated=round(calibration.series_of(design.study).arms[1].size),
        assumed=assumed,
        trial=shown,
        trial_null=null,
        registry=registry,
        registry_null=registry_null,
        detectable=tuple(
            _detectable(method, design, shown, limits[assumed], patients) for method in METHODS
        ),
    )


def _detectable(
    method: str,
    design: TrialDesign,
    shown: Sequence[EffectPower],
    limit: Limit,
    patients: int,
) -> Detectable:
    target = TARGETS[0]
    survival = design.response == OVERALL_SURVIVAL
    # The size of an effect: the log hazard ratio, or the share of the calibrated one. Harm is none.
    helpful = [one for one in shown if not survival or one.effect <= 1]
    sizes = [-math.log(one.effect) if survival else one.effect for one in helpful]
    rates = [one.power.methods[method].rejects for one in helpful]
    ratio = None
    if method == RANK_TEST:
        events = patients * limit.event_probability
        ratio = detectable_hazard_ratio(events, target, share=limit.share, alpha=design.alpha)
    none = float("nan")
    most = max(one.value for one in rates)

    def nothing(note: str) -> Detectable:
        return Detectable(method, target, Estimate(none), none, none, ratio, most, note)

    if most < target:
        return nothing(f"at most {100 * most:.0f} % show the strongest of those tried")
    try:
        found = crossing(sizes, rates, target, floor=FLOOR)
    except NotEstimableError as error:
        return nothing(str(error))
    ends = (found.value, found.lower, found.upper)
    if survival:
        ends = (math.exp(-found.value), math.exp(-found.upper), math.exp(-found.lower))
    logs = [math.log(one.hazard_ratio) for one in helpful]
    return Detectable(
        method=method,
        power=target,
        effect=Estimate(*ends),
        hazard_ratio=float(np.exp(np.interp(found.value, sizes, logs))),
        risk_difference=float(
            np.interp(found.value, sizes, [one.risk_difference for one in helpful])
        ),
        formula_hazard_ratio=ratio,
        most=most,
        note="",
    )
