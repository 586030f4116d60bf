"""What the pages say: wording and numbers, before any drawing."""

import dataclasses
import re

import numpy as np
import pytest

from outcomes.curves import kaplan_meier
from outcomes.errors import OutcomesError
from outcomes.estimate import Estimate
from outcomes.reports import NAMES, render_page, summarise_page, write_report
from outcomes.reports.charts import CurveChart, ForestChart, LadderChart
from outcomes.reports.content import Calculator, CollapsedTable, Figure, FigureGrid, IconRow, Table
from outcomes.reports.summary_common import curve_line, page_names
from outcomes.reports.wording import (
    count,
    interval,
    limits,
    number,
    of_100,
    p_value,
    percent,
    sentence_list,
    with_limits,
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (number(-0.04, 1), "0.0"),
        (number(-1.25, 1), "−1.2"),
        (number(float("nan")), "–"),
        (percent(0.0451, 1), "4.5%"),
        (percent(None), "–"),
        (p_value(0.0004), "<0.001"),
        (p_value(0.0456), "0.046"),
        (p_value(0.456), "0.46"),
        (limits(0.1, None), "–"),
        (interval(Estimate(0.5, 0.25, 0.75), 0, scale=100, unit="%"), "95% CI 25 to 75%"),
        (interval(Estimate(0.5), 0), ""),
        (with_limits(Estimate(0.7, 0.6, 0.8)), "0.70 (0.60 to 0.80)"),
        (with_limits(Estimate(0.7)), "0.70"),
        (count(1, "patient"), "1 patient"),
        (count(2000, "patient"), "2,000 patients"),
        (sentence_list(("a", "b", "c")), "a, b and c"),
    ],
)
def test_numbers_as_readers_see_them(written, expected):
    assert written == expected


@pytest.mark.parametrize(
    ("share", "n"), [(0.0, 0), (0.005, 1), (0.645, 65), (0.9951, 100), (1.2, 100)]
)
def test_natural_frequencies_round_half_up_within_100(share, n):
    assert of_100(share) == n


def test_every_page_is_filled_from_a_whole_study(results):
    assert page_names(results) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_first_screen_says_what_the_page_answers_and_who_the_patients_are(results, name):
    page = summarise_page(name, results)
    assert page.question.startswith("This page answers:")
    assert page.notice_title == "The patients are synthetic."
    fitted = results.calibration.fitted
    assert f"calibrated to {len(fitted)} published numbers of Laufer 2013" in page.notice
    assert [link for link, _ in page.links] == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_description_a_caption_and_its_numbers(results, name):
    for section in summarise_page(name, results).sections:
        assert re.fullmatch(r"[a-z0-9-]+", section.id)
        for block in section.blocks:
            if isinstance(block, Figure | FigureGrid):
                assert block.caption.endswith((".", ")"))
                assert block.table.rows
            if isinstance(block, Table):
                assert all(len(row) == len(block.columns) for row in block.rows)


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_unique_in_a_page(results, name):
    ids = re.findall(r'\sid="([^"]+)"', render_page(name, results))
    assert len(ids) == len(set(ids))


def test_evidence_page_drops_no_figure_and_no_assumption(results):
    page = summarise_page("evidence", results)
    sections = {section.id: section.blocks for section in page.sections}
    tables = [block.table for block in sections["studies"]]
    assert sum(len(table.rows) for table in tables) == len(results.evidence.figures)
    assert len(sections["assumptions"][0].rows) == len(results.evidence.assumptions)


def test_calibration_page_shows_every_target_once(results):
    page = summarise_page("calibration", results)
    (section,) = [s for s in page.sections if s.id == "figures"]
    tables = [block.table for block in section.blocks if isinstance(block, CollapsedTable)]
    studies = {target.study for target in results.calibration.targets if target.published}
    assert len(tables) == len(studies)
    words = [b for b in section.blocks if isinstance(b, Table) and "Directions" in b.caption]
    shown = [row for table in (*tables, *words) for row in table.rows]
    assert len(shown) == len(results.calibration.targets)


def test_calibration_page_says_so_when_a_figure_is_missed(results):
    first, *rest = results.calibration.targets
    missed = dataclasses.replace(first, achieved=first.published + 9, within=False)
    calibration = dataclasses.replace(results.calibration, targets=(missed, *rest))
    page = summarise_page("calibration", dataclasses.replace(results, calibration=calibration))
    fitted = len(calibration.fitted)
    assert page.keys[0].value == f"{fitted - 1} of {fitted}"
    assert "1 is not" in page.sections[0].finding
    assert "not met" in render_page(
        "calibration", dataclasses.replace(results, calibration=calibration)
    )


def test_decomposition_adds_up_to_the_crude_difference(results):
    page = summarise_page("calibration", results)
    (section,) = [s for s in page.sections if s.id == "decomposition"]
    chart = section.blocks[0].chart
    rows = results.calibration.decomposition
    assert chart.names == tuple(f"{row.hazard_ratio:.2f}" for row in rows)
    for row, *parts in zip(rows, *(part.values for part in chart.parts), strict=True):
        assert sum(parts) == pytest.approx(row.crude, abs=1e-6)
        assert chart.level == pytest.approx(row.crude, abs=0.05)


def test_comparison_leads_with_counts_of_100_taken_from_the_curves(results):
    page = summarise_page("comparison", results)
    (row,) = [block for block in page.sections[0].blocks if isinstance(block, IconRow)]
    table = results.comparison_cohort
    alone = table[~table["sbrt"].astype(bool)]
    curve = kaplan_meier(alone["os_months"], alone["death"])
    expected = of_100(float(curve.survival_at(12.0)))
    assert row.groups[0].arrays[0].marked == expected
    assert f"of 100 patients, {expected} are alive at 12 months" in row.groups[0].finding


def test_one_minus_kaplan_meier_is_shown_only_for_its_inflation(results):
    page = summarise_page("comparison", results)
    methods = [
        row.label
        for section in page.sections
        for block in section.blocks
        if isinstance(block, Figure) and isinstance(block.chart, ForestChart | LadderChart)
        for row in block.chart.rows
    ]
    assert methods
    assert not any("Kaplan" in method for method in methods)


def test_a_rung_that_cannot_be_had_keeps_its_place(results):
    comparison = results.comparisons["overall-survival"]
    rungs = tuple(
        dataclasses.replace(rung, value=None, lower=None, upper=None, p=None, note="no event")
        if rung.method == "landmark"
        else rung
        for rung in comparison.rungs
    )
    changed = dataclasses.replace(comparison, rungs=rungs)
    page = render_page(
        "comparison", dataclasses.replace(results, comparisons={"overall-survival": changed})
    )
    assert "not estimable" in page
    assert "No event" in page


def test_survival_curves_start_at_one_and_end_while_patients_are_at_risk(results):
    page = summarise_page("cohort", results)
    (grid,) = [b for s in page.sections for b in s.blocks if isinstance(b, FigureGrid)]
    assert len(grid.panels) == 5
    for _, chart, _ in grid.panels:
        assert isinstance(chart, CurveChart)
        for line in chart.lines:
            assert line.months[0] == 0
            assert line.values[0] == 1
            assert np.all(np.diff(line.values) <= 1e-12)


def test_thinned_curves_keep_their_values():
    months = np.arange(1, 1001) * 0.03
    values = np.exp(-months / 10)
    line = curve_line("x", "ink", months, values, start=1.0, end=30.0)
    assert len(line.months) < 400
    for month, value in zip(line.months, line.values, strict=True):
        jumps = values[months <= month + 1e-9]
        assert value == (jumps[-1] if jumps.size else 1.0)


def test_calculator_opens_with_the_reference_prediction(results):
    from outcomes.models import evaluate_calculator

    page = summarise_page("calculator", results)
    block = page.sections[0].blocks[0]
    assert isinstance(block, Calculator)
    data = results.calculator["overall-survival"]
    patient = {item["name"]: item["default"] for item in data["inputs"]}
    curve = evaluate_calculator(data, patient)
    n = of_100(curve["survival"][12])
    assert block.results[0].big == f"{n}%"
    assert f"{n} are alive at 12 months and {100 - n} have died" in block.results[0].sentence
    weights = {item["name"]: item["weight"] for item in data["series"]}
    largest = max(weights, key=weights.get)
    assert "average of all 5 series, by their size (" in block.results[0].source
    assert f"({results.study_title(largest)} {100 * weights[largest]:.0f}%" in (
        block.results[0].source
    )


def test_calculator_counts_the_dead_apart_from_those_without_progression(results):
    from outcomes.models import evaluate_calculator

    block = summarise_page("calculator", results).sections[0].blocks[0]
    data = results.calculator["local-control"]
    patient = {item["name"]: item["default"] for item in data["inputs"]}
    curve = evaluate_calculator(data, patient)
    n, died = of_100(1 - curve["survival"][12]), of_100(curve["competing"][12])
    shown = block.results[1]
    assert shown.title == "Local progression"
    assert shown.big == f"{n}%"
    assert (
        f"{n} have had local progression, {died} have died without it, and {100 - n - died} are "
        "alive without it"
    ) in shown.sentence
    assert block.glance.endswith(f"Local progression {n}%")
    line = shown.figure.chart.lines[0]
    assert line.values[0] == line.lower[0] == line.upper[0] == 0
    assert all(a <= b <= c for a, b, c in zip(line.lower, line.values, line.upper, strict=True))


def test_a_cohort_of_ones_own_has_only_its_pages_and_no_truth(own_results):
    names = page_names(own_results)
    assert names == ("index", "cohort", "models", "comparison", "calculator")
    for name in names:
        page = summarise_page(name, own_results)
        assert page.notice_title == "These are the cohort's own patients."
        assert "ynthetic" not in render_page(name, own_results)
        assert [link for link, _ in page.links] == list(names)


def test_a_bare_cohort_makes_an_overview_and_a_cohort_page(results, tmp_path):
    bare = dataclasses.replace(
        results,
        cohort=results.cohort[["os_months", "death"]],
        synthetic=False,
        evidence=None,
        calibration=None,
        models={},
        evaluations=(),
        comparisons={},
        calculator={},
    )
    paths = write_report(bare, tmp_path)
    assert [path.name for path in paths] == ["index.html", "cohort.html"]


def test_unknown_and_empty_pages_are_refused(results, own_results):
    with pytest.raises(OutcomesError, match=r"page 'nonsense': there is no such page; allowed"):
        render_page("nonsense", results)
    with pytest.raises(OutcomesError, match=r"page 'evidence': these results have nothing for it"):
        render_page("evidence", own_results)


def test_same_results_same_bytes(results, report, tmp_path):
    for path in write_report(results, tmp_path):
        written = path.read_bytes()
        assert written == (report / path.name).read_bytes()
        assert b"\r" not in written
        written.decode("utf-8")


def test_names_that_try_to_be_markup_are_escaped(own_results):
    for name in page_names(own_results):
        page = render_page(name, own_results)
        assert "<img" not in page
        assert '<a href="https://example.org"' not in page
        assert 'onerror="alert' not in page
