"""What a series would report: each published quantity computed from its expectation.

The estimand decides: a crude count depends on the follow-up, a competing-risk incidence does not,
a median "among those who died" is the median of what was seen, not a Kaplan-Meier median.
"""

from collections.abc import Callable, Mapping

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.errors import CalibrationError
from outcomes.evidence import Figure
from outcomes.synthetic.follow_up import expected_by, observed_by
from outcomes.synthetic.hardware import (
    EARLY_DAYS,
    EARLY_ORDER,
    early_failure_day,
    hardware_hazard,
    reoperation_share,
)
from outcomes.synthetic.perioperative import QUANTITIES as PERIOPERATIVE
from outcomes.synthetic.population import ArmExpectation
from outcomes.synthetic.quantities import (
    at_a_month,
    find_quantity,
    is_solved_for,
    quantity_names,
)
from outcomes.synthetic.series import Series
from outcomes.synthetic.series_expectation import SeriesExpectation

MEDIAN_NODES = 65


def crossing(months: FloatArray, survival: FloatArray, level: float) -> float:
    """Return the month at which a decreasing curve reaches a level, log-linear between nodes.

    A curve that stays above the level is continued with the hazard of its last interval, so that
    the month is a smooth function of the curve; it lies then beyond the last of `months`.
    """
    below = np.flatnonzero(survival <= level)
    index = int(below[0]) if below.size else months.size - 1
    if index == 0:
        return float(months[0])
    high, low = np.log(survival[index - 1]), np.log(max(survival[index], 1e-300))
    if high == low:
        return float("inf")
    fraction = (high - np.log(level)) / (high - low)
    return float(months[index - 1] + fraction * (months[index] - months[index - 1]))


def median_among_observed(months: FloatArray, accumulated: FloatArray) -> float:
    """Return the median of an observed subdensity from its accumulated mass; nan without any."""
    if not accumulated[-1] > 0:
        return float("nan")
    half = accumulated[-1] / 2
    index = int(np.searchsorted(accumulated, half))
    low, high = accumulated[index - 1], accumulated[index]
    fraction = (half - low) / (high - low)
    return float(months[index - 1] + fraction * (months[index] - months[index - 1]))


def mean_among_observed(total: float, share: float) -> float:
    """Return a total over those observed as their mean; nan where nothing is observed."""
    return float(total / share) if share > 0 else float("nan")


def _moment(months: FloatArray, incidence: FloatArray) -> FloatArray:
    """Return the accumulated integral of the month of an event."""
    middle = (months[1:] + months[:-1]) / 2
    return np.concatenate([[0.0], np.cumsum(middle * np.diff(incidence))])


def kaplan_meier_complement(arm: ArmExpectation) -> FloatArray:
    """Return what 1 - Kaplan-Meier of local progression converges to, deaths taken as censored."""
    free = arm.event_free
    ratio = np.log(np.maximum(free[:-1], 1e-300) / np.maximum(free[1:], 1e-300))
    lost = free[:-1] - free[1:]
    share = np.divide(np.diff(arm.progressed), lost, out=np.zeros_like(lost), where=lost > 1e-14)
    return np.concatenate([[0.0], -np.expm1(-np.cumsum(ratio * share))])


def _at(figure: Figure, months: FloatArray, values: FloatArray) -> float:
    if figure.at_month is None:
        raise CalibrationError(f"{figure.id}: at_month is needed; allowed: a month above 0")
    return float(np.interp(figure.at_month, months, values))


def _event_summary(figure: Figure, e: SeriesExpectation, incidence: FloatArray) -> float:
    """Return share, median or mean time of the events seen, as the figure's estimand asks."""
    months = e.whole.months
    seen = observed_by(e.follow_up, months, incidence)
    if figure.estimand in ("crude_proportion", "count"):
        return float(seen[-1])
    if figure.estimand == "median_among_observed":
        return median_among_observed(months, seen)
    moment = observed_by(e.follow_up, months, _moment(months, incidence))
    mean = mean_among_observed(moment[-1], seen[-1])
    if figure.unit == "months" and figure.quantity.endswith("_sd"):
        middle = (months[1:] + months[:-1]) / 2
        second = np.concatenate([[0.0], np.cumsum(middle**2 * np.diff(incidence))])
        square = mean_among_observed(observed_by(e.follow_up, months, second)[-1], seen[-1])
        return float(np.sqrt(np.maximum(square - mean**2, 0.0)))
    return mean


def _survivor_summary(figure: Figure, e: SeriesExpectation, remaining: FloatArray) -> float:
    """Return share of, or follow-up among, those still in a state when follow-up ends."""
    months = e.whole.months
    seen = expected_by(e.follow_up, months, remaining)
    if figure.estimand in ("crude_proportion", "count"):
        return float(seen[-1])
    if figure.estimand == "median_among_observed":
        return median_among_observed(months, seen)
    mean = mean_among_observed(expected_by(e.follow_up, months, months * remaining)[-1], seen[-1])
    if figure.quantity.endswith("_sd"):
        square = mean_among_observed(
            expected_by(e.follow_up, months, months**2 * remaining)[-1], seen[-1]
        )
        return float(np.sqrt(np.maximum(square - mean**2, 0.0)))
    return mean


def _progression_at(figure: Figure, e: SeriesExpectation) -> float:
    arm = e.arm(figure.arm)
    if figure.estimand == "cumulative_incidence":
        return _at(figure, arm.months, arm.progressed)
    risk = _at(figure, arm.months, kaplan_meier_complement(arm))
    return 1 - risk if figure.estimand == "kaplan_meier" else risk


def _survival(figure: Figure, e: SeriesExpectation) -> float:
    arm = e.arm(figure.arm)
    if figure.estimand == "kaplan_meier_median":
        return crossing(arm.months, arm.alive, 0.5)
    return _at(figure, arm.months, arm.alive)


def observation_ended(e: SeriesExpectation, arm: ArmExpectation) -> FloatArray:
    """Return the share of an arm dead or at the end of its follow-up, by each month.

    What ends at the very last month of follow-up is left out.
    """
    return np.asarray(1 - arm.alive * (1 - e.follow_up.below(arm.months)[0]))


def _observation(figure: Figure, e: SeriesExpectation) -> float:
    """Return the mean or median time until death or the end of follow-up.

    As a Kaplan-Meier median (reversed: death censors) it is the median follow-up itself. A median
    beyond the last month of follow-up, which a smooth search needs, stands for that month.
    """
    arm = e.arm(figure.arm)
    if figure.estimand == "kaplan_meier_median":
        return _median_followed(e, arm.months, np.ones_like(arm.months))
    if figure.estimand == "median_among_observed":
        return _median_followed(e, arm.months, arm.alive)
    dead = 1 - arm.alive
    died = observed_by(e.follow_up, arm.months, _moment(arm.months, dead))[-1]
    lived = expected_by(e.follow_up, arm.months, arm.months * arm.alive)[-1]
    return float(died + lived)


def _median_followed(e: SeriesExpectation, months: FloatArray, alive: FloatArray) -> float:
    """Return the month by which half have died or reached the end of their follow-up.

    The grid is refined about it, since follow-up may end for many at nearly one month.
    """
    end = int(np.searchsorted(months, e.follow_up.breaks[-1]))
    followed = 1 - e.follow_up.below(months[: end + 1])[0]
    half = int(np.argmax(followed * alive[: end + 1] <= 0.5)) or end
    fine = np.linspace(months[half - 1], months[half], MEDIAN_NODES)
    remaining = (1 - e.follow_up.below(fine)[0]) * np.interp(fine, months, alive)
    return crossing(fine, remaining, 0.5)


def _hardware(figure: Figure, e: SeriesExpectation) -> float:
    if not e.series.hardware:
        raise CalibrationError(f"{figure.id}: series {e.series.study} has no hardware model")
    if figure.quantity == "hardware_reoperation":
        return reoperation_share(e.series.study, e.evidence)
    months = e.whole.months
    if figure.quantity == EARLY_DAYS:
        if figure.arm not in EARLY_ORDER:
            raise CalibrationError(
                f"{figure.id}: arm: found {figure.arm!r}; allowed: {', '.join(EARLY_ORDER)}"
            )
        hazard = hardware_hazard(e.series.study, e.values, e.evidence)
        position, female = EARLY_ORDER.index(figure.arm), e.series.female
        return early_failure_day(position, hazard, e.evidence, female, months, e.whole.alive)
    seen = observed_by(e.follow_up, months, e.hardware)
    if figure.quantity == "hardware_failure_after_3m":
        return 1 - mean_among_observed(np.interp(3.0, months, seen), seen[-1])
    return float(seen[-1])


def death_over_hardware(e: SeriesExpectation) -> float:
    """Return the share seen to die less the share seen with hardware failure."""
    died = observed_by(e.follow_up, e.whole.months, 1 - e.whole.alive)[-1]
    return float(died - observed_by(e.follow_up, e.whole.months, e.hardware)[-1])


def _arm_share(figure: Figure, e: SeriesExpectation) -> float:
    """Return an arm's share of the series; of all patients, how many there are a lesion."""
    if figure.quantity == "patients" and not figure.arm:
        return 1 / (1 + e.series.second_lesions)
    return e.arm(figure.arm).weight / e.whole.weight


def _range_end(figure: Figure, e: SeriesExpectation) -> float:
    """Return an end of what the design allows, or the expected extreme of the times observed."""
    quantity, _, end = figure.quantity.rpartition("_")
    position = RANGE_ENDS.index(end)
    if quantity == "sbrt_start":
        return e.series.sbrt_start[position]
    if quantity == "follow_up_range":
        return e.series.follow_up_range[position]
    return extreme_time(figure, e)[0]


def extreme_time(figure: Figure, e: SeriesExpectation) -> tuple[float, float]:
    """Return mean and standard deviation of the first or last of n observed progressions.

    The ends of a published range grow apart with the number observed.
    """
    arm = e.arm(figure.arm)
    seen = observed_by(e.follow_up, arm.months, arm.progressed)
    share = seen / seen[-1]
    observed = figure.n or round(arm.weight * seen[-1])
    first = figure.quantity.endswith(RANGE_ENDS[0])
    later = (1 - share) ** observed if first else 1 - share**observed
    steps, middle = np.diff(arm.months), (later[1:] + later[:-1]) / 2
    mean = float(steps @ middle)
    square = float(np.diff(arm.months**2) @ middle)
    return mean, float(np.sqrt(max(square - mean**2, 0.0)))


def _dead(arm: ArmExpectation) -> FloatArray:
    return 1 - arm.alive


# Of those seen to have an event: its cumulative incidence.
EVENTS: Mapping[str, Callable[[ArmExpectation], FloatArray]] = {
    "local_progression_crude": lambda arm: arm.progressed,
    "time_of_progression": lambda arm: arm.progressed,
    "time_of_progression_mean": lambda arm: arm.progressed,
    "time_of_progression_sd": lambda arm: arm.progressed,
    "died_without_progression": lambda arm: arm.died_first,
    "time_of_death_without_progression": lambda arm: arm.died_first,
    "deaths": _dead,
    "follow_up_died": _dead,
}
# Of those still in a state when their follow-up ends: the share in that state.
SURVIVORS: Mapping[str, Callable[[ArmExpectation], FloatArray]] = {
    "local_control_crude": lambda arm: 1 - arm.progressed,
    "alive_without_progression": lambda arm: arm.event_free,
    "follow_up_alive_without_progression": lambda arm: arm.event_free,
    "survivors": lambda arm: arm.alive,
    "follow_up_survived": lambda arm: arm.alive,
    "follow_up_survived_sd": lambda arm: arm.alive,
}
OTHERS: Mapping[str, Callable[[Figure, SeriesExpectation], float]] = {
    "patients": _arm_share,
    "lesions": _arm_share,
    "dose_regimen": _arm_share,
    "local_progression": _progression_at,
    "local_control": _progression_at,
    "overall_survival": _survival,
    "overall_survival_median": _survival,
    "follow_up_mean": _observation,
    "follow_up_median": _observation,
    "hardware_failure": _hardware,
    "hardware_failure_after_3m": _hardware,
}
# Sizes of arms follow from the design unless the series chose whom to treat.
ARM_SIZES = ("patients", "lesions", "dose_regimen")
RANGE_ENDS = ("first", "last")
RANGES = ("sbrt_start", "follow_up_range", "time_of_progression_range")
# Quantities that no parameter is solved for: they follow from the design or from the registry.
SETTLED: Mapping[str, Callable[[Figure, SeriesExpectation], float]] = {
    "hardware_reoperation": _hardware,
    EARLY_DAYS: _hardware,
    **{f"{name}_{end}": _range_end for name in RANGES for end in RANGE_ENDS},
}


def seen_by(figure: Figure, e: SeriesExpectation) -> FloatArray | None:
    """Return the share of an arm seen to have the figure's event, or its end, by each month.

    None where the figure is no summary of such observations.
    """
    arm = e.arm(figure.arm)
    if figure.quantity in EVENTS:
        return observed_by(e.follow_up, arm.months, EVENTS[figure.quantity](arm))
    if figure.quantity in SURVIVORS:
        return expected_by(e.follow_up, arm.months, SURVIVORS[figure.quantity](arm))
    return None


def _value(figure: Figure, e: SeriesExpectation) -> float:
    quantity = figure.quantity
    if quantity in PERIOPERATIVE:
        return e.perioperative.value(figure)
    if quantity in SETTLED:
        return SETTLED[quantity](figure, e)
    if quantity in EVENTS:
        return _event_summary(figure, e, EVENTS[quantity](e.arm(figure.arm)))
    if quantity in SURVIVORS:
        return _survivor_summary(figure, e, SURVIVORS[quantity](e.arm(figure.arm)))
    horizon = at_a_month(quantity)
    return OTHERS[quantity if horizon is None else horizon[0]](figure, e)


def is_covered(figure: Figure) -> bool:
    """Whether the simulation has to answer to a figure."""
    asked = figure.role in ("fit", "check") and figure.value is not None
    return asked and _is_known(figure.quantity)


def _is_known(quantity: str) -> bool:
    return quantity in SETTLED or find_quantity(quantity) is not None


def is_solved(figure: Figure, series: Series) -> bool:
    """Whether parameters of the illness-death model are solved for a figure of the series."""
    if not is_covered(figure) or not is_solved_for(figure.quantity):
        return False
    return figure.quantity not in ARM_SIZES or (series.selected and bool(figure.arm))


def achieved(figure: Figure, expectation: SeriesExpectation) -> float:
    """Return what the series would report, in the figure's unit.

    Percentages are on the scale of 100, counts in patients out of the figure's `n`; sizes of arms
    out of the size of the series.

    Raises
    ------
    CalibrationError
        If the quantity is unknown, or lacks its arm, month or denominator.
    """
    if not _is_known(figure.quantity):
        raise CalibrationError(
            f"{figure.id}: unknown quantity {figure.quantity!r}; "
            f"allowed: {', '.join(quantity_names())}"
        )
    value = _value(figure, expectation)
    if figure.unit == "percent":
        return 100 * value
    if figure.estimand == "count":
        if figure.quantity in ARM_SIZES:
            return expectation.series.size * value
        if figure.n is None:
            raise CalibrationError(f"{figure.id}: a count needs its denominator n")
        return figure.n * value
    return value
