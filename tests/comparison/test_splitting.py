"""Dose regimen and separation distance as treatments, beside their truth."""

import numpy as np
import pandas as pd
import pytest

from outcomes.comparison import Below, Levels, Options, compare
from outcomes.errors import CohortError, OutcomesError
from outcomes.synthetic import shipped_calibration, simulate
from outcomes.synthetic.exposure_truth import exposure_truth

ADJUSTED = ("g-formula-cox", "iptw", "doubly-robust")
REGIMENS = ("hypofractionated_high", "hypofractionated_low")


def rungs_of(found):
    return {(one.method, one.estimand, one.horizon_months): one for one in found.rungs}


@pytest.mark.parametrize(
    ("study", "treatment", "split_by", "treated", "control"),
    [
        (
            "laufer-2013",
            "dose_regimen",
            Levels(*REGIMENS),
            {"dose_regimen": REGIMENS[0]},
            {"dose_regimen": REGIMENS[1]},
        ),
        ("gong-2021", "separation_mm", Below(3.0), {"separation_mm": 2.0}, {"separation_mm": 4.0}),
    ],
)
def test_the_effect_of_dose_and_of_distance_is_found(study, treatment, split_by, treated, control):
    calibration = shipped_calibration()
    cohort = simulate(study, 1500, seed=5, calibration=calibration)
    truth = exposure_truth(
        cohort, "local-control", (12.0,), calibration, treated=treated, control=control
    )
    found = compare(
        cohort,
        endpoint="local-control",
        treatment=treatment,
        horizons=(12.0,),
        truth=truth,
        split_by=split_by,
        options=Options(methods=(*ADJUSTED, "clone-censor-weight")),
    )
    rungs = rungs_of(found)
    for method in ADJUSTED:
        rung = rungs[method, "risk_difference", 12.0]
        error = (rung.upper - rung.lower) / 3.92
        assert rung.truth == truth["risk_difference@12"]
        assert abs(rung.value - rung.truth) < 3 * error, method
        lost = rungs[method, "restricted_mean_time_lost_difference", 12.0]
        assert abs(lost.value - lost.truth) < 3 * (lost.upper - lost.lower) / 3.92, method
    late = rungs["clone-censor-weight", "risk_difference", 12.0]
    assert late.value is None
    assert "when treatment began is unknown" in late.note


def test_patients_with_other_levels_are_left_out_and_said_so():
    cohort = simulate("laufer-2013", 300, seed=1)
    found = compare(
        cohort,
        endpoint="local-control",
        treatment="dose_regimen",
        horizons=(12.0,),
        split_by=Levels(*REGIMENS),
    )
    assert [arm.label for arm in found.arms] == ["Hypofractionated high", "Hypofractionated low"]
    others = int((cohort["dose_regimen"] == "single_24").sum())
    assert f"{others} patients with other values of dose_regimen are left out" in found.notes
    assert sum(arm.n for arm in found.arms) == len(cohort) - others


def test_a_threshold_splits_at_the_value():
    column = pd.Series([1.0, 2.9, 3.0, 8.0], name="separation_mm")
    below, labels = Below(3.0).read(column)
    assert below.tolist() == [True, True, False, False]
    assert labels == ("Separation (mm) below 3", "Separation (mm) 3 or more")


def test_refusals():
    column = pd.Series(["a", "b", "c"], name="dose")
    with pytest.raises(CohortError, match=r"no 'd'.*one of a, b, c"):
        Levels("a", "d").keeps(column)
    with pytest.raises(OutcomesError, match="twice"):
        Levels("a", "a")
    with pytest.raises(CohortError, match="numbers, for a threshold"):
        Below(3.0).keeps(column)
    with pytest.raises(CohortError, match="values on both sides"):
        Below(30.0).read(pd.Series([1.0, 2.0], name="separation_mm"))
    with pytest.raises(OutcomesError, match="a finite number"):
        Below(np.inf)
