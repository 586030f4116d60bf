"""The page of the bias laboratory: known truths, and what is said of the methods under them."""

import dataclasses

import pytest

from outcomes.laboratory import Measured
from outcomes.reports.charts import ForestChart
from outcomes.reports.content import Figure, Paragraph, Table
from outcomes.reports.summary_recovery import recovery_page, summarise_recovery
from outcomes.reports.summary_truths import with_error


@pytest.fixture(scope="module")
def page(recovery):
    return summarise_recovery(recovery, {})


def test_results_come_before_the_design(page):
    assert [one.id for one in page.sections] == ["found", "no-effect", "default", "design"]
    assert page.jumps == tuple((one.id, one.title) for one in page.sections)
    assert page.sections[1].title == "SBRT does nothing"


def test_key_numbers_carry_their_error(page):
    assert [key.value for key in page.keys] == ["−4.1 of 100", "−0.4 of 100"]
    assert all(key.note.startswith("± 0.5; death; SBRT does nothing") for key in page.keys)


def test_both_ends_of_the_ladder_under_every_truth(page):
    (table,) = page.sections[0].blocks
    assert isinstance(table, Table)
    assert table.rows == (
        ("SBRT does nothing", "0.0", "−4.1 ± 0.5", "28%", "−0.4 ± 0.5", "5%"),
        ("SBRT does what is assumed", "−10.0", "−4.1 ± 0.5", "28%", "−0.4 ± 0.5", "5%"),
    )


def test_sentences_tell_truth_error_and_chance(page):
    nothing, assumed = (
        next(block.text for block in one.blocks if isinstance(block, Paragraph))
        for one in page.sections[1:3]
    )
    assert nothing.startswith("The true difference by month 12 is 0.0 of 100.")
    assert "is 4.1 ± 0.5 of 100 too good for SBRT on average" in nothing
    assert "an effect that is not there in 28%" in nothing
    # An error within its Monte Carlo interval is not called one.
    assert "right on average as far as can be told (off by −0.4 ± 0.5)" in nothing
    assert "With 52 patients the interval of the plain comparison reaches 27 of 100" in nothing
    assert assumed.startswith("The true difference by month 12 is −10.0 of 100.")
    assert "finds the effect in 28%" in assumed


def test_a_figure_marks_unadjusted_methods_and_names_its_numbers(page):
    figure = next(block for block in page.sections[1].blocks if isinstance(block, Figure))
    assert isinstance(figure.chart, ForestChart)
    styles = {row.label: row.style for row in figure.chart.rows}
    assert styles["Plain comparison"] == "misleading"
    assert styles["Weighted (IPTW)"] == "ink"
    # The first text is the only one beside the name on a phone.
    assert figure.chart.rows[0].texts == ("−4.1 ± 0.5", "95%", "28%")
    assert "false alarms" in figure.caption
    assert figure.table.stacked


def test_few_cohorts_are_said_to_be_few(recovery):
    few = summarise_recovery(dataclasses.replace(recovery, cohorts=20), {})
    assert "With so few cohorts" in few.notice
    assert "With so few cohorts" not in summarise_recovery(recovery, {}).notice


def test_an_error_that_is_not_known_is_not_shown():
    assert with_error(Measured(1.0, 0.0), 100.0, 0, "%") == "100%"
    assert with_error(Measured(0.95, 0.007), 100.0, 0, "%") == "95% ± 0.7"


def test_the_page_uses_words_not_identifiers(recovery):
    text = recovery_page(recovery, {}).split("<script")[0]
    assert "Liu 2020" in text
    assert "liu-2020" not in text
