"""Clones in large cohorts: they reach the truth that is computed for them."""

import pytest

from outcomes.comparison import GRACE_MONTHS, Choices, Options, compare
from outcomes.synthetic import shipped_calibration, simulate, treatment_truth

STUDY = "liu-2020"
METHOD = "clone-censor-weight"


@pytest.mark.long
@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
@pytest.mark.parametrize("grace", [GRACE_MONTHS, (0.6, 1.4), (0.3, 0.7)])
def test_clones_reach_their_truth(endpoint, grace):
    calibration = shipped_calibration()
    truth = treatment_truth(calibration, STUDY, endpoint, [12.0, 24.0], grace=grace)
    cohort = simulate(STUDY, 40_000, 11, calibration=calibration)
    options = Options(Choices(grace=grace), methods=(METHOD,))
    found = compare(cohort, endpoint=endpoint, horizons=[12.0, 24.0], truth=truth, options=options)
    rungs = [rung for rung in found.rungs if rung.method == METHOD and rung.p is not None]
    assert len(rungs) >= 7
    for rung in rungs:
        assert rung.truth is not None
        width = rung.upper - rung.lower
        # Limits of 95 % span 3.92 standard errors; three on either side are allowed.
        assert abs(rung.value - rung.truth) < 3 / 3.92 * width, rung


def test_without_a_start_in_the_period_there_is_no_truth_of_clones():
    truth = treatment_truth(shipped_calibration(), STUDY, "local-control", [12.0], grace=(3.0, 4.0))
    assert not any(name.startswith(METHOD) for name in truth)
