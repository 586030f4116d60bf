import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.causal.e_value import e_value
from outcomes.causal.ratio_scale import hazard_to_risk_ratio
from outcomes.causal.unmeasured import (
    bias_bound,
    bias_by_prevalence,
    bias_factor,
    bounding_factor,
)
from outcomes.errors import NotEstimableError, OutcomesError

share = st.floats(0, 1)
strength = st.floats(1, 20)


def test_circumcision_and_hiv():
    # Lash, Fox & Fink 2009, chapter 5, after Tyndall 1996: HIV in 105 of 632 circumcised and
    # 85 of 178 other men; being Muslim (80 % and 5 %) has a risk ratio of 0.63.
    observed = (105 / 632) / (85 / 178)
    assert observed == pytest.approx(0.3479, abs=5e-5)
    found = bias_by_prevalence(
        observed,
        0.2757,
        0.4390,
        prevalence_control=0.05,
        prevalence_differences=[0.75],
        outcome_ratios=[0.63],
    )
    assert found.bias_factor == pytest.approx(0.7173, abs=5e-5)
    assert found.estimate == pytest.approx(0.4851, abs=5e-5)
    assert found.lower == pytest.approx(0.2757 / 0.7173, abs=5e-5)
    assert found.upper == pytest.approx(0.4390 / 0.7173, abs=5e-5)


def test_a_table_made_with_a_confounder():
    # 100 treated, 20 of them frail; 100 controls, 60 frail. Risk 0.2, doubled by frailty, no
    # effect of treatment: 80 * 0.2 + 20 * 0.4 = 24 and 40 * 0.2 + 60 * 0.4 = 32 events.
    found = bias_by_prevalence(
        24 / 32,
        prevalence_control=0.6,
        prevalence_differences=[-0.4, 0.0],
        outcome_ratios=[1.0, 2.0],
    )
    np.testing.assert_allclose(found.bias_factor, [[1, 1], [0.75, 1]])
    np.testing.assert_allclose(found.estimate, [[0.75, 0.75], [1, 0.75]])
    np.testing.assert_allclose(found.estimate_vanishes, [2, np.nan])
    assert found.lower is None
    assert found.limit_reaches_null is None


@given(share, share, strength)
def test_the_bounding_factor_bounds_every_binary_confounder(treated, control, outcome):
    if min(control, treated) < 1e-3:
        return
    biased = float(bias_factor(treated, control, outcome))
    ratio = max(treated / control, 1.0)
    assert biased <= float(bounding_factor(ratio, outcome)) * (1 + 1e-12)
    assert float(bias_factor(control, treated, outcome)) == pytest.approx(1 / biased)


@given(st.floats(0.1, 10), st.floats(0, 2))
def test_contours_meet_the_surface(ratio, width):
    lower, upper = ratio * math.exp(-width), ratio * math.exp(width)
    differences = np.linspace(-0.4, 0.6, 11)
    found = bias_by_prevalence(
        ratio,
        lower,
        upper,
        prevalence_control=0.4,
        prevalence_differences=differences,
        outcome_ratios=[1.0],
    )
    for contour, target in (
        (found.estimate_vanishes, ratio),
        (found.limit_reaches_null, found.observed.nearer_limit),
    ):
        known = ~np.isnan(contour)
        at = bias_factor(np.clip(0.4 + differences[known], 0, 1), 0.4, contour[known])
        np.testing.assert_allclose(at, target, rtol=1e-6)
    bound = bias_bound(
        ratio, lower, upper, treatment_ratios=np.linspace(1, 30, 9), outcome_ratios=[1.0]
    )
    known = ~np.isnan(bound.estimate_vanishes)
    np.testing.assert_allclose(
        bounding_factor(bound.treatment_association[known], bound.estimate_vanishes[known]),
        max(ratio, 1 / ratio),
    )


@pytest.mark.parametrize("ratio", [(3.9, 1.8, 8.7), (0.8, 0.71, 0.91)])
def test_the_contours_pass_through_the_e_values(ratio):
    e = e_value(*ratio)
    at = [e.estimate, e.limit]
    found = bias_bound(*ratio, treatment_ratios=at, outcome_ratios=at)
    assert found.estimate_vanishes[0] == pytest.approx(e.estimate)
    assert found.limit_reaches_null[1] == pytest.approx(e.limit)
    assert found.estimate[0, 0] == pytest.approx(1)
    nearer = found.lower if ratio[0] > 1 else found.upper
    assert nearer[1, 1] == pytest.approx(1)
    # A confounder as strong as the limit's E-value is too weak for the estimate.
    assert np.isnan(found.estimate_vanishes[1]) or found.estimate_vanishes[1] > e.estimate


def test_bounds_move_towards_no_effect():
    for ratio in (0.5, 2.0):
        found = bias_bound(ratio, treatment_ratios=[1, 2], outcome_ratios=[1, 2, 4])
        assert found.estimate.shape == (3, 2)
        moved = np.log(found.estimate) / math.log(ratio)
        assert (moved <= 1 + 1e-12).all()
        assert (np.diff(moved[:, 1]) < 0).all()
        np.testing.assert_allclose(moved[0], 1)


def test_no_confounder_is_needed_where_the_interval_holds_no_effect():
    found = bias_bound(0.8, 0.5, 1.2, treatment_ratios=[1, 3], outcome_ratios=[1])
    assert found.limit_reaches_null.tolist() == [1, 1]
    also = bias_by_prevalence(
        0.8,
        0.5,
        1.2,
        prevalence_control=0.5,
        prevalence_differences=[-0.2, 0],
        outcome_ratios=[1],
    )
    assert also.limit_reaches_null.tolist() == [1, 1]


def test_hazard_ratios_are_converted():
    found = bias_bound(
        0.5, 0.3, 0.8, treatment_ratios=[1], outcome_ratios=[1], measure="hazard_ratio_common"
    )
    assert found.observed.measure == "hazard_ratio_common"
    assert found.estimate[0, 0] == pytest.approx(hazard_to_risk_ratio(0.5))
    assert found.upper[0, 0] == pytest.approx(hazard_to_risk_ratio(0.8))


def test_rounding_does_not_leave_the_range_of_prevalences():
    found = bias_by_prevalence(
        0.5, prevalence_control=0.3, prevalence_differences=[0.7, -0.3], outcome_ratios=[2]
    )
    np.testing.assert_allclose(found.bias_factor, [[2 / 1.3, 1 / 1.3]])


def test_as_plain_data():
    found = bias_bound(2.0, treatment_ratios=[1.0, 4.0], outcome_ratios=[3.0])
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["estimate_vanishes"] == [None, 3.0]
    assert plain["bias_factor"] == [[1.0, 2.0]]
    assert plain["estimate"] == [[2.0, 1.0]]
    assert plain["lower"] is None
    assert plain["measure"] == "risk_ratio"


def test_impossible_input():
    with pytest.raises(OutcomesError, match=r"treatment_ratio: found 0\.5; allowed: at least 1"):
        bounding_factor(0.5, 2)
    with pytest.raises(OutcomesError, match="outcome_ratio: found inf"):
        bounding_factor(2, math.inf)
    with pytest.raises(OutcomesError, match="outcome_ratio: found 0"):
        bias_factor(0.5, 0.5, 0)
    with pytest.raises(OutcomesError, match=r"prevalence_control: found 1\.5"):
        bias_factor(0.5, 1.5, 2)
    with pytest.raises(OutcomesError, match=r"prevalence_treated: found 1\.2"):
        bias_by_prevalence(
            0.5, prevalence_control=0.6, prevalence_differences=[0.6], outcome_ratios=[2]
        )
    with pytest.raises(NotEstimableError, match="no event"):
        bias_bound(0.0, treatment_ratios=[2], outcome_ratios=[2])
