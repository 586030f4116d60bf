"""A rate at a horizon against the number of events in the end."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from outcomes.evidence.checks import AT_A_HORIZON
from outcomes.evidence.figure import Evidence, Figure
from outcomes.evidence.finding import IMPROBABLE, Finding, Number
from outcomes.evidence.printed import ROUNDING, chance, half_unit, name, possible_counts, shown
from outcomes.evidence.weibull import DEATH_SHAPES, FOLLOW_UP_SHAPES, dead_by

# What a rate at a horizon counts in the end: the events, or the patients without one.
EVENTS: Mapping[str, tuple[str, str]] = {
    "local_control": ("local_progression_crude", "local_control_crude"),
    "local_progression": ("local_progression_crude", "local_control_crude"),
    "overall_survival": ("deaths", "survivors"),
}
# Follow-up of a series in which many die soon and others are followed for years, too.
SHAPES_FOLLOWED = (0.5, *FOLLOW_UP_SHAPES)
# Multiples of the horizon or the median follow-up, whichever is longer.
LONGEST, STEPS = 40, 4_000


@dataclass(frozen=True)
class HorizonRate:
    """A rate at a horizon, the number of events in the end, and the median follow-up.

    Attributes
    ----------
    at_horizon, in_the_end, followed
        The figures, of the same patients.
    events
        Fewest events that can stand behind the number in the end.
    """

    at_horizon: Figure
    in_the_end: Figure
    followed: Figure
    events: int

    @property
    def n(self) -> int:
        """Number of patients."""
        return self.at_horizon.n or 0

    @property
    def month(self) -> float:
        """Month of the horizon."""
        return self.at_horizon.at_month or 0.0

    @property
    def median(self) -> float:
        """Median follow-up in months."""
        return self.followed.value or 0.0

    @property
    def share(self) -> float:
        """Share with an event by the horizon, as estimated."""
        value = (self.at_horizon.value or 0.0) / 100
        return 1 - value if self.at_horizon.estimand == "kaplan_meier" else value

    @property
    def largest_share(self) -> float:
        """The same, as large as rounding allows."""
        half = half_unit(self.at_horizon.value or 0.0, self.at_horizon.statement) / 100
        return min(self.share + half, 1.0)

    @property
    def early(self) -> int:
        """Most events before the horizon: each weighs one n-th at least in the estimate."""
        return math.floor(self.n * self.largest_share + ROUNDING)

    @property
    def late(self) -> int:
        """Fewest events after the horizon."""
        return max(self.events - self.early, 0)

    @property
    def still_followed(self) -> int:
        """Most patients followed beyond a horizon after the median follow-up."""
        return self.n // 2


def late_events(evidence: Evidence) -> Iterator[Finding]:
    """Find numbers of events that a rate at a horizon leaves to few who are still followed.

    In a Kaplan-Meier or Aalen-Johansen estimate every event weighs at least one n-th, which bounds
    the events before the horizon. The others fell after it, among at most half of the patients
    where the horizon lies beyond the median follow-up. More of them than patients contradict each
    other. Otherwise the probability of as many is the largest over the shapes of the hazard and of
    the follow-up; it is taken for local progression with deaths censored. That only a rising hazard
    makes them probable, or that more of those still followed must have an event than had one
    before, is a reading.
    """
    for rate in horizon_rates(evidence):
        if not rate.late:
            continue
        words = _words(rate)
        ids = (rate.at_horizon.id, rate.in_the_end.id, rate.followed.id)
        least = rate.late / rate.still_followed if rate.still_followed else math.inf
        numbers: dict[str, Number] = {
            "early": float(rate.early),
            "late": float(rate.late),
            "still_followed": float(rate.still_followed),
        }
        study = rate.at_horizon.study
        if least > 1:
            yield Finding("late-events", "contradiction", study, ids, words, numbers)
            continue
        numbers["least_share"] = least
        words += f" At least {100 * least:.0f}% of these must then have one"
        steady, rising = _chances(rate)
        if rising < IMPROBABLE:
            words += (
                f"; of no hazard of Weibull kind as many or more have a probability above "
                f"{chance(rising)}."
            )
            yield Finding("late-events", "improbable", study, ids, words, numbers, rising)
        elif steady < IMPROBABLE:
            words += (
                "; under a steady or falling hazard as many or more have a probability of "
                f"{chance(steady)} at most. The hazard rises late."
            )
            yield Finding("late-events", "reading", study, ids, words, numbers, steady)
        elif least > rate.largest_share:
            words += f", more than the {100 * rate.share:.0f}% before. The events come late."
            yield Finding("late-events", "reading", study, ids, words, numbers)


def _words(rate: HorizonRate) -> str:
    return (
        f"{shown(rate.at_horizon)} ({name(rate.at_horizon)}) are at most {rate.early} events of "
        f"{rate.n} patients, since each weighs at least one patient; {rate.in_the_end.source} "
        f"prints {shown(rate.in_the_end)} ({name(rate.in_the_end)}), so {rate.late} or more came "
        f"after month {rate.month:g}. With a median follow-up of {shown(rate.followed)} at most "
        f"{rate.still_followed} patients were then still followed."
    )


def horizon_rates(evidence: Evidence) -> Iterator[HorizonRate]:
    """Return rates at a horizon beyond the median follow-up, with the events in the end."""
    for figure in evidence.figures:
        event = EVENTS.get(figure.quantity.removesuffix(f"_{figure.at_month or 0:g}m"))
        if event is None or figure.estimand not in AT_A_HORIZON:
            continue
        if figure.value is None or not figure.n or figure.same_as:
            continue
        others = [
            other
            for other in evidence.of_study(figure.study)
            if (other.arm, other.n) == (figure.arm, figure.n) and not other.same_as
        ]
        followed = [
            other
            for other in others
            if other.quantity in ("follow_up", "follow_up_median")
            and other.estimand == "median_among_observed"
            and other.value is not None
            and other.value + half_unit(other.value, other.statement) <= (figure.at_month or 0)
        ]
        for other in others:
            counts = possible_counts(other) if other.quantity in event else None
            if counts and followed:
                whole = other.quantity == event[1]
                events = figure.n - counts[-1] if whole else counts[0]
                yield HorizonRate(figure, other, followed[0], events)


def _chances(rate: HorizonRate) -> tuple[float, float]:
    """Return the largest probability of so many events, under steady or falling and any hazards."""
    local = not rate.at_horizon.quantity.startswith("overall_survival")
    if not local or rate.at_horizon.estimand == "cumulative_incidence" or rate.largest_share >= 1:
        return 1.0, 1.0
    found = {
        shape: max(late_probability(rate, shape, followed) for followed in SHAPES_FOLLOWED)
        for shape in DEATH_SHAPES
    }
    return max(p for shape, p in found.items() if shape <= 1), max(found.values())


def late_probability(rate: HorizonRate, shape: float, followed: float) -> float:
    """Return the probability of as many events, or more, beside the rate at the horizon.

    Events come as a Poisson process with the hazard times the number at risk. The estimated
    cumulative hazard at the horizon sums 1 / at risk over the events before it; r times it, with r
    the expected events for each unit of cumulative hazard, foretells all events. The difference has
    the variance of the sum, over all events, of (1 - r / at risk) before the horizon and 1 after
    it, squared (Andersen PK et al. Statistical models based on counting processes. 1993, IV.1). The
    normal distribution is taken, at the hazard that makes the number printed expected.
    """
    months = np.linspace(0, LONGEST * max(rate.month, rate.median), STEPS + 1)
    middle = (months[1:] + months[:-1]) / 2
    hazard = np.diff((months / rate.month) ** shape)
    estimated = -math.log1p(-rate.largest_share)
    free = np.exp(-estimated * (middle / rate.month) ** shape)
    at_risk = rate.n * (1 - dead_by(middle, rate.median, followed)) * free
    expected = float(at_risk @ hazard)
    early = middle < rate.month
    weights = np.ones(STEPS)
    weights[early] = 1 - expected / np.maximum(at_risk[early], ROUNDING)
    variance = rate.events / expected * float((weights**2 * at_risk) @ hazard)
    return float(
        stats.norm.sf((rate.events - 0.5 - expected * estimated) / math.sqrt(max(variance, 1e-9)))
    )
