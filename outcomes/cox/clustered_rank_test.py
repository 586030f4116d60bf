"""Rank tests of two groups in which rows belong together: log-rank and Gray's with clusters."""

import numpy as np
import numpy.typing as npt

from outcomes.cox.clusters import sum_by_cluster
from outcomes.cox.fit import ChiSquared, chi_squared
from outcomes.cox.subdistribution import evaluate
from outcomes.cox.subdistribution_checks import read_subjects
from outcomes.cox.subdistribution_influence import score_influence
from outcomes.cox.subdistribution_sweeps import make_risk_sets
from outcomes.errors import NotEstimableError

# A variance below this share of the plain one is rounding.
EMPTY = 1e-12


def clustered_rank_test(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    treated: npt.ArrayLike,
    cluster: npt.ArrayLike,
    *,
    cause: int = 1,
    strata: npt.ArrayLike | None = None,
) -> ChiSquared:
    """Test that two groups share one curve, where rows of a cluster may depend on each other.

    Observed less expected events, squared, over the sum of squares of what each cluster adds to
    them. Without competing events they are the log-rank test's, and this is the robust score test
    of a Cox model with Breslow's ties (Lin & Wei, JASA 1989; 84: 1074-1078). With them they are
    Gray's: the score of a Fine-Gray model with a censoring curve for each group (and stratum),
    whose uncertainty is counted (Zhou, Fine, Latouche & Labopin, Biostatistics 2012; 13: 371-383).

    Parameters
    ----------
    time, event
        Months since surgery and what happened then (0 censored, else the cause), shape (n,).
    treated
        Which of the two groups each row is in, shape (n,).
    cluster
        What each row belongs to, such as a patient, shape (n,). One cluster may have rows in both
        groups.
    cause
        Event code of interest; every other code but 0 competes.
    strata
        Compare within these strata only, shape (n,).

    Raises
    ------
    OutcomesError
        If the sequences differ in length or a value is not allowed.
    NotEstimableError
        If there is no event, one cluster alone, the groups are at risk together at no event, or no
        cluster tells them apart.
    """
    member = np.asarray(treated, dtype=np.float64)
    within = None if strata is None else np.asarray(strata)
    levels = np.zeros(member.size) if within is None else np.unique(within, return_inverse=True)[1]
    subjects = read_subjects(
        member[:, None], time, event, cause, ("group",), None, within, 2 * levels + member, cluster
    )
    # Censored just after the events of their month, as Gray counts them: the order is all there is.
    rank = 2.0 * np.unique(subjects.time, return_inverse=True)[1] + (subjects.codes == 0)
    sets = make_risk_sets(
        rank, subjects.codes, cause, subjects.weight, subjects.stratum, subjects.group
    )
    x = subjects.matrix[sets.order].T
    null = evaluate(sets, x, np.zeros(1))
    plain = float(null.information[0, 0])
    # The sums are of numbers of about 1, one for each event.
    if plain <= EMPTY * float(sets.deaths.sum()):
        raise NotEstimableError("the groups are at risk together at no event")
    influence = score_influence(sets, x, null.relative, null.steps, null.means)
    member_of = None if subjects.cluster is None else subjects.cluster[sets.order]
    shares = sum_by_cluster(influence, member_of)[0]
    variance = float(shares @ shares)
    if variance <= EMPTY * plain:
        raise NotEstimableError("each patient's rows are the same in both groups")
    return chi_squared(float(shares.sum()) ** 2 / variance, 1)
