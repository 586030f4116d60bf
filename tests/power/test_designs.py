"""Designs of trials and registries, and the trials drawn from them."""

import math
from dataclasses import replace

import numpy as np
import pytest

from outcomes.errors import CalibrationError, OutcomesError
from outcomes.power import TrialDesign
from outcomes.power.trial import draw_trials
from outcomes.synthetic import shipped_calibration, simulate

NAN, INFINITE = math.nan, math.inf


def one_trial(design, patients=4_000, seed=1):
    (trial,) = draw_trials(design, patients, 1, seed, shipped_calibration())
    return trial


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"endpoint": "hardware-failure"}, "endpoint"),
        ({"kind": "survey"}, "design"),
        ({"allocation": (1.0, 0.0)}, "allocation"),
        ({"allocation": (NAN, 1.0)}, "allocation"),
        ({"accrual_months": -1.0}, "accrual"),
        ({"follow_up_months": INFINITE}, "follow-up"),
        ({"dropout_per_year": 1.0}, "dropout"),
        ({"crossover": 1.1}, "crossover"),
        ({"untreated": -0.1}, "untreated"),
        ({"death_hazard_ratio": 0.0}, "effect"),
        ({"death_hazard_ratio": NAN}, "effect"),
        ({"progression_effect": -1.0}, "progression effect"),
        ({"alpha": 0.0}, "alpha"),
        ({"alpha": 0.9}, "alpha"),
        ({"horizon": 0.0}, "horizon"),
        ({"horizon": NAN}, "horizon"),
        ({"horizon": 48.0}, "before month 48"),
        ({"horizon": 25.0, "accrual_months": 0.0}, "before month 24"),
        ({"kind": "registry", "crossover": 0.2}, "registry"),
        ({"kind": "registry", "untreated": 0.2}, "registry"),
    ],
)
def test_an_impossible_design_is_refused(wrong, word):
    with pytest.raises(OutcomesError, match=word):
        TrialDesign(**wrong)


def test_what_is_possible_at_the_edge():
    assert TrialDesign(horizon=24.0, accrual_months=0.0).share == 0.5
    assert TrialDesign(allocation=(2.0, 1.0)).treated_of(52) == 35
    assert TrialDesign(allocation=(1.0, 99.0)).treated_of(10) == 1
    assert TrialDesign(allocation=(99.0, 1.0)).treated_of(10) == 9
    nothing = TrialDesign().without_effect()
    assert not nothing.has_effect
    assert TrialDesign(death_hazard_ratio=1.0).has_effect


def test_a_trial_or_a_series_that_cannot_be_drawn():
    with pytest.raises(OutcomesError, match="patients"):
        one_trial(TrialDesign(), patients=1)
    with pytest.raises(CalibrationError, match="nobody-1999"):
        one_trial(TrialDesign(study="nobody-1999"))
    with pytest.raises(OutcomesError, match="everyone had SBRT"):
        one_trial(TrialDesign(study="laufer-2013", kind="registry"))


def test_each_trial_has_its_share_of_treated():
    design = TrialDesign(allocation=(1.0, 3.0))
    trials = list(draw_trials(design, 52, 40, 3, shipped_calibration()))
    assert [int(trial.treated.sum()) for trial in trials] == [13] * 40
    assert len({trial.treated.tobytes() for trial in trials}) == 40
    assert {trial.time.size for trial in trials} == {52}


def test_follow_up_ends_by_the_calendar():
    nobody_lost = TrialDesign(
        accrual_months=12.0, follow_up_months=20.0, dropout_per_year=0.0, horizon=12.0
    )
    trial = one_trial(nobody_lost)
    censored = trial.time[trial.codes == 0]
    assert censored.min() >= 20
    assert censored.max() <= 32
    # Entry is even over the accrual.
    assert censored.mean() == pytest.approx(26, abs=0.4)
    at_once = one_trial(replace(nobody_lost, accrual_months=0.0))
    assert set(at_once.time[at_once.codes == 0]) == {20.0}


def test_loss_has_its_rate():
    lossy = one_trial(
        TrialDesign(accrual_months=0.0, follow_up_months=240.0, dropout_per_year=0.3, horizon=12.0),
        patients=40_000,
    )
    lost, exposed = (lossy.codes == 0).sum(), lossy.time.sum()
    assert lost / exposed == pytest.approx(-math.log(0.7) / 12, rel=0.02)


def test_the_study_s_own_follow_up():
    trial = one_trial(TrialDesign(follow_up_months=None, dropout_per_year=0.0), patients=20_000)
    cohort = simulate("liu-2020", 20_000, seed=2)
    own = cohort["os_months"][cohort["death"] == 0]
    censored = trial.time[trial.codes == 0]
    assert censored.min() >= 9
    assert censored.max() <= 47
    # Nearly everyone is followed for 9 or for 47 months, in the same proportion.
    assert (censored < 28).mean() == pytest.approx((own < 28).mean(), abs=0.02)


def test_who_gets_sbrt_in_a_trial():
    design = TrialDesign(crossover=0.3, untreated=0.1)
    trial = one_trial(design, patients=20_000)
    got = np.isfinite(trial.sbrt_start)
    late = trial.time > 1.0
    assert got[late & ~trial.treated].mean() == pytest.approx(0.3, abs=0.02)
    assert got[late & trial.treated].mean() == pytest.approx(0.9, abs=0.02)
    # The arm is the one assigned, whatever was given.
    assert trial.treated.mean() == 0.5


def test_a_registry_records_what_was_received():
    trial = one_trial(TrialDesign(kind="registry"), patients=20_000)
    assert (np.isfinite(trial.sbrt_start) == trial.treated).all()
    assert (trial.time[trial.treated] >= trial.sbrt_start[trial.treated]).all()
    assert trial.treated.mean() == pytest.approx(0.25, abs=0.02)
    # Fitter patients are chosen: Karnofsky is the second covariate.
    kps = trial.covariates[:, 1]
    assert kps[trial.treated].mean() > kps[~trial.treated].mean() + 0.5


def test_local_control_has_death_competing():
    survival, control = (
        one_trial(TrialDesign(endpoint=endpoint))
        for endpoint in ("overall-survival", "local-control")
    )
    assert set(survival.codes) == {0, 1}
    assert set(control.codes) == {0, 1, 2}
    assert (control.time <= survival.time + 1e-12).all()
    # The same patients: who dies without progression dies in both.
    first = control.codes == 2
    assert (survival.codes[first] == 1).all()
    np.testing.assert_allclose(survival.time[first], control.time[first])
    # Local control adjusts for the distance of separation as well.
    assert control.covariates.shape[1] == survival.covariates.shape[1] + 1


def test_the_same_seed_gives_the_same_trial_and_patients():
    first, again = one_trial(TrialDesign()), one_trial(TrialDesign())
    assert first.time.tobytes() == again.time.tobytes()
    without = one_trial(TrialDesign().without_effect())
    control = ~first.treated
    assert (first.treated == without.treated).all()
    assert (first.time[control] == without.time[control]).all()
    assert (first.covariates == without.covariates).all()
    assert first.time[first.treated].sum() > without.time[first.treated].sum()
