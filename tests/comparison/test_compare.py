import json
import math

import numpy as np
import pandas as pd
import pytest

from outcomes.comparison import LANDMARK_MONTHS, Options, treatment_labels
from outcomes.comparison import compare as compare_arms
from outcomes.comparison.options import FOREST, LADDER
from outcomes.curves import aalen_johansen, gray_test, kaplan_meier
from outcomes.errors import CohortError, NotEstimableError, OutcomesError

# The forest's interval takes fifty samples: most tests ask nothing of it.
WITHOUT_FOREST_SAMPLES = Options(forest_bootstraps=0)


def compare(*args, **given):
    return compare_arms(*args, **{"options": WITHOUT_FOREST_SAMPLES, **given})


def rung(comparison, method, estimand, horizon=None):
    found = [
        one
        for one in comparison.rungs
        if (one.method, one.estimand, one.horizon_months) == (method, estimand, horizon)
    ]
    assert len(found) == 1
    return found[0]


def test_the_ladder_of_overall_survival(cohort):
    found = compare(cohort, endpoint="overall-survival", horizons=(12,))
    adjusted = {
        method: [one.estimand for one in found.rungs if one.method == method] for method in LADDER
    }
    risks = [
        "risk_treated",
        "risk_control",
        "risk_difference",
        "risk_ratio",
        "number_needed_to_treat",
        "restricted_mean_treated",
        "restricted_mean_control",
        "restricted_mean_difference",
    ]
    with_ratio = ("iptw", "time-dependent", "clone-censor-weight")
    assert adjusted == {
        method: [*risks, *(["hazard_ratio"] if method in with_ratio else [])] for method in LADDER
    }
    assert [(one.method, one.estimand) for one in found.rungs if one.method not in LADDER] == [
        ("crude", "risk_treated"),
        ("crude", "risk_control"),
        ("crude", "risk_difference"),
        ("crude", "risk_ratio"),
        ("crude", "number_needed_to_treat"),
        ("crude", "restricted_mean_treated"),
        ("crude", "restricted_mean_control"),
        ("crude", "restricted_mean_difference"),
        ("crude", "log_rank"),
        ("stratified", "log_rank"),
        ("cox-unadjusted", "hazard_ratio"),
        ("cox-adjusted", "hazard_ratio"),
        ("landmark", "risk_difference"),
        ("landmark", "hazard_ratio"),
    ]
    unknown = [one for one in found.rungs if one.value is None]
    assert {one.estimand for one in unknown} <= {"number_needed_to_treat"}
    # The forest has no interval here.
    assert all("includes 0" in one.note or one.method == FOREST for one in unknown)
    assert found.inflated is None


def test_the_ladder_of_local_control(cohort):
    found = compare(cohort, endpoint="local-control")
    estimands = {(one.method, one.estimand) for one in found.rungs}
    assert ("crude", "gray") in estimands
    assert ("crude", "restricted_mean_time_lost_difference") in estimands
    assert ("1 - Kaplan-Meier", "risk_difference") in estimands
    assert ("crude", "log_rank") not in estimands
    unknown = [one for one in found.rungs if one.value is None]
    assert {one.estimand for one in unknown} <= {"number_needed_to_treat"}
    # The forest has no interval here.
    assert all("includes 0" in one.note or one.method == FOREST for one in unknown)
    gray = gray_test(cohort["lp_months"], cohort["lp_event"], cohort["sbrt"])
    assert rung(found, "crude", "gray").value == gray.statistic
    assert rung(found, "crude", "gray").p == gray.p
    note = rung(found, "cox-adjusted", "hazard_ratio").note
    assert "kps, neurologic_deficit, separation_mm < 3" in note


def test_differences_are_treated_minus_control(cohort):
    found = compare(cohort, endpoint="overall-survival", horizons=(12,))
    treated = rung(found, "crude", "risk_treated", 12).value
    control = rung(found, "crude", "risk_control", 12).value
    assert rung(found, "crude", "risk_difference", 12).value == treated - control < 0
    needed = rung(found, "crude", "number_needed_to_treat", 12)
    assert needed.value is None
    assert "includes 0" in needed.note
    assert rung(found, "crude", "restricted_mean_difference", 12).value > 0
    assert rung(found, "cox-adjusted", "hazard_ratio").value < 1


def test_arm_curves_of_survival(cohort):
    found = compare(cohort, endpoint="overall-survival")
    treated, control = found.arms
    assert (treated.arm, treated.label) == ("treated", "Surgery + SBRT")
    assert (control.arm, control.label) == ("control", "Surgery alone")
    own = cohort[cohort["sbrt"]]
    curve = kaplan_meier(own["os_months"], own["death"])
    assert (treated.n, treated.events) == (len(own), own["death"].sum())
    assert (treated.months[0], treated.estimate[0]) == (0, 1)
    assert treated.months[-1] == own["os_months"].max()
    np.testing.assert_array_equal(treated.estimate[1:], curve.survival_at(treated.months[1:]))
    assert treated.median == curve.median()
    assert treated.at_risk == tuple(curve.at_risk_at(treated.risk_months))
    assert treated.risk_months == control.risk_months == tuple(np.arange(0.0, 60.1, 6))
    np.testing.assert_array_equal(
        treated.censored_months, np.unique(own.loc[own["death"] == 0, "os_months"])
    )
    for curve in found.arms:
        assert (curve.lower <= curve.estimate).all()
        assert (curve.estimate <= curve.upper).all()


def test_arm_curves_of_local_control(cohort):
    found = compare(cohort, endpoint="local-control")
    own = cohort[~cohort["sbrt"]]
    curve = aalen_johansen(own["lp_months"], own["lp_event"])
    control = found.arms[1]
    np.testing.assert_array_equal(control.estimate[1:], curve.incidence_at(1, control.months[1:]))
    assert control.estimate[0] == 0
    assert control.median is None
    for one, inflated in zip(found.arms, found.inflated, strict=True):
        assert one.arm == inflated.arm
        np.testing.assert_array_equal(one.months, inflated.months)
        assert (inflated.estimate >= one.estimate - 1e-12).all()
        assert (inflated.lower <= inflated.estimate).all()
        assert (inflated.estimate <= inflated.upper).all()


def test_the_truth_stands_beside_every_method(cohort):
    truth = {
        "risk_treated@12": 0.3,
        "risk_control@12": 0.4,
        "risk_difference@12": -0.1,
        "restricted_mean_difference@12": 0.9,
        "hazard_ratio": 0.67,
        "landmark:hazard_ratio": 0.64,
    }
    found = compare(cohort, endpoint="overall-survival", horizons=(12.0, 24.0), truth=truth)
    assert rung(found, "crude", "risk_treated", 12).truth == 0.3
    assert rung(found, "crude", "risk_difference", 12).truth == -0.1
    assert rung(found, "landmark", "risk_difference", 12).truth is None
    assert rung(found, "crude", "restricted_mean_difference", 12).truth == 0.9
    assert rung(found, "crude", "risk_ratio", 12).truth == pytest.approx(0.75)
    assert rung(found, "crude", "number_needed_to_treat", 12).truth == pytest.approx(10)
    assert rung(found, "landmark", "hazard_ratio").truth == 0.64
    assert rung(found, "cox-unadjusted", "hazard_ratio").truth is None
    assert rung(found, "cox-adjusted", "hazard_ratio").truth == 0.67
    assert rung(found, "crude", "risk_difference", 24).truth is None
    assert rung(found, "crude", "log_rank").truth is None


def test_records_are_plain_data(cohort):
    found = compare(cohort, endpoint="local-control")
    records = json.loads(json.dumps(found.to_records(), allow_nan=False))
    assert set(records[0]) == {
        "method", "estimand", "endpoint", "horizon_months",
        "value", "lower", "upper", "p", "truth", "note",
    }  # fmt: skip
    frame = found.to_frame()
    assert len(frame) == len(records)
    assert frame["method"].tolist() == [record["method"] for record in records]


def test_order_of_patients_does_not_matter(cohort):
    shuffled = cohort.sample(frac=1, random_state=3)
    for options, endpoint in (
        (WITHOUT_FOREST_SAMPLES, "local-control"),
        (Options(methods=(FOREST,)), "overall-survival"),
    ):
        first, second = (
            compare(one, endpoint=endpoint, options=options).to_frame()
            for one in (cohort, shuffled)
        )
        pd.testing.assert_frame_equal(first, second, rtol=1e-6)
    assert first.loc[first["method"] == FOREST, "lower"].notna().any()


def test_pooled_series_may_repeat_their_row_labels(cohort):
    repeated = cohort.set_axis(np.arange(len(cohort)) % 200, axis=0)
    pd.testing.assert_frame_equal(
        compare(cohort, endpoint="local-control").to_frame(),
        compare(repeated, endpoint="local-control").to_frame(),
    )
    notes = compare(cohort, endpoint="local-control").notes
    assert notes == ("2 series are pooled; a crude estimate mixes their patients",)
    assert compare(cohort.drop(columns="study"), endpoint="local-control").notes == ()


def test_the_cohort_is_left_as_it_was(cohort):
    before = cohort.copy()
    compare(cohort, endpoint="overall-survival")
    pd.testing.assert_frame_equal(cohort, before)


def test_adjustment_undoes_confounding():
    # Fitter patients get the treatment, which does nothing.
    random = np.random.default_rng(11)
    n = 4000
    kps = random.choice([50, 60, 70, 80, 90, 100], n)
    sbrt = random.random(n) < 1 / (1 + np.exp(-(kps - 75) / 10))
    death = random.exponential(20 * np.exp(0.04 * (kps - 75)))
    cohort = pd.DataFrame(
        {
            "sbrt": sbrt,
            "kps": kps,
            "os_months": np.ceil(np.minimum(death, 48) * 10) / 10,
            "death": (death < 48).astype(int),
        }
    )
    found = compare(cohort, endpoint="overall-survival")
    crude = rung(found, "cox-unadjusted", "hazard_ratio")
    adjusted = rung(found, "cox-adjusted", "hazard_ratio")
    assert crude.upper < 0.7
    assert abs(math.log(adjusted.value)) < 3 * math.log(adjusted.upper / adjusted.value) / 1.96


def test_the_landmark_takes_immortal_time_out():
    # Whoever lives six weeks is treated, to no effect: the treated cannot have died before.
    random = np.random.default_rng(12)
    n = 4000
    death = np.ceil(random.exponential(3, n) * 100) / 100
    start = random.uniform(0.3, 1.3, n)
    sbrt = (random.random(n) < 0.7) & (death > start)
    cohort = pd.DataFrame(
        {
            "sbrt": sbrt,
            "sbrt_start_months": np.where(sbrt, start, np.nan),
            "kps": random.choice([60, 70, 80], n),
            "os_months": np.minimum(death, 24),
            "death": (death < 24).astype(int),
        }
    )
    found = compare(cohort, endpoint="overall-survival", horizons=(6,))
    crude = rung(found, "crude", "risk_difference", 6)
    assert crude.value < -5 * (crude.upper - crude.value) / 1.96
    landmark = rung(found, "landmark", "risk_difference", 6)
    assert abs(landmark.value) < 3 * (landmark.upper - landmark.value) / 1.96
    ratio = rung(found, "landmark", "hazard_ratio")
    assert abs(math.log(ratio.value)) < 3 * math.log(ratio.upper / ratio.value) / 1.96


def test_treatment_after_the_landmark_counts_as_control(cohort):
    late = cohort.index[cohort["sbrt"]][:30]
    cohort.loc[late, "sbrt_start_months"] = 3.0
    found = compare(cohort, endpoint="overall-survival", horizons=(12,))
    later = cohort[cohort["os_months"] > LANDMARK_MONTHS]
    started = later["sbrt"] & (later["sbrt_start_months"] <= LANDMARK_MONTHS)
    risks = [
        1 - kaplan_meier(arm["os_months"], arm["death"]).survival_at(12)
        for arm in (later[started], later[~started])
    ]
    landmark = rung(found, "landmark", "risk_difference", 12)
    assert landmark.value == pytest.approx(risks[0] - risks[1])
    counted = int((later["sbrt"] & ~started).sum())
    assert f"{counted} patients treated later counted as control" in landmark.note
    assert 0 < counted <= 30


def test_who_was_treated_at_an_unknown_time_is_left_out_of_the_landmark(cohort):
    cohort.loc[cohort.index[cohort["sbrt"]][:5], "sbrt_start_months"] = np.nan
    note = rung(compare(cohort, endpoint="overall-survival"), "landmark", "hazard_ratio").note
    assert "5 patients treated at an unknown time left out" in note


def test_without_the_start_of_treatment_there_is_no_landmark(cohort):
    found = compare(cohort.drop(columns="sbrt_start_months"), endpoint="overall-survival")
    for estimand, horizon in (("risk_difference", 12), ("hazard_ratio", None)):
        missing = rung(found, "landmark", estimand, horizon)
        assert missing.value is None
        assert "no column sbrt_start_months" in missing.note


def test_a_horizon_that_few_reach_is_said_so(cohort):
    found = compare(cohort, endpoint="overall-survival", horizons=(12, 56))
    assert "few left" not in rung(found, "crude", "risk_difference", 12).note
    assert "few left under observation" in rung(found, "crude", "risk_difference", 56).note


def test_patients_without_surgery_are_left_out(cohort):
    cohort["procedure"] = np.where(np.arange(len(cohort)) < 50, "none", "separation")
    found = compare(cohort, endpoint="overall-survival")
    assert sum(arm.n for arm in found.arms) == len(cohort) - 50
    assert "50 patients without surgery are left out" in found.notes


def test_patients_of_unknown_treatment_are_left_out(cohort):
    cohort["sbrt"] = cohort["sbrt"].astype(object)
    cohort.loc[cohort.index[:7], "sbrt"] = None
    found = compare(cohort, endpoint="overall-survival")
    assert sum(arm.n for arm in found.arms) == len(cohort) - 7
    assert "7 patients without a value of sbrt are left out" in found.notes


def test_any_column_of_two_values_is_a_treatment(cohort):
    cohort["approach"] = np.where(cohort["sbrt"], "open", "minimally_invasive")
    named = compare(cohort, endpoint="overall-survival", treatment="approach")
    assert [arm.label for arm in named.arms] == ["open", "minimally_invasive"]
    cohort["sbrt"] = cohort["sbrt"].astype(int)
    numbers = compare(cohort, endpoint="overall-survival")
    assert named.arms[0].n == numbers.arms[0].n
    crude = "crude", "risk_difference", 12
    assert rung(named, *crude).value == rung(numbers, *crude).value
    # A treatment is not adjusted for itself.
    assert (
        "embolization"
        not in rung(
            compare(
                cohort.assign(embolization=cohort["sbrt"]),
                endpoint="overall-survival",
                treatment="embolization",
            ),
            "cox-adjusted",
            "hazard_ratio",
        ).note
    )


def test_labels():
    assert treatment_labels("sbrt") == ("Surgery + SBRT", "Surgery alone")
    assert treatment_labels("chest_wall_resection") == (
        "Chest wall resection",
        "No chest wall resection",
    )


def test_a_patient_of_two_lesions_dies_once(cohort):
    cohort["patient_id"] = np.arange(len(cohort)).astype(str)
    twice = pd.concat([cohort, cohort.iloc[:30]])
    once, doubled = (compare(one, endpoint="overall-survival") for one in (cohort, twice))
    assert doubled.to_records() == once.to_records()
    assert doubled.notes[0].startswith("30 further rows of the same patients are left out")
    lesions = compare(twice, endpoint="local-control")
    assert sum(arm.n for arm in lesions.arms) == len(twice)


@pytest.mark.parametrize("column", ["death", "lp_event", "os_months", "frankel_after"])
def test_an_outcome_is_no_treatment_and_no_covariate(cohort, column):
    cohort["frankel_after"] = np.where(cohort["sbrt"], "E", "D")
    for asked in ({"treatment": column}, {"covariates": ["kps", column]}):
        with pytest.raises(CohortError, match=f"column {column}: found 'an outcome, used as"):
            compare(cohort, endpoint="overall-survival", **asked)


def test_unusable_cohorts(cohort):
    with pytest.raises(CohortError, match="column sbrt: missing") as caught:
        compare(cohort.drop(columns=["sbrt", "death"]), endpoint="overall-survival")
    assert [one.column for one in caught.value.violations] == ["death", "sbrt"]
    with pytest.raises(CohortError, match=r"kps: found .*; allowed: a column of two values"):
        compare(cohort, endpoint="overall-survival", treatment="kps")
    with pytest.raises(NotEstimableError, match="no patient is left"):
        compare(cohort.iloc[:0], endpoint="overall-survival")
    with pytest.raises(OutcomesError, match="unknown endpoint"):
        compare(cohort, endpoint="survival")
    with pytest.raises(OutcomesError, match="positive number of months"):
        compare(cohort, endpoint="overall-survival", horizons=(0,))
    cohort.loc[cohort.index[4], "os_months"] = np.nan
    with pytest.raises(OutcomesError, match="row 5, os_months"):
        compare(cohort, endpoint="overall-survival")
