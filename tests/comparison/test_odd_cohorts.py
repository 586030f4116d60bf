"""Cohorts as registries give them: gaps, repeated numbers, the day of surgery, odd starts."""

import re

import numpy as np
import pandas as pd
import pytest

from outcomes.comparison import Choices, Levels, Options, compare
from outcomes.errors import CohortError, OutcomesError
from outcomes.synthetic import simulate

COX = Options(methods=("g-formula-cox", "doubly-robust", "clone-censor-weight"))


@pytest.fixture
def cohort():
    return pd.DataFrame(simulate("liu-2020", 400, seed=3))


def rungs_of(cohort, **options):
    given = {"endpoint": "overall-survival", "horizons": (12.0,), "options": COX, **options}
    found = compare(cohort, **given)
    return {(one.method, one.estimand, one.horizon_months): one for one in found.rungs}, found


def test_numbers_that_two_studies_share_are_two_patients(cohort):
    halves = cohort.assign(
        study=np.where(np.arange(400) < 200, "a", "b"),
        patient_id=[str(k % 200) for k in range(400)],
    )
    apart = halves.assign(patient_id=[str(k) for k in range(400)])
    key = ("g-formula-cox", "risk_difference", 12.0)
    given = {"endpoint": "local-control"}
    shared, alone = rungs_of(halves, **given)[0][key], rungs_of(apart, **given)[0][key]
    assert (shared.lower, shared.upper) == pytest.approx((alone.lower, alone.upper))


def test_patients_without_a_number_are_one_each(cohort):
    some = cohort["patient_id"].astype(object).where(np.arange(400) < 200, None)
    found = rungs_of(cohort.assign(patient_id=some))[0]["g-formula-cox", "risk_difference", 12.0]
    whole = rungs_of(cohort)[0]["g-formula-cox", "risk_difference", 12.0]
    assert (found.lower, found.upper) == pytest.approx((whole.lower, whole.upper))


def test_patients_of_an_unknown_study_are_left_out(cohort):
    study = np.where(np.arange(400) < 200, "a", "b").astype(object)
    study[:7] = None
    rungs, found = rungs_of(cohort.assign(study=study))
    assert "7 patients of an unknown study are left out" in found.notes
    assert rungs["g-formula-cox", "risk_difference", 12.0].value is not None


def test_a_death_on_the_day_of_surgery_is_a_death(cohort):
    control = cohort.index[~cohort["sbrt"] & (cohort["death"] == 1)][:3]
    early = cohort.copy()
    early.loc[control, "os_months"] = 0.0
    rungs, _ = rungs_of(early)
    before, _ = rungs_of(cohort)
    for method in COX.wanted:
        found = rungs[method, "risk_difference", 12.0]
        assert found.value == pytest.approx(before[method, "risk_difference", 12.0].value, abs=0.05)


def test_a_horizon_beyond_the_follow_up_of_one_series(cohort):
    short = np.arange(400) >= 200
    mixed = cohort.assign(
        study=np.where(short, "b", "a"),
        os_months=np.where(short, np.minimum(cohort["os_months"], 8.0), cohort["os_months"]),
        death=np.where(short & (cohort["os_months"] > 8), 0, cohort["death"]),
    )
    rungs, _ = rungs_of(mixed, horizons=(6.0, 12.0))
    for method in ("g-formula-cox", "doubly-robust"):
        assert rungs[method, "risk_difference", 6.0].value is not None
        later = rungs[method, "risk_difference", 12.0]
        assert later.value is None
        assert "ends at month 8, before month 12" in later.note


def test_notes_on_when_treatment_began(cohort):
    treated = np.flatnonzero(cohort["sbrt"])
    start = cohort["sbrt_start_months"].to_numpy(dtype=float).copy()
    start[treated[:30]] = np.nan
    start[treated[30:33]] = 0.1
    start[treated[33:37]] = 1.5
    rungs, _ = rungs_of(cohort.assign(sbrt_start_months=start))
    note = rungs["clone-censor-weight", "risk_difference", 12.0].note
    assert f"30 of {treated.size} treated at an unknown time, for whom the others stand" in note
    assert "wrong unless it is by chance" in note
    assert "3 treated before and 4 after the grace period follow neither strategy" in note
    assert "unknown time" not in rungs["g-formula-cox", "risk_difference", 12.0].note


def test_few_treated_patients_take_the_jackknife(cohort):
    treated = np.flatnonzero(cohort["sbrt"])
    few = cohort.drop(index=cohort.index[treated[60:]])
    rungs, _ = rungs_of(few, options=Options(methods=("iptw",), jackknife_below=200))
    assert "by the jackknife" not in rungs["iptw", "risk_difference", 12.0].note
    rungs, _ = rungs_of(few, options=Options(methods=("iptw",), jackknife_below=250))
    assert "by the jackknife" in rungs["iptw", "risk_difference", 12.0].note


def test_nobody_at_the_landmark(cohort):
    options = Options(Choices(landmark=500.0), methods=("landmark-adjusted",))
    rungs, _ = rungs_of(cohort, options=options, horizons=(12.0,))
    for method in ("landmark", "landmark-adjusted"):
        note = rungs[method, "risk_difference", 12.0].note
        assert "under observation at" in note or "follow-up" in note, note
    assert "nobody" in rungs["landmark", "hazard_ratio", None].note


def test_two_patients_of_many_lesions_leave_no_interval(cohort):
    lesions = cohort.assign(patient_id=np.where(np.arange(400) % 2, "a", "b"))
    rungs, _ = rungs_of(lesions, endpoint="local-control", options=COX)
    for method in ("crude", *COX.wanted):
        one = rungs[method, "risk_difference", 12.0]
        assert one.value is not None
        assert one.lower is None, method
    assert rungs["crude", "gray", None].value is None
    for method in ("cox-unadjusted", "cox-adjusted", "landmark", "clone-censor-weight"):
        assert rungs[method, "hazard_ratio", None].lower is None, method


def test_failed_bootstrap_samples_are_counted(cohort):
    options = Options(bootstraps=50, methods=("iptw", "g-formula-cox"))
    for patients, words in (
        (14, r"only \d+ of 50 bootstrap samples gave an estimate"),
        (24, r"\d+ of 50 bootstrap samples gave no estimate"),
    ):
        rungs, _ = rungs_of(cohort.groupby("sbrt").head(patients), options=options)
        weighted = rungs["iptw", "risk_difference", 12.0]
        assert re.search(words, weighted.note), (patients, weighted.note)
        assert (weighted.lower is None) == (patients == 14)


def test_a_series_without_an_event_is_told(cohort):
    calm = np.arange(400) >= 350
    mixed = cohort.assign(study=np.where(calm, "b", "a"), death=np.where(calm, 0, cohort["death"]))
    rungs, _ = rungs_of(mixed)
    assert (
        "an arm without an event in 1 of 2 series (b)"
        in rungs["g-formula-cox", "risk_difference", 12.0].note
    )


def test_a_regimen_against_none_begins_with_sbrt(cohort):
    rungs, _ = rungs_of(
        cohort,
        treatment="dose_regimen",
        split_by=Levels("hypofractionated_low", "none"),
    )
    assert rungs["clone-censor-weight", "risk_difference", 12.0].value is not None
    assert "lived until treatment" in rungs["g-formula-cox", "risk_difference", 12.0].note


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda c: c.assign(sbrt_start_months=-c["sbrt_start_months"]), "0 or more"),
        (lambda c: c.assign(sbrt_start_months=["soon"] * len(c)), "months since surgery"),
    ],
)
def test_starts_that_cannot_be(cohort, change, found):
    with pytest.raises(CohortError, match=found):
        rungs_of(change(cohort))


def test_parts_of_the_treatment_cannot_be_held_fixed(cohort):
    with pytest.raises(CohortError, match="a part of the treatment"):
        rungs_of(cohort, covariates=("kps", "dose_regimen"))


def test_limits_of_a_risk_lie_between_0_and_1(cohort):
    rungs, _ = rungs_of(cohort.head(52))
    for (_, estimand, _), one in rungs.items():
        if estimand in ("risk_treated", "risk_control") and one.lower is not None:
            assert 0 < one.lower < one.value < one.upper < 1


def test_a_horizon_given_twice_is_one(cohort):
    _, found = rungs_of(cohort, horizons=(12.0, 12.0))
    assert found.horizons == (12.0,)


def test_a_horizon_before_the_landmark(cohort):
    given = {"horizons": (1.0, 12.0), "options": Options(methods=("landmark-adjusted",))}
    rungs, _ = rungs_of(cohort, **given)
    early = rungs["landmark-adjusted", "risk_difference", 1.0]
    assert early.value is None
    assert "not after the landmark" in early.note
    assert rungs["landmark-adjusted", "risk_difference", 12.0].value is not None


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        ("kps", np.inf, "a number from 10 to 100"),
        ("age", 1e300, "a number from"),
        ("age", -5.0, "a number from"),
        ("marker", -np.inf, "a number from -1e+09 to 1e+09"),
        ("marker", 1e12, "a number from -1e+09 to 1e+09"),
    ],
)
def test_covariates_that_cannot_be_are_named(cohort, column, value, allowed):
    wrong = cohort.assign(marker=np.linspace(0.0, 1.0, 400))
    wrong[column] = wrong[column].astype(float)
    wrong.loc[7, column] = value
    with pytest.raises(CohortError, match=f"row 8, {column}: found .*allowed: ") as raised:
        rungs_of(wrong, covariates=("kps", "age", "marker"), endpoint="local-control")
    assert allowed in str(raised.value)
    # A column that is not asked for may hold anything.
    others = [name for name in ("kps", "age") if name != column]
    assert rungs_of(wrong, covariates=others)[0]["doubly-robust", "risk_difference", 12.0].value


@pytest.mark.parametrize("grace", [(1.0, 0.5), (1.0, 1.0), (-1.0, 1.0), (1.0, np.inf)])
def test_a_grace_period_is_two_increasing_months(grace):
    with pytest.raises(OutcomesError, match=r"grace: .* allowed: two increasing months"):
        Options(Choices(grace=grace))


def test_a_landmark_lies_after_surgery():
    with pytest.raises(OutcomesError, match="landmark: found 0; allowed: a month above 0"):
        Options(Choices(landmark=0.0))
