"""Results to draw: a small study of the real kind, and the browser that opens its pages."""

import dataclasses
import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from outcomes.comparison import LANDMARK_MONTHS, Options, compare
from outcomes.endpoints import LOCAL_CONTROL, OVERALL_SURVIVAL, Endpoint
from outcomes.laboratory import SCENARIOS, Measured, Performance, Recovered, Recovery
from outcomes.models import (
    CoxModel,
    ForestModel,
    calculator_data,
    compare_models,
    permutation_importance,
)
from outcomes.models.contrasts import regimen_effects
from outcomes.reports import ModelResult, StudyResults, write_report
from outcomes.reports.summary_recovery import recovery_page
from outcomes.study import dependence_curves
from outcomes.synthetic import (
    Calibration,
    shipped_calibration,
    simulate,
    simulate_pooled,
    treatment_truth,
    true_risk,
)
from outcomes.synthetic.ensemble import Ensemble, Quantity, Source
from outcomes.synthetic.verification import FigureDistribution, NullRejection, Verification

ENDPOINTS = (OVERALL_SURVIVAL, LOCAL_CONTROL)
HORIZONS = (3.0, 6.0, 12.0, 24.0)


def with_made_up(calibration: Calibration) -> Calibration:
    """Return a calibration with an ensemble and a verification of every kind of row."""
    quantities = [
        Quantity(
            f"liu-2020/{name}",
            "liu-2020",
            unit,
            meaning,
            value,
            value - 5,
            value + 1,
            upper,
            (
                Source("sampling", "", 0.6),
                Source("assumption", "death_hr_sbrt", 0.3),
                Source("prior", "liu-2020/progression_sigma", 0.08),
            ),
        )
        for name, unit, meaning, value, upper in (
            ("local_progression_12m/alone", "percent", "local progression", 30.0, 39.0),
            ("local_progression_12m/sbrt", "percent", "local progression", 7.0, 18.0),
            ("overall_survival_median/sbrt", "months", "median overall survival", 38.0, math.inf),
            ("sbrt_effect/median_survival", "months", "difference of the medians", 12.0, 24.0),
            ("sbrt_effect/overall_survival_24m", "points", "survival at 24 months", 14.0, 17.0),
            ("crude_difference", "months", "crude difference of the medians", 17.0, 70.0),
        )
    ]
    row = FigureDistribution(
        id="laufer-2013/local_progression_12m",
        study="laufer-2013",
        unit="percent",
        role="fit",
        published=16.4,
        defined=1000,
        lower=11.0,
        median=16.0,
        upper=22.0,
        below=0.6,
        above=0.4,
        inside=True,
        tension=None,
        span=(8.0, 24.0),
        counts=(100, 300, 400, 200),
    )
    figures = (
        row,
        replace(
            row,
            id="laufer-2013/follow_up_mean",
            role="check",
            unit="months",
            published=4.8,
            inside=False,
            tension="Deaths and survivors do not fit it.",
        ),
        replace(
            row,
            id="liu-2020/overall_survival_median/sbrt",
            study="liu-2020",
            unit="months",
            published=38.0,
            defined=990,
            upper=math.inf,
            counts=(100, 300, 400, 90),
        ),
        replace(
            row,
            id="bate-2015/patients",
            study="bate-2015",
            unit="patients",
            published=57.0,
            lower=57.0,
            median=57.0,
            upper=57.0,
            span=(56.5, 57.5),
            counts=(0, 1000),
        ),
    )
    null = NullRejection(
        id="li-2022/null/overall_survival/sex",
        study="laufer-2013",
        endpoint="overall-survival",
        covariate="sex",
        adjusted=("kps",),
        patients=500,
        tests=4000,
        rejected=0.064,
    )
    nulls = (null, replace(null, id="li-2022/null/overall_survival/resection", rejected=0.0641))
    return replace(
        calibration,
        ensemble=Ensemble(1, 2, {}, {}, tuple(quantities)),
        verification=Verification(1, 1000, figures, nulls),
    )


def make_results() -> StudyResults:
    """Return the results of a study of a few hundred patients."""
    calibration = with_made_up(shipped_calibration())
    cohort = simulate_pooled(1_500, seed=3, calibration=calibration)
    unseen = simulate_pooled(600, seed=4, calibration=calibration)
    compared = simulate("liu-2020", 600, seed=5, calibration=calibration)
    models, compared_models, calculator, dependence = {}, {}, {}, {}
    for endpoint in ENDPOINTS:
        truth = true_risk(unseen, endpoint, HORIZONS, calibration)
        cox = CoxModel(endpoint=endpoint.name).fit(cohort)
        forest = ForestModel(endpoint=endpoint.name, n_estimators=30, random_state=1).fit(cohort)
        kinds = {"cox": cox, "forest": forest}
        for kind, model in kinds.items():
            models[endpoint.name, kind] = make_model_result(model, kind, endpoint, cohort)
        compared_models[endpoint.name] = compare_models(
            kinds, unseen, n_folds=2, horizons=HORIZONS, truth=truth, n_bootstrap=30
        )
        dependence[endpoint.name] = dependence_curves(kinds, unseen, endpoint, calibration)
        calculator[endpoint.name] = calculator_data(cox, n_draws=30, cohort=cohort)
    return StudyResults(
        cohort=cohort,
        provenance={"package_version": "0.1.0", "seed": 3, "evidence_hash": "0a1b2c3d4e5f6a7b"},
        evidence=calibration.evidence,
        calibration=calibration,
        comparison_cohort=compared,
        comparison_note="600 synthetic patients in the design of Liu 2020",
        models=models,
        evaluations=tuple(
            compared_models[endpoint.name].evaluations[kind]
            for endpoint in ENDPOINTS
            for kind in ("cox", "forest")
        ),
        model_comparisons=compared_models,
        comparisons={
            endpoint.name: compare(
                compared,
                endpoint=endpoint,
                truth=treatment_truth(
                    calibration, "liu-2020", endpoint, (12.0, 24.0), landmark=LANDMARK_MONTHS
                ),
                # The forest's interval takes as long as all else; the command line's tests have it.
                options=Options(forest_bootstraps=0),
            )
            for endpoint in ENDPOINTS
        },
        dependence=dependence,
        calculator=calculator,
        files=(("cohort.parquet", "the patients"), ("models/", "the fitted models")),
    )


def make_model_result(
    model: Any, kind: str, endpoint: Endpoint, cohort: pd.DataFrame
) -> ModelResult:
    """Return what the reports show of a fitted model."""
    is_cox = kind == "cox"
    return ModelResult(
        endpoint=endpoint.name,
        kind="cox" if is_cox else "forest",
        n=len(cohort),
        events=int((cohort[endpoint.event_column] == 1).sum()),
        series="the average of the five series, weighted by their size",
        coefficients=model.summary_ if is_cox else None,
        regimens=regimen_effects(model) if is_cox else None,
        proportional_hazards=model.proportional_hazards_test() if is_cox else None,
        importance=permutation_importance(model, cohort, n_repeats=2).to_frame(),
    )


HOSTILE = '<img src=x onerror="alert(1)">'
HOSTILE_LINK = '<a href="https://example.org">link</a>'


def make_own_results(results: StudyResults) -> StudyResults:
    """Return the same study as a hospital's own, with names that try to be markup."""
    table = pd.DataFrame(results.cohort)
    names = dict.fromkeys(table["study"].unique(), HOSTILE_LINK)
    names["laufer-2013"] = HOSTILE
    cohort = table.assign(study=table["study"].map(names)).rename(
        columns={"neurologic_deficit": HOSTILE}
    )
    cohort[HOSTILE] = cohort[HOSTILE].astype(object).where(cohort.index > 20)
    covariates = ("kps", HOSTILE, "sbrt")
    complete = cohort.dropna(subset=[HOSTILE]).astype({HOSTILE: bool})
    cox = CoxModel(endpoint="overall-survival", covariates=covariates).fit(complete)
    comparison = results.comparisons["overall-survival"]
    return StudyResults(
        cohort=cohort,
        provenance={"package_version": "0.1.0", "source": HOSTILE},
        synthetic=False,
        models={
            ("overall-survival", "cox"): make_model_result(cox, "cox", OVERALL_SURVIVAL, complete)
        },
        comparisons={
            "overall-survival": dataclasses.replace(
                comparison,
                arms=tuple(dataclasses.replace(arm, label=HOSTILE_LINK) for arm in comparison.arms),
                rungs=tuple(
                    dataclasses.replace(rung, truth=None, method=HOSTILE_LINK)
                    for rung in comparison.rungs
                ),
            )
        },
        calculator={"overall-survival": calculator_data(cox, n_draws=10, cohort=complete)},
    )


@pytest.fixture(scope="session")
def results() -> StudyResults:
    """The results of a small synthetic study."""
    return make_results()


@pytest.fixture(scope="session")
def own_results(results: StudyResults) -> StudyResults:
    """The results of a cohort of one's own, whose names try to be markup."""
    return make_own_results(results)


@pytest.fixture(scope="session")
def report(results: StudyResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a written report."""
    folder = tmp_path_factory.mktemp("report")
    write_report(results, folder)
    return folder


@pytest.fixture(scope="session")
def own_report(own_results: StudyResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a written report on a cohort of one's own."""
    folder = tmp_path_factory.mktemp("own")
    write_report(own_results, folder)
    return folder


NOTHING = Measured(0.0, 0.0)


def performance(
    bias: float, *, truth: float, rejects: float = 0.05, model_se: float
) -> Performance:
    return Performance(
        cohorts=1000,
        not_estimable=NOTHING,
        without_interval=NOTHING,
        truth=truth,
        mean=Measured(truth + bias, 0.005),
        bias=Measured(bias, 0.005),
        relative_bias=None,
        empirical_se=Measured(0.05, 0.001),
        model_se=Measured(model_se, 0.001),
        model_se_error=NOTHING,
        mean_squared_error=None,
        coverage=Measured(0.95, 0.007),
        bias_eliminated_coverage=Measured(0.95, 0.007),
        rejects=Measured(rejects, 0.007),
        rejects_in_favour=Measured(rejects, 0.007),
    )


@pytest.fixture(scope="session")
def recovery() -> Recovery:
    """A simulation study that was never run, with round numbers."""
    rows = [
        Recovered(scenario, size, "overall-survival", method, "risk_difference", 12.0, found)
        for scenario, truth in (("no-effect", 0.0), ("default", -0.1))
        for size, spread in ((52, 0.14), (1000, 0.03))
        for method, found in (
            ("crude", performance(-0.041, truth=truth, rejects=0.28, model_se=spread)),
            ("iptw", performance(0.02, truth=truth, model_se=spread)),
            ("clone-censor-weight", performance(-0.004, truth=truth, model_se=spread)),
        )
    ]
    return Recovery(
        study="liu-2020",
        scenarios=(SCENARIOS["no-effect"], SCENARIOS["default"]),
        sizes=(52, 1000),
        endpoints=("overall-survival",),
        horizon=12.0,
        cohorts=1000,
        seed=0,
        bootstraps=0,
        jackknife_below=0,
        results=tuple(rows),
    )


@pytest.fixture(scope="session")
def laboratory(recovery: Recovery, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page of the simulation study."""
    folder = tmp_path_factory.mktemp("laboratory")
    (folder / "recovery.html").write_text(recovery_page(recovery, {}), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; without it the tests fail in CI and are skipped elsewhere."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is needed: apt-get install chromium")
        pytest.skip("needs chromium, which is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=path, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()
