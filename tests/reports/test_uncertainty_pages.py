"""What the calibration page says about uncertainty and about whether the calibration holds."""

import dataclasses
import math

from outcomes.reports import render_page, summarise_page
from outcomes.reports.charts import IntervalChart, IntervalRow
from outcomes.reports.content import (
    Bullets,
    Caveat,
    CollapsedTable,
    DistributionTable,
    Figure,
    Paragraph,
    Table,
)
from outcomes.reports.figures import plotly_figure
from outcomes.reports.parameter_names import sources_words
from outcomes.reports.summary_decomposition import strength_sentence
from outcomes.reports.summary_parameters import is_open
from outcomes.reports.summary_targets import is_taken_over
from outcomes.reports.summary_uncertainty import effect_range, prior_pulls
from outcomes.synthetic.ensemble import Source


def _sections(results):
    return {section.id: section for section in summarise_page("calibration", results).sections}


def _changed(results, **changes):
    calibration = dataclasses.replace(results.calibration, **changes)
    return dataclasses.replace(results, calibration=calibration)


def test_without_ensemble_and_verification_the_page_says_how_to_make_them(results):
    bare = _changed(results, ensemble=None, verification=None)
    sections = _sections(bare)
    assert "outcomes calibrate --draws 200" in sections["uncertainty"].finding
    assert "outcomes calibrate --cohorts 1000" in sections["verification"].finding
    assert "nulls" not in sections
    assert "central 95%" not in render_page("index", bare)
    assert "may be the effect" in render_page("calibration", bare)


def test_every_derived_quantity_stands_in_a_chart_and_its_table(results):
    quantities = results.calibration.ensemble.quantities
    figures = [b for b in _sections(results)["uncertainty"].blocks if isinstance(b, Figure)]
    rows = [row for figure in figures for row in figure.chart.rows]
    assert sorted(row.value for row in rows) == sorted(one.median for one in quantities)
    assert sorted(row.beside for row in rows) == sorted(one.value for one in quantities)
    assert sum(len(figure.table.rows) for figure in figures) == len(quantities)
    styles = {row.label: row.style for row in figures[0].chart.rows}
    assert styles == {"Surgery alone": "control", "SBRT after surgery": "treated"}


def test_uncertainty_leads_with_the_median_of_the_effect(results):
    finding = _sections(results)["uncertainty"].finding
    effect = (
        "If the hazard ratio of death under SBRT lies between 0.55 and 1.00 (assumed; harm was not "
        "considered), median survival with SBRT would be longer by 13 months (95 of 100 solutions: "
        "7 to 24). That this excludes 0 follows from the assumption; it is not evidence of benefit."
    )
    assert finding.startswith(effect)
    (no_effect,) = [row for row in results.calibration.decomposition if row.hazard_ratio == 1]
    assert f"Even a ratio of 1.00 leaves {no_effect.causal:.1f} months: SBRT also prev" in finding
    assert "published as 17 months, may be anything from 12 to 70" in finding
    assert effect in render_page("index", results)


def test_an_effect_that_may_be_none_is_not_said_to_exclude_it(results):
    ensemble = results.calibration.ensemble
    changed = tuple(
        dataclasses.replace(one, median=-3.0, lower=-9.0) if "median_survival" in one.id else one
        for one in ensemble.quantities
    )
    words = effect_range(
        _changed(results, ensemble=dataclasses.replace(ensemble, quantities=changed)).calibration
    )
    assert "would be shorter by 3 months (95 of 100 solutions: −9 to 24)." in words
    assert "excludes 0" not in words
    assert effect_range(_changed(results, ensemble=None).calibration) == ""


def test_the_effect_is_called_an_assumption_wherever_it_is_drawn(results):
    section = _sections(results)["uncertainty"]
    (caveat,) = [block for block in section.blocks if isinstance(block, Caveat)]
    figures = [block for block in section.blocks if isinstance(block, Figure)]
    effects = [one for one in figures if one.id.startswith("uncertainty-effect")]
    assert len(effects) == 2
    for words in (caveat.text, *(one.caption for one in effects)):
        assert "The effect of SBRT is an assumption" in words
        assert "varied between 0.55 and 1.00" in words
    assert {one.chart.rows[0].style for one in effects} == {"ink"}


def test_colour_is_the_treatment_that_an_arm_had(results):
    (liu, *_) = results.calibration.ensemble.quantities
    arms = (
        ("laufer-2013", "single_24", "treated"),
        ("gong-2021", "aggressive", "treated"),
        ("amankulor-2014", "all", "treated"),
        ("bate-2015", "sbrt_alone", "hollow"),
        ("liu-2020", "alone", "control"),
    )
    quantities = tuple(
        dataclasses.replace(liu, id=f"{study}/local_progression_12m/{arm}", study=study)
        for study, arm, _ in arms
    )
    ensemble = dataclasses.replace(results.calibration.ensemble, quantities=quantities)
    section = _sections(_changed(results, ensemble=ensemble))["uncertainty"]
    (figure,) = [block for block in section.blocks if isinstance(block, Figure)]
    assert [row.style for row in figure.chart.rows] == [style for *_, style in arms]
    assert [entry.label for entry in figure.legend] == [
        "surgery + SBRT",
        "surgery alone",
        "SBRT without surgery",
    ]
    (target,) = [
        one
        for one in results.calibration.targets
        if one.id == "gong-2021/local_progression_12m/aggressive"
    ]
    assert "Gong 2021 reports 1 − Kaplan–Meier" in figure.caption
    assert f"{target.achieved:.1f}% where this figure has {liu.value:.1f}%" in figure.caption


def test_the_row_says_where_the_prior_pulls(results):
    quantity = results.calibration.ensemble.quantities[0]
    wide = dataclasses.replace(quantity, lower=10.0, median=20.0, upper=30.0)
    assert prior_pulls(dataclasses.replace(wide, value=21.6))
    assert not prior_pulls(dataclasses.replace(wide, value=21.4))
    assert prior_pulls(dataclasses.replace(wide, value=18.4))
    endless = dataclasses.replace(wide, upper=math.inf)
    assert prior_pulls(dataclasses.replace(endless, value=21.6))
    assert not prior_pulls(dataclasses.replace(endless, value=21.4))
    assert not prior_pulls(dataclasses.replace(endless, median=math.inf))

    near = dataclasses.replace(wide, value=20.0)
    ensemble = results.calibration.ensemble
    far = dataclasses.replace(wide, value=28.0)
    changed = dataclasses.replace(ensemble, quantities=(near, far))
    section = _sections(_changed(results, ensemble=changed))["uncertainty"]
    (figure,) = [block for block in section.blocks if isinstance(block, Figure)]
    assert [row[1:3] for row in figure.table.rows] == [
        ("20.0%\n10.0 to 30.0", "20.0"),
        ("20.0%\n10.0 to 30.0", "28.0\nthe assumption\noutweighs the data"),
    ]


def test_a_median_that_is_not_reached_has_a_row_without_a_point(results):
    ensemble = results.calibration.ensemble
    changed = tuple(
        dataclasses.replace(one, median=math.inf) if math.isinf(one.upper) else one
        for one in ensemble.quantities
    )
    endless = _changed(results, ensemble=dataclasses.replace(ensemble, quantities=changed))
    figures = [b for b in _sections(endless)["uncertainty"].blocks if isinstance(b, Figure)]
    (row,) = [row for figure in figures for row in figure.chart.rows if row.value is None]
    assert row.upper is None
    assert "not reached" in render_page("calibration", endless)


def test_the_calibrated_value_is_a_mark_of_its_own():
    chart = IntervalChart((IntervalRow("a", "g", 10.0, 7.0, 12.0, "ink", 8.0),), "Months")
    marks = [trace for trace in plotly_figure(chart)["data"] if trace["mode"] == "markers"]
    assert [trace["x"] for trace in marks] == [[8.0], [10.0]]
    assert marks[0]["marker"]["symbol"] == "line-ns-open"


def test_the_parts_of_the_crude_difference_have_intervals(results):
    calibration = results.calibration
    section = _sections(results)["decomposition"]
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert [row[:3] for row in tables[0].rows] == [
        ("Effect of SBRT", "13.0", "7.0 to 24.0"),
        ("Crude difference", "18.0", "12.0 to 70.0"),
    ]
    words = " ".join(block.text for block in section.blocks if isinstance(block, Paragraph))
    (shape,) = [one for one in calibration.parameters if one.key == "liu-2020/death_shape"]
    assert is_open(shape)
    assert f"hardly settle it ({100 * shape.identified:.0f}% of what is known" in words
    bare = _sections(_changed(results, ensemble=None))["decomposition"]
    assert len([block for block in bare.blocks if isinstance(block, Table)]) == len(tables) - 1


def test_figures_taken_over_are_not_counted_as_agreement(results):
    compared = next(
        target
        for target in results.calibration.targets
        if target.role == "check" and target.published is not None
    )
    same = dataclasses.replace(compared, published=4.0, achieved=4.0 + 1e-7, within=True)
    near = dataclasses.replace(compared, published=4.0, achieved=4.0 + 1e-3, within=True)
    assert is_taken_over(same)
    assert not is_taken_over(near)
    assert not is_taken_over(dataclasses.replace(same, role="fit"))
    (table,) = [
        block
        for block in _sections(_changed(results, targets=(same, near)))["figures"].blocks
        if isinstance(block, CollapsedTable)
    ]
    assert table.summary.endswith(": of 1 only compared 1 inside, 1 taken over")
    assert [row[-1].split("\n")[0] for row in table.table.rows] == ["taken over", "inside"]


def test_a_compared_figure_taken_over_does_not_count_in_the_cohorts(results):
    figure = results.calibration.verification.figures[1]
    targets = tuple(
        dataclasses.replace(target, published=4.8, achieved=4.8)
        if target.id == figure.id
        else target
        for target in results.calibration.targets
    )
    assert "only compared" in _sections(results)["verification"].finding
    taken = _sections(_changed(results, targets=targets))["verification"]
    assert "only compared" not in taken.finding
    table = next(block for block in taken.blocks if isinstance(block, DistributionTable))
    assert [row.label.split("\n")[1:] for row in table.rows] == [[], ["Taken over"]]


def test_medians_that_are_never_reached_have_their_share(results):
    section = _sections(results)["verification"]
    tables = [block for block in section.blocks if isinstance(block, DistributionTable)]
    (row,) = [row for table in tables for row in table.rows if "Median overall" in row.label]
    assert row.central.startswith("11.0 to not reached (never in 10% of the cohorts)")
    assert any(
        "arms of random size" in block.text
        for block in section.blocks
        if isinstance(block, Paragraph)
    )


def test_sources_are_told_in_words_with_their_shares(results):
    quantity = results.calibration.ensemble.quantity("liu-2020/sbrt_effect/median_survival")
    assert sources_words(results, quantity.sources) == (
        "60% from the small number of patients; 30% from the assumed hazard ratio of death under "
        "SBRT; 8% from the prior for the spread of the times of local progression in Liu 2020"
    )
    assert sources_words(results, (Source("sampling", "", 0.05),)) == "many small causes"


def test_an_interval_without_end_ends_in_an_arrow(results):
    rows = (
        IntervalRow("a", "g", 38.0, 24.0, None),
        IntervalRow("b", "g", 9.0, 7.0, 80.0),
        IntervalRow("c", "g", 9.0, 7.0, 12.0),
    )
    for layout in ("data", "narrow_data"):
        traces = plotly_figure(IntervalChart(rows, "Months", x_max=60.0))[layout]
        if traces is None:
            continue
        lines = [trace for trace in traces if "lines" in trace["mode"]]
        arrows = [trace["x"][1] for trace in lines if "marker" in trace]
        assert arrows == [60.0, 60.0]
        assert lines[2]["x"] == [7.0, 12.0]
    page = summarise_page("calibration", results)
    captions = [b.caption for s in page.sections for b in s.blocks if isinstance(b, Figure)]
    assert any("goes on beyond 60 months" in caption for caption in captions)
    assert "33.0 to no limit" in render_page("calibration", results)


def test_open_parameters_are_named_and_counted(results):
    calibration = results.calibration
    section = _sections(results)["parameters"]
    opened = [parameter for parameter in calibration.parameters if is_open(parameter)]
    settled = sum(value > 1 for value in calibration.singular_values)
    assert f"Of {len(calibration.parameters)} parameters, {len(opened)} are set" in section.finding
    assert f"decide {settled} of {len(calibration.parameters)} directions" in section.finding
    first = next(block for block in section.blocks if isinstance(block, Bullets))
    assert sum(item.count(";") + 1 for item in first.items) == len(opened)
    liu = next(item for item in first.items if item.startswith("Liu 2020"))
    assert "the spread of the times of local progression" in liu


def test_the_strength_of_selection_is_held_against_another_series(results):
    words = strength_sentence(results.calibration, results.calibration.decomposition)
    row = results.calibration.decomposition[-1]
    assert row.hazard_ratio == 1
    assert f"{row.kps_difference:.1f} points of the Karnofsky score" in words
    assert "less than the 13 points" in words
    assert "Echt 2021" in words
    section = _sections(results)["decomposition"]
    *_, table = [block for block in section.blocks if isinstance(block, Table)]
    assert len(table.rows) == len(results.calibration.decomposition)
    assert table.rows[-1][-1] == f"{row.odds_ratio_per_sd:.2f}"


def test_each_series_with_sbrt_by_choice_is_taken_apart(results):
    rows = results.calibration.decomposition
    other = tuple(dataclasses.replace(row, study="al-omair-2013") for row in rows)
    sections = summarise_page("calibration", _changed(results, decomposition=rows + other)).sections
    ids = [section.id for section in sections]
    assert ids[1:3] == ["decomposition", "decomposition-al-omair-2013"]
    assert sections[1].title == "Is 38 against 21 months the effect of SBRT?"
    assert sections[2].title == "Is 17 months the effect of SBRT?"
    assert "decomposition" not in _sections(_changed(results, decomposition=()))


def test_studies_solved_apart_are_named(results):
    assert "solved apart" not in _sections(results)["agreement"].finding
    finding = _sections(_changed(results, apart=("liu-2020",)))["agreement"].finding
    assert "Liu 2020 could not be met together with the others and was solved apart" in finding
