"""Standard errors of the published figures against the spread of simulated cohorts."""

import numpy as np
import pytest

from outcomes.synthetic import shipped_calibration, simulate
from outcomes.synthetic.reported import reported
from outcomes.synthetic.sampling import sampling_error
from outcomes.synthetic.series_expectation import expect_series

COHORTS = 120
FIGURES = {
    "laufer-2013": (
        "local_progression_12m",
        "died_without_progression",
        "time_of_death_without_progression",
        "follow_up_alive_without_progression",
        "time_of_progression",
        "time_of_progression_mean",
        "follow_up_mean",
    ),
    "liu-2020": (
        "overall_survival_median/alone",
        "local_progression_crude/alone",
        "time_of_progression/alone",
        "follow_up_survived",
    ),
    "amankulor-2014": ("hardware_failure", "local_control_12m"),
}


@pytest.mark.parametrize("study", FIGURES)
def test_standard_errors_are_the_spread_of_cohorts_of_the_published_size(study):
    calibration = shipped_calibration()
    evidence, series = calibration.evidence, calibration.series_of(study)
    expectation = expect_series(series, calibration.values(study), calibration.effects, evidence)
    cohorts = [simulate(study, series.size, seed) for seed in range(COHORTS)]
    for name in FIGURES[study]:
        figure = evidence.figure(f"{study}/{name}")
        spread = np.std([reported(figure, cohort) for cohort in cohorts], ddof=1)
        # The spread itself is known to 1 / sqrt(2 * 120), 6.5 %; medians of few are not normal.
        assert sampling_error(figure, expectation) == pytest.approx(spread, rel=0.35), name
