"""What the calibration page counts and judges, and what it shows as published."""

import dataclasses
import math

import pytest

from outcomes.reports import summarise_page
from outcomes.reports.content import CollapsedTable, DistributionTable, Figure, Paragraph
from outcomes.reports.drawing import rows_of
from outcomes.reports.summary_targets import published_cell


def _sections(results):
    return {section.id: section for section in summarise_page("calibration", results).sections}


def _changed(results, **changes):
    calibration = dataclasses.replace(results.calibration, **changes)
    return dataclasses.replace(results, calibration=calibration)


def test_a_figure_has_one_verdict_on_the_whole_page(results):
    # Two standard errors and the cohorts disagree about this one: the cohorts decide.
    figure = results.calibration.verification.figures[1]
    targets = tuple(
        dataclasses.replace(target, within=True) if target.id == figure.id else target
        for target in results.calibration.targets
    )
    page = _sections(_changed(results, targets=targets))
    (summary,) = [
        block.summary
        for block in page["figures"].blocks
        if isinstance(block, CollapsedTable) and block.summary.startswith("Laufer 2013")
    ]
    compared = [
        target
        for target in targets
        if (target.study, target.role) == ("laufer-2013", "check") and target.id != figure.id
    ]
    inside = sum(target.within is True for target in compared)
    assert summary.endswith(f"of {len(compared) + 1} only compared {inside} inside")


def test_a_count_that_a_design_fixes_contradicts_another_print_of_it(results):
    verification = results.calibration.verification
    *others, fixed = verification.figures
    fixed = dataclasses.replace(fixed, role="check", published=58.0, inside=False, tension="Why.")
    changed = dataclasses.replace(verification, figures=(*others, fixed))
    section = _sections(_changed(results, verification=changed))["verification"]
    rows = [row for t in section.blocks if isinstance(t, DistributionTable) for row in t.rows]
    assert rows[-1].verdict == "57 by design; 58 is a contradiction, explained above"


def test_directions_are_no_numbers_that_are_met(results):
    table = _sections(results)["figures"].blocks[-1]
    verdicts = {row[0].split("\n")[0]: row[-1] for row in table.rows}
    assert verdicts["Hardware risk, women"] == "same direction; size assumed"
    assert verdicts["Separation below 3 mm, 12 months"] == "same direction; size partly settled"
    assert verdicts["Karnofsky score after treatment"] == "same direction; size not published"
    assert verdicts["Overall survival: sex"] == "no effect"


def test_published_shares_stand_as_they_were_printed(results):
    def cell(name, value=1.0, unit="percent"):
        return published_cell(results, name.partition("/")[0], name, value, unit)

    assert cell("laufer-2013/local_progression_crude", 18.27956989) == "34 of 186 (18.3%)"
    assert cell("bate-2015/local_progression_crude/sbrt_alone", 6.25) == "3 of 48 (6.3%)"
    assert cell("laufer-2013/local_progression_12m", 16.4) == "16.4%"
    assert cell("liu-2020/vas_after_sd/alone", 1.91, "points") == "1.91 points"


def test_the_counts_at_the_top_are_those_of_the_evidence(results):
    calibration = results.calibration
    section = _sections(results)["agreement"]
    entries = [figure for figure in calibration.evidence.figures if figure.role == "fit"]
    ranges = [figure for figure in entries if figure.estimand == "range"]
    (words,) = [block.text for block in section.blocks if isinstance(block, Paragraph)]
    assert words.startswith(f"{len(entries)} published entries are fitted")
    assert words.endswith(f"they are {len(calibration.fitted)} numbers and 4 directions.")
    assert len(ranges) == 2
    wider = [
        target
        for target in calibration.fitted
        if target.study == "laufer-2013"
        and target.unit == "percent"
        and abs(target.achieved - target.published) > 0.1
    ]
    assert f"{len(calibration.fitted) - len(wider)} within the usual tolerance" in section.finding
    assert f"{len(wider)} of Laufer 2013 within 0.3 percentage points" in section.finding
    assert "average to 16.0" in section.finding


def test_the_lines_are_those_of_the_cohorts_or_said_to_be_computed(results):
    def drawn(of):
        figures = [b for b in _sections(of)["agreement"].blocks if isinstance(b, Figure)]
        return {(d.group, d.label): d for f in figures for d in f.chart.dots}, figures[0]

    dots, figure = drawn(results)
    dot = dots["Laufer 2013", "Local progression, 12 months"]
    assert (dot.lower, dot.upper) == (11.0, 22.0)
    assert math.isinf(dots["Liu 2020", "Median overall survival, SBRT after surgery"].upper)
    assert figure.legend[-1].label == "central 95% of repeated cohorts"
    assert "No publication prints the lines" in figure.caption
    dots, figure = drawn(_changed(results, verification=None))
    (target,) = [
        t for t in results.calibration.fitted if t.id == "laufer-2013/local_progression_12m"
    ]
    dot = dots["Laufer 2013", "Local progression, 12 months"]
    assert dot.upper == pytest.approx(16.4 + 1.96 * target.standard_error)
    assert "± 1.96 standard errors" in figure.caption
    assert figure.legend[-1].label == "95% interval computed here"


def test_rows_of_two_lines_have_room_of_their_own():
    names = ["one", "one<br>two", "one"]
    rows = rows_of(["a", "a", "b"], names, narrow=True)
    assert [group for _, group in rows.headings] == ["a", "b"]
    assert (
        rows.at[1] - rows.at[0]
        == rows_of(["a"] * 2, names[::2], narrow=True).at[1] + 15 - (rows.at[0])
    )
    assert rows.headings[1][0] > rows.at[1]
    assert rows.height > rows.at[-1]
