"""Errors of coefficients and curves when rows belong to clusters."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from outcomes.cox import baseline_hazards, fine_gray_proportionality_test, fit_cox, predict_hazard
from outcomes.cox.clusters import Changes, spread_over_time
from outcomes.cox.subdistribution import fit_fine_gray
from outcomes.errors import NotEstimableError

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "cox.json").read_text())
MONTHS = [2.0, 6.0, 15.0]


def patients(n, seed=5):
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=n), rng.random(n) < 0.5])
    time = np.ceil(rng.exponential(10 * np.exp(-0.4 * x[:, 0]))) + 1.0
    return x, time, rng.random(n) < 0.7, rng.integers(0, 2, n)


def error_of(fit, kind=None, stratum=0):
    baseline = baseline_hazards(fit, kind)[stratum]
    return predict_hazard(fit, baseline, np.array([[0.5, 1.0]]), MONTHS).standard_error


def test_sums_of_squares_by_hand():
    # Cluster 0 is 1 at the first time and 1 + 2 - 3 t later; cluster 1 is 4 at the last time.
    changes = Changes(
        size=np.array([[1.0, 2.0, 4.0], [0.0, -3.0, 0.0]]),
        when=np.array([0, 1, 2]),
        cluster=np.array([0, 0, 1]),
    )
    t = np.array([1.0, 2.0, 5.0])
    variance, covariance = spread_over_time(
        changes, np.stack([np.ones(3), t]), np.array([[10.0, 1.0]])
    )
    sums = np.array([[1.0, 3 - 3 * 2.0, 3 - 3 * 5.0], [0.0, 0.0, 4.0]])
    np.testing.assert_allclose(variance, (sums**2).sum(axis=0))
    np.testing.assert_allclose(covariance, [sums[0] * 10 + sums[1]])


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("late", [False, True])
def test_clusters_of_one_are_robust_errors(ties, late):
    x, time, event, strata = patients(60)
    entry = np.where(np.arange(60) % 3 == 0, time - 2, 0.0) if late else None
    options = {"ties": ties, "strata": strata, "entry": entry}
    alone = fit_cox(x, time, event, robust=True, **options)
    clustered = fit_cox(x, time, event, cluster=np.arange(60)[::-1], **options)
    for stratum in (0, 1):
        np.testing.assert_allclose(
            error_of(alone, "breslow", stratum), error_of(clustered, "breslow", stratum), rtol=1e-10
        )


def test_a_patient_twice_in_a_cluster_is_one_of_weight_2():
    x, time, event, _ = patients(50)
    twice = fit_cox(
        np.tile(x, (2, 1)),
        np.tile(time, 2),
        np.tile(event, 2),
        cluster=np.tile(np.arange(50), 2),
        ties="breslow",
    )
    weighed = fit_cox(x, time, event, weights=np.full(50, 2.0), robust=True, ties="breslow")
    once = fit_cox(x, time, event, robust=True, ties="breslow")
    np.testing.assert_allclose(twice.covariance, weighed.covariance, rtol=1e-9)
    np.testing.assert_allclose(error_of(twice), error_of(weighed), rtol=1e-9)
    np.testing.assert_allclose(error_of(twice), error_of(once), rtol=1e-9)
    naive = fit_cox(np.tile(x, (2, 1)), np.tile(time, 2), np.tile(event, 2), ties="breslow")
    assert (error_of(naive) < error_of(twice)).all()


def test_intervals_of_patients_who_share_a_risk_hold_the_truth():
    rng = np.random.default_rng(11)
    months, held, n = 0.7, {"clusters": 0, "naive": 0}, 150
    # Given the shared risk the hazard is exponential; averaged over it, it is that of a gamma.
    truth = np.log1p(months)
    for _ in range(150):
        time = rng.exponential(1 / np.repeat(rng.gamma(1.0, size=n // 5), 5))
        event, x = time < 2.0, rng.normal(size=(n, 1))
        for kind, cluster in (("clusters", np.arange(n) // 5), ("naive", None)):
            fit = fit_cox(x, np.minimum(time, 2.0), event, cluster=cluster)
            [baseline] = baseline_hazards(fit)
            found = predict_hazard(fit, baseline, np.zeros((1, 1)), [months])
            away = abs(found.cumulative[0, 0] - truth)
            held[kind] += away < 1.96 * found.standard_error[0, 0]
    assert 0.89 < held["clusters"] / 150 < 0.99
    assert held["naive"] / 150 < 0.85


def competing(n, seed=7):
    """Draw the month and kind of an event, of three kinds of groups."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=n), rng.random(n) < 0.5])
    time = rng.exponential(np.exp(-0.4 * x[:, 0]))
    return x, time, rng.integers(0, 3, n), rng


GROUPINGS = ["none", "groups", "strata", "both", "crossed"]


def grouping(name, n):
    one, other = np.random.default_rng(3).integers(0, 2, (2, n))
    return {
        "none": {},
        "groups": {"censoring_groups": one},
        "strata": {"strata": one},
        "both": {"strata": one, "censoring_groups": one},
        "crossed": {"strata": one, "censoring_groups": other},
    }[name]


def test_fine_gray_without_competing_events_equals_r():
    [case] = [case for case in REFERENCE["cases"] if case["name"] == "lung, clustered, Breslow"]
    data = pd.DataFrame(case["data"])
    fit = fit_fine_gray(
        data[case["covariates"]], data["time"], data["status"], cluster=data["inst"]
    )
    tolerance = {"rtol": REFERENCE["tolerance"], "atol": 0}
    np.testing.assert_allclose(fit.coefficients, case["coefficients"], **tolerance)
    np.testing.assert_allclose(fit.covariance, case["covariance"], **tolerance)
    wald, _, _ = fit.tests()["wald"]
    np.testing.assert_allclose(wald, case["wald_test"], **tolerance)
    new, months = pd.DataFrame(case["new"]), case["months"]
    hazard = -np.log1p(-fit.cumulative_incidence(new, months))
    error = hazard * fit.standard_error_log_hazard(new, months)
    np.testing.assert_allclose(np.exp(-hazard), case["breslow"], **tolerance)
    np.testing.assert_allclose(error, case["breslow_hazard_error"], **tolerance)


@pytest.mark.parametrize("name", GROUPINGS)
def test_fine_gray_clusters_of_one_change_nothing(name):
    x, time, event, rng = competing(80)
    options = grouping(name, 80) | {"weights": rng.uniform(0.5, 2, 80)}
    alone = fit_fine_gray(x, time, event, **options)
    clustered = fit_fine_gray(x, time, event, cluster=rng.permutation(80), **options)
    np.testing.assert_allclose(clustered.covariance, alone.covariance, rtol=1e-10)
    np.testing.assert_allclose(clustered.score_statistic, alone.score_statistic, rtol=1e-10)
    for found, expected in zip(clustered.baselines, alone.baselines, strict=True):
        np.testing.assert_allclose(found.variance, expected.variance, rtol=1e-8)
        np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", GROUPINGS)
def test_fine_gray_copies_in_a_cluster_are_one_patient_of_weight_2(name):
    x, time, event, _ = competing(80)
    options = grouping(name, 80)
    twice = {key: np.tile(value, 2) for key, value in options.items()}
    copied = fit_fine_gray(
        np.tile(x, (2, 1)),
        np.tile(time, 2),
        np.tile(event, 2),
        cluster=np.tile(np.arange(80), 2),
        **twice,
    )
    weighed = fit_fine_gray(x, time, event, weights=np.full(80, 2.0), **options)
    np.testing.assert_allclose(copied.covariance, weighed.covariance, rtol=1e-9)
    for found, expected in zip(copied.baselines, weighed.baselines, strict=True):
        np.testing.assert_allclose(found.variance, expected.variance, rtol=1e-8)
    tests = [
        fine_gray_proportionality_test(copied, *data, **extra).statistics
        for data, extra in (
            ((x, time, event), options),
            (
                (np.tile(x, (2, 1)), np.tile(time, 2), np.tile(event, 2)),
                twice | {"cluster": np.tile(np.arange(80), 2)},
            ),
        )
    ]
    np.testing.assert_allclose(*tests, rtol=1e-8)


@pytest.mark.parametrize("name", GROUPINGS)
def test_fine_gray_errors_are_the_derivatives_by_the_clusters_weights(name):
    """The influence of a cluster is the derivative by its weight, but for terms of order 1/n."""
    x, time, event, rng = competing(120)
    options, cluster = grouping(name, 120), rng.integers(0, 30, 120)
    fit = fit_fine_gray(x, time, event, cluster=cluster, **options)
    patient, months, step = np.array([[0.7, 1.0]]), [0.3, 0.6, 1.2], 1e-4
    stratum, moved = fit.strata[0], []
    for one in range(30):
        ends = []
        for sign in (1, -1):
            weights = 1 + sign * step * (cluster == one)
            there = fit_fine_gray(x, time, event, weights=weights, **options)
            incidence = there.cumulative_incidence(patient, months, stratum)[0]
            ends.append(np.append(there.coefficients, np.log(-np.log1p(-incidence))))
        moved.append((ends[0] - ends[1]) / (2 * step))
    expected = np.sqrt((np.array(moved) ** 2).sum(axis=0))
    found = [*fit.standard_errors, *fit.standard_error_log_hazard(patient, months, stratum)[0]]
    np.testing.assert_allclose(found, expected, rtol=0.02)


def test_fine_gray_intervals_of_pairs_hold_the_truth():
    rng = np.random.default_rng(19)
    held = {"pairs": 0, "naive": 0}
    for _ in range(150):
        # Both of a pair have the same course but for the censoring, and the same covariate.
        x = np.repeat(rng.normal(size=(60, 1)), 2, axis=0)
        reached = 1 - 0.5 ** np.exp(0.5 * x[:, 0])
        own = np.repeat(rng.random(60), 2) < reached
        quantile = np.repeat(rng.random(60), 2)
        left = (1 - quantile * reached) ** np.exp(-0.5 * x[:, 0])
        time = np.where(own, -np.log(1 - (1 - left) / 0.5), -np.log(quantile))
        censoring = rng.exponential(2.0, 120)
        event = np.where(time <= censoring, np.where(own, 1, 2), 0)
        data = (x, np.minimum(time, censoring), event)
        for kind, cluster in (("pairs", np.repeat(np.arange(60), 2)), ("naive", None)):
            fit = fit_fine_gray(*data, cluster=cluster)
            lower, upper = fit.interval(np.zeros((1, 1)), [0.7])
            held[kind] += lower[0, 0] < 0.5 * (1 - np.exp(-0.7)) < upper[0, 0]
    assert 0.89 < held["pairs"] / 150 < 0.99
    assert held["naive"] / 150 < 0.88


def test_too_few_clusters_are_refused_or_leave_no_joint_test():
    x, time, event, _ = competing(80)
    with pytest.raises(NotEstimableError, match="cluster: found one"):
        fit_fine_gray(x, time, event, cluster=np.zeros(80))
    fit = fit_fine_gray(x, time, event, cluster=np.arange(80) % 2)
    assert np.isnan(fit.tests()["wald"][0])
    assert (fit.standard_errors > 0).all()
