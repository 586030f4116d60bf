"""Results to draw: simulated patients, and estimates made from them."""

import dataclasses
import shutil
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from outcomes.curves.aalen_johansen import aalen_johansen
from outcomes.curves.kaplan_meier import kaplan_meier
from outcomes.estimate import Estimate
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
        kps = rng.choice([40, 50, 60, 70, 80, 90, 100], n, p=[0.05, 0.1, 0.2, 0.25, 0.25, 0.1, 0.05])
        sbrt = rng.random(n) < (0.3 if study == "liu-2020" else 0.9)
        regimen = rng.choice(
            ["single_24", "hypofractionated_high", "hypofractionated_low"], n, p=[0.25, 0.2, 0.55]
        )
        regimen = np.where(sbrt, regimen, "none")
        deficit = rng.random(n) < 0.4
        distance = np.round(rng.gamma(6, 0.8, n), 1)
        procedure = np.where(rng.random(n) < 0.8, "separation", "none") if study == "bate-2015" else "separation"
        risk = np.exp(-0.025 * (kps - 70) + 0.5 * deficit - 0.35 * sbrt)
        death = rng.exponential(scale * 1.4 / risk)
        theta = 0.35 * np.where(sbrt, 0.45, 1.0) * np.where(distance < 3, 2.5, 1.0)
        progression = np.where(rng.random(n) < 1 - np.exp(-theta), rng.lognormal(1.6, 0.5, n), np.inf)
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


def make_arm(frame: pd.DataFrame, arm: str, label: str, kind: str) -> Any:
    """Return the curve of one arm, as the comparison gives it."""
    risk_months = tuple(range(0, 37, 6))
    median = None
    if kind == "survival":
        curve = kaplan_meier(frame["os_months"], frame["death"])
        values, (lower, upper) = curve.survival.values, curve.interval()
        median, events = curve.median(), int(curve.events.sum())
    elif kind == "incidence":
        curve = aalen_johansen(frame["lp_months"], frame["lp_event"], causes=(1, 2))
        values, (lower, upper) = curve.incidence[1].values, curve.interval(1)
        events = int(curve.events(1).sum())
    else:
        curve = kaplan_meier(frame["lp_months"], frame["lp_event"] == 1)
        low, high = curve.interval()
        values, lower, upper = 1 - curve.survival.values, 1 - high, 1 - low
        events = int(curve.events.sum())
    return SimpleNamespace(
        arm=arm,
        label=label,
        n=len(frame),
        events=events,
        months=curve.times,
        estimate=values,
        lower=lower,
        upper=upper,
        median=median,
        risk_months=risk_months,
        at_risk=tuple(int(n) for n in curve.at_risk_at(risk_months)),
    )


def make_comparison(cohort: pd.DataFrame, endpoint: str, truth: bool) -> Any:
    """Return a comparison with curves from the patients and made-up rungs around them."""
    treated = cohort["sbrt"]
    groups = (
        (cohort[~treated], "control", "Surgery alone"),
        (cohort[treated], "treated", "Surgery + SBRT"),
    )
    survival = endpoint == "overall-survival"
    arms = tuple(make_arm(f, a, t, "survival" if survival else "incidence") for f, a, t in groups)
    inflated = None if survival else tuple(make_arm(f, a, t, "inflated") for f, a, t in groups)
    real = -0.084 if survival else -0.15
    rungs = []
    for position, method in enumerate(("crude", "landmark", "inverse_probability", "standardised_cox")):
        value = real - 0.06 + 0.02 * position
        rungs.append(
            _rung(method, "risk_difference", endpoint, 12.0, value, 0.05, real if truth else None)
        )
        rungs.append(
            _rung(method, "restricted_mean_difference", endpoint, 24.0, -20 * value, 0.9, 2.1 if truth else None)
        )
    rungs.append(_rung("cox_crude", "hazard_ratio", endpoint, None, 0.61, 0.08, 0.70 if truth else None))
    rungs.append(_rung("cox_adjusted", "hazard_ratio", endpoint, None, 0.68, 0.09, 0.70 if truth else None))
    rungs.append(
        SimpleNamespace(
            method="clone_censor_weight",
            estimand="risk_difference",
            endpoint=endpoint,
            horizon_months=12.0,
            value=None,
            lower=None,
            upper=None,
            p=None,
            truth=real if truth else None,
            note="too few patients at risk in one group",
        )
    )
    return SimpleNamespace(
        endpoint=endpoint,
        treatment="sbrt",
        horizons=(12.0, 24.0),
        arms=arms,
        inflated=inflated,
        rungs=tuple(rungs),
        notes=("The landmark method follows patients from month 1 on.",),
    )


def _rung(
    method: str,
    estimand: str,
    endpoint: str,
    horizon: float | None,
    value: float,
    error: float,
    truth: float | None,
) -> Any:
    return SimpleNamespace(
        method=method,
        estimand=estimand,
        endpoint=endpoint,
        horizon_months=horizon,
        value=value,
        lower=value - 1.96 * error,
        upper=value + 1.96 * error,
        p=0.034,
        truth=truth,
        note="",
    )


@pytest.fixture(scope="session")
def results() -> StudyResults:
    return make_results()


def make_results() -> StudyResults:
    rng = np.random.default_rng(7)
    cohort = make_cohort(rng, SERIES)
    pair = make_cohort(rng, {"liu-2020": (600, 27.0)})
    return StudyResults(
        cohort=cohort,
        provenance={"version": "0.1.0", "seed": 7, "evidence_sha256": "0a1b2c3d4e5f6a7b8c9d"},
        comparison_cohort=pair,
        comparison_note="600 synthetic patients of the design of Liu 2020.",
        comparisons={e: make_comparison(pair, e, True) for e in ("overall-survival", "local-control")},
    )
