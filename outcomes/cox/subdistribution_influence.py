"""Influence of each patient on the estimates of a Fine-Gray model, in linear time.

The influence of a patient on the score is eta + psi: eta is the score residual, psi what the
patient's censoring (or staying) does to the weights of others (Fine & Gray, JASA 1999; 94:
496-509, section 3). All are per unit of weight.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag

from outcomes.arrays import FloatArray, IntArray
from outcomes.cox.clusters import Changes, spread_over_time
from outcomes.cox.subdistribution_sweeps import RiskSets, reverse_sum, running_sum


@dataclass(frozen=True, eq=False)
class BaselineInfluence:
    """Variance of the cumulative baseline hazard, running over each stratum's event times.

    Attributes
    ----------
    variance
        Variance of the hazard at known coefficients, shape (n_events,).
    covariance
        Its covariance with the coefficients, shape (p, n_events).
    """

    variance: FloatArray
    covariance: FloatArray


def score_influence(
    sets: RiskSets,
    x: FloatArray,
    relative: FloatArray,
    steps: FloatArray,
    means: FloatArray,
    change: FloatArray | None = None,
) -> FloatArray:
    """Return each patient's influence on the score, shape (p, n).

    Parameters
    ----------
    sets
        The risk sets; all arrays are in their order.
    x, relative
        Covariates (p, n), and relative hazards (n,).
    steps, means
        Steps of the baseline (n_events,), and mean covariates of the risk sets (p, n_events).
    change
        Factor of the score at each event time, by default 1, shape (n_events,).
    """
    factor = np.ones_like(steps) if change is None else change
    hazard = (factor * steps)[None]
    moments = hazard * means
    result = -relative * (x * sets.over_patients(hazard) - sets.over_patients(moments))
    own = np.flatnonzero(sets.own)
    at = sets.event_of[own]
    result[:, own] += factor[at] * (x[:, own] - means[:, at])
    # The effect of a unit of censoring at u on competing events X in risk sets t, X < u <= t.
    effect = [np.zeros((len(x), len(curve.times))) for curve in sets.censoring]
    for part in sets.carried:
        events = sets.events_by_stratum[part.stratum]
        censoring = sets.censoring[part.group]
        raised = sets.weight[part.rows] * relative[part.rows] * part.inverse
        joined = np.searchsorted(sets.time[part.rows], censoring.times, side="left")
        later = np.searchsorted(sets.event_times[events], censoring.times, side="left")
        effect[part.group] += (
            running_sum(raised * x[:, part.rows])[:, joined]
            * reverse_sum(part.weight * hazard[:, events])[:, later]
            - running_sum(raised[None])[:, joined]
            * reverse_sum(part.weight * moments[:, events])[:, later]
        )
    for censoring, q in zip(sets.censoring, effect, strict=True):
        if not len(censoring.times):
            continue
        jump = q / censoring.at_risk
        drift = running_sum(jump * (censoring.censored / censoring.at_risk))
        rows = censoring.rows
        passed = np.searchsorted(censoring.times, sets.time[rows], side="right")
        result[:, rows] -= drift[:, passed]
        lost = sets.censored[rows]
        result[:, rows[lost]] += jump[:, passed[lost] - 1]
    return np.asarray(result)


def baseline_influence(
    sets: RiskSets,
    relative: FloatArray,
    steps: FloatArray,
    total: FloatArray,
    moves: FloatArray,
    cluster: IntArray | None,
) -> BaselineInfluence:
    """Return variance and covariance of the cumulative baseline hazards.

    The influence of a patient on the hazard at t is a(t). With c the steps over the weight of
    their risk sets, L their running sum, Q that of G(t-) c, and R1, R2 the running sums of
    r dN / Y^2 and Q r dN / Y^2 over the censoring (r being the competing events until then,
    raised by 1 / G(X-)), it is

        a(t) = alpha + gamma Q(t)                               for patients gone by t,
        a(t) = -relative L(t) + R2(t) - Q(t) R1(t)              for those still there,

    alpha and gamma being fixed for each patient. Sums of squares over patients or clusters are
    therefore running sums (see `outcomes.cox.clusters`).

    Parameters
    ----------
    sets, relative, steps
        As `score_influence`.
    total
        Weight of the risk sets, shape (n_events,).
    moves
        Each cluster's weighted influence on the coefficients, shape (p, n_clusters); without
        clusters each patient's.
    cluster
        Number of each patient's cluster, shape (n,); None without clusters.
    """
    variance = np.zeros(len(steps))
    covariance = np.zeros((len(moves), len(steps)))
    apart = cluster is None or _apart(sets.group, cluster)
    for number, (patients, events) in enumerate(sets.strata()):
        times, rate = sets.event_times[events], steps[events] / total[events]
        running = running_sum(rate[None])[0]
        carried = {part.group: part for part in sets.carried if part.stratum == number}
        parts = []
        for group, censoring in enumerate(sets.censoring):
            rows = censoring.rows
            inside = (rows >= patients.start) & (rows < patients.stop)
            part = carried.get(group)
            if part is None and not inside.any():
                continue
            # The same for all of the group, whatever their stratum.
            months, relative_here = sets.time[rows], np.where(inside, relative[rows], 0.0)
            passed = np.searchsorted(times, months, side="right")
            alpha = -relative_here * running[passed]
            own = np.flatnonzero(inside & sets.own[rows])
            alpha[own] += 1.0 / total[sets.event_of[rows[own]]]
            gamma, still = np.zeros(len(rows)), np.zeros(len(times))
            weighted = np.zeros(len(times))
            if part is not None:
                gathered = running_sum((part.weight * rate)[None])[0]
                weighted = gathered[1:]
                place = np.flatnonzero(inside & sets.competing[rows])
                raised = relative_here[place] / censoring.before(months[place])
                alpha[place] += raised * gathered[passed[place]]
                gamma[place] -= raised
                joined = np.searchsorted(sets.time[part.rows], censoring.times, side="left")
                mass = sets.weight[part.rows] * relative[part.rows] * part.inverse
                r = running_sum(mass[None])[0][joined] / censoring.at_risk
                upto = gathered[np.searchsorted(times, censoring.times, side="left")]
                lost = r * (censoring.censored / censoring.at_risk)
                r1, r2 = running_sum(np.stack([lost, lost * upto]))
                since = np.searchsorted(censoring.times, months, side="right")
                gamma -= r1[since]
                alpha += r2[since]
                gone = np.flatnonzero(sets.censored[rows])
                gamma[gone] += r[since[gone] - 1]
                alpha[gone] -= (r * upto)[since[gone] - 1]
                at = np.searchsorted(censoring.times, times, side="right")
                still = r2[at] - weighted * r1[at]
            w = sets.weight[rows]
            begin = np.stack([-relative_here * w, w])
            end = np.stack([alpha * w, gamma * w])
            parts.append(_Part(rows, months, begin, end, np.stack([running[1:], still]), weighted))
        if cluster is None:
            found = [_by_patient(part, times, moves[:, part.rows]) for part in parts]
        else:
            changes = [_changes(part, times, cluster) for part in parts]
            together = changes if apart else [_joined(changes)]
            found = [spread_over_time(*one, moves) for one in together]
        for spread, shared in found:
            variance[events] += spread
            covariance[:, events] += shared
    return BaselineInfluence(variance, covariance)


@dataclass(frozen=True, eq=False)
class _Part:
    """The patients of one group as a stratum's hazard sees them.

    Attributes
    ----------
    rows, months
        Their rows, and their times in order, shape (n,).
    still
        While there: the weighted shares of L and of R2 - Q R1, shape (2, n).
    gone
        Afterwards: of 1 and Q.
    fall, weighted
        By event time, L and R2 - Q R1, shape (2, n_events); Q, shape (n_events,).
    """

    rows: IntArray
    months: FloatArray
    still: FloatArray
    gone: FloatArray
    fall: FloatArray
    weighted: FloatArray


def _by_patient(part: _Part, times: FloatArray, moves: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return variance and covariance, each patient being alone: what `spread_over_time` does."""
    by = np.searchsorted(part.months, times, side="right")
    variance, covariance = np.zeros(len(times)), np.zeros((len(moves), len(times)))
    gone = np.stack([np.ones(len(times)), part.weighted])
    for total, values, functions in (
        (running_sum, part.gone, gone),
        (reverse_sum, part.still, part.fall),
    ):
        first, second = functions
        squares = total(np.stack([values[0] ** 2, 2 * values[0] * values[1], values[1] ** 2]))
        own, both, other = squares[:, by]
        variance += first * (first * own + second * both) + second**2 * other
        for value, function in zip(values, functions, strict=True):
            covariance += function * total(value * moves)[:, by]
    return np.maximum(variance, 0.0), covariance


def _changes(part: _Part, times: FloatArray, cluster: IntArray) -> tuple[Changes, FloatArray]:
    """Return the changes of what patients have of 1, Q, L and R2 - Q R1, and these functions."""
    nothing = np.zeros_like(part.still)
    last = np.searchsorted(times, part.months, side="left")
    changes = Changes(
        size=np.concatenate(
            [np.concatenate([nothing, part.still]), np.concatenate([part.gone, -part.still])],
            axis=1,
        ),
        when=np.concatenate([np.zeros_like(last), last]),
        cluster=np.tile(cluster[part.rows], 2),
    )
    functions = np.concatenate([np.ones((1, len(times))), part.weighted[None], part.fall])
    return changes, functions


def _apart(group: IntArray, cluster: IntArray) -> bool:
    """Tell whether every cluster lies within a group, so that squares add up by group."""
    pairs = cluster * (int(group.max()) + 1) + group
    return len(np.unique(pairs)) == len(np.unique(cluster))


def _joined(parts: list[tuple[Changes, FloatArray]]) -> tuple[Changes, FloatArray]:
    """Return the groups' changes as one, in which each group has numbers of its own."""
    sizes = [changes.size for changes, _ in parts]
    joined = Changes(
        size=np.asarray(block_diag(*sizes)),
        when=np.concatenate([changes.when for changes, _ in parts]),
        cluster=np.concatenate([changes.cluster for changes, _ in parts]),
    )
    return joined, np.concatenate([functions for _, functions in parts])
