"""Choices of the comparison on the command line: splits, bootstrap, weeks, dose-response."""

import json

import pytest


@pytest.fixture(scope="module")
def distances(outcomes, tmp_path_factory):
    path = tmp_path_factory.mktemp("distance") / "gong.parquet"
    done = outcomes("simulate", "--study", "gong-2021", "--n", 300, "--seed", 1, "--out", path)
    assert done.status == 0, done.stderr
    return path


def rungs_of(out):
    return {
        (one["method"], one["estimand"], one["horizon_months"]): one
        for one in json.loads((out / "comparison.json").read_text())
    }


@pytest.mark.long
def test_distance_as_a_treatment_and_as_a_dose(outcomes, folder, distances):
    out = folder / "distance"
    done = outcomes(
        *("compare", distances, "--treatment", "separation_mm", "--threshold", 3),
        *("--endpoint", "local-control", "--horizon", 12, "--covariates", "kps"),
        *("--dose-response", "--bootstraps", 50, "--out", out),
    )
    assert done.status == 0, done.stderr
    rung = rungs_of(out)["doubly-robust", "risk_difference", 12.0]
    assert 0 < rung["lower"] < rung["upper"]
    forest = rungs_of(out)["g-formula-forest", "risk_difference", 12.0]
    assert forest["lower"] < forest["value"] < forest["upper"]
    rows = json.loads((out / "dose-response.json").read_text())
    assert (out / "dose-response.csv").read_text().startswith("endpoint,horizon_months,separation")
    assert [row["difference"] for row in rows if row["separation_mm"] == 3] == [0.0]


def test_two_levels_of_a_treatment_of_three(outcomes, folder, cohort):
    out = folder / "regimens"
    done = outcomes(
        *("compare", cohort, "--treatment", "dose_regimen", "--endpoint", "overall-survival"),
        *("--levels", "single_24,hypofractionated_low", "--horizon", 12, "--out", out),
    )
    assert done.status == 0, done.stderr
    assert "patients with other values of dose_regimen are left out" in done.stderr


def test_weeks_and_truncation_reach_the_methods(outcomes, folder, few):
    plain, other = folder / "plain", folder / "other"
    given = ("compare", few, "--endpoint", "overall-survival", "--horizon", 12, "--out")
    assert outcomes(*given, plain).status == 0
    chosen = ("--truncate-weights", 0.1, "--landmark-weeks", 8, "--grace-weeks", "2,5")
    assert outcomes(*given, other, *chosen).status == 0
    before, after = rungs_of(plain), rungs_of(other)
    for method in ("iptw", "landmark-adjusted", "clone-censor-weight"):
        key = (method, "risk_difference", 12.0)
        assert before[key]["value"] != after[key]["value"], method
    key = ("g-formula-cox", "risk_difference", 12.0)
    assert before[key]["value"] == after[key]["value"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--levels", "a"), "two values, treated,control"),
        (("--levels", "a,b", "--threshold", "3"), "allowed: one of them"),
        (("--bootstraps", "7"), "allowed: 0, or at least 50"),
        (("--truncate-weights", "0.6"), "allowed: above 0, below 0.5"),
        *(
            (("--grace-weeks", weeks), "two increasing weeks from 0 on such as 2,6")
            for weeks in ("2", "6,2", "2,2", "2,4,6", "a,b", "2,inf", "-1,6")
        ),
        (("--threshold", "nan"), "found nan; allowed: a finite number"),
        (("--dose-response",), "needs --threshold"),
    ],
)
def test_choices_that_cannot_be(outcomes, folder, cohort, options, message):
    out = folder / "never"
    outcomes("compare", cohort, "--out", out, *options).refused(2, message)
    assert not out.exists()


def test_levels_nobody_has(outcomes, folder, cohort):
    out = folder / "nobody"
    done = outcomes(
        *("compare", cohort, "--treatment", "dose_regimen", "--levels", "x,single_24"),
        *("--out", out),
    )
    done.refused(3, "no 'x'")
    assert not out.exists()
