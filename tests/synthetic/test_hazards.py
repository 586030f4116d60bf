"""The illness-death model against closed forms and against its own simulator."""

import numpy as np
import pytest
from scipy.special import ndtr

from outcomes.synthetic.hazards import Baseline, Course, draw_events, occupation

BASELINE = Baseline(
    death_scale=12.0,
    death_shape=1.0,
    progression_total=0.5,
    progression_median=4.0,
    progression_sigma=0.9,
)
GRID = np.unique(np.concatenate([60 * np.linspace(0, 1, 400) ** 2, [1.5, 12.0, 24.0]]))


def course(**changes):
    values = {
        "score": 0.0,
        "sbrt_start": np.inf,
        "death_before": 1.0,
        "death_after": 1.0,
        "progression_before": 1.0,
        "progression_after": 1.0,
    }
    values |= changes
    ratio = values.pop("death_after_progression", 1.0)
    arrays = {name: np.atleast_1d(np.asarray(value, dtype=float)) for name, value in values.items()}
    return Course(**arrays, death_after_progression=ratio)


def test_without_an_effect_of_progression_survival_is_exponential():
    states = occupation(BASELINE, course(), GRID)
    assert states.alive[0] == pytest.approx(np.exp(-GRID / 12), abs=1e-12)


def test_event_free_is_the_product_of_both_hazards():
    states = occupation(BASELINE, course(), GRID)
    with np.errstate(divide="ignore"):
        fraction = ndtr(np.log(GRID / 4) / 0.9)
    assert states.event_free[0] == pytest.approx(np.exp(-GRID / 12 - 0.5 * fraction), abs=1e-12)


def test_the_states_add_up_to_one():
    states = occupation(BASELINE, course(death_after_progression=1.8), GRID)
    assert states.event_free + states.progressed + states.died_first == pytest.approx(1.0)
    assert (states.alive >= states.event_free - 1e-12).all()


def test_progression_shortens_life():
    without = occupation(BASELINE, course(), GRID).alive
    with_effect = occupation(BASELINE, course(death_after_progression=1.8), GRID).alive
    assert (with_effect[0, GRID > 1] < without[0, GRID > 1]).all()


def test_a_hazard_ratio_from_the_start_of_sbrt_on():
    states = occupation(BASELINE, course(sbrt_start=1.5, death_after=0.5), GRID)
    late = GRID[GRID >= 1.5]
    expected = np.exp(-(1.5 + 0.5 * (late - 1.5)) / 12)
    assert states.alive[0, GRID >= 1.5] == pytest.approx(expected, abs=1e-12)


def test_waiting_patients_cannot_have_events():
    states = occupation(
        BASELINE, course(sbrt_start=1.5, death_before=0.0, progression_before=0.0), GRID
    )
    assert states.event_free[0, GRID <= 1.5] == pytest.approx(1.0)


def test_an_all_but_constant_progression_hazard_matches_competing_exponentials():
    """Two constant hazards a, b: the cumulative incidence is a / (a + b) (1 - exp(-(a + b) t))."""
    steep = Baseline(12.0, 1.0, 1e9, 1e30, 10.0)
    grid = np.linspace(0, 24, 2001)
    a = steep.progression_total * steep.progression_units(np.array([12.0]))[0]
    states = occupation(steep, course(), grid)
    progression = steep.progression_total * steep.progression_units(grid)
    assert progression[1000] == pytest.approx(a)
    hazard_ratio_path = np.trapezoid(
        np.exp(-progression - grid / 12) * np.gradient(progression, grid), grid
    )
    assert states.progressed[0, -1] == pytest.approx(hazard_ratio_path, rel=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"score": 0.7, "death_after_progression": 2.0},
        {
            "sbrt_start": 1.5,
            "death_after": 0.6,
            "progression_before": 3.0,
            "progression_after": 0.3,
            "death_after_progression": 2.5,
        },
        {
            "sbrt_start": 1.5,
            "death_before": 0.0,
            "progression_before": 0.0,
            "death_after_progression": 1.8,
        },
    ],
)
def test_simulated_times_follow_the_integrated_states(changes):
    size = 200_000
    one = course(**changes)
    states = occupation(BASELINE, one, GRID)
    many = Course(
        *(
            np.broadcast_to(getattr(one, name), size)
            for name in (
                "score",
                "sbrt_start",
                "death_before",
                "death_after",
                "progression_before",
                "progression_after",
            )
        ),
        one.death_after_progression,
    )
    times = draw_events(BASELINE, many, size, np.random.default_rng(11))
    for month in (1.0, 3.0, 12.0, 24.0):
        index = np.searchsorted(GRID, month)
        for simulated, expected in (
            ((times.death > month).mean(), np.interp(month, GRID, states.alive[0])),
            ((times.progression <= month).mean(), np.interp(month, GRID, states.progressed[0])),
        ):
            error = np.sqrt(max(expected * (1 - expected), 1e-9) / size)
            assert abs(simulated - expected) < 4 * error + 1e-4, (month, index)
