"""Errors of coefficients and curves when rows belong to clusters."""

import numpy as np
import pytest

from outcomes.cox import baseline_hazards, fit_cox, predict_hazard
from outcomes.cox.clusters import Changes, spread_over_time

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


def test_intervals_of_pairs_that_share_a_risk_hold_the_truth():
    rng = np.random.default_rng(11)
    months, held, naive_held, n = 0.7, 0, 0, 150
    # Given the shared risk the hazard is exponential; averaged over it, it is that of a gamma.
    truth = np.log1p(months)
    for _ in range(150):
        shared = np.repeat(rng.gamma(1.0, size=n // 5), 5)
        time = rng.exponential(1 / shared)
        event = time < 2.0
        x = rng.normal(size=(n, 1))
        time = np.minimum(time, 2.0)
        fit = fit_cox(x, time, event, cluster=np.arange(n) // 5)
        naive = fit_cox(x, time, event)
        for one in (fit, naive):
            [baseline] = baseline_hazards(one)
            found = predict_hazard(one, baseline, np.zeros((1, 1)), [months])
            inside = abs(found.cumulative[0, 0] - truth) < 1.96 * found.standard_error[0, 0]
            if one is fit:
                held += inside
            else:
                naive_held += inside
    assert 0.89 < held / 150 < 0.99
    assert naive_held / 150 < 0.85
