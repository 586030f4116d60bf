"""Net benefit against R's estimators and against those of known outcomes."""

import json
from pathlib import Path

import numpy as np
import pytest

from outcomes.errors import ModelError
from outcomes.models.net_benefit import decision_curve, net_benefits

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "evaluation.json").read_text()
)  # fmt: skip


@pytest.mark.parametrize("expected", REFERENCE["decisions"], ids=lambda c: str(c["case"]))
def test_equals_survfit_among_the_treated(expected):
    case = REFERENCE["scores"][expected["case"] - 1]
    found = decision_curve(
        np.array(case["time"], dtype=float),
        np.array(case["event"]),
        np.array(case["risk"])[:, expected["column"] - 1],
        expected["month"],
        expected["thresholds"],
        n_bootstrap=30,
    )
    np.testing.assert_allclose(found["net_benefit"], expected["net_benefit"], atol=1e-9)
    assert (found["lower"] <= found["net_benefit"]).all()
    assert (found["net_benefit"] <= found["upper"]).all()


def uncensored(n=500, seed=0):
    rng = np.random.default_rng(seed)
    risk = rng.uniform(0.05, 0.95, n)
    happened = rng.random(n) < risk
    return np.where(happened, 5.0, 20.0), np.ones(n, dtype=np.int64), risk, happened


def test_without_censoring_it_counts():
    time, event, risk, happened = uncensored()
    marks = [0.1, 0.5, 0.9]
    found = decision_curve(time, event, risk, 12.0, marks, n_bootstrap=0)
    for row, mark in enumerate(marks):
        treated = risk >= mark
        benefit = (treated & happened).mean() - (treated & ~happened).mean() * mark / (1 - mark)
        assert found["net_benefit"][row] == pytest.approx(benefit)
        everyone = happened.mean() - (~happened).mean() * mark / (1 - mark)
        assert found["treat_all"][row] == pytest.approx(everyone)
        assert found["difference"][row] == pytest.approx(benefit - max(everyone, 0))
        assert found["treated"][row] == treated.mean()
    assert found["lower"].isna().all()
    assert (found["treat_none"] == 0).all()


def test_a_right_model_is_never_worse_than_all_or_none():
    time, event, risk, _ = uncensored(4_000)
    found = decision_curve(time, event, risk, 12.0, n_bootstrap=60)
    assert (found["difference"] > -0.005).all()
    middle = found[found["threshold"].between(0.3, 0.7)]
    assert (middle["difference_lower"] > 0).all()


def test_weights_are_repeated_patients():
    rng = np.random.default_rng(3)
    time, event = np.ceil(rng.exponential(10, 80)), rng.integers(0, 3, 80)
    risk = rng.random(80)
    counts = rng.integers(0, 4, 80)
    again = np.repeat(np.arange(80), counts)
    marks = np.array([0.2, 0.6])
    weighted = net_benefits(time, event, risk, 8.0, marks, counts[:, None].astype(float))
    repeated = net_benefits(
        time[again], event[again], risk[again], 8.0, marks, np.ones((len(again), 1))
    )
    np.testing.assert_allclose(weighted, repeated, atol=1e-12)


def test_rows_of_one_patient_are_drawn_together():
    time, event, risk, _ = uncensored(200)
    twice = [np.concatenate([x, x]) for x in (time, event, risk)]
    single = decision_curve(time, event, risk, 12.0, [0.5], n_bootstrap=200)
    clustered = decision_curve(*twice, 12.0, [0.5], clusters=np.tile(np.arange(200), 2))
    assert clustered["lower"][0] == pytest.approx(single["lower"][0])
    assert clustered["upper"][0] == pytest.approx(single["upper"][0])


def test_what_cannot_be_known_is_missing_and_what_is_wrong_is_refused():
    # The treated are censored at 3; the others are followed.
    time, event = np.array([3.0, 3.0, 10.0, 10.0]), np.array([0, 0, 1, 0])
    found = decision_curve(time, event, np.array([0.9, 0.9, 0.1, 0.1]), 6.0, [0.5, 0.95])
    assert np.isnan(found["net_benefit"][0])
    assert np.isnan(found["lower"][0])
    assert found["net_benefit"][1] == 0
    with pytest.raises(ModelError, match="thresholds: found"):
        decision_curve(time, event, np.ones(4), 6.0, [0.0])
    with pytest.raises(ModelError, match="month: found 10"):
        decision_curve(time, event, np.ones(4), 10.0, [0.5])
