"""Against R: survfit, survdiff and coxph, by arm and beside covariates."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from outcomes.comparison import Options, compare

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "comparison.json").read_text(encoding="utf-8")
)
EXACT = REFERENCE["tolerance"]["curves"]
COX = REFERENCE["tolerance"]["cox"]


def run(endpoint, covariates):
    expected = REFERENCE[endpoint.replace("-", "_")]
    cohort = pd.DataFrame(expected["data"])
    cohort["sbrt_start_months"] = np.where(cohort["sbrt"], 0.0, np.nan)
    found = compare(
        cohort,
        endpoint=endpoint,
        horizons=expected["horizons"],
        covariates=covariates,
        options=Options(methods=()),
    )
    rungs = {(one.method, one.estimand, one.horizon_months): one for one in found.rungs}
    return expected, rungs


@pytest.fixture(scope="module")
def survival():
    return run("overall-survival", ("age", "ph_karno"))


@pytest.fixture(scope="module")
def control():
    return run("local-control", ("age", "mspike"))


def assert_difference(rung, treated, control):
    """Compare a rung with the difference of two independent (value, standard error)."""
    value, error = treated[0] - control[0], math.hypot(treated[1], control[1])
    assert rung.value == pytest.approx(value, rel=EXACT)
    assert rung.lower == pytest.approx(value - 1.959963984540054 * error, rel=EXACT)
    assert rung.upper == pytest.approx(value + 1.959963984540054 * error, rel=EXACT)
    assert rung.p == pytest.approx(math.erfc(abs(value / error) / math.sqrt(2)), rel=1e-8)


def with_limits(risk, error):
    """Return R's 1 - survival with limits at log(-log), as `conf.type = "log-log"` has them."""
    alive = 1 - risk
    stretch = 1.959963984540054 * error / (alive * -math.log(alive))
    lower, upper = (1 - alive ** math.exp(sign * stretch) for sign in (-1, 1))
    return {"risk": risk, "se": error, "lower": lower, "upper": upper}


def assert_difference_of_risks(rung, treated, control):
    """Compare a rung with the difference of two independent risks and their limits (R's)."""
    value = treated["risk"] - control["risk"]
    lower = math.hypot(treated["risk"] - treated["lower"], control["upper"] - control["risk"])
    upper = math.hypot(treated["upper"] - treated["risk"], control["risk"] - control["lower"])
    assert rung.value == pytest.approx(value, rel=EXACT)
    assert rung.lower == pytest.approx(value - lower, rel=EXACT)
    assert rung.upper == pytest.approx(value + upper, rel=EXACT)
    assert (rung.p < 0.05) == (rung.lower > 0 or rung.upper < 0)


def assert_hazard_ratio(rung, expected):
    """Compare a rung with a coefficient, standard error and p value of coxph."""
    width = 1.959963984540054 * expected["se"]
    assert math.log(rung.value) == pytest.approx(expected["log_hr"], rel=COX)
    assert math.log(rung.lower) == pytest.approx(expected["log_hr"] - width, rel=COX)
    assert math.log(rung.upper) == pytest.approx(expected["log_hr"] + width, rel=COX)
    assert rung.p == pytest.approx(expected["p"], rel=10 * COX)


@pytest.mark.parametrize("which", ["survival", "control"])
@pytest.mark.parametrize("position", [0, 1])
def test_risks(which, position, request):
    expected, rungs = request.getfixturevalue(which)
    horizon = expected["horizons"][position]
    pairs = []
    for arm in ("treated", "control"):
        of_arm = {part: values[position] for part, values in expected[arm].items()}
        rung = rungs["crude", f"risk_{arm}", horizon]
        assert rung.value == pytest.approx(of_arm["risk"], rel=EXACT)
        assert rung.lower == pytest.approx(of_arm["lower"], rel=EXACT)
        assert rung.upper == pytest.approx(of_arm["upper"], rel=EXACT)
        pairs.append(of_arm)
    assert_difference_of_risks(rungs["crude", "risk_difference", horizon], *pairs)
    ratio = rungs["crude", "risk_ratio", horizon]
    error = math.hypot(*(one["se"] / one["risk"] for one in pairs))
    assert ratio.value == pytest.approx(pairs[0]["risk"] / pairs[1]["risk"], rel=EXACT)
    assert ratio.upper / ratio.value == pytest.approx(math.exp(1.959963984540054 * error))


@pytest.mark.parametrize("position", [0, 1])
def test_restricted_means(survival, position):
    expected, rungs = survival
    pairs = [
        (expected[arm]["restricted_mean"][position], expected[arm]["restricted_mean_se"][position])
        for arm in ("treated", "control")
    ]
    horizon = expected["horizons"][position]
    assert_difference(rungs["crude", "restricted_mean_difference", horizon], *pairs)


@pytest.mark.parametrize("position", [0, 1])
def test_inflated_risks(control, position):
    expected, rungs = control
    horizon = expected["horizons"][position]
    pairs = [
        with_limits(expected[arm]["naive_risk"][position], expected[arm]["naive_se"][position])
        for arm in ("treated", "control")
    ]
    assert_difference_of_risks(rungs["1 - Kaplan-Meier", "risk_difference", horizon], *pairs)
    for arm in ("treated", "control"):
        naive = rungs["1 - Kaplan-Meier", f"risk_{arm}", horizon].value
        assert naive > rungs["crude", f"risk_{arm}", horizon].value


def test_log_rank(survival):
    expected, rungs = survival
    assert rungs["crude", "log_rank", None].value == pytest.approx(expected["log_rank"], rel=EXACT)
    assert rungs["stratified", "log_rank", None].value == pytest.approx(
        expected["log_rank_stratified"], rel=EXACT
    )


@pytest.mark.parametrize("which", ["survival", "control"])
@pytest.mark.parametrize("method", ["cox-unadjusted", "cox-adjusted"])
def test_hazard_ratios(which, method, request):
    expected, rungs = request.getfixturevalue(which)
    assert_hazard_ratio(rungs[method, "hazard_ratio", None], expected[method.replace("-", "_")])


def test_landmark(survival):
    expected, rungs = survival
    at = expected["landmark"]
    for position, horizon in enumerate(expected["horizons"]):
        pairs = [
            with_limits(at[arm]["risk"][position], at[arm]["se"][position])
            for arm in ("treated", "control")
        ]
        assert_difference_of_risks(rungs["landmark", "risk_difference", horizon], *pairs)
    assert_hazard_ratio(rungs["landmark", "hazard_ratio", None], at["cox_adjusted"])


def test_every_value_is_finite_or_none(survival, control):
    for _, rungs in (survival, control):
        for rung in rungs.values():
            for part in (rung.value, rung.lower, rung.upper, rung.p):
                assert part is None or np.isfinite(part)
