"""The Cox engine: by hand, by identities, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from lifelines.datasets import load_rossi

from outcomes.cox import (
    baseline_hazards,
    fit_cox,
    fit_prepared,
    martingale_residuals,
    predict_hazard,
    prepare_cox,
    proportional_hazards_test,
    score_residuals,
    smoothed_effect,
)
from outcomes.cox.partial_likelihood import partial_likelihood
from outcomes.cox.risk_sets import make_risk_sets
from outcomes.curves import log_rank_test
from outcomes.errors import NotEstimableError, OutcomesError


def draw(seed, n=120, p=3, rounded=1):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, p))
    x[:, 0] = x[:, 0] > 0
    time = generator.exponential(10 * np.exp(-0.5 * x[:, 0]))
    censoring = generator.exponential(15, n)
    months = np.maximum(np.round(np.minimum(time, censoring), rounded), 10.0**-rounded)
    return x, months, time <= censoring


# Three deaths, two of them tied, and one survivor; a single covariate.
X = np.array([[1.0], [0.0], [1.0], [0.0]])
TIME, EVENT = [1.0, 2.0, 2.0, 3.0], [1, 1, 1, 0]


@pytest.mark.parametrize("beta", [0.0, 0.7])
def test_the_likelihood_of_four_patients_by_hand(beta):
    r = np.exp(beta)
    at_first, at_second, tied = 2 * r + 2, r + 2, r + 1
    efron = 2 * beta - np.log(at_first) - np.log(at_second) - np.log(at_second - tied / 2)
    breslow = 2 * beta - np.log(at_first) - 2 * np.log(at_second)
    for ties, expected in (("efron", efron), ("breslow", breslow)):
        sets = make_risk_sets(TIME, EVENT, ties=ties)
        found = partial_likelihood(sets, X[sets.order].T.copy(), np.array([beta]))
        assert found.value == pytest.approx(expected, rel=1e-12)
        means = [2 * r / at_first, r / at_second]
        means.append((r - r / 2) / (at_second - tied / 2) if ties == "efron" else r / at_second)
        assert found.score[0] == pytest.approx(2 - sum(means), rel=1e-12)
        assert found.information[0, 0] == pytest.approx(sum(m - m**2 for m in means), rel=1e-12)


def test_the_derivatives_are_those_of_the_value():
    x, time, event = draw(3, rounded=0)
    strata = np.arange(len(time)) % 3
    weights = np.random.default_rng(0).uniform(0.2, 2, len(time))
    sets = make_risk_sets(time, event, entry=time * 0.3 * (strata == 1), strata=strata)
    columns, w = x[sets.order].T.copy(), weights[sets.order]
    beta = np.array([0.3, -0.2, 0.1])
    here = partial_likelihood(sets, columns, beta, w)
    small = 1e-5 * np.eye(3)
    ahead = [partial_likelihood(sets, columns, beta + step, w) for step in small]
    back = [partial_likelihood(sets, columns, beta - step, w) for step in small]
    slopes = [(a.value - b.value) / 2e-5 for a, b in zip(ahead, back, strict=True)]
    assert here.score == pytest.approx(slopes, rel=1e-6, abs=1e-6)
    curvature = [(b.score - a.score) / 2e-5 for a, b in zip(ahead, back, strict=True)]
    assert here.information == pytest.approx(np.array(curvature), rel=1e-5, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["efron", "breslow"]))
def test_cutting_a_patient_into_intervals_changes_nothing(seed, ties):
    x, time, event = draw(seed)
    whole = fit_cox(x, time, event, ties=ties)
    cut = np.minimum(np.random.default_rng(seed).exponential(5, len(time)).round(1), time)
    inside = (cut > 0) & (cut < time)
    rows = np.concatenate([np.arange(len(time)), np.flatnonzero(inside)])
    entry = np.concatenate([np.where(inside, cut, 0.0), np.zeros(inside.sum())])
    last = np.concatenate([time, cut[inside]])
    happened = np.concatenate([event, np.zeros(inside.sum(), dtype=bool)])
    parts = fit_cox(x[rows], last, happened, entry=entry, ties=ties, cluster=rows)
    assert parts.coefficients == pytest.approx(whole.coefficients, rel=1e-7, abs=1e-9)
    assert parts.naive_covariance == pytest.approx(whole.covariance, rel=1e-7, abs=1e-9)
    robust = fit_cox(x, time, event, ties=ties, robust=True)
    assert parts.covariance == pytest.approx(robust.covariance, rel=1e-6, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_a_weight_is_a_number_of_patients_with_breslow(seed):
    x, time, event = draw(seed)
    weights = np.random.default_rng(seed).integers(0, 4, len(time))
    weighted = fit_cox(x, time, event, weights=weights, ties="breslow")
    rows = np.repeat(np.arange(len(time)), weights)
    repeated = fit_cox(x[rows], time[rows], event[rows], ties="breslow")
    assert weighted.coefficients == pytest.approx(repeated.coefficients, rel=1e-8)
    assert weighted.covariance == pytest.approx(repeated.covariance, rel=1e-8)
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood, rel=1e-10)


def test_strata_add_up():
    x, time, event = draw(8, n=300)
    strata = np.array(["a", "b", "c"])[np.arange(300) % 3]
    beta = np.array([0.2, 0.1, -0.3])

    def value(rows):
        sets = make_risk_sets(time[rows], event[rows], strata=strata[rows])
        return partial_likelihood(sets, x[rows][sets.order].T.copy(), beta).value

    alone = [value(strata == name) for name in "abc"]
    assert value(strata != "") == pytest.approx(sum(alone), rel=1e-12)


def test_many_strata_are_as_right_as_few():
    # Matched pairs: the conditional logistic likelihood.
    generator = np.random.default_rng(2)
    x = generator.normal(size=(20_000, 2))
    first = generator.random(10_000) < 1 / (1 + np.exp((x[1::2] - x[::2]) @ [0.8, -0.5]))
    event = np.column_stack([first, ~first]).ravel()
    fit = fit_cox(x, np.where(event, 1.0, 2.0), event, strata=np.repeat(np.arange(10_000), 2))
    difference = (x[::2] - x[1::2]) * np.where(first, 1, -1)[:, None]
    chance = 1 / (1 + np.exp(-difference @ fit.coefficients))
    assert (difference * (1 - chance)[:, None]).sum(axis=0) == pytest.approx([0, 0], abs=1e-5)


def test_the_score_test_of_a_group_is_the_log_rank_test():
    x, time, event = draw(5)
    fit = fit_cox(x[:, :1], time, event)
    tested = log_rank_test(time, event.astype(int), x[:, 0])
    # They differ in the variance at ties.
    assert fit.score_test.statistic == pytest.approx(tested.statistic, rel=0.02)
    apart = time + np.arange(len(time)) * 1e-6
    tested = log_rank_test(apart, event.astype(int), x[:, 0])
    assert fit_cox(x[:, :1], apart, event).score_test.statistic == pytest.approx(tested.statistic)


def test_an_offset_is_a_known_coefficient():
    x, time, event = draw(11)
    fit = fit_cox(x, time, event)
    known = fit_cox(x[:, 1:], time, event, offset=x[:, 0] * fit.coefficients[0])
    assert known.coefficients == pytest.approx(fit.coefficients[1:], rel=1e-8)


def test_residuals_sum_to_zero():
    x, time, event = draw(4, rounded=0)
    fit = fit_cox(x, time, event)
    assert martingale_residuals(fit).sum() == pytest.approx(0, abs=1e-9)
    assert score_residuals(fit).sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-6)


def test_the_same_as_lifelines_on_its_own_data():
    rossi = load_rossi()
    covariates = rossi.drop(columns=["week", "arrest"])
    exact = {"precision": 1e-14, "r_precision": 1e-16}
    other = CoxPHFitter().fit(rossi, "week", "arrest", fit_options=exact)
    fit = fit_cox(covariates, rossi["week"], rossi["arrest"])
    assert fit.names == tuple(covariates.columns)
    assert fit.coefficients == pytest.approx(other.params_.to_numpy(), rel=1e-9)
    assert fit.standard_errors == pytest.approx(other.standard_errors_.to_numpy(), rel=1e-7)
    assert fit.log_likelihood == pytest.approx(other.log_likelihood_, rel=1e-12)
    assert fit.p_values == pytest.approx(other.summary["p"].to_numpy(), rel=1e-7)


def test_a_prepared_fit_takes_bootstrap_weights():
    x, time, event = draw(6, rounded=9)
    data = prepare_cox(x, time, event)
    first = fit_prepared(data)
    weights = np.random.default_rng(1).multinomial(len(time), np.full(len(time), 1 / len(time)))
    found = fit_prepared(data, weights=weights[data.sets.order] * 1.0, initial=first.coefficients)
    again = fit_cox(x, time, event, weights=weights)
    assert found.coefficients == pytest.approx(again.coefficients, rel=1e-7)
    assert found.covariance == pytest.approx(again.covariance, rel=1e-7)


def test_limits_of_a_curve_cover_the_truth():
    covered = []
    new, months = np.array([[1.0, 0.5]]), np.array([3.0, 9.0])
    truth = np.exp(0.5 + 0.3 * 0.5) * 0.08 * months
    for seed in range(300):
        generator = np.random.default_rng(seed)
        x = np.column_stack([generator.random(150) < 0.4, generator.normal(size=150)])
        time = generator.exponential(1 / (0.08 * np.exp(x @ [0.5, 0.3])))
        censoring = generator.uniform(4, 20, 150)
        fit = fit_cox(x, np.minimum(time, censoring), time <= censoring)
        [baseline] = baseline_hazards(fit)
        found = predict_hazard(fit, baseline, new, months)
        reach = 1.96 * found.standard_error / found.cumulative
        covered.append(np.abs(np.log(truth / found.cumulative[0])) < reach[0])
    # Three Monte Carlo standard errors.
    assert np.mean(covered, axis=0) == pytest.approx([0.95, 0.95], abs=0.038)


def test_large_effects_and_large_values_are_safe():
    generator = np.random.default_rng(0)
    x = 1e6 + 1e3 * generator.normal(size=(200, 1))
    time = generator.exponential(np.exp(-(x[:, 0] - 1e6) / 500))
    fit = fit_cox(x, time, np.ones(200))
    assert fit.coefficients[0] == pytest.approx(1 / 500, rel=0.25)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": [1.0] * 6}, "a: is the same for every patient"),
        ({"a": [4, 10, 2, 12, 8, 6.0]}, "b: follows from a"),
        ({"a": [1, 2, np.nan, 1, 2, 3]}, "a of row 3: found nan; allowed: a finite number"),
        ({"a": [1, 2, np.inf, 1, 2, 3]}, "a of row 3: found inf; allowed: a finite number"),
        ({"a": [1, 2, "x", 1, 2, 3]}, "a of row 3: found 'x'; allowed: numbers"),
        ({"a": [0, 0, 0, 0, 0, 1]}, "a: does not vary|a: the hazard ratio has no finite"),
        ({"a": [1, 1, 1, 0, 0, 0]}, "a: the hazard ratio has no finite estimate"),
    ],
)
def test_a_bad_column_is_named(change, message):
    table = pd.DataFrame({"a": [3, 1, 4, 1, 5, 2.0], "b": [2, 5, 1, 6, 4, 3.0]} | change)
    with pytest.raises((OutcomesError, NotEstimableError), match=message):
        fit_cox(table, [1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time": [1, 2, np.nan]}, "time of row 3"),
        ({"event": [0, 1, 2]}, "event of row 3: found .*2.*; allowed: 0, 1"),
        ({"event": [0, 0, 0]}, "there is no event"),
        ({"entry": [0, 2, 1]}, "entry of row 2: found 2; allowed: before"),
        ({"weights": [1, -1, 1]}, "weights of row 2: found -1; allowed: a finite number of at"),
        ({"strata": [1, 1]}, "strata: found shape"),
        ({"ties": "exact"}, "ties: found 'exact'; allowed: 'efron', 'breslow'"),
        ({"penalty": -1.0}, "penalty: found -1.0"),
        ({"names": ["a", "b"]}, "names: found 2; allowed: 1"),
        ({"cluster": [1]}, "cluster: found shape"),
        ({"covariates": [1.0, 2.0, 3.0]}, "covariates: found shape"),
        ({"covariates": [[1.0], [2.0]]}, "covariates: found 2 rows; allowed: 3"),
    ],
)
def test_a_bad_argument_is_named(options, message):
    good = {"covariates": [[1.0], [0.0], [3.0]], "time": [1, 2, 3], "event": [1, 1, 0]}
    with pytest.raises(OutcomesError, match=message):
        fit_cox(**good | options)


def test_what_cannot_be_tested_or_drawn_is_said():
    x, time, event = draw(1)
    ridge = fit_cox(x, time, event, penalty=1.0)
    with pytest.raises(NotEstimableError, match="without a penalty"):
        proportional_hazards_test(ridge)
    fit = fit_cox(x, time, event)
    with pytest.raises(OutcomesError, match="covariate: found 'age'; allowed: x1, x2, x3"):
        smoothed_effect(fit, "age")
    with pytest.raises(OutcomesError, match="transform"):
        proportional_hazards_test(fit, "square")
    with pytest.raises(OutcomesError, match="kind"):
        baseline_hazards(fit, "kalbfleisch")


def test_a_row_of_weight_0_is_absent():
    x, time, event = draw(9, rounded=0)
    weights = np.arange(len(time)) % 3
    kept = weights > 0
    whole = fit_cox(x, time, event, weights=weights)
    less = fit_cox(x[kept], time[kept], event[kept], weights=weights[kept])
    assert whole.coefficients == pytest.approx(less.coefficients, rel=1e-9)
    assert whole.log_likelihood == pytest.approx(less.log_likelihood, rel=1e-9)
    tests = [proportional_hazards_test(fit).overall.statistic for fit in (whole, less)]
    assert tests[0] == pytest.approx(tests[1], rel=1e-7)


def test_no_stratum_loses_digits_beside_a_heavier_one():
    x, time, event = draw(3, n=400)
    strata = np.arange(400) % 2
    weights = np.where(strata == 0, 1e8, 1e-8)
    fit = fit_cox(x, time, event, strata=strata, weights=weights)
    light = baseline_hazards(fit)[1]
    rows = strata == 1
    alone = fit_cox(
        np.empty((200, 0)), time[rows], event[rows],
        offset=(x[rows] - fit.data.centre) @ fit.coefficients, weights=weights[rows],
    )  # fmt: skip
    assert light.increments == pytest.approx(baseline_hazards(alone)[0].increments, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_the_scale_of_weights_does_not_matter_to_the_estimate(scale):
    x, time, event = draw(2)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(time))
    one = fit_cox(x, time, event, weights=weights, robust=True)
    two = fit_cox(x, time, event, weights=weights * scale, robust=True)
    assert two.coefficients == pytest.approx(one.coefficients, rel=1e-7)
    assert two.covariance == pytest.approx(one.covariance, rel=1e-6)


def test_a_ridge_takes_repeated_and_constant_columns():
    x, time, event = draw(4)
    one = fit_cox(x[:, :1], time, event, penalty=1.0)
    twice = fit_cox(x[:, [0, 0]], time, event, penalty=2.0)
    # Two halves of an effect are penalised half as much as the whole.
    assert twice.coefficients.sum() == pytest.approx(one.coefficients[0], rel=1e-7)
    assert np.isnan(twice.score_statistic)
    flat = fit_cox(np.column_stack([x[:, 0], np.ones(len(x))]), time, event, penalty=1.0)
    assert flat.coefficients == pytest.approx([one.coefficients[0], 0.0], rel=1e-7, abs=1e-12)


def test_a_table_is_read_by_its_names():
    x, time, event = draw(7)
    table = pd.DataFrame(x, columns=["a", "b", "c"])
    fit = fit_cox(table, time, event)
    turned = table[["c", "a", "b"]]
    assert fit.linear_predictor(turned) == pytest.approx(fit.linear_predictor(x))
    [baseline] = baseline_hazards(fit)
    found = predict_hazard(fit, baseline, turned[:3], [5.0])
    assert found.survival == pytest.approx(predict_hazard(fit, baseline, x[:3], [5.0]).survival)
    with pytest.raises(OutcomesError, match="covariates: found a, b; allowed: a, b, c"):
        fit.linear_predictor(table[["a", "b"]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strata": [None, "a", "b", "a"]}, "strata of row 1: missing"),
        (
            {"strata": pd.Series([1, "a", 2, 2.5])},
            "strata of row 2: found 'a'; allowed: labels of one",
        ),
        ({"cluster": [1, 2, float("nan"), 1]}, "cluster of row 3: missing"),
        ({"cluster": [1, 1, 1, 1]}, "cluster: found one; robust standard errors need at least"),
        (
            {"weights": ["a", 1, 1, 1]},
            "weights of row 1: found 'a'; allowed: a finite number of at",
        ),
        ({"weights": [0, 0, 0, 0]}, "weights: all are 0"),
        ({"entry": ["soon", 0, 0, 0]}, "entry of row 1: found 'soon'; allowed: numbers"),
        ({"time": ["x", 2, 3, 4]}, "time of row 1: found 'x'; allowed: numbers"),
        ({"penalty": [1, 2, 3]}, "penalty: .* one for each of 1 covariates"),
        ({"penalty": "a"}, "penalty: found 'a'"),
        ({"covariates": pd.DataFrame({"a": pd.array([1, None, 3, 4], "Int64")})}, "a of row 2"),
        ({"covariates": pd.DataFrame({"a": pd.date_range("2020", periods=4)})}, "^a"),
    ],
)
def test_what_is_no_number_or_label_is_named(options, message):
    good = {"covariates": [[1.0], [0.0], [3.0], [2.0]], "time": [1, 2, 3, 4], "event": [1, 1, 0, 1]}
    with pytest.raises(OutcomesError, match=message):
        fit_cox(**good | options)


def test_levels_and_times_that_cannot_be_are_refused():
    x, time, event = draw(1)
    fit = fit_cox(x, time, event)
    with pytest.raises(OutcomesError, match="level: found 95; allowed: between 0 and 1"):
        fit.limits(95)
    with pytest.raises(OutcomesError, match="freedom"):
        smoothed_effect(fit, "x1", freedom=1)
    early = fit_cox(x, np.where(np.arange(len(time)) == 0, 0.0, time), event | (time == time[0]))
    with pytest.raises(NotEstimableError, match="month 0 has no logarithm"):
        proportional_hazards_test(early, "log")
    pairs = np.arange(len(time)) % 2
    with pytest.raises(NotEstimableError, match="too few clusters"):
        _ = fit_cox(x, time, event, cluster=pairs).wald_test
