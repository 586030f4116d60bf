"""What the Cox model does on request: ties, weights, curves, products, SBRT as it comes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.exceptions import NotFittedError

from outcomes.cox import baseline_hazards, fit_cox, place_knots, spline_basis
from outcomes.errors import ModelError, NotEstimableError, OutcomesError
from outcomes.models import CoxModel, FineGrayModel, ForestModel, load_model, save_model
from outcomes.models import cox_interval as intervals

PAIR = ["kps", "neurologic_deficit"]


def matrix_of(cohort):
    return np.column_stack([cohort["kps"] - 70, cohort["neurologic_deficit"]])


@pytest.mark.parametrize(
    ("options", "engine"),
    [
        ({"ties": "breslow"}, {"ties": "breslow"}),
        ({"robust": True}, {"robust": True}),
        ({"cluster": "study"}, {"cluster": "study"}),
        ({"weights": "weight"}, {"weights": "weight"}),
        ({"weights": "weight", "robust": True}, {"weights": "weight", "robust": True}),
    ],
)
def test_an_option_reaches_the_engine(cohort, options, engine):
    table = cohort.assign(weight=1 + cohort["kps"] / 100, os_months=np.ceil(cohort["os_months"]))
    model = CoxModel(covariates=PAIR, strata=None, **options).fit(table)
    columns = {k: table[v] if k in ("cluster", "weights") else v for k, v in engine.items()}
    fit = fit_cox(matrix_of(table), table["os_months"], table["death"], **columns)
    assert model.summary_["log_hr"].to_numpy() == pytest.approx(fit.coefficients, rel=1e-9)
    assert model.summary_["se"].to_numpy() == pytest.approx(fit.standard_errors, rel=1e-9)


def test_baselines_differ_at_ties_only(cohort):
    whole = cohort.assign(os_months=np.ceil(cohort["os_months"]))
    months = [3, 6, 12]
    for table, same in ((cohort, True), (whole, False)):
        curves = [
            CoxModel(covariates=PAIR, baseline=kind).fit(table).predict_survival(table[:4], months)
            for kind in ("breslow", "efron")
        ]
        assert np.allclose(*curves, atol=1e-12) == same
        # Efron's hazards are the larger.
        assert same or (curves[1] < curves[0]).all()


def test_limits_follow_the_baseline(cohort):
    whole = cohort.assign(os_months=np.ceil(cohort["os_months"]))
    model = CoxModel(covariates=PAIR, baseline="efron", strata=None).fit(whole)
    lower, upper = model.interval(whole[:5], [6.0, 12.0])
    survival = model.predict_survival(whole[:5], [6.0, 12.0])
    assert ((lower < survival) & (survival < upper)).all()


def test_a_spline_is_straight_outside_and_cubic_inside():
    knots = np.array([2.0, 4.0, 7.0, 9.0])
    # Harrell's formula at one point between the second and third knots.
    basis = spline_basis([5.0], knots)[0]
    expected = [(5 - 2) ** 3 / 49, (5 - 4) ** 3 / 49]
    assert basis == pytest.approx([5.0, *expected])
    for ends in ([-3.0, -1.0, 1.0], [10.0, 12.0, 14.0]):
        assert np.diff(spline_basis(ends, knots), n=2, axis=0) == pytest.approx(
            np.zeros((1, 3)), abs=1e-9
        )
    assert place_knots(np.arange(101), 4) == pytest.approx([5, 35, 65, 95])
    with pytest.raises(OutcomesError, match="knots: found 2; allowed: 3 to 7"):
        place_knots([1, 2, 3], 2)
    with pytest.raises(NotEstimableError, match="more distinct values"):
        place_knots([1, 1, 1, 1, 2], 4)


def curved_cohort(n=4000, seed=5):
    """Draw patients whose log hazard is a parabola of the distance."""
    generator = np.random.default_rng(seed)
    distance = np.round(generator.uniform(0, 8, n), 2)
    time = generator.exponential(1 / (0.1 * np.exp(0.12 * (distance - 4) ** 2)))
    followed = generator.uniform(2, 30, n)
    return pd.DataFrame(
        {
            "separation_mm": distance,
            "kps": generator.choice([50, 60, 70, 80], n),
            "os_months": np.minimum(time, followed),
            "death": (time <= followed).astype(int),
        }
    )


@pytest.mark.parametrize("asked", [{"separation": "spline"}, {"splines": {"separation_mm": 5}}])
def test_a_curved_effect_is_found(asked):
    cohort = curved_cohort()
    model = CoxModel(covariates=["separation_mm", "kps"], **asked).fit(cohort)
    at = pd.DataFrame({"separation_mm": [1.0, 2.0, 4.0, 6.0, 7.0], "kps": 70})
    found = model.predict(at)
    truth = 0.12 * (at["separation_mm"] - 4) ** 2
    assert found - found[2] == pytest.approx(truth.to_numpy(), abs=0.15)
    straight = CoxModel(covariates=["separation_mm", "kps"], separation="linear").fit(cohort)
    assert model.score(cohort) > straight.score(cohort) + 0.05


def test_splines_and_products_survive_a_file(cohort, tmp_path):
    model = CoxModel(
        covariates=["sbrt", "kps", "separation_mm"],
        splines={"kps": 3, "separation_mm": 4},
        interactions=[("sbrt", "kps")],
    ).fit(cohort)
    assert model.design_.names == (
        "sbrt", "kps", "kps'", "separation_mm", "separation_mm'", "separation_mm''", "sbrt:kps",
        "sbrt:kps'",
    )  # fmt: skip
    save_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model")
    np.testing.assert_array_equal(model.predict(cohort), again.predict(cohort))
    assert again.design_ == model.design_


def test_a_product_is_one():
    generator = np.random.default_rng(3)
    n = 6000
    table = pd.DataFrame({"sbrt": generator.random(n) < 0.5, "kps": generator.choice([40, 70], n)})
    log_hazard = np.where(table["sbrt"] & (table["kps"] == 40), 0.9, 0.0)
    time = generator.exponential(10 / np.exp(log_hazard))
    table = table.assign(os_months=np.minimum(time, 12.0), death=(time < 12).astype(int))
    model = CoxModel(covariates=["sbrt", "kps"], interactions=[("sbrt", "kps")]).fit(table)
    found = model.summary_.set_index("covariate")
    assert found.loc["sbrt:kps", "log_hr"] * -30 == pytest.approx(0.9, abs=0.15)
    assert found.loc["sbrt", "log_hr"] == pytest.approx(0, abs=0.15)


def delayed_cohort(n=5000, seed=1, log_ratio=0.0):
    """Draw patients whose SBRT starts when its month comes, if they live to see it."""
    generator = np.random.default_rng(seed)
    kps = generator.choice([50, 70, 90], n)
    hazard = 0.12 * np.exp(-0.02 * (kps - 70))
    planned = np.where(generator.random(n) < 0.7, generator.uniform(1, 6, n), np.inf)
    early = generator.exponential(1 / hazard)
    late = planned + generator.exponential(1 / (hazard * np.exp(log_ratio)))
    death = np.where(early <= planned, early, late)
    followed = generator.uniform(6, 24, n)
    time = np.minimum(death, followed)
    sbrt = planned < time
    return pd.DataFrame(
        {
            "kps": kps,
            "sbrt": sbrt,
            "sbrt_start_months": np.where(sbrt, planned, np.nan),
            "os_months": time,
            "death": (death <= followed).astype(int),
        }
    )


@pytest.mark.parametrize("log_ratio", [0.0, -0.5])
def test_time_until_sbrt_is_no_time_of_sbrt(log_ratio):
    cohort = delayed_cohort(log_ratio=log_ratio)
    naive = CoxModel(covariates=["sbrt", "kps"]).fit(cohort).summary_.set_index("covariate")
    honest = CoxModel(covariates=["sbrt", "kps"], time_dependent=True).fit(cohort)
    row = honest.summary_.set_index("covariate").loc["sbrt"]
    assert abs(row["log_hr"] - log_ratio) < 3 * row["se"]
    # Those who died before it make SBRT look good.
    assert naive.loc["sbrt", "log_hr"] < log_ratio - 6 * row["se"]


def test_a_curve_bends_when_sbrt_starts():
    cohort = delayed_cohort(log_ratio=-0.5)
    model = CoxModel(covariates=["sbrt", "kps"], time_dependent=True).fit(cohort)
    patients = pd.DataFrame(
        {"kps": 70, "sbrt": [True, False, True], "sbrt_start_months": [4.0, np.nan, 20.0]}
    )
    months = np.array([2.0, 4.0, 8.0, 12.0])
    survival = model.predict_survival(patients, months)
    # Before SBRT the patients are alike, and one whose SBRT comes later has not had it yet.
    assert survival[0, :2] == pytest.approx(survival[1, :2], rel=1e-12)
    assert survival[2] == pytest.approx(survival[1], rel=1e-12)
    hazard = -np.log(survival)
    ratio = model.summary_.set_index("covariate").loc["sbrt", "hr"]
    gained = np.diff(hazard[:, 1:], axis=1)
    assert gained[0] == pytest.approx(ratio * gained[1], rel=1e-9)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("robust", "yes", "robust: found 'yes'; allowed: True, False"),
        ("time_dependent", "no", "time_dependent: found 'no'; allowed: True, False"),
        ("splines", ["kps"], "splines: found .* allowed: numbers of knots by covariate"),
        ("interactions", 5, "interactions: found 5; allowed: pairs"),
        ("interactions", "ab", "interactions: found 'ab'; allowed: pairs"),
        ("interactions", [3], "interactions: found 3; allowed: pairs"),
    ],
)
def test_parameters_of_another_type_are_refused(cohort, name, value, message):
    with pytest.raises(ModelError, match=message):
        CoxModel(covariates=["kps", "sbrt"], **{name: value}).fit(cohort)


@pytest.mark.parametrize("series", [3, 3.0, [3], [["amber"]]])
def test_what_names_no_series_is_refused(cohort, series):
    model = CoxModel(covariates=["kps"]).fit(cohort)
    with pytest.raises(ModelError, match="series"):
        model.predict_survival(cohort[:2], [3.0], series=series)
    with pytest.raises(ModelError, match="unknown series 'grey'"):
        model.predict_survival(cohort[:2], [3.0], series=np.str_("grey"))


@pytest.mark.parametrize("model", [CoxModel(), FineGrayModel(), ForestModel()])
def test_an_unfitted_model_has_no_notes(model):
    with pytest.raises(NotFittedError):
        _ = model.notes_


def test_a_death_at_month_0_is_kept_when_sbrt_comes_later():
    cohort = delayed_cohort(n=500)
    dead = np.flatnonzero(~cohort["sbrt"].to_numpy())[:3]
    cohort.loc[dead, ["os_months", "death"]] = [0.0, 1]
    # Of two who start SBRT with surgery, one dies at once: neither is without SBRT then.
    both = np.flatnonzero(cohort["sbrt"].to_numpy())[:2]
    cohort.loc[both, "sbrt_start_months"] = 0.0
    cohort.loc[both[0], ["os_months", "death"]] = [0.0, 1]
    found = CoxModel(covariates=["sbrt", "kps"], time_dependent=True).fit(cohort)
    # A month before every other, as they are all that count of it.
    soon = cohort.assign(os_months=cohort["os_months"].where(cohort["os_months"] > 0, 1e-3))
    expected = CoxModel(covariates=["sbrt", "kps"], time_dependent=True).fit(soon)
    np.testing.assert_allclose(found.summary_["log_hr"], expected.summary_["log_hr"], rtol=1e-9)
    assert found.predict_survival(cohort[:1], [0.1])[0, 0] < 0.995


def test_sbrt_as_text_is_read_as_elsewhere():
    cohort = delayed_cohort(n=300)
    plain = CoxModel(covariates=["sbrt", "kps"], time_dependent=True).fit(cohort)
    text = cohort.assign(sbrt=cohort["sbrt"].astype(str))
    found = CoxModel(covariates=["sbrt", "kps"], time_dependent=True).fit(text)
    np.testing.assert_array_equal(found.summary_["log_hr"], plain.summary_["log_hr"])


def test_a_bent_curve_survives_a_file(tmp_path):
    cohort = delayed_cohort(n=2000, log_ratio=-0.5)
    model = CoxModel(covariates=["sbrt", "kps"], time_dependent=True).fit(cohort)
    save_model(model, tmp_path / "model")
    again, months = load_model(tmp_path / "model"), [2.0, 4.0, 8.0]
    found = again.predict_survival(cohort[:50], months)
    # A file holds coarse baselines.
    np.testing.assert_allclose(found, model.predict_survival(cohort[:50], months), atol=0.01)
    assert np.abs(found - CoxModel(covariates=["sbrt", "kps"]).fit(cohort).predict_survival(
        cohort[:50], months)).max() > 0.05  # fmt: skip


def test_the_limits_of_a_bent_curve_agree_with_draws():
    cohort = delayed_cohort(n=300, log_ratio=-0.5)
    model = CoxModel(covariates=["sbrt", "kps"], time_dependent=True).fit(cohort)
    patients = pd.DataFrame(
        {"kps": [50, 90], "sbrt": [True, False], "sbrt_start_months": [4.0, np.nan]}
    )
    matrix, months = model._matrix(patients), np.array([3.0, 10.0])
    exact = intervals.tsiatis_error(model.fits_[1], matrix, months, 0)
    drawn = intervals.drawn_error(
        [model.fits_[1]], model.series_, matrix, months, None, n_draws=4000
    )
    np.testing.assert_allclose(drawn, exact, rtol=0.06)


def test_sbrt_as_it_comes_equals_r_on_the_heart_transplants():
    path = Path(__file__).parents[1] / "reference" / "cox.json"
    expected = json.loads(path.read_text())["path"]
    rows = pd.DataFrame(expected["data"])
    last = rows.groupby("id").last()
    first = rows.groupby("id").first()
    cohort = pd.DataFrame(
        {
            "age": first["age"],
            "surgery": first["surgery"],
            "sbrt": last["transplant"] == 1,
            "sbrt_start_months": np.where(last["transplant"] == 1, last["start"], np.nan),
            "os_months": last["stop"],
            "death": last["event"],
        }
    )
    model = CoxModel(
        covariates=["age", "surgery", "sbrt"], baseline="efron", time_dependent=True
    ).fit(cohort)
    assert model.summary_["log_hr"].to_numpy() == pytest.approx(expected["coefficients"], rel=1e-7)
    assert model.summary_["se"].to_numpy() == pytest.approx(expected["standard_errors"], rel=1e-7)
    patient = pd.DataFrame(
        {"age": [expected["age"]], "surgery": [expected["surgery"]], "sbrt": [True],
         "sbrt_start_months": [expected["start"]]}
    )  # fmt: skip
    days = expected["days"]
    assert model.predict_survival(patient, days)[0] == pytest.approx(expected["survival"], rel=1e-7)
    lower, upper = model.interval(patient, days)
    assert lower[0][:2] == pytest.approx(expected["lower"][:2], rel=1e-7)
    assert upper[0][:2] == pytest.approx(expected["upper"][:2], rel=1e-7)
    # After the change R leaves out a covariance; ours is the whole delta method.
    assert lower[0] == pytest.approx(whole_delta_method(rows, expected), rel=1e-6)


def whole_delta_method(rows, expected):
    """Return the lower limits, with the hazard's slopes by the coefficients taken numerically."""
    covariates = rows[["age", "surgery", "transplant"]].to_numpy(dtype=float)
    response = (rows["stop"], rows["event"])
    fit = fit_cox(covariates, *response, entry=rows["start"])
    before = np.array([expected["age"], expected["surgery"], 0.0])
    after, change = before + np.array([0.0, 0.0, 1.0]), expected["start"]

    def hazard_and_variance(beta):
        known = fit_cox(
            np.empty((len(rows), 0)), *response, entry=rows["start"], offset=covariates @ beta
        )
        [baseline] = baseline_hazards(known)
        relative = np.exp(np.where(baseline.times <= change, before @ beta, after @ beta))
        until = baseline.times[None, :] <= np.array(expected["days"])[:, None]
        return until @ (relative * baseline.increments), until @ (relative**2 * baseline.variances)

    hazard, variance = hazard_and_variance(fit.coefficients)
    slopes = (
        np.array(
            [
                hazard_and_variance(fit.coefficients + step)[0]
                - hazard_and_variance(fit.coefficients - step)[0]
                for step in 1e-5 * np.eye(3)
            ]
        )
        / 2e-5
    )
    error = np.sqrt(np.einsum("pt,pq,qt->t", slopes, fit.covariance, slopes) + variance)
    return np.exp(-hazard * np.exp(norm.ppf(0.975) * error / hazard))


def test_the_effect_over_time_is_drawn_from_residuals(cohort):
    model = CoxModel(covariates=PAIR).fit(cohort)
    curve = model.smoothed_effect("kps")
    assert curve.grid.shape == curve.value.shape
    assert (curve.lower < curve.value).all()
    assert curve.residuals.size == cohort["death"].sum()
    with pytest.raises(ModelError, match="event 2"):
        model.smoothed_effect("kps", event=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ties": "exact"}, "ties: found 'exact'; allowed: 'efron', 'breslow'"),
        ({"baseline": "flat"}, "baseline: found 'flat'; allowed"),
        ({"weights": "absent"}, "absent"),
        ({"weights": 3}, "weights: found 3; allowed: the name of a column, None"),
        ({"weights": "negative"}, "negative: allowed: weights of at least 0"),
        ({"cluster": "absent"}, "missing column: absent"),
        ({"splines": {"kps": 9}}, "splines: kps: knots: found 9; allowed: 3 to 7"),
        ({"splines": {"age": 3}}, "splines: found age; allowed: covariates of the model"),
        ({"splines": {"neurologic_deficit": 3}}, "neurologic_deficit is a boolean; allowed: num"),
        ({"interactions": [("kps", "age")]}, "interactions: found age; allowed: covariates"),
        ({"interactions": ["kps"]}, "interactions: found 'kps'; allowed: pairs"),
        ({"time_dependent": True}, "missing columns: sbrt_start_months"),
    ],
)
def test_a_wrong_option_is_named(cohort, options, message):
    table = cohort.assign(negative=-1.0)
    with pytest.raises(ModelError, match=message):
        CoxModel(covariates=PAIR, **options).fit(table)


def test_a_patient_with_sbrt_needs_its_month():
    cohort = delayed_cohort(n=300)
    model = CoxModel(covariates=["sbrt", "kps"], time_dependent=True).fit(cohort)
    patients = pd.DataFrame({"kps": [50], "sbrt": [True], "sbrt_start_months": [np.nan]})
    with pytest.raises(ModelError, match="sbrt_start_months: no month of at least 0 in row 1"):
        model.predict_survival(patients, [3.0])


def test_robust_errors_are_not_taken_where_nobody_had_the_event(cohort):
    flagged = cohort.assign(flag=(cohort["death"] == 0) & (np.arange(len(cohort)) % 2 == 0))
    plain = CoxModel(covariates=["kps", "flag"]).fit(flagged)
    robust = CoxModel(covariates=["kps", "flag"], robust=True).fit(flagged)
    assert robust.summary_["se"].to_numpy() == pytest.approx(plain.summary_["se"].to_numpy())
    assert "with standard errors of the model instead of robust ones" in robust.notes_[0]


def test_the_scale_of_weights_moves_no_interval(cohort):
    weighted = cohort.assign(one=1 + cohort["kps"] / 100)
    limits = [
        CoxModel(covariates=PAIR, weights="one", robust=True, strata=None)
        .fit(weighted.assign(one=weighted["one"] * scale))
        .interval(cohort[:3], [6.0, 12.0])
        for scale in (1.0, 1e3, 1e-3)
    ]
    for other in limits[1:]:
        np.testing.assert_allclose(other, limits[0], rtol=1e-6)
