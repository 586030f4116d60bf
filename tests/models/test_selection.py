"""Choice of a model: null model, comparison on the same folds, nested tuning, optimism."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    ShuffleSplit,
    StratifiedGroupKFold,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from outcomes.curves import kaplan_meier
from outcomes.endpoints import get_endpoint
from outcomes.errors import ModelError
from outcomes.models import (
    CoxModel,
    ForestModel,
    KaplanMeierModel,
    bootstrap_optimism,
    compare_models,
    cross_validate,
    evaluate,
    nested_cross_validate,
)
from outcomes.models.wrapping import model_in, transform_for

HORIZONS = [3.0, 6.0, 12.0]
QUICK = {"horizons": HORIZONS, "n_bootstrap": 40}


def test_the_null_model_is_each_series_own_curve(cohort):
    model = KaplanMeierModel().fit(cohort)
    amber = cohort[cohort["study"] == "amber"]
    curve = kaplan_meier(amber["os_months"].to_numpy(), amber["death"].to_numpy())
    months = [1.0, 6.0, 12.0]
    survival = model.predict_survival(cohort[:7], months, series="amber")
    np.testing.assert_allclose(survival, np.tile(curve.survival(months), (7, 1)), atol=1e-12)
    lower, upper = model.interval(cohort[:2], months, series="amber")
    expected = curve.interval_at(months)
    np.testing.assert_allclose(lower[0], expected[0], atol=1e-9)
    np.testing.assert_allclose(upper[1], expected[1], atol=1e-9)
    assert model.score(cohort) == 0.5
    assert (model.predict(cohort) == 0).all()
    with pytest.raises(ModelError, match="unknown series"):
        model.predict(cohort, series="delta")
    with pytest.raises(ModelError, match="intervals until month"):
        model.interval(cohort[:2], [20.0])


def test_the_null_model_has_no_skill(cohort):
    for endpoint in ("overall-survival", "local-control"):
        found = cross_validate(KaplanMeierModel(endpoint), cohort, **QUICK)
        assert found.model == "kaplan-meier"
        assert found.c_index.value == 0.5
        assert found.auc[6.0].value == pytest.approx(0.5)
        assert found.index_of_prediction_accuracy.value == pytest.approx(0, abs=1e-12)
        assert np.isnan(found.calibration_slope.value)
        assert np.isnan(found.calibration_slope.lower)
        json.dumps(found.to_dict(), allow_nan=False)


def test_the_null_model_in_scikit_learn(cohort):
    model = KaplanMeierModel("local-control")
    search = GridSearchCV(model, {"strata": ["study", None]}, cv=2).fit(cohort)
    assert search.best_params_["strata"] in ("study", None)
    assert clone(model).get_params() == model.get_params()
    average = model.fit(cohort).predict_cumulative_incidence(cohort[:3], [6.0])
    parts = [
        model.predict_cumulative_incidence(cohort[:3], [6.0], series=name)
        for name in ("amber", "birch", "cedar")
    ]
    shares = cohort["study"].value_counts(normalize=True)
    expected = sum(
        shares[name] * part for name, part in zip(("amber", "birch", "cedar"), parts, strict=True)
    )
    np.testing.assert_allclose(average, expected, atol=1e-12)


@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
def test_the_null_model_keeps_the_contract_of_the_models(cohort, endpoint):
    model = KaplanMeierModel(endpoint).fit(cohort)
    times = [0.0, 3.0, 6.0, 12.0, 13.0]
    for series in (None, "birch", list(cohort["study"])):
        survival = model.predict_survival(cohort, times, series=series)
        assert survival.shape == (len(cohort), 5)
        assert ((survival >= 0) & (survival <= 1)).all()
        assert (np.diff(survival, axis=1) <= 1e-12).all()
        assert (survival[:, 0] == 1).all()
        total = model.predict_event_free(cohort, times, series=series)
        for event in model.causes:
            total = total + model.predict_cumulative_incidence(
                cohort, times, series=series, event=event
            )
        np.testing.assert_allclose(total, 1.0, atol=1e-12)
    forward, backward = (model.predict_survival(cohort[:5], t) for t in ([3, 6], [6, 3]))
    np.testing.assert_array_equal(forward, backward[:, ::-1])
    y = get_endpoint(endpoint).response(cohort)
    bare = cohort.drop(columns=list(get_endpoint(endpoint).columns))
    for other in (
        KaplanMeierModel(endpoint).fit(bare, y),
        pickle.loads(pickle.dumps(model)),  # noqa: S301 - our own
        clone(model).fit(cohort),
    ):
        np.testing.assert_array_equal(
            other.predict_survival(cohort, times), model.predict_survival(cohort, times)
        )
    X = cohort[["kps", "separation_mm"]].to_numpy(dtype=float)
    assert KaplanMeierModel(endpoint).fit(X, y).predict_survival(X, times).shape == (400, 5)
    with pytest.raises(NotFittedError):
        KaplanMeierModel(endpoint).predict_survival(cohort, times)
    with pytest.raises(ModelError, match="cedar can only be followed until month 13"):
        model.predict_survival(cohort[:2], [14.0], series="cedar")
    with pytest.raises(ModelError, match="event: found 7"):
        model.predict_cumulative_incidence(cohort[:2], [3.0], event=7)
    with pytest.raises(ModelError, match="times"):
        model.predict_survival(cohort[:2], [-1.0])


@pytest.fixture(scope="module")
def compared(make_cohort):
    cohort = make_cohort(500, seed=31)
    noise = np.random.default_rng(0).normal(size=(500, 2))
    cohort["noise"], cohort["other"] = noise.T
    models = {
        "cox": CoxModel(),
        "noise": CoxModel(covariates=["noise", "other"]),
        "forest": ForestModel(n_estimators=20, random_state=0),
    }
    return cohort, compare_models(models, cohort, **QUICK)


def test_comparison_gives_paired_differences(compared):
    _, found = compared
    assert list(found.evaluations) == ["cox", "noise", "forest", "kaplan-meier"]
    table = found.table.set_index(["model", "measure"])
    pairs = found.differences.set_index(["model", "reference", "measure"])
    assert len(found.differences.drop_duplicates(["model", "reference"])) == 6
    for measure in ("c_index", "integrated_brier_score", "auc 6"):
        difference = pairs.loc[("cox", "noise", measure)]
        assert difference["difference"] == pytest.approx(
            table.loc[("cox", measure), "value"] - table.loc[("noise", measure), "value"]
        )
        assert difference["lower"] < difference["difference"] < difference["upper"]
    assert pairs.loc[("cox", "kaplan-meier", "c_index"), "lower"] > 0.02
    assert pairs.loc[("noise", "kaplan-meier", "integrated_brier_score"), "upper"] > 0
    # Pairing: two models much alike differ with less uncertainty than either has.
    width = (
        pairs.loc[("cox", "forest", "brier 6"), "upper"]
        - pairs.loc[("cox", "forest", "brier 6"), "lower"]
    )
    alone = table.loc[("cox", "brier 6"), "upper"] - table.loc[("cox", "brier 6"), "lower"]
    assert width < 0.7 * alone
    assert found.best() in ("cox", "forest")
    assert found.best("c_index") in ("cox", "forest")
    with pytest.raises(ModelError, match="measure: found 'e50'"):
        found.best("e50")


def test_a_compared_model_is_measured_as_alone(compared):
    cohort, found = compared
    alone = cross_validate(CoxModel(), cohort, **QUICK)
    assert found.evaluations["cox"].to_dict() == alone.to_dict()


def test_what_cannot_be_compared_is_refused(cohort):
    with pytest.raises(ModelError, match="found none"):
        compare_models({}, cohort)
    with pytest.raises(ModelError, match="one endpoint"):
        compare_models({"a": CoxModel(), "b": CoxModel("local-control")}, cohort)
    with pytest.raises(ModelError, match="found KFold"):
        compare_models({"a": KFold()}, cohort)


@pytest.mark.parametrize(
    ("model", "grid"),
    [
        (CoxModel("local-control"), {"penalizer": [0.0, 0.1]}),
        (
            ForestModel("local-control", n_estimators=10, random_state=0),
            {"min_samples_leaf": [15, 40]},
        ),
    ],
)
def test_tuning_by_grid_search_can_be_nested(cohort, model, grid):
    search = GridSearchCV(model, grid, cv=GroupKFold(2))
    found = nested_cross_validate(search, cohort, n_folds=3, **QUICK)
    (name,) = grid
    assert list(found.chosen["fold"]) == [1, 2, 3]
    assert set(found.chosen[name]) <= set(grid[name])
    assert found.evaluation.method.startswith("nested 3-fold cross-validation")
    assert 0.5 < found.evaluation.c_index.value < 0.8
    again = nested_cross_validate(search, cohort, n_folds=3, **QUICK)
    assert again.evaluation.to_dict() == found.evaluation.to_dict()


def scale_kps(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(kps=table["kps"] / 10.0)


def test_pipelines_are_evaluated_through_their_steps(cohort):
    pipeline = Pipeline([("scale", FunctionTransformer(scale_kps)), ("model", CoxModel())])
    plain, scaled = (
        cross_validate(model, cohort, n_folds=3, **QUICK) for model in (CoxModel(), pipeline)
    )
    assert scaled.c_index.value == pytest.approx(plain.c_index.value, abs=1e-6)
    assert scaled.brier[6.0].value == pytest.approx(plain.brier[6.0].value, abs=1e-6)
    search = GridSearchCV(pipeline, {"model__penalizer": [0.0, 0.1]}, cv=KFold(2)).fit(cohort)
    assert "the figures are apparent" in evaluate(search, cohort, **QUICK).notes[0]
    assert isinstance(model_in(search), CoxModel)
    assert transform_for(search, cohort)["kps"].max() == 10.0
    nested = nested_cross_validate(search, cohort, cv=KFold(3, shuffle=True, random_state=0))
    grouped = nested_cross_validate(search, cohort, cv=StratifiedGroupKFold(3), **QUICK)
    assert len(grouped.chosen) == 3
    assert nested.evaluation.method.startswith("nested cross-validation, KFold")
    assert set(nested.chosen["model__penalizer"]) <= {0.0, 0.1}
    with pytest.raises(ModelError, match="is left out 0 times"):
        nested_cross_validate(search, cohort, cv=ShuffleSplit(1, random_state=0))
    with pytest.raises(ModelError, match="search: found CoxModel"):
        nested_cross_validate(CoxModel(), cohort)


def with_noise(cohort: pd.DataFrame, seed: int) -> pd.DataFrame:
    noise = np.random.default_rng(seed).normal(size=(len(cohort), 8))
    return cohort.drop(columns="study").assign(**{f"noise{k}": noise[:, k] for k in range(8)})


OVERFITTED = CoxModel(covariates=["kps", "neurologic_deficit", *(f"noise{k}" for k in range(8))])


def test_optimism_is_taken_away(make_cohort):
    new = with_noise(make_cohort(3_000, seed=99), 99)
    names = ["c_index", "calibration_slope"]
    rows = []
    for seed in range(3):
        cohort = with_noise(make_cohort(120, seed=seed), seed)
        found = bootstrap_optimism(OVERFITTED, cohort, horizons=[3.0, 6.0], n_bootstrap=20)
        truth = evaluate(clone(OVERFITTED).fit(cohort), new, horizons=[3.0, 6.0], n_bootstrap=0)
        table = found.table.set_index("measure").loc[names, ["apparent", "corrected"]]
        rows.append(table.sub([getattr(truth, n).value for n in names], axis=0))
    off = (sum(rows) / 3).abs()
    assert (off["corrected"] < 0.7 * off["apparent"]).all()


def test_optimism_is_a_table_of_measures(make_cohort, monkeypatch):
    cohort = with_noise(make_cohort(120, seed=4), 4)
    seen: list[int] = []
    settings = {"horizons": [3.0, 6.0], "n_bootstrap": 10, "random_state": 1}
    found = bootstrap_optimism(OVERFITTED, cohort, progress=seen.append, **settings)
    assert seen == list(range(1, 11))
    table = found.table.set_index("measure")
    assert table.loc["integrated_brier_score", "optimism"] < 0
    assert table["lower"].isna().all()  # too few samples for limits
    for row in found.table.to_dict("records"):
        assert row["corrected"] == pytest.approx(row["apparent"] - row["optimism"], nan_ok=True)
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert set(data["measures"]["c_index"]) == {
        "apparent", "optimism", "corrected", "lower", "upper",
    }  # fmt: skip

    def elsewhere(function, items, **_):
        """Do as a worker process does: unpickle, call, and send back."""
        sent = pickle.dumps(function)
        return [pickle.loads(sent)(pickle.loads(pickle.dumps(item))) for item in items]  # noqa: S301 - our own

    monkeypatch.setattr("outcomes.models.optimism.replicate", elsewhere)
    spread = bootstrap_optimism(OVERFITTED, cohort, **settings)
    pd.testing.assert_frame_equal(spread.table, found.table)
    rule = bootstrap_optimism(OVERFITTED, cohort, method=".632", **settings)
    left_out = rule.samples[rule.samples["measure"] == "c_index"]["left_out"].mean()
    assert rule.table.set_index("measure").loc["c_index", "corrected"] == pytest.approx(
        0.368 * table.loc["c_index", "apparent"] + 0.632 * left_out
    )


def test_optimism_settings_are_checked(cohort):
    with pytest.raises(ModelError, match="n_bootstrap: found 1"):
        bootstrap_optimism(CoxModel(), cohort, n_bootstrap=1)
    with pytest.raises(ModelError, match="method: found 'jackknife'"):
        bootstrap_optimism(CoxModel(), cohort, method="jackknife")


def test_samples_without_a_fit_are_counted(cohort):
    rare = cohort.drop(columns="study").assign(mark=0)
    rare.loc[rare.index[:2], "mark"] = 1
    found = bootstrap_optimism(
        CoxModel(covariates=["kps", "mark"]), rare, horizons=[6.0], n_bootstrap=30
    )
    assert 0 < found.n_failed < 15
    assert "samples left out" in found.notes[-1]
    assert "mark" in found.notes[-1]
