"""The jackknife of small cohorts."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from outcomes.causal.estimators import ESTIMATORS, Choices
from outcomes.causal.functionals import Functionals
from outcomes.causal.incidence import weighted_incidence
from outcomes.causal.jackknife import GROUPS, jackknife, jackknife_groups, jackknife_variance
from outcomes.causal.marginal import Marginal
from outcomes.causal.subjects import Subjects
from outcomes.errors import NotEstimableError

FUNCTIONALS = Functionals(np.array([5.0]))


def subjects(n, seed=1):
    generator = np.random.default_rng(seed)
    treated = generator.random(n) < 0.4
    return Subjects(
        time=generator.exponential(8, n),
        codes=np.ones(n, dtype=int),
        treated=treated,
        start=np.where(treated, 0.0, np.inf),
        columns=generator.standard_normal((n, 2)),
        names=("x", "z"),
        stratum=np.zeros(n, dtype=int),
        weights=np.ones(n),
        cluster=np.arange(n),
    )


def whole(given):
    """Take the risk of all, for both arms."""
    found = weighted_incidence(given.time, given.codes, given.weights, FUNCTIONALS)
    return np.array([found.values] * 2)


def values(method, given):
    return ESTIMATORS[method](given, FUNCTIONALS, Choices(covariance=False)).values


def test_the_variance_of_a_share():
    given = subjects(50)
    without = jackknife({"whole": whole}, given)["whole"]
    assert without.shape == (50, 2, 2)
    share = np.mean(given.time <= 5)
    estimate = Marginal.of_jackknife(FUNCTIONALS, np.zeros((2, 2)), without)
    # Without censoring the risk is a share, whose jackknife variance is p (1 - p) / (n - 1).
    assert estimate.covariance[0, 0, 0] == pytest.approx(share * (1 - share) / 49)
    assert jackknife_variance(without)[1, 0] == pytest.approx(share * (1 - share) / 49)


def test_groups_are_whole_clusters_and_independent_of_the_order():
    given = replace(subjects(200), cluster=np.repeat(np.arange(100), 2))
    groups = jackknife_groups(given, 0)
    assert groups.max() == GROUPS - 1
    assert (groups[::2] == groups[1::2]).all()
    assert set(np.bincount(groups).tolist()) == {2, 4}
    # The rows of a cluster may change places.
    swapped = given.take(np.arange(200).reshape(-1, 2)[:, ::-1].ravel())
    assert (jackknife_groups(swapped, 0) == groups).all()
    single = subjects(90)
    order = np.random.default_rng(2).permutation(90)
    moved = replace(single.take(order.astype(int)), cluster=np.arange(90))
    assert (jackknife_groups(moved, 4) == jackknife_groups(single, 4)[order]).all()


def test_it_agrees_with_influence_functions_in_many_patients():
    given = subjects(1000, seed=3)
    for name in ("g-formula-cox", "iptw", "doubly-robust"):
        without = jackknife({name: partial(values, name)}, given)
        smooth = ESTIMATORS[name](given, FUNCTIONALS, Choices())
        found = Marginal.of_jackknife(FUNCTIONALS, smooth.values, without[name])
        # Sixty groups know a standard error to 9 %.
        assert np.sqrt(found.covariance[0, 0, 0]) == pytest.approx(
            np.sqrt(smooth.covariance[0, 0, 0]), rel=0.3
        )


def test_a_method_that_rests_on_some_patients_is_left_out():
    given = subjects(30)

    def fragile(some):
        if given.time[7] not in some.time:
            raise NotEstimableError("without him")
        return whole(some)

    assert set(jackknife({"whole": whole, "fragile": fragile}, given)) == {"whole"}
