import numpy as np
import pytest

from outcomes.curves import StepFunction
from outcomes.errors import OutcomesError


def test_right_continuous():
    step = StepFunction([1, 3], [0.5, 0.2], 1.0, 4)
    np.testing.assert_array_equal(step([0, 0.9, 1, 2.9, 3, 4]), [1, 1, 0.5, 0.5, 0.2, 0.2])
    assert step([[0], [3]]).shape == (2, 1)


def test_integral_by_hand():
    step = StepFunction([1, 3], [0.5, 0.2], 1.0, 4)
    assert step.integral(4) == pytest.approx(1 + 2 * 0.5 + 0.2)
    assert step.integral(2) == pytest.approx(1.5)
    assert step.integral(0) == 0


@pytest.mark.parametrize("month", [-0.1, 4.1, np.nan, np.inf])
def test_refuses_to_extrapolate(month):
    with pytest.raises(OutcomesError, match="known from month 0 to 4"):
        StepFunction([1, 3], [0.5, 0.2], 1.0, 4)(month)


def test_domain_ends_with_the_last_jump_by_default():
    assert StepFunction([1, 3], [0.5, 0.2], 1.0).end == 3
    assert StepFunction([], [], 1.0).end == 0


@pytest.mark.parametrize(
    ("times", "values", "end", "message"),
    [
        ([1, 2], [0.5], 3, "one length"),
        ([2, 1], [0.5, 0.4], 3, "increase strictly"),
        ([1, 1], [0.5, 0.4], 3, "increase strictly"),
        ([-1], [0.5], 3, "increase strictly"),
        ([1, 2], [0.5, 0.4], 1.5, "before the last jump"),
    ],
)
def test_unusable_steps(times, values, end, message):
    with pytest.raises(OutcomesError, match=message):
        StepFunction(times, values, 1.0, end)
