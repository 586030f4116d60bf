"""How far a published figure may lie from the truth by sampling alone."""

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.errors import CalibrationError
from outcomes.evidence import Figure
from outcomes.schema import DAYS_PER_MONTH
from outcomes.synthetic.estimands import (
    achieved,
    crossing,
    extreme_time,
    observation_ended,
    seen_by,
)
from outcomes.synthetic.fractures import TIME
from outcomes.synthetic.hardware import EARLY_DAYS, hardware_hazard
from outcomes.synthetic.moments import sd_error, sd_of
from outcomes.synthetic.numeric import DESIGNED
from outcomes.synthetic.perioperative import MEDIAN, SPREADS
from outcomes.synthetic.series_expectation import SeriesExpectation

PERCENT_TOLERANCE = 0.1
MONTH_TOLERANCE = 0.1


def tolerance(figure: Figure) -> float:
    """Return the largest deviation with which a fitted figure counts as met, in its unit."""
    if figure.tolerance is not None:
        return figure.tolerance
    if figure.unit == "percent":
        return PERCENT_TOLERANCE
    if figure.estimand == "count" and figure.n:
        return PERCENT_TOLERANCE / 100 * figure.n
    if figure.unit == "months" or figure.value is None:
        return MONTH_TOLERANCE
    # Half a unit of the last printed digit.
    return 0.5 * 10.0 ** -len(f"{figure.value:g}".partition(".")[2])


def published_value(figure: Figure) -> float:
    """Return the published number; a percentage with a count is taken from the count."""
    if figure.unit == "percent" and figure.count is not None and figure.n:
        return 100 * figure.count / figure.n
    if figure.value is None:
        raise CalibrationError(f"{figure.id}: a number is needed")
    return figure.value


def binomial_error(figure: Figure, value: float | None = None) -> float:
    """Return the binomial standard error of a percentage or a count, in its unit.

    Half a patient stands in at 0 and 100 %. The error is that at the published value unless
    another is given.
    """
    if not figure.n:
        raise CalibrationError(f"{figure.id}: the denominator n is needed")
    scale = 100.0 if figure.unit == "percent" else float(figure.n)
    share = (published_value(figure) if value is None else value) / scale
    share = min(max(share, 0.5 / figure.n), 1 - 0.5 / figure.n)
    return float(scale * np.sqrt(share * (1 - share) / figure.n))


def sampling_error(figure: Figure, expectation: SeriesExpectation) -> float:
    """Return the standard error of a figure in a series of the published size.

    Large-sample formulas under the calibrated model: binomial for shares (censoring before the
    horizon is neglected), 1 / (2 f sqrt(m)) for a median among m observed, sd / sqrt(m) for their
    mean, the fourth moment for their standard deviation, Greenwood's variance over the density
    for a Kaplan-Meier median.
    """
    if figure.quantity in DESIGNED:
        # The design settles it: no sample does.
        return 0.0
    if figure.quantity == EARLY_DAYS:
        return _early_days_error(figure, expectation)
    if figure.quantity.removesuffix("_sd") in SPREADS or figure.quantity == MEDIAN:
        return _score_error(figure, expectation)
    if figure.unit != "months":
        # What is only checked is asked whether the simulation could have given it.
        return binomial_error(
            figure, achieved(figure, expectation) if figure.role == "check" else None
        )
    if figure.quantity == TIME:
        # As of an exponential time, since hardly any are seen.
        return achieved(figure, expectation) / float(np.sqrt(figure.n or 1))
    if figure.quantity.startswith("time_of_progression_range"):
        return extreme_time(figure, expectation)[1]
    arm = expectation.arm(figure.arm)
    if figure.estimand == "kaplan_meier_median":
        return _kaplan_meier_median_error(figure, expectation)
    seen = seen_by(figure, expectation)
    if seen is None:
        ended = observation_ended(expectation, arm)
        if figure.estimand == "median_among_observed":
            return _median_error(arm.months, ended, arm.weight)
        return _mean_error(arm.months, ended, arm.weight)
    # A figure printed for m observed patients rests on them, not on the whole arm.
    observed = float(min(arm.weight * seen[-1], figure.n or np.inf))
    if figure.estimand == "median_among_observed":
        return _median_error(arm.months, seen, observed)
    if figure.quantity.endswith("_sd"):
        return _spread_error(arm.months, seen, observed)
    return _mean_error(arm.months, seen, observed)


def _early_days_error(figure: Figure, expectation: SeriesExpectation) -> float:
    """Return the standard deviation of the smaller or larger of two uniform draws."""
    hazard = hardware_hazard(figure.study, expectation.values, expectation.evidence)
    first, last = hazard.early_months
    return float((last - first) * DAYS_PER_MONTH / np.sqrt(18))


def _score_error(figure: Figure, expectation: SeriesExpectation) -> float:
    """Return the error of a mean, a standard deviation or a median of what patients score."""
    perioperative = expectation.perioperative
    n = float(figure.n or expectation.arm(figure.arm).weight)
    if figure.quantity == MEDIAN:
        pains = [pain for name, pain in perioperative.pains.items() if figure.arm in ("", name)]
        centre = achieved(figure, expectation)
        density = (
            np.mean(
                [
                    pain.decrease_at_most(centre + 0.25) - pain.decrease_at_most(centre - 0.25)
                    for pain in pains
                ]
            )
            / 0.5
        )
        return float(1 / (2 * density * np.sqrt(n)))
    moments = perioperative.moments(figure)
    if figure.quantity.endswith("_sd"):
        return sd_error(moments, n)
    return float(sd_of(moments) / np.sqrt(n))


def _weights(months: FloatArray, seen: FloatArray) -> tuple[FloatArray, FloatArray]:
    return (months[1:] + months[:-1]) / 2, np.diff(seen) / seen[-1]


def _mean_error(months: FloatArray, seen: FloatArray, observed: float) -> float:
    middle, weights = _weights(months, seen)
    variance = weights @ middle**2 - (weights @ middle) ** 2
    return float(np.sqrt(variance / observed))


def _spread_error(months: FloatArray, seen: FloatArray, observed: float) -> float:
    middle, weights = _weights(months, seen)
    centred = middle - weights @ middle
    variance, fourth = weights @ centred**2, weights @ centred**4
    return float(np.sqrt((fourth - variance**2) / observed) / (2 * np.sqrt(variance)))


def _median_error(months: FloatArray, seen: FloatArray, observed: float) -> float:
    """Return the error of a median; the density is averaged over the middle fifth."""
    low, high = np.interp([0.4, 0.6], seen / seen[-1], months)
    density = 0.2 / (high - low)
    return float(1 / (2 * density * np.sqrt(observed)))


def _kaplan_meier_median_error(figure: Figure, expectation: SeriesExpectation) -> float:
    arm = expectation.arm(figure.arm)
    months, middle = arm.months, (arm.months[1:] + arm.months[:-1]) / 2
    curve = arm.alive
    others_left = 1 - expectation.follow_up.below(middle)[0]
    if figure.quantity == "follow_up_median":
        # Reversed: the follow-up is what is estimated, and deaths censor it.
        end = int(np.searchsorted(months, expectation.follow_up.breaks[-1])) + 1
        months, others_left = months[:end], np.interp(middle, months, arm.alive)[: end - 1]
        curve = 1 - expectation.follow_up.below(months)[0]
    median = crossing(months, curve, 0.5)
    hazard = -np.diff(np.log(np.maximum(curve, 1e-300)))
    at_risk = np.maximum(arm.weight * others_left * curve[:-1], 1e-9)
    variance = 0.25 * np.sum((hazard / at_risk)[months[1:] <= median])
    early, late = crossing(months, curve, 0.55), crossing(months, curve, 0.45)
    if not np.isfinite(late):
        late = 2 * median - early
    return float(np.sqrt(variance) * (late - early) / 0.1)
