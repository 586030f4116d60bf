"""The calibration meets the published figures, and says where it cannot."""

import json
from dataclasses import replace

import numpy as np
import pytest

from outcomes.errors import CalibrationError
from outcomes.evidence import load_evidence
from outcomes.synthetic import calibrate, read_calibration, shipped_calibration
from outcomes.synthetic.fitting import calibration_problem
from outcomes.synthetic.solver import solve

# The figures of the source paper on survival and local control, written down independently of
# the registry: id, published number, largest deviation accepted.
PUBLISHED = {
    "laufer-2013/local_progression_12m": (16.4, 0.3),
    "laufer-2013/local_progression_12m/single_24": (9.0, 0.3),
    "laufer-2013/local_progression_12m/hypofractionated_high": (4.1, 0.3),
    "laufer-2013/local_progression_12m/hypofractionated_low": (22.6, 0.3),
    "laufer-2013/local_progression_crude": (100 * 34 / 186, 0.1),
    "laufer-2013/died_without_progression": (103, 0.186),
    "laufer-2013/alive_without_progression": (49, 0.186),
    "laufer-2013/time_of_death_without_progression": (5.6, 0.1),
    "laufer-2013/follow_up_alive_without_progression": (7.1, 0.1),
    "laufer-2013/time_of_progression": (4.8, 0.1),
    "liu-2020/patients/alone": (39, 0.052),
    "liu-2020/patients/sbrt": (13, 0.052),
    "liu-2020/overall_survival_median/alone": (21, 0.1),
    "liu-2020/overall_survival_median/sbrt": (38, 0.1),
    "liu-2020/local_progression_crude/alone": (100 * 12 / 39, 0.1),
    "liu-2020/local_progression_crude/sbrt": (100 * 1 / 13, 0.1),
    "liu-2020/time_of_progression/alone": (4.1, 0.1),
    "liu-2020/follow_up_survived": (26.3, 0.1),
    "liu-2020/follow_up_survived_sd": (18.1, 0.1),
    "gong-2021/local_progression_12m/aggressive": (12.2, 0.1),
    "gong-2021/local_progression_12m/moderate": (27.8, 0.1),
    "gong-2021/overall_survival_12m/aggressive": (78.4, 0.1),
    "gong-2021/overall_survival_12m/moderate": (82.4, 0.1),
    "bate-2015/local_progression_crude": (100 * 6 / 69, 0.1),
    "bate-2015/local_progression_crude/sbrt_alone": (100 * 3 / 48, 0.1),
    "bate-2015/local_progression_crude/surgery_sbrt": (100 * 3 / 21, 0.1),
    "bate-2015/time_of_progression": (8.1, 0.1),
    "bate-2015/deaths": (32, 0.057),
    "bate-2015/survivors": (25, 0.057),
    "bate-2015/follow_up_died": (6.6, 0.1),
    "bate-2015/follow_up_survived": (15.4, 0.1),
    "amankulor-2014/hardware_failure": (100 * 9 / 318, 0.1),
    "amankulor-2014/hardware_failure_after_3m": (7, 0.009),
    "amankulor-2014/local_control_12m": (84, 0.1),
}
# What stands beside them: treatment, pain, function, complications, the operation, fractures.
PUBLISHED_BESIDE = {
    "laufer-2013/dose_regimen/single_24": (40, 0.1),
    "laufer-2013/dose_regimen/hypofractionated_high": (37, 0.1),
    "laufer-2013/dose_regimen/hypofractionated_low": (109, 0.1),
    "laufer-2013/sbrt_start_first": (0.46, 0.005),
    "laufer-2013/sbrt_start_last": (0.92, 0.005),
    "gong-2021/patients/aggressive": (18, 0.01),
    "gong-2021/patients/moderate": (17, 0.01),
    "gong-2021/wound_infection": (3, 0.036),
    "gong-2021/cerebrospinal_fluid_leak": (1, 0.036),
    "gong-2021/deep_infection": (1, 0.036),
    "gong-2021/vertebral_compression_fracture": (1, 0.036),
    "gong-2021/time_of_fracture": (14, 0.1),
    "gong-2021/radiation_myelopathy": (0, 0.036),
    "bate-2015/patients": (57, 0.01),
    "bate-2015/lesions/sbrt_alone": (48, 0.01),
    "bate-2015/lesions/surgery_sbrt": (21, 0.01),
    "bate-2015/vas_decrease": (3.4, 0.05),
    "bate-2015/vas_decrease_sd": (2.6, 0.05),
    "bate-2015/vas_decrease_median": (3, 0.05),
    "bate-2015/frankel_stable/sbrt_alone": (43, 0.048),
    "bate-2015/frankel_improved/sbrt_alone": (5, 0.048),
    "bate-2015/frankel_stable/surgery_sbrt": (17, 0.021),
    "bate-2015/frankel_improved/surgery_sbrt": (3, 0.021),
    "bate-2015/frankel_worse/surgery_sbrt": (1, 0.021),
    "bate-2015/fracture": (5, 0.057),
    "bate-2015/fracture/surgery_sbrt": (0, 0.021),
    "bate-2015/fracture/fractionated": (4, 0.005),
    "bate-2015/fracture/single_fraction": (1, 0.005),
    "liu-2020/follow_up_range_first": (9, 0.1),
    "liu-2020/follow_up_range_last": (47, 0.1),
    "liu-2020/vas_after_sbrt/sbrt": (1.64, 0.005),
    "liu-2020/vas_after_sbrt_sd/sbrt": (0.41, 0.005),
    "liu-2020/pain_relief": (100 * 46 / 52, 0.1),
    "liu-2020/pain_relief/sbrt": (12, 0.013),
    "liu-2020/muscle_strength_decreased": (7, 0.052),
    "liu-2020/muscle_strength_unchanged": (2, 0.052),
    "liu-2020/muscle_strength_recovered": (19, 0.052),
    "liu-2020/muscle_strength_recovered/sbrt": (8, 0.013),
    "liu-2020/wound_infection": (2, 0.052),
    "liu-2020/cerebrospinal_fluid_leak": (1, 0.052),
    "amankulor-2014/hardware_reoperation": (9, 0.009),
    "amankulor-2014/hardware_failure_early_days/first": (14, 0.1),
    "amankulor-2014/hardware_failure_early_days/second": (22, 0.1),
    "hikata-2017/blood_loss/minimally_invasive": (340.1, 0.05),
    "hikata-2017/blood_loss/open": (714.3, 0.05),
    "hikata-2017/bed_rest/minimally_invasive": (2.0, 0.05),
    "hikata-2017/bed_rest/open": (3.6, 0.05),
    "echt-2021/blood_loss/minimally_invasive": (430, 0.5),
    "echt-2021/blood_loss/open": (783, 0.5),
    "xu-2021/blood_loss/separation": (1165.52, 0.005),
    "xu-2021/blood_loss_sd/separation": (307.38, 0.005),
    "xu-2021/blood_loss/piecemeal": (1784.62, 0.005),
    "xu-2021/blood_loss_sd/piecemeal": (833.64, 0.005),
    "xu-2021/complication/separation": (100 / 29, 0.1),
    "xu-2021/complication/piecemeal": (100 * 4 / 26, 0.1),
    "xu-2021/operation_time/separation": (3.73, 0.005),
    "xu-2021/operation_time_sd/separation": (1.15, 0.005),
    "xu-2021/operation_time/piecemeal": (4.76, 0.005),
    "xu-2021/operation_time_sd/piecemeal": (0.93, 0.005),
}
EVERY = {**PUBLISHED, **PUBLISHED_BESIDE}


@pytest.fixture(scope="module")
def calibration():
    return calibrate()


@pytest.mark.parametrize("figure", EVERY)
def test_every_figure_is_met(calibration, figure):
    target = next(target for target in calibration.targets if target.id == figure)
    published, tolerance = EVERY[figure]
    assert target.published == pytest.approx(published, abs=0.05)
    assert abs(target.achieved - published) <= tolerance
    assert target.within


def test_no_fit_figure_is_dropped(calibration):
    targets = {t.id: t for t in calibration.targets if t.role == "fit"}
    assert {name for name, t in targets.items() if t.published is not None} == set(EVERY)
    for figure in calibration.evidence.figures:
        if figure.role == "fit" and figure.estimand != "range":
            assert figure.id in targets


def test_every_check_is_shown_with_its_deviation(calibration):
    shown = {t.id: t for t in calibration.targets}
    for figure in calibration.evidence.figures:
        if figure.role == "check" and figure.value is not None:
            assert shown[figure.id].achieved is not None
            assert shown[figure.id].within is not None


def test_only_survival_and_local_control_move_parameters(calibration):
    problem = calibration_problem(calibration.evidence)
    solved = {figure.id for figures in problem.figures for figure in figures}
    assert solved - {"amankulor-2014/overall_survival_median"} == set(PUBLISHED)


def test_what_is_not_met_says_why(calibration):
    assert calibration.converged
    for target in calibration.targets:
        if not target.within:
            assert target.role == "check"
            assert target.tension


def test_published_directions_and_nulls_hold_in_the_truth(calibration):
    worded = {t.id: t for t in calibration.targets if t.unit == "log hazard ratio"}
    assert worded["gong-2021/separation_below_3mm"].achieved > 0
    assert worded["amankulor-2014/hardware_risk/female"].achieved > 0
    changes = {t.id: t for t in calibration.targets if t.unit in ("grades", "points")}
    for name in ("frankel_after", "kps_after"):
        assert changes[f"liu-2020/{name}"].achieved > 0
        assert changes[f"liu-2020/{name}/sbrt"].achieved > 0
    nulls = [t for t in worded.values() if t.role == "null"]
    assert len(nulls) >= 8
    assert all(t.achieved == 0 for t in nulls)


def test_the_difference_of_medians_is_taken_apart(calibration):
    by_ratio = {row.hazard_ratio: row for row in calibration.decomposition}
    assert {0.55, 0.70, 0.85, 1.0} <= set(by_ratio)
    for row in by_ratio.values():
        assert row.crude == pytest.approx(17, abs=0.1)
        parts = row.causal + row.selection + row.immortal_time
        assert parts == pytest.approx(row.crude)
    assert by_ratio[1.0].selection > by_ratio[0.7].selection > by_ratio[0.55].selection
    assert all(row.immortal_time > 0 for row in by_ratio.values())


def test_identified_shares_name_what_the_figures_leave_open(calibration):
    identified = {parameter.key: parameter.identified for parameter in calibration.parameters}
    assert identified["liu-2020/death_scale"] > 0.8
    assert identified["liu-2020/death_shape"] < 0.3
    assert identified["gong-2021/progression_sigma"] < 0.1
    assert all(0 <= share <= 1 for share in identified.values())


@pytest.mark.long
def test_another_start_finds_the_same_figures():
    problem = calibration_problem(load_evidence())
    centre = np.array([parameter.prior_solved for parameter in problem.parameters])
    spread = np.array([parameter.prior_sd for parameter in problem.parameters])
    moved = centre + 0.3 * spread * np.random.default_rng(3).standard_normal(centre.size)
    from_centre, from_elsewhere = solve(problem), solve(problem, moved)
    for first, second in zip(from_centre.expectations, from_elsewhere.expectations, strict=True):
        assert first.whole.alive == pytest.approx(second.whole.alive, abs=2e-3)
        assert first.whole.progressed == pytest.approx(second.whole.progressed, abs=2e-3)


def test_the_shipped_calibration_is_what_calibrate_gives(calibration):
    shipped = {parameter.key: parameter.value for parameter in shipped_calibration().parameters}
    assert shipped == pytest.approx({p.key: p.value for p in calibration.parameters}, rel=1e-3)


def test_a_calibration_survives_its_file(calibration, tmp_path):
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(calibration.to_dict()), encoding="utf-8")
    again = read_calibration(path, calibration.evidence)
    assert again.to_dict() == calibration.to_dict()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', '{"format": 1, "targets": 3}'])
def test_a_wrong_calibration_file_gives_one_clear_error(tmp_path, text):
    path = tmp_path / "wrong.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CalibrationError, match=r"wrong\.json"):
        read_calibration(path, load_evidence())


def test_a_figure_without_its_horizon_is_refused():
    evidence = load_evidence()
    broken = replace(
        evidence,
        figures=tuple(
            replace(figure, at_month=None) if figure.id.startswith("gong-2021/overall") else figure
            for figure in evidence.figures
        ),
    )
    with pytest.raises(CalibrationError, match="gong-2021/overall_survival_12m"):
        calibrate(broken)
