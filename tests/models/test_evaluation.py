"""Evaluation out of sample: what it measures, and what it leaves out and says so."""

import json

import numpy as np
import pandas as pd
import pytest

from outcomes.errors import ModelError
from outcomes.models import (
    CoxModel,
    ForestModel,
    cross_validate,
    evaluate,
    load_model,
    save_model,
)
from outcomes.models.evaluation import assign_folds, identify_patients

HORIZONS = [3.0, 6.0, 12.0, 24.0]


@pytest.fixture(scope="module")
def external(make_cohort, true_death_risk):
    train, test = make_cohort(1500, seed=21), make_cohort(1500, seed=22)
    truth = true_death_risk(test, HORIZONS)
    return test, evaluate(CoxModel().fit(train), test, truth=truth, n_bootstrap=60)


def test_a_right_model_is_calibrated_and_near_the_truth(external):
    _, result = external
    assert result.calibration_slope.value == pytest.approx(1.0, abs=0.15)
    assert result.calibration_in_the_large.value == pytest.approx(0.0, abs=0.15)
    assert result.truth_mean_absolute_error is not None
    assert max(result.truth_mean_absolute_error.values()) < 0.05
    assert result.integrated_brier_score.value < result.brier_null.value
    assert result.index_of_prediction_accuracy.value == pytest.approx(
        1 - result.integrated_brier_score.value / result.brier_null.value
    )
    curve = result.calibration_curve
    assert list(curve["n"]) == [300] * 5
    assert (
        (curve["lower"] < curve["predicted"]) & (curve["predicted"] < curve["upper"])
    ).sum() >= 4


def test_every_interval_holds_its_value(external):
    _, result = external
    estimates = [
        result.c_index,
        result.c_index_ipcw,
        result.integrated_brier_score,
        result.brier_null,
        result.calibration_slope,
        result.calibration_in_the_large,
        *result.auc.values(),
        *result.brier.values(),
    ]
    for estimate in estimates:
        assert estimate is not None
        assert estimate.lower < estimate.value < estimate.upper


def test_a_series_that_ends_early_is_left_out_and_named(external):
    test, result = external
    assert result.notes == ("month 24: without the series not followed so far (cedar)",)
    longer = evaluate(CoxModel().fit(test), test, horizons=[12, 60], n_bootstrap=20)
    assert longer.auc[60.0] is None
    assert longer.brier[60.0] is None
    assert "month 60: beyond the follow-up, not evaluated" in longer.notes
    with pytest.raises(ModelError, match="no horizon of 60 months"):
        evaluate(CoxModel().fit(test), test, horizons=[60])


def test_the_result_is_plain_data(external):
    _, result = external
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert set(data["auc"]) == {"3", "6", "12", "24"}
    assert set(data["c_index"]) == {"value", "lower", "upper"}
    assert set(data["truth"]["mean_absolute_error"]) == {"3", "6", "12", "24"}
    assert data["n"] == 1500


def test_the_truth_scores_best(make_cohort, true_death_risk):
    """The model with noise covariates only must do no better than the null."""
    cohort = make_cohort(600, seed=3)
    noise = cohort.assign(noise=np.random.default_rng(0).normal(size=len(cohort)))
    result = cross_validate(CoxModel(covariates=["noise"]), noise, n_bootstrap=60)
    assert result.c_index.lower < 0.5 < result.c_index.upper
    assert result.index_of_prediction_accuracy.value < 0.01
    useful = cross_validate(CoxModel(), cohort, n_bootstrap=60)
    assert useful.c_index.lower > 0.55
    assert useful.index_of_prediction_accuracy.lower > 0


def test_cross_validation_undoes_optimism(make_cohort):
    cohort = make_cohort(150, seed=9)
    rng = np.random.default_rng(0)
    names = [f"noise{k}" for k in range(12)]
    cohort = pd.concat([cohort, pd.DataFrame(rng.normal(size=(150, 12)), columns=names)], axis=1)
    model = CoxModel(covariates=names)
    apparent = evaluate(model.fit(cohort), cohort, horizons=[3, 6], n_bootstrap=20)
    honest = cross_validate(model, cohort, horizons=[3, 6], n_bootstrap=20)
    assert apparent.c_index.value > 0.56
    assert honest.c_index.value < apparent.c_index.value - 0.04
    assert honest.calibration_slope.value < 0.7


@pytest.mark.parametrize(
    "model",
    [CoxModel("local-control"), ForestModel("local-control", n_estimators=20, random_state=0)],
)
def test_cross_validation_with_competing_events(cohort, model):
    first = cross_validate(model, cohort, n_folds=3, n_bootstrap=20)
    assert first.to_dict() == cross_validate(model, cohort, n_folds=3, n_bootstrap=20).to_dict()
    assert first.endpoint == "local-control"
    assert first.events == int((cohort["lp_event"] == 1).sum())
    assert 0.5 < first.c_index.value < 0.8
    assert not hasattr(model, "series_")


def test_folds_keep_patients_whole_and_are_alike():
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(100), 2).astype(str)
    groups = np.repeat(np.where(np.arange(100) < 60, "a", "b"), 2).astype(object)
    event = np.repeat((np.arange(100) % 5 == 0).astype(int), 2)
    folds = assign_folds(patients, groups, event, 5, rng)
    frame = pd.DataFrame({"patient": patients, "group": groups, "event": event, "fold": folds})
    assert frame.groupby("patient")["fold"].nunique().max() == 1
    for _, rows in frame.groupby(["group", "event"]):
        counts = rows["fold"].value_counts()
        assert counts.max() - counts.min() <= 2


def test_patients_of_two_series_with_one_number_are_two():
    table = pd.DataFrame({"study": ["a", "a", "b", "b"], "patient_id": ["1", "1", "1", "2"]})
    assert list(identify_patients(table)) == [0, 0, 1, 2]
    assert list(identify_patients(table.drop(columns="study"))) == [0, 0, 0, 1]
    assert list(identify_patients(table[["study"]])) == [0, 1, 2, 3]


def test_the_patients_of_the_fit_are_recognised(cohort, make_cohort, tmp_path):
    for model in (CoxModel(), ForestModel(n_estimators=5, random_state=0)):
        save_model(model.fit(cohort), tmp_path / "m")
        loaded = load_model(tmp_path / "m")
        cohort.sample(frac=1.0, random_state=1).to_csv(tmp_path / "c.csv", index=False)
        again = pd.read_csv(tmp_path / "c.csv", keep_default_na=False)
        result = evaluate(loaded, again, n_bootstrap=2)
        assert "the figures are apparent, not out of sample" in result.notes[0]
        assert result.method.startswith("a cohort given by the user; ")
        for other in (cohort[1:], make_cohort(400, seed=1), cohort.assign(kps=70)):
            notes = evaluate(loaded, other, n_bootstrap=2).notes
            assert not any("apparent" in note for note in notes)


def test_an_unknown_series_is_predicted_by_the_average_and_named(cohort, make_cohort):
    model = CoxModel().fit(cohort)
    stranger = make_cohort(300, seed=5).assign(study="dogwood")
    result = evaluate(model, stranger, n_bootstrap=20)
    assert any("dogwood" in note for note in result.notes)


def test_wrong_truth_is_refused(cohort):
    model = CoxModel().fit(cohort)
    with pytest.raises(ModelError, match="truth: found shape"):
        evaluate(model, cohort, truth=np.zeros((3, 4)), n_bootstrap=2)
    falling = np.tile([0.9, 0.8, 0.7, 0.6], (len(cohort), 1))
    with pytest.raises(ModelError, match="do not fall"):
        evaluate(model, cohort, truth=falling, n_bootstrap=2)


def test_wrong_settings_are_refused(cohort):
    with pytest.raises(ModelError, match="n_folds: found 1"):
        cross_validate(CoxModel(), cohort, n_folds=1)
    with pytest.raises(ModelError, match="n_bootstrap: found -1"):
        cross_validate(CoxModel(), cohort, n_bootstrap=-1)
    bare = cross_validate(CoxModel(), cohort, n_bootstrap=0)
    assert np.isfinite(bare.c_index.value)
    assert np.isnan(bare.c_index.lower)
    rare = cohort.assign(mark=np.arange(len(cohort)) == int(np.argmax(cohort["death"])))
    with pytest.raises(ModelError, match=r"fold \d of 5: .*mark"):
        cross_validate(CoxModel(covariates=["kps", "mark"], strata=None), rare)
    with pytest.raises(ModelError, match="horizons"):
        cross_validate(CoxModel(), cohort, horizons=[-3])


def test_the_newer_measures_hold_what_the_parts_say(external):
    test, result = external
    ratio = result.observed_expected_ratio
    assert ratio.lower < ratio.value < ratio.upper
    assert ratio.value == pytest.approx(1.0, abs=0.08)
    assert result.e50.value <= result.e90.value
    assert result.integrated_calibration_index.value < 0.04
    assert list(result.smooth_calibration) == ["predicted", "observed", "lower", "upper"]
    assert result.horizons_used == (3.0, 6.0, 12.0, 24.0)
    assert result.d_calibration.counts.sum() == pytest.approx(len(test))
    assert result.d_calibration.p > 0.001
    benefit = result.net_benefit
    assert (benefit["net_benefit"] > np.maximum(benefit["treat_all"], 0) - 0.02).all()
    assert (benefit["lower"] <= benefit["net_benefit"]).all()
    by_month = result.accuracy[12.0]
    assert by_month is not None
    assert by_month.lower < by_month.value < by_month.upper
    data = result.to_dict()
    assert len(data["net_benefit"]) == 8
    assert data["horizons_used"] == [3.0, 6.0, 12.0, 24.0]
    assert set(data["d_calibration"]) == {"counts", "statistic", "degrees_of_freedom", "p"}
    assert set(data["index_of_prediction_accuracy_by_month"]) == {"3", "6", "12", "24"}


def test_wrong_curves_fail_d_calibration(cohort, make_cohort):
    healthier = make_cohort(800, seed=50)
    healthier["os_months"] = np.minimum(healthier["os_months"] * 1.5, 13.0)
    healthier["death"] = np.where(healthier["os_months"] == 13.0, 0, healthier["death"])
    wrong = evaluate(CoxModel().fit(cohort), healthier, horizons=[6.0], n_bootstrap=0)
    assert wrong.d_calibration.p < 1e-4
    assert wrong.observed_expected_ratio.value < 0.9


def test_many_patients_are_measured_in_parts(make_cohort, monkeypatch):
    test = make_cohort(300, seed=8)
    model = CoxModel().fit(make_cohort(300, seed=9))
    whole = evaluate(model, test, horizons=[6.0, 12.0], n_bootstrap=25).to_dict()
    monkeypatch.setattr("outcomes.models.measuring._CELLS", 300 * 4)
    monkeypatch.setattr("outcomes.models.net_benefit._CELLS", 300 * 3)
    monkeypatch.setattr("outcomes.models.concordance._CELLS", 300 * 3)
    parts = evaluate(model, test, horizons=[6.0, 12.0], n_bootstrap=25).to_dict()

    def numbers(value):
        if isinstance(value, dict):
            return [x for part in value.values() for x in numbers(part)]
        if isinstance(value, list):
            return [x for part in value for x in numbers(part)]
        return [value] if isinstance(value, float) else []

    np.testing.assert_allclose(numbers(parts), numbers(whole), rtol=1e-7)
