"""Clone, censor and weight: a data set worked by hand, and what must hold of any."""

import math

import numpy as np
import pytest

from outcomes.causal.cloning import (
    clone_censor_weight,
    clone_treated,
    clone_untreated,
)
from outcomes.causal.functionals import Functionals
from outcomes.causal.incidence import weighted_incidence
from outcomes.causal.outcome_model import AT_SURGERY
from outcomes.causal.subjects import Subjects
from outcomes.errors import NotEstimableError

GRACE = (1.0, 2.0)
NEVER = math.inf


def subjects(time, codes, start, group=None):
    n = len(time)
    columns = np.zeros((n, 0)) if group is None else np.array(group, dtype=float)[:, None]
    start = np.array(start, dtype=float)
    return Subjects(
        time=np.array(time, dtype=float),
        codes=np.array(codes),
        treated=np.isfinite(start),
        start=start,
        columns=columns,
        names=("group",)[: columns.shape[1]],
        stratum=np.zeros(n, dtype=int),
        weights=np.ones(n),
        cluster=np.arange(n),
    )


# Two begin within the period, one after it; one dies before anyone begins.
SIX = subjects(
    time=[5, 8, 1, 4, 6, 7],
    codes=[1, 0, 1, 1, 0, 1],
    start=[1.5, 1.2, NEVER, NEVER, NEVER, 3.0],
)


def test_six_patients_to_be_treated():
    copies = clone_treated(SIX, SIX.start, GRACE)
    # Five live at month 2 and two of them have begun: each of these stands for 2.5 from then on.
    later = copies.entry == 2
    assert sorted(copies.patient[later].tolist()) == [0, 1]
    assert copies.weights[later].tolist() == pytest.approx([2.5, 2.5])
    assert copies.left == 3
    risks = Functionals(np.array([1.0, 4.5, 6.0]))
    found = weighted_incidence(copies.exit, copies.codes, copies.weights, risks, entry=copies.entry)
    # One of six dies at month 1, and half of the weight at month 5.
    assert found.values[:3] == pytest.approx([1 / 6, 1 / 6, 1 - 5 / 6 * 1 / 2])
    # Months lost up to month 6: 5 / 6 from the first step, then 5 / 12 for one month.
    assert found.values[5] == pytest.approx(5 / 6 + 5 / 12)


def test_six_patients_never_to_be_treated():
    copies = clone_untreated(SIX, SIX.start)
    # At months 1.2, 1.5 and 3 one of five, of four, of three begins.
    hazard = np.array([0, 1 / 5, 1 / 5 + 1 / 4, 1 / 5 + 1 / 4 + 1 / 3])
    own = copies.patient == 4
    assert copies.entry[own].tolist() == [AT_SURGERY, 1.2, 1.5, 3]
    assert copies.exit[own].tolist() == [1.2, 1.5, 3, 6]
    assert copies.weights[own] == pytest.approx(np.exp(hazard))
    assert copies.left == 3
    # Who is to begin is there until then, and without an event.
    assert copies.exit[copies.patient == 0].max() == 1.5
    assert not copies.codes[copies.patient == 0].any()
    risks = Functionals(np.array([3.5, 6.0]))
    found = weighted_incidence(copies.exit, copies.codes, copies.weights, risks, entry=copies.entry)
    assert found.values[:2] == pytest.approx([1 / 6, 1 - 5 / 6 * 1 / 2])


def test_weights_follow_the_covariate():
    group = [0] * 6 + [1] * 6
    start = [1.5, NEVER, NEVER, NEVER, NEVER, NEVER, 1.1, 1.3, 1.6, 1.9, NEVER, NEVER]
    twelve = subjects(range(10, 22), [1] * 12, start, group)
    copies = clone_treated(twelve, twelve.start, GRACE)
    later = copies.entry == 2
    weights = dict(zip(copies.patient[later], copies.weights[later], strict=True))
    # One of six began in one group, four of six in the other.
    assert weights == pytest.approx({0: 6.0, 6: 1.5, 7: 1.5, 8: 1.5, 9: 1.5})
    assert copies.scores.sum(axis=0) == pytest.approx(0, abs=1e-6)


def test_one_who_begins_before_the_period_leaves_then():
    early = subjects([5, 6, 7, 8], [1, 1, 1, 1], [0.5, 1.5, 1.6, NEVER])
    copies = clone_treated(early, early.start, GRACE)
    assert copies.exit[copies.patient == 0].tolist() == [0.5]
    assert not copies.codes[copies.patient == 0].any()


def test_nobody_begins_in_the_period():
    late = subjects([5, 6, 7, 8], [1, 1, 1, 1], [3, NEVER, 4, NEVER])
    with pytest.raises(NotEstimableError, match="nobody was treated between"):
        clone_treated(late, late.start, GRACE)


def test_patients_move_the_estimates_by_nothing_in_sum():
    generator = np.random.default_rng(4)
    n = 200
    start = np.where(generator.random(n) < 0.5, generator.uniform(1, 2, n), NEVER)
    time = generator.exponential(8, n)
    start = np.where(start < time, start, NEVER)
    many = subjects(time, generator.integers(0, 2, n), start, generator.integers(0, 2, n))
    clones = clone_treated(many, many.start, GRACE), clone_untreated(many, many.start)
    risks = Functionals(np.array([6.0, 12.0]))
    for copies in clones:
        found = weighted_incidence(
            copies.exit, copies.codes, copies.weights, risks, entry=copies.entry
        )
        assert found.moves.sum(axis=0) == pytest.approx(0, abs=1e-10)
    estimate = clone_censor_weight(many, clones, risks)
    assert (np.diagonal(estimate.covariance, axis1=1, axis2=2) > 0).all()
    # Treatment does nothing here.
    difference = estimate.values[0, 1] - estimate.values[1, 1]
    assert abs(difference) < 0.2


def test_treated_patients_without_an_event_leave_no_interval():
    few = subjects(
        time=[9, 8, 1, 4, 6, 7, 8],
        codes=[0, 0, 1, 1, 0, 1, 1],
        start=[1.5, 1.2, NEVER, NEVER, NEVER, NEVER, NEVER],
    )
    clones = clone_treated(few, few.start, GRACE), clone_untreated(few, few.start)
    found = clone_censor_weight(few, clones, Functionals(np.array([6.0])))
    assert np.isnan(found.covariance).all()
    assert found.reason == "nobody who was treated in time had an event afterwards"
    assert found.values[0, 0] == pytest.approx(1 / 7)
