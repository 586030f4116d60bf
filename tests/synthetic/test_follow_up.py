import numpy as np
import pytest

from outcomes.synthetic.follow_up import (
    BetaFollowUp,
    WeibullFollowUp,
    expected_by,
    observed_by,
)

GRID = np.unique(np.concatenate([60 * np.linspace(0, 1, 80) ** 2, [9.0, 47.0]]))
DISTRIBUTIONS = [
    WeibullFollowUp(15.0, 1.3, 60.0),
    WeibullFollowUp(140.0, 0.6, 60.0),
    BetaFollowUp(9.0, 47.0, 0.066, 0.033),
    BetaFollowUp(3.0, 48.0, 1.0, 1.0),
]


@pytest.mark.parametrize("follow_up", DISTRIBUTIONS)
def test_all_follow_up_ends_within_the_grid(follow_up):
    assert expected_by(follow_up, GRID, np.ones_like(GRID))[-1] == pytest.approx(1.0)


@pytest.mark.parametrize("follow_up", DISTRIBUTIONS)
def test_the_mean_of_drawn_follow_up_is_the_integrated_one(follow_up):
    drawn = follow_up.draw(400_000, np.random.default_rng(5))
    expected = expected_by(follow_up, GRID, GRID)[-1]
    assert drawn.mean() == pytest.approx(expected, abs=4 * drawn.std() / np.sqrt(drawn.size))
    assert drawn.max() <= follow_up.breaks[-1]


@pytest.mark.parametrize("follow_up", DISTRIBUTIONS)
def test_seen_and_unseen_events_add_up(follow_up):
    incidence = 1 - np.exp(-GRID / 10)
    seen = observed_by(follow_up, GRID, incidence)[-1]
    unseen = expected_by(follow_up, GRID, 1 - incidence)[-1]
    assert seen + unseen == pytest.approx(1.0)


def test_uniform_follow_up_by_hand():
    """Follow-up uniform on 0-12, event share t/12: seen is the mean of C/12, one half."""
    grid = np.linspace(0, 12, 13)
    uniform = BetaFollowUp(0.0, 12.0, 1.0, 1.0)
    assert observed_by(uniform, grid, grid / 12)[-1] == pytest.approx(0.5)
