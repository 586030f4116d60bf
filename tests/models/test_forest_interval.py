"""Limits of a forest's predictions."""

import numpy as np
import pytest

from outcomes.errors import ModelError, NotEstimableError
from outcomes.models import ForestModel, load_model, save_model
from outcomes.models.draws import BAG, Draws
from outcomes.models.forest_interval import learn_spread
from outcomes.models.trees import Trees

TIMES = [3.0, 6.0, 12.0]


@pytest.fixture(scope="module", params=["overall-survival", "local-control"])
def forest(request, cohort):
    return ForestModel(request.param, n_estimators=60, random_state=1).fit(cohort)


def test_limits_hold_the_estimate_and_widen_with_the_level(forest, cohort):
    for series in (None, "birch", list(cohort["study"][:30])):
        survival = forest.predict_survival(cohort[:30], TIMES, series=series)
        lower, upper = forest.interval(cohort[:30], TIMES, series=series)
        wider, _ = forest.interval(cohort[:30], TIMES, series=series, level=0.99)
        assert (lower < survival).all()
        assert (survival < upper).all()
        assert (wider < lower).all()
        assert (lower > 0).all()
        assert (upper < 1).all()
    with pytest.raises(ModelError, match="level"):
        forest.interval(cohort[:3], TIMES, level=1.0)


def test_limits_of_a_patient_do_not_depend_on_the_others(forest, cohort):
    together = forest.interval(cohort[:9], TIMES)
    alone = forest.interval(cohort[4:5], TIMES)
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one[4:5], other, rtol=1e-9)


def test_nothing_is_uncertain_until_the_month_survived(forest, cohort):
    lower, upper = forest.interval(cohort[:4], [2.0, 6.0, 12.0], survived=6.0)
    survival = forest.predict_survival(cohort[:4], [2.0, 6.0, 12.0], survived=6.0)
    np.testing.assert_array_equal(lower[:, :2], 1.0)
    np.testing.assert_array_equal(upper[:, :2], 1.0)
    assert (lower[:, 2] < survival[:, 2]).all()


def test_a_loaded_forest_has_the_same_limits(forest, cohort, tmp_path):
    save_model(forest, tmp_path / "m")
    for one, other in zip(
        load_model(tmp_path / "m").interval(cohort[:5], TIMES),
        forest.interval(cohort[:5], TIMES),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_one_tree_has_no_limits(cohort):
    model = ForestModel(n_estimators=1, random_state=0).fit(cohort)
    with pytest.raises(NotEstimableError, match="a forest of 1 tree"):
        model.interval(cohort[:2], TIMES)


def stumps(draws: Draws, effect: np.ndarray, noise: np.ndarray) -> Trees:
    """Trees of one leaf per patient, predicting a sum of the patients drawn, and noise."""
    n_trees = len(draws.seeds)
    counts = np.stack([draws.counts(tree) for tree in range(n_trees)])
    values = 50 + counts @ effect + noise
    n_leaves = values.shape[1]
    hazard = values.reshape(-1, 1).repeat(8, axis=1).astype(np.float32)
    # A chain of nodes per tree leads bin k to leaf k.
    width = 2 * n_leaves - 1
    here = np.arange(width)
    inner = (here % 2 == 0) & (here < width - 1)
    tree = np.arange(n_trees)[:, None]
    return Trees(
        roots=(tree[:, 0] * width).astype(np.int32),
        feature=np.tile(np.where(inner, 0, -1), n_trees).astype(np.int32),
        threshold=np.tile(here / 2 + 0.5, n_trees).astype(np.float32),
        left=(tree * width + np.where(inner, here + 1, here)).ravel().astype(np.int32),
        right=(tree * width + np.where(inner, here + 2, here)).ravel().astype(np.int32),
        leaf=(tree * n_leaves + np.where(inner, -1, (here + 1) // 2)).ravel().astype(np.int32)
        * np.tile(~inner, n_trees)
        - np.tile(inner, n_trees).astype(np.int32),
        hazard=hazard,
    )


@pytest.mark.parametrize("bags", [False, True])
def test_the_ratio_of_a_linear_forest_is_recovered(bags):
    """Trees that add up effects of the patients drawn have a variance known in closed form."""
    rng = np.random.default_rng(3)
    n, size, n_trees, n_leaves = 300, 100, 400, 60
    draws = Draws(
        rng.integers(0, 2**31, n_trees).astype(np.uint32),
        rng.integers(0, 2**31, n_trees // BAG if bags else 0).astype(np.uint32),
        n,
        size,
    )
    effect = rng.normal(size=(n, n_leaves))
    noise = 20 * rng.normal(size=(n_trees, n_leaves))
    trees = stumps(draws, effect, noise)
    spread = learn_spread(trees, draws, rng.permutation(np.arange(n) % n_leaves)[:, None])
    values = trees.hazard[:, 0].reshape(n_trees, n_leaves)
    # Cov_b(N_bi, t_b) = size / n * effect_i.
    expected = ((size / n) ** 2 * (effect**2).sum(axis=0) / values.var(axis=0)).mean()
    assert abs(spread.ratio - expected) < 4 * spread.error
    assert spread.error < expected


@pytest.mark.long
@pytest.mark.parametrize(
    ("endpoint", "n", "n_trees"),
    [("overall-survival", 400, 500), ("local-control", 400, 500), ("overall-survival", 6000, 100)],
)
def test_limits_cover_what_forests_predict_on_average(make_cohort, endpoint, n, n_trees):
    """Over 60 training cohorts; the limits are for the mean forest, not for the truth."""
    patients = make_cohort(60, seed=999)
    estimates, lowers, uppers = [], [], []
    for seed in range(60):
        model = ForestModel(endpoint, n_estimators=n_trees, random_state=seed, strata=None)
        model.fit(make_cohort(n, seed=seed))
        estimates.append(model.predict_survival(patients, TIMES))
        lower, upper = model.interval(patients, TIMES)
        lowers.append(lower)
        uppers.append(upper)
    mean = np.mean(estimates, axis=0)
    covered = (np.asarray(lowers) <= mean) & (mean <= np.asarray(uppers))
    assert 0.91 < covered.mean() < 0.985
