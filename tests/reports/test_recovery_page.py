"""The page of the bias laboratory: known truths, and what is said of the methods under them."""

import dataclasses

import pytest

from outcomes.laboratory import SCENARIOS, Measured, Performance, Recovered, Recovery
from outcomes.reports.charts import ForestChart
from outcomes.reports.content import Figure, Paragraph, Table
from outcomes.reports.summary_recovery import recovery_page, summarise_recovery
from outcomes.reports.summary_truths import with_error

NOTHING = Measured(0.0, 0.0)


def performance(bias, *, truth=0.0, rejects=0.05, model_se=0.05, error=0.005):
    return Performance(
        cohorts=1000,
        not_estimable=NOTHING,
        without_interval=NOTHING,
        truth=truth,
        mean=Measured(truth + bias, error),
        bias=Measured(bias, error),
        relative_bias=None,
        empirical_se=Measured(0.05, 0.001),
        model_se=Measured(model_se, 0.001),
        model_se_error=NOTHING,
        mean_squared_error=None,
        coverage=Measured(0.95, 0.007),
        bias_eliminated_coverage=Measured(0.95, 0.007),
        rejects=Measured(rejects, 0.007),
        rejects_in_favour=Measured(rejects, 0.007),
    )


@pytest.fixture(scope="module")
def recovery():
    rows = [
        Recovered(scenario, size, "overall-survival", method, "risk_difference", 12.0, found)
        for scenario, truth in (("no-effect", 0.0), ("default", -0.1))
        for size, spread in ((52, 0.14), (1000, 0.03))
        for method, found in (
            ("crude", performance(-0.041, truth=truth, rejects=0.28, model_se=spread)),
            ("iptw", performance(0.02, truth=truth, model_se=spread)),
            ("clone-censor-weight", performance(-0.004, truth=truth, model_se=spread)),
        )
    ]
    return Recovery(
        study="liu-2020",
        scenarios=(SCENARIOS["no-effect"], SCENARIOS["default"]),
        sizes=(52, 1000),
        endpoints=("overall-survival",),
        horizon=12.0,
        cohorts=1000,
        seed=0,
        bootstraps=0,
        jackknife_below=0,
        results=tuple(rows),
    )


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
