"""Results to draw: simulated patients, and estimates made from them."""

import numpy as np
import pandas as pd
import pytest

from outcomes.comparison import compare
from outcomes.evidence import load_evidence
from outcomes.models import (
    CoxModel,
    ForestModel,
    calculator_data,
    evaluate,
    permutation_importance,
)
from outcomes.reports.results import ModelResult, StudyResults

SERIES = {
    "laufer-2013": (186, 9.0),
    "liu-2020": (52, 27.0),
    "gong-2021": (36, 24.0),
    "bate-2015": (57, 11.0),
    "amankulor-2014": (318, 9.0),
}
COVARIATES = (
    "kps",
    "neurologic_deficit",
    "progressive_systemic_disease",
    "systemic_therapy_after",
    "embolization",
    "complication",
    "sbrt",
    "dose_regimen=single_24",
    "dose_regimen=hypofractionated_high",
    "separation_mm < 3",
)


def make_cohort(rng: np.random.Generator, sizes: dict[str, tuple[int, float]]) -> pd.DataFrame:
    """Return patients whose risks depend on the Karnofsky score, SBRT and the series."""
    frames = []
    for study, (n, scale) in sizes.items():
        kps = rng.choice(
            [40, 50, 60, 70, 80, 90, 100], n, p=[0.05, 0.1, 0.2, 0.25, 0.25, 0.1, 0.05]
        )
        sbrt = rng.random(n) < (0.3 if study == "liu-2020" else 0.9)
        regimen = rng.choice(
            ["single_24", "hypofractionated_high", "hypofractionated_low"], n, p=[0.25, 0.2, 0.55]
        )
        regimen = np.where(sbrt, regimen, "none")
        deficit = rng.random(n) < 0.4
        distance = np.round(rng.gamma(6, 0.8, n), 1)
        procedure = (
            np.where(rng.random(n) < 0.3, "separation", "none")
            if study == "bate-2015"
            else "separation"
        )
        risk = np.exp(-0.025 * (kps - 70) + 0.5 * deficit - 0.35 * sbrt)
        death = rng.exponential(scale * 1.4 / risk)
        theta = 0.35 * np.where(sbrt, 0.45, 1.0) * np.where(distance < 3, 2.5, 1.0)
        progression = np.where(
            rng.random(n) < 1 - np.exp(-theta), rng.lognormal(1.6, 0.5, n), np.inf
        )
        censor = rng.uniform(3, 48 if study == "liu-2020" else 36, n)
        seen = np.round(np.minimum(death, censor), 2)
        local = np.round(np.minimum(progression, seen), 2)
        frames.append(
            pd.DataFrame(
                {
                    "patient_id": [f"{study}-{i:04d}" for i in range(n)],
                    "study": study,
                    "age": np.round(rng.normal(59, 10, n)).astype(int),
                    "sex": rng.choice(["female", "male"], n),
                    "primary_tumour": rng.choice(["lung", "breast", "prostate", "kidney"], n),
                    "kps": kps,
                    "neurologic_deficit": deficit,
                    "progressive_systemic_disease": rng.random(n) < 0.5,
                    "systemic_therapy_after": rng.random(n) < 0.5,
                    "embolization": rng.random(n) < 0.3,
                    "complication": rng.random(n) < 0.1,
                    "escc_grade": rng.choice(["1c", "2", "3"], n),
                    "sbrt": sbrt,
                    "sbrt_start_months": np.where(
                        sbrt, np.round(rng.uniform(0.46, 0.92, n), 2), np.nan
                    ),
                    "dose_regimen": regimen,
                    "procedure": procedure,
                    "separation_mm": np.where(procedure == "none", np.nan, distance),
                    "os_months": np.maximum(seen, 0.03),
                    "death": (death <= censor).astype(int),
                    "lp_months": np.maximum(local, 0.03),
                    "lp_event": np.where(progression <= seen, 1, np.where(death <= censor, 2, 0)),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


TRUTH = {
    "overall-survival": {
        "risk_difference@12": -0.084,
        "restricted_mean_difference@24": 2.1,
        "hazard_ratio": 0.7,
    },
    "local-control": {"risk_difference@12": -0.15, "hazard_ratio": 0.45},
}


@pytest.fixture(scope="session")
def results() -> StudyResults:
    return make_results()


def make_results() -> StudyResults:
    rng = np.random.default_rng(7)
    cohort = make_cohort(rng, SERIES)
    pair = make_cohort(rng, {"liu-2020": (600, 27.0)})
    models, evaluations, calculator = {}, [], {}
    for endpoint in TRUTH:
        cox = CoxModel(endpoint=endpoint, penalizer=0.01).fit(cohort)
        forest = ForestModel(endpoint=endpoint, n_estimators=20, random_state=1).fit(cohort)
        events = int(
            (cohort["death"] if endpoint == "overall-survival" else cohort["lp_event"] == 1).sum()
        )
        for kind, model in (("cox", cox), ("forest", forest)):
            models[endpoint, kind] = ModelResult(
                endpoint=endpoint,
                kind=kind,
                n=len(cohort),
                events=events,
                series="the average of the five series, weighted by their size",
                coefficients=cox.summary_ if kind == "cox" else None,
                proportional_hazards=cox.proportional_hazards_test() if kind == "cox" else None,
                importance=permutation_importance(model, cohort, n_repeats=2),
            )
            evaluations.append(evaluate(model, cohort, n_bootstrap=20))
        calculator[endpoint] = calculator_data(cox, n_draws=40)
    return StudyResults(
        cohort=cohort,
        provenance={"version": "0.1.0", "seed": 7, "evidence_sha256": "0a1b2c3d4e5f6a7b8c9d"},
        comparison_cohort=pair,
        comparison_note="600 synthetic patients of the design of Liu 2020.",
        comparisons={e: compare(pair, endpoint=e, truth=truth) for e, truth in TRUTH.items()},
        evidence=load_evidence(),
        models=models,
        evaluations=tuple(evaluations),
        calculator=calculator,
        files=(("cohort.parquet", "The patients, one row each."), ("metrics.json", "Performance.")),
    )
