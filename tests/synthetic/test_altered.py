"""Another truth in a calibrated series: what changes, and what must not."""

import numpy as np
import pytest

from outcomes.errors import OutcomesError
from outcomes.synthetic import shipped_calibration, simulate, treatment_truth
from outcomes.synthetic.altered import with_truth
from outcomes.synthetic.trial import with_sbrt_effect

STUDY = "liu-2020"
ENDPOINTS = ("overall-survival", "local-control")


@pytest.fixture(scope="module")
def calibration():
    return shipped_calibration()


def truth(calibration, endpoint):
    return treatment_truth(calibration, STUDY, endpoint, [12.0], landmark=3.0, grace=(0.46, 3.0))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("start", [None, (1.0, 3.0)])
def test_without_effect_every_contrast_is_none(calibration, endpoint, start):
    nothing = with_truth(
        calibration, STUDY, death=1.0, progression=0.0, selection=2.0, sbrt_start=start
    )
    found = truth(nothing, endpoint)
    assert not any(name.startswith("number_needed") for name in found)
    contrasts = {name for name in found if "_treated" not in name and "_control" not in name}
    assert {"landmark:hazard_ratio", "time-dependent:hazard_ratio"} < contrasts
    assert "clone-censor-weight:risk_difference@12" in contrasts
    for name in contrasts:
        null = 1.0 if "ratio" in name else 0.0
        assert found[name] == pytest.approx(null, abs=1e-12), name


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_untreated_stay_as_they_are(calibration, endpoint):
    before = truth(calibration, endpoint)
    for change in ({"progression": 0.0}, {"death": 0.4, "progression": 1.5}, {"selection": 3.0}):
        after = truth(with_truth(calibration, STUDY, **change), endpoint)
        assert after["risk_control@12"] == pytest.approx(before["risk_control@12"], rel=1e-12)


def test_nothing_changed_is_the_calibration_itself(calibration):
    same = with_truth(calibration, STUDY)
    for one, other in zip(same.parameters, calibration.parameters, strict=True):
        assert one == other
    assert same.evidence == calibration.evidence
    assert not same.targets
    assert simulate(STUDY, 60, 3, calibration=same).equals(simulate(STUDY, 60, 3))


def test_effects_are_those_of_a_trial_with_them(calibration):
    altered = with_truth(calibration, STUDY, death=0.5, progression=0.4).effects
    wanted = with_sbrt_effect(calibration.effects, death=0.5, progression=0.4)
    assert altered.death_hr_sbrt == wanted.death_hr_sbrt == 0.5
    for regimen in ("single_24", "hypofractionated_high", "hypofractionated_low"):
        assert altered.regimen(regimen) / altered.regimen("none") == pytest.approx(
            wanted.regimen(regimen) / wanted.regimen("none")
        )
    assert altered.progression["below_3mm"] == wanted.progression["below_3mm"]


def test_a_strong_effect_is_stronger(calibration):
    strong = with_truth(calibration, STUDY, death=0.5, progression=1.5)
    for endpoint in ENDPOINTS:
        key = "risk_difference@12"
        assert truth(strong, endpoint)[key] < truth(calibration, endpoint)[key] < 0


def test_selection_changes_who_is_treated_but_not_how_many(calibration):
    nothing = {"death": 1.0, "progression": 0.0, "sbrt_start": (0.0, 0.01)}
    shares, fitness = [], []
    for selection in (0.0, 1.0, 4.0):
        altered = with_truth(calibration, STUDY, selection=selection, **nothing)
        cohort = simulate(STUDY, 30_000, 1, calibration=altered)
        shares.append(cohort["sbrt"].mean())
        fitness.append(
            cohort.loc[cohort["sbrt"], "kps"].mean() - cohort.loc[~cohort["sbrt"], "kps"].mean()
        )
    # The standard error of a share is 0.003, that of a difference of means about 0.2.
    assert np.ptp(shares) < 0.012
    assert abs(fitness[0]) < 0.6
    assert 1.2 < fitness[1] < fitness[2] - 3


def test_sbrt_starts_when_it_is_told(calibration):
    late = with_truth(calibration, STUDY, sbrt_start=(1.0, 3.0))
    start = simulate(STUDY, 2_000, 5, calibration=late)["sbrt_start_months"].dropna()
    assert 1.0 <= start.min() < 1.1
    assert 2.9 < start.max() <= 3.0
    assert late.series_of("gong-2021").sbrt_start == calibration.series_of("gong-2021").sbrt_start


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"study": "laufer-2013"}, "both arms"),
        ({"study": "nobody-1999"}, "not calibrated"),
        ({"death": 0.0}, "death"),
        ({"death": float("nan")}, "death"),
        ({"progression": -0.1}, "progression"),
        ({"selection": float("inf")}, "selection"),
        ({"selection": float("nan")}, "selection"),
        ({"sbrt_start": (3.0, 1.0)}, "sbrt_start"),
        ({"sbrt_start": (-1.0, 1.0)}, "sbrt_start"),
        ({"sbrt_start": (0.0, float("nan"))}, "sbrt_start"),
    ],
)
def test_what_cannot_be_is_refused(calibration, change, word):
    study = change.pop("study", STUDY)
    with pytest.raises(OutcomesError, match=word):
        with_truth(calibration, study, **change)
