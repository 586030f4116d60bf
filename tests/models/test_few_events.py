"""Limits where few events stand behind a prediction: near surgery, and in models from a file."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from outcomes.models import CoxModel, FineGrayModel, load_model, save_model
from outcomes.models.coarsening import coarsen_baseline
from outcomes.models.few_events import (
    end_of_first,
    first_together,
    largest_part,
    one_more,
    spread_steps,
)
from outcomes.models.proportional_hazards import Baseline
from outcomes.models.series import SeriesSet

PAIR = ["kps", "neurologic_deficit"]
ENDPOINTS = {"overall-survival": ("os_months", "death"), "local-control": ("lp_months", "lp_event")}
# By so much the limits of a loaded model differ at most from the saved model's.
TOLERANCE = 0.06


@pytest.fixture(scope="module")
def small(make_cohort):
    """A cohort whose last series has 60 patients."""
    cohort = make_cohort(700, seed=4)
    return cohort.drop(cohort.index[cohort["study"] == "cedar"][60:])


@pytest.fixture(scope="module", params=[CoxModel, FineGrayModel])
def pair(request, small, tmp_path_factory):
    """By endpoint, a model and the same from its file."""
    models = {}
    for endpoint in ENDPOINTS:
        model = request.param(endpoint, covariates=PAIR).fit(small)
        path = tmp_path_factory.mktemp("few") / "model"
        save_model(model, path)
        models[endpoint] = model, load_model(path)
    return models


def months_of_events(cohort, endpoint, series, since=0.0):
    time, event = ENDPOINTS[endpoint]
    own = cohort if series is None else cohort[cohort["study"] == series]
    months = np.sort(own.loc[own[event] == 1, time].to_numpy())
    return months[months > since]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("series", [None, "amber", "birch"])
@pytest.mark.parametrize("survived", [0.0, 4.0])
def test_a_loaded_model_has_the_limits_of_the_saved_one(pair, small, endpoint, series, survived):
    model, loaded = pair[endpoint]
    # From the fifth event on; before, a file does not say when the events were.
    fifth = months_of_events(small, endpoint, series, survived)[4]
    months = fifth + np.array([0.1, 1.0, 3.0, 6.0])
    for one, two in zip(
        model.interval(small[:8], months, series=series, survived=survived),
        loaded.interval(small[:8], months, series=series, survived=survived),
        strict=True,
    ):
        np.testing.assert_allclose(one, two, atol=TOLERANCE)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("series", [None, "cedar"])
@pytest.mark.parametrize("survived", [0.0, 4.0])
def test_limits_near_surgery_are_never_absurd(pair, small, endpoint, series, survived):
    months = survived + np.array([0.0, 1e-6, 0.01, 0.1, 0.5, 1.0, 2.0])
    for model in pair[endpoint]:
        lower, upper = model.interval(small[:8], months, series=series, survived=survived)
        survival = model.predict_survival(small[:8], months, series=series, survived=survived)
        assert ((lower <= survival) & (survival <= upper)).all()
        assert (lower[:, 0] == 1).all()
        # Few of the series of 60 had the event, and one of the rows has twice the usual risk.
        assert (survival - lower < (0.45 if series else 0.1)).all()
        assert (np.diff(lower, axis=1) <= 1e-3).all()
        assert (np.diff(upper, axis=1) <= 1e-3).all()
        rests_on_draws = series is None or endpoint == "local-control"
        if model.kind == "cox" and (rests_on_draws or model.coarse_difference_ is not None):
            assert (lower[:, 1] < 1).all()


@pytest.mark.parametrize("kind", [CoxModel, FineGrayModel])
def test_limits_of_the_first_events_are_those_of_counts(make_cohort, kind):
    cohort = make_cohort(1200, seed=8)
    cohort = cohort.assign(lp_months=np.round(cohort["lp_months"] + 0.005, 4)).drop(columns="study")
    model = kind("local-control", covariates=["kps"]).fit(cohort)
    # The drawn limits: by a Fine-Gray model, of a probability given a month.
    survived = 0.0 if kind is CoxModel else 1.0
    months = months_of_events(cohort, "local-control", None, survived)[[0, 1, 2, 4, 9]]
    mean = pd.DataFrame({"kps": [cohort["kps"].mean()]})
    lower, upper = model.interval(mean, months, survived=survived)
    found = model.predict_survival(mean, months, survived=survived)[0]
    for count, low, up, survival in zip((1, 2, 3, 5, 10), lower[0], upper[0], found, strict=True):
        one = -np.log(survival) / count
        # Garwood's limits of a Poisson count; those of the draws may be a little wider.
        most, least = chi2.ppf(0.975, 2 * count + 2) / 2, chi2.ppf(0.025, 2 * count) / 2
        assert 0.95 * most < -np.log(low) / one < 1.2 * most
        assert 0.75 * least - 0.03 < -np.log(up) / one < 1.06 * least


@pytest.mark.parametrize("options", [{"robust": True}, {"time_dependent": True}])
def test_other_cox_models_keep_their_limits_in_a_file(small, tmp_path, options):
    start = np.where(small["sbrt"], 0.5 + small["kps"] / 100, np.nan)
    cohort = small.assign(sbrt_start_months=start)
    cohort = cohort[~(cohort["os_months"] < cohort["sbrt_start_months"])]
    model = CoxModel(covariates=["sbrt", "kps"], **options).fit(cohort)
    save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    for series, survived in (("amber", 0.0), ("amber", 2.2), (None, 0.0)):
        months = survived + np.array([0.01, 1.5, 3.0, 6.0])
        saved = model.interval(cohort[:8], months, series=series, survived=survived)
        again = loaded.interval(cohort[:8], months, series=series, survived=survived)
        np.testing.assert_allclose(saved, again, atol=TOLERANCE)
        assert (np.diff(again, axis=0) < 0.25).all()


def test_first_events_by_hand():
    times, deaths = np.arange(1.0, 9.0), np.array([1.0, 1, 2, 1, 1, 1, 1, 1])
    exact = Baseline(times, deaths / 10, deaths, np.arange(8.0)[:, None])
    together = first_together(exact)
    np.testing.assert_allclose(together.times, [4, 5, 6, 7, 8])
    np.testing.assert_allclose(together.increments, [0.5, 0.1, 0.1, 0.1, 0.1])
    np.testing.assert_allclose(together.means[0], (0 + 1 + 2 * 2 + 3) / 5)
    np.testing.assert_allclose(spread_steps(exact, together.increments), exact.increments)
    twice = spread_steps(exact, np.array([1.0, 0.1, 0.1, 0.1, 0.1]))
    np.testing.assert_allclose(twice, [0.2, 0.2, 0.4, 0.2, 0.1, 0.1, 0.1, 0.1])
    # From month 2 on; and from month 6, after which only two events come.
    np.testing.assert_allclose(first_together(exact, 2.0).times, [1, 2, 6, 7, 8])
    np.testing.assert_allclose(first_together(exact, 6.0).times, [1, 2, 3, 4, 5, 6, 8])
    assert [end_of_first(times, deaths, since) for since in (0, 2, 6, 8)] == [4, 6, 8, 8]
    assert one_more(times, exact.increments, deaths) == pytest.approx(0.1)
    assert one_more(times, exact.increments, deaths, 8.0) == 0
    none = Baseline(np.empty(0), np.empty(0), np.empty(0), np.empty((0, 1)))
    assert first_together(none).times.size == 0
    assert one_more(none.times, none.increments, none.deaths) == 0
    coarse = coarsen_baseline(exact, 9.0)
    assert end_of_first(coarse.times, coarse.deaths) >= 4


def test_one_event_more_in_an_average():
    series = SeriesSet(("a", "b"), (30, 10), (5.0, 9.0))
    assert largest_part([0.1, 0.2], series, None) == pytest.approx(0.075)
    assert largest_part([0.1, 0.2], series, "b") == pytest.approx(0.2)
    # After the first series' end the other is all that is left.
    assert largest_part([0.0, 0.2], series, None, 6.0) == pytest.approx(0.2)
