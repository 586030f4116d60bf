"""Brier score, accuracy and AUC with their standard errors, against riskRegression."""

import json
from pathlib import Path

import numpy as np
import pytest

from outcomes.errors import ModelError
from outcomes.models.risk_scores import integrate_score, score_risks, subtract_scores

CASES = json.loads(
    (Path(__file__).parents[1] / "reference" / "evaluation.json").read_text()
)["scores"]  # fmt: skip


def scored(case):
    return score_risks(
        np.array(case["time"], dtype=float),
        np.array(case["event"], dtype=np.int64),
        np.array(case["risk"]),
        case["months"],
        conservative=case["conservative"],
    )


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['name']}-{c['conservative']}")
def test_equals_risk_regression(case):
    found = scored(case)
    for score, name in (
        (found.brier, "brier"),
        (found.null_brier, "null_brier"),
        (found.index_of_prediction_accuracy, "ipa"),
        (found.auc, "auc"),
    ):
        np.testing.assert_allclose(score.value, case[name], rtol=1e-8, err_msg=name)
    difference = subtract_scores(found.brier, found.null_brier)
    np.testing.assert_allclose(difference.value, case["difference"], rtol=1e-7)
    for score, name in (
        (found.brier, "brier_se"),
        (found.null_brier, "null_se"),
        (found.auc, "auc_se"),
        (difference, "difference_se"),
    ):
        np.testing.assert_allclose(score.standard_error, case[name], rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("case", CASES[:4], ids=lambda c: c["name"])
def test_integrated_brier_score_by_risk_regressions_rule(case):
    """Its rule is left-hand steps from the first month on, as a share of the last month."""
    found = scored(case)
    steps = np.diff(found.months, prepend=0.0)
    left = np.concatenate([[0.0], found.brier.value[:-1]])
    expected = np.cumsum(left * steps) / found.months
    np.testing.assert_allclose(expected, case["ibs"], rtol=1e-8)


def patients(n=400, seed=0):
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n)
    died = rng.exponential(12 * np.exp(-0.8 * score))
    followed = rng.uniform(2, 40, n)
    time, event = np.minimum(died, followed), (died <= followed).astype(np.int64)
    months = np.array([3.0, 6.0, 12.0, 24.0])
    return time, event, 1 - np.exp(-months[None, :] / 12 * np.exp(0.8 * score)[:, None]), months


def test_integral_is_a_mean_of_the_scores():
    time, event, _, _ = patients()
    months = np.linspace(0.5, 20.0, 40)
    risk = np.full((len(time), 40), 0.3)
    found = score_risks(time, event, risk, months)
    integral = integrate_score(found.brier, found.months)
    grid = np.concatenate([[0.0], months])
    heights = np.concatenate([[0.0], found.brier.value])
    assert integral.value[0] == pytest.approx(np.trapezoid(heights, grid) / 20.0)
    assert found.brier.standard_error.min() < integral.standard_error[0]
    assert integral.standard_error[0] < found.brier.standard_error.max()


def test_standard_errors_are_those_of_repeated_samples():
    found = [score_risks(*patients(250, seed)) for seed in range(250)]
    for name in ("brier", "auc", "index_of_prediction_accuracy"):
        scores = [getattr(one, name) for one in found]
        spread = np.std([score.value for score in scores], axis=0)
        errors = np.mean([score.standard_error for score in scores], axis=0)
        # The standard deviation of 250 values is known to 4.5 %.
        np.testing.assert_allclose(errors, spread, rtol=0.14)


def test_months_without_support_are_left_out_and_named():
    time, event, risk, months = patients()
    beyond = score_risks(time, event, risk, [3.0, 60.0, 12.0, 48.0])
    np.testing.assert_array_equal(beyond.months, [3.0, 12.0])
    np.testing.assert_array_equal(beyond.asked, [3.0, 12.0, 48.0, 60.0])
    assert beyond.notes == (
        "asked for months 3, 12, 48, 60, used 3, 12: nobody is under observation after the others",
    )
    # Columns belong to the months as they were given: the third one to month 12.
    alone = score_risks(time, event, risk[:, [2]], [12.0])
    assert beyond.brier.value[1] == alone.brier.value[0]
    assert not np.isnan(beyond.to_frame()[["value", "standard_error", "lower", "upper"]]).any(
        axis=None
    )
    with pytest.raises(ModelError, match="months: found 50, 60; allowed: months after which"):
        score_risks(time, event, risk[:, :2], [50.0, 60.0])
    with pytest.raises(ModelError, match="allowed: finite months above 0"):
        score_risks(time, event, risk, [-1.0, 3.0, 6.0, 12.0])
    with pytest.raises(ModelError, match="allowed: each month once"):
        score_risks(time, event, risk, [3.0, 3.0, 6.0, 12.0])
    with pytest.raises(ModelError, match="risk: row 1: found"):
        score_risks(time, event, risk + 1, months)
    with pytest.raises(ModelError, match="risk: found shape"):
        score_risks(time, event, risk[:, :3], months)


def test_groups_are_scored_within_themselves():
    one, other = patients(200, 1), patients(200, 2)
    months = one[3]
    short = np.minimum(other[0], 15.0)
    event = np.where(other[0] > 15.0, 0, other[1])
    time = np.concatenate([one[0], short])
    both = score_risks(
        time,
        np.concatenate([one[1], event]),
        np.concatenate([one[2], other[2]]),
        months,
        groups=np.repeat(["a", "b"], 200),
    )
    assert both.notes == ("month 24: without b, not followed so far",)
    parts = [score_risks(*one), score_risks(short, event, other[2], months[:4])]
    for month in range(3):
        mean = (parts[0].brier.value[month] + parts[1].brier.value[month]) / 2
        assert both.brier.value[month] == pytest.approx(mean, rel=1e-12)
        # Independent halves: the variances add up.
        errors = [part.brier.standard_error[month] for part in parts]
        assert both.brier.standard_error[month] == pytest.approx(np.hypot(*errors) / 2, rel=0.01)
    assert both.auc.value[3] == pytest.approx(parts[0].auc.value[3])


def test_a_patient_twice_is_one_cluster():
    time, event, risk, months = patients(150, 3)
    twice = [np.concatenate([x, x]) for x in (time, event, risk)]
    single = score_risks(time, event, risk, months)
    clustered = score_risks(*twice, months, clusters=np.tile(np.arange(150), 2))
    for name in ("brier", "auc", "index_of_prediction_accuracy"):
        one, two = getattr(single, name), getattr(clustered, name)
        np.testing.assert_allclose(two.value, one.value, rtol=1e-10)
        np.testing.assert_allclose(two.standard_error, one.standard_error, rtol=1e-10)
