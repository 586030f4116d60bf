"""Immortal time: what a plain comparison of the arms credits to the treatment wrongly.

Who is called treated has come through the months before treatment began. A comparison by arm
counts those months as treated, although nobody was; who dies in them counts as control (Suissa,
Am J Epidemiol 2008;167:492). An event other than death may happen in them, so that they are not
immortal; they and their events are misplaced all the same.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, gammainccinv, gammaincinv

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.causal.checks import check_arms
from outcomes.curves.risk_table import check_codes, check_times
from outcomes.errors import NotEstimableError, OutcomesError
from outcomes.estimate import Estimate

PER_MONTHS = 100.0
"""Rates are events in so many person-months."""

_TAIL = 0.025


@dataclass(frozen=True)
class Rate:
    """Events of interest over the time under observation.

    Attributes
    ----------
    events
        Their number.
    person_months
        Time under observation.
    per_100_person_months
        Their ratio with exact Poisson limits of 95 %; NaN without time under observation.
    """

    events: int
    person_months: float
    per_100_person_months: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**asdict(self), "per_100_person_months": self.per_100_person_months.to_dict()}


@dataclass(frozen=True)
class RateComparison:
    """Rates of the treated and the untreated.

    Attributes
    ----------
    treated, control
        Either rate.
    ratio
        Treated over control with exact limits of 95 %; NaN where there are none.
    """

    treated: Rate
    control: Rate
    ratio: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "treated": self.treated.to_dict(),
            "control": self.control.to_dict(),
            "ratio": self.ratio.to_dict(),
        }


@dataclass(frozen=True)
class LeftBefore:
    """Control patients whose follow-up ended before a month at which treatment may yet begin.

    They could have been meant for treatment as well.

    Attributes
    ----------
    month
        Months since surgery.
    events, competing, censored
        Patients whose follow-up ended with the event of interest, a competing one, or none.
    """

    month: float
    events: int
    competing: int
    censored: int

    @property
    def n(self) -> int:
        """Number of patients."""
        return self.events + self.competing + self.censored

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**asdict(self), "n": self.n}


@dataclass(frozen=True)
class ImmortalTime:
    """Time and events before treatment, and what becomes of the rates.

    Treated patients whose start is unknown are left out of everything but their number.

    Attributes
    ----------
    n_treated, n_control, n_unknown_start
        Treated patients with a known start, control patients, and treated ones without.
    follow_up, treated_follow_up
        Person-months of all, and of the treated.
    before_treatment
        Person-months of the treated before treatment began.
    events_before, competing_before
        Events of interest and competing events of the treated in that time.
    share, share_of_treated
        That time as a share of `follow_up` and of `treated_follow_up`, 0 to 1; NaN where there
        is no follow-up.
    median_start, last_start
        Months since surgery.
    left_before_median, left_before_last
        Control patients whose follow-up ended before them.
    by_arm
        Rates as a comparison by arm counts them.
    by_treatment
        Rates with the time before treatment, and its events, counted as untreated.
    """

    n_treated: int
    n_control: int
    n_unknown_start: int
    follow_up: float
    treated_follow_up: float
    before_treatment: float
    events_before: int
    competing_before: int
    share: float
    share_of_treated: float
    median_start: float
    last_start: float
    left_before_median: LeftBefore
    left_before_last: LeftBefore
    by_arm: RateComparison
    by_treatment: RateComparison

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; a number that does not exist becomes None."""
        plain = {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }
        for name in ("left_before_median", "left_before_last", "by_arm", "by_treatment"):
            plain[name] = getattr(self, name).to_dict()
        return plain


def immortal_time(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    treated: npt.ArrayLike,
    start_months: npt.ArrayLike,
) -> ImmortalTime:
    """Count the time before treatment and compare the rates with and without it.

    An event in the month treatment begins belongs to the time before.

    Parameters
    ----------
    time
        Months since surgery to the event or the end of follow-up, shape (n,).
    event
        0 for none, 1 for the event of interest, 2 for a competing one, shape (n,).
    treated
        The arm, shape (n,).
    start_months
        Months since surgery to the start of treatment, shape (n,): NaN for control patients and
        where it is unknown.

    Raises
    ------
    OutcomesError
        If lengths differ, a number is impossible, or a control patient has a start.
    NotEstimableError
        If an arm has no patient, or no treated patient a known start.
    """
    months = check_times(time, event, treated, start_months)
    codes = check_codes(event, (1, 2))
    arms = check_arms(treated)
    start = _checked_start(start_months, arms)
    known = arms & ~np.isnan(start)
    if not known.any():
        raise NotEstimableError("no treated patient has a known start of treatment")
    waiting = np.minimum(months, start)[known]
    # Who is treated from surgery on has no time before.
    before = ((start >= months) & (start > 0))[known]
    own, control = codes[known], codes[~arms]
    follow_up, untreated = float(months[known].sum()), float(months[~arms].sum())
    wait, total = float(waiting.sum()), follow_up + untreated
    events = int((own == 1).sum())
    events_before = int((own[before] == 1).sum())
    control_events = int((control == 1).sum())
    median, last = float(np.median(start[known])), float(start[known].max())
    return ImmortalTime(
        n_treated=int(known.sum()),
        n_control=int((~arms).sum()),
        n_unknown_start=int((arms & ~known).sum()),
        follow_up=total,
        treated_follow_up=follow_up,
        before_treatment=wait,
        events_before=events_before,
        competing_before=int((own[before] == 2).sum()),
        share=wait / total if total else math.nan,
        share_of_treated=wait / follow_up if follow_up else math.nan,
        median_start=median,
        last_start=last,
        left_before_median=_left_before(median, months[~arms], control),
        left_before_last=_left_before(last, months[~arms], control),
        by_arm=_compare(events, follow_up, control_events, untreated),
        by_treatment=_compare(
            events - events_before,
            float((months[known] - waiting).sum()),
            control_events + events_before,
            untreated + wait,
        ),
    )


def poisson_rate(events: int, person_months: float) -> Rate:
    """Return a rate with exact limits (Garwood, Biometrika 1936;28:437).

    Raises
    ------
    OutcomesError
        If a number is negative or the time infinite.
    """
    if events < 0 or not 0 <= person_months < math.inf:
        raise OutcomesError(
            f"rate: found {events} events in {person_months:g} person-months; "
            "allowed: at least 0 and finite"
        )
    if not person_months:
        return Rate(events, person_months, Estimate(math.nan))
    scale = PER_MONTHS / person_months
    lower = gammaincinv(events, _TAIL) if events else 0.0
    upper = gammainccinv(events + 1, _TAIL)
    return Rate(
        events,
        person_months,
        Estimate(events * scale, float(lower * scale), float(upper * scale)),
    )


def rate_ratio(treated: Rate, control: Rate) -> Estimate:
    """Return the ratio of two rates with exact limits.

    Given the number of all events, those of one arm are binomial (Przyborowski & Wilenski,
    Biometrika 1940;31:313). A number that is infinite or undefined is NaN.
    """
    one, other = treated.events, control.events
    if not (one + other and treated.person_months and control.person_months):
        return Estimate(math.nan)
    scale = control.person_months / treated.person_months
    lower, upper = 0.0, math.nan
    if one:
        share = float(betaincinv(one, other + 1, _TAIL))
        lower = share / (1 - share) * scale
    if other:
        share = float(betaincinv(one + 1, other, 1 - _TAIL))
        upper = share / (1 - share) * scale
    return Estimate(one / other * scale if other else math.nan, lower, upper)


def _compare(events: int, months: float, control_events: int, control: float) -> RateComparison:
    one, other = poisson_rate(events, months), poisson_rate(control_events, control)
    return RateComparison(one, other, rate_ratio(one, other))


def _left_before(month: float, time: FloatArray, codes: IntArray) -> LeftBefore:
    left = codes[time < month]
    return LeftBefore(month, *(int((left == code).sum()) for code in (1, 2, 0)))


def _checked_start(start_months: npt.ArrayLike, arms: BoolArray) -> FloatArray:
    start = np.asarray(start_months, dtype=np.float64)
    bad = np.flatnonzero(arms & ~np.isnan(start) & ~(np.isfinite(start) & (start >= 0)))
    if bad.size:
        raise OutcomesError(
            f"start_months of row {bad[0] + 1}: found {start[bad[0]]:g}; "
            "allowed: months since surgery, finite and at least 0, or missing"
        )
    bad = np.flatnonzero(~arms & ~np.isnan(start))
    if bad.size:
        raise OutcomesError(
            f"start_months of row {bad[0] + 1}: found {start[bad[0]]:g} for a control patient; "
            "allowed: missing"
        )
    return start
