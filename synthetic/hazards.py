"""The illness-death model: local progression, death, and death after local progression.

Local progression has the bounded cumulative hazard theta exp(x beta) F(t), F lognormal: the
promotion-time cure model (Tsodikov, Ibrahim & Yakovlev, JASA 2003;98:1063), which rises early
and all but vanishes, as the published recurrences do, and keeps proportional hazards. Death is
Weibull; local progression multiplies its hazard. SBRT acts on both from the day it starts.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import exprel, ndtr, ndtri

from outcomes.arrays import FloatArray

# Beyond it nobody is alive, and the exponential function overflows.
LARGEST_EXPONENT = 700.0


@dataclass(frozen=True)
class Baseline:
    """Baseline hazards of one series (or one of its arms).

    Attributes
    ----------
    death_scale
        Weibull scale in months, at KPS 70 with no other risk factor and without SBRT.
    death_shape
        Weibull shape.
    progression_total
        Limit of the cumulative hazard of local progression for low-dose hypofractionated SBRT
        and a separation of at least 3 mm.
    progression_median, progression_sigma
        Median in months and log-scale standard deviation of the lognormal F.
    """

    death_scale: float
    death_shape: float
    progression_total: float
    progression_median: float
    progression_sigma: float

    def death_units(self, months: FloatArray) -> FloatArray:
        """Return the baseline cumulative hazard of death."""
        return np.asarray((months / self.death_scale) ** self.death_shape, dtype=np.float64)

    def death_months(self, units: FloatArray) -> FloatArray:
        """Return the month at which the baseline cumulative hazard of death is reached."""
        return np.asarray(self.death_scale * units ** (1 / self.death_shape), dtype=np.float64)

    def progression_units(self, months: FloatArray) -> FloatArray:
        """Return F, the fraction of the cumulative hazard of progression spent by a month."""
        with np.errstate(divide="ignore"):
            z = np.log(months / self.progression_median) / self.progression_sigma
        return np.asarray(ndtr(z), dtype=np.float64)

    def progression_months(self, units: FloatArray) -> FloatArray:
        """Return the month at which F is reached; infinite where it never is (units >= 1)."""
        inside = np.clip(units, 0, 1)
        return np.asarray(
            self.progression_median * np.exp(self.progression_sigma * ndtri(inside)),
            dtype=np.float64,
        )


@dataclass(frozen=True, eq=False)
class Course:
    """What acts on each patient (or cell); arrays broadcast against each other.

    Attributes
    ----------
    score
        Log hazard ratio of death of the prognostic factors.
    sbrt_start
        Month at which SBRT starts; infinite without SBRT.
    death_before, death_after
        Hazard ratio of death before and after that month.
    progression_before, progression_after
        Hazard ratio of local progression before and after that month. Both hazard ratios are 0
        before it where the series holds only patients who lived free of progression until SBRT.
    death_after_progression
        Hazard ratio of death once local progression has happened.
    """

    score: FloatArray
    sbrt_start: FloatArray
    death_before: FloatArray
    death_after: FloatArray
    progression_before: FloatArray
    progression_after: FloatArray
    death_after_progression: float


@dataclass(frozen=True, eq=False)
class Occupation:
    """Probabilities of the states over time; arrays of shape (..., n_months).

    Attributes
    ----------
    months
        Time grid, shape (n_months,), starting at 0.
    event_free
        Alive without local progression.
    progressed
        Local progression has happened: its cumulative incidence, death competing.
    alive
        Alive: overall survival.
    """

    months: FloatArray
    event_free: FloatArray
    progressed: FloatArray
    alive: FloatArray

    @property
    def died_first(self) -> FloatArray:
        """Cumulative incidence of death without local progression."""
        return np.asarray(1 - self.event_free - self.progressed)


def two_phase(
    units: FloatArray, switch: FloatArray, before: FloatArray, after: FloatArray
) -> FloatArray:
    """Return a cumulative hazard whose hazard ratio changes where the units reach `switch`."""
    return np.asarray(
        before * np.minimum(units, switch) + after * np.maximum(units - switch, 0), dtype=np.float64
    )


def occupation(baseline: Baseline, course: Course, months: FloatArray) -> Occupation:
    """Return the state probabilities of an illness-death model on a grid of months.

    Within a grid interval the ratio of the two cause-specific hazards is held constant; all else
    is exact.

    Parameters
    ----------
    baseline
        Baseline hazards.
    course
        Arrays broadcasting to shape (...,).
    months
        Increasing grid that starts at 0, shape (n_months,).
    """
    score, start, before, after, rate_before, rate_after = (
        np.asarray(values, dtype=np.float64)[..., None]
        for values in (
            course.score,
            course.sbrt_start,
            course.death_before,
            course.death_after,
            course.progression_before,
            course.progression_after,
        )
    )
    death = np.exp(score) * two_phase(
        baseline.death_units(months), baseline.death_units(start), before, after
    )
    progression = baseline.progression_total * two_phase(
        baseline.progression_units(months),
        baseline.progression_units(start),
        rate_before,
        rate_after,
    )
    death_step = np.diff(death, axis=-1)
    progression_step = np.diff(progression, axis=-1)
    both_step = death_step + progression_step
    event_free = np.exp(-(death + progression))
    share = np.divide(
        progression_step, both_step, out=np.zeros_like(both_step), where=both_step > 0
    )
    entering = (event_free[..., :-1] - event_free[..., 1:]) * share
    progressed = np.concatenate(
        [np.zeros_like(event_free[..., :1]), np.cumsum(entering, axis=-1)], axis=-1
    )
    later_step = course.death_after_progression * death_step
    newly = event_free[..., :-1] * progression_step * np.exp(-later_step)
    newly *= exprel(np.minimum(later_step - both_step, LARGEST_EXPONENT))
    # Who progresses in one interval and is alive at a later month has survived the hazard between:
    # a running sum, once that hazard is taken out of the terms.
    later = np.minimum(course.death_after_progression * death, LARGEST_EXPONENT)
    alive_progressed = np.zeros_like(event_free)
    alive_progressed[..., 1:] = np.cumsum(newly * np.exp(later[..., 1:]), axis=-1)
    alive_progressed *= np.exp(-later)
    return Occupation(months, event_free, progressed, event_free + alive_progressed)


def _spend(
    amount: FloatArray, spent: FloatArray, switch: FloatArray, before: FloatArray, after: FloatArray
) -> FloatArray:
    """Return the baseline units at which a cumulative hazard of `amount` is used up.

    The hazard ratio is `before` until the units reach `switch` and `after` from then on; counting
    begins at the units `spent`.
    """
    available = before * np.maximum(switch - spent, 0)
    early = amount < available
    with np.errstate(divide="ignore", invalid="ignore"):
        within = spent + amount / before
        beyond = np.maximum(spent, switch) + (amount - available) / after
    return np.where(early, within, beyond)


@dataclass(frozen=True, eq=False)
class EventTimes:
    """Latent months of local progression (infinite where it never comes) and of death."""

    progression: FloatArray
    death: FloatArray


def draw_events(
    baseline: Baseline, course: Course, size: int, generator: np.random.Generator
) -> EventTimes:
    """Draw event times by inverting the cumulative hazards.

    Parameters
    ----------
    baseline
        Baseline hazards.
    course
        Arrays broadcasting to shape (size,).
    size
        Number of patients.
    generator
        Source of randomness.
    """
    exponential = generator.standard_exponential((3, size))
    progression = draw_progression(baseline, course, exponential[0])
    death_switch = baseline.death_units(np.asarray(course.sbrt_start, dtype=np.float64))
    relative = np.exp(course.score)
    first = baseline.death_months(
        _spend(
            exponential[1] / relative,
            np.zeros(size),
            death_switch,
            course.death_before,
            course.death_after,
        )
    )
    hastened = progression < first
    spent = baseline.death_units(np.where(hastened, progression, 0.0))
    second = baseline.death_months(
        _spend(
            exponential[2] / (relative * course.death_after_progression),
            spent,
            death_switch,
            course.death_before,
            course.death_after,
        )
    )
    return EventTimes(
        progression=np.where(hastened, progression, np.inf),
        death=np.where(hastened, second, first),
    )


def draw_progression(baseline: Baseline, course: Course, exponential: FloatArray) -> FloatArray:
    """Return latent months of local progression for unit exponential draws, death ignored."""
    start = np.asarray(course.sbrt_start, dtype=np.float64)
    units = _spend(
        exponential / baseline.progression_total,
        np.zeros_like(exponential),
        baseline.progression_units(start),
        course.progression_before,
        course.progression_after,
    )
    return np.where(units < 1, baseline.progression_months(units), np.inf)
