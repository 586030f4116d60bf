"""Scores against scikit-survival, R, and brute force."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sksurv.metrics import (
    brier_score,
    concordance_index_censored,
    concordance_index_ipcw,
    cumulative_dynamic_auc,
    integrated_brier_score,
)
from sksurv.util import Surv

from outcomes.curves import aalen_johansen
from outcomes.models.concordance import concordance, weighted_concordance
from outcomes.models.ipcw import estimate_censoring
from outcomes.models.pseudo import pseudo_risks
from outcomes.models.recalibration import calibration_in_the_large, calibration_slope
from outcomes.models.scores import brier_scores, dynamic_auc, integrate


def survival_data(n: int = 300):
    rng = np.random.default_rng(5)
    score = rng.normal(size=n)
    died = rng.exponential(np.exp(-0.7 * score)) * 12
    followed = rng.uniform(2, 40, n)
    time = np.minimum(died, followed)
    event = (died <= followed).astype(np.int64)
    return time, event, score


@pytest.fixture(scope="module")
def melanoma(reference):
    expected = reference["competing"]
    data = pd.DataFrame(expected["data"])
    return (
        expected,
        data["time"].to_numpy(),
        data["status"].to_numpy().astype(np.int64),
        np.array(expected["risk"]),
        np.array(expected["months"], dtype=float),
    )


def test_concordance_equals_scikit_survival_and_r(reference):
    time, event, score = survival_data()
    expected = concordance_index_censored(event == 1, time, score)[0]
    assert concordance(time, event, score) == pytest.approx(expected, abs=1e-12)
    lung = pd.DataFrame(reference["cox"][0]["data"])
    found = concordance(
        lung["time"].to_numpy(),
        lung["status"].to_numpy().astype(np.int64),
        np.array(reference["concordance"]["marker"]),
    )
    assert found == pytest.approx(reference["concordance"]["value"], abs=1e-9)


def test_weighted_concordance_equals_scikit_survival():
    time, event, score = survival_data()
    y = Surv.from_arrays(event == 1, time)
    censoring = estimate_censoring(time, event)
    found = weighted_concordance(
        time, event, score, np.ones((len(time), 1)), censoring=censoring.before_own_time, horizon=20
    )
    assert found[0] == pytest.approx(concordance_index_ipcw(y, y, score, tau=20)[0], abs=1e-12)


def test_bootstrap_weights_are_repeated_patients():
    time, event, score = survival_data(60)
    counts = np.random.default_rng(0).multinomial(60, np.full(60, 1 / 60))
    weighted = weighted_concordance(time, event, score, counts[:, None].astype(float))[0]
    later = (time[None, :] > time[:, None]) & (event[:, None] == 1)
    higher = (score[:, None] > score[None, :]) * 1.0
    pairs = later * counts[:, None] * counts[None, :]
    assert weighted == pytest.approx((pairs * higher).sum() / pairs.sum(), abs=1e-12)


def test_concordance_compares_within_groups_only():
    time = np.array([1.0, 2.0, 1.5, 3.0])
    event = np.ones(4, dtype=np.int64)
    score = np.array([2.0, 1.0, 5.0, 6.0])
    groups = np.array(["a", "a", "b", "b"], dtype=object)
    # Right in a, wrong in b; the pairs between a and b do not count.
    assert concordance(time, event, score, groups) == 0.5


def test_a_competing_event_outlives_everyone():
    time = np.array([5.0, 1.0])
    event = np.array([1, 2])
    assert concordance(time, event, np.array([1.0, 0.0])) == 1.0
    assert concordance(time, event, np.array([0.0, 1.0])) == 0.0
    assert np.isnan(concordance(time, np.array([0, 0]), np.array([0.0, 1.0])))


def test_brier_and_auc_equal_scikit_survival():
    time, event, score = survival_data()
    y = Surv.from_arrays(event == 1, time)
    months = np.linspace(1.0, 20.0, 12)
    risk = 1 - np.exp(-months[None, :] / 12 * np.exp(0.7 * score)[:, None])
    censoring = estimate_censoring(time, event)
    known, ones = np.ones(risk.shape, dtype=bool), np.ones((len(time), 1))
    scores = brier_scores(risk, months, known, censoring, ones)
    np.testing.assert_allclose(scores[:, 0], brier_score(y, y, 1 - risk, months)[1], rtol=1e-10)
    assert integrate(scores, months)[0] == pytest.approx(
        integrated_brier_score(y, y, 1 - risk, months), rel=1e-10
    )
    expected = cumulative_dynamic_auc(y, y, score, months)[0]
    everyone = np.arange(len(time))
    for k, month in enumerate(months):
        found = dynamic_auc(risk[:, k], month, everyone, censoring, ones)[0]
        assert found == pytest.approx(expected[k], abs=1e-10)


def test_scores_with_competing_events_equal_risk_regression(melanoma):
    expected, time, event, risk, months = melanoma
    censoring = estimate_censoring(time, event)
    ones = np.ones((len(time), 1))
    scores = brier_scores(risk, months, np.ones(risk.shape, dtype=bool), censoring, ones)
    np.testing.assert_allclose(scores[:, 0], expected["brier"], atol=1e-6)
    curve = aalen_johansen(time, event, causes=(1, 2))
    null = np.broadcast_to(curve.incidence_at(1, months), risk.shape)
    scores = brier_scores(null, months, np.ones(risk.shape, dtype=bool), censoring, ones)
    np.testing.assert_allclose(scores[:, 0], expected["null_brier"], atol=1e-6)
    found = [
        dynamic_auc(risk[:, k], month, np.arange(len(time)), censoring, ones)[0]
        for k, month in enumerate(months)
    ]
    np.testing.assert_allclose(found, expected["auc"], atol=1e-6)


def test_pseudo_values_and_calibration_equal_prodlim_and_geepack(melanoma):
    expected, time, event, risk, months = melanoma
    pseudo = pseudo_risks(time, event, expected["pseudo_month"])
    np.testing.assert_allclose(pseudo, expected["pseudo"], atol=1e-9)
    predicted = risk[:, list(months).index(expected["pseudo_month"])]
    ones = np.ones((len(time), 1))
    calibration = expected["calibration"]
    large = calibration_in_the_large(pseudo, predicted, ones)[0]
    assert large == pytest.approx(calibration["intercept"], abs=1e-4)
    assert calibration_slope(pseudo, predicted, ones)[0] == pytest.approx(
        calibration["slope"], abs=1e-4
    )


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 8), st.sampled_from([0, 1, 2])), min_size=3, max_size=25),
    st.integers(1, 8),
)
def test_pseudo_values_equal_leaving_each_patient_out(patients, month):
    time = np.array([float(t) for t, _ in patients])
    event = np.array([e for _, e in patients])
    n = len(time)

    def risk(rows):
        curve = aalen_johansen(time[rows], event[rows], causes=(1, 2)).incidence[1]
        return curve(min(month, curve.end))

    everyone = np.arange(n)
    expected = [
        n * risk(everyone) - (n - 1) * risk(np.delete(everyone, left_out)) for left_out in everyone
    ]
    np.testing.assert_allclose(pseudo_risks(time, event, month), expected, atol=1e-9)


def test_calibration_of_perfect_and_of_spread_out_risks():
    rng = np.random.default_rng(0)
    n = 40_000
    log_hazard = rng.normal(-1.0, 0.7, n)
    risk = 1 - np.exp(-np.exp(log_hazard))
    happened = (rng.random(n) < risk).astype(float)
    ones = np.ones((n, 1))
    assert calibration_slope(happened, risk, ones)[0] == pytest.approx(1.0, abs=0.05)
    assert calibration_in_the_large(happened, risk, ones)[0] == pytest.approx(0.0, abs=0.03)
    extreme = 1 - np.exp(-np.exp(2 * log_hazard))
    assert calibration_slope(happened, extreme, ones)[0] == pytest.approx(0.5, abs=0.03)
    low = 1 - np.exp(-np.exp(log_hazard - 0.4))
    assert calibration_in_the_large(happened, low, ones)[0] == pytest.approx(0.4, abs=0.03)
    assert np.isnan(calibration_slope(happened, np.full(n, 0.2), ones)[0])


def test_censoring_by_hand():
    time = np.array([1.0, 2.0, 2.0, 3.0, 4.0])
    event = np.array([0, 1, 0, 2, 0])
    censoring = estimate_censoring(time, event)
    # At 1 one of five is censored; at 2 the event leaves first, so one of three.
    np.testing.assert_allclose(censoring.at(2.0), 0.8 * 2 / 3)
    np.testing.assert_allclose(censoring.before_own_time, [1, 0.8, 0.8, 0.8 * 2 / 3, 0.8 * 2 / 3])
    weights = censoring.weights(2.0)
    np.testing.assert_allclose(weights, [0, 1 / 0.8, 0, 1 / (0.8 * 2 / 3), 1 / (0.8 * 2 / 3)])


def test_weights_sum_to_the_number_of_patients_without_ties():
    time, event, _ = survival_data()
    censoring = estimate_censoring(time, event)
    assert censoring.weights(12.0).sum() == pytest.approx(len(time), rel=1e-9)
