"""The forest: our trees against scikit-survival's, the grid, and reproducibility."""

import numpy as np
import pandas as pd
import pytest
from sksurv.datasets import load_gbsg2
from sksurv.ensemble import RandomSurvivalForest
from sksurv.util import Surv

from outcomes.errors import ModelError, ModelFileError
from outcomes.models import ForestModel, load_model, save_model
from outcomes.models.grid import Grid, learn_grid
from outcomes.models.trees import Trees, flatten_forest


def test_our_traversal_equals_scikit_survival():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 32, (300, 5)).astype(np.float32)
    time = rng.integers(1, 40, 300).astype(float)
    forest = RandomSurvivalForest(25, min_samples_leaf=5, random_state=0)
    forest.fit(X, Surv.from_arrays(rng.random(300) < 0.6, time))
    trees = flatten_forest(forest)
    new = rng.integers(0, 32, (200, 5))
    expected = forest.predict_cumulative_hazard_function(new.astype(np.float32), return_array=True)
    np.testing.assert_allclose(trees.predict(new), expected, atol=1e-6)
    assert trees.predict(new[:0]).shape == (0, expected.shape[1])
    again = Trees.from_arrays(trees.to_arrays())
    np.testing.assert_array_equal(again.predict(new), trees.predict(new))


@pytest.mark.parametrize(
    ("name", "value"), [("left", 10**6), ("left", 0), ("leaf", -5), ("roots", 10**6)]
)
def test_arrays_that_are_no_trees_are_refused(name, value):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 8, (100, 2)).astype(np.float32)
    forest = RandomSurvivalForest(2, random_state=0)
    forest.fit(X, Surv.from_arrays(rng.random(100) < 0.6, rng.integers(1, 9, 100).astype(float)))
    arrays = flatten_forest(forest).to_arrays()
    spoiled = arrays[name].copy()
    inner = arrays["feature"] >= 0
    position = (
        0 if name == "roots" else int(np.flatnonzero(inner if name == "left" else ~inner)[-1])
    )
    spoiled[position] = value
    with pytest.raises(ValueError, match="do not describe trees"):
        Trees.from_arrays({**arrays, name: spoiled})


def test_the_result_does_not_depend_on_the_number_of_jobs(cohort):
    fits = [
        ForestModel("local-control", n_estimators=15, random_state=5, n_jobs=jobs).fit(cohort)
        for jobs in (1, 2)
    ]
    one, two = (fit.predict_survival(cohort, [3, 12]) for fit in fits)
    np.testing.assert_array_equal(one, two)
    other = ForestModel("local-control", n_estimators=15, random_state=6).fit(cohort)
    assert np.abs(other.predict_survival(cohort, [3, 12]) - one).max() > 1e-3


def test_grid_by_hand():
    matrix = np.array([[0.0, 1.0], [1.0, 2.0], [0.0, 3.0], [1.0, 4.0]])
    grid = learn_grid(matrix, np.array([1.0, 2.0, 3.0, 4.0]), n_times=2, n_bins=2)
    np.testing.assert_array_equal(grid.months, [2.0, 4.0])
    np.testing.assert_array_equal(grid.snap_times(np.array([0.5, 2.0, 2.1, 9.0])), [2, 2, 4, 4])
    np.testing.assert_array_equal(
        grid.bin_features(np.array([[0.0, 2.0], [1.0, 2.5], [7.0, -1.0]])), [[0, 0], [1, 1], [1, 0]]
    )
    again = Grid.from_arrays(grid.to_arrays())
    np.testing.assert_array_equal(again.bin_features(matrix), grid.bin_features(matrix))


def test_bins_keep_rare_values_apart_where_they_are_few():
    column = np.concatenate([np.zeros(1000), [1.0], [2.0]])[:, None]
    grid = learn_grid(column, np.array([1.0]), n_times=5, n_bins=4)
    assert set(grid.bin_features(column)[:, 0]) == {0, 1, 2}


def test_few_patients_give_the_nelson_aalen_curve():
    """With leaves that hold everyone, the forest is the marginal curve."""
    rng = np.random.default_rng(1)
    n = 400
    data = pd.DataFrame(
        {"os_months": rng.exponential(10, n), "death": 1, "age": rng.normal(size=n)}
    )
    model = ForestModel(
        covariates=["age"], n_estimators=200, min_samples_leaf=n, random_state=0, n_times=400
    ).fit(data)
    survival = model.predict_survival(data[:1], [5.0, 10.0])[0]
    np.testing.assert_allclose(survival, np.exp([-0.5, -1.0]), atol=0.06)
    np.testing.assert_allclose(
        survival, [(data["os_months"] > month).mean() for month in (5, 10)], atol=0.02
    )


def test_hazards_are_straight_between_grid_months():
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {"os_months": rng.exponential(10, 500), "death": 1, "age": rng.normal(size=500)}
    )
    model = ForestModel(covariates=["age"], n_estimators=5, n_times=4, random_state=0).fit(data)
    first, second = model.grid_.months[:2]
    months = [0.0, first / 2, first, (first + second) / 2, second]
    hazard = -np.log(model.predict_survival(data[:20], months))
    np.testing.assert_allclose(hazard[:, 1], hazard[:, 2] / 2, atol=1e-12)
    np.testing.assert_allclose(hazard[:, 3], (hazard[:, 2] + hazard[:, 4]) / 2, atol=1e-12)


def test_the_coarse_grid_loses_no_discrimination(make_cohort):
    train, test = make_cohort(800, seed=1), make_cohort(800, seed=2)
    fine = ForestModel(n_times=10_000, n_bins=10_000, n_estimators=40, random_state=0)
    coarse = ForestModel(n_estimators=40, random_state=0)
    assert coarse.fit(train).score(test) > fine.fit(train).score(test) - 0.02


def test_a_random_state_will_do_as_in_scikit_learn(cohort, tmp_path):
    def grow(random_state):
        model = ForestModel(n_estimators=5, random_state=random_state).fit(cohort)
        return model, model.predict_survival(cohort[:20], [3, 12])

    model, first = grow(np.random.RandomState(0))
    np.testing.assert_array_equal(first, grow(np.random.RandomState(0))[1])
    source = np.random.RandomState(0)
    np.testing.assert_array_equal(first, grow(source)[1])
    assert (first != grow(source)[1]).any()
    save_model(model, tmp_path / "m")
    np.testing.assert_array_equal(
        load_model(tmp_path / "m").predict_survival(cohort[:20], [3, 12]), first
    )
    for wrong in ("seed", -1, 1.5):
        with pytest.raises(ModelError, match="random_state: found"):
            grow(wrong)


def test_leaves_of_few_patients_are_not_written(cohort, tmp_path):
    model = ForestModel(n_estimators=2, min_samples_leaf=4, random_state=0).fit(cohort)
    with pytest.raises(ModelFileError, match="min_samples_leaf: found 4; allowed in a file"):
        save_model(model, tmp_path / "m")


@pytest.mark.parametrize("parameter", ["n_estimators", "min_samples_leaf", "n_times", "n_bins"])
def test_wrong_parameters_are_refused(cohort, parameter):
    with pytest.raises(ModelError, match=f"{parameter}: found 0"):
        ForestModel(**{parameter: 0}).fit(cohort)


def test_a_forest_without_covariates_is_refused(cohort):
    with pytest.raises(ModelError, match="at least one covariate"):
        ForestModel(covariates=[], strata=None).fit(cohort)


@pytest.mark.parametrize("size", [0, -1, "all", 401, 1.5])
def test_wrong_sample_sizes_are_refused(cohort, size):
    with pytest.raises(ModelError, match="max_samples: found"):
        ForestModel(max_samples=size, n_estimators=2).fit(cohort)


def test_without_binning_it_is_scikit_survivals_forest():
    """On the German breast cancer data that scikit-survival ships, all values kept."""
    X, y = load_gbsg2()
    X = X.select_dtypes("number")
    table = X.assign(os_months=y["time"] / 30.4, death=y["cens"].astype(int))
    model = ForestModel(
        covariates=list(X.columns),
        n_estimators=20,
        random_state=7,
        n_bins=10_000,
        n_times=10_000,
    ).fit(table)
    seed = int(np.random.SeedSequence(7).generate_state(1)[0])
    ranks = X.rank(method="dense").to_numpy(dtype=np.float32) - 1
    forest = RandomSurvivalForest(
        20, min_samples_split=30, min_samples_leaf=15, random_state=np.random.RandomState(seed)
    )
    months = np.unique(table["os_months"][table["death"] == 1])
    snapped = model.grid_.snap_times(table["os_months"].to_numpy())
    forest.fit(ranks, Surv.from_arrays(y["cens"], snapped))
    ours = -np.log(model.predict_survival(table, months))
    position = np.searchsorted(forest.unique_times_, months)
    theirs = forest.predict_cumulative_hazard_function(ranks, return_array=True)[:, position]
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_trees_grown_in_batches_are_those_grown_at_once(monkeypatch, cohort):
    whole = ForestModel(n_estimators=7, random_state=5).fit(cohort)
    monkeypatch.setattr("outcomes.models.growing._BATCH", 3)
    parts = ForestModel(n_estimators=7, random_state=5).fit(cohort)
    np.testing.assert_array_equal(
        whole.predict_survival(cohort, [3, 12]), parts.predict_survival(cohort, [3, 12])
    )
    np.testing.assert_array_equal(whole.draws_[1].seeds, parts.draws_[1].seeds)
