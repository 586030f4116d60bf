"""Out-of-bag error."""

import numpy as np
import pandas as pd
import pytest
from sksurv.ensemble import RandomSurvivalForest
from sksurv.util import Surv

from outcomes.errors import ModelError
from outcomes.models import ForestModel, evaluate, load_model, out_of_bag, save_model
from outcomes.models.draws import SMALLEST_TO_THIN, Draws


@pytest.fixture(scope="module", params=["overall-survival", "local-control"])
def forest(request, cohort):
    return ForestModel(request.param, n_estimators=60, random_state=1).fit(cohort)


def test_unseen_patients_are_those_scikit_survival_left_out():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 9, (200, 3)).astype(np.float32)
    y = Surv.from_arrays(rng.random(200) < 0.6, rng.integers(1, 20, 200).astype(float))
    forest = RandomSurvivalForest(40, oob_score=True, random_state=0).fit(X, y)
    seeds = np.array([tree.random_state for tree in forest.estimators_], dtype=np.uint32)
    unseen = Draws(seeds, np.zeros(0, np.uint32), 200, 200).out_of_bag()
    own = np.zeros(200)
    for tree, out in zip(forest.estimators_, unseen, strict=True):
        own[out] += tree.predict(X[out], check_input=False)
    np.testing.assert_allclose(own / unseen.sum(axis=0), forest.oob_prediction_, rtol=1e-12)


def test_it_is_no_better_than_apparent(forest, cohort):
    result = out_of_bag(forest, cohort, n_bootstrap=0)
    apparent = evaluate(forest, cohort, n_bootstrap=0)
    assert 0.5 < result.evaluation.c_index.value < apparent.c_index.value
    assert result.evaluation.integrated_brier_score.value > apparent.integrated_brier_score.value
    assert result.evaluation.method.startswith("out of bag")
    assert result.risk.shape == (len(cohort), len(result.months))
    assert (result.n_trees > 5).all()
    assert (result.n_trees < 40).all()
    assert len(result.to_frame()) == result.risk.size


def test_it_agrees_with_new_patients_on_average(make_cohort):
    test = make_cohort(2000, seed=99)
    pairs = []
    for seed in range(4):
        train = make_cohort(1500, seed=seed)
        model = ForestModel(n_estimators=60, random_state=0).fit(train)
        inside = out_of_bag(model, train, n_bootstrap=0).evaluation
        outside = evaluate(model, test, n_bootstrap=0)
        pairs.append(
            [(one.c_index.value, one.integrated_brier_score.value) for one in (inside, outside)]
        )
    inside, outside = np.mean(pairs, axis=0)
    # The C-index of one cohort of 1,500 has a standard error of 0.012.
    np.testing.assert_allclose(inside, outside, atol=0.02)


def test_a_loaded_forest_knows_its_patients(forest, cohort, tmp_path):
    save_model(forest, tmp_path / "m")
    one = out_of_bag(forest, cohort, n_bootstrap=0)
    two = out_of_bag(load_model(tmp_path / "m"), cohort, n_bootstrap=0)
    np.testing.assert_array_equal(one.risk, two.risk)


def test_other_patients_are_refused(forest, cohort):
    for other in (cohort[::-1], cohort[:-1], cohort.assign(kps=70)):
        with pytest.raises(ModelError, match="in the same order"):
            out_of_bag(forest, other)


def test_patients_of_every_sample_are_left_out_and_said(cohort):
    few = ForestModel(n_estimators=2, random_state=0).fit(cohort)
    result = out_of_bag(few, cohort, n_bootstrap=0)
    assert len(result.rows) < len(cohort)
    assert any(note.startswith("left out: ") for note in result.evaluation.notes)


def test_trees_of_a_large_cohort_are_drawn_from_half_samples():
    rng = np.random.default_rng(0)
    n = SMALLEST_TO_THIN + 1
    data = pd.DataFrame(
        {"os_months": rng.exponential(10, n), "death": 1, "age": rng.normal(size=n)}
    )
    model = ForestModel(n_estimators=7, covariates=["age"], random_state=0).fit(data)
    draws = model.draws_[1]
    assert (len(draws.bags), draws.size) == (2, int(30 * np.sqrt(n)))
    counts = np.stack([draws.counts(tree) for tree in range(7)])
    assert (counts.sum(axis=1) == draws.size).all()
    assert ((counts[:5] > 0).any(axis=0).sum()) <= n // 2
    assert ((counts > 0).any(axis=0).sum()) > n // 2
    with_all = ForestModel(n_estimators=2, covariates=["age"], max_samples=None, random_state=0)
    assert with_all.fit(data).draws_[1].size == n
