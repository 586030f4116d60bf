import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from outcomes.curves import gray_test, log_rank_test
from outcomes.errors import NotEstimableError, OutcomesError

# The data of test_kaplan_meier with groups. By hand, for group 1:
#   month 1: 6 at risk, 3 of them in group 1, 1 death   E = 1/2       V = 1/4
#   month 6: 4 at risk, 1 in group 1, 2 deaths          E = 2 * 1/4   V = 2 (1/4)(3/4)(2/3)
#   month 9: nobody of group 1 at risk
# O - E = 2 - 1, chi-squared = 1 / (1/2) = 2
TIME = [9, 1, 1, 6, 6, 8]
EVENT = [1, 1, 0, 1, 1, 0]
GROUP = [0, 1, 1, 1, 0, 0]

two_groups = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 2), st.booleans()), min_size=8, max_size=40
).filter(
    lambda rows: all(
        sum(row[1] == 1 and row[0] > 0 and row[2] == group for row in rows) > 1
        for group in (True, False)
    )
)


def cox_score_statistic(time, event, group):
    """The score test of a Cox model with one binary covariate, written from its definition."""
    score = information = 0.0
    for month in time[event == 1]:
        share = group[time >= month].mean()
        score += group[(time == month) & (event == 1)].mean() - share
        information += share * (1 - share)
    return score**2 / information


def test_log_rank_by_hand():
    test = log_rank_test(TIME, EVENT, GROUP)
    np.testing.assert_allclose(test.observed, [2, 2])
    np.testing.assert_allclose(test.expected, [3, 1])
    np.testing.assert_allclose(test.variance, [[0.5, -0.5], [-0.5, 0.5]])
    assert test.statistic == pytest.approx(2)
    assert test.degrees_of_freedom == 1
    assert test.p == pytest.approx(chi2.sf(2, 1))
    assert test.groups == (0, 1)


def test_log_rank_is_the_score_test_of_cox_regression():
    random = np.random.default_rng(4)
    time = random.exponential(10, 80)
    event, group = random.integers(0, 2, 80), random.integers(0, 2, 80)
    expected = cox_score_statistic(time, event, group)
    assert log_rank_test(time, event, group).statistic == pytest.approx(expected)


def test_gray_by_hand():
    # Without censoring those who die without progression stay at risk in Gray's sense:
    #   month 1: 3 of 6 in group a    E_a = 1/2
    #   month 3: 2 of 5               E_a = 2/5
    #   month 4: 2 of 4               E_a = 1/2
    test = gray_test([1, 2, 4, 3, 5, 6], [1, 2, 1, 1, 2, 2], ["a", "a", "a", "b", "b", "b"])
    np.testing.assert_allclose(test.observed, [2, 1])
    np.testing.assert_allclose(test.expected, [1.4, 1.6])
    assert test.groups == ("a", "b")


def test_gray_without_competing_events_has_the_score_of_log_rank():
    random = np.random.default_rng(5)
    time, event = random.exponential(10, 300), random.integers(0, 2, 300)
    group = random.integers(0, 3, 300)
    gray, log_rank = gray_test(time, event, group), log_rank_test(time, event, group)
    np.testing.assert_allclose(gray.expected, log_rank.expected)
    assert gray.statistic == pytest.approx(log_rank.statistic, rel=0.05)


@given(two_groups, st.randoms())
def test_order_labels_and_clock_do_not_matter(rows, random):
    time, event, group = np.array(rows).T
    shuffled = np.array(random.sample(rows, len(rows))).T
    for run in (
        lambda t, e, g: gray_test(t, e, g),
        lambda t, e, g: log_rank_test(t, e == 1, g),
    ):
        try:
            first = run(time, event, group)
        except NotEstimableError:
            continue
        second = run(shuffled[0] ** 2, shuffled[1], np.where(shuffled[2], "a", "b"))
        assert first.statistic >= 0
        assert 0 <= first.p <= 1
        assert second.statistic == pytest.approx(first.statistic, rel=1e-6, abs=1e-9)
        assert first.observed.sum() == pytest.approx(first.expected.sum())


@pytest.mark.parametrize("test", [log_rank_test, gray_test])
def test_size_under_the_null(test):
    # 1000 samples from one distribution: 5 % are rejected, give or take 3 standard errors.
    random = np.random.default_rng(6)
    rejected = 0
    for _ in range(1000):
        event = random.integers(0, 2, 100)
        if test is gray_test:
            event = random.choice(3, 100, p=[0.3, 0.4, 0.3])
        rejected += test(random.exponential(10, 100), event, np.arange(100) % 2).p < 0.05
    assert abs(rejected / 1000 - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 1000)


@pytest.mark.parametrize("test", [log_rank_test, gray_test])
def test_one_stratum_is_no_stratum(test):
    plain = test(TIME, EVENT, GROUP)
    assert test(TIME, EVENT, GROUP, strata=["x"] * 6).statistic == pytest.approx(plain.statistic)


@pytest.mark.parametrize("test", [log_rank_test, gray_test])
def test_a_stratum_with_one_group_adds_nothing(test):
    plain = test(TIME, EVENT, GROUP)
    more = test([*TIME, 2, 3], [*EVENT, 1, 1], [*GROUP, 0, 0], strata=[0] * 6 + [1] * 2)
    assert more.statistic == pytest.approx(plain.statistic)


@pytest.mark.parametrize("test", [log_rank_test, gray_test])
def test_not_estimable(test):
    with pytest.raises(NotEstimableError, match="two groups; found one"):
        test([1, 2], [1, 1], [0, 0])
    with pytest.raises(NotEstimableError, match=r"no event|fewer than two"):
        test([1, 2], [0, 0], [0, 1])
    # Group 0 has left before the first event.
    with pytest.raises(NotEstimableError, match="fewer than two groups"):
        test([1, 2, 3, 4], [0, 0, 1, 1], [0, 0, 1, 1])
    with pytest.raises(OutcomesError, match="as long as time"):
        test([1, 2], [1, 1], [0, 1, 1])


def test_gray_in_a_handful_of_tied_patients():
    # cmprsk::cuminc answers with a chi-squared statistic of -10.7 here.
    with pytest.raises(NotEstimableError, match="too few events"):
        gray_test([0, 0, 0, 0, 1, 2, 2, 2], [0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 0, 0, 1])


def test_gray_refuses_the_code_of_censoring():
    with pytest.raises(OutcomesError, match="stands for censoring"):
        gray_test(TIME, EVENT, GROUP, cause=0)
    with pytest.raises(NotEstimableError, match="no event of cause 2"):
        gray_test(TIME, EVENT, GROUP, cause=2)
