"""The page of the comparison where little is known of its patients."""

import dataclasses

import pandas as pd
import pytest

from outcomes.comparison import Options, compare
from outcomes.reports import render_page, summarise_page

QUICK = Options(methods=("g-formula-cox",))


def page_of(results, cohort, **given):
    found = compare(cohort, endpoint="overall-survival", **{"options": QUICK, **given})
    return dataclasses.replace(
        results,
        cohort=cohort,
        synthetic=False,
        evidence=None,
        calibration=None,
        comparison_cohort=None,
        comparison_note="",
        comparisons={"overall-survival": found},
    )


@pytest.fixture(scope="module")
def compared(results):
    return pd.DataFrame(results.comparison_cohort).drop(columns="study")


def test_the_first_screen_says_on_whom_like_with_like_rests(results, compared):
    whole = summarise_page("comparison", page_of(results, compared)).sections[0]
    assert "rests on" not in whole.finding
    treated = compared.index[compared["sbrt"]]
    partial = compared.assign(kps=compared["kps"].astype(float))
    partial.loc[treated[9:], "kps"] = float("nan")
    first = summarise_page("comparison", page_of(results, partial)).sections[0]
    n_control = int((~compared["sbrt"]).sum())
    assert (
        f"Like with like rests on the {n_control} and 9 of them whose characteristics are all known"
    ) in first.finding
    (verdict,) = first.blocks[0].items
    assert "Of those it rests on only" in verdict


def test_where_nobody_has_died_there_is_no_interval(results, compared):
    calm = compared.assign(death=0)
    html = render_page("comparison", page_of(results, calm))
    assert "100 to 100" not in html
    assert "100.0 to 100.0" not in html
