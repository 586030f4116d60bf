"""Cohorts in which a patient has several lesions: everything counts patients."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from outcomes.comparison import compare
from outcomes.comparison.arm import make_arm
from outcomes.comparison.cox import cox
from outcomes.comparison.crude import crude, inflated
from outcomes.comparison.landmark import landmark
from outcomes.comparison.options import Options
from outcomes.comparison.setting import make_setting
from outcomes.comparison.spread import incidence_errors, time_lost_error
from outcomes.curves.aalen_johansen import aalen_johansen
from outcomes.curves.restricted_mean import restricted_mean_time_lost
from outcomes.endpoints import get_endpoint

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "clusters.json").read_text(encoding="utf-8")
)
EXACT = REFERENCE["tolerance"]["curves"]
SURVIVAL, CONTROL = get_endpoint("overall-survival"), get_endpoint("local-control")
PLAIN = (crude, inflated, cox, landmark)


def rungs(cohort, methods=PLAIN):
    setting = make_setting(cohort, get_endpoint("local-control"), "sbrt", (12, 24), None, None)
    return [one for method in methods for one in method(setting)]


def widths(found):
    return np.array([np.nan if one.lower is None else one.upper - one.lower for one in found])


@pytest.fixture
def lesions(cohort):
    return cohort.assign(patient_id=np.arange(len(cohort)).astype(str))


def test_a_patient_counted_twice_or_four_times_adds_nothing(lesions):
    twice = rungs(pd.concat([lesions] * 2))
    four = rungs(pd.concat([lesions] * 4))
    assert np.isfinite(widths(twice)).sum() > 15
    # Only Efron's ties see the copies.
    np.testing.assert_allclose(widths(twice), widths(four), rtol=0.01)


def test_the_intervals_of_risks_are_those_of_single_rows(lesions):
    once = rungs(lesions, (crude, inflated))
    twice = rungs(pd.concat([lesions] * 2), (crude, inflated))
    np.testing.assert_allclose(widths(twice), widths(once), rtol=0.01)


def test_the_hazard_ratios_are_as_certain_as_of_single_rows(lesions):
    # The sandwich of 400 patients is near the inverse information, not the same.
    np.testing.assert_allclose(
        widths(rungs(pd.concat([lesions] * 2), (cox, landmark))),
        widths(rungs(lesions, (cox, landmark))),
        rtol=0.08,
    )


def test_lesions_in_both_arms_count_their_covariance(lesions):
    # Each patient has the same lesion in both arms: the difference is 0 for certain.
    both = pd.concat([lesions.assign(sbrt=True), lesions.assign(sbrt=False)])
    found = [one for one in rungs(both, (crude,)) if one.estimand == "risk_difference"]
    assert [one.value for one in found] == [0, 0]
    assert all(one.lower is None or one.upper - one.lower < 1e-6 for one in found)


def test_the_tests_of_twice_the_rows_are_those_of_single_rows(lesions):
    tests = [
        [one for one in rungs(rows, (crude,)) if one.estimand == "gray"]
        for rows in (lesions, pd.concat([lesions] * 2), pd.concat([lesions] * 4))
    ]
    assert [one.method for one in tests[0]] == ["crude", "stratified"]
    for once, twice, four in zip(*tests, strict=True):
        assert twice.p == pytest.approx(once.p, abs=0.01)
        assert twice.p == pytest.approx(four.p, rel=1e-9)
        assert "patients are counted" in twice.note


def read(case):
    cluster = np.unique(case["cluster"], return_inverse=True)[1]
    return np.array(case["time"], dtype=float), np.array(case["event"], dtype=int), cluster


@pytest.mark.parametrize("name", REFERENCE["survival"])
def test_survival_and_its_band_are_those_of_r(name):
    case = REFERENCE["survival"][name]
    arm = make_arm("treated", "Treated", SURVIVAL, *read(case))
    months = np.array(case["months"])
    np.testing.assert_allclose(
        arm.survival.standard_error_at(months), case["standard_error"], rtol=EXACT
    )
    curve = arm.curve(())
    at = np.searchsorted(curve.months, months, side="right") - 1
    for part in ("lower", "upper"):
        np.testing.assert_allclose(getattr(curve, part)[at], case[part], rtol=EXACT)
    expected = [np.nan if month is None else month for month in case["median"]]
    found = [curve.median.value, curve.median.lower, curve.median.upper]
    np.testing.assert_allclose(found, expected, rtol=EXACT)


def test_incidence_has_the_errors_of_r():
    case = REFERENCE["incidence"]["pairs"]
    arm = make_arm("treated", "Treated", CONTROL, *read(case))
    found = arm.incidence.standard_error_at(1, case["months"])
    np.testing.assert_allclose(found, case["standard_error"], rtol=EXACT)


def test_rows_apart_have_the_errors_of_the_plain_estimates(lesions):
    time, codes = lesions["lp_months"].to_numpy(), lesions["lp_event"].to_numpy()
    apart = np.arange(time.size)
    plain = aalen_johansen(time, codes)
    np.testing.assert_allclose(
        incidence_errors(time, codes, apart), plain.standard_error[1], rtol=1e-9
    )
    mean = restricted_mean_time_lost(plain, 1, 24.0)
    assert time_lost_error(time, codes, apart, 24.0) == pytest.approx(mean.standard_error)


def test_the_bands_of_twice_the_rows_are_those_of_single_rows(lesions):
    once, twice = (
        make_setting(rows, CONTROL, "sbrt", (12,), None, None).arms
        for rows in (lesions, pd.concat([lesions] * 2))
    )
    for one, two in zip(once, twice, strict=True):
        assert (one.n, one.patients) == (one.patients, two.patients)
        assert two.n == 2 * two.patients
        assert two.at_risk(12.0) == one.at_risk(12.0)
        for naive in (False, True):
            first, second = one.curve((0.0, 12.0), naive=naive), two.curve((), naive=naive)
            np.testing.assert_allclose(second.lower, first.lower, rtol=1e-6, atol=1e-9)
            np.testing.assert_allclose(second.upper, first.upper, rtol=1e-6, atol=1e-9)
        assert one.restricted_mean(12.0).limits() == pytest.approx(
            two.restricted_mean(12.0).limits()
        )


def test_the_lesions_of_one_patient_say_nothing_of_others(lesions):
    arm = make_arm("treated", "Treated", CONTROL, *read(REFERENCE["incidence"]["pairs"])[:2],
                   np.zeros(len(REFERENCE["incidence"]["pairs"]["time"]), dtype=int))  # fmt: skip
    assert arm.patients == 1
    for estimate in (arm.risk(60.0), arm.naive_risk(60.0), arm.restricted_mean(60.0)):
        assert estimate.standard_error is None
        assert "of 1 patient alone" in estimate.reason
    for curve in (arm.curve(()), arm.curve((), naive=True)):
        assert (curve.lower[1:] == 0).all()
        assert (curve.upper[1:] == 1).all()


def test_patients_who_all_fared_alike_leave_no_error():
    time, codes = np.tile([3.0, 8.0, 20.0, 30.0], 5), np.tile([1, 2, 1, 0], 5)
    arm = make_arm("treated", "Treated", CONTROL, time, codes, np.repeat(np.arange(5), 4))
    assert arm.risk(12.0).value == pytest.approx(0.25)
    assert arm.risk(12.0).standard_error is None
    assert "nobody fared unlike the others" in arm.risk(12.0).reason


def test_intervals_hold_in_nine_of_ten_samples_and_those_of_rows_do_not():
    # Four lesions a patient that share a frailty; the true risk by month 12 follows from it.
    random = np.random.default_rng(3)
    truth = 1 - (1 + 2.0 * 12 / 20) ** -0.5
    held = np.zeros(2)
    for _ in range(200):
        frailty = np.repeat(random.gamma(0.5, 2.0, 80), 4)
        time = random.exponential(20 / frailty)
        codes, months = (time < 30).astype(int), np.minimum(time, 30.0)
        for position, patient in enumerate((np.repeat(np.arange(80), 4), None)):
            found = make_arm("treated", "Treated", SURVIVAL, months, codes, patient).risk(12.0)
            lower, upper = found.limits()
            held[position] += lower < truth < upper
    assert 0.90 < held[0] / 200 < 0.99
    assert held[1] / 200 < 0.85


def test_the_covariances_are_computed_once(lesions, monkeypatch):
    calls = []
    from outcomes.comparison import by_patient

    real = by_patient.weighted_incidence
    monkeypatch.setattr(
        by_patient, "weighted_incidence", lambda *given: calls.append(1) or real(*given)
    )
    both = pd.concat([lesions, lesions.assign(sbrt=~lesions["sbrt"])])
    rungs(both, (crude,))
    assert len(calls) == 2 * 1
    rungs(pd.concat([lesions] * 2), (crude,))
    assert len(calls) == 2 * 1


def test_the_notes_count_lesions_and_patients(lesions):
    rows = pd.concat([lesions, lesions.head(60)])
    rows["sbrt"] = rows["sbrt"].astype(object)
    unknown = rows["patient_id"].isin([str(k) for k in range(5)])
    rows.loc[unknown.to_numpy(), "sbrt"] = None
    found = compare(
        rows, endpoint="local-control", options=Options(methods=("iptw",)), covariates=("kps",)
    )
    assert "450 lesions of 395 patients: intervals and tests count patients" in found.notes
    assert "10 lesions of 5 patients without a value of sbrt are left out" in found.notes
    assert sum(arm.n for arm in found.arms) == 450
    assert sum(arm.patients for arm in found.arms) == 395
