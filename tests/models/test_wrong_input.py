"""What is no input is refused with the package's own errors, naming what is allowed."""

import numpy as np
import pandas as pd
import pytest

from outcomes.cox import baseline_hazards, fit_cox, fit_fine_gray, place_knots
from outcomes.errors import OutcomesError
from outcomes.models import (
    CoxModel,
    as_lifelines,
    bootstrap_optimism,
    cross_validate,
    decision_curve,
    evaluate,
    harrell_concordance,
    load_model,
    out_of_bag,
    partial_dependence,
    save_model,
    score_risks,
    uno_concordance,
)
from outcomes.models.prediction import predict_table

PAIR = ["kps", "neurologic_deficit"]
TIME = np.arange(1.0, 21.0)
EVENT = np.arange(20) % 2
RISK = np.linspace(0.1, 0.9, 20)
X = np.cos(TIME)[:, None]
DAYS = pd.date_range("2020", periods=20)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: score_risks(TIME, EVENT, RISK, "x"), "months: found 'x'"),
        (lambda: score_risks(TIME, EVENT, "x", [3.0]), "risk: allowed: numbers"),
        (lambda: decision_curve(TIME, EVENT, RISK, 3.0, ["x"]), "thresholds: found"),
        (lambda: decision_curve(TIME, EVENT, RISK, 3.0, 2), "thresholds: found 2"),
        (lambda: harrell_concordance(TIME, EVENT, RISK, horizon="x"), "horizon: found 'x'"),
        (lambda: fit_cox(X, TIME, EVENT, initial="x"), "initial"),
        (lambda: fit_cox(X, TIME, EVENT, names=3), "names: found 3"),
        (lambda: fit_cox(X, TIME, EVENT[:, None]), "event: found shape"),
        (lambda: fit_fine_gray(X, TIME, EVENT, cause="x"), "cause: found 'x'"),
        (lambda: fit_fine_gray(X, TIME, EVENT, cluster=3), "cluster: found shape"),
        (lambda: place_knots(["x"], 3), "values of row 1: found 'x'"),
        (lambda: fit_cox(X, TIME, EVENT, ties=RISK), "ties: found array"),
        (lambda: baseline_hazards(fit_cox(X, TIME, EVENT), RISK), "kind: found array"),
        (lambda: uno_concordance(TIME, EVENT, RISK * 1j), "score: found complex128; allowed"),
        (lambda: uno_concordance(DAYS, EVENT, RISK), r"time: found datetime64\[.*; allowed"),
        (lambda: uno_concordance(TIME, EVENT, RISK, censoring=RISK), "censoring: found ndarray"),
        (lambda: uno_concordance(TIME, EVENT, RISK, fixed_censoring=RISK), "fixed_censoring: fou"),
        (lambda: uno_concordance(TIME, EVENT, RISK, groups=[1, "a"] * 10), "groups: row 2: found"),
        (lambda: uno_concordance(TIME, EVENT, RISK, weights=-RISK), "weights: row 1: found"),
        (lambda: uno_concordance(TIME, EVENT, RISK[:3]), "score: found 3 values; allowed: 20"),
        (lambda: CoxModel(ties=RISK).check_parameters(), "ties: found array"),
        (lambda: CoxModel(baseline=RISK).check_parameters(), "baseline: found array"),
        (lambda: CoxModel(separated=RISK).check_parameters(), "separated: found array"),
        (lambda: as_lifelines(None, None), "model: found NoneType; allowed: a fitted CoxModel"),
        (lambda: out_of_bag(None, None), "model: found NoneType; allowed: a fitted ForestModel"),
        (lambda: predict_table(None, None, [3.0]), "model: found NoneType; allowed: a fitted"),
        (lambda: load_model(3), "path: found 3"),
        (lambda: CoxModel(endpoint=["x"]).fit(pd.DataFrame()), "unknown endpoint"),
    ],
)
def test_arguments(ask, message):
    with pytest.raises(OutcomesError, match=message):
        ask()


def test_tables_and_questions(cohort, tmp_path):
    model = CoxModel(covariates=PAIR).fit(cohort)
    for patients, months, message in (
        (None, [6.0], "patients: found NoneType; allowed: a table"),
        (cohort[:2], None, "times: found None"),
        (cohort[:2], ["x"], "times: found"),
    ):
        with pytest.raises(OutcomesError, match=message):
            predict_table(model, patients, months)
    text = cohort.astype({"os_months": object})
    text.loc[3, "os_months"] = "x"
    words = cohort.astype({"kps": object})
    words.loc[3, "kps"] = "x"
    twice = pd.concat([cohort, cohort[["study"]]], axis=1)
    for ask, message in (
        (lambda: CoxModel(covariates=PAIR).fit(text), "os_months and death"),
        (lambda: CoxModel(covariates=PAIR).fit(twice), "study stands in the table more than once"),
        (lambda: CoxModel(covariates=PAIR).fit(words), "row 4, kps: found 'x'"),
        (lambda: cross_validate(model, twice, horizons=[6.0]), "study stands in the table more"),
        (lambda: bootstrap_optimism("x", cohort), "found str"),
        (lambda: CoxModel(covariates=3).fit(cohort), "covariates: found 3"),
        (lambda: model.score(twice), "study stands in the table more than once"),
        (lambda: evaluate(model, twice, [6.0]), "study stands in the table more than once"),
        (lambda: evaluate(model, cohort, [6.0], truth="x"), "truth: allowed"),
        (lambda: model.interval(cohort, [6.0], level="x"), "level: found 'x'"),
        (lambda: model.predict_cumulative_incidence(cohort, [6.0], event=[1]), "event: found"),
        (lambda: partial_dependence("x", cohort, "kps", [6.0]), "model: found str"),
        (lambda: partial_dependence(model, cohort, ["kps"], [6.0]), "covariate: found"),
        (lambda: partial_dependence(model, cohort, "kps", [6.0], values=3), "values: found 3"),
        (lambda: save_model(model, 3), "path: found 3"),
        (lambda: save_model(model, tmp_path / "m", "x"), "provenance: found str"),
    ):
        with pytest.raises(OutcomesError, match=message):
            ask()
