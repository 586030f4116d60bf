"""Permutation importance."""

import numpy as np
import pandas as pd
import pytest

from outcomes.errors import ModelError
from outcomes.models import CoxModel, ForestModel, permutation_importance
from outcomes.models.importance import Importance


@pytest.fixture(scope="module")
def train(make_cohort):
    return make_cohort(1200, seed=1)


@pytest.fixture(scope="module")
def test_cohort(make_cohort):
    return make_cohort(1200, seed=2)


@pytest.fixture(scope="module")
def model(train):
    return CoxModel().fit(train)


def minus_spread(model, table):
    return -float(np.var(model.predict(table)))


@pytest.mark.parametrize("metric", ["c_index", "integrated_brier_score"])
def test_it_finds_what_matters(model, test_cohort, metric):
    table = permutation_importance(model, test_cohort, metric=metric).to_frame()
    table = table.set_index("covariate")
    assert table.index[0] == "kps"
    assert table.loc["kps", "lower"] > 0
    assert abs(table.loc["embolization", "importance"]) < 0.01
    assert ((table["lower"] <= table["importance"]) & (table["importance"] <= table["upper"])).all()


def test_same_seed_same_numbers_on_any_number_of_processes(model, test_cohort):
    one = permutation_importance(model, test_cohort, n_repeats=2)
    two = permutation_importance(model, test_cohort, n_repeats=2, jobs=2)
    pd.testing.assert_frame_equal(one.to_frame(), two.to_frame())
    other = permutation_importance(model, test_cohort, n_repeats=2, random_state=1)
    assert (one.losses != other.losses).any()


def test_models_are_compared_on_the_same_shuffles(train, test_cohort, model):
    few = CoxModel(covariates=["sbrt", "dose_regimen", "kps"]).fit(train)
    seen = []

    def watch(model, table):
        seen.append(table["kps"].to_numpy())
        return 0.0

    for one in (model, few):
        permutation_importance(one, test_cohort, metric=watch, groups={"kps": ["kps"]}, n_repeats=1)
    np.testing.assert_array_equal(seen[1], seen[3])
    assert (seen[0] != seen[1]).any()


def test_columns_of_a_group_move_together(test_cohort, train):
    dummies = pd.get_dummies(test_cohort["dose_regimen"], dtype=float)
    coded = pd.concat([test_cohort, dummies], axis=1)
    names = list(dummies.columns)
    model = ForestModel(covariates=["kps", *names], n_estimators=5, random_state=0).fit(coded)
    seen = []

    def watch(model, table):
        seen.append(table[names].to_numpy())
        return 0.0

    groups = {"regimen": names, "kps": ["kps"]}
    result = permutation_importance(model, coded, metric=watch, groups=groups, n_repeats=1)
    assert set(result.names) == set(groups)
    for values in seen:
        np.testing.assert_array_equal(values.sum(axis=1), 1.0)


def test_no_patient_arises_who_cannot_exist(model, test_cohort):
    seen = []

    def watch(model, table):
        seen.append(((table["dose_regimen"] == "none") == ~table["sbrt"]).all())
        return 0.0

    permutation_importance(model, test_cohort, metric=watch, n_repeats=2)
    assert all(seen)


def test_limits_by_hand():
    result = Importance(("a",), ("A",), np.array([[1.0, 2.0, 3.0]]), "c_index", 0.7)
    row = result.to_frame().iloc[0]
    # t quantile 4.302653 with 2 degrees of freedom, standard error 1 / sqrt(3).
    assert row["importance"] == pytest.approx(2.0)
    assert row["upper"] == pytest.approx(2.0 + 4.302653 / np.sqrt(3), abs=1e-5)


def test_a_metric_of_ones_own(model, test_cohort):
    result = permutation_importance(
        model, test_cohort, metric=minus_spread, groups={"all": ["kps"]}, n_repeats=2
    )
    assert result.metric == "minus_spread"
    assert result.reference == minus_spread(model, test_cohort)


def test_wrong_settings_are_refused(model, test_cohort):
    with pytest.raises(ModelError, match="n_repeats"):
        permutation_importance(model, test_cohort, n_repeats=0)
    with pytest.raises(ModelError, match="metric: found 'r2'; allowed: c_index"):
        permutation_importance(model, test_cohort, metric="r2")
    for columns in (["nothing"], [], "kps"):
        with pytest.raises(ModelError, match="groups: x"):
            permutation_importance(model, test_cohort, groups={"x": columns})


def test_sbrt_and_its_regimen_are_one_row(model, test_cohort):
    result = permutation_importance(model, test_cohort, n_repeats=1)
    assert "sbrt" in result.names
    assert "dose_regimen" not in result.names
    assert result.labels[result.names.index("sbrt")] == "SBRT and dose regimen"
