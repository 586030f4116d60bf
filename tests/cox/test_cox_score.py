"""The Cox score test: against R, against the log-rank test, under no effect, and its refusals."""

import json
from pathlib import Path

import numpy as np
import pytest

from outcomes.cox import cox_score_test
from outcomes.curves import log_rank_test
from outcomes.errors import NotEstimableError, OutcomesError

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "score_test.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", REFERENCE["cases"])
def test_equals_r(case):
    expected = REFERENCE["cases"][case]
    time = np.array(expected["time"])
    fixed = np.array(expected["fixed"], dtype=float).reshape(time.size, -1)
    found = cox_score_test(
        time, expected["event"], np.array(expected["tested"], dtype=float), fixed
    )
    assert found.statistic == pytest.approx(expected["statistic"], rel=REFERENCE["tolerance"])
    assert found.degrees_of_freedom == expected["degrees_of_freedom"]


def untied(seed, n=80):
    generator = np.random.default_rng(seed)
    group = generator.random(n) < 0.4
    return generator.exponential(10, n), generator.random(n) < 0.7, group


def test_is_the_log_rank_test_of_two_groups():
    time, event, group = untied(1)
    score = cox_score_test(time, event, group[:, None].astype(float), np.empty((80, 0)))
    rank = log_rank_test(time, event, group)
    assert score.statistic == pytest.approx(rank.statistic)
    assert score.p == pytest.approx(rank.p)


def test_scale_and_origin_of_covariates_do_not_matter():
    time, event, group = untied(2)
    fixed = np.random.default_rng(3).normal(size=(80, 2))
    tested = group[:, None].astype(float)
    base = cox_score_test(time, event, tested, fixed)
    moved = cox_score_test(time, event, 3 - 2 * tested, 1e3 * fixed + 1e4)
    assert moved.statistic == pytest.approx(base.statistic, rel=1e-6)


def test_by_hand():
    # Deaths at 1 (exposed) and 2; three patients, of whom the exposed is the first. Score 1 - 1/3,
    # variance 1/3 (1 - 1/3); the second death has no exposed at risk.
    found = cox_score_test([1, 2, 3], [1, 1, 0], np.array([[1.0], [0], [0]]), np.empty((3, 0)))
    assert found.statistic == pytest.approx((2 / 3) ** 2 / (2 / 9))


def test_level_under_no_effect():
    """A confounder held fixed: p is uniform although the crude association is strong."""
    rejected = 0
    for seed in range(400):
        generator = np.random.default_rng(seed)
        confounder = generator.normal(size=(200, 1))
        exposed = (generator.random(200) < 1 / (1 + np.exp(-2 * confounder[:, 0])))[:, None]
        time = generator.exponential(np.exp(-confounder[:, 0]))
        seen = time < 2
        test = cox_score_test(np.minimum(time, 2), seen, exposed.astype(float), confounder)
        rejected += test.p < 0.05
    assert 8 <= rejected <= 34  # 20 expected, +- 3 binomial standard errors


def test_a_level_without_events_does_not_matter():
    time, event, group = untied(4)
    empty = np.zeros((80, 1))
    empty[~event] = 1.0
    tested = group[:, None].astype(float)
    found = cox_score_test(time, event, tested, empty)
    kept = cox_score_test(time[event], event[event], tested[event], np.empty((event.sum(), 0)))
    assert 0 <= found.p <= 1
    # Who never has an event drops out as the coefficient drifts off.
    assert found.statistic == pytest.approx(kept.statistic, rel=1e-3)


def test_refusals():
    time, event, group = untied(5)
    tested, none = group[:, None].astype(float), np.empty((80, 0))
    with pytest.raises(NotEstimableError, match="no event"):
        cox_score_test(time, np.zeros(80), tested, none)
    with pytest.raises(NotEstimableError, match="varies"):
        cox_score_test(time, event, np.ones((80, 1)), none)
    with pytest.raises(OutcomesError, match="row for each patient"):
        cox_score_test(time, event, tested[1:], none)
