import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.causal.e_value import e_value, risk_difference_e_value, risk_ratio_e_value
from outcomes.causal.ratio_scale import hazard_to_risk_ratio, to_risk_ratio
from outcomes.errors import NotEstimableError, OutcomesError

ratios = st.floats(0.02, 50)

# Hammond & Horn 1958: of 78,954 smokers 397 had lung cancer, of 108,829 non-smokers 51.
SMOKERS, OTHERS = (397, 78_557), (51, 108_778)


def independent(treated, control):
    """Return risks, covariance and sizes of two arms of (events, others)."""
    sizes = sum(treated), sum(control)
    risks = treated[0] / sizes[0], control[0] / sizes[1]
    variances = [p * (1 - p) / n for p, n in zip(risks, sizes, strict=True)]
    return *risks, np.diag(variances), sizes


def hammond(treated, control):
    *risks, covariance, sizes = independent(treated, control)
    return risk_difference_e_value(*risks, covariance, arm_sizes=sizes)


def test_examples_of_the_paper():
    # VanderWeele & Ding 2017: breastfeeding and respiratory death; and leukaemia.
    respiratory = e_value(3.9, 1.8, 8.7)
    assert respiratory.estimate == pytest.approx(7.26, abs=0.005)
    assert respiratory.limit == pytest.approx(3.0)
    leukaemia = e_value(0.80, 0.71, 0.91)
    assert leukaemia.estimate == pytest.approx(1.81, abs=0.005)
    assert leukaemia.limit == pytest.approx(1.43, abs=0.005)
    assert leukaemia.risk_ratio_limit == 0.91


def test_smoking_and_lung_cancer():
    # As printed by the EValue package of R, whose authors wrote the paper.
    found = e_value(10.73, 8.02, 14.36)
    assert found.estimate == pytest.approx(20.94777, abs=5e-6)
    assert found.limit == pytest.approx(15.52336, abs=5e-6)


def test_risk_difference_of_smoking():
    # 15.95703 is the EValue package's, whose search of the limit has steps of 1e-4.
    found = hammond(SMOKERS, OTHERS)
    ratio = (397 / 78_954) / (51 / 108_829)
    assert found.estimate == pytest.approx(risk_ratio_e_value(ratio))
    assert found.limit == pytest.approx(15.95703, abs=3e-4)
    assert found.risk_ratio == pytest.approx(ratio)


def test_risk_difference_with_many_events():
    # The EValue package prints 2.25 and 1.72.
    found = hammond((92, 53), (140, 179))
    assert round(found.estimate, 2) == 2.25
    assert round(found.limit, 2) == 1.72


def test_a_risk_difference_that_is_not_significant_needs_no_confounder():
    found = hammond((55, 108_778), OTHERS)
    assert found.limit == 1
    assert found.risk_ratio_limit == 1
    assert found.estimate > 1


def test_share_treated_known_is_fiellers_limit():
    # Without the uncertainty of the share, the limit of p1 / p0 solves a quadratic (Fieller).
    p1, p0, covariance, _ = independent((60, 40), (30, 70))
    covariance[0, 1] = covariance[1, 0] = 0.0004
    z2 = 1.959963984540054**2
    a = p0**2 - z2 * covariance[1, 1]
    b = p1 * p0 - z2 * covariance[0, 1]
    c = p1**2 - z2 * covariance[0, 0]
    by_hand = (b - math.sqrt(b * b - a * c)) / a
    found = risk_difference_e_value(p1, p0, covariance)
    assert found.risk_ratio_limit == pytest.approx(by_hand, rel=1e-9)


def test_swapping_the_arms_of_a_risk_difference_inverts_the_ratio():
    one, other = hammond((60, 40), (30, 170)), hammond((30, 170), (60, 40))
    assert one.estimate == other.estimate
    assert one.limit == pytest.approx(other.limit, rel=1e-9)
    assert one.risk_ratio == pytest.approx(1 / other.risk_ratio)
    assert other.risk_ratio < other.risk_ratio_limit < 1


def test_risk_differences_without_uncertainty():
    assert risk_difference_e_value(0.2, 0.4).limit is None
    assert risk_difference_e_value(0.2, 0.2).limit is None
    certain = risk_difference_e_value(0.2, 0.4, np.zeros((2, 2)))
    assert certain.limit == certain.estimate == pytest.approx(2 + math.sqrt(2))
    equal = risk_difference_e_value(0.3, 0.3, np.eye(2))
    assert (equal.estimate, equal.limit) == (1, 1)


def test_hazard_ratios():
    # 0.56 (0.46 to 0.69) by hand: (1 - 2^-0.748331) / (1 - 2^-1.336306) = 0.404708 / 0.603967.
    common = e_value(0.56, 0.46, 0.69, measure="hazard_ratio_common")
    assert common.risk_ratio == pytest.approx(0.404708 / 0.603967, abs=2e-6)
    assert common.risk_ratio_limit == pytest.approx(hazard_to_risk_ratio(0.69))
    assert common.estimate == risk_ratio_e_value(common.risk_ratio)
    rare = e_value(0.56, 0.46, 0.69, measure="hazard_ratio_rare")
    assert rare.estimate == e_value(0.56).estimate
    assert common.estimate < rare.estimate
    assert hazard_to_risk_ratio(4) == pytest.approx(0.75 / (1 - math.sqrt(0.5)))


def test_as_plain_data():
    assert e_value(2.0).to_dict() == {
        "estimate": 2 + math.sqrt(2),
        "limit": None,
        "risk_ratio": 2.0,
        "risk_ratio_limit": None,
        "measure": "risk_ratio",
    }


@given(ratios)
def test_the_e_value_is_what_the_bounding_factor_inverts(ratio):
    e = risk_ratio_e_value(ratio)
    assert e >= 1
    assert e * e / (2 * e - 1) == pytest.approx(max(ratio, 1 / ratio))
    assert risk_ratio_e_value(1 / ratio) == pytest.approx(e)


@given(ratios)
def test_the_conversion_is_symmetric_and_shrinks(ratio):
    converted = hazard_to_risk_ratio(ratio)
    assert converted * hazard_to_risk_ratio(1 / ratio) == pytest.approx(1)
    assert abs(math.log(converted)) <= abs(math.log(ratio)) + 1e-12


@given(ratios, st.floats(0, 3), st.floats(0, 3))
def test_the_limit_needs_no_more_confounding_than_the_estimate(ratio, below, above):
    found = e_value(ratio, ratio * math.exp(-below), ratio * math.exp(above))
    assert 1 <= found.limit <= found.estimate * (1 + 1e-12)
    holds_one = ratio * math.exp(-below) <= 1 <= ratio * math.exp(above)
    assert (found.limit == 1) or not holds_one


@given(ratios)
def test_the_conversion_is_exact_for_risks_about_a_half(ratio):
    hazards = math.log(2) * math.sqrt(ratio), math.log(2) / math.sqrt(ratio)
    risks = [1 - math.exp(-hazard) for hazard in hazards]
    assert hazard_to_risk_ratio(ratio) == pytest.approx(risks[0] / risks[1])


def test_unbounded_intervals():
    assert e_value(3.0, 2.0, math.inf).limit == e_value(2.0).estimate
    assert e_value(0.3, 0.0, 0.5, measure="hazard_ratio_common").risk_ratio_limit < 1
    assert to_risk_ratio(2, 0, math.inf, measure="hazard_ratio_common").nearer_limit == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1.0,), "ratio: found -1"),
        ((math.nan,), "ratio: found nan"),
        ((2.0, 1.0), "one without the other"),
        ((2.0, 3.0, 1.0), "the lower one first"),
        ((2.0, -1.0, 3.0), "at least 0"),
        ((2.0, math.nan, 3.0), "limits: found nan"),
    ],
)
def test_impossible_ratios(arguments, message):
    with pytest.raises(OutcomesError, match=message):
        e_value(*arguments)


def test_ratios_of_an_arm_without_events():
    for ratio in (0.0, math.inf):
        with pytest.raises(NotEstimableError, match="no event"):
            e_value(ratio)
    with pytest.raises(NotEstimableError, match="risk of an arm is 0"):
        risk_difference_e_value(0.0, 0.3)


def test_unknown_measures_and_impossible_numbers():
    with pytest.raises(OutcomesError, match="measure: found 'odds_ratio'"):
        e_value(2.0, measure="odds_ratio")
    with pytest.raises(OutcomesError, match="hazard ratio: found -1"):
        hazard_to_risk_ratio(-1)
    with pytest.raises(OutcomesError, match="risk ratio: found 0"):
        risk_ratio_e_value(0)


@pytest.mark.parametrize(
    ("risks", "keywords", "error", "message"),
    [
        ((0.2, 1.1), {}, OutcomesError, "between 0 and 1"),
        ((0.2, math.nan), {}, OutcomesError, "between 0 and 1"),
        ((0.2, 0.3), {"covariance": np.ones(2)}, OutcomesError, "shape"),
        ((0.2, 0.3), {"covariance": [[1, 2], [2, 1]]}, OutcomesError, "no covariance"),
        ((0.2, 0.3), {"covariance": [[1, 0], [0.5, 1]]}, OutcomesError, "no covariance"),
        ((0.2, 0.3), {"covariance": np.full((2, 2), np.nan)}, NotEstimableError, "no standard"),
        ((0.2, 0.3), {"arm_sizes": (0, 5)}, OutcomesError, "at least 1 patient"),
        ((0.2, 0.3), {"covariance": np.eye(2), "level": 1.0}, OutcomesError, "confidence level"),
    ],
)
def test_impossible_risks(risks, keywords, error, message):
    with pytest.raises(error, match=message):
        risk_difference_e_value(*risks, **keywords)
