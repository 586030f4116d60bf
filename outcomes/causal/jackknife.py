"""The jackknife: how estimates change as groups of patients are left out.

Influence functions are right for many patients. In few, where weights and coefficients rest on a
handful, they give errors that are up to a third too small; the jackknife does not (Efron & Stein,
Ann Stat 1981;9:586: its variance is too large rather than too small).
"""

from collections.abc import Callable, Mapping

import numpy as np

from outcomes.arrays import FloatArray, IntArray
from outcomes.causal.subjects import Subjects
from outcomes.errors import NotEstimableError

GROUPS = 60
"""At most so many groups are left out in turn: each patient of a cohort of sixty."""


def jackknife_groups(subjects: Subjects, seed: int) -> IntArray:
    """Return the group of each row, shape (n,): clusters dealt out at random.

    The order of the rows does not matter.
    """
    clusters = subjects.sorted_clusters
    group = np.zeros(int(subjects.cluster.max()) + 1, dtype=np.int64)
    group[clusters] = np.random.default_rng(seed).permutation(clusters.size) % GROUPS
    return group[subjects.cluster]


def jackknife(
    estimates: Mapping[str, Callable[[Subjects], FloatArray]], subjects: Subjects, seed: int = 0
) -> dict[str, FloatArray]:
    """Return the estimates without each group, by name, shape (n_groups, ...) each.

    One that cannot be had without some group is left out: what rests on a few patients varies
    by more than the other groups would tell.

    Parameters
    ----------
    estimates
        Give an estimate each, or raise NotEstimableError.
    subjects
        Patients.
    seed
        Of the groups.
    """
    groups = jackknife_groups(subjects, seed)
    found: dict[str, list[FloatArray]] = {name: [] for name in estimates}
    for group in range(int(groups.max()) + 1):
        others = subjects.take(groups != group)
        for name in tuple(found):
            try:
                found[name].append(estimates[name](others))
            except NotEstimableError:
                del found[name]
    return {name: np.array(without) for name, without in found.items()}


def jackknife_variance(replicates: FloatArray) -> FloatArray:
    """Return the variance from estimates without each group, shape (n_groups, ...) to (...)."""
    groups = len(replicates)
    away = replicates - replicates.mean(axis=0)
    return np.asarray((away**2).sum(axis=0) * (groups - 1) / groups)
