"""The models page: models side by side, calibration curve, decision curve."""

import dataclasses
import json

import pandas as pd
import pytest

from outcomes.estimate import Estimate
from outcomes.reports import page_data, summarise_page
from outcomes.reports.charts import PlaneLine, PointChart
from outcomes.reports.content import CollapsedTable, Figure, Table
from outcomes.reports.figure_points import point_figure
from outcomes.reports.summary_agreement import agreement_section
from outcomes.reports.summary_benefit import benefit_section
from outcomes.reports.summary_features import known_before
from outcomes.reports.summary_performance import NULL, difference_finding

ENDPOINTS = ("overall-survival", "local-control")


def blocks_of(results, section_id):
    (section,) = [s for s in summarise_page("models", results).sections if s.id == section_id]
    return section.blocks


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_model_and_no_model_stand_in_the_table_with_their_differences(results, endpoint):
    blocks = blocks_of(results, f"performance-{endpoint}")
    (performance,) = [block for block in blocks if isinstance(block, Table)]
    (differences,) = [
        block.table
        for block in blocks
        if isinstance(block, CollapsedTable) and block.summary == "Model against model"
    ]
    assert [row[0] for row in performance.rows] == [
        "Cox model",
        "Random survival forest",
        "No model: the series’ own curve",
    ]
    assert [row[0] for row in differences.rows] == [
        "Cox model minus random survival forest",
        "Cox model minus no model",
        "Random survival forest minus no model",
    ]
    compared = results.model_comparisons[endpoint]
    found = compared.differences
    (row,) = found[
        (found["model"] == "cox") & (found["reference"] == NULL) & (found["measure"] == "c_index")
    ].to_dict("records")
    # No model is right in half of the pairs.
    expected = compared.evaluations["cox"].c_index.value - 0.5
    assert row["difference"] == pytest.approx(expected)
    assert differences.rows[1][1].splitlines()[0] == f"+{expected:.3f}"


@pytest.mark.parametrize(
    ("difference", "lower", "upper", "expected"),
    [
        (0.012, 0.004, 0.02, "0.012 higher than that of the random survival forest"),
        (0.012, 0.004, 0.02, ": little, but more than chance would explain."),
        (-0.05, -0.08, -0.01, "0.050 lower than that of the random survival forest"),
        (-0.05, -0.08, -0.01, "): more than chance would explain."),
        (0.012, -0.001, 0.02, "): no more than chance would explain."),
    ],
)
def test_the_difference_is_judged_by_its_interval(results, difference, lower, upper, expected):
    compared = results.model_comparisons["overall-survival"]
    row = {"model": "cox", "reference": "forest", "measure": "c_index"}
    row |= {"difference": difference, "lower": lower, "upper": upper}
    changed = dataclasses.replace(compared, differences=pd.DataFrame([row]))
    assert expected in difference_finding(changed).text


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_smooth_calibration_curve_is_drawn_with_its_band(results, endpoint):
    figure = blocks_of(results, f"agreement-{endpoint}")[0]
    assert isinstance(figure, Figure)
    evaluations = results.model_comparisons[endpoint].evaluations
    assert [line.label for line in figure.chart.lines] == ["Cox model", "random survival forest"]
    for line, kind in zip(figure.chart.lines, ("cox", "forest"), strict=True):
        curve = evaluations[kind].smooth_calibration
        assert line.x == tuple(curve["predicted"])
        assert line.y == tuple(curve["observed"])
        assert all(a <= b <= c for a, b, c in zip(line.lower, line.y, line.upper, strict=True))
    # The table begins and ends where the curve does.
    shown = [row[1] for row in figure.table.rows if row[0] == "Cox model"]
    predicted = evaluations["cox"].smooth_calibration["predicted"]
    assert shown[0] == f"{100 * predicted.iloc[0]:.1f}%"
    assert shown[-1] == f"{100 * predicted.iloc[-1]:.1f}%"


def test_calibration_is_said_in_points_and_in_events_of_100(results):
    evaluation = dataclasses.replace(
        results.evaluations[0],
        integrated_calibration_index=Estimate(0.0234, 0.01, 0.04),
        observed_expected_ratio=Estimate(0.97, 0.9, 1.05),
    )
    finding = agreement_section([evaluation], "overall-survival").finding
    assert "predicted risk of death by 12 months is 2.3 percentage points away" in finding
    assert "100 such events that the Cox model predicts, 97 were observed" in finding
    assert "(95% CI 90 to 105)" in finding


def test_without_a_smooth_curve_the_groups_remain(results):
    evaluation = dataclasses.replace(
        results.evaluations[0], smooth_calibration=results.evaluations[0].smooth_calibration[:0]
    )
    section = agreement_section([evaluation], "overall-survival")
    figure = section.blocks[0]
    assert figure.chart.lines == ()
    assert len(figure.table.rows) == len(evaluation.calibration_curve)
    nothing = dataclasses.replace(evaluation, calibration_curve=evaluation.calibration_curve[:0])
    assert agreement_section([nothing], "overall-survival") is None


def with_benefit(evaluation, model, everyone, margin=0.001):
    thresholds = [0.1 * (k + 1) for k in range(len(model))]
    table = pd.DataFrame({"threshold": thresholds, "net_benefit": model, "treat_all": everyone})
    gain = table["net_benefit"] - table["treat_all"].clip(lower=0)
    return dataclasses.replace(
        evaluation,
        net_benefit=table.assign(
            lower=model,
            upper=model,
            treat_none=0.0,
            difference=gain,
            difference_lower=gain - margin,
            difference_upper=gain + margin,
        ),
    )


@pytest.mark.parametrize(
    ("model", "everyone", "expected"),
    [
        (
            (0.4, 0.35, 0.2, 0.1),
            (0.4, 0.30, 0.05, -0.2),
            "at thresholds of 20% to 40%, most at 30% (worth 15.0 more right",
        ),
        ((0.5, 0.3, 0.3, 0.1), (0.4, 0.3, 0.2, 0.1), "at thresholds of 10% and 30%, most at"),
        (
            (0.4, 0.004),
            (0.4, -0.1),
            "does no better than treating all or none, beyond chance, at any",
        ),
        ((0.3, 0.1), (0.4, -0.1), "; it does worse at 10%."),
    ],
)
def test_the_thresholds_at_which_a_model_helps(results, model, everyone, expected):
    evaluation = with_benefit(results.evaluations[0], model, everyone)
    assert expected in benefit_section([evaluation], "overall-survival").finding


def test_a_gain_that_chance_may_explain_is_no_help(results):
    model, everyone = (0.4, 0.1, 0.01), (0.3, -0.1, -0.2)
    sure, unsure = (
        benefit_section(
            [with_benefit(results.evaluations[0], model, everyone, margin)], "overall-survival"
        )
        for margin in (0.05, 0.2)
    )
    assert "at thresholds of 10% to 20%, most at" in sure.finding
    assert "does no better than treating all or none, beyond chance" in unsure.finding
    unknown = with_benefit(results.evaluations[0], model, everyone, float("nan"))
    assert "no better" in benefit_section([unknown], "overall-survival").finding
    harm = with_benefit(results.evaluations[0], (0.3, 0.1), (0.4, 0.1), margin=0.2)
    assert "worse" not in benefit_section([harm], "overall-survival").finding
    shown = benefit_section([harm], "overall-survival").blocks[1].table.rows[0]
    assert shown[-2:] == ("−10.0", "−30.0 to 10.0")


def test_a_second_model_that_helps_at_the_same_thresholds_is_said_shortly(results):
    cox, forest = (
        with_benefit(evaluation, (0.4, gain), (0.4, -0.1))
        for evaluation, gain in zip(results.evaluations[:2], (0.1, 0.08), strict=True)
    )
    finding = benefit_section([cox, forest], "overall-survival").finding
    assert finding.endswith("So does the random survival forest, most at 20% (8.0 more).")


def test_thresholds_without_a_net_benefit_are_left_out(results):
    evaluation = with_benefit(results.evaluations[0], (0.4, float("nan")), (0.3, 0.1))
    figure = benefit_section([evaluation], "overall-survival").blocks[1]
    assert all(line.x == (0.1,) for line in figure.chart.lines)
    assert len(figure.table.rows) == 1
    nothing = with_benefit(results.evaluations[0], (float("nan"),), (0.1,))
    assert benefit_section([nothing], "overall-survival") is None


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_decision_curve_has_both_policies_beside_the_models(results, endpoint):
    figure = blocks_of(results, f"benefit-{endpoint}")[1]
    lines = {line.label: line for line in figure.chart.lines}
    assert list(lines) == ["treat all", "treat none", "Cox model", "random survival forest"]
    assert set(lines["treat none"].y) == {0.0}
    table = results.model_comparisons[endpoint].evaluations["cox"].net_benefit
    assert lines["Cox model"].y == pytest.approx(tuple(100 * table["net_benefit"]))
    assert lines["treat all"].y == pytest.approx(tuple(100 * table["treat_all"]))
    assert len(figure.legend) == 4
    # The line of a model is never cut off.
    low, high = figure.chart.y_range
    assert low <= min(lines["Cox model"].y) <= max(lines["Cox model"].y) <= high


def test_a_line_is_drawn_over_its_band():
    line = PlaneLine("x", "ink", (0.0, 1.0), (0.2, 0.4), (0.1, 0.3), (0.3, 0.5))
    chart = PointChart((), "x", "y", (0.0, 1.0), (0.0, 1.0), lines=(line,))
    band, curve = point_figure(chart, narrow=False)["data"]
    assert band["x"] == [0.0, 1.0, 1.0, 0.0]
    assert band["y"] == [0.3, 0.5, 0.3, 0.1]
    assert curve["y"] == [0.2, 0.4]


def test_the_data_of_the_page_hold_the_curves(results):
    text = json.dumps(page_data("models", results), allow_nan=False)
    for endpoint in ENDPOINTS:
        assert f'"net-benefit-{endpoint}"' in text
        assert f'"calibration-{endpoint}"' in text


def test_without_a_comparison_of_models_there_are_no_differences(results):
    alone = dataclasses.replace(results, model_comparisons={})
    blocks = blocks_of(alone, "performance-overall-survival")
    collapsed = [block.summary for block in blocks if isinstance(block, CollapsedTable)]
    assert "Model against model" not in collapsed
    (table,) = [block for block in blocks if isinstance(block, Table)]
    assert table.rows[-1][-1] == "–"
    agreement = blocks_of(alone, "agreement-overall-survival")
    (table,) = [block for block in agreement if isinstance(block, Table)]
    assert [row[0] for row in table.rows] == ["Cox model", "Random survival forest"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_error_on_the_single_patient_leads_and_is_told_from_agreement(results, endpoint):
    sections = {s.id: s for s in summarise_page("models", results).sections}
    evaluations = results.model_comparisons[endpoint].evaluations
    cox, forest, null = (
        f"{100 * evaluations[name].truth_mean_absolute_error[12.0]:.1f}"
        for name in ("cox", "forest", NULL)
    )
    finding = sections[f"performance-{endpoint}"].finding
    assert f"12 months is {cox} percentage points off the true one on average" in finding
    assert finding.endswith(f"the random survival forest’s {forest}.")
    table = next(b for b in sections[f"performance-{endpoint}"].blocks if isinstance(b, Table))
    assert [row[-1] for row in table.rows] == [cox, forest, null]
    assert "This is about groups" in sections[f"agreement-{endpoint}"].finding


def test_the_head_says_which_features_are_known_only_after_surgery(results):
    page = summarise_page("models", results)
    assert "The models use 9 features, 5 of them known only after surgery" in page.question
    rows = {row[0]: row[1:] for row in page.sections[0].blocks[0].rows}
    assert rows["Known before surgery"][0] == "4"
    late = "Systemic therapy after surgery, postoperative complication, SBRT after surgery"
    assert rows["Known only after surgery"][1].startswith(late)
    for name in ("primary tumour", "visceral metastases", "ESCC grade"):
        assert name in rows["Not used, though known before surgery"][1]
    assert [(s.id, s.title) for s in page.sections] == list(page.jumps)


def test_features_of_ones_own_columns_are_neither_before_nor_after(own_results):
    assert known_before("kps")
    assert known_before("separation_mm") is False
    assert known_before("hair") is None
    rows = summarise_page("models", own_results).sections[0].blocks[0].rows
    assert "Other" in [row[0] for row in rows]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_hazard_ratios_have_one_reference_and_stand_by_when_they_are_known(results, endpoint):
    (section,) = [
        s
        for s in summarise_page("models", results).sections
        if s.id.startswith(f"effects-{endpoint}")
    ]
    figure = section.blocks[0]
    labels = [row.label for row in figure.chart.rows]
    before, after = labels.index("KNOWN BEFORE SURGERY"), labels.index("KNOWN ONLY AFTER SURGERY")
    assert before < labels.index("Karnofsky score, per 10 points") < after
    assert after < labels.index("SBRT single fraction of 24 Gy against none")
    assert sum("against none" in label for label in labels) == 3
    assert not any("against low dose" in label for label in labels)
    assert "association, not effect" in section.finding
    # The headings are no rows of the table.
    assert len(figure.table.rows) == len(labels) - 2


def test_a_loss_within_the_noise_of_shuffling_is_said_so(results):
    key = ("overall-survival", "cox")
    table = results.models[key].importance.assign(lower=0.01)
    table.loc[table.index[-1], ["importance", "lower"]] = [-0.002, -0.004]
    models = {**results.models, key: dataclasses.replace(results.models[key], importance=table)}
    blocks = blocks_of(dataclasses.replace(results, models=models), "importance-overall-survival")
    chart = blocks[0].chart
    assert chart.bars[-1].value == 0
    assert chart.bars[-1].text == "within noise"
    assert "within noise" not in [bar.text for bar in chart.bars[:-1]]
    assert blocks[0].table.rows[-1][1] == "−0.002"
    assert "SBRT and dose regimen" in [bar.label for bar in chart.bars]
    assert "Dose regimen" not in [bar.label for bar in chart.bars]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_models_are_shown_by_the_value_of_one_feature_beside_the_truth(results, endpoint):
    kps, separation = blocks_of(results, f"dependence-{endpoint}")
    for figure in (kps, separation):
        labels = [line.label for line in figure.chart.lines]
        assert labels == ["the Cox model", "the random survival forest", "the truth"]
        assert figure.table.rows[0][0] == f"{figure.chart.lines[0].x[0]:g}"
        assert all(0 <= y <= 1 for line in figure.chart.lines for y in line.y)
    cox, _, truth = separation.chart.lines
    # Below 3 mm and above, one value each: so the models are coded and so the truth is.
    assert len({round(y, 6) for y in cox.y}) == len({round(y, 6) for y in truth.y}) == 2
    none = dataclasses.replace(results, dependence={})
    assert not any("dependence" in s.id for s in summarise_page("models", none).sections)
