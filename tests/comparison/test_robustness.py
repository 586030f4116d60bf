"""What the adjusted estimates rest on, and the trial that each method imitates."""

import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest

from outcomes.comparison import Choices, Options, compare, save_comparisons

NAMES = ("overlap", "weights", "balance", "immortal_time", "bias")


def run(cohort, endpoint="overall-survival", **more):
    options = Options(methods=("g-formula-cox", "iptw", "clone-censor-weight"))
    return compare(cohort, endpoint=endpoint, horizons=(12,), options=options, **more)


@pytest.fixture
def single(cohort):
    """One series whose fitter patients are treated more often."""
    chosen = np.random.default_rng(4).random(len(cohort)) < 0.2 + 0.6 * (cohort["kps"] >= 70)
    begun = np.where(chosen, np.random.default_rng(5).uniform(0.5, 1.3, len(cohort)), np.nan)
    return cohort.assign(sbrt=chosen, sbrt_start_months=begun).drop(columns="study")


def test_weights_balance_what_was_unbalanced(single):
    found = run(single, covariates=("kps",)).robustness
    assert found.covariates == ("kps",)
    assert found.n == len(single) == found.overlap.treated.n + found.overlap.control.n
    kps = found.balance.columns[0]
    arms = [single.loc[single["sbrt"] == arm, "kps"] for arm in (True, False)]
    spread = math.sqrt((arms[0].var() + arms[1].var()) / 2)
    assert kps.difference == pytest.approx((arms[0].mean() - arms[1].mean()) / spread)
    assert kps.difference > 0.5
    assert abs(kps.weighted_difference) < 0.1
    assert found.weights.effective_sample_size < found.n
    assert found.reasons == {}


def test_time_before_treatment_is_that_of_the_treated(single):
    found = run(single).robustness.immortal_time
    treated = single[single["sbrt"]]
    waited = np.minimum(treated["os_months"], treated["sbrt_start_months"]).sum()
    assert found.before_treatment == pytest.approx(waited)
    assert found.n_treated == len(treated)


def test_an_e_value_belongs_to_its_estimate(single):
    compared = run(single)
    ratio = next(
        rung
        for rung in compared.rungs
        if (rung.method, rung.estimand) == ("g-formula-cox", "risk_ratio")
    )
    one = next(
        one
        for one in compared.robustness.e_values
        if (one.method, one.estimand) == ("g-formula-cox", "risk_ratio")
    )
    larger = max(ratio.value, 1 / ratio.value)
    assert one.found.estimate == pytest.approx(larger + math.sqrt(larger * (larger - 1)))
    assert {one.method for one in compared.robustness.e_values}.isdisjoint(
        {"crude", "cox-unadjusted"}
    )


def test_confounding_of_the_e_value_explains_the_estimate_away(single):
    found = run(single).robustness
    assert (found.bias_method, found.bias_horizon) == ("clone-censor-weight", 12)
    one = next(
        one
        for one in found.e_values
        if one.method == found.bias_method and one.estimand == "risk_ratio"
    )
    bias = found.bias
    inside = np.isfinite(bias.estimate_vanishes)
    at = np.interp(
        one.found.estimate, bias.treatment_association[inside], bias.estimate_vanishes[inside]
    )
    assert at == pytest.approx(one.found.estimate, rel=0.02)


def test_an_arm_without_events_is_still_balanced(single):
    single.loc[single["sbrt"], "death"] = 0
    found = run(single).robustness
    assert found.balance is not None
    assert found.immortal_time is not None
    assert found.bias is None
    assert "no adjusted method" in found.reasons["bias"]
    for one in found.e_values:
        assert one.found is None
        assert "'Surgery + SBRT' has no event" in one.reason


@pytest.mark.parametrize(
    ("change", "missing", "reason"),
    [
        (lambda c: c.assign(kps=np.where(c["sbrt"], 90, 50)), NAMES[:3], "determine the treat"),
        (lambda c: c.drop(columns="sbrt_start_months"), NAMES[3:4], "no column sbrt_start_months"),
        (lambda c: c.assign(sbrt_start_months=np.nan), NAMES[3:4], "no treated patient has a kn"),
        (lambda c: c.assign(kps=np.nan), NAMES[:3], "no patient has every one of kps"),
    ],
)
def test_a_part_that_cannot_be_had_says_why(single, change, missing, reason):
    found = run(change(single), covariates=("kps",)).robustness
    for name in NAMES[:4]:
        assert (getattr(found, name) is None) == (name in missing), name
        assert (name in found.reasons) == (name in missing), name
        if name in missing:
            assert reason in found.reasons[name]
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
def test_every_method_imitates_a_trial(cohort, endpoint):
    compared = run(cohort, endpoint)
    trials = {trial.method: trial for trial in compared.target_trials}
    assert list(trials) == list(dict.fromkeys(rung.method for rung in compared.rungs))
    competing = "not present" if endpoint == "overall-survival" else "yes"
    assert trials["crude"].competing_events == competing
    assert [trials["crude"].selection, trials["crude"].immortal_time] == ["no", "no"]
    assert [trials["iptw"].selection, trials["iptw"].immortal_time] == ["yes", "no"]
    assert trials["landmark"].selection == "hazard ratio only"
    cloned = trials["clone-censor-weight"]
    assert (cloned.time_zero, cloned.grace_period) == ("surgery", "weeks 2 to 6 after surgery")
    for trial in trials.values():
        assert all(dataclasses.astuple(trial)), trial.method


def test_trials_count_their_patients_and_follow_the_choices(single):
    single.loc[single.index[:7], "kps"] = np.nan
    options = Options(methods=("landmark-adjusted",), choices=Choices(landmark=2.0))
    compared = compare(
        single, endpoint="overall-survival", horizons=(12,), covariates=("kps",), options=options
    )
    trials = {trial.method: trial for trial in compared.target_trials}
    assert trials["crude"].eligibility == f"operated patients (n = {len(single)})"
    there = ((single["os_months"] > 2) & single["kps"].notna()).sum()
    assert trials["landmark-adjusted"].eligibility.endswith(f"at week 8.7 (n = {there})")


def test_a_treatment_at_surgery_does_not_wait(single):
    single["approach"] = np.where(np.arange(len(single)) % 2, "open", "closed")
    (crude, *_) = run(single, treatment="approach").target_trials
    assert (crude.strategy_treated, crude.strategy_control) == ("open", "closed")
    assert "treatment begins at surgery" in crude.assumptions
    (waiting, *_) = run(single).target_trials
    assert waiting.strategy_treated == "Surgery + SBRT, whenever it began"


def test_files_hold_what_the_comparison_holds(single, tmp_path):
    compared = run(single)
    save_comparisons([compared], tmp_path)
    read = {path.name: path for path in tmp_path.iterdir()}
    rows = pd.DataFrame(json.loads(read["comparison.json"].read_text()))
    pd.testing.assert_frame_equal(rows, compared.to_frame(), check_dtype=False)
    (robustness,) = json.loads(read["robustness.json"].read_text())
    assert robustness["n"] == compared.robustness.n
    trials = pd.read_csv(read["target-trials.csv"])
    assert trials["method"].tolist() == [trial.method for trial in compared.target_trials]
    scores = pd.read_csv(read["propensity.csv"])
    assert scores["patients"].sum() == compared.robustness.n
    balance = pd.read_csv(read["balance.csv"])
    assert tuple(balance["column"]) == compared.robustness.covariates
    times = pd.read_csv(read["immortal-time.csv"])
    assert times.loc[0, "by_arm_treated_events"] == single.loc[single["sbrt"], "death"].sum()
    assert len(pd.read_csv(read["e-values.csv"])) == len(compared.robustness.e_values)


def test_a_table_without_rows_is_no_file(single, tmp_path):
    save_comparisons([run(single.drop(columns=["sbrt_start_months"]))], tmp_path)
    assert not (tmp_path / "immortal-time.csv").exists()
    (robustness,) = json.loads((tmp_path / "robustness.json").read_text())
    assert "no column" in robustness["reasons"]["immortal_time"]
