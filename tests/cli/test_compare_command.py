"""The comparison of two arms on the command line."""

import json

import pandas as pd
import pytest


def test_compare_writes_a_page_and_the_numbers(outcomes, folder, few):
    out = folder / "comparison"
    done = outcomes("compare", few, "--out", out)
    assert done.status == 0, done.stderr
    assert {path.name for path in out.iterdir()} == {
        ".separation-outcomes",
        "balance.csv",
        "comparison.csv",
        "comparison.html",
        "comparison.json",
        "e-values.csv",
        "immortal-time.csv",
        "page.json",
        "propensity.csv",
        "robustness.json",
        "target-trials.csv",
        "target-trials.json",
    }
    rungs = json.loads((out / "comparison.json").read_text())
    keys = {"method", "estimand", "endpoint", "horizon_months", "value", "lower", "upper", "p"}
    assert all(keys <= set(rung) for rung in rungs)
    forest = [
        rung
        for rung in rungs
        if (rung["method"], rung["estimand"]) == ("g-formula-forest", "risk_difference")
    ]
    assert forest
    assert all(rung["lower"] < rung["value"] < rung["upper"] for rung in forest)
    given = ("compare", few, "--endpoint", "overall-survival", "--horizon", 12, "--out", out)
    outcomes(*given).refused(3, "already there", "--force")
    assert outcomes(*given, "--force").status == 0
    assert {rung["endpoint"] for rung in json.loads((out / "comparison.json").read_text())} == {
        "overall-survival"
    }
    (out / "thesis.docx").write_text("years of work")
    outcomes(*given, "--force").refused(3, "thesis.docx")
    assert (out / "thesis.docx").read_text() == "years of work"


def test_compare_says_what_it_cannot_split(outcomes, folder, cohort):
    never = folder / "never"
    done = outcomes("compare", cohort, "--treatment", "kps", "--out", never)
    done.refused(3, "liu.csv: 1 violation", "column kps", "two values")
    outcomes("compare", cohort, "--treatment", "death", "--out", never).refused(3, "an outcome")
    assert not never.exists()


@pytest.mark.parametrize(
    "case", ["censored", "one a arm", "one arm", "one patient", "beyond follow-up"]
)
def test_compare_gives_a_page_of_whatever_can_be_said(outcomes, case, folder, cohort):
    table = pd.read_csv(cohort, dtype={"escc_grade": str}, keep_default_na=False)
    if case == "censored":
        table = table.head(60).assign(death=0, lp_event=0)
        for event in ("hardware_event", "fracture_event"):
            table[event] = table[event].replace(2, 0)
    elif case == "one a arm":
        table = table.groupby("sbrt").head(1)
    elif case == "one arm":
        table = table[table["sbrt"]]
    elif case == "one patient":
        table = table.head(1)
    else:
        table = table.head(200)
    given, out = folder / f"{case}.csv", folder / f"page {case}"
    table.to_csv(given, index=False)
    horizon = "24,12,12,500" if case == "beyond follow-up" else "12"
    done = outcomes("compare", given, "--horizon", horizon, "--out", out)
    assert done.status == 0, done.stderr
    assert (out / "comparison.html").stat().st_size > 10_000
    rungs = json.loads((out / "comparison.json").read_text())
    wanted = ("crude", "risk_treated", "overall-survival")
    months = [
        rung["horizon_months"]
        for rung in rungs
        if (rung["method"], rung["estimand"], rung["endpoint"]) == wanted
    ]
    assert months == sorted(set(map(float, horizon.split(","))))
