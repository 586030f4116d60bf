"""Baseline hazards coarse enough to be given away.

An exact Breslow baseline steps at every death by 1 / S0, S0 being the sum of the relative hazards
of those at risk. From one step to the next S0 changes by the patients who left, and the mean
covariates of those at risk with it, so the differences between two steps give back the row of a
patient who left alone. What leaves the process, as a model file or as a page, therefore holds the
baseline in steps of at least `FEWEST_EVENTS` events each, smooth within a step, at times that are
no patient's own. See docs/decisions/0008-model-files-hold-no-patients.md.
"""

from dataclasses import replace

import numpy as np

from outcomes.arrays import FloatArray, IntArray
from outcomes.models.proportional_hazards import Baseline, CauseFit
from outcomes.models.series import SeriesSet

FEWEST_EVENTS = 5
MOST_STEPS = 60
# Steps of time, in months: steps stand at the tenths.
_PER_MONTH = 10
_DIGITS = 4
_DIGITS_OF_FEW = 2
_PIECES = 8
# Where in a step its hazard may rise on average; beyond, the pieces' shares underflow.
_PLACES = (0.05, 0.98)


def coarsen_fit(fit: CauseFit, series: SeriesSet) -> CauseFit:
    """Return the fit with a coarse baseline for each series."""
    pairs = zip(fit.baselines, series.ends, strict=True)
    return replace(fit, baselines=tuple(coarsen_baseline(b, end) for b, end in pairs))


def coarsen_baseline(baseline: Baseline, end: float) -> Baseline:
    """Return a baseline in at most `MOST_STEPS` steps of at least `FEWEST_EVENTS` events.

    At the end of each step its cumulative hazard, the variance and the covariance with the
    coefficients are those of the exact baseline, to four digits; inside, the hazard rises by a
    power of the time since the step's begin, which keeps the mean time of the step's hazard. A
    series with fewer events gets one line from 0 to its end, with the hazard to two digits and,
    in the limits of a prediction, the training mean for the covariates at risk.

    Parameters
    ----------
    baseline
        The exact baseline; a coarse one is returned as it is.
    end
        Last month of the series.

    Returns
    -------
    Baseline
        Straight between its times; each step is given in `_PIECES` pieces.
    """
    if baseline.straight or not len(baseline.times):
        return replace(baseline, straight=True)
    end = max(end, 1 / _PER_MONTH)
    total = float(baseline.deaths.sum())
    if total < FEWEST_EVENTS:
        return Baseline(
            times=np.array([end]),
            increments=round_digits(baseline.increments.sum(keepdims=True), _DIGITS_OF_FEW),
            deaths=np.array([total]),
            means=np.zeros((1, baseline.means.shape[1])),
            straight=True,
            **_robust_parts(baseline, np.array([0]), np.ones((1, 1)), _DIGITS_OF_FEW, follow=False),
        )
    # Moved up, so that a step holds exactly the events until its time.
    tenths = np.maximum(np.ceil(np.round(baseline.times * _PER_MONTH, 6)), 1)
    moved = np.minimum(tenths / _PER_MONTH, end)
    _, first = np.unique(moved, return_index=True)
    counts = np.add.reduceat(baseline.deaths, first)
    starts = first[group_events(counts, max(FEWEST_EVENTS, int(np.ceil(total / MOST_STEPS))))]
    ends = moved[np.append(starts[1:], len(moved)) - 1]
    widths = np.diff(ends, prepend=0.0)
    hazard = np.add.reduceat(baseline.increments, starts)
    variance = np.add.reduceat(baseline.increments**2 / baseline.deaths, starts)
    moments = np.add.reduceat(baseline.means * baseline.increments[:, None], starts, axis=0)
    # u ** power has its mean rise at power / (power + 1).
    mean_time = np.add.reduceat(baseline.increments * baseline.times, starts) / hazard
    place = np.clip((mean_time - (ends - widths)) / widths, *_PLACES)
    power = round_digits(place / (1 - place))
    pieces = np.arange(_PIECES + 1) / _PIECES
    share = np.diff(pieces ** power[:, None], axis=1)
    return Baseline(
        times=((ends - widths)[:, None] + widths[:, None] * pieces[1:]).ravel(),
        increments=(round_digits(hazard)[:, None] * share).ravel(),
        # As many events as would give this variance at one time, shared out among the pieces.
        deaths=(round_digits(hazard**2 / variance)[:, None] * share).ravel(),
        means=np.repeat(round_digits(moments / hazard[:, None]), _PIECES, axis=0),
        straight=True,
        **_robust_parts(baseline, np.asarray(starts), share, _DIGITS),
    )


def _robust_parts(
    baseline: Baseline, starts: IntArray, share: FloatArray, digits: int, follow: bool = True
) -> dict[str, FloatArray]:
    """Return the robust steps summed from each start on, shared out among a step's pieces.

    With `follow` false they are as if the hazard were independent of the coefficients. Empty for
    a baseline without robust steps.
    """
    if baseline.robust_variances is None:
        return {}
    variances = round_digits(np.add.reduceat(baseline.variances, starts), digits)
    covariances = round_digits(np.add.reduceat(baseline.covariances, starts, axis=0), digits)
    pieces = share.reshape(*share.shape, 1) * covariances[:, None, :] * follow
    return {
        "robust_variances": (variances[:, None] * share).ravel(),
        "robust_covariances": pieces.reshape(-1, covariances.shape[1]),
    }


def group_events(counts: FloatArray, least: int) -> list[int]:
    """Return where each group begins, every group summing to at least `least`."""
    begins, held = [0], 0.0
    for position, count in enumerate(counts):
        if held >= least:
            begins.append(position)
            held = 0.0
        held += count
    if held < least and len(begins) > 1:
        begins.pop()
    return begins


def round_digits(values: FloatArray, digits: int = _DIGITS) -> FloatArray:
    """Return the values to so many significant digits."""
    texts = [f"{value:.{digits}g}" for value in values.ravel()]
    return np.array(texts, dtype=np.float64).reshape(values.shape)
