import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.causal.overlap import effective_sample_size, overlap, weight_spread
from outcomes.errors import NotEstimableError, OutcomesError

# Four treated and five controls; both arms have scores from 0.2 to 0.7.
SCORES = [0.2, 0.5, 0.7, 0.97, 0.02, 0.1, 0.3, 0.5, 0.7]
TREATED = [1, 1, 1, 1, 0, 0, 0, 0, 0]


def test_by_hand():
    found = overlap(SCORES, TREATED, bins=[0, 0.25, 0.5, 0.75, 1], probabilities=[0, 0.5, 1])
    assert found.support == (0.2, 0.7)
    assert found.treated.n == 4
    assert found.treated.counts == (1, 0, 2, 1)
    assert found.treated.quantiles == pytest.approx((0.2, 0.6, 0.97))
    assert found.treated.mean == pytest.approx(2.37 / 4)
    assert found.treated.outside_support == 1
    assert (found.treated.below, found.treated.above) == (0, 0.25)
    assert found.control.counts == (2, 1, 2, 0)
    assert found.control.quantiles == pytest.approx((0.02, 0.3, 0.7))
    assert found.control.outside_support == 2
    assert (found.control.below, found.control.above) == (0.2, 0)
    assert (found.below, found.above) == pytest.approx((1 / 9, 1 / 9))


def test_arms_apart():
    found = overlap([0.9, 0.8, 0.1, 0.2], [True, True, False, False])
    assert found.support is None
    assert found.treated.outside_support == 2
    assert found.control.outside_support == 2


def test_a_score_on_the_last_edge_counts():
    found = overlap([1.0, 0.95, 0.0], [1, 0, 0])
    assert found.treated.counts[-1] == 1
    assert found.control.counts[-1] == 1
    assert found.above == pytest.approx(1 / 3)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
def test_everyone_is_counted_once(patients):
    scores = [0.5, 0.6, *(score for score, _ in patients)]
    treated = np.array([True, False, *(arm for _, arm in patients)])
    found = overlap(scores, treated)
    assert sum(found.treated.counts) == found.treated.n == treated.sum()
    assert sum(found.control.counts) == found.control.n == (~treated).sum()
    swapped = overlap(scores, ~treated)
    assert swapped.support == found.support
    assert swapped.treated == found.control


def test_weights_by_hand():
    found = weight_spread([1, 1, 2, 4, 3, 3], [1, 1, 1, 1, 0, 0], n_largest=2)
    assert found.treated.total == 8
    assert found.treated.effective_sample_size == pytest.approx(64 / 22)
    assert found.treated.largest == (4, 2)
    assert found.treated.largest_share == 0.5
    assert found.control.effective_sample_size == pytest.approx(2)
    assert found.control.largest == (3, 3)
    assert found.mean == pytest.approx(14 / 6)
    assert found.effective_sample_size == pytest.approx(14**2 / 40)


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20), st.floats(1e-3, 1e200))
def test_effective_sample_size_is_at_most_n_and_has_no_scale(weights, scale):
    values = np.array(weights)
    size = effective_sample_size(values)
    assert 1 - 1e-9 <= size <= values.size * (1 + 1e-9)
    assert effective_sample_size(values * scale) == pytest.approx(size)


def test_as_plain_data():
    plain = json.loads(json.dumps(overlap(SCORES, TREATED).to_dict(), allow_nan=False))
    assert plain["support"] == [0.2, 0.7]
    assert plain["control"]["outside_support"] == 2
    weights = json.loads(json.dumps(weight_spread([1, 2], [1, 0]).to_dict()))
    assert weights["control"]["largest"] == [2]


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "message"),
    [
        (([0.5, 0.5], [1, 1]), {}, NotEstimableError, "control arm has no patient"),
        (([0.5, 0.5], [0, 0]), {}, NotEstimableError, "treated arm has no patient"),
        (([], []), {}, NotEstimableError, "treated arm has no patient"),
        (([0.5, 1.5], [0, 1]), {}, OutcomesError, r"propensity of row 2: found 1\.5"),
        (([np.nan, 0.5], [0, 1]), {}, OutcomesError, "propensity of row 1: found nan"),
        (([0.5], [0, 1]), {}, OutcomesError, "propensity: found shape"),
        (([0.5, 0.5], [0, 2]), {}, OutcomesError, "treated of row 2: found 2"),
        (([[0.5], [0.5]], [[0], [1]]), {}, OutcomesError, "treated must be one sequence"),
        (([0.5, 0.6], [0, 1]), {"bins": [0, 0.5]}, OutcomesError, "edges that hold all scores"),
        (([0.5, 0.6], [0, 1]), {"bins": [0, 1, 1]}, OutcomesError, "each above the one before"),
        (([0.5, 0.6], [0, 1]), {"probabilities": [2]}, OutcomesError, "probabilities: allowed"),
    ],
)
def test_impossible_scores(arguments, keywords, error, message):
    with pytest.raises(error, match=message):
        overlap(*arguments, **keywords)


def test_impossible_weights():
    with pytest.raises(OutcomesError, match="weight of row 2: found -1"):
        weight_spread([1, -1], [0, 1])
    with pytest.raises(OutcomesError, match="weights: found shape"):
        weight_spread([1, 1, 1], [0, 1])
    with pytest.raises(NotEstimableError, match="all weights of the treated arm are 0"):
        weight_spread([1, 0], [0, 1])
    with pytest.raises(OutcomesError, match="n_largest: found 0"):
        weight_spread([1, 1], [0, 1], n_largest=0)
