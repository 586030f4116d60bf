"""The calculator's data: the page must reach the model's own numbers from them."""

import json

import numpy as np
import pytest

from outcomes.errors import ModelError
from outcomes.models import (
    CoxModel,
    ForestModel,
    calculator_data,
    evaluate_calculator,
    load_model,
    save_model,
)
from outcomes.models.export import patient_frame


@pytest.fixture(scope="module", params=["overall-survival", "local-control"])
def model(request, make_cohort, tmp_path_factory):
    """A model as a file holds it, with the coarse baselines that the page gets."""
    path = tmp_path_factory.mktemp("calculator") / "model"
    save_model(CoxModel(request.param).fit(make_cohort(1500)), path)
    return load_model(path)


@pytest.fixture(scope="module")
def data(model):
    return json.loads(json.dumps(calculator_data(model), allow_nan=False))


PATIENTS = [
    {},
    {"sbrt": False},
    {"sbrt": True, "dose_regimen": "single_24", "kps": 90.0},
    {"separation_mm": 1.5, "neurologic_deficit": True, "kps": 40.0},
]


@pytest.mark.parametrize("change", PATIENTS)
@pytest.mark.parametrize("series", [None, "amber", "cedar"])
def test_the_calculator_reaches_the_models_numbers(model, data, change, series):
    patient = {item["name"]: item["default"] for item in data["inputs"]} | change
    result = evaluate_calculator(data, patient, series)
    table, months = patient_frame(data, patient), result["months"]
    survival = model.predict_survival(table, months, series=series)[0]
    # With one cause only rounding is between them; with two, the order of events in a month.
    exact = model.endpoint == "overall-survival"
    np.testing.assert_allclose(result["survival"], survival, atol=1e-5 if exact else 4e-3)
    lower, upper = model.interval(table, months, series=series)
    np.testing.assert_allclose(result["lower"], lower[0], atol=0.04)
    np.testing.assert_allclose(result["upper"], upper[0], atol=0.04)


def test_limits_hold_the_curve_and_all_starts_at_1(data):
    patient = {item["name"]: item["default"] for item in data["inputs"]}
    result = evaluate_calculator(data, patient)
    lower, survival, upper = (np.array(result[k]) for k in ("lower", "survival", "upper"))
    assert lower[0] == survival[0] == upper[0] == 1
    assert (lower <= survival).all()
    assert (survival <= upper).all()
    assert (np.diff(survival) <= 0).all()


def test_a_series_reaches_to_its_end(model, data):
    patient = {item["name"]: item["default"] for item in data["inputs"]}
    result = evaluate_calculator(data, patient, "cedar")
    assert result["months"][-1] == int(model.follow_up_["cedar"])
    with pytest.raises(ModelError, match="unknown series 'delta'"):
        evaluate_calculator(data, patient, "delta")


def test_inputs_say_what_a_page_needs(data):
    inputs = {item["name"]: item for item in data["inputs"]}
    assert inputs["kps"]["step"] == 10
    assert (inputs["kps"]["min"], inputs["kps"]["max"]) == (40, 100)
    assert inputs["dose_regimen"]["requires"] == "sbrt"
    assert "none" not in [choice["value"] for choice in inputs["dose_regimen"]["choices"]]
    for item in inputs.values():
        assert item["label"]
        if item["kind"] == "number":
            assert item["min"] <= item["default"] <= item["max"]
    assert sum(item["weight"] for item in data["series"]) == pytest.approx(1, abs=1e-5)


def test_the_same_seed_gives_the_same_data(model):
    assert calculator_data(model, n_draws=5) == calculator_data(model, n_draws=5)
    assert (
        calculator_data(model, n_draws=5)["draws"]
        != calculator_data(model, n_draws=5, seed=1)["draws"]
    )


def test_what_cannot_be_exported(cohort, model):
    with pytest.raises(ModelError, match="fitted CoxModel"):
        calculator_data(CoxModel())
    with pytest.raises(ModelError, match="fitted CoxModel"):
        calculator_data(ForestModel(n_estimators=2, random_state=0).fit(cohort))
    with pytest.raises(ModelError, match="increasing months from 0"):
        calculator_data(model, months=[3, 6])


@pytest.mark.parametrize("options", [{"splines": {"kps": 3}}, {"interactions": [("kps", "sbrt")]}])
def test_what_the_page_cannot_compute_is_refused(cohort, options):
    model = CoxModel(covariates=["kps", "sbrt"], **options).fit(cohort)
    with pytest.raises(ModelError, match="the calculator has no kps"):
        calculator_data(model)
