"""Fine-Gray regression against R: cmprsk::crr, and finegray with coxph."""

import json
from pathlib import Path

import numpy as np
import pytest

from outcomes.cox.subdistribution import fit_fine_gray

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "competing.json").read_text(encoding="utf-8")
)
TOLERANCE = REFERENCE["tolerance"]["fine_gray"]


def assert_equal(found, expected):
    np.testing.assert_allclose(
        np.asarray(found), np.asarray(expected, dtype=np.float64), rtol=TOLERANCE, atol=1e-300
    )


def steps_at_zero(fit, stratum=0):
    """Return the baseline's steps for a patient with all covariates 0, as crr gives them."""
    return np.diff(fit.baselines[stratum].hazard, prepend=0.0) * np.exp(
        -fit.center @ fit.coefficients
    )


def fit(data):
    return fit_fine_gray(
        data["x"],
        data["time"],
        data["event"],
        cause=data.get("cause", 1),
        censoring_groups=data.get("group"),
        strata=data.get("strata"),
        weights=data.get("weights"),
    )


@pytest.fixture(scope="module", params=REFERENCE["fine_gray"])
def pair(request):
    expected = REFERENCE["fine_gray"][request.param]
    return fit(expected["data"]), expected


def test_coefficients_and_likelihood(pair):
    found, expected = pair
    assert_equal(found.coefficients, expected["coefficients"])
    assert_equal(found.log_likelihood, expected["log_likelihood"])
    assert_equal(found.log_likelihood_null, expected["log_likelihood_null"])
    assert_equal(np.linalg.inv(found.information), expected["information_inverse"])


# With censoring groups crr counts the censoring of a group only in the risk sets of the group's own
# events. Ours is held against the derivative by the weights in test_fine_gray.py instead.
@pytest.mark.parametrize(
    "name",
    [name for name, one in REFERENCE["fine_gray"].items() if one["data"]["group"] is None],
)
def test_variance(name):
    expected = REFERENCE["fine_gray"][name]
    assert_equal(fit(expected["data"]).covariance, expected["variance"])


def test_baseline_and_prediction(pair):
    found, expected = pair
    assert_equal(found.baselines[0].times, expected["event_times"])
    assert_equal(steps_at_zero(found), expected["increments"])
    assert_equal(
        found.cumulative_incidence(expected["patients"], expected["horizons"]),
        expected["incidence"],
    )


def test_schoenfeld_residuals(pair):
    found, expected = pair
    times, first = np.unique(found.residual_times, return_index=True)
    assert_equal(times, expected["event_times"])
    # crr gives their sum at each time.
    sums = np.add.reduceat(found.residuals, first)
    np.testing.assert_allclose(sums, expected["residuals"], rtol=TOLERANCE, atol=1e-9)


@pytest.mark.parametrize("name", ["stratified", "replicated"])
def test_strata_and_weights(name):
    expected = REFERENCE[name]
    data = dict(expected["data"])
    if name == "stratified":
        # finegray has a censoring curve for each stratum.
        data["group"] = data["strata"]
    found = fit(data)
    assert_equal(found.coefficients, expected["coefficients"])
    assert_equal(found.log_likelihood, expected["log_likelihood"])
    assert_equal(np.linalg.inv(found.information), expected["information_inverse"])
    if name == "replicated":
        assert_equal(steps_at_zero(found), expected["increments"])
