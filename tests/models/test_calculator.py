"""The calculator's data: the page must reach the model's own numbers from them."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from outcomes.errors import ModelError
from outcomes.models import (
    CoxModel,
    ForestModel,
    calculator_data,
    evaluate_calculator,
    load_model,
    save_model,
)
from outcomes.models.export import FEWEST_AT_RISK, patient_frame
from outcomes.models.few_events import event_limits


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


@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
def test_limits_of_a_small_series_never_span_everything(make_cohort, endpoint):
    cohort = make_cohort(700, seed=4)
    small = cohort[cohort["study"] == "cedar"][:60]
    cohort = pd.concat([cohort[cohort["study"] != "cedar"], small])
    data = calculator_data(CoxModel(endpoint).fit(cohort), n_draws=50, cohort=cohort)
    patient = {item["name"]: item["default"] for item in data["inputs"]}
    result = evaluate_calculator(data, patient, "cedar")
    width = np.subtract(result["upper"], result["lower"])
    assert width[0] == 0
    assert 0 < width[1] < 0.25
    # The band widens with time while most are still at risk; it does not shrink from all to some.
    assert (np.diff(width[:4]) > -0.01).all()
    # Rule of three: of 60 patients none with the event by month 1 would still allow about 5%.
    assert result["lower"][1] < 0.98


def test_limits_of_no_event_and_of_many():
    z = 1.959963984540054
    # Hardly any risk: one event more in 50 patients, Garwood's limit 3.69 / 50 of the hazard.
    risk = np.array([1e-9])
    lower, upper = event_limits(risk, np.array([0.4]), np.array([1 / 50]), z)
    assert lower[0] == pytest.approx(np.exp(-chi2.ppf(0.975, 2) / 2 / 50), abs=5e-4)
    assert upper[0] == pytest.approx(1)
    # Ten events, equally weighted: Garwood's limits of a Poisson count.
    hazard = np.array([10 / 50])
    lower, upper = event_limits(-np.expm1(-hazard), np.array([10**-0.5]), np.array([1 / 50]), z)
    assert lower[0] == pytest.approx(np.exp(-chi2.ppf(0.975, 22) / 2 / 50), abs=1e-4)
    assert upper[0] == pytest.approx(np.exp(-chi2.ppf(0.025, 20) / 2 / 50), abs=3e-4)
    nothing = event_limits(np.zeros(2), np.zeros(2), np.zeros(2), z)
    assert [limit.tolist() for limit in nothing] == [[1, 1], [1, 1]]


def test_limits_of_a_robust_model_are_its_own(cohort):
    model = CoxModel(robust=True).fit(cohort)
    data = calculator_data(model)
    patient = {item["name"]: item["default"] for item in data["inputs"]}
    result = evaluate_calculator(data, patient, "birch")
    table, months = patient_frame(data, patient), result["months"][3:25]
    lower, upper = model.interval(table, months, series="birch")
    np.testing.assert_allclose(result["lower"][3:25], lower[0], atol=0.06)
    np.testing.assert_allclose(result["upper"][3:25], upper[0], atol=0.06)


def test_competing_risk_and_survival_add_up_to_those_with_an_event(model, data):
    patient = {item["name"]: item["default"] for item in data["inputs"]}
    result = evaluate_calculator(data, patient, "birch")
    table, months = patient_frame(data, patient), result["months"]
    free = model.predict_event_free(table, months, series="birch")[0]
    np.testing.assert_allclose(
        np.subtract(result["survival"], result["competing"]), free, atol=4e-3
    )


def test_a_series_reaches_to_its_end(model, data):
    patient = {item["name"]: item["default"] for item in data["inputs"]}
    result = evaluate_calculator(data, patient, "cedar")
    assert result["months"][-1] == int(model.follow_up_["cedar"])
    with pytest.raises(ModelError, match="unknown series 'delta'"):
        evaluate_calculator(data, patient, "delta")


@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
def test_a_series_is_shown_while_enough_patients_are_followed(make_cohort, endpoint):
    cohort = make_cohort(500, seed=2)
    column = "os_months" if endpoint == "overall-survival" else "lp_months"
    data = calculator_data(CoxModel(endpoint).fit(cohort), n_draws=5, cohort=cohort)
    patient = {item["name"]: item["default"] for item in data["inputs"]}
    for name in ("amber", "birch", "cedar"):
        last = evaluate_calculator(data, patient, name)["months"][-1]
        followed = cohort.loc[cohort["study"] == name, column]
        assert (followed >= last).sum() >= FEWEST_AT_RISK
        assert (followed >= last + 1).sum() < FEWEST_AT_RISK or last == 36


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
