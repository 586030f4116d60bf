import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.causal.balance import balance
from outcomes.errors import NotEstimableError, OutcomesError

TREATED = [1, 1, 1, 0, 0, 0, 0]
COLUMNS = pd.DataFrame(
    {
        "age": [50.0, 60, 70, 40, 50, 60, 90],
        "visceral": [True, False, True, False, False, True, False],
        "series": [2] * 7,
    }
)


def test_by_hand():
    found = balance(COLUMNS, TREATED, [1, 1, 2, 1, 1, 1, 1])
    age, visceral, series = found.columns
    # Treated: mean 60, variance 100; control: mean 60, variance 1400 / 3.
    assert (age.kind, age.mean_treated, age.mean_control) == ("number", 60, 60)
    assert age.difference == 0
    assert age.standard_deviation == pytest.approx(math.sqrt((100 + 1400 / 3) / 2))
    assert age.variance_ratio == pytest.approx(100 / (1400 / 3))
    # Weighted: mean 250 / 4 = 62.5; sum of w (x - 62.5)^2 = 156.25 + 6.25 + 112.5 = 275, times
    # 4 / (16 - 6).
    assert age.weighted_mean_treated == 62.5
    assert age.weighted_difference == pytest.approx(2.5 / age.standard_deviation)
    assert age.weighted_variance_ratio == pytest.approx(110 / (1400 / 3))
    # Shares 2/3 and 1/4; weighted 3/4 and 1/4.
    deviation = math.sqrt((2 / 9 + 3 / 16) / 2)
    assert visceral.kind == "binary"
    assert visceral.difference == pytest.approx((2 / 3 - 1 / 4) / deviation)
    assert visceral.weighted_difference == pytest.approx(0.5 / deviation)
    assert visceral.variance_ratio is None
    assert (series.kind, series.difference, series.weighted_difference) == ("constant", 0, 0)
    assert series.mean_treated == 2
    assert found.unbalanced == ("visceral",)
    assert found.weighted_unbalanced == ("age", "visceral")
    assert found.weighted_largest == visceral.weighted_difference


def test_austins_formula_for_shares():
    # Shares of 20 % and 10 % differ by 0.1 / sqrt((0.16 + 0.09) / 2).
    column = [1] * 2 + [0] * 8 + [1] * 1 + [0] * 9
    found = balance(pd.DataFrame({"x": column}), [1] * 10 + [0] * 10)
    assert found.columns[0].difference == pytest.approx(0.2828427, abs=1e-7)


def test_weights_by_the_propensity_balance_a_cohort():
    # Half of the frail and a fifth of the others are treated: weights restore the whole cohort.
    frail = np.repeat([True, False], [20, 30])
    treated = np.concatenate(
        (np.repeat([True, False], [10, 10]), np.repeat([True, False], [6, 24]))
    )
    propensity = np.where(frail, 0.5, 0.2)
    weights = np.where(treated, 1 / propensity, 1 / (1 - propensity))
    found = balance(pd.DataFrame({"frail": frail}), treated, weights).columns[0]
    assert found.weighted_mean_treated == pytest.approx(0.4)
    assert found.weighted_difference == pytest.approx(0, abs=1e-12)
    assert abs(found.difference) > 0.5


@given(
    st.lists(st.integers(-50, 50), min_size=6, max_size=20),
    st.floats(0.1, 10),
    st.floats(-100, 100),
)
def test_scale_and_order_of_arms(values, scale, shift):
    treated = np.arange(len(values)) % 2 == 0
    column = np.array(values, dtype=float)
    # Two numbers other than 0 and 1, so that the shifted column is of the same kind.
    column[:2] = [51.5, -51.5]
    weights = 1 + np.arange(column.size) % 3
    one = balance(pd.DataFrame({"x": column}), treated, weights).columns[0]
    moved = balance(pd.DataFrame({"x": column * scale + shift}), treated, weights).columns[0]
    swapped = balance(pd.DataFrame({"x": column}), ~treated, weights).columns[0]
    assert moved.weighted_difference == pytest.approx(one.weighted_difference, abs=1e-9)
    assert moved.weighted_variance_ratio == pytest.approx(one.weighted_variance_ratio, rel=1e-6)
    assert swapped.difference == pytest.approx(-one.difference)
    assert swapped.variance_ratio == pytest.approx(1 / one.variance_ratio)
    alone = balance(pd.DataFrame({"x": column}), treated).columns[0]
    assert alone.difference == alone.weighted_difference == one.difference
    assert alone.variance_ratio == pytest.approx(alone.weighted_variance_ratio)


def test_arms_that_differ_without_spread():
    found = balance(pd.DataFrame({"x": [1, 1, 0, 0], "y": [7, 7, 9, 9]}), [1, 1, 0, 0])
    assert [one.difference for one in found.columns] == [None, None]
    assert found.columns[1].variance_ratio is None
    assert found.largest == math.inf
    assert found.unbalanced == ("x", "y")


@pytest.mark.parametrize("treated", [[1, 0, 0], [0, 1, 1]])
def test_a_patient_alone_in_an_arm(treated):
    found = balance(pd.DataFrame({"x": [3.0, 1.0, 5.0]}), treated).columns[0]
    assert found.variance_ratio is found.standard_deviation is found.difference is None
    assert (found.mean_treated, found.mean_control) == (3, 3)


def test_a_patient_with_all_the_weight_of_an_arm():
    zeros = balance(pd.DataFrame({"x": [3.0, 4.0, 1.0, 5.0]}), [1, 1, 0, 0], [1, 0, 1, 1])
    assert zeros.columns[0].weighted_variance_ratio is None


def test_no_columns():
    found = balance(pd.DataFrame(index=range(2)), [1, 0])
    assert found.columns == ()
    assert found.largest == found.weighted_largest == 0


def test_as_plain_data():
    found = balance(COLUMNS, TREATED)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [one["column"] for one in plain["columns"]] == ["age", "visceral", "series"]
    assert plain["threshold"] == 0.1
    assert found.to_frame().loc[1, "difference"] == found.columns[1].difference


@pytest.mark.parametrize(
    ("columns", "treated", "error", "message"),
    [
        ({"x": ["a", "b"]}, [0, 1], OutcomesError, "column x: found"),
        ({"x": [1.0, np.nan]}, [0, 1], OutcomesError, "column x, row 2: found nan"),
        ({"x": pd.array([None, 1], dtype="Int64")}, [0, 1], OutcomesError, "column x, row 1"),
        ({"x": [1.0, 2.0, 3.0]}, [0, 1], OutcomesError, "found 3 rows; allowed: 2"),
        ({"x": [1.0, 2.0]}, [1, 1], NotEstimableError, "control arm has no patient"),
    ],
)
def test_impossible_input(columns, treated, error, message):
    with pytest.raises(error, match=message):
        balance(pd.DataFrame(columns), treated)
