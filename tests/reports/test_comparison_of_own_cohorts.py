"""The comparison's page of a cohort of one's own: no truth, odd arms, missing values."""

import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest

from outcomes.comparison import Below, Choices, Options, compare
from outcomes.reports import page_data, render_page, summarise_page
from outcomes.reports.charts import CurveChart, LadderChart
from outcomes.reports.content import Bullets, Figure, Paragraph

QUICK = Options(methods=("g-formula-cox", "doubly-robust", "clone-censor-weight"))
COX = Options(methods=("g-formula-cox",))


def own(cohort, results, **more):
    """Return the page of a cohort without a truth."""
    comparisons = {"overall-survival": compare(cohort, endpoint="overall-survival", **more)}
    return dataclasses.replace(
        results,
        cohort=cohort,
        synthetic=False,
        evidence=None,
        calibration=None,
        comparison_cohort=None,
        comparison_note="",
        comparisons=comparisons,
    )


def figures(page, kind):
    blocks = (block for section in page.sections for block in section.blocks)
    return [one for one in blocks if isinstance(one, Figure) and isinstance(one.chart, kind)]


@pytest.fixture(scope="module")
def compared(results):
    return pd.DataFrame(results.comparison_cohort).drop(columns="study")


def test_without_a_truth_the_page_says_so(results, compared):
    shown = own(compared, results, options=QUICK)
    page = summarise_page("comparison", shown)
    assert page.sections[0].finding.endswith("The true effect is not known.")
    assert "truth" not in page.sections[0].blocks[0].items[0]
    ladder = figures(page, LadderChart)[0]
    assert ladder.chart.truth is None
    assert ladder.chart.text_titles == ("per 100 (95% CI)",)
    assert "the truth is not known" in ladder.caption
    assert [row.style for row in ladder.chart.rows].count("misleading") == 2
    assert "simulation" not in json.dumps(dataclasses.asdict(page), ensure_ascii=False)


@pytest.mark.parametrize(
    ("change", "more", "reason"),
    [
        (
            lambda c: c.assign(death=c["death"].where(~c["sbrt"], 0)),
            {},
            "the arm 'Surgery + SBRT' has no event",
        ),
        (lambda c: c.assign(death=0), {}, "nobody has had the event"),
        (
            lambda c: c.assign(kps=c["sbrt"].map({True: 90, False: 50})),
            {"covariates": ("kps",)},
            "the covariates determine the treatment",
        ),
        (lambda c: c, {"horizons": (500.0,)}, "before month 500"),
        (
            lambda c: c.drop(columns="sbrt_start_months"),
            {},
            "when treatment began is unknown",
        ),
        (
            lambda c: c.assign(sbrt_start_months=c["sbrt_start_months"] + 3),
            {"options": dataclasses.replace(QUICK, choices=Choices(landmark=1.4))},
            "nobody was treated",
        ),
    ],
)
def test_what_cannot_be_had_says_why_and_the_rest_stands(results, compared, change, more, reason):
    shown = own(change(compared.head(300)), results, **{"options": QUICK} | more)
    page = summarise_page("comparison", shown)
    names = [one.id for one in page.sections]
    for name in ("of-100-patients", "target-trials", "immortal-time", "all-numbers", "reading"):
        assert name in names
    said = [
        text
        for one in page.sections
        for block in one.blocks
        if isinstance(block, Bullets | Paragraph)
        for text in (block.items if isinstance(block, Bullets) else (block.text,))
        if "ot estimable because" in text
    ]
    assert any(reason in text for text in said), said
    assert not re.search(r"\bnan\b", render_page("comparison", shown).lower().split("<script")[0])
    json.dumps(page_data("comparison", shown), allow_nan=False)


@pytest.mark.parametrize("treated", [True, False])
def test_an_empty_arm_is_said_on_a_page_of_its_own(results, compared, treated):
    given = compared[compared["sbrt"] == treated]
    shown = own(given, results, options=QUICK)
    control = compare(given, endpoint="local-control", options=QUICK)
    shown = dataclasses.replace(shown, comparisons={**shown.comparisons, "local-control": control})
    page = summarise_page("comparison", shown)
    missing = "surgery alone" if treated else "surgery with SBRT"
    for sentence in page.sections[0].blocks[0].items:
        assert sentence.endswith(
            f"no patient was observed after {missing}: nothing can be compared."
        )
    # The arm that is there keeps its curve.
    for figure in figures(page, CurveChart):
        assert len(figure.chart.lines) == 1
    assert "not estimable because the arm" in render_page("comparison", shown)


def test_several_lesions_are_not_counted_as_patients(results, compared):
    few = compared.head(200)
    lesions = pd.concat([few.assign(lesion=1), few.head(50).assign(lesion=2)])
    shown = own(lesions, results, options=QUICK)
    control = compare(lesions, endpoint="local-control", options=QUICK)
    shown = dataclasses.replace(shown, comparisons={**shown.comparisons, "local-control": control})
    page = summarise_page("comparison", shown)
    assert page.notice.startswith("200 patients with 250 lesions.")
    survival, progression = page.sections[0].blocks[0].items
    assert "of 100 patients" in survival
    assert "of 100 lesions" in progression
    charts = {figure.id: figure for figure in figures(page, CurveChart)}
    assert charts["curves-overall-survival"].chart.risk_title == "Patients at risk"
    assert charts["curves-local-control"].chart.risk_title == "Lesions at risk"
    assert charts["curves-local-control"].legend[0].label.endswith(" lesions)")


def test_few_patients_lead_with_no_difference(results, compared):
    shown = own(compared.head(20), results, options=QUICK)
    page = summarise_page("comparison", shown)
    (item,) = page.sections[0].blocks[0].items
    assert item.startswith(
        "Survival: too few patients for a difference to lead: at 12 months only "
    )
    assert "95% CI" not in item


def test_groups_of_a_threshold_carry_its_unit(results, compared):
    options = Options(methods=("g-formula-cox",))
    shown = own(compared, results, treatment="separation_mm", split_by=Below(3.0), options=options)
    page = summarise_page("comparison", shown)
    assert page.title == "“Separation below 3 mm” against “Separation 3 mm or more”"
    assert (
        "in the group “Separation below 3 mm” than in the group"
        in (page.sections[0].blocks[0].items[0])
    )


def test_what_rests_on_the_model_alone_is_said(results, compared):
    scores = np.where(compared["sbrt"], 90, np.where(np.arange(len(compared)) % 2, 50, 40))
    separated = compared.assign(kps=scores).head(300)
    options = Options(methods=("g-formula-cox",))
    shown = own(separated, results, covariates=("kps", "age"), options=options)
    lead = summarise_page("comparison", shown).sections[0].blocks[0].items[0]
    assert "for them this rests on the model alone" in lead


def test_the_first_screen_says_on_whom_like_with_like_rests(results, compared):
    whole = summarise_page("comparison", own(compared, results, options=COX)).sections[0]
    assert "rests on" not in whole.finding
    treated = compared.index[compared["sbrt"]]
    partial = compared.assign(kps=compared["kps"].astype(float))
    partial.loc[treated[9:], "kps"] = float("nan")
    first = summarise_page("comparison", own(partial, results, options=COX)).sections[0]
    n_control = int((~compared["sbrt"]).sum())
    assert (
        f"Like with like rests on the {n_control} and 9 of them whose characteristics are all known"
    ) in first.finding
    (verdict,) = first.blocks[0].items
    assert "Of those it rests on only" in verdict


def test_where_nobody_has_died_there_is_no_interval(results, compared):
    calm = compared.assign(death=0)
    html = render_page("comparison", own(calm, results, options=COX))
    assert "100 to 100" not in html
    assert "100.0 to 100.0" not in html
