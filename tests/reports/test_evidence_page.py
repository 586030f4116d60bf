"""The evidence page: what stands beside a figure, and findings in plain words."""

import re

import pytest

from outcomes.evidence import load_evidence
from outcomes.reports import render_page, summarise_page
from outcomes.reports.content import CollapsedTable, CollapsedText, Paragraph
from outcomes.reports.measured import (
    measure,
    measure_and_role,
    printed_label,
    printed_value,
    printed_words,
)
from outcomes.reports.names import house_style
from outcomes.reports.summary_tensions import findings


@pytest.fixture(scope="module")
def evidence():
    return load_evidence()


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ("laufer-2013/time_of_death_without_progression", "median among those with the event"),
        ("laufer-2013/follow_up_alive_without_progression", "median among those it applies to"),
        ("laufer-2013/follow_up_mean", "mean of all patients"),
        ("bate-2015/vas_decrease", "mean ± standard deviation"),
        ("bate-2015/vas_decrease_median", "median among those it applies to"),
        ("bate-2015/local_progression_crude", "share of lesions, whatever their follow-up"),
        ("liu-2020/local_progression_crude/alone", "share of patients, whatever their follow-up"),
        ("liu-2020/time_of_progression/sbrt", "single patient"),
        ("liu-2020/follow_up_survived_sd", "standard deviation"),
        ("hikata-2017/blood_loss/open", "mean (no spread printed)"),
    ],
)
def test_how_a_figure_was_measured_fits_its_quantity(evidence, figure, expected):
    assert measure(evidence.figure(figure), evidence) == expected


def test_what_the_role_says_is_said_once(evidence):
    rule = evidence.figure("gong-2021/rule/separation_distance")
    null = evidence.figure("gong-2021/null/local_control/resection")
    assert measure_and_role(rule, evidence) == "Rule"
    assert measure_and_role(null, evidence) == "No effect"


def test_a_reading_of_ours_is_not_shown_as_print(evidence):
    liu = evidence.figure("liu-2020/follow_up_survived")
    assert printed_label(liu, evidence).startswith("Follow-up (read as that of survivors)")
    assert printed_value(liu, evidence).endswith("\nn\u00a0=\u00a052 printed; survivors not given")
    bate = evidence.figure("bate-2015/follow_up_survived")
    assert "read as" not in printed_label(bate, evidence)
    assert printed_value(bate, evidence) == "15.4 months\nn\u00a0=\u00a025"
    laufer = evidence.figure("laufer-2013/time_of_progression_range")
    assert printed_label(laufer, evidence).endswith("(printed as range of follow-up)")


def test_notes_stand_apart_from_the_quotation(evidence):
    words = printed_words(evidence.figure("gong-2021/local_progression_12m/moderate"))
    assert words.split("\n") == [
        "“27.8%”",
        "Note: 27.8% of 17 patients is no whole number but is 5 of 18.",
        "How it was read: 27.8% as 1 − Kaplan–Meier like the other arm.",
        "Table 1",
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("24-30 Gy/3f and 18-36 Gy/5-6f", "24–30 Gy/3f and 18–36 Gy/5–6f"),
        ("(s13014-020-01740-y), 0.2-38", "(s13014-020-01740-y), 0.2–38"),
        ("56.7 +- 7.4", "56.7 ± 7.4"),
        ("ratio -0.25, range -0.40 to -0.10", "ratio −0.25, range −0.40 to −0.10"),
        ("27.8 % of 17", "27.8% of 17"),
        ("Frankel A-D, T-shaped", "Frankel A–D, T-shaped"),
    ],
)
def test_house_style(written, expected):
    assert house_style(written) == expected


def test_findings_are_told_without_arithmetic_which_stays_behind_a_line(results):
    page = summarise_page("evidence", results)
    told = {section.id: section.blocks for section in page.sections}
    blocks = [b for name in ("tensions", "improbable", "readings") for b in told[name]]
    for block in blocks:
        if isinstance(block, Paragraph):
            assert not re.search(r"Weibull|probability", block.text)
    behind = " ".join(block.text for block in blocks if isinstance(block, CollapsedText))
    assert "Weibull" in behind
    by_title = {one.title: one.short for one in findings(results)}
    assert by_title["Laufer 2013: average follow-up against its parts"] == (
        "An average follow-up of 4.8 months does not fit: those who died were followed for a "
        "median of 5.6 months and the living for 7.1 months."
    )


def test_entries_and_numbers_are_both_counted(results):
    page = summarise_page("evidence", results)
    entries = sum(figure.role == "fit" for figure in results.evidence.figures)
    targets = [t for t in results.calibration.targets if t.role == "fit"]
    numbers = len(results.calibration.fitted)
    (key,) = [key for key in page.keys if key.label == "Fitted"]
    assert key.value == str(entries)
    assert key.note == f"written out {numbers} numbers and {len(targets) - numbers} directions"


def test_assumed_ratios_and_shares_have_no_unit_of_their_own(results):
    sections = {s.id: s for s in summarise_page("evidence", results).sections}
    rows = {row[0]: row[1] for row in sections["assumptions"].blocks[0].rows}
    assert rows["Hazard ratio of death per 10 points more Karnofsky score"] == "0.78\n0.67 to 0.90"
    assert rows["Women"] == "45%\n35 to 55%"


def test_long_page_links_to_its_sections_and_opens_one_source(results):
    page = summarise_page("evidence", results)
    assert [name for name, _ in page.jumps] == [section.id for section in page.sections]
    (studies,) = [section for section in page.sections if section.id == "studies"]
    opened = [block.opened for block in studies.blocks if isinstance(block, CollapsedTable)]
    assert opened == [True] + [False] * (len(studies.blocks) - 1)
    text = render_page("evidence", results)
    assert 'href="#studies"' in text
    assert 'class="jumps"' not in render_page("cohort", results)
