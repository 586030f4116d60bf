"""What the laboratory must show: selection, immortal time, and what is done against them."""

import pytest

from outcomes.laboratory import SCENARIOS, RecoveryPlan, Scenario

SURVIVAL = {"endpoints": ["overall-survival"]}
WITH_START = ("landmark-adjusted", "clone-censor-weight")


def performances(recovery, scenario, size=1000, estimand="risk_difference"):
    rows = recovery.of(scenario, size, "overall-survival", estimand)
    return {row.method: row.performance for row in rows}


def in_errors(measure):
    return measure.value / measure.monte_carlo_error


@pytest.mark.long
def test_by_chance_and_at_once_nothing_is_biased():
    nothing = {"death_hazard_ratio": 1.0, "progression_effect": 0.0, "sbrt_start": (0.0, 0.01)}
    by_chance = Scenario("by-chance", selection=0.0, **nothing)
    selected = Scenario("selected", selection=2.0, **nothing)
    plan = RecoveryPlan(
        scenarios=[by_chance, selected], sizes=[1000], cohorts=20, methods=(), **SURVIVAL
    )
    found = plan.run()
    assert abs(in_errors(performances(found, "by-chance")["crude"].bias)) < 4
    assert in_errors(performances(found, "selected")["crude"].bias) < -5


@pytest.fixture(scope="module")
def large():
    names = ("no-effect", "late-start", "no-selection", "late-start-no-selection")
    return RecoveryPlan(
        scenarios=[SCENARIOS[name] for name in names],
        sizes=[1000],
        cohorts=40,
        methods=WITH_START,
        **SURVIVAL,
    ).run()


@pytest.fixture(scope="module")
def small():
    names = ("no-effect", "default")
    return RecoveryPlan(
        scenarios=[SCENARIOS[name] for name in names], sizes=[52], cohorts=30, **SURVIVAL
    ).run()


@pytest.mark.long
@pytest.mark.parametrize("scenario", ["no-effect", "late-start"])
def test_selection_and_immortal_time_favour_sbrt(large, scenario):
    crude = performances(large, scenario)["crude"]
    assert in_errors(crude.bias) < -5
    assert crude.rejects_in_favour.value > 0.15
    assert crude.coverage.value < 0.9
    ratio = performances(large, scenario, estimand="log_hazard_ratio")["cox-unadjusted"]
    assert in_errors(ratio.bias) < -5


@pytest.mark.long
@pytest.mark.parametrize("scenario", ["no-effect", "late-start"])
@pytest.mark.parametrize("method", WITH_START)
def test_adjusted_methods_with_the_start_are_not_biased(large, scenario, method):
    found = performances(large, scenario)[method]
    crude = performances(large, scenario)["crude"]
    assert abs(found.bias.value) < 4 * found.bias.monte_carlo_error + 0.004
    assert abs(found.bias.value) < abs(crude.bias.value) / 3
    assert found.coverage.value > 0.86


@pytest.mark.long
def test_immortal_time_matters_when_sbrt_starts_late(large):
    soon, late = (
        performances(large, name)["crude"].bias.value
        for name in ("no-selection", "late-start-no-selection")
    )
    assert late < 2 * soon < 0
    assert abs(soon) < 0.03


@pytest.mark.long
def test_cox_with_covariates_keeps_the_immortal_time(large):
    found = performances(large, "late-start", estimand="log_hazard_ratio")
    assert in_errors(found["cox-adjusted"].bias) < -5
    assert abs(found["landmark"].bias.value) < abs(found["cox-adjusted"].bias.value) / 2


@pytest.mark.long
def test_at_52_patients_nothing_is_certain(small):
    for method, found in performances(small, "default", 52).items():
        assert found.empirical_se.value > 0.08, method
        assert found.rejects.value < 0.6, method
        assert 1.96 * found.model_se.value > abs(found.truth), method
    for method, found in performances(small, "no-effect", 52).items():
        assert found.empirical_se.value > 0.08, method


@pytest.mark.long
def test_same_seed_same_results_on_two_processes():
    plan = RecoveryPlan(scenarios=[SCENARIOS["default"]], sizes=[60], cohorts=4, **SURVIVAL)
    assert plan.run(jobs=2) == plan.run()
