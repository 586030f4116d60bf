"""Risk by separation distance."""

import numpy as np
import pandas as pd
import pytest

from outcomes.comparison import dose_response
from outcomes.errors import CohortError, OutcomesError
from outcomes.synthetic import simulate


def respond():
    return dose_response(
        simulate("gong-2021", 700, seed=3),
        "separation_mm",
        endpoint="local-control",
        horizon=12.0,
        reference=3.0,
        covariates=["kps", "neurologic_deficit"],
        doses=[1.5, 3.0, 5.0],
        bootstraps=30,
        seed=1,
    )


@pytest.fixture(scope="module")
def response():
    return respond()


def test_the_risk_falls_with_the_distance_and_the_limits_hold_the_truth(response):
    # The truth: 30 % below 3 mm, 10 % from there on; a spline smooths the jump.
    assert response.lower[0] < 0.304 < response.upper[0]
    assert response.risk[0] > response.risk[1] > response.risk[2]
    assert response.difference_upper[2] < 0
    assert (response.lower < response.risk).all()
    assert (response.risk < response.upper).all()


def test_nothing_differs_from_itself(response):
    assert response.difference[1] == 0
    assert response.difference_lower[1] == response.difference_upper[1] == 0


def test_the_table_has_a_row_a_dose(response):
    table = response.to_frame()
    assert table["separation_mm"].tolist() == [1.5, 3.0, 5.0]
    assert table["risk"].to_numpy() == pytest.approx(response.risk)
    assert set(table["endpoint"]) == {"local-control"}


def test_same_seed_same_limits(response):
    assert np.array_equal(respond().lower, response.lower)


def test_the_bootstrap_draws_patients_with_all_their_lesions():
    cohort = pd.DataFrame(simulate("gong-2021", 150, seed=3))
    given = {"endpoint": "local-control", "horizon": 12.0, "reference": 3.0, "covariates": ["kps"],
             "doses": [1.5, 5.0], "bootstraps": 50, "seed": 2}  # fmt: skip
    once = dose_response(cohort, "separation_mm", **given)
    thrice = dose_response(pd.concat([cohort] * 3), "separation_mm", **given)
    apart = pd.concat([cohort.assign(patient_id=cohort["patient_id"] + f"-{k}") for k in range(3)])
    wrong = dose_response(apart, "separation_mm", **given)
    assert thrice.risk == pytest.approx(once.risk, abs=0.002)
    # Only Efron's ties see the copies.
    assert thrice.upper - thrice.lower == pytest.approx(once.upper - once.lower, rel=0.03)
    assert (wrong.upper - wrong.lower < 0.75 * (once.upper - once.lower)).all()


def test_survival_counts_a_patient_once():
    cohort = pd.DataFrame(simulate("gong-2021", 250, seed=3))
    given = {"endpoint": "overall-survival", "horizon": 12.0, "reference": 3.0,
             "covariates": ["kps"], "doses": [1.5, 5.0], "bootstraps": 10, "seed": 2}  # fmt: skip
    once = dose_response(cohort, "separation_mm", **given)
    twice = dose_response(pd.concat([cohort] * 2), "separation_mm", **given)
    assert np.array_equal(once.risk, twice.risk)
    assert np.array_equal(once.lower, twice.lower)


def test_an_infinite_dose_is_named():
    cohort = pd.DataFrame(simulate("gong-2021", 100, seed=3))
    cohort.loc[4, "separation_mm"] = np.inf
    with pytest.raises(CohortError, match=r"row 5, separation_mm: found 'inf'; allowed: a finite"):
        dose_response(cohort, "separation_mm", endpoint="local-control", horizon=12.0,
                      reference=3.0, covariates=["kps"])  # fmt: skip


def test_refusals():
    cohort = simulate("gong-2021", 100, seed=3)
    given = {"endpoint": "local-control", "horizon": 12.0, "reference": 3.0, "covariates": ["kps"]}
    with pytest.raises(CohortError, match="a column of numbers, for a dose"):
        dose_response(cohort, "tumor", **given)
    with pytest.raises(OutcomesError, match="bootstraps: found 1; allowed: at least 2"):
        dose_response(cohort, "separation_mm", **given, bootstraps=1)
