"""Partial dependence."""

import numpy as np
import pytest

from outcomes.errors import ModelError
from outcomes.models import CoxModel, ForestModel, partial_dependence


@pytest.fixture(scope="module", params=["cox", "forest"])
def model(request, cohort):
    made = {"cox": CoxModel(), "forest": ForestModel(n_estimators=20, random_state=0)}
    return made[request.param].fit(cohort)


def test_it_is_the_mean_prediction_with_the_value_set(model, cohort):
    result = partial_dependence(model, cohort, "kps", [6.0, 12.0], values=[50, 90], individual=True)
    for k, value in enumerate(result.values):
        expected = model.predict_survival(cohort.assign(kps=value), [6.0, 12.0])
        np.testing.assert_array_equal(result.individual[k], expected)
        np.testing.assert_allclose(result.survival[k], expected.mean(axis=0), rtol=1e-12)
    assert (result.survival[1] > result.survival[0]).all()
    frame = result.to_frame()
    assert list(frame.columns) == ["covariate", "value", "month", "survival", "lower", "upper"]
    assert len(frame) == 4
    assert frame["lower"].isna().all()


def test_a_regimen_brings_its_sbrt(model, cohort):
    result = partial_dependence(model, cohort, "dose_regimen", [6.0])
    assert set(result.values) == set(cohort["dose_regimen"])
    with pytest.raises(ModelError, match="vary dose_regimen"):
        partial_dependence(model, cohort, "sbrt", [6.0])


def test_default_values_and_series(model, cohort):
    result = partial_dependence(model, cohort, "separation_mm", [6.0], series="birch", n_values=5)
    low, high = np.quantile(cohort["separation_mm"], [0.05, 0.95])
    assert result.values[0] == pytest.approx(low)
    assert result.values[-1] == pytest.approx(high)
    assert partial_dependence(model, cohort, "embolization", [6.0]).values == (False, True)
    own = partial_dependence(model, cohort, "kps", [6.0], values=[70], series=list(cohort["study"]))
    assert 0 < own.survival[0, 0] < 1


def test_limits_come_from_refits_and_hold_the_mean(cohort):
    model = CoxModel(covariates=["kps"]).fit(cohort)
    options = {"values": [50, 90], "n_bootstrap": 20}
    result = partial_dependence(model, cohort, "kps", [6.0], **options)
    assert (result.lower < result.survival).all()
    assert (result.survival < result.upper).all()
    again = partial_dependence(model, cohort, "kps", [6.0], jobs=2, **options)
    np.testing.assert_array_equal(result.lower, again.lower)


def test_wrong_settings_are_refused(model, cohort):
    with pytest.raises(ModelError, match=r"covariate: found 'hair'; allowed: kps"):
        partial_dependence(model, cohort, "hair", [6.0])
    for setting in ({"values": []}, {"n_values": 1}, {"n_bootstrap": 1}, {"level": 0.0}):
        with pytest.raises(ModelError, match=next(iter(setting))):
            partial_dependence(model, cohort, "kps", [6.0], **setting)
