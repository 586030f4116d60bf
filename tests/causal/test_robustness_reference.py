"""Against R: exact Poisson limits, weighted variances and standardised differences."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from outcomes.causal.balance import balance
from outcomes.causal.immortal_time import poisson_rate, rate_ratio
from outcomes.causal.overlap import overlap

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "robustness.json").read_text(encoding="utf-8")
)
TOLERANCE = REFERENCE["tolerance"]


def same(found, expected):
    """Compare numbers; what R calls infinite does not exist here."""
    expected = [np.nan if one is None else one for one in expected]
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE)


@pytest.mark.parametrize("case", REFERENCE["rates"])
def test_rates(case):
    one, other = map(poisson_rate, case["events"], case["person_months"])
    rate, ratio = one.per_100_person_months, rate_ratio(one, other)
    same([rate.value, rate.lower, rate.upper], [case["rate"], *case["rate_limits"]])
    same([ratio.value, ratio.lower, ratio.upper], [case["ratio"], *case["ratio_limits"]])


def test_balance():
    data = REFERENCE["data"]
    found = balance(pd.DataFrame(data["columns"]), data["treated"], data["weights"])
    frame = found.to_frame().set_index("column")
    expected = pd.DataFrame(REFERENCE["balance"]).T.astype(float)
    pd.testing.assert_frame_equal(
        frame.loc[expected.index, expected.columns].astype(float),
        expected,
        rtol=TOLERANCE,
        atol=1e-12,
        check_names=False,
    )
    assert expected.loc["ambulatory"].notna().tolist() == [True, True, False, False]
    assert found.weighted_largest < found.largest


def test_quantiles_of_the_propensity():
    data = REFERENCE["data"]
    quarters = [0, 0.25, 0.5, 0.75, 1]
    found = overlap(data["propensity"], data["treated"], probabilities=quarters)
    same(found.treated.quantiles, REFERENCE["quantiles"]["treated"])
    same(found.control.quantiles, REFERENCE["quantiles"]["control"])
