"""What every model must do, whatever its kind and endpoint."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from outcomes.endpoints import get_endpoint
from outcomes.errors import ModelError, OutcomesError
from outcomes.models import CoxModel, FineGrayModel, ForestModel, load_model, save_model

MODELS = {
    "cox-survival": CoxModel("overall-survival"),
    "cox-control": CoxModel("local-control"),
    "fine-gray-survival": FineGrayModel("overall-survival"),
    "fine-gray-control": FineGrayModel("local-control"),
    "forest-survival": ForestModel("overall-survival", n_estimators=20, random_state=3),
    "forest-control": ForestModel("local-control", n_estimators=20, random_state=3),
}
TIMES = [0.0, 1.0, 3.0, 6.0, 12.0, 13.0]


@pytest.fixture(scope="module", params=list(MODELS))
def fitted(request, cohort):
    return clone(MODELS[request.param]).fit(cohort)


def test_probabilities_lie_between_0_and_1_and_fall(fitted, cohort):
    for series in (None, "birch", list(cohort["study"])):
        survival = fitted.predict_survival(cohort, TIMES, series=series)
        assert survival.shape == (len(cohort), len(TIMES))
        assert ((survival >= 0) & (survival <= 1)).all()
        assert (np.diff(survival, axis=1) <= 1e-12).all()
        assert (survival[:, 0] == 1).all()
        assert (survival[:, -1] < 1).any()


def test_incidences_and_event_free_sum_to_1(fitted, cohort):
    for series in (None, "amber"):
        total = fitted.predict_event_free(cohort, TIMES, series=series)
        for event in fitted.causes:
            total = total + fitted.predict_cumulative_incidence(
                cohort, TIMES, series=series, event=event
            )
        np.testing.assert_allclose(total, 1.0, atol=1e-12)


def test_survival_is_the_complement_of_the_first_event(fitted, cohort):
    survival = fitted.predict_survival(cohort, TIMES)
    np.testing.assert_allclose(
        survival, 1 - fitted.predict_cumulative_incidence(cohort, TIMES), atol=1e-14
    )


def test_order_of_times_is_kept(fitted, cohort):
    forward = fitted.predict_survival(cohort[:5], [3, 6, 12])
    backward = fitted.predict_survival(cohort[:5], [12, 6, 3])
    np.testing.assert_array_equal(forward, backward[:, ::-1])
    assert fitted.predict_survival(cohort[:5], 6).shape == (5, 1)


def test_column_order_extra_columns_and_index_do_not_matter(fitted, cohort):
    changed = cohort[sorted(cohort.columns)].assign(noise=1.5)
    changed.index = range(1000, 1000 + len(changed))
    np.testing.assert_array_equal(
        fitted.predict_survival(cohort, TIMES), fitted.predict_survival(changed, TIMES)
    )
    refitted = clone(fitted).fit(changed)
    np.testing.assert_allclose(
        fitted.predict_survival(cohort, TIMES), refitted.predict_survival(cohort, TIMES), atol=1e-12
    )


def test_fit_is_idempotent_and_leaves_the_cohort_alone(fitted, cohort):
    before = cohort.copy()
    again = clone(fitted).fit(cohort)
    first = again.predict_survival(cohort, TIMES)
    np.testing.assert_array_equal(first, again.fit(cohort).predict_survival(cohort, TIMES))
    np.testing.assert_array_equal(first, fitted.predict_survival(cohort, TIMES))
    pd.testing.assert_frame_equal(before, cohort)


def test_fit_takes_the_response_as_y(fitted, cohort):
    endpoint = get_endpoint(fitted.endpoint)
    covariates = cohort.drop(columns=list(endpoint.columns))
    other = clone(fitted).fit(covariates, endpoint.response(cohort))
    np.testing.assert_array_equal(
        fitted.predict_survival(cohort, TIMES), other.predict_survival(cohort, TIMES)
    )


def test_scikit_learn_cross_val_score(fitted, cohort):
    folds = KFold(2, shuffle=True, random_state=0)
    y = get_endpoint(fitted.endpoint).response(cohort)
    scores = cross_val_score(clone(fitted), cohort, y, cv=folds)
    assert np.isfinite(scores).all()
    assert (scores > 0.5).all()
    np.testing.assert_array_equal(scores, cross_val_score(clone(fitted), cohort, cv=folds))


def test_scikit_learn_grid_search_in_a_pipeline(fitted, cohort):
    pipeline = Pipeline([("keep", FunctionTransformer()), ("model", clone(fitted))])
    name, values = {
        "cox": ("penalizer", [0.0, 0.1]),
        "fine-gray": ("separation", ["threshold", "linear"]),
        "forest": ("min_samples_leaf", [10, 40]),
    }[fitted.kind]
    search = GridSearchCV(pipeline, {f"model__{name}": values}, cv=2).fit(cohort)
    assert search.best_params_[f"model__{name}"] in values
    assert search.predict(cohort).shape == (len(cohort),)


def test_scikit_learn_grid_search_over_endpoints(fitted, cohort):
    endpoints = [get_endpoint("overall-survival"), get_endpoint("local-control")]
    search = GridSearchCV(clone(fitted), {"endpoint": endpoints}, cv=2, n_jobs=None).fit(cohort)
    assert search.best_params_["endpoint"] in endpoints


def test_a_model_of_an_endpoint_object_can_be_copied(fitted, cohort):
    endpoint = get_endpoint(fitted.endpoint)
    model = clone(fitted).set_params(endpoint=endpoint).fit(cohort)
    for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):  # noqa: S301 - our own
        assert copied.endpoint == endpoint
        assert hash(copied.endpoint) == hash(endpoint)
        np.testing.assert_array_equal(
            copied.predict_survival(cohort[:9], TIMES), model.predict_survival(cohort[:9], TIMES)
        )


def test_an_array_of_another_width_is_refused(fitted, cohort, tmp_path):
    X = cohort[["kps", "separation_mm", "sbrt"]].to_numpy(dtype=float)
    model = clone(fitted).fit(X, get_endpoint(fitted.endpoint).response(cohort))
    save_model(model, tmp_path / "m")
    for one in (model, load_model(tmp_path / "m")):
        assert one.n_features_in_ == 3
        assert not hasattr(one, "feature_names_in_")
        for predict in (one.predict, lambda X, one=one: one.predict_survival(X, [3.0])):
            assert len(predict(X)) == len(X)
            with pytest.raises(ModelError, match="found 6 columns; allowed: the 3"):
                predict(np.hstack([X, X]))
            with pytest.raises(ModelError, match="found 2 columns; allowed: the 3"):
                predict(X[:, :2])


@pytest.mark.parametrize("name", ["death", "os_months", "lp_event", "vas_after", "frankel_after"])
def test_outcomes_are_no_covariates(fitted, cohort, name):
    known = cohort.assign(vas_after=np.arange(len(cohort)) % 10, frankel_after="E")
    with pytest.raises(ModelError, match=f"found {name}; outcomes and measures taken after"):
        clone(fitted).set_params(covariates=["kps", name]).fit(known)


def test_parameters_are_kept_as_given(fitted, cohort):
    assert clone(fitted).get_params() == fitted.get_params()
    endpoint = get_endpoint(fitted.endpoint)
    by_object = clone(clone(fitted).set_params(endpoint=endpoint)).fit(cohort)
    np.testing.assert_array_equal(
        by_object.predict_survival(cohort, TIMES), fitted.predict_survival(cohort, TIMES)
    )


def test_higher_score_means_higher_risk(fitted, cohort):
    risk = 1 - fitted.predict_survival(cohort, [6.0], series="amber")[:, 0]
    score = fitted.predict(cohort, series="amber")
    assert np.corrcoef(pd.Series(risk).rank(), pd.Series(score).rank())[0, 1] > 0.8
    assert fitted.score(cohort) > 0.6


def test_series_differ_and_the_average_lies_between(fitted, cohort):
    curves = {
        name: fitted.predict_survival(cohort, [6.0], series=name)
        for name in ("amber", "birch", "cedar")
    }
    weights = cohort["study"].value_counts(normalize=True)
    average = sum(weights[name] * curve for name, curve in curves.items())
    np.testing.assert_allclose(fitted.predict_survival(cohort, [6.0]), average, atol=1e-12)
    free = [fitted.predict_event_free(cohort, [6.0], series=name) for name in ("amber", "birch")]
    assert np.abs(free[0] - free[1]).mean() > 0.004


def test_a_series_per_patient(fitted, cohort):
    names = ["amber", "birch", "cedar"]
    mixed = fitted.predict_survival(cohort[:3], TIMES, series=names)
    for row, name in enumerate(names):
        alone = fitted.predict_survival(cohort[row : row + 1], TIMES, series=name)
        np.testing.assert_allclose(mixed[row], alone[0], atol=1e-14)


def test_no_prediction_beyond_the_follow_up(fitted, cohort):
    end = fitted.follow_up_["cedar"]
    fitted.predict_survival(cohort[:2], [end], series="cedar")
    with pytest.raises(ModelError, match="cedar can only be followed until month 13"):
        fitted.predict_survival(cohort[:2], [end + 0.01], series="cedar")
    longest = max(fitted.follow_up_.values())
    beyond = fitted.predict_survival(cohort[:2], [end, 0.5 * (end + longest), longest])
    assert (np.diff(beyond, axis=1) <= 0).all()
    with pytest.raises(ModelError, match="can only be followed until month"):
        fitted.predict_survival(cohort[:2], [longest + 1])


@pytest.mark.parametrize("times", [[], [-1.0], [np.nan], [np.inf], ["soon"], [[1.0, 2.0]]])
def test_what_is_no_month_is_refused(fitted, cohort, times):
    with pytest.raises(ModelError, match="times"):
        fitted.predict_survival(cohort[:2], times)


def test_unknown_series_and_events_are_refused(fitted, cohort):
    with pytest.raises(ModelError, match=r"unknown series 'delta'.*amber, birch, cedar"):
        fitted.predict_survival(cohort[:2], [3.0], series="delta")
    with pytest.raises(ModelError, match="names for 2 patients"):
        fitted.predict_survival(cohort[:2], [3.0], series=["amber"])
    with pytest.raises(ModelError, match="event: found 7"):
        fitted.predict_cumulative_incidence(cohort[:2], [3.0], event=7)


def test_an_unfitted_model_says_so(fitted, cohort):
    with pytest.raises(NotFittedError):
        clone(fitted).predict_survival(cohort, TIMES)


def test_stored_and_loaded_the_model_is_the_same(fitted, cohort, tmp_path):
    path = tmp_path / "model.anything"
    save_model(fitted, path, provenance={"seed": 7})
    loaded = load_model(path)
    assert loaded.get_params() == fitted.get_params()
    assert loaded.provenance_ == {"seed": 7}
    assert list(loaded.feature_names_in_) == list(fitted.feature_names_in_)
    # The file holds baselines on a coarse grid; see test_coarse_baselines.py.
    tolerance = 0.0 if fitted.kind == "forest" else 0.1
    for series in (None, "birch"):
        np.testing.assert_allclose(
            loaded.predict_survival(cohort, TIMES, series=series),
            fitted.predict_survival(cohort, TIMES, series=series),
            rtol=0,
            atol=tolerance,
        )
    np.testing.assert_array_equal(loaded.predict(cohort), fitted.predict(cohort))
    again = tmp_path / "again"
    save_model(loaded, again)
    assert again.read_bytes() == path.read_bytes()


def test_a_loaded_model_can_be_fitted_anew(fitted, cohort, tmp_path):
    save_model(fitted, tmp_path / "model")
    refitted = load_model(tmp_path / "model").fit(cohort)
    np.testing.assert_array_equal(
        refitted.predict_survival(cohort, TIMES), fitted.predict_survival(cohort, TIMES)
    )


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("kps", np.nan, "kps: missing in row"),
        ("kps", np.inf, "kps: found inf"),
        ("kps", "good", "kps: found 'good'"),
        ("sbrt", "perhaps", "sbrt: found 'perhaps'"),
        ("dose_regimen", "double", "dose_regimen: found 'double'"),
        ("separation_mm", np.nan, "separation_mm: missing in row 2"),
        ("neurologic_deficit", 2, "neurologic_deficit: found 2"),
    ],
)
def test_unusable_values_are_refused_with_their_row(fitted, cohort, column, values, message):
    patients = cohort[:3].astype({column: object})
    patients.iloc[1, patients.columns.get_loc(column)] = values
    with pytest.raises(ModelError, match=message) as caught:
        fitted.predict_survival(patients, [3.0])
    assert "row 2" in str(caught.value)


def test_a_missing_column_is_refused(fitted, cohort):
    with pytest.raises(ModelError, match="missing column: kps"):
        fitted.predict_survival(cohort.drop(columns="kps"), [3.0])


def test_data_that_cannot_carry_a_model_are_refused(fitted, cohort):
    time, event = get_endpoint(fitted.endpoint).columns
    with pytest.raises(ModelError, match="no patients"):
        clone(fitted).fit(cohort[:0])
    with pytest.raises(ModelError, match="no patient had the event"):
        clone(fitted).fit(cohort.assign(**{event: 0}))
    with pytest.raises(OutcomesError, match="at least 0"):
        clone(fitted).fit(cohort.assign(**{time: -1.0}))
    with pytest.raises(ModelError, match=r"constant.*age"):
        clone(fitted).set_params(covariates=["kps", "age"]).fit(cohort.assign(age=60.0))
    with pytest.raises(ModelError, match="kps stands in the table more than once"):
        clone(fitted).fit(pd.concat([cohort, cohort[["kps"]]], axis=1))
    with pytest.raises(ModelError, match="missing columns: age"):
        clone(fitted).set_params(covariates=["kps", "age"]).fit(cohort)
    with pytest.raises(ModelError, match="named twice"):
        clone(fitted).set_params(covariates=["kps", "kps"]).fit(cohort)
    with pytest.raises(OutcomesError, match="unknown endpoint"):
        clone(fitted).set_params(endpoint="happiness").fit(cohort)
    with pytest.raises(ModelError, match="30 levels"):
        clone(fitted).set_params(covariates=["patient_id"]).fit(cohort)


def test_covariates_left_out_are_noted(fitted, cohort):
    own = fitted.notes_
    assert not any("left out" in note for note in own)
    flat = clone(fitted).fit(cohort.assign(complication=False).drop(columns="embolization"))
    assert {"complication", "embolization"} == {
        note.split()[0] for note in flat.notes_ if note not in own
    }


def test_arrays_of_covariates_will_do(fitted, cohort):
    X = cohort[["kps", "separation_mm"]].to_numpy()
    y = get_endpoint(fitted.endpoint).response(cohort)
    model = clone(fitted).fit(X, y)
    assert model.predict_survival(X, [3.0]).shape == (len(X), 1)
    assert model.design_.names == ("x1", "x2")
    with pytest.raises(ModelError, match="knows: none"):
        model.predict_survival(X, [3.0], series="amber")


def test_one_series_needs_no_name(fitted, cohort):
    one = cohort[cohort["study"] == "amber"]
    model = clone(fitted).fit(one)
    np.testing.assert_array_equal(
        model.predict_survival(one, TIMES), model.predict_survival(one, TIMES, series="amber")
    )
    unnamed = clone(fitted).fit(one.drop(columns="study"))
    np.testing.assert_allclose(
        model.predict_survival(one, TIMES), unnamed.predict_survival(one, TIMES), atol=1e-12
    )
