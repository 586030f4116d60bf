"""The comparison page: what it leads with, what misleads, and what is said where nothing is."""

import dataclasses
import json

import numpy as np
import pytest

from outcomes.comparison import DoseResponse, Options
from outcomes.reports import render_page, summarise_page
from outcomes.reports.charts import DotChart, LadderChart, MirrorChart, PointChart
from outcomes.reports.content import Bullets, CollapsedTable, Figure, Paragraph, Table
from outcomes.reports.drawing import side_hints
from outcomes.reports.figures import plotly_figure
from outcomes.reports.summary_adjusted import kind_of, reason_of, span_words, verdict
from outcomes.reports.summary_confounding import e_value_sentence
from outcomes.reports.summary_ladder import risk_table
from outcomes.reports.summary_methods import missing_sentences
from outcomes.reports.theme import LOOKS

QUICK = Options(methods=("g-formula-cox", "doubly-robust", "clone-censor-weight"))


@pytest.fixture(scope="module")
def page(results):
    return summarise_page("comparison", results)


@pytest.fixture(scope="module")
def survival(results):
    return results.comparisons["overall-survival"]


def figures(page, kind):
    return [
        block
        for section in page.sections
        for block in section.blocks
        if isinstance(block, Figure) and isinstance(block.chart, kind)
    ]


def section(page, name):
    (found,) = [one for one in page.sections if one.id == name]
    return found


def text_of(page):
    return json.dumps(dataclasses.asdict(page), ensure_ascii=False)


@pytest.mark.parametrize(
    ("differences", "words"),
    [
        ([-0.12, -0.09], "9 to 12 fewer"),
        ([-0.094, -0.086], "9 fewer"),
        ([0.03], "3 more"),
        ([0.03, 0.051], "3 to 5 more"),
        ([-0.02, 0.01], "2 fewer to 1 more"),
        ([-0.004, 0.004], "no fewer and no more"),
        ([-0.05, 0.001], "0 to 5 fewer"),
        ([-0.001, 0.05], "0 to 5 more"),
    ],
)
def test_differences_are_counted_in_100_patients(differences, words):
    assert span_words(differences) == words


def test_sections_stand_in_the_order_of_reading(page):
    assert [one.id for one in page.sections] == [
        "of-100-patients",
        "curves-overall-survival-section",
        "curves-local-control-section",
        "methods-overall-survival",
        "methods-local-control",
        "hazard-ratios",
        "target-trials",
        "robustness-overall-survival",
        "robustness-local-control",
        "immortal-time",
        "all-numbers",
        "reading",
    ]
    assert [name for name, _ in page.jumps] == [one.id for one in page.sections]


def test_first_screen_says_what_is_plain_what_is_alike_and_what_is_true(page, survival, results):
    lead = page.sections[0].blocks[0].items
    assert len(lead) == 2
    found = {
        rung.method: rung
        for rung in survival.rungs
        if rung.estimand == "risk_difference" and rung.horizon_months == 12
    }
    plain, alike, timed = (
        (span_words([rung.value]), f"(95% CI {span_words([rung.lower, rung.upper])})")
        for rung in (found["crude"], found["doubly-robust"], found["clone-censor-weight"])
    )
    truth = span_words([found["crude"].truth])
    assert lead[0].startswith(
        f"Survival: {plain[0]} of 100 patients {plain[1]} die within 12 months with SBRT, as the "
        f"groups stand; {alike[0]} {alike[1]} when like is compared with like; {timed[0]} "
        f"{timed[1]} when the wait for SBRT is taken out as well; in truth, {truth}."
    )
    treated = sum(results.comparison_cohort["sbrt"])
    assert (
        f"Compared are {len(results.comparison_cohort) - treated} patients after surgery alone and "
        f"{treated} after surgery with SBRT." in page.sections[0].finding
    )
    assert all(
        group.finding.startswith("Not adjusted:") for group in page.sections[0].blocks[1].groups
    )


def test_the_overview_says_the_same_of_the_comparison(page, results):
    lead = page.sections[0].blocks[0].items
    findings = section(summarise_page("index", results), "findings")
    items = [
        text for block in findings.blocks if isinstance(block, Bullets) for text in block.items
    ]
    assert items[:2] == list(lead)


def moved(survival, **changes):
    """Return a comparison whose differences of risk have other values, by method."""
    rungs = tuple(
        dataclasses.replace(rung, **changes[rung.method.replace("-", "_")])
        if rung.estimand == "risk_difference" and rung.method.replace("-", "_") in changes
        else rung
        for rung in survival.rungs
    )
    return dataclasses.replace(survival, rungs=rungs)


def test_a_verdict_names_the_interval_that_misses_the_truth(survival, results):
    held = {"value": -0.1, "lower": -0.2, "upper": -0.05, "truth": -0.1}
    plain = {"value": -0.3, "lower": -0.4, "upper": -0.2, "truth": -0.1}
    right = moved(survival, crude=held, doubly_robust=held, clone_censor_weight=held)
    wrong = moved(survival, crude=plain, doubly_robust=held, clone_censor_weight=held)
    assert verdict(right, results).endswith(
        "Each interval holds the truth of what its method asks."
    )
    assert verdict(wrong, results).endswith(
        "The interval of the groups as they stand misses the truth."
    )


def test_what_the_number_of_patients_can_show(page, survival):
    crude = next(
        rung
        for rung in survival.rungs
        if (rung.method, rung.estimand, rung.horizon_months) == ("crude", "risk_difference", 12)
    )
    blocks = section(page, "methods-overall-survival").blocks
    first, second = [block.text for block in blocks if isinstance(block, Paragraph)]
    n = sum(curve.n for curve in survival.arms)
    assert first.startswith(
        f"What {n:,} patients can show: the plain difference is known to about "
        f"{50 * (crude.upper - crude.lower):.0f} of 100 either way."
    )
    assert "outcomes power" in first
    assert "outcomes recover" in second


def test_a_verdict_says_when_it_may_be_chance(survival, results):
    wide = tuple(
        dataclasses.replace(rung, lower=-0.5, upper=0.5)
        if rung.estimand == "risk_difference" and rung.lower is not None
        else rung
        for rung in survival.rungs
    )
    assert "may be chance" in verdict(dataclasses.replace(survival, rungs=wide), results)
    assert "may be chance" not in verdict(survival, results)


def test_ladder_groups_the_methods_and_marks_what_misleads(page, survival):
    ladder = figures(page, LadderChart)[0].chart
    groups = list(dict.fromkeys(row.group for row in ladder.rows))
    assert [group.partition(":")[0].partition(",")[0] for group in groups] == [
        "Unlike patients",
        "Like with like",
        "Like with like",
    ]
    by_group = {group: [row.label for row in ladder.rows if row.group == group] for group in groups}
    assert by_group[groups[0]] == ["Plain comparison", "Landmark (not adjusted)"]
    assert "Clone–censor–weight" in by_group[groups[2]]
    crude = next(rung for rung in survival.rungs if rung.estimand == "risk_difference")
    assert ladder.truth == pytest.approx(100 * crude.truth)
    for row in ladder.rows:
        missed = row.texts[1] == "missed"
        assert (row.style == "misleading") == (row.group == groups[0] or missed)
        assert ("truth missed" in row.short) == missed
        assert row.truth is None or row.truth != ladder.truth


def test_a_ladder_says_whether_an_interval_holds_its_truth(survival, results):
    rungs = tuple(
        dataclasses.replace(rung, value=0.3, lower=0.2, upper=0.4)
        if rung.method == "iptw" and rung.estimand == "risk_difference"
        else dataclasses.replace(rung, lower=None, upper=None)
        if rung.method == "g-formula-forest"
        else rung
        for rung in survival.rungs
    )
    changed = dataclasses.replace(survival, rungs=rungs)
    shown = dataclasses.replace(results, comparisons={"overall-survival": changed})
    ladder = figures(summarise_page("comparison", shown), LadderChart)[0].chart
    row = next(row for row in ladder.rows if row.label == "Weighted (IPTW)")
    assert row.texts[1] == "missed"
    assert row.style == "misleading"
    forest = next(row for row in ladder.rows if row.label == "Standardised (forest)")
    assert forest.texts[1] == "no interval"


def test_a_landmark_is_adjusted_in_its_hazard_ratio_only(survival):
    kinds = {
        (rung.method, rung.estimand): kind_of(survival, rung)
        for rung in survival.rungs
        if rung.estimand in ("risk_difference", "hazard_ratio")
    }
    assert kinds["landmark", "risk_difference"] == "plain"
    assert kinds["landmark", "hazard_ratio"] == "timed"
    assert kinds["cox-unadjusted", "hazard_ratio"] == "plain"
    assert kinds["cox-adjusted", "hazard_ratio"] == "alike"


@pytest.mark.parametrize("narrow", [False, True])
def test_misleading_rows_differ_without_colour_too(page, narrow):
    figure = plotly_figure(figures(page, LadderChart)[0].chart)
    data = (figure["narrow_data"] if narrow else None) or figure["data"]
    marks = {
        (trace["marker"]["line"]["color"], trace["marker"]["symbol"])
        for trace in data
        if trace["mode"] == "markers" and "line" in trace["marker"]
    }
    assert (LOOKS["misleading"].colour, "diamond") in marks
    assert (LOOKS["ink"].colour, "square") in marks


def test_far_limits_end_in_arrows(page):
    ladder = figures(page, LadderChart)[0].chart
    first, *rest = ladder.rows
    wide = dataclasses.replace(ladder, rows=(dataclasses.replace(first, lower=-900.0), *rest))
    figure = plotly_figure(wide)
    low, _ = figure["layout"]["xaxis"]["range"]
    assert low > -100
    assert any(
        trace["marker"]["size"] == [9, 0] for trace in figure["data"] if trace["mode"] != "markers"
    )


def test_absolute_risks_are_those_of_the_methods(survival):
    table = risk_table([survival])
    assert [row[0].partition("\n")[2].partition(":")[0] for row in table.rows] == [
        "as the groups stand",
        "like with like",
        "like with like, immortal time taken out",
        "truth of the simulation",
    ]
    crude = next(rung for rung in survival.rungs if rung.estimand == "risk_treated")
    assert table.rows[0][2].startswith(f"{100 * crude.value:.1f}\n")
    assert table.rows[3][2] == f"{100 * crude.truth:.1f}"


def test_robustness_is_drawn_from_its_numbers(page, survival):
    found = survival.robustness
    bias, overlap, balance = (
        figures(page, kind)[0].chart for kind in (PointChart, MirrorChart, DotChart)
    )
    point = bias.series[0].points[0]
    main = next(
        one.found
        for one in found.e_values
        if (one.method, one.estimand, one.horizon_months)
        == (found.bias_method, "risk_ratio", found.bias_horizon)
    )
    assert (point.x, point.y) == (main.estimate, main.estimate)
    assert (
        f"{main.estimate:.1f} times as likely"
        in section(page, "robustness-overall-survival").finding
    )
    assert sum(overlap.above) == pytest.approx(1)
    assert sum(overlap.below) == pytest.approx(1)
    assert [dot.published for dot in balance.dots] == [
        abs(one.difference) for one in found.balance.columns
    ]
    assert balance.reference == found.balance.threshold


def test_trials_are_shown_whole(page, survival):
    blocks = section(page, "target-trials").blocks
    matrix = blocks[0]
    assert isinstance(matrix, Table)
    methods = {row[0].partition("\n")[0]: row[1:] for row in matrix.rows}
    assert all(row[0].partition("\n")[2] for row in matrix.rows)
    assert methods["Plain comparison"] == ("✗ left in", "✗ left in", "✓ dealt with")
    assert methods["Clone–censor–weight"] == ("✓ dealt with",) * 3
    whole = blocks[1].table
    assert isinstance(blocks[1], CollapsedTable)
    assert len(whole.rows) == len(survival.target_trials)
    cloned = whole.rows[-1]
    assert "grace period: weeks 2 to 6 after surgery" in cloned[1]
    assert "measured" in cloned[4]


def test_immortal_time_is_told_in_person_months(page, survival, results):
    control = results.comparisons["local-control"]
    found = survival.robustness.immortal_time
    shown = section(page, "immortal-time")
    assert f"{found.before_treatment:,.0f} person-months" in shown.finding
    ratios = [
        f"from {time.by_arm.ratio.value:.2f} to {time.by_treatment.ratio.value:.2f} for {event}"
        for time, event in (
            (found, "death"),
            (control.robustness.immortal_time, "local progression"),
        )
    ]
    assert f"move the ratio of rates {' and '.join(ratios)}." in shown.finding
    table = shown.blocks[0]
    assert table.rows[0][3].startswith(f"{found.by_arm.ratio.value:.2f}")
    assert table.rows[1][3].startswith(f"{found.by_treatment.ratio.value:.2f}")


def test_an_axis_of_noughts_is_one_of_patients(page):
    ladder = figures(page, LadderChart)[0].chart
    rows = tuple(
        dataclasses.replace(row, value=0.0, lower=None, upper=None, truth=None)
        for row in ladder.rows
    )
    empty = plotly_figure(dataclasses.replace(ladder, rows=rows, truth=None))
    assert empty["layout"]["xaxis"]["range"] == [-10, 10]


@pytest.mark.parametrize("narrow", [False, True])
def test_hints_that_do_not_fit_side_by_side_are_cut(narrow):
    def labels(*hints):
        return [one["text"] for one in side_hints(hints, narrow=narrow, yshift=0)]

    assert labels("better with SBRT", "worse with SBRT") == [
        "← better with SBRT",
        "worse with SBRT →",
    ]
    name = "high dose in 3 fractions (24–30 Gy)"
    assert labels(f"better with {name}", f"worse with {name}") == ["← better", "worse →"]


def test_why_there_is_no_interval_is_said(survival):
    crude = next(rung for rung in survival.rungs if rung.estimand == "risk_difference")
    bare = dataclasses.replace(crude, lower=None, upper=None)
    told = dataclasses.replace(bare, note="few patients; no interval because nothing varies; odd")
    assert missing_sentences([crude]) == ()
    assert missing_sentences([told]) == ("Plain comparison: no interval because nothing varies.",)
    assert missing_sentences([bare]) == ("Plain comparison: no interval.",)


def test_an_effect_that_may_be_chance_is_not_called_robust(survival, page):
    found = survival.robustness
    certain = section(page, "robustness-overall-survival").finding
    limits = tuple(
        dataclasses.replace(one, found=dataclasses.replace(one.found, limit=1.0))
        if one.found is not None
        else one
        for one in found.e_values
    )
    unsure = e_value_sentence(survival, dataclasses.replace(found, e_values=limits))
    assert "Chance alone may explain the effect" in unsure
    assert "Chance alone" not in certain
    assert "times as common after surgery alone as after surgery with SBRT" in certain


def test_comparisons_without_robustness_and_trials_still_make_a_page(results, survival):
    bare = dataclasses.replace(survival, robustness=None, target_trials=())
    shown = dataclasses.replace(results, comparisons={"overall-survival": bare})
    names = [one.id for one in summarise_page("comparison", shown).sections]
    assert "methods-overall-survival" in names
    assert not {"target-trials", "immortal-time", "robustness-overall-survival"} & set(names)


@pytest.fixture(scope="module")
def dose(results):
    doses = np.array([1.0, 3.0, 6.0])
    risk = np.array([0.3, 0.2, 0.1])
    return DoseResponse(
        column="separation_mm",
        endpoint="local-control",
        doses=doses,
        horizon=12.0,
        risk=risk,
        lower=risk - 0.05,
        upper=risk + 0.05,
        reference=3.0,
        difference=risk - 0.2,
        difference_lower=risk - 0.25,
        difference_upper=risk - 0.15,
        covariates=("age", "kps"),
    )


def test_risk_by_dose_is_told_at_both_ends(results, dose):
    shown = dataclasses.replace(
        results, dose_responses=(dose, dataclasses.replace(dose, horizon=24.0))
    )
    found = section(summarise_page("comparison", shown), "dose-response")
    assert found.finding == (
        "Of 100 patients alike in what was measured, 30 (95% CI 25 to 35) have local progression "
        "within 12 months at a separation distance of 1 mm, and 10 (95% CI 5 to 15) at 6 mm."
    )
    (figure,) = found.blocks
    assert figure.chart.lines[0].lower == pytest.approx((0.25, 0.15, 0.05))
    assert figure.table.rows[0] == ("1.0", "30.0\n25.0 to 35.0", "10.0\n5.0 to 15.0")
    assert 'id="figure-dose-local-control"' in render_page("comparison", shown)


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (
            "not estimable because there is no column sbrt_start_months: when treatment began is "
            "unknown",
            "there is no column sbrt_start_months: when treatment began is unknown",
        ),
        (
            "not estimable because treatment: follows from kps",
            "treatment follows from Karnofsky score",
        ),
    ],
)
def test_reasons_are_words_but_columns_keep_their_names(note, words):
    assert reason_of(note) == words
