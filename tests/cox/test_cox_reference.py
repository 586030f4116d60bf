"""The Cox engine against R's survival; made by scripts/r/cox.R."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from outcomes.cox import (
    baseline_hazards,
    dfbeta_residuals,
    fit_cox,
    martingale_residuals,
    predict_hazard,
    proportional_hazards_test,
    schoenfeld_residuals,
    score_residuals,
    smoothed_effect,
)
from outcomes.cox.proportionality import scaled_schoenfeld_residuals

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "cox.json").read_text())
CASES = {case["name"]: case for case in REFERENCE["cases"]}
TOLERANCE = REFERENCE["tolerance"]


def fitted(case):
    data = pd.DataFrame(case["data"])
    column = {
        name: None if case[name] is None else data[case[name]].to_numpy()
        for name in ("entry", "weights", "strata", "cluster")
    }
    return fit_cox(
        data[case["covariates"]],
        data[case["time"]],
        data[case["event"]],
        ties=case["ties"],
        penalty=case["ridge"],
        **column,
    )


@cache
def fitted_case(name):
    return CASES[name], fitted(CASES[name])


def cases_with(key):
    return pytest.mark.parametrize("name", [name for name, case in CASES.items() if key in case])


def close(found, expected):
    expected = np.asarray(expected, dtype=np.float64)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE * scale)


@cases_with("coefficients")
def test_coefficients_and_covariance(name):
    case, fit = fitted_case(name)
    close(fit.coefficients, case["coefficients"])
    close(fit.covariance, case["covariance"])


@cases_with("score_test")
def test_log_likelihood_and_tests(name):
    case, fit = fitted_case(name)
    close([fit.null_log_likelihood, fit.log_likelihood], case["log_likelihood"])
    close(fit.score_test.statistic, case["score_test"])
    close(fit.wald_test.statistic, case["wald_test"])


@cases_with("martingale")
def test_martingale_residuals(name):
    case, fit = fitted_case(name)
    close(martingale_residuals(fit), case["martingale"])


@cases_with("score_residuals")
def test_residuals_of_the_score(name):
    case, fit = fitted_case(name)
    close(score_residuals(fit), case["score_residuals"])
    close(dfbeta_residuals(fit), case["dfbeta"])
    close(np.sum(schoenfeld_residuals(fit) ** 2, axis=0), case["schoenfeld_sum_of_squares"])


@cases_with("zph")
def test_proportional_hazards(name):
    case, fit = fitted_case(name)
    expected = case["zph"]
    tested = proportional_hazards_test(fit, expected["transform"])
    close([*tested.table["statistic"], tested.overall.statistic], expected["chisq"])
    close([*tested.table["p"], tested.overall.p], expected["p"])


@cases_with("zph")
def test_smoothed_effects(name):
    case, fit = fitted_case(name)
    expected = case["zph"]
    scaled, variance, known = scaled_schoenfeld_residuals(fit)
    assert known.all()
    close(scaled.sum(axis=0), expected["sums"])
    close(variance, expected["var"])
    for name, curve in zip(fit.names, expected["curves"], strict=True):
        found = smoothed_effect(fit, name, expected["transform"])
        close(found.value, curve["value"])
        close(found.lower, curve["lower"])
        close(found.upper, curve["upper"])


@cases_with("new")
def test_predicted_curves(name):
    case, fit = fitted_case(name)
    new = pd.DataFrame(case["new"])
    [baseline] = baseline_hazards(fit)
    predicted = predict_hazard(fit, baseline, new, case["months"])
    close(predicted.survival, case["survival"])
    close(predicted.standard_error, case["hazard_error"])
    [breslow] = baseline_hazards(fit, "breslow")
    predicted = predict_hazard(fit, breslow, new, case["months"])
    close(predicted.survival, case["breslow"])
    if fit.cluster is not None:
        close(predicted.standard_error, case["breslow_hazard_error"])
