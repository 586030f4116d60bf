"""How many patients are needed: by formula, and by where simulated power crosses the target."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtr, ndtri

from outcomes.endpoints import OVERALL_SURVIVAL
from outcomes.errors import NotEstimableError, OutcomesError
from outcomes.estimate import Estimate
from outcomes.power.analysis import ADJUSTED, COX, MEANS, METHODS, RANK_TEST, RISKS
from outcomes.power.design import TrialDesign
from outcomes.power.limit import Limit
from outcomes.power.rates import crossing
from outcomes.power.schoenfeld import (
    events_needed,
    patients_for_difference,
    patients_needed,
    power_of_events,
)
from outcomes.power.simulated import PowerPoint

TARGETS = (0.8, 0.9)
# Sizes simulated unless some are asked for, as multiples of what Schoenfeld's formula gives for the
# first target.
MULTIPLES = (0.4, 0.6, 0.8, 1.0, 1.25, 1.6)
LARGEST = 20_000
# A limit within so many standard errors of none shows none.
SEEN = 3.0
# The Cox model whose hazard ratio each formula takes.
HAZARD_RATIO_OF = {RANK_TEST: COX, COX: COX, ADJUSTED: ADJUSTED}


@dataclass(frozen=True)
class Needed:
    """The patients one method needs for one power.

    Attributes
    ----------
    method, power
        Method and wanted power.
    patients
        By simulation, with the 95 % interval of its Monte Carlo error; NaN where it cannot be had.
    events
        Events expected among them.
    extrapolated
        Whether no simulated size has less, or none has more, patients.
    formula_patients, formula_events
        By Schoenfeld's formula from the hazard ratio in the limit; of a difference by its variance
        in the limit. None where there is none.
    assumed_patients, assumed_events
        By Schoenfeld's formula from the hazard ratio of death that the design assumes, as one plans
        without a simulation; None for other endpoints and methods.
    note
        Why the simulated number is missing.
    """

    method: str
    power: float
    patients: Estimate
    events: float
    extrapolated: bool
    formula_patients: int | None
    formula_events: float | None
    assumed_patients: int | None
    assumed_events: float | None
    note: str


def formula_power(design: TrialDesign, truth: Limit, patients: int) -> dict[str, float]:
    """Return the power of each method by its formula; NaN where there is none."""
    return {method: _power(method, design, truth, patients) for method in METHODS}


def _power(method: str, design: TrialDesign, truth: Limit, patients: int) -> float:
    if method in HAZARD_RATIO_OF:
        log_ratio = truth.methods[HAZARD_RATIO_OF[method]].value
        if not math.isfinite(log_ratio):
            return float("nan")
        events = patients * truth.event_probability
        return power_of_events(events, math.exp(log_ratio), share=truth.share, alpha=design.alpha)
    limit = truth.methods[method]
    drift = abs(limit.value) * math.sqrt(patients) / limit.spread
    z = float(ndtri(1 - design.alpha / 2))
    return float(ndtr(drift - z) + ndtr(-drift - z))


def floor_of(alpha: float) -> float:
    """Return the power up to which simulated sizes say little of where 80 % is reached."""
    return min(3 * alpha, 0.5)


def size_grid(design: TrialDesign, truth: Limit) -> tuple[int, ...]:
    """Return sizes around what the rank test needs by Schoenfeld's formula.

    Raises
    ------
    OutcomesError
        If there is no effect, or it is so small, or events so rare, that the sizes would be out of
        all reason.
    """
    centre = _formula(RANK_TEST, TARGETS[0], design, truth)[0]
    if centre is None:
        raise OutcomesError(
            "effect: none is seen even in one very large trial, so that no number of patients "
            "shows it; allowed: another effect, or numbers of patients to simulate"
        )
    if centre > LARGEST:
        raise OutcomesError(
            f"patients for {100 * TARGETS[0]:g} % power by formula: found {centre:,}; allowed: up "
            f"to {LARGEST:,}, or numbers of patients to simulate"
        )
    return tuple(sorted({max(round(multiple * centre), 4) for multiple in MULTIPLES}))


def find_needed(
    design: TrialDesign, truth: Limit, points: Sequence[PowerPoint]
) -> tuple[Needed, ...]:
    """Return the patients each method needs for each of `TARGETS`.

    Parameters
    ----------
    design
        The design.
    truth
        Its limit; of a registry, that of a trial of the same patients.
    points
        Simulated power at several sizes.
    """
    return tuple(
        _needed(method, target, design, truth, points) for method in METHODS for target in TARGETS
    )


def _needed(
    method: str, target: float, design: TrialDesign, truth: Limit, points: Sequence[PowerPoint]
) -> Needed:
    roots = [math.sqrt(point.patients) for point in points]
    rates = [point.methods[method].rejects for point in points]
    patients, events, note, outside = Estimate(float("nan")), float("nan"), "", False
    try:
        root = crossing(roots, rates, target, floor=floor_of(design.alpha))
        patients = Estimate(*(max(x, 0.0) ** 2 for x in (root.value, root.lower, root.upper)))
        outside = not min(roots) <= root.value <= max(roots)
        events = patients.value * sum(p.events for p in points) / sum(p.patients for p in points)
    except NotEstimableError as error:
        note = str(error)
    formula_patients, formula_events = _formula(method, target, design, truth)
    assumed_patients, assumed_events = _assumed(method, target, design, truth)
    return Needed(
        method=method,
        power=target,
        patients=patients,
        events=events,
        extrapolated=outside,
        formula_patients=formula_patients,
        formula_events=formula_events,
        assumed_patients=assumed_patients,
        assumed_events=assumed_events,
        note=note,
    )


def _formula(
    method: str, target: float, design: TrialDesign, truth: Limit
) -> tuple[int | None, float | None]:
    """Return patients and events by formula; None where the limit shows no effect."""
    limit = truth.methods[HAZARD_RATIO_OF.get(method, method)]
    if not abs(limit.value) > SEEN * limit.standard_error:
        return None, None
    try:
        if method in (RISKS, MEANS):
            patients = patients_for_difference(
                limit.value, limit.spread, target, alpha=design.alpha
            )
            return patients, patients * truth.event_probability
        events = events_needed(math.exp(limit.value), target, share=truth.share, alpha=design.alpha)
        return patients_needed(events, truth.event_probability), events
    except OutcomesError:
        return None, None


def _assumed(
    method: str, target: float, design: TrialDesign, truth: Limit
) -> tuple[int | None, float | None]:
    plans = method == RANK_TEST and design.response == OVERALL_SURVIVAL
    if not plans or design.death_hazard_ratio == 1 or not truth.event_probability:
        return None, None
    events = events_needed(design.death_hazard_ratio, target, share=truth.share, alpha=design.alpha)
    return patients_needed(events, truth.event_probability), events
