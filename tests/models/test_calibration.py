"""Calibration curve, its distances, and D-calibration, against R and by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtri

from outcomes.errors import ModelError
from outcomes.models.calibration import calibrate_risks, fit_curve, grouped_pseudo_risks
from outcomes.models.uniformity import d_calibration

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "evaluation.json").read_text()
)  # fmt: skip


@pytest.mark.parametrize("expected", REFERENCE["calibration"], ids=lambda c: str(c["case"]))
def test_the_curve_equals_geepack(expected):
    case = REFERENCE["scores"][expected["case"] - 1]
    time, event = np.array(case["time"], dtype=float), np.array(case["event"])
    risk = np.array(case["risk"])[:, expected["column"] - 1]
    pseudo = grouped_pseudo_risks(time, event, expected["month"])
    fit = fit_curve(pseudo, risk, np.ones(len(risk)))
    observed, lower, upper = fit.interval_at(risk, 1.0)
    np.testing.assert_allclose(observed, expected["observed"], atol=1e-6)
    eta = np.log(-np.log(1 - np.array([lower, observed, upper])))
    np.testing.assert_allclose(eta[2] - eta[1], expected["error"], rtol=2e-4)
    np.testing.assert_allclose(eta[1] - eta[0], expected["error"], rtol=2e-4)
    found = calibrate_risks(time, event, risk, expected["month"])
    assert found.integrated_calibration_index == pytest.approx(expected["ici"], abs=1e-6)
    assert found.e50 == pytest.approx(expected["e50"], abs=1e-6)
    assert found.e90 == pytest.approx(expected["e90"], abs=1e-6)


def exponential_patients(n, seed, scale=1.0):
    rng = np.random.default_rng(seed)
    log_hazard = rng.normal(-2.5, 0.6, n)
    died = rng.exponential(np.exp(-log_hazard))
    followed = rng.uniform(5, 30, n)
    time, event = np.minimum(died, followed), (died <= followed).astype(np.int64)
    return time, event, 1 - np.exp(-12 * scale * np.exp(log_hazard)), log_hazard


def test_right_risks_lie_on_the_diagonal():
    time, event, risk, _ = exponential_patients(8_000, 0)
    found = calibrate_risks(time, event, risk, 12.0)
    curve = found.curve
    covered = (curve["lower"] <= curve["predicted"]) & (curve["predicted"] <= curve["upper"])
    assert covered.mean() > 0.8
    assert found.integrated_calibration_index < 0.02
    assert found.e50 <= found.e90
    assert found.observed_expected.lower < 1 < found.observed_expected.upper
    assert len(found.groups) == 10
    assert (found.groups["lower"] < found.groups["upper"]).all()


def test_too_high_risks_are_seen():
    time, event, risk, _ = exponential_patients(4_000, 1, scale=1.6)
    found = calibrate_risks(time, event, risk, 12.0)
    assert found.observed_expected.upper < 0.9
    assert found.integrated_calibration_index > 0.06
    assert (found.curve["upper"] < found.curve["predicted"]).mean() > 0.8


def test_intervals_of_the_ratio_hold_the_truth_as_often_as_they_say():
    held = 0
    for seed in range(300):
        time, event, risk, _ = exponential_patients(300, seed)
        ratio = calibrate_risks(time, event, risk, 12.0).observed_expected
        held += ratio.lower < 1 < ratio.upper
    # 300 draws: a standard error of 1.3 %.
    assert 0.91 <= held / 300 <= 0.985


def test_few_different_risks_take_a_line_and_one_risk_a_constant():
    time, event, risk, _ = exponential_patients(500, 2)
    two = np.where(risk > np.median(risk), 0.8, 0.4)
    line = calibrate_risks(time, event, two, 12.0)
    for value in (0.4, 0.8):
        rows = two == value
        pseudo = grouped_pseudo_risks(time, event, 12.0)[rows].mean()
        near = (line.curve["predicted"] - value).abs().idxmin()
        assert line.curve["observed"][near] == pytest.approx(pseudo, abs=0.01)
    constant = calibrate_risks(time, event, np.full(500, 0.5), 12.0)
    assert len(constant.curve) == 0
    assert constant.e50 == pytest.approx(constant.e90)
    with pytest.raises(ModelError, match="month: found 40"):
        calibrate_risks(time, event, risk, 40.0)
    with pytest.raises(ModelError, match=r"predicted: row 1: .* from 0 to 1"):
        calibrate_risks(time, event, risk * 2, 12.0)


def test_d_calibration_by_hand():
    # Events at .05, .15 and 1; censored at .15: 2/3 in the first bin, 1/3 in the second.
    found = d_calibration(
        np.array([0.05, 0.15, 1.0, 0.15]), np.array([True, True, True, False]), n_bins=10
    )
    expected = np.zeros(10)
    expected[[0, 1, 9]] = [1 + 2 / 3, 1 + 1 / 3, 1.0]
    np.testing.assert_allclose(found.counts, expected, atol=1e-12)
    assert found.statistic == pytest.approx(((expected - 0.4) ** 2).sum() / 0.4)
    # Censored at the beginning: as much in every bin.
    start = d_calibration(np.ones(20), np.zeros(20, dtype=bool))
    np.testing.assert_allclose(start.counts, 2.0)
    assert start.p == 1.0
    zero = d_calibration(np.zeros(4), np.zeros(4, dtype=bool))
    np.testing.assert_allclose(zero.counts, [4.0] + [0.0] * 9)
    with pytest.raises(ModelError, match="n_bins"):
        d_calibration(np.ones(3), np.ones(3, dtype=bool), n_bins=1)
    with pytest.raises(ModelError, match="from 0 to 1"):
        d_calibration(np.array([1.2]), np.array([True]))


def test_d_calibration_keeps_its_size_and_finds_wrong_curves():
    rejected = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        died = rng.exponential(10.0, 300)
        rejected += d_calibration(np.exp(-died / 10), np.ones(300, dtype=bool)).p < 0.05
    assert 0.01 <= rejected / 200 <= 0.10
    time, event, _, log_hazard = exponential_patients(3_000, 5)
    right = np.exp(-time * np.exp(log_hazard))
    assert d_calibration(right, event == 1).p > 0.01
    assert d_calibration(right**1.5, event == 1).p < 1e-6


def test_the_limits_are_normal_on_the_log_log_scale():
    time, event, risk, _ = exponential_patients(400, 3)
    narrow = calibrate_risks(time, event, risk, 12.0, level=0.5).curve
    wide = calibrate_risks(time, event, risk, 12.0, level=0.95).curve
    eta = {
        name: np.log(-np.log(1 - frame[["observed", "upper"]].to_numpy()[:30]))
        for name, frame in (("narrow", narrow), ("wide", wide))
    }
    ratio = (eta["wide"][:, 1] - eta["wide"][:, 0]) / (eta["narrow"][:, 1] - eta["narrow"][:, 0])
    np.testing.assert_allclose(ratio, ndtri(0.975) / ndtri(0.75), rtol=1e-6)
