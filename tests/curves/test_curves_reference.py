"""Against R: survival (survfit, survdiff) and cmprsk (cuminc)."""

import json
from pathlib import Path

import numpy as np
import pytest

from outcomes.curves import (
    aalen_johansen,
    gray_test,
    kaplan_meier,
    log_rank_test,
    restricted_mean_survival_time,
    restricted_mean_time_lost,
)

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "curves.json").read_text(encoding="utf-8")
)
EXACT = REFERENCE["tolerance"]["curves"]
GRAY = REFERENCE["tolerance"]["gray"]


def assert_equal(found, expected, tolerance=EXACT, where=None):
    """Compare relative to R's values; a missing one must be missing."""
    expected = np.array(expected, dtype=np.float64)
    found = np.asarray(found, dtype=np.float64)
    known = ... if where is None else where
    np.testing.assert_allclose(found[known], expected[known], rtol=tolerance, atol=1e-300)


@pytest.mark.parametrize("name", REFERENCE["kaplan_meier"])
def test_survfit(name):
    expected = REFERENCE["kaplan_meier"][name]
    data = expected["data"]
    curve = kaplan_meier(data["time"], data["event"], entry=data["entry"], weights=data["weights"])
    assert_equal(curve.times, expected["time"])
    assert_equal(curve.survival.values, expected["survival"])
    # A curve at 0 has no standard error; survfit's robust one is 0 there by convention.
    alive = curve.survival.values > 0
    assert_equal(curve.standard_error, expected["standard_error"], where=alive)
    if data["weights"] is None:
        assert_equal(curve.at_risk, expected["n_risk"])
        assert_equal(curve.events, expected["n_event"])
    for transform, key in (("log-log", "log_log"), ("plain", "plain")):
        lower, upper = curve.interval(transform=transform)
        assert_equal(lower, expected[key]["lower"], where=alive)
        assert_equal(upper, expected[key]["upper"], where=alive)


@pytest.mark.parametrize("name", REFERENCE["kaplan_meier"])
def test_quantiles(name):
    expected = REFERENCE["kaplan_meier"][name]
    data = expected["data"]
    curve = kaplan_meier(data["time"], data["event"], entry=data["entry"], weights=data["weights"])
    for position, probability in enumerate((0.25, 0.5, 0.75)):
        quantile = curve.quantile(probability)
        for part in ("value", "lower", "upper"):
            assert_equal(getattr(quantile, part), expected["quartiles"][part][position])


@pytest.mark.parametrize(
    "name", [name for name, one in REFERENCE["kaplan_meier"].items() if "restricted_mean" in one]
)
def test_restricted_mean_survival_time(name):
    expected = REFERENCE["kaplan_meier"][name]
    curve = kaplan_meier(expected["data"]["time"], expected["data"]["event"])
    means = expected["restricted_mean"]
    for position, horizon in enumerate(means["horizon"]):
        mean = restricted_mean_survival_time(curve, horizon)
        assert_equal(mean.value, means["value"][position])
        assert_equal(mean.standard_error, means["standard_error"][position])


@pytest.mark.parametrize("name", REFERENCE["aalen_johansen"])
def test_survfit_competing_risks(name):
    expected = REFERENCE["aalen_johansen"][name]
    curve = aalen_johansen(expected["data"]["time"], expected["data"]["event"])
    assert_equal(curve.times, expected["time"])
    for position, cause in enumerate(curve.causes):
        values = curve.incidence[cause].values
        assert_equal(values, expected["incidence"][position])
        assert_equal(curve.standard_error[cause], expected["standard_error"][position])
        lower, upper = curve.interval(cause)
        assert_equal(lower, expected["lower"][position], where=values > 0)
        assert_equal(upper, expected["upper"][position], where=values > 0)


@pytest.mark.parametrize("name", REFERENCE["aalen_johansen"])
def test_cuminc_variance(name):
    expected = REFERENCE["aalen_johansen"][name]
    data = expected["data"]
    curve = aalen_johansen(data["time"], data["event"], variance="aalen")
    for position, cause in enumerate(curve.causes):
        assert_equal(curve.standard_error[cause] ** 2, expected["aalen_variance"][position])


@pytest.mark.parametrize("name", REFERENCE["aalen_johansen"])
def test_restricted_mean_time_lost(name):
    expected = REFERENCE["aalen_johansen"][name]
    curve = aalen_johansen(expected["data"]["time"], expected["data"]["event"])
    for one in expected["time_lost"]:
        for position, cause in enumerate(curve.causes):
            mean = restricted_mean_time_lost(curve, cause, one["horizon"])
            assert_equal(mean.value, one["value"][position])
            assert_equal(mean.standard_error, one["standard_error"][position])


@pytest.mark.parametrize("name", REFERENCE["log_rank"])
def test_survdiff(name):
    expected = REFERENCE["log_rank"][name]
    data = expected["data"]
    test = log_rank_test(data["time"], data["event"], data["group"], strata=data["strata"])
    assert test.degrees_of_freedom == expected["df"]
    for part in ("statistic", "p", "observed", "expected", "variance"):
        assert_equal(getattr(test, part), expected[part])


@pytest.mark.parametrize("name", REFERENCE["gray"])
def test_cuminc_gray(name):
    expected = REFERENCE["gray"][name]
    data = expected["data"]
    for position, cause in enumerate(expected["causes"]):
        test = gray_test(
            data["time"], data["event"], data["group"], cause=cause, strata=data["strata"]
        )
        assert test.degrees_of_freedom == expected["df"][position]
        assert test.statistic == pytest.approx(expected["statistic"][position], rel=GRAY)
        assert test.p == pytest.approx(expected["p"][position], rel=GRAY, abs=1e-12)
