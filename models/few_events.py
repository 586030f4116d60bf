"""Limits of a coarse baseline hazard where few events, or a fraction of one, stand behind it.

A coarse baseline rises in pieces of a step (see `outcomes.models.coarsening`), and a piece holds a
fraction of an event. Drawn alone, the logarithm of the first pieces would have no sensible spread:
those of the first events are therefore drawn together, and the limits hold the scarcity of the
events themselves.
"""

import numpy as np

from outcomes.arrays import FloatArray, IntArray
from outcomes.models.coarsening import FEWEST_EVENTS, group_events
from outcomes.models.proportional_hazards import Baseline


def event_limits(
    risk: FloatArray, error: FloatArray, one_more: float, z: float
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
        Probability of the event, shape (n_months,).
    error
        Standard error of log(-log(1 - risk)), shape (n_months,).
    one_more
        What one event more would add to the cumulative hazard.
    z
        Normal quantile of the coverage.

    Returns
    -------
    lower, upper
        Shape (n_months,); both 1 where the risk is 0.
    """
    hazard = -np.log1p(-np.minimum(risk, 1.0 - 1e-16))
    # Counts vary at least as Poisson's.
    variance = np.maximum((hazard * error) ** 2, hazard * one_more)
    more = hazard + one_more
    fewest = hazard * _byar(hazard, variance, -z)
    most = np.where(hazard > 0, more * _byar(more, variance + one_more**2, z), 0.0)
    return np.exp(-most), np.exp(-fewest)


def _byar(mean: FloatArray, variance: FloatArray, z: float) -> FloatArray:
    """Return the limit of a gamma distribution over its mean; 1 where it does not vary."""
    root = np.divide(np.sqrt(variance), mean, out=np.zeros_like(mean), where=mean > 0)
    return np.asarray(np.maximum(1.0 - root**2 / 9.0 + z * root / 3.0, 0.0) ** 3)


def first_together(baseline: Baseline) -> Baseline:
    """Return a coarse baseline whose first pieces, until `FEWEST_EVENTS` events, are one step."""
    starts = _starts(baseline)
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


def spread_steps(baseline: Baseline, drawn: FloatArray) -> FloatArray:
    """Return the drawn steps of `first_together` shared out among the baseline's pieces."""
    starts = _starts(baseline)
    if not len(starts):
        return drawn
    sizes = np.diff(np.append(starts, len(baseline.times)))
    totals = np.add.reduceat(baseline.increments, starts)
    return np.asarray(baseline.increments * np.repeat(drawn / totals, sizes))


def _starts(baseline: Baseline) -> IntArray:
    """Return where each step of `first_together` begins."""
    size = len(baseline.times)
    if not size:
        return np.zeros(0, dtype=np.int64)
    second = (*group_events(baseline.deaths, FEWEST_EVENTS), size)[1]
    return np.append(0, np.arange(second, size))


def one_more(grouped: Baseline) -> float:
    """Return what one event more at the begin would add to a cumulative hazard."""
    return float(grouped.increments[0] / grouped.deaths[0]) if len(grouped.times) else 0.0
