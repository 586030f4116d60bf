"""Patients whose strategy is assigned: the same people under either, and the known truth."""

import numpy as np
import pandas as pd
import pytest

from outcomes.errors import CalibrationError, OutcomesError
from outcomes.synthetic import shipped_calibration, simulate, treatment_truth
from outcomes.synthetic.trial import draw_assigned, draw_chosen, with_sbrt_effect

LARGE = 60_000


@pytest.fixture(scope="module")
def calibration():
    return shipped_calibration()


def everyone(planned, calibration, study="liu-2020", n=500, seed=4, **options):
    return draw_assigned(study, np.full(n, planned), seed, calibration=calibration, **options)


def test_same_seed_same_patients_whatever_is_planned(calibration):
    alone, treated = everyone(False, calibration), everyone(True, calibration)
    pd.testing.assert_frame_equal(alone.covariates, treated.covariates)
    again = everyone(True, calibration)
    assert (treated.death == again.death).all()
    assert (treated.progression == again.progression).all()
    assert np.isinf(alone.sbrt_start).all()
    low, high = calibration.series_of("liu-2020").sbrt_start
    assert ((low <= treated.sbrt_start) & (treated.sbrt_start <= high)).all()
    # Nothing has happened to them yet when SBRT starts.
    early = np.minimum(alone.death, treated.death) < low
    np.testing.assert_allclose(alone.death[early], treated.death[early])
    other = everyone(True, calibration, seed=5)
    assert not other.covariates.equals(treated.covariates)


def test_an_effect_changes_the_treated_alone(calibration):
    planned = np.arange(4_000) % 2 == 0
    weak, strong = (
        draw_assigned(
            "liu-2020",
            planned,
            3,
            calibration=calibration,
            effects=with_sbrt_effect(calibration.effects, death=death, progression=kept),
        )
        for death, kept in ((1.0, 0.0), (0.5, 1.0))
    )
    assert (weak.death[~planned] == strong.death[~planned]).all()
    assert (weak.progression[~planned] == strong.progression[~planned]).all()
    free = planned & np.isinf(weak.progression) & np.isinf(strong.progression)
    assert (strong.death[free] >= weak.death[free] - 1e-9).all()
    assert (strong.death[free] > weak.death[free] + 1e-9).mean() > 0.9
    assert np.isfinite(strong.progression[planned]).mean() < 0.5 * (
        np.isfinite(weak.progression[planned]).mean()
    )
    nobody = draw_assigned("liu-2020", np.zeros(4_000), 3, calibration=calibration)
    # SBRT without effect is no SBRT.
    np.testing.assert_allclose(weak.death, nobody.death)
    np.testing.assert_allclose(weak.progression, nobody.progression)


def test_the_effect_on_progression_is_kept_by_its_share(calibration):
    effects = calibration.effects
    none = effects.regimen("none")
    for name in ("single_24", "hypofractionated_high", "hypofractionated_low"):
        whole, half, nothing = (
            with_sbrt_effect(effects, death=0.7, progression=kept).regimen(name)
            for kept in (1.0, 0.5, 0.0)
        )
        assert whole == pytest.approx(effects.regimen(name))
        assert half == pytest.approx(np.sqrt(none * effects.regimen(name)))
        assert nothing == pytest.approx(none)
    changed = with_sbrt_effect(effects, death=0.9, progression=0.0)
    assert changed.death_hr_sbrt == 0.9
    assert changed.regimen("none") == none
    assert changed.death == effects.death
    assert changed.progression["below_3mm"] == effects.progression["below_3mm"]


@pytest.mark.parametrize(("planned", "arm"), [(False, "control"), (True, "treated")])
def test_the_risks_are_the_known_truth(planned, arm, calibration):
    drawn = everyone(planned, calibration, n=LARGE, seed=8)
    for month in (6, 12, 24):
        for endpoint, happened in (
            ("overall-survival", drawn.death <= month),
            ("local-control", drawn.progression <= month),
        ):
            truth = treatment_truth(calibration, "liu-2020", endpoint, (month,))
            risk = truth[f"risk_{arm}@{month}"]
            error = np.sqrt(risk * (1 - risk) / LARGE)
            assert abs(happened.mean() - risk) < 4 * error


def test_a_hazard_ratio_of_death_is_what_it_says(calibration):
    """With nothing else in the way the treated die at the ratio's rate from SBRT on."""
    effects = with_sbrt_effect(calibration.effects, death=0.5, progression=0.0)
    alone = everyone(False, calibration, n=LARGE)
    treated = everyone(True, calibration, n=LARGE, effects=effects)
    late = alone.death > 0.92
    # Who never progresses dies when a Weibull cumulative hazard H reaches an exponential draw:
    # 0.5 (H(t') - H(s)) = H(t) - H(s), the same draw in both.
    free = late & np.isinf(alone.progression) & np.isinf(treated.progression)
    shape = calibration.values("liu-2020")["death_shape"]
    spent = treated.sbrt_start[free] ** shape
    np.testing.assert_allclose(
        0.5 * (treated.death[free] ** shape - spent), alone.death[free] ** shape - spent, rtol=1e-6
    )


def test_choice_is_the_series_own(calibration):
    drawn = draw_chosen("liu-2020", LARGE, 2, calibration=calibration)
    received = drawn.planned & (drawn.death > drawn.sbrt_start)
    cohort = simulate("liu-2020", LARGE, seed=9)
    assert received.mean() == pytest.approx(cohort["sbrt"].mean(), abs=0.01)
    for who in (received, ~received):
        recorded = cohort["kps"][cohort["sbrt"] == received[who][0]].mean()
        assert drawn.covariates["kps"][who].mean() == pytest.approx(recorded, abs=0.4)


def test_every_series_can_be_drawn_from(study, calibration):
    drawn = draw_assigned(study, np.arange(400) % 2, 1, calibration=calibration)
    assert (drawn.covariates["procedure"] != "none").all()
    assert np.isfinite(drawn.death).all()
    assert (drawn.death > 0).all()
    assert (drawn.progression[np.isfinite(drawn.progression)] <= drawn.death.max()).all()
    assert drawn.planned.sum() == 200


def test_what_cannot_be_drawn_is_refused(calibration):
    with pytest.raises(OutcomesError, match="everyone had SBRT"):
        draw_chosen("laufer-2013", 50, calibration=calibration)
    with pytest.raises(OutcomesError, match="n: found 0"):
        draw_chosen("liu-2020", 0, calibration=calibration)
    with pytest.raises(OutcomesError, match="planned"):
        draw_assigned("liu-2020", [], calibration=calibration)
    with pytest.raises(OutcomesError, match="planned"):
        draw_assigned("liu-2020", [[True]], calibration=calibration)
    with pytest.raises(CalibrationError, match="allowed: laufer-2013"):
        draw_assigned("nobody-1999", [True], calibration=calibration)
