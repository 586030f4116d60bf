"""Vertebral fractures, with death competing.

The hazard is Weibull from the start of SBRT on (from surgery without it), independent of
prognosis. A study that counts fractures has its own hazard: by arm, and by fractionation where it
tells the fractures apart; one that also prints their mean time has its own shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq

from outcomes.arrays import FloatArray
from outcomes.evidence import Evidence
from outcomes.synthetic.by_arm import values_of_patients
from outcomes.synthetic.cells import sbrt_start_nodes
from outcomes.synthetic.effects import Effects
from outcomes.synthetic.follow_up import FollowUp, observed_by
from outcomes.synthetic.population import ArmExpectation, expected_arms
from outcomes.synthetic.published import printed, printed_share, shares_by_arm
from outcomes.synthetic.series import Arm, Series

COUNTS = ("fracture", "vertebral_compression_fracture")
TIME = "time_of_fracture"
CLASSES = ("single_fraction", "fractionated")
# The studies whose hazards the others take: after an operation, and after SBRT alone.
OPERATED_DONOR, SBRT_ALONE_DONOR = "gong-2021", "bate-2015"
LEAST_SHAPE, MOST_SHAPE = 0.2, 8.0
LEAST_RATE, MOST_RATE = 1e-9, 50.0


@dataclass(frozen=True)
class ArmFractures:
    """Hazard of vertebral fracture in one arm.

    Attributes
    ----------
    rates
        Cumulative hazard 12 months after its start, by fractionation in the order of `CLASSES`;
        without SBRT both are the same.
    shape
        Weibull shape.
    """

    rates: tuple[float, float]
    shape: float

    def hazard(self, months: FloatArray, rate: float) -> FloatArray:
        """Return the cumulative hazard so many months after its start."""
        return np.asarray(rate * (np.maximum(months, 0) / 12) ** self.shape)


@dataclass(frozen=True, eq=False)
class ClassCourse:
    """The patients of an arm with one fractionation.

    Attributes
    ----------
    share
        Their share of the arm.
    arm
        Their expectation.
    starts, start_weights
        Nodes of the month at which the hazard starts.
    """

    share: float
    arm: ArmExpectation
    starts: FloatArray
    start_weights: FloatArray

    def seen(self, fractures: ArmFractures, rate: float, follow_up: FollowUp) -> FloatArray:
        """Return share with a fracture seen, and the accumulated months since its start.

        Shape (2,).
        """
        months = self.arm.months
        alive = (self.arm.alive[1:] + self.arm.alive[:-1]) / 2
        found = np.zeros(2)
        for start, weight in zip(self.starts, self.start_weights, strict=True):
            whole = np.exp(-fractures.hazard(months - start, rate))
            entering = -np.diff(whole) * alive
            waited = (months[1:] + months[:-1]) / 2 - start
            for position, step in enumerate((entering, entering * waited)):
                incidence = np.concatenate([[0.0], np.cumsum(step)])
                found[position] += weight * observed_by(follow_up, months, incidence)[-1]
        return found


@dataclass(frozen=True, eq=False)
class SeriesFractures:
    """Vertebral fractures of a series that counts them.

    Attributes
    ----------
    arms
        Hazard of each arm, by name.
    courses
        Patients of each arm by fractionation, in the order of `CLASSES`.
    follow_up
        Distribution of the follow-up.
    """

    arms: Mapping[str, ArmFractures]
    courses: Mapping[str, tuple[ClassCourse, ...]]
    follow_up: FollowUp

    def seen(self, arm: str) -> FloatArray:
        """Return by fractionation the share of an arm with a fracture, and its months.

        Shape (2, 2): one row a class.
        """
        fractures = self.arms[arm]
        return np.array(
            [
                course.share * course.seen(fractures, rate, self.follow_up)
                if course.share
                else np.zeros(2)
                for course, rate in zip(self.courses[arm], fractures.rates, strict=True)
            ]
        )


def counts_fractures(study: str, evidence: Evidence) -> bool:
    """Whether a study prints how many fractures it saw."""
    return any(
        figure.quantity in COUNTS and figure.role == "fit" for figure in evidence.of_study(study)
    )


def series_fractures(
    series: Series,
    values: Mapping[str, float],
    effects: Effects,
    evidence: Evidence,
    arms: Mapping[str, ArmExpectation],
    follow_up: FollowUp,
) -> SeriesFractures:
    """Return the fractures of a series that counts them, its hazards solved from the counts.

    Parameters
    ----------
    series
        Design.
    values
        Natural values of the series' own parameters.
    effects
        Shared effects.
    evidence
        Registry.
    arms
        Expectation of each arm.
    follow_up
        Distribution of the follow-up.
    """
    weights = {name: arm.weight for name, arm in arms.items()}
    shares: dict[str, float] = {}
    for quantity in COUNTS:
        shares = {**shares_by_arm(evidence, series.study, quantity, weights), **shares}
    shares = {**dict.fromkeys(weights, 0.0), **shares}
    courses = _courses(series, values, effects)
    figures = [printed(evidence, series.study, quantity, CLASSES[0]) for quantity in COUNTS]
    single = next((printed_share(figure) for figure in figures if figure is not None), None)
    time = printed(evidence, series.study, TIME)

    def solved(shape: float) -> SeriesFractures:
        found = {
            arm: _solve_arm(courses[arm], shares[arm], single, shape, follow_up) for arm in arms
        }
        return SeriesFractures(found, courses, follow_up)

    if time is None or time.value is None or not any(shares.values()):
        return solved(1 + float(np.log2(evidence["fracture_hr_12_to_6_months"])))
    wanted = time.value

    def excess(log_shape: float) -> float:
        return mean_time(solved(float(np.exp(log_shape))), weights) - wanted

    low, high = np.log(LEAST_SHAPE), np.log(MOST_SHAPE)
    if excess(low) >= 0 or excess(high) <= 0:
        return solved(LEAST_SHAPE if excess(low) >= 0 else MOST_SHAPE)
    return solved(float(np.exp(brentq(excess, low, high, xtol=1e-8))))


def mean_time(fractures: SeriesFractures, weights: Mapping[str, float]) -> float:
    """Return the mean months from the start of the hazard to the fractures seen."""
    totals = sum(weights[arm] * fractures.seen(arm).sum(axis=0) for arm in weights)
    return float(totals[1] / totals[0])


def _courses(
    series: Series, values: Mapping[str, float], effects: Effects
) -> dict[str, tuple[ClassCourse, ...]]:
    """Return the patients of each arm by fractionation."""
    expected = []
    for position in range(len(CLASSES)):
        only = tuple(replace(arm, regimens=_only(arm, position)) for arm in series.arms)
        expected.append(expected_arms(replace(series, arms=only), values, effects))
    found = {}
    for arm in series.arms:
        single = arm.regimens[0] / sum(arm.regimens) if arm.treated else 0.0
        starts, weights = np.zeros(1), np.ones(1)
        if arm.treated and arm.procedure != "none":
            starts, weights = sbrt_start_nodes(series)
        found[arm.name] = tuple(
            ClassCourse(share, by_name[arm.name], starts, weights)
            for share, by_name in zip((single, 1 - single), expected, strict=True)
        )
    return found


def _only(arm: Arm, position: int) -> tuple[float, float, float]:
    """Return the dose regimens of those of an arm with one fractionation."""
    _, high, low = arm.regimens
    if not arm.treated:
        return arm.regimens
    if position == 0 or high + low == 0:
        return (1.0, 0.0, 0.0)
    return (0.0, high / (high + low), low / (high + low))


def _solve_arm(
    courses: tuple[ClassCourse, ...],
    share: float,
    single: float | None,
    shape: float,
    follow_up: FollowUp,
) -> ArmFractures:
    """Return the hazard that shows a share of an arm with a fracture, `single` of them after one.

    Without `single` both fractionations have the same hazard.
    """
    present = [position for position, course in enumerate(courses) if course.share]
    split = single is not None and len(present) == len(CLASSES)
    groups = [[position] for position in present] if split else [present]
    parts = [single or 0.0, 1 - (single or 0.0)] if split else [1.0]
    rates = [0.0, 0.0]
    trial = ArmFractures((0.0, 0.0), shape)
    for group, part in zip(groups, parts, strict=True):
        rate = _solve_rate(
            [courses[position] for position in group], part * share, trial, follow_up
        )
        for position in group if split else range(len(CLASSES)):
            rates[position] = rate
    return ArmFractures((rates[0], rates[1]), shape)


def _solve_rate(
    courses: list[ClassCourse], share: float, trial: ArmFractures, follow_up: FollowUp
) -> float:
    if share <= 0:
        return 0.0

    def excess(log_rate: float) -> float:
        rate = float(np.exp(log_rate))
        seen = (course.share * course.seen(trial, rate, follow_up)[0] for course in courses)
        return float(sum(seen)) - share

    low, high = np.log(LEAST_RATE), np.log(MOST_RATE)
    if excess(high) <= 0:
        return MOST_RATE
    return float(np.exp(brentq(excess, low, high, xtol=1e-9)))


def fracture_figure(
    quantity: str, arm: str, fractures: SeriesFractures, weights: Mapping[str, float]
) -> float:
    """Return a published quantity on fractures: a share of patients, or their mean time.

    Parameters
    ----------
    quantity
        Count of fractures or `TIME`.
    arm
        Arm of the series, or one of `CLASSES` for the share of the fractures; "" for all.
    """
    chosen = [arm] if arm in weights else list(weights)
    by_class = np.array(sum(weights[name] * fractures.seen(name) for name in chosen))
    if quantity == TIME:
        return float(by_class[:, 1].sum() / by_class[:, 0].sum())
    if arm in CLASSES:
        return float(by_class[CLASSES.index(arm), 0] / by_class[:, 0].sum())
    return float(by_class[:, 0].sum() / sum(weights[name] for name in chosen))


def draw_fractures(
    hazards: Mapping[str, ArmFractures],
    table: pd.DataFrame,
    arms: npt.NDArray[np.str_],
    generator: np.random.Generator,
) -> dict[str, Any]:
    """Draw months and event of vertebral fracture of patients.

    Parameters
    ----------
    hazards
        Hazard of each arm, by name.
    table
        Patients with ``dose_regimen``, ``sbrt_start_months``, ``os_months`` and ``death``.
    arms
        Arm of each patient, shape (n_patients,).
    generator
        Source of randomness.
    """
    single, several, shape = values_of_patients(
        {name: (*hazard.rates, hazard.shape) for name, hazard in hazards.items()}, arms
    ).T
    rate = np.where(table["dose_regimen"] == "single_24", single, several)
    exponential = generator.standard_exponential(arms.size)
    start = table["sbrt_start_months"].fillna(0.0).to_numpy(dtype=np.float64)
    units = np.divide(exponential, rate, out=np.full(arms.size, np.inf), where=rate > 0)
    latent = start + 12 * units ** (1 / shape)
    end = table["os_months"].to_numpy(dtype=np.float64)
    broken = latent < end
    event = np.where(broken, 1, np.where(table["death"].to_numpy() == 1, 2, 0))
    return {
        "fracture_months": np.where(broken, latent, end),
        "fracture_event": event.astype(np.int8),
    }
