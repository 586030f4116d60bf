"""Firth's Cox regression against R's likelihood and against a general optimiser."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime, minimize

from outcomes.models.firth import fit_firth, partial_likelihood


def data_of(case):
    table = pd.DataFrame(case["data"])
    matrix = table[case["covariates"]].to_numpy(dtype=float)
    groups = (
        table[case["strata"]].to_numpy(dtype=object)
        if case["strata"]
        else np.full(len(table), "", dtype=object)
    )
    return matrix, table["time"].to_numpy(), table["status"].to_numpy() == 1, groups


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_likelihood_at_its_maximum_is_that_of_r(reference, number):
    case = reference["cox"][number]
    found = partial_likelihood(*data_of(case), np.array(case["coefficients"]))
    assert found.value == pytest.approx(case["log_likelihood"], rel=1e-9)
    np.testing.assert_allclose(found.score, 0.0, atol=1e-5)
    errors = np.sqrt(np.diag(np.linalg.inv(found.information)))
    np.testing.assert_allclose(errors, case["standard_errors"], rtol=1e-7)


@pytest.mark.parametrize("number", [1, 2])
def test_derivatives_equal_differences(reference, number):
    data = data_of(reference["cox"][number])
    beta = np.array([0.02, -0.3, 0.1]) if number == 1 else np.array([0.1, -0.02, 0.005])
    here = partial_likelihood(*data, beta)
    score = approx_fprime(beta, lambda b: partial_likelihood(*data, b).value, 1e-6)
    np.testing.assert_allclose(here.score, score, rtol=1e-3, atol=1e-2)

    def half_log_determinant(b):
        return 0.5 * np.linalg.slogdet(partial_likelihood(*data, b).information)[1]

    np.testing.assert_allclose(
        here.firth_score, approx_fprime(beta, half_log_determinant, 1e-6), rtol=1e-3, atol=1e-3
    )


def test_the_estimate_maximises_the_penalised_likelihood(reference):
    matrix, time, observed, groups = data_of(reference["cox"][2])
    matrix = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    beta, covariance, value = fit_firth(matrix, time, observed, groups, "death")

    def loss(b):
        return -partial_likelihood(matrix, time, observed, groups, b).penalised

    best = minimize(
        loss, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10}
    )
    np.testing.assert_allclose(beta, best.x, atol=1e-5)
    assert value == pytest.approx(-best.fun, abs=1e-7)
    assert (np.linalg.eigvalsh(covariance) > 0).all()


def test_two_groups_by_hand():
    """One death among an exposed and an unexposed patient, both at risk.

    With r the hazard ratio, L = r / (1 + r) and I = r / (1 + r)^2, so L I^(1/2) is largest where
    the derivative of 1.5 log r - 2 log(1 + r) is 0: r = 3.
    """
    beta, _, _ = fit_firth(
        np.array([[1.0], [0.0]]),
        np.array([1.0, 2.0]),
        np.array([True, False]),
        np.array(["", ""], dtype=object),
        "death",
    )
    assert np.exp(beta[0]) == pytest.approx(3.0, rel=1e-7)


def test_the_scale_of_a_covariate_does_not_matter(reference):
    matrix, time, observed, groups = data_of(reference["cox"][1])
    one = fit_firth(matrix, time, observed, groups, "death")
    two = fit_firth(matrix * [1.0, 100.0, 0.01], time, observed, groups, "death")
    np.testing.assert_allclose(one[0], two[0] * [1.0, 100.0, 0.01], rtol=1e-6)
