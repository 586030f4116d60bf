"""Firth's Cox regression against numerical derivatives and a general optimiser."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime, minimize

from outcomes.cox import fit_cox, fit_firth, prepare_cox
from outcomes.cox.firth import firth_score, penalised_value
from outcomes.cox.partial_likelihood import partial_likelihood

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "cox.json").read_text())
CASES = {case["name"]: case for case in REFERENCE["cases"]}


def prepared(name):
    case = CASES[name]
    table = pd.DataFrame(case["data"])
    columns = {
        option: None if case[option] is None else table[case[option]]
        for option in ("entry", "weights", "strata")
    }
    return prepare_cox(
        table[case["covariates"]], table[case["time"]], table[case["event"]],
        ties=case["ties"], **columns,
    )  # fmt: skip


def likelihood(data, beta):
    return partial_likelihood(data.sets, data.columns, beta, data.weights)


NAMES = [
    "lung, tied",
    "lung, tied, Breslow",
    "veteran, stratified, weighted",
    "heart",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_penalty_has_its_slope(name):
    data = prepared(name)
    beta = np.linspace(-0.3, 0.4, len(data.names))
    here = likelihood(data, beta)

    def penalty(b):
        found = likelihood(data, b)
        return penalised_value(found) - found.value

    expected = approx_fprime(beta, penalty, 1e-6)
    np.testing.assert_allclose(
        firth_score(data.sets, data.columns, here), expected, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_estimate_maximises_the_penalised_likelihood(name):
    data = prepared(name)
    fit = fit_firth(data)

    def loss(b):
        return -penalised_value(likelihood(data, b))

    options = {"xatol": 1e-8, "fatol": 1e-12, "maxiter": 4000, "maxfev": 4000}
    best = minimize(loss, np.zeros(len(data.names)), method="Nelder-Mead", options=options)
    np.testing.assert_allclose(fit.coefficients * data.spread, best.x, atol=1e-5)
    assert fit.log_likelihood - np.log(data.spread).sum() == pytest.approx(-best.fun, abs=1e-7)
    assert (np.linalg.eigvalsh(fit.covariance) > 0).all()


def test_two_patients_by_hand():
    """One death among an exposed and an unexposed patient, both at risk.

    With r the hazard ratio, L = r / (1 + r) and I = r / (1 + r)^2, so L I^(1/2) is largest where
    the derivative of 1.5 log r - 2 log(1 + r) is 0: r = 3.
    """
    fit = fit_firth(prepare_cox([[1.0], [0.0]], [1.0, 2.0], [1, 0]))
    assert np.exp(fit.coefficients[0]) == pytest.approx(3.0, rel=1e-7)
    assert fit.log_likelihood == pytest.approx(np.log(3 / 4) + 0.5 * np.log(3 / 16))


def test_the_scale_of_a_covariate_does_not_matter():
    case = CASES["lung, tied"]
    table = pd.DataFrame(case["data"])
    matrix, scale = table[case["covariates"]].to_numpy(), np.array([1.0, 100.0, 0.01])
    one, two = (
        fit_firth(prepare_cox(x, table["time"], table["status"])) for x in (matrix, matrix * scale)
    )
    np.testing.assert_allclose(one.coefficients, two.coefficients * scale, rtol=1e-6)
    # A density changes with the scale it is measured on.
    assert two.log_likelihood - one.log_likelihood == pytest.approx(np.log(scale).sum(), abs=1e-6)


def test_many_patients_leave_little_of_the_penalty():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(20_000, 2))
    time = generator.exponential(np.exp(-0.5 * x[:, 0]))
    fit = fit_firth(prepare_cox(x, time, np.ones(20_000)))
    np.testing.assert_allclose(
        fit.coefficients, fit_cox(x, time, np.ones(20_000)).coefficients, atol=1e-4
    )
