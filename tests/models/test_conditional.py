"""Probabilities given that nothing has happened until a month, of every model."""

import json

import numpy as np
import pytest
from sklearn.base import clone

from outcomes.errors import ModelError
from outcomes.models import CoxModel, FineGrayModel, ForestModel, load_model, save_model
from outcomes.models.conditional import conditional_incidences
from outcomes.models.cox_interval import drawn_error, tsiatis_error
from outcomes.models.prediction import predict_table
from outcomes.models.probabilities import log_log_limits

MODELS = {
    f"{kind}-{name}": model(endpoint, covariates=["kps", "sbrt", "neurologic_deficit"], **options)
    for kind, model, options in (
        ("cox", CoxModel, {}),
        ("fine-gray", FineGrayModel, {}),
        ("forest", ForestModel, {"n_estimators": 20, "random_state": 3}),
    )
    for name, endpoint in (("survival", "overall-survival"), ("control", "local-control"))
}
TIMES = np.array([0.0, 2.0, 4.0, 4.5, 8.0, 12.0])
GIVEN = 4.0


@pytest.fixture(scope="module", params=list(MODELS))
def fitted(request, cohort):
    return clone(MODELS[request.param]).fit(cohort)


@pytest.mark.parametrize("series", [None, "amber", "mixed"])
def test_it_is_the_ratio_of_what_was_predicted_at_surgery(fitted, cohort, series):
    patients = cohort[:60]
    chosen = list(patients["study"]) if series == "mixed" else series
    later = TIMES > GIVEN
    free = fitted.predict_event_free(patients, GIVEN, series=chosen)
    given = fitted.predict_event_free(patients, TIMES, series=chosen, survived=GIVEN)
    whole = fitted.predict_event_free(patients, TIMES, series=chosen)
    np.testing.assert_allclose(given[:, later], whole[:, later] / free, atol=1e-12)
    assert (given[:, ~later] == 1).all()
    total = given.copy()
    for event in fitted.causes:
        start = fitted.predict_cumulative_incidence(patients, GIVEN, chosen, event)
        risk = fitted.predict_cumulative_incidence(patients, TIMES, chosen, event)
        found = fitted.predict_cumulative_incidence(patients, TIMES, chosen, event, GIVEN)
        np.testing.assert_allclose(found[:, later], (risk - start)[:, later] / free, atol=1e-12)
        assert (found[:, ~later] == 0).all()
        total += found
    np.testing.assert_allclose(total, 1.0, atol=1e-12)
    survival = fitted.predict_survival(patients, TIMES, series=chosen, survived=GIVEN)
    np.testing.assert_allclose(
        survival,
        1 - fitted.predict_cumulative_incidence(patients, TIMES, chosen, 1, GIVEN),
        atol=1e-12,
    )
    if len(fitted.causes) == 1:
        np.testing.assert_allclose(survival, given, atol=1e-12)


def test_nothing_given_is_the_prediction_at_surgery(fitted, cohort):
    np.testing.assert_array_equal(
        fitted.predict_survival(cohort[:9], TIMES, survived=0),
        fitted.predict_survival(cohort[:9], TIMES),
    )


@pytest.mark.parametrize("series", [None, "amber"])
def test_limits_lie_around_the_prediction(fitted, cohort, series):
    patients = cohort[:6]
    survival = fitted.predict_survival(patients, TIMES, series=series, survived=GIVEN)
    lower, upper = fitted.interval(patients, TIMES, series=series, survived=GIVEN)
    later = TIMES > GIVEN
    moved = later & (survival < 1).all(axis=0)
    assert moved[-1]
    assert (lower[:, moved] < survival[:, moved]).all()
    assert (survival[:, moved] < upper[:, moved]).all()
    assert (lower[:, ~later] == 1).all()
    assert (upper[:, ~later] == 1).all()
    narrow = fitted.interval(patients, TIMES, 0.5, series, GIVEN)
    assert (narrow[0][:, moved] > lower[:, moved]).all()


def test_limits_without_a_condition_hold_the_prediction(fitted, cohort):
    survival = fitted.predict_survival(cohort[:6], TIMES, series=list(cohort["study"][:6]))
    lower, upper = fitted.interval(cohort[:6], TIMES, series=list(cohort["study"][:6]))
    assert (lower <= survival).all()
    assert (survival <= upper).all()


def test_months_that_cannot_be_given_are_refused(fitted, cohort):
    with pytest.raises(ModelError, match=r"month 99, but the series amber can only be followed"):
        fitted.predict_survival(cohort[:2], [3.0], series="amber", survived=99)
    for value in (-1, float("nan"), "soon"):
        with pytest.raises(ModelError, match="survived: found"):
            fitted.predict_survival(cohort[:2], [3.0], survived=value)
    with pytest.raises(ModelError, match="level: found 2"):
        fitted.interval(cohort[:2], [3.0], level=2, survived=1)


def test_a_stored_model_gives_the_same(fitted, cohort, tmp_path):
    save_model(fitted, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    np.testing.assert_allclose(
        loaded.predict_survival(cohort[:9], TIMES, survived=GIVEN),
        fitted.predict_survival(cohort[:9], TIMES, survived=GIVEN),
        atol=0.1,
    )


def test_who_has_no_chance_left_is_named():
    start = np.array([[[0.5], [0.7]], [[0.2], [0.3]]])
    with pytest.raises(ModelError, match="row 2 was event-free at month 6"):
        conditional_incidences(start, start, np.array([7.0]), 6.0)


def test_closed_form_and_draws_agree(make_cohort):
    cohort = make_cohort(600, seed=8)
    model = CoxModel("overall-survival", covariates=["kps", "sbrt"], strata=None).fit(cohort)
    matrix, months = model.design_.matrix(cohort[:5]), np.array([6.0, 12.0, 20.0])
    closed = tsiatis_error(model.fits_[1], matrix, months, 0, 3.0)
    drawn = drawn_error([model.fits_[1]], model.series_, matrix, months, None, 3.0, 2000)
    np.testing.assert_allclose(closed, drawn, rtol=0.1)


def test_conditional_limits_are_those_of_patients_who_got_there(make_cohort):
    """Without covariates, S(t) / S(s) is the Kaplan-Meier curve of those at risk after s."""
    cohort = make_cohort(800, seed=9).assign(constant=1)
    later = cohort[cohort["os_months"] > 3].assign(os_months=lambda table: table["os_months"] - 3)
    cox = CoxModel("overall-survival", covariates=[], strata=None)
    lower, upper = cox.fit(cohort).interval(cohort[:1], [6.0, 15.0], survived=3.0)
    others = cox.fit(later).interval(later[:1], [3.0, 12.0])
    np.testing.assert_allclose(lower, others[0], rtol=1e-9)
    np.testing.assert_allclose(upper, others[1], rtol=1e-9)


def test_the_table_of_predictions_takes_it(cohort):
    model = clone(MODELS["cox-control"]).fit(cohort)
    table = predict_table(model, cohort[:3], [6.0, 12.0], series="amber", survived=4.0)
    expected = model.predict_survival(cohort[:3], [6.0, 12.0], series="amber", survived=4.0)
    np.testing.assert_array_equal(table["probability"], expected.ravel())
    assert json.loads(table.to_json())["lower"]["0"] < expected[0, 0]


def test_a_huge_standard_error_gives_the_limits_0_and_1():
    lower, upper = log_log_limits(np.array([1e-9]), np.array([1e4]), 1.96)
    assert (lower[0], upper[0]) == (0.0, 1.0)
