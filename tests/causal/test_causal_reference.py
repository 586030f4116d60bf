"""Against R: riskRegression's ate, survival's weighted and multi-state curves, timereg."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from outcomes.causal.augmented import augmented
from outcomes.causal.estimators import Choices, g_formula, inverse_probability
from outcomes.causal.functionals import Functionals
from outcomes.causal.incidence import weighted_incidence
from outcomes.causal.outcome_model import fit_outcome_model
from outcomes.causal.propensity import fit_propensity, treatment_weights
from outcomes.causal.standardisation import standardise
from outcomes.causal.subjects import Subjects
from outcomes.causal.time_dependent import rows_from_start
from outcomes.cox import fit_cox, with_robust_covariance

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "causal.json").read_text(encoding="utf-8")
)
EXACT, NEAR, ROUGH = (
    REFERENCE["tolerance"][key] for key in ("exact", "product_limit", "censoring_weights")
)
HORIZONS = np.array(REFERENCE["horizons"], dtype=float)
FUNCTIONALS = Functionals(HORIZONS)
RISKS = slice(0, HORIZONS.size)


def subjects(*, competing, series=False):
    data = {key: np.array(values, dtype=float) for key, values in REFERENCE["data"].items()}
    codes = data["status"].astype(int)
    n = codes.size
    return Subjects(
        time=data["time"],
        codes=codes if competing else (codes > 0).astype(int),
        treated=data["treated"] == 1,
        start=np.where(data["start"] < 0, np.inf, data["start"]),
        columns=np.column_stack([data["x1"], data["x2"]]),
        names=("x1", "x2"),
        stratum=data["series"].astype(int) if series else np.zeros(n, dtype=int),
        weights=np.ones(n),
        cluster=np.arange(n),
    )


def assert_arms(found, expected, tolerance, errors=True):
    for arm, name in enumerate(("treated", "control")):
        assert found.values[arm, RISKS] == pytest.approx(expected[name]["estimate"], abs=tolerance)
        if errors:
            error = np.sqrt(found.covariance[RISKS, arm, arm])
            assert error == pytest.approx(expected[name]["se"], abs=tolerance)


def assert_contrasts(found, expected, tolerance):
    treated, control = found.values[:, RISKS]
    covariance = found.covariance[RISKS]
    spread = covariance[:, 0, 0] + covariance[:, 1, 1] - 2 * covariance[:, 0, 1]
    assert treated - control == pytest.approx(expected["difference"]["estimate"], abs=tolerance)
    assert np.sqrt(spread) == pytest.approx(expected["difference"]["se"], abs=tolerance)


def test_standardised_survival_and_its_errors():
    expected = REFERENCE["survival"]["g_formula"]
    found = g_formula(subjects(competing=False), FUNCTIONALS, Choices())
    assert_arms(found, expected, EXACT)
    assert_contrasts(found, expected, EXACT)


def test_standardised_over_series_with_baselines_of_their_own():
    expected = REFERENCE["survival"]["g_formula_stratified"]
    found = g_formula(subjects(competing=False, series=True), FUNCTIONALS, Choices())
    assert_arms(found, expected, EXACT)
    assert_contrasts(found, expected, EXACT)


def test_doubly_robust_survival_and_its_errors():
    given = subjects(competing=False)
    found = augmented(fit_outcome_model(given), fit_propensity(given), FUNCTIONALS)
    assert_arms(found, REFERENCE["survival"]["doubly_robust"], EXACT)
    assert_contrasts(found, REFERENCE["survival"]["doubly_robust"], EXACT)


def test_standardised_incidences_sum_to_one_as_in_a_multi_state_model():
    found = standardise(fit_outcome_model(subjects(competing=True)), FUNCTIONALS)
    expected = REFERENCE["competing"]["multi_state"]
    assert found.values[0, RISKS] == pytest.approx(expected["treated"], abs=EXACT)
    assert found.values[1, RISKS] == pytest.approx(expected["control"], abs=EXACT)
    assert_arms(found, REFERENCE["competing"]["g_formula"], NEAR)


def test_doubly_robust_incidences():
    given = subjects(competing=True)
    found = augmented(fit_outcome_model(given), fit_propensity(given), FUNCTIONALS)
    assert_arms(found, REFERENCE["competing"]["doubly_robust"], NEAR)


@pytest.mark.parametrize("endpoint", ["survival", "competing"])
def test_weighted_curves_with_robust_errors(endpoint):
    given = subjects(competing=endpoint == "competing")
    weights = treatment_weights(given, fit_propensity(given))
    for name, member in (("treated", given.treated), ("control", ~given.treated)):
        found = weighted_incidence(
            given.time[member], given.codes[member], weights[member], FUNCTIONALS
        )
        expected = REFERENCE[endpoint]["weighted"][name]
        assert found.values[RISKS] == pytest.approx(expected["estimate"], abs=EXACT)
        error = np.sqrt((found.moves[:, RISKS] ** 2).sum(axis=0))
        assert error == pytest.approx(expected["se"], abs=EXACT)


def test_weighted_incidences_as_direct_binomial_regression_has_them():
    found = inverse_probability(subjects(competing=True), FUNCTIONALS, Choices())
    expected = REFERENCE["competing"]["direct"]
    assert found.values[0, RISKS] == pytest.approx(expected["treated"], abs=ROUGH)
    assert found.values[1, RISKS] == pytest.approx(expected["control"], abs=ROUGH)


def test_weighted_hazard_ratio():
    given = subjects(competing=False)
    fit = with_robust_covariance(
        fit_cox(
            given.treated[:, None].astype(float),
            given.time,
            given.codes == 1,
            weights=treatment_weights(given, fit_propensity(given)),
            names=["treatment"],
        )
    )
    expected = REFERENCE["survival"]["weighted_hazard_ratio"]
    assert float(fit.coefficients[0]) == pytest.approx(expected["log_hr"], abs=EXACT)
    assert float(fit.standard_errors[0]) == pytest.approx(expected["se"], abs=EXACT)


def test_hazard_ratio_of_treatment_as_it_comes():
    given = subjects(competing=False)
    rows = rows_from_start(given)
    fit = fit_outcome_model(given, rows).causes[0].fit
    robust = with_robust_covariance(fit, given.cluster[rows.patient])
    expected = REFERENCE["time_dependent"]
    assert float(fit.coefficients[-1]) == pytest.approx(expected["log_hr"], abs=EXACT)
    assert math.isclose(float(robust.standard_errors[-1]), expected["se"], rel_tol=1e-6)
