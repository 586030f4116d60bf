"""Calibrations in files, and figures that cannot be met."""

import json
from dataclasses import replace

import pytest

from outcomes.errors import CalibrationError
from outcomes.evidence import load_evidence
from outcomes.synthetic import calibrate, read_calibration, shipped_calibration


@pytest.fixture
def stored():
    return json.loads(json.dumps(shipped_calibration().to_dict()))


def read(stored, folder):
    path = folder / "calibration.json"
    path.write_text(json.dumps(stored), encoding="utf-8")
    return read_calibration(path, load_evidence())


def test_what_was_stored_is_read(stored, tmp_path):
    assert read(stored, tmp_path) == shipped_calibration()


@pytest.mark.parametrize("prefix", ["shared/", "liu-2020/"])
def test_a_missing_parameter_is_named(prefix, stored, tmp_path):
    key = next(key for key in stored["parameters"] if key.startswith(prefix))
    del stored["parameters"][key]
    with pytest.raises(CalibrationError, match=rf"calibration\.json: parameter {key}: missing"):
        read(stored, tmp_path)


@pytest.mark.parametrize("value", ["x", None, True, float("nan"), 1e308, -1, 0, 10**400, [1]])
def test_an_impossible_value_is_refused(value, stored, tmp_path):
    key = "laufer-2013/death_scale"
    stored["parameters"][key]["value"] = value
    with pytest.raises(CalibrationError, match=r"calibration\.json: "):
        read(stored, tmp_path)


@pytest.mark.parametrize("parameters", [[], [1], "x", None, 3, {}, {"a": 1}, {"a": {"study": []}}])
def test_parameters_of_another_shape(parameters, stored, tmp_path):
    stored["parameters"] = parameters
    with pytest.raises(CalibrationError, match=r"calibration\.json: "):
        read(stored, tmp_path)


def test_a_series_may_be_absent(stored, tmp_path):
    kept = {k: row for k, row in stored["parameters"].items() if row["study"] != "liu-2020"}
    found = read({**stored, "parameters": kept}, tmp_path)
    with pytest.raises(CalibrationError, match="'liu-2020' is not calibrated"):
        found.series_of("liu-2020")


@pytest.mark.parametrize("months", [0.0, 60.5, 3000.0, 1e300])
def test_a_figure_beyond_the_simulated_months_is_named(months):
    evidence = load_evidence()
    name = "liu-2020/overall_survival_median/alone"
    figures = tuple(
        replace(figure, value=months) if figure.id == name else figure
        for figure in evidence.figures
    )
    with pytest.raises(CalibrationError, match=f"{name}.*allowed: above 0, up to"):
        calibrate(replace(evidence, figures=figures))
