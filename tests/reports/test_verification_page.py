"""What the calibration page says about the verification: distributions, figures, nulls."""

import dataclasses
import html
import re

import pytest

from outcomes.reports import render_page, summarise_page
from outcomes.reports.charts import Histogram
from outcomes.reports.content import (
    Caveat,
    DistributionTable,
    Table,
)
from outcomes.reports.figure_histograms import WIDTH, histogram_shape
from outcomes.reports.summary_verification import band


def _sections(results):
    return {section.id: section for section in summarise_page("calibration", results).sections}


def _changed(results, **changes):
    calibration = dataclasses.replace(results.calibration, **changes)
    return dataclasses.replace(results, calibration=calibration)


def _with_figure(results, position, **changes):
    verification = results.calibration.verification
    figures = list(verification.figures)
    figures[position] = dataclasses.replace(figures[position], **changes)
    return _changed(results, verification=dataclasses.replace(verification, figures=tuple(figures)))


def test_every_distribution_stands_in_its_study_with_its_verdict(results):
    section = _sections(results)["verification"]
    tables = [block for block in section.blocks if isinstance(block, DistributionTable)]
    assert [(len(table.rows), table.opened) for table in tables] == [
        (2, True),
        (1, False),
        (1, False),
    ]
    verdicts = [row.verdict for table in tables for row in table.rows]
    assert verdicts == ["inside", "outside, explained above", "inside", "the same in every cohort"]
    (central,) = [row.central for row in tables[1].rows]
    assert central == "11.0 to not reached (never in 10% of the cohorts)\nmedian 16.0"
    assert "990 of 1,000 cohorts can report it" in tables[1].rows[0].label
    assert tables[2].rows[0].central == "always 57"


def test_figures_outside_are_counted_and_explained(results):
    section = _sections(results)["verification"]
    assert "3 of 3 fitted numbers lie in the central 95%" in section.finding
    assert "Of 1 figure that was only compared, 1 lies outside" in section.finding
    (outside,) = [block for block in section.blocks if isinstance(block, Table)]
    assert outside.rows[0][1] == "Deaths and survivors do not fit it."
    assert not any(isinstance(block, Caveat) for block in section.blocks)


def test_a_fitted_figure_outside_without_a_reason_is_called_a_defect(results):
    section = _sections(_with_figure(results, 0, inside=False))["verification"]
    assert "2 of 3 fitted numbers lie" in section.finding
    assert "1 fitted number lies outside, 1 of them without" in section.finding
    (caveat,) = [block for block in section.blocks if isinstance(block, Caveat)]
    assert caveat.text.startswith("A defect of the model")
    assert "Laufer 2013" in caveat.text
    explained = _with_figure(results, 0, inside=False, tension="Two figures contradict it.")
    section = _sections(explained)["verification"]
    assert "1 fitted number lies outside, none of them without" in section.finding
    assert not any(isinstance(block, Caveat) for block in section.blocks)


def test_histograms_are_read_out_and_drawn_within_their_frame(results):
    page = render_page("calibration", results)
    drawn = re.findall(r'<svg class="histogram"[^>]*role="img" aria-label="([^"]+)"', page)
    assert len(drawn) == len(results.calibration.verification.figures)
    assert "the published 4.8 months lies outside the central 95%" in html.unescape(page)
    assert "style=" not in page[page.index("<main") : page.index("</main>")]


@pytest.mark.parametrize("marked", [-50.0, 5.0, 10.0, 400.0])
def test_the_marked_value_is_within_the_drawing(marked):
    shape = histogram_shape(Histogram((0.0, 10.0), (1, 2, 3, 4), 2.5, 7.5, marked, ""))
    assert 0 <= shape.mark <= WIDTH
    assert 0 <= shape.left < shape.right <= WIDTH
    assert shape.bars.startswith("M")
    assert shape.bars.endswith("Z")


def test_an_open_end_is_shaded_to_the_edge():
    histogram = Histogram((0.0, 10.0), (1, 2, 3, 4), 2.5, None, 5.0, "")
    assert histogram_shape(histogram).right == WIDTH


def test_the_band_of_the_nulls_is_that_of_the_issue(results):
    # Four standard errors of 4,000 tests; more tests narrow it no more, fewer widen it.
    assert [band(tests) for tests in (1_000, 4_000, 16_000)] == [2.8, 1.4, 1.4]
    section = _sections(results)["nulls"]
    (table,) = section.blocks
    assert "1 of 2 lie within ±\N{NO-BREAK SPACE}1.4 points" in section.finding
    assert [row[2] for row in table.rows] == ["within the band", "outside the band"]


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ((0.044, 0.058), "About as often as they should: 4.4 to 5.8%, mean 5.1% (5% exp"),
        ((0.02, 0.03), "Less often than they should: 2.0 to 3.0%, mean 2.5% (5% expected). 0 of 2"),
        ((0.09, 0.05), "Too often: 5.0 to 9.0%, mean 7.0% (5% expected). 1 of 2 lie within"),
    ],
)
def test_the_rates_of_the_nulls_are_judged_by_their_mean(results, rates, words):
    verification = results.calibration.verification
    nulls = tuple(
        dataclasses.replace(null, rejected=rate)
        for null, rate in zip(verification.nulls, rates, strict=True)
    )
    changed = _changed(results, verification=dataclasses.replace(verification, nulls=nulls))
    assert _sections(changed)["nulls"].finding.startswith(words)
