"""An estimate that cannot be had keeps its place and says why; the others stand."""

import json

import numpy as np
import pandas as pd
import pytest

from outcomes.comparison import Options
from outcomes.comparison import compare as compare_arms
from outcomes.errors import CohortError

# The forest's interval takes fifty samples: most tests ask nothing of it.
WITHOUT_FOREST_SAMPLES = Options(forest_bootstraps=0)


def compare(*args, **given):
    return compare_arms(*args, **{"options": WITHOUT_FOREST_SAMPLES, **given})


BOTH = pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])


def rungs(comparison):
    return {(one.method, one.estimand, one.horizon_months): one for one in comparison.rungs}


def run(cohort, endpoint="overall-survival", **options):
    found = compare(cohort, endpoint=endpoint, horizons=(12,), **options)
    json.dumps(found.to_records(), allow_nan=False)
    for rung in found.rungs:
        assert (rung.value is None) == rung.note.startswith("not estimable because ")
    return found, rungs(found)


@BOTH
def test_an_arm_without_patients(cohort, endpoint):
    for treated, empty in ((True, "Surgery alone"), (False, "Surgery + SBRT")):
        found, by_name = run(cohort[cohort["sbrt"] == treated], endpoint)
        assert f"the arm '{empty}' has no patient" in found.notes
        assert sorted(arm.n for arm in found.arms) == [0, (cohort["sbrt"] == treated).sum()]
        there, gone = ("treated", "control") if treated else ("control", "treated")
        assert by_name["crude", f"risk_{there}", 12].value > 0
        assert f"'{empty}' has no patient" in by_name["crude", f"risk_{gone}", 12].note
        for (_, estimand, _), one in by_name.items():
            if not estimand.endswith(f"_{there}"):
                assert one.value is None, one


@BOTH
def test_a_treatment_of_one_text_is_refused(cohort, endpoint):
    with pytest.raises(CohortError, match="column approach: found 'only open'; allowed: a col"):
        compare(cohort.assign(approach="open"), endpoint=endpoint, treatment="approach")


@BOTH
def test_an_arm_that_is_empty_at_the_landmark(cohort, endpoint):
    column = "os_months" if endpoint == "overall-survival" else "lp_months"
    cohort.loc[~cohort["sbrt"], column] = 1.0
    _, by_name = run(cohort, endpoint)
    for name in (("landmark", "hazard_ratio", None), ("landmark", "risk_difference", 12)):
        assert "'Surgery alone' has no patient" in by_name[name].note


@BOTH
def test_one_patient_in_each_arm(cohort, endpoint):
    pair = pd.concat([cohort[cohort["sbrt"]].head(1), cohort[~cohort["sbrt"]].head(1)])
    found, _ = run(pair, endpoint)
    assert [arm.n for arm in found.arms] == [1, 1]


@BOTH
def test_everyone_censored(cohort, endpoint):
    cohort["death"] = 0
    cohort["lp_event"] = 0
    _, by_name = run(cohort, endpoint)
    assert by_name["crude", "risk_difference", 12].value == 0
    for method in ("cox-unadjusted", "cox-adjusted", "landmark"):
        assert "nobody has had the event" in by_name[method, "hazard_ratio", None].note


@BOTH
def test_an_arm_without_events(cohort, endpoint):
    event = "death" if endpoint == "overall-survival" else "lp_event"
    cohort.loc[cohort["sbrt"], event] = 0
    _, by_name = run(cohort, endpoint)
    assert by_name["crude", "risk_treated", 12].value == 0
    change = by_name["crude", "risk_difference", 12]
    assert change.value == -by_name["crude", "risk_control", 12].value
    assert (change.lower, change.upper, change.p) == (None, None, None)
    assert "no event has happened in the arm 'Surgery + SBRT' by month 12" in change.note
    assert by_name["crude", "risk_ratio", 12].value is None
    for method in ("cox-unadjusted", "cox-adjusted", "landmark"):
        assert "'Surgery + SBRT' has no event" in by_name[method, "hazard_ratio", None].note


@BOTH
def test_a_horizon_beyond_the_follow_up_of_one_arm(cohort, endpoint):
    months = "os_months" if endpoint == "overall-survival" else "lp_months"
    event = "death" if endpoint == "overall-survival" else "lp_event"
    over = ~cohort["sbrt"] & (cohort[months] > 9)
    cohort.loc[over, event] = 0
    cohort.loc[over, months] = 9.0
    _, by_name = run(cohort, endpoint)
    assert by_name["crude", "risk_treated", 12].value is not None
    for name in (("crude", "risk_difference", 12), ("landmark", "risk_difference", 12)):
        assert by_name[name].value is None
        assert (
            "follow-up of the arm 'Surgery alone' ends at month 9, before month 12"
            in by_name[name].note
        )
    assert by_name["cox-adjusted", "hazard_ratio", None].value is not None


def test_everyone_in_an_arm_dead_before_the_horizon(cohort):
    cohort.loc[~cohort["sbrt"], "death"] = 1
    cohort.loc[~cohort["sbrt"], "os_months"] = cohort["os_months"].clip(upper=10) + 0.1
    found, by_name = run(cohort)
    assert by_name["crude", "risk_control", 12].value == 1
    change = by_name["crude", "risk_difference", 12]
    assert change.value is not None
    assert change.lower is None
    assert "nobody is left in the arm 'Surgery alone' by month 12" in change.note
    assert by_name["crude", "restricted_mean_difference", 12].lower is not None
    assert np.isfinite(found.arms[1].upper).all()
    assert found.arms[1].lower[-1] == 0


def test_no_events_at_all(cohort):
    cohort["lp_event"] = 0
    _, by_name = run(cohort, "local-control")
    assert by_name["crude", "risk_difference", 12].value == 0
    assert "the risk difference is 0" in by_name["crude", "number_needed_to_treat", 12].note
    assert "no event of cause 1" in by_name["crude", "gray", None].note


def test_a_missing_covariate(cohort):
    _, by_name = run(cohort, covariates=("kps", "albumin"))
    adjusted = by_name["cox-adjusted", "hazard_ratio", None]
    assert adjusted.note == "not estimable because the cohort has no column albumin"
    assert by_name["cox-unadjusted", "hazard_ratio", None].value is not None


def test_series_that_each_have_one_arm(cohort):
    cohort["study"] = np.where(cohort["sbrt"], "laufer-2013", "amankulor-2014")
    _, by_name = run(cohort)
    for method in ("cox-unadjusted", "cox-adjusted"):
        note = by_name[method, "hazard_ratio", None].note
        assert "the other columns determine sbrt within its strata" in note
    assert by_name["stratified", "log_rank", None].value is None
    assert by_name["crude", "log_rank", None].value is not None
    for method in ("g-formula-cox", "iptw", "doubly-robust", "time-dependent"):
        note = by_name[method, "risk_difference", 12.0].note
        assert note == "not estimable because every series has only one arm"


def test_a_covariate_that_separates(cohort):
    cohort["alive_at_end"] = cohort["death"] == 0
    _, by_name = run(cohort, covariates=("alive_at_end",))
    note = by_name["cox-adjusted", "hazard_ratio", None].note
    assert "alive_at_end is the same at every event" in note


def test_a_covariate_that_separates_within_its_series(cohort):
    # One series lacks the mark; in the other, all the dead and some survivors bear it.
    spared = np.arange(len(cohort)) % 4 == 0
    cohort["mark"] = (cohort["study"] == "liu-2020") & ((cohort["death"] == 1) | ~spared)
    _, by_name = run(cohort, covariates=("mark",))
    note = by_name["cox-adjusted", "hazard_ratio", None].note
    assert "the partial likelihood has no maximum" in note


def test_a_covariate_that_orders_the_deaths(cohort):
    cohort["clock"] = -cohort["os_months"]
    _, by_name = run(cohort, covariates=("clock",))
    note = by_name["cox-adjusted", "hazard_ratio", None].note
    assert "the partial likelihood has no maximum" in note


def test_a_constant_covariate_is_left_out_with_a_note(cohort):
    plain = run(cohort)[1]["cox-adjusted", "hazard_ratio", None]
    cohort["embolization"] = False
    noted = run(cohort)[1]["cox-adjusted", "hazard_ratio", None]
    assert noted.value == plain.value
    assert "embolization does not vary and is left out" in noted.note


def test_what_other_covariates_tell_is_left_out_of_every_method(cohort):
    plain = run(cohort, covariates=("kps", "neurologic_deficit"))[0]
    cohort["dependence"] = 10 - cohort["kps"] / 10
    cohort["both"] = cohort["kps"] + 5 * cohort["neurologic_deficit"]
    cohort["hospital"] = cohort["study"].str.upper()
    covariates = ("kps", "neurologic_deficit", "dependence", "both", "hospital")
    noted, by_name = run(cohort, covariates=covariates)
    columns = ["method", "estimand", "value", "lower", "upper", "p"]
    pd.testing.assert_frame_equal(noted.to_frame()[columns], plain.to_frame()[columns])
    redundant = "dependence and both and hospital=LIU-2020 follow from the other covariates"
    for key in (("cox-adjusted", "hazard_ratio", None), ("iptw", "risk_difference", 12.0)):
        assert f"{redundant} or the series and are left out" in by_name[key].note
    _, by_name = run(cohort, covariates=("hospital",))
    note = by_name["iptw", "risk_difference", 12.0].note
    assert "no covariate varies within a series" in note


def test_missing_covariates_leave_patients_out_with_a_note(cohort):
    cohort["kps"] = cohort["kps"].astype(float)
    cohort.loc[cohort.index[:25], "kps"] = np.nan
    noted = run(cohort)[1]["cox-adjusted", "hazard_ratio", None]
    whole = run(cohort.iloc[25:])[1]["cox-adjusted", "hazard_ratio", None]
    assert noted.value == pytest.approx(whole.value)
    assert "25 patients with missing covariates are left out" in noted.note


def test_who_is_left_is_counted_among_those_a_method_rests_on(cohort):
    assert run(cohort)[0].complete == tuple(arm.n for arm in run(cohort)[0].arms)
    cohort["kps"] = cohort["kps"].astype(float)
    unknown = cohort.index[cohort["sbrt"]][6:]
    cohort.loc[unknown, "kps"] = np.nan
    found, by_name = run(cohort)
    assert found.complete == (6, int((~cohort["sbrt"]).sum()))
    assert "few left" not in by_name["crude", "risk_difference", 12].note
    left = int((cohort.loc[cohort["sbrt"], "os_months"].iloc[:6] >= 12).sum())
    weighted = by_name["g-formula-cox", "risk_difference", 12]
    assert f"few left under observation: {left} treated and " in weighted.note
    assert run(cohort.drop(columns="kps"), covariates=("kps",))[0].complete is None


@pytest.mark.parametrize("bootstraps", [0, 50])
def test_where_all_die_at_once_there_is_no_risk_beyond_1_and_no_interval_of_one_point(
    cohort, bootstraps
):
    at_once = cohort.assign(os_months=6.0, death=1)
    options = Options(forest_bootstraps=bootstraps)
    _, by_name = run(at_once, options=options)
    for (method, _, _), one in by_name.items():
        if one.estimand in ("risk_treated", "risk_control") and one.value is not None:
            assert 0 <= one.value <= 1, method
        if one.lower is not None and one.upper is not None:
            assert one.upper - one.lower > 1e-9, (method, one)
        if "no interval because" in one.note:
            assert one.lower is None, one


def test_no_covariate_at_all(cohort):
    bare = cohort[["sbrt", "os_months", "death"]]
    _, by_name = run(bare)
    adjusted = by_name["cox-adjusted", "hazard_ratio", None]
    assert adjusted.value is None
    assert "none of the usual covariates" in adjusted.note
    assert by_name["cox-unadjusted", "hazard_ratio", None].value is not None


def test_a_category_is_compared_with_its_most_frequent_level(cohort):
    cohort["frailty"] = np.select(
        [cohort["kps"] >= 70, cohort["kps"] == 60], ["fit", "fair"], "frail"
    )
    noted = run(cohort, covariates=("frailty",))[1]["cox-adjusted", "hazard_ratio", None]
    assert "adjusted for frailty=fair, frailty=frail" in noted.note


def test_an_identifier_is_no_covariate(cohort):
    cohort["hospital_id"] = [f"id-{row}" for row in range(len(cohort))]
    with pytest.raises(CohortError, match=r"400 different texts, used as covariate.* at most 20"):
        run(cohort, covariates=("kps", "hospital_id"))


def test_few_events_are_named(cohort):
    few = cohort.iloc[:30]
    note = run(few)[1]["cox-adjusted", "hazard_ratio", None].note
    assert "events for" in note


def test_a_horizon_before_the_landmark(cohort):
    found = compare(cohort, endpoint="overall-survival", horizons=(1,))
    note = rungs(found)["landmark", "risk_difference", 1].note
    assert note == "not estimable because month 1 is not after week 6"
