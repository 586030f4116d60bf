"""Limits of a probability where few events, or a fraction of one, stand behind it.

A coarse baseline rises in pieces of a step (see `outcomes.models.coarsening`), and a piece holds a
fraction of an event. Drawn alone, the logarithm of the first pieces would have no sensible spread,
nor has that of a single event a normal one. The first events from surgery on, or from the month
that is survived, are therefore drawn together, and the limits hold the scarcity of the events
themselves.
"""

from collections.abc import Sequence

import numpy as np

from outcomes.arrays import FloatArray, IntArray
from outcomes.models.coarsening import FEWEST_EVENTS
from outcomes.models.probabilities import log_log_limits
from outcomes.models.proportional_hazards import Baseline
from outcomes.models.series import SeriesSet


def wider_limits(
    risk: FloatArray, error: FloatArray, one_more: FloatArray, z: float
) -> tuple[FloatArray, FloatArray]:
    """Return the wider of `log_log_limits` and `event_limits`; parameters as the latter."""
    usual, few = log_log_limits(risk, error, z), event_limits(risk, error, one_more, z)
    return np.minimum(usual[0], few[0]), np.maximum(usual[1], few[1])


def event_limits(
    risk: FloatArray, error: FloatArray, one_more: FloatArray, z: float
) -> tuple[FloatArray, FloatArray]:
    """Return the limits of 1 - risk for a cumulative hazard that rests on few events.

    The cumulative hazard is a weighted sum of counts. Fay and Feuer (Stat Med 1997;16:791-801)
    take its limits from gamma distributions of its mean and variance, the upper one with one event
    more; Byar's approximation stands for their quantiles (Breslow and Day, Statistical Methods in
    Cancer Research II, 1987, p. 69). Where hardly an event was seen the upper limit of the hazard
    so is 3.7 times `one_more`, however small the estimate, and the lower one 0.

    Parameters
    ----------
    risk
        Probability of the event, shape (..., n_months).
    error
        Standard error of log(-log(1 - risk)), of the same shape.
    one_more
        What one event more would add to the cumulative hazard, of the same shape or one that
        broadcasts to it; 0 at the month from which on events count.
    z
        Normal quantile of the coverage.

    Returns
    -------
    lower, upper
        Of the same shape; both 1 where risk and `one_more` are 0.
    """
    hazard = -np.log1p(-np.minimum(risk, 1.0 - 1e-16))
    # Counts vary at least as Poisson's.
    variance = np.maximum((hazard * error) ** 2, hazard * one_more)
    more = hazard + one_more
    fewest = hazard * _byar(hazard, variance, -z)
    most = more * _byar(more, variance + one_more**2, z)
    return np.exp(-most), np.exp(-fewest)


def _byar(mean: FloatArray, variance: FloatArray, z: float) -> FloatArray:
    """Return the limit of a gamma distribution over its mean; 1 where it does not vary."""
    root = np.divide(np.sqrt(variance), mean, out=np.zeros_like(mean), where=mean > 0)
    return np.asarray(np.maximum(1.0 - root**2 / 9.0 + z * root / 3.0, 0.0) ** 3)


def first_together(baseline: Baseline, since: float = 0.0) -> Baseline:
    """Return a baseline in which `FEWEST_EVENTS` events from a month on are one step."""
    starts = _starts(baseline, since)
    if not len(starts):
        return baseline
    increments = np.add.reduceat(baseline.increments, starts)
    moments = np.add.reduceat(baseline.means * baseline.increments[:, None], starts, axis=0)
    robust = baseline.robust_variances is not None
    return Baseline(
        times=baseline.times[np.append(starts[1:], len(baseline.times)) - 1],
        increments=increments,
        deaths=np.add.reduceat(baseline.deaths, starts),
        means=moments / increments[:, None],
        straight=True,
        robust_variances=np.add.reduceat(baseline.variances, starts) if robust else None,
        robust_covariances=(
            np.add.reduceat(baseline.covariances, starts, axis=0) if robust else None
        ),
    )


def spread_steps(baseline: Baseline, drawn: FloatArray, since: float = 0.0) -> FloatArray:
    """Return the drawn steps of `first_together` shared out among the baseline's own.

    Shape (..., n_times), of `drawn` (..., n_steps).
    """
    starts = _starts(baseline, since)
    if not len(starts):
        return drawn
    sizes = np.diff(np.append(starts, len(baseline.times)))
    totals = np.add.reduceat(baseline.increments, starts)
    return np.asarray(baseline.increments * np.repeat(drawn / totals, sizes, axis=-1))


def end_of_first(times: FloatArray, deaths: FloatArray, since: float = 0.0) -> float:
    """Return the month at which the events that count together end."""
    first, after = _first_events(times, deaths, since)
    return float(times[after - 1]) if after > first else since


def one_more(
    times: FloatArray, increments: FloatArray, deaths: FloatArray, since: float = 0.0
) -> float:
    """Return what one event more at a month would add to a cumulative hazard."""
    first, after = _first_events(times, deaths, since)
    events = float(deaths[first:after].sum())
    return float(increments[first:after].sum()) / events if events else 0.0


def largest_part(
    each: Sequence[float], series: SeriesSet, name: str | None, since: float = 0.0
) -> float:
    """Return what one event more in a series would at most add to the hazard of their average.

    Parameters
    ----------
    each
        What it would add to each series' own hazard.
    series, name
        The series, and the one that is meant; None for the average.
    since
        Month from which on; series that end before have no part.
    """
    if name is not None:
        return each[series.index(name)]
    weights = series.weights * (np.asarray(series.ends) > since)
    return float((weights * np.asarray(each)).max() / max(weights.sum(), 1e-300))


def _starts(baseline: Baseline, since: float) -> IntArray:
    """Return where each step of `first_together` begins."""
    first, after = _first_events(baseline.times, baseline.deaths, since)
    alone = np.arange(len(baseline.times))
    return alone[(alone <= first) | (alone >= after)]


def _first_events(times: FloatArray, deaths: FloatArray, since: float) -> tuple[int, int]:
    """Return where the first `FEWEST_EVENTS` events after a month begin, and where they end.

    With fewer events than that to come, they are all of them.
    """
    first = int(np.searchsorted(times, since, side="right"))
    enough = int(np.searchsorted(np.cumsum(deaths[first:]), FEWEST_EVENTS))
    return first, min(first + enough + 1, len(times))
