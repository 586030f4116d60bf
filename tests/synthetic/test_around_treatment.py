"""Pain, function, complications, the operation and fractures: by hand, and at their boundaries."""

from dataclasses import replace

import numpy as np
import pytest

from outcomes.evidence import load_evidence
from outcomes.synthetic import shipped_calibration, simulate
from outcomes.synthetic.arm_case_mix import ArmCaseMix
from outcomes.synthetic.case_mix import KPS_LEVELS
from outcomes.synthetic.estimands import achieved
from outcomes.synthetic.expectation import expectation_of
from outcomes.synthetic.function import ArmFunction, arm_functions, draw_function
from outcomes.synthetic.hardware import HardwareHazard, early_window
from outcomes.synthetic.moments import Bounded, Gamma, mixture, sd_error, sd_of
from outcomes.synthetic.numeric import numeric_figures, observable_figures
from outcomes.synthetic.operation import arm_moments, quantity_of
from outcomes.synthetic.pain import ArmPain
from outcomes.synthetic.published import printed_share, shares_by_arm
from outcomes.synthetic.published_pain import relief_threshold
from outcomes.synthetic.reported import reported
from outcomes.synthetic.sampling import published_value, sampling_error

EVIDENCE = load_evidence()
OWN = """
[study]
id = "own-2024"
title = "Own 2024"
n = 60
design = "Two approaches"
citation = "Invented"

[design]
id = "own-2024"
borrows = "laufer-2013"
follow_up = "uniform"
follow_up_first = 3
follow_up_last = 36

[[arm]]
id = "own-2024/a"
size = 30
approach = "open"

[[arm]]
id = "own-2024/b"
size = 30
approach = "minimally_invasive"

[[figure]]
id = "own-2024/blood_loss/a"
arm = "a"
estimand = "mean_sd"
role = "fit"
value = 500
sd = 200
unit = "mL"
n = 30
source = "Table 1"

[[figure]]
id = "own-2024/pain_relief/a"
arm = "a"
estimand = "count"
role = "fit"
value = 20
unit = "patients"
n = 30
source = "Table 1"

[[figure]]
id = "own-2024/pain_relief"
estimand = "crude_proportion"
role = "fit"
value = 75
unit = "percent"
n = 60
count = 45
source = "Table 1"

[[figure]]
id = "own-2024/vas_decrease"
estimand = "mean_sd"
role = "fit"
value = 4
sd = 2.2
unit = "points"
n = 50
source = "Table 1"

[[figure]]
id = "own-2024/frankel_improved"
estimand = "count"
role = "fit"
value = 12
unit = "patients"
n = 60
source = "Table 1"

[[figure]]
id = "own-2024/fracture"
estimand = "count"
role = "fit"
value = 4
unit = "patients"
n = 60
source = "Table 1"

[[figure]]
id = "own-2024/wound_infection"
estimand = "count"
role = "fit"
value = 3
unit = "patients"
n = 60
source = "Table 1"

[[figure]]
id = "own-2024/deep_infection/b"
arm = "b"
estimand = "count"
role = "fit"
value = 1
unit = "patients"
n = 30
source = "Table 1"
"""


def test_moments_of_a_gamma_by_hand():
    """Mean 2 and standard deviation 2 are the exponential: n! 2^n."""
    assert Gamma(2.0, 2.0).raw_moments == pytest.approx([2, 8, 48, 384])


def test_moments_of_a_bounded_score_by_hand():
    """Mean 5 and variance 100/12 on 0-10 are the uniform: 10^n / (n + 1)."""
    uniform = Bounded(5.0, 10 / np.sqrt(12), 10.0)
    assert uniform.parameters == pytest.approx((1.0, 1.0))
    assert uniform.raw_moments == pytest.approx([5, 100 / 3, 250, 2000])
    assert uniform.below(np.array([-1.0, 2.5, 11.0])) == pytest.approx([0, 0.25, 1])
    assert uniform.quantile(np.array([0.25])) == pytest.approx([2.5])
    assert uniform.grid.mean() == pytest.approx(5, abs=1e-9)


def test_moments_of_a_mixture_by_hand():
    """Half 0 and half 2: mean 1, variance 1, and a standard deviation known without error."""
    moments = mixture([np.zeros(4), np.array([2.0, 4.0, 8.0, 16.0])], [1.0, 1.0])
    assert moments == pytest.approx([1, 2, 4, 8])
    assert sd_of(moments) == 1
    assert sd_error(moments, 10) == 0
    uniform = np.array([1 / 2, 1 / 3, 1 / 4, 1 / 5])
    # The fourth central moment is 1/80, the variance 1/12.
    assert sd_error(uniform, 5) == pytest.approx(
        np.sqrt((1 / 80 - 1 / 144) / 5) / (2 * np.sqrt(1 / 12))
    )


def test_a_spread_that_no_score_can_have_is_cut():
    wide = Bounded(5.0, 20.0, 10.0)
    assert 4.9 < sd_of(wide.raw_moments) < 5


def uniform_pain(**changes):
    even = Bounded(0.5, 1 / np.sqrt(12), 1.0)
    pain = ArmPain(
        before=Bounded(5.0, 1e-3, 10.0),
        after=None,
        fraction=even,
        worse=0.0,
        treated=False,
        after_sbrt=None,
        sbrt_ratio=1.0,
        threshold=1.0,
        recorded=1.0,
    )
    return replace(pain, **changes)


def test_pain_relieved_by_a_fraction_by_hand():
    """From a pain of 5 any part of it goes with equal chance: the decrease is uniform on 0-5."""
    pain = uniform_pain()
    assert pain.decrease_moments[:2] == pytest.approx([2.5, 25 / 3], abs=1e-4)
    assert pain.after_moments[0] == pytest.approx(2.5, abs=1e-4)
    assert pain.decrease_at_most(1.0) == pytest.approx(0.2, abs=1e-3)
    assert pain.relief == pytest.approx(0.8, abs=1e-3)
    assert relief_threshold(pain, 0.4) == pytest.approx(3.0, abs=1e-2)


def test_who_gets_worse_by_hand():
    """All go from 5 to anything up to 10: the decrease is uniform on -5 to 0."""
    pain = uniform_pain(worse=1.0)
    assert pain.decrease_moments[:2] == pytest.approx([-2.5, 25 / 3], abs=1e-3)
    assert pain.after_moments[:2] == pytest.approx([7.5, 7.5**2 + 25 / 12], abs=1e-2)
    assert pain.decrease_at_most(-1.0) == pytest.approx(0.8, abs=1e-3)
    assert pain.relief == pytest.approx(0, abs=1e-9)


def test_drawn_pain_has_the_moments_said():
    for study in ("bate-2015", "liu-2020", "gong-2021"):
        for pain in expectation_of(shipped_calibration(), study).perioperative.pains.values():
            drawn = pain.draw(40_000, np.random.default_rng(2))
            after = drawn["vas_after"][~np.isnan(drawn["vas_after"])]
            error = sd_of(pain.after_moments) / np.sqrt(after.size)
            assert abs(after.mean() - pain.after_moments[0]) < 4 * error
            assert abs(drawn["pain_relief"].mean() - pain.relief) < 0.01
            for name in ("vas_before", "vas_after"):
                values = drawn[name][~np.isnan(drawn[name])]
                assert values.min() >= 0
                assert values.max() <= 10


def everyone(deficit):
    joint = np.zeros((2, KPS_LEVELS.size))
    joint[:, 3] = [1 - deficit, deficit]
    return ArmCaseMix(joint, 0.1)


@pytest.mark.parametrize("deficit", [0.0, 1.0])
def test_steps_where_no_one_or_everyone_has_a_deficit(deficit):
    """Without a deficit no one can improve; what cannot be had is cut, not forced."""
    mixes = {"alone": everyone(deficit), "sbrt": everyone(deficit)}
    functions = arm_functions("liu-2020", EVIDENCE, mixes, {"alone": 39.0, "sbrt": 13.0})
    down, unchanged, up = functions["sbrt"].step_shares(deficit)
    assert down == pytest.approx(7 / 52)
    assert up == pytest.approx(8 / 13 if deficit else 0)
    assert unchanged == pytest.approx(1 - down - up if deficit else 0)
    assert functions["sbrt"].step_shares(deficit)[1] * functions["sbrt"].reported == pytest.approx(
        2 / 52 if deficit else 0
    )


def test_steps_stay_within_the_grades():
    table = simulate("liu-2020", 400, 1)[["frankel", "kps"]]
    arms = np.full(400, "all")
    for chance in (0.0, 1.0):
        function = ArmFunction(chance, 1.0, 1.0, 1.0)
        drawn = draw_function(
            {"all": function}, table, arms, np.ones(400, dtype=bool), np.random.default_rng(1)
        )
        after = drawn["frankel_after"]
        before = table["frankel"].to_numpy()
        if chance:
            assert (after[before == "E"] == "D").all()
            assert (after[before == "D"] == "E").all()
        else:
            assert (after[before == "A"] == "A").all()
            assert (after[before == "B"] == "A").all()
        assert drawn["kps_after"].max() <= 100


def test_shares_of_arms_add_up_to_the_whole():
    weights = {"alone": 39.0, "sbrt": 13.0}
    shares = shares_by_arm(EVIDENCE, "liu-2020", "muscle_strength_recovered", weights)
    assert shares == pytest.approx({"alone": 11 / 39, "sbrt": 8 / 13})
    assert shares_by_arm(EVIDENCE, "liu-2020", "frankel_stable", weights) == {}
    bate = shares_by_arm(EVIDENCE, "bate-2015", "fracture", {"sbrt_alone": 48, "surgery_sbrt": 21})
    assert bate["surgery_sbrt"] == 0
    assert bate["sbrt_alone"] * 48 / 69 == pytest.approx(5 / 57)


def test_a_percentage_with_a_count_is_the_counts():
    assert printed_share(EVIDENCE.figure("liu-2020/pain_relief")) == pytest.approx(46 / 52)
    share = printed_share(EVIDENCE.figure("laufer-2013/local_progression_12m"))
    assert share == pytest.approx(0.164)


def test_the_operation_has_the_printed_mean_and_spread():
    series = shipped_calibration().series_of("xu-2021")
    separation, piecemeal = series.arms
    assert quantity_of("blood_loss", series, separation, "open", EVIDENCE) == Gamma(1165.52, 307.38)
    assert quantity_of("operation_time", series, piecemeal, "open", EVIDENCE) == Gamma(4.76, 0.93)
    # What Xu does not print is Hikata's, by approach.
    assert quantity_of("bed_rest", series, separation, "open", EVIDENCE).mean == 3.6
    laufer = shipped_calibration().series_of("laufer-2013")
    share = EVIDENCE["share_minimally_invasive"]
    moments = arm_moments("blood_loss", laufer, laufer.arms[0], EVIDENCE)
    assert moments[0] == pytest.approx(share * 430 + (1 - share) * 783)


def test_the_early_window_and_its_hazard_by_hand():
    first, last = early_window("amankulor-2014", EVIDENCE)
    assert (first * 30.4375, last * 30.4375) == (pytest.approx(6), pytest.approx(30))
    hazard = HardwareHazard(0.5, (1.0, 2.0), 0.1)
    months = np.array([0.5, 1.5, 2.5, 3.0, 8.0])
    assert hazard.cumulative(months) == pytest.approx([0, 0.25, 0.5, 0.5, 1.0])
    assert hazard.months(np.array([0.25, 1.0])) == pytest.approx([1.5, 8.0])


def test_fractures_come_where_they_were_seen():
    bate = simulate("bate-2015", 20_000, 4)
    broken = bate[bate["fracture_event"] == 1]
    assert (broken["procedure"] == "none").all()
    gong = expectation_of(shipped_calibration(), "gong-2021").perioperative.fractures
    assert gong.arms["moderate"].shape > 1


def test_what_is_missing_is_missing_where_it_must_be():
    cohort = simulate("bate-2015", 20_000, 4)
    alone = cohort["procedure"] == "none"
    for name in ("blood_loss_ml", "operation_hours", "bed_rest_days", "hospital_stay_days"):
        assert cohort.loc[alone, name].isna().all()
        assert cohort.loc[~alone, name].gt(0).all()
    unknown = cohort["vas_before"].isna()
    assert unknown.mean() == pytest.approx(12 / 57, abs=0.02)
    assert cohort.loc[unknown, ["vas_after", "vas_after_sbrt", "pain_relief"]].isna().all(axis=None)
    liu = simulate("liu-2020", 20_000, 4)
    assert (liu["vas_after_sbrt"].isna() == ~liu["sbrt"]).all()
    assert (liu.loc[liu["sbrt"], "vas_after_sbrt"] <= liu.loc[liu["sbrt"], "vas_after"]).all()


def test_a_complication_has_at_most_one_kind():
    kinds = ["wound_infection", "deep_infection", "cerebrospinal_fluid_leak"]
    for study in ("gong-2021", "echt-2021"):
        cohort = simulate(study, 20_000, 4)
        assert (cohort[kinds].sum(axis=1) == cohort["complication"]).all()


def test_lesions_of_a_patient_share_what_is_the_patients():
    cohort = simulate("bate-2015", 5_000, 3)
    names = ["vas_after", "frankel_after", "fracture_months", "blood_loss_ml", "kps_after"]
    shared = cohort.groupby("patient_id")[names]
    assert (shared.nunique(dropna=False) == 1).all(axis=None)


def test_a_range_is_two_numbers_and_a_mean_with_its_spread_too():
    ids = {figure.id: figure.value for figure in numeric_figures("liu-2020", EVIDENCE)}
    assert ids["liu-2020/follow_up_range_first"] == 9
    assert ids["liu-2020/follow_up_range_last"] == 47
    assert ids["liu-2020/vas_after_sbrt_sd/sbrt"] == 0.41
    observable = {figure.id for figure in observable_figures("liu-2020", EVIDENCE)}
    assert set(ids) - observable == {
        "liu-2020/follow_up_range_first",
        "liu-2020/follow_up_range_last",
    }


def test_another_studys_figures_are_met_by_the_same_code(tmp_path):
    """Counts by arm beside counts of the whole, a decrease without its median, kinds by arm."""
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    evidence = load_evidence(path)
    calibration = replace(shipped_calibration(), evidence=evidence)
    expectation = expectation_of(calibration, "own-2024")
    figures = numeric_figures("own-2024", evidence)
    assert len(figures) == 10
    cohort = simulate("own-2024", 40_000, 2, calibration=calibration)
    for figure in figures:
        wanted = published_value(figure)
        assert achieved(figure, expectation) == pytest.approx(wanted, abs=1e-6), figure.id
        error = sampling_error(figure, expectation) * np.sqrt((figure.n or 60) / 20_000)
        assert abs(reported(figure, cohort) - wanted) < 4 * error, figure.id
