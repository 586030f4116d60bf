"""What the pages say about the limits of their numbers."""

import dataclasses
import html
import re

import pandas as pd
import pytest

from outcomes.reports import NAMES, render_page, summarise_page, write_report
from outcomes.reports.content import Calculator, Paragraph
from outcomes.reports.names import plain_terms, readable_text, term_name
from outcomes.reports.summary_arms import (
    arm_label,
    few_left,
    firm_horizons,
    headline,
    still_observed,
)
from outcomes.reports.summary_calculator import (
    HARDLY_ANY,
    NO_EVENT,
    interval_words,
    shown_course,
)
from outcomes.reports.summary_parameters import solved_together
from outcomes.reports.summary_support import (
    Support,
    extrapolations,
    sbrt_support,
    support_sentence,
)
from outcomes.reports.summary_tensions import contradictions, explanations, findings
from outcomes.reports.wording import INTERVAL_MEANING


def _thin(comparison, horizons):
    words = "few left under observation: 3 treated and 12 control patients"
    rungs = tuple(
        dataclasses.replace(rung, note=words) if rung.horizon_months in horizons else rung
        for rung in comparison.rungs
    )
    return dataclasses.replace(comparison, rungs=rungs)


def test_models_page_says_what_the_effect_of_sbrt_rests_on(results):
    cohort = pd.DataFrame(results.cohort)
    liu = cohort[cohort["study"] == "liu-2020"]
    n, m = int(liu["sbrt"].sum()), int((~liu["sbrt"]).sum())
    page = summarise_page("models", results)
    told = [b.text for s in page.sections for b in s.blocks if isinstance(b, Paragraph)]
    assert any(f"rests on Liu 2020 alone: {n} with and {m} without" in text for text in told)


def test_support_is_read_from_any_cohort(results):
    cohort = pd.DataFrame({"study": ["a", "a", "b", "b", "c"], "sbrt": [True, False] * 2 + [True]})
    support = sbrt_support(dataclasses.replace(results, cohort=cohort, evidence=None))
    assert support_sentence(support) == (
        "The effect of SBRT rests on a (1 with, 1 without) and b (1 with, 1 without). "
        "The other series has no such contrast."
    )
    warnings = extrapolations(support)
    assert set(warnings["false"]) == {"", "c"}
    assert warnings["true"] == {}
    assert warnings["false"]["c"] == (
        "No patient of this series went without SBRT: extrapolated from 1 patient of a and "
        "1 patient of b."
    )


def test_no_contrast_no_sentence():
    assert support_sentence({"a": Support("A", 5, 0)}) == ""
    assert extrapolations({"a": Support("A", 5, 0)}) == {"true": {}, "false": {}}


@pytest.mark.parametrize(
    ("survival", "lower", "upper", "expected"),
    [
        (1.0, 1.0, 1.0, NO_EVENT),
        (0.99999, 0.9999, 1.0, HARDLY_ANY),
        (0.998, 0.996, 0.999, "95% CI 99.6% to 99.9%"),
        (0.5, 0.44, 0.56, "95% CI 44% to 56%"),
    ],
)
def test_no_interval_without_width(survival, lower, upper, expected):
    curve = {"survival": [survival], "lower": [lower], "upper": [upper]}
    assert interval_words(shown_course(curve, risk=False), 0) == expected
    # As a risk, the limits change places.
    mirrored = {"survival": [survival], "lower": [1 - upper], "upper": [1 - lower]}
    assert interval_words(shown_course(mirrored, risk=True), 0) == expected


def test_calculator_offers_only_the_classes_its_models_know(results):
    block = summarise_page("calculator", results).sections[0].blocks[0]
    assert isinstance(block, Calculator)
    (control,) = [c for c in block.controls if c.name == "separation_mm"]
    assert control.kind == "select"
    assert [label for _, label in control.options] == ["3 mm or more", "below 3 mm"]
    assert float(control.options[0][0]) >= 3 > float(control.options[1][0])


def test_a_thin_horizon_leads_nothing_and_is_marked(results):
    whole = results.comparisons["overall-survival"]
    thin = _thin(whole, (12.0,))
    assert few_left(thin, 12.0) == (3, 12)
    assert firm_horizons(thin) == (24.0,)
    assert "at 24 months" in headline(thin)
    page = render_page(
        "comparison", dataclasses.replace(results, comparisons={"overall-survival": thin})
    )
    assert "by 12 months (few left)" in page
    assert "At 12 months only 12 after surgery alone and 3 after surgery with SBRT" in page
    none = _thin(whole, (12.0, 24.0))
    changed = dataclasses.replace(results, comparisons={"overall-survival": none})
    lead = summarise_page("comparison", changed).sections[0].blocks[0]
    assert lead.items[0].startswith("Survival: too few patients for a difference to lead: at 12")


@pytest.mark.parametrize(
    ("few", "expected"),
    [
        ((0, 0), "nobody is"),
        ((3, 0), "nobody after surgery alone and only 3 after surgery with SBRT are"),
        ((0, 12), "only 12 after surgery alone and nobody after surgery with SBRT are"),
        ((3, 12), "only 12 after surgery alone and 3 after surgery with SBRT are"),
    ],
)
def test_nobody_left_is_called_nobody(results, few, expected):
    assert still_observed(results.comparisons["overall-survival"], few) == expected


def test_contradictions_are_counted_once_and_alike(results):
    found = contradictions(results)
    assert len({one.words for one in found}) == len(found) > 0
    for name in ("evidence", "calibration"):
        (key,) = [k for k in summarise_page(name, results).keys if k.label == "Contradictions"]
        assert key.value == str(len(found))
    assert f"hold {len(found)} contradictions and" in render_page("index", results)


def test_every_missed_figure_is_explained_once(results):
    found = explanations(results)
    assert len({one.words for one in found}) == len(found)
    ids = [name for one in found for name in one.ids]
    assert sorted(ids) == sorted(f.id for f in results.evidence.figures if f.tension)


def test_findings_stand_on_the_evidence_page_contradictions_first(results):
    sections = [s.id for s in summarise_page("evidence", results).sections]
    assert sections[1:4] == ["tensions", "improbable", "readings"]
    page = re.sub(r"\s+", " ", html.unescape(render_page("evidence", results)))
    for one in findings(results):
        assert one.words in page
        assert one.short in page
        assert one.title in page
    assert "6 of 69 but no count of 21" in page
    assert "How it was read: 8.7% is taken for all 69 lesions" in page
    for figure in results.evidence.figures:
        assert plain_terms(figure.reading) in page


def test_contradictions_handed_over_take_the_place_of_the_audit(results):
    own = dataclasses.replace(results, tensions=(("Own 2024", "Two numbers."),))
    assert [one.title for one in contradictions(own)] == ["Own 2024"]
    assert "hold 1 contradiction, listed" in render_page("index", own)


def test_a_match_is_not_called_a_validation(results):
    calibration = results.calibration
    solved = solved_together(calibration)
    # A direction of the parameter space needs a figure.
    assert solved <= len(calibration.singular_values) < len(calibration.fitted)
    words = f"{len(calibration.parameters)} parameters were solved for {solved} of these numbers"
    assert words in render_page("index", results)
    assert words in render_page("calibration", results)


def test_decomposition_leads_with_the_range_and_comes_second(results):
    section = summarise_page("calibration", results).sections[1]
    causal = [row.causal for row in results.calibration.decomposition]
    assert section.id == "decomposition"
    assert max(causal) > 17
    assert section.finding.startswith(
        f"Of the 17 months, anything from {min(causal):.0f} to all of them may be the effect"
    )


def test_a_page_alone_links_to_nothing_and_invents_nothing(own_results, tmp_path):
    origin = {"package_version": "0.1.0", "seed": None, "evidence_hash": ""}
    alone = render_page("comparison", dataclasses.replace(own_results, provenance=origin))
    assert '<nav class="pages"' not in alone
    assert "seed None" not in alone
    assert "evidence </p>" not in alone
    assert "2–4 weeks" not in alone
    assert "simulation" not in alone
    write_report(own_results, tmp_path)
    assert 'href="cohort.html"' in (tmp_path / "comparison.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["index", "models", "comparison", "calculator"])
def test_an_interval_means_the_same_on_every_page(results, name):
    assert INTERVAL_MEANING in render_page(name, results)
    assert "95% interval" not in render_page(name, results)


@pytest.mark.parametrize("name", NAMES)
def test_one_name_for_each_thing(results, name):
    page = render_page(name, results)
    main = page[page.index("<main") : page.index("</main>")]
    # Quotations keep their spelling; attributes carry the names of columns.
    text = re.sub(r"<[^>]*>|“[^”]*”", "", main)
    for other in ("embolization", "low-dose hypofractionated", "lower dose", "therapy afterwards"):
        assert other not in text, other


def test_terms_have_names():
    terms = ["kps", "sbrt", "dose_regimen=single_24", "separation_mm < 3"]
    assert [term_name(term, term, terms) for term in terms] == [
        "Karnofsky score",
        "SBRT at low dose in 5–6 fractions (18–36 Gy), against none",
        "single fraction, 24 Gy, against low dose",
        "separation below 3 mm",
    ]
    assert term_name("sbrt", "SBRT") == "SBRT after surgery"
    assert readable_text("adjusted for kps, separation_mm < 3") == (
        "adjusted for Karnofsky score, separation below 3 mm"
    )


def test_arms_of_another_treatment_are_readable(results):
    comparison = results.comparisons["overall-survival"]
    arm = dataclasses.replace(comparison.arms[0], label="minimally_invasive")
    assert arm_label(arm) == "Minimally invasive"
    other = dataclasses.replace(
        comparison, treatment="approach", arms=(arm, comparison.arms[1]), inflated=None
    )
    page = render_page(
        "comparison", dataclasses.replace(results, comparisons={"overall-survival": other})
    )
    text = page[page.index("<body") : page.index("<footer")]
    assert "minimally_invasive" not in page
    assert "local progression" not in text.replace("local progressions it prevents", "")
