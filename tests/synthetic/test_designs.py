"""Designs that no shipped study has: an arm without SBRT, operated arms of different hazards."""

from dataclasses import replace

import numpy as np
import pytest

from outcomes.errors import CalibrationError
from outcomes.evidence import Design, DesignArm, load_evidence
from outcomes.synthetic import shipped_calibration, simulate, true_risk
from outcomes.synthetic.population import expected_arms
from outcomes.synthetic.series import series_of

ROWS = 60_000


def calibrated(*designs):
    """The shipped calibration with designs of ours added to, or instead of, the registry's."""
    shipped = shipped_calibration()
    ours = {design.id: design for design in designs}
    kept = tuple(d for d in shipped.evidence.designs if d.id not in ours)
    return replace(shipped, evidence=replace(shipped.evidence, designs=(*kept, *designs)))


def arms_of(calibration, study):
    series = calibration.series_of(study)
    return expected_arms(series, calibration.values(study), calibration.effects)


def assert_agree(calibration, study, month=12.0):
    """Simulation, integration and the patients' own risks say the same of each arm."""
    cohort = simulate(study, ROWS, seed=3, calibration=calibration)
    risks = {
        endpoint: true_risk(cohort, endpoint, [month], calibration)[:, 0]
        for endpoint in ("overall-survival", "local-control")
    }
    follow_up = cohort["os_months"].to_numpy()
    for name, arm in arms_of(calibration, study).items():
        rows = (cohort["study_arm"] == name).to_numpy()
        dead = 1 - np.interp(month, arm.months, arm.alive)
        progressed = np.interp(month, arm.months, arm.progressed)
        assert risks["overall-survival"][rows].mean() == pytest.approx(dead, abs=0.01)
        assert risks["local-control"][rows].mean() == pytest.approx(progressed, abs=0.01)
        known = rows & ((follow_up > month) | (cohort["death"] == 1))
        seen = ((follow_up <= month) & (cohort["death"] == 1))[known].mean()
        assert seen == pytest.approx(dead, abs=0.02)
        shown = (cohort["lp_event"] == 1) & (cohort["lp_months"] <= month)
        assert shown[known].mean() == pytest.approx(progressed, abs=0.02)
    return cohort


def test_an_arm_without_sbrt_by_design():
    design = Design(
        id="x-2020",
        follow_up="uniform",
        follow_up_first=24,
        follow_up_last=48,
        borrows="laufer-2013",
        arms=(DesignArm("x-2020/alone", 50, sbrt="none"), DesignArm("x-2020/both", 50)),
    )
    calibration = calibrated(design)
    cohort = assert_agree(calibration, "x-2020")
    assert not cohort.loc[cohort["study_arm"] == "alone", "sbrt"].any()
    assert cohort.loc[cohort["study_arm"] == "both", "sbrt"].all()
    arms = arms_of(calibration, "x-2020")
    assert arms["alone"].progressed[-1] > arms["both"].progressed[-1]


def test_operated_arms_with_hazards_of_their_own():
    bate = load_evidence().design("bate-2015")
    operated = replace(
        bate,
        patients=None,
        follow_up_last=60,
        follow_up_first=0,
        arms=tuple(replace(arm, procedure="separation") for arm in bate.arms),
    )
    calibration = calibrated(operated)
    arms = arms_of(calibration, "bate-2015")
    cohort = simulate("bate-2015", ROWS, seed=2, calibration=calibration)
    found = {}
    for name, arm in arms.items():
        rows = (cohort["study_arm"] == name).to_numpy()
        risk = true_risk(cohort[rows], "local-control", [12.0], calibration).mean()
        assert risk == pytest.approx(np.interp(12, arm.months, arm.progressed), abs=0.005)
        found[name] = (cohort["lp_event"][rows] == 1).mean()
    assert found["surgery_sbrt"] > 1.3 * found["sbrt_alone"]


def test_piecemeal_arms_alone():
    design = Design(
        id="x-2020",
        follow_up="uniform",
        follow_up_first=24,
        follow_up_last=48,
        borrows="laufer-2013",
        arms=(DesignArm("x-2020/all", 50, procedure="piecemeal_spondylectomy"),),
    )
    cohort = assert_agree(calibrated(design), "x-2020")
    assert set(cohort["procedure"]) == {"piecemeal_spondylectomy"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"female": 1.5}, "female: found 1.5; allowed: a share of 0 to 1"),
        ({"follow_up_first": 50, "follow_up_last": 40}, "found 50 to 40 months"),
        ({"follow_up_last": 90}, "allowed: 0 to 60"),
        ({"patients": 400}, "patients: found 400"),
        ({"arms_differ_by": "choice"}, "allowed: two arms, the first with sbrt none"),
    ],
)
def test_impossible_designs_are_refused(changes, words):
    design = replace(load_evidence().design("laufer-2013"), **changes)
    with pytest.raises(CalibrationError, match=words):
        series_of(design, load_evidence())
