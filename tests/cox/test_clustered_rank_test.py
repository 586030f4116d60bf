"""Rank tests with clusters: against R, by identities, and by rows repeated."""

import json
from pathlib import Path

import numpy as np
import pytest

from outcomes.cox import clustered_rank_test
from outcomes.curves.rank_tests import gray_test, log_rank_test
from outcomes.errors import NotEstimableError, OutcomesError

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "clusters.json").read_text(encoding="utf-8")
)
TOLERANCE = REFERENCE["tolerance"]


def run(case):
    strata = case["strata"] or None
    return clustered_rank_test(
        case["time"], case["event"], case["treated"], case["cluster"], strata=strata
    )


@pytest.mark.parametrize("name", REFERENCE["log_rank"])
def test_log_rank_is_the_robust_score_test_of_r(name):
    case = REFERENCE["log_rank"][name]
    found = run(case)
    assert found.statistic == pytest.approx(case["statistic"], rel=TOLERANCE["log_rank"])
    assert found.p == pytest.approx(case["p"], rel=1e-8)


@pytest.mark.parametrize("name", REFERENCE["gray"])
def test_gray_is_that_of_r(name):
    case = REFERENCE["gray"][name]
    found = run(case)
    assert found.statistic == pytest.approx(case["statistic"], rel=TOLERANCE["gray"])
    assert found.p == pytest.approx(case["p"], rel=1e-8)
    # The derivative of Gray's numerator by the weights differs in terms of order 1 / n.
    assert found.statistic == pytest.approx(
        case["statistic_by_weights"], rel=TOLERANCE["gray_by_weights"]
    )
    plain = gray_test(case["time"], case["event"], case["treated"], strata=case["strata"])
    assert abs(plain.observed[1] - plain.expected[1]) == pytest.approx(abs(case["score"]))


def draw(n=2000, *, effect=0.0, seed=5):
    """Return months, events with competing ones, arm, and series."""
    random = np.random.default_rng(seed)
    treated = random.random(n) < 0.5
    time = random.exponential(20 * np.exp(effect * treated))
    end = random.uniform(10, 60, n)
    code = np.where(time <= end, random.choice([1, 2], n, p=[0.6, 0.4]), 0)
    return np.minimum(time, end), code, treated, random.integers(0, 3, n)


@pytest.mark.parametrize("effect", [0.0, 0.15])
@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("competing", [False, True])
def test_one_row_a_patient_all_but_gives_the_plain_test(competing, stratified, effect):
    time, code, treated, series = draw(effect=effect)
    code = code if competing else (code > 0).astype(int)
    strata = series if stratified else None
    plain = (gray_test if competing else log_rank_test)(time, code, treated, strata=strata)
    found = clustered_rank_test(time, code, treated, np.arange(time.size), strata=strata)
    assert np.sqrt(found.statistic) == pytest.approx(np.sqrt(plain.statistic), rel=0.02)
    assert found.p == pytest.approx(plain.p, abs=0.01)


@pytest.mark.parametrize("competing", [False, True])
def test_rows_repeated_within_a_patient_add_nothing(competing):
    time, code, treated, series = draw(300, effect=0.3)
    code = code if competing else (code > 0).astype(int)
    patient = np.arange(time.size)
    once = clustered_rank_test(time, code, treated, patient, strata=series)
    thrice = clustered_rank_test(*(np.tile(x, 3) for x in (time, code, treated, patient)),
                                 strata=np.tile(series, 3))  # fmt: skip
    assert thrice.statistic == pytest.approx(once.statistic, rel=1e-9)
    assert thrice.p == pytest.approx(once.p, rel=1e-9)


def test_the_arms_may_change_their_names():
    time, code, treated, series = draw(200)
    one = clustered_rank_test(time, code, treated, np.arange(200) // 2, strata=series)
    other = clustered_rank_test(time, code, ~treated, np.arange(200) // 2, strata=series)
    assert one.statistic == pytest.approx(other.statistic)


def test_holds_its_size_where_the_lesions_of_a_patient_are_alike():
    # Patients are drawn to the arms by coin; the plain test takes four lesions for four patients.
    random = np.random.default_rng(11)
    rejected = np.zeros(2)
    for _ in range(300):
        frailty = np.repeat(random.gamma(0.5, 2.0, 60), 4)
        treated = np.repeat(random.random(60) < 0.5, 4)
        time, end = random.exponential(20 / frailty), random.uniform(10, 60, 240)
        code, months = (time <= end).astype(int), np.minimum(time, end)
        cluster = np.repeat(np.arange(60), 4)
        rejected += [
            clustered_rank_test(months, code, treated, cluster).p < 0.05,
            log_rank_test(months, code, treated).p < 0.05,
        ]
    shares = rejected / 300
    assert 0.02 < shares[0] < 0.09
    assert shares[1] > 0.15


def test_what_cannot_be_tested():
    time, code, treated, _ = draw(60)
    whole = np.arange(60)
    with pytest.raises(NotEstimableError, match="at least two"):
        clustered_rank_test(time, code, treated, np.zeros(60))
    with pytest.raises(NotEstimableError, match="no event of cause 1"):
        clustered_rank_test(time, np.zeros(60), treated, whole)
    apart = np.where(treated, time, time + 1000)
    with pytest.raises(NotEstimableError, match="at risk together at no event"):
        clustered_rank_test(apart, code * ~treated, treated, whole)
    twice = [np.tile(x, 2) for x in (time, code)]
    both = np.repeat([True, False], 60)
    with pytest.raises(NotEstimableError, match="the same in both groups"):
        clustered_rank_test(*twice, both, np.tile(whole, 2))
    with pytest.raises(OutcomesError, match="two sequences of one length"):
        clustered_rank_test(time, code[1:], treated, whole)
