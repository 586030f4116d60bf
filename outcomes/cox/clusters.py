"""Sums of squares over clusters of influences that change over time, in n log n.

The influence of a cluster on an estimate at t is b(t)'s(t): b are functions of time that all
clusters share, s is the sum of what the cluster's rows have changed by t. The sum of squares over
the clusters is b'Mb, and M, the sum of ss', moves with every change by what the change does to ss'
of its own cluster alone.
"""

from dataclasses import dataclass

import numpy as np

from outcomes.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Changes:
    """Changes of what rows contribute.

    Attributes
    ----------
    size
        By how much each of m numbers changes, shape (m, n_changes).
    when
        Position of the first time at which the change counts; n_times for never, shape
        (n_changes,).
    cluster
        Number of the cluster, shape (n_changes,).
    """

    size: FloatArray
    when: IntArray
    cluster: IntArray


def spread_over_time(
    changes: Changes, functions: FloatArray, moves: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the variance of an estimate over time, and its covariance with the coefficients.

    Parameters
    ----------
    changes
        Of the clusters' sums.
    functions
        The functions of time by which the sums count, shape (m, n_times).
    moves
        Influence of each cluster on the coefficients, shape (p, n_clusters).

    Returns
    -------
    arrays of shapes (n_times,) and (p, n_times)
    """
    n_times = functions.shape[1]
    order = np.lexsort((changes.when, changes.cluster))
    size, when, cluster = changes.size[:, order], changes.when[order], changes.cluster[order]
    after = _within(size, cluster)
    before = after - size

    def until(values: FloatArray) -> FloatArray:
        return np.cumsum(np.bincount(when, values, n_times + 1)[:n_times])

    variance = np.zeros(n_times)
    for j, one in enumerate(functions):
        for k, other in enumerate(functions[: j + 1]):
            product = until(after[j] * after[k] - before[j] * before[k])
            variance += (1.0 if j == k else 2.0) * one * other * product
    covariance = np.zeros((len(moves), n_times))
    for position, move in enumerate(moves):
        for one, change in zip(functions, size, strict=True):
            covariance[position] += one * until(change * move[cluster])
    return np.maximum(variance, 0.0), covariance


def sum_by_cluster(values: FloatArray, cluster: IntArray | None) -> FloatArray:
    """Return sums over the rows of each cluster, from (p, n) to (p, n_clusters); None: as is."""
    if cluster is None:
        return values
    n = int(cluster.max(initial=-1)) + 1
    found = np.zeros((len(values), n))
    for row, value in zip(found, values, strict=True):
        row[:] = np.bincount(cluster, value, n)
    return found


def _within(values: FloatArray, cluster: IntArray) -> FloatArray:
    """Return running sums within each cluster, whose columns stand together."""
    running = np.cumsum(values, axis=1)
    heads = np.flatnonzero(np.diff(cluster, prepend=-1))
    sizes = np.diff(np.append(heads, len(cluster)))
    earlier = (running - values)[:, heads]
    return np.asarray(running - np.repeat(earlier, sizes, axis=1))
