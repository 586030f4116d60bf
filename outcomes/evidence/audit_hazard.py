"""Times of events against their share, and arms that begin with a later treatment."""

import math
from collections.abc import Iterator

import numpy as np
from scipy import optimize, stats

from outcomes.arrays import FloatArray
from outcomes.evidence.figure import Evidence, Figure
from outcomes.evidence.finding import IMPROBABLE, Finding
from outcomes.evidence.printed import arm_name, arm_sizes, chance, shown
from outcomes.evidence.printed_survival import follow_up_of
from outcomes.evidence.weibull import dead_by, follow_up_times

# From hazards that all but begin with their peak to such that begin late.
SHAPES = np.geomspace(0.1, 6, 40)
FEWEST = 3


def hazard_shape(evidence: Evidence) -> Iterator[Finding]:
    """Find times of events that no Weibull hazard gives beside their share and the follow-up.

    For each shape the scale gives the printed share; then mean and standard deviation of the
    times seen are compared with those printed (normal and chi-squared, the smaller of the two
    probabilities doubled). The largest probability over the shapes is taken.
    """
    for figure in evidence.figures:
        if not figure.quantity.startswith("time_of_") or figure.estimand != "mean_among_observed":
            continue
        share = _share_of(evidence, figure)
        printed = follow_up_of(evidence, figure.study, figure.arm)
        if share is None or figure.sd is None or (figure.n or 0) < FEWEST:
            continue
        times = follow_up_times(printed.mean, printed.sd, printed.low, printed.high)
        if times is None or not 0 < (share.value or 0.0) < 100:
            continue
        tried = [_seen(times, (share.value or 0.0) / 100, float(shape)) for shape in SHAPES]
        odds = [_chance_of(figure, mean, sd) for mean, sd in tried]
        best = int(np.argmax(odds))
        if odds[best] >= IMPROBABLE:
            continue
        mean, sd = tried[best]
        yield Finding(
            "hazard-shape",
            "reading",
            figure.study,
            (figure.id, share.id, *printed.ids),
            f"Events in {shown(share)} ({arm_name(share)}) with {printed.low:g}-{printed.high:g} "
            f"months of follow-up, but all at {shown(figure)}: the nearest hazard of Weibull kind "
            f"gives {mean:.1f} ± {sd:.1f} months, and times like those printed with a probability "
            f"of {chance(odds[best])} at most. The hazard rises early and then all but vanishes.",
            {"nearest_mean": mean, "nearest_sd": sd, "shape": float(SHAPES[best])},
            odds[best],
        )


def _share_of(evidence: Evidence, figure: Figure) -> Figure | None:
    """Return the crude share of patients whose event times a figure averages."""
    event = figure.quantity.removeprefix("time_of_")
    for other in evidence.of_study(figure.study):
        crude = other.estimand == "crude_proportion" and event in other.quantity
        if crude and (other.arm, other.count) == (figure.arm, figure.n) and not other.same_as:
            return other
    return None


def _seen(times: FloatArray, share: float, shape: float) -> tuple[float, float]:
    """Return mean and standard deviation of the event times seen under follow-up."""
    longest = float(times.max())
    power = (times / longest) ** shape

    def excess(log_hazard: float) -> float:
        return float(-np.expm1(-math.exp(log_hazard) * power).mean()) - share

    hazard = math.exp(optimize.brentq(excess, -20, 20))
    # Equal parts of the distribution of the times, each weighing by who is still followed.
    reached = -math.expm1(-hazard)
    parts = (np.arange(4_000) + 0.5) / 4_000 * reached
    events = longest * (-np.log1p(-parts) / hazard) ** (1 / shape)
    weights = 1 - np.searchsorted(np.sort(times), events) / times.size
    mean = float(np.average(events, weights=weights))
    return mean, math.sqrt(float(np.average((events - mean) ** 2, weights=weights)))


def _chance_of(figure: Figure, mean: float, sd: float) -> float:
    n = figure.n or 0
    z = ((figure.value or 0.0) - mean) / (sd / math.sqrt(n))
    of_mean = 2 * float(stats.norm.sf(abs(z)))
    squares = (n - 1) * ((figure.sd or 0.0) / sd) ** 2
    tails = stats.chi2.cdf(squares, n - 1), stats.chi2.sf(squares, n - 1)
    return min(2 * min(of_mean, 2 * float(min(tails))), 1.0)


def immortal_time(evidence: Evidence) -> Iterator[Finding]:
    """Find arms that patients enter by a later treatment, and what that gives them for sure."""
    for design in evidence.designs:
        if design.arms_differ_by != "choice" or len(design.arms) != 2:
            continue
        sizes = arm_sizes(evidence, design.id)
        first, second = (sizes.get(arm.name) for arm in design.arms)
        start = _month(evidence, design.sbrt_start_first, "low")
        end = _month(evidence, design.sbrt_start_last, "high")
        medians = [
            figure
            for figure in evidence.of_study(design.id)
            if figure.estimand == "kaplan_meier_median" and first and figure.arm == first.arm
        ]
        if first is None or second is None or start is None or end is None or not medians:
            continue
        size, median = second.value or 0.0, medians[0].value or math.inf
        dead = [size * float(dead_by(np.array(month), median, 1.0)) for month in (start, end)]
        yield Finding(
            "immortal-time",
            "reading",
            design.id,
            (second.id, medians[0].id),
            f"The {size:.0f} patients of the arm {arm_name(second)} are counted in it because they "
            f"lived until a treatment {start:.1f} to {end:.1f} months after surgery: "
            f"{size * start:.0f} to {size * end:.0f} patient-months in which none of them could "
            f"die. With the other arm's median survival of {median:g} months, {dead[0]:.1f} to "
            f"{dead[1]:.1f} of them would have died by then. The difference of the arms is no "
            "effect of the treatment alone.",
            {"patient_months": (size * start, size * end), "deaths": (dead[0], dead[1])},
        )


def _month(evidence: Evidence, given: float | str, end: str) -> float | None:
    """Return a month of a design: a number, or the end of a figure's range."""
    if not isinstance(given, str):
        return given
    for figure in evidence.figures:
        if figure.id == given:
            month: float | None = getattr(figure, end)
            return month
    for assumption in evidence.assumptions:
        if assumption.id == given:
            return assumption.value
    return None
