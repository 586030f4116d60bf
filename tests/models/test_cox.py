"""The Cox model against R, by hand, and against the truth."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from outcomes.curves import aalen_johansen
from outcomes.errors import ModelError
from outcomes.models import CoxModel, load_model, save_model
from outcomes.models.coarse_files import COARSE_NOTE


@pytest.mark.parametrize("case", [0, 1, 2])
def test_coefficients_curves_and_limits_equal_r(reference, case):
    expected = reference["cox"][case]
    columns = {expected["time"]: "os_months", expected["event"]: "death"}
    data = pd.DataFrame(expected["data"]).rename(columns=columns)
    strata = expected["strata"]
    model = CoxModel(covariates=expected["covariates"], strata=strata).fit(data)
    summary = model.summary_
    np.testing.assert_allclose(summary["log_hr"], expected["coefficients"], rtol=1e-6)
    np.testing.assert_allclose(summary["se"], expected["standard_errors"], rtol=1e-6)
    assert model.fits_[1].log_likelihood == pytest.approx(expected["log_likelihood"], rel=1e-9)
    tested = model.proportional_hazards_test()["statistic"]
    np.testing.assert_allclose(tested, expected["proportional_hazards"], rtol=1e-6)
    new = pd.DataFrame(expected["new"])
    months, series = expected["months"], expected["stratum"]
    survival = model.predict_survival(new, months, series=series)
    np.testing.assert_allclose(survival, expected["survival"], atol=1e-6)
    lower, upper = model.interval(new, months, series=series)
    np.testing.assert_allclose(lower, expected["lower"], atol=1e-6)
    np.testing.assert_allclose(upper, expected["upper"], atol=1e-6)


def test_absolute_risks_with_competing_events_equal_r(reference):
    expected = reference["competing"]
    columns = {"time": "lp_months", "status": "lp_event"}
    data = pd.DataFrame(expected["data"]).rename(columns=columns)
    model = CoxModel("local-control", covariates=["thickness", "male", "ulcer"]).fit(data)
    for code, cause in enumerate(expected["causes"], start=1):
        np.testing.assert_allclose(
            model.fits_[code].coefficients, cause["coefficients"], rtol=1e-5, atol=1e-7
        )
        errors = np.sqrt(np.diag(model.fits_[code].covariance))
        np.testing.assert_allclose(errors, cause["standard_errors"], rtol=1e-5)
    # riskRegression multiplies S(t-) by the step of the hazard, so its risks and event-free
    # share do not sum to 1; from our hazards that gives its risks exactly.
    matrix, months = model.design_.matrix(data[:5]), np.array(expected["months"])
    grid = np.unique(np.concatenate([fit.baselines[0].times for fit in model.fits_.values()]))
    first, second = (model.fits_[code].hazards(matrix, grid, 0) for code in (1, 2))
    before = np.exp(-np.pad(first + second, ((0, 0), (1, 0)))[:, :-1])
    theirs = np.cumsum(before * np.diff(first, axis=1, prepend=0.0), axis=1)
    at = np.searchsorted(grid, months, side="right") - 1
    np.testing.assert_allclose(theirs[:, at], expected["incidence"], atol=1e-6)
    # Ours shares out what the event-free probability loses: lower, by half a step's hazard.
    ours = model.predict_cumulative_incidence(data[:5], months)
    assert (ours < theirs[:, at]).all()
    np.testing.assert_allclose(ours, theirs[:, at], rtol=0.02)


def test_effects_of_a_large_cohort_are_found_within_three_standard_errors(make_cohort, effects):
    cohort = make_cohort(6000, seed=11)
    survival = CoxModel().fit(cohort).summary_.set_index("covariate")
    control = CoxModel("local-control").fit(cohort).summary_
    progression = control[control["event"] == "local progression"].set_index("covariate")
    for table, truth in ((survival, effects["death"]), (progression, effects["progression"])):
        for name, row in table.iterrows():
            assert abs(row["log_hr"] - truth.get(str(name), 0.0)) < 3 * row["se"], name
    assert survival.loc["kps", "hr"] == pytest.approx(np.exp(-0.025), abs=0.003)


def test_without_covariates_the_model_is_breslow():
    # Each patient twice.
    data = pd.DataFrame({"os_months": [1.0, 2.0, 2.0, 3.0, 4.0] * 2, "death": [1, 1, 0, 1, 0] * 2})
    model = CoxModel(covariates=[]).fit(data)
    hazard = np.array([2 / 10, 2 / 10 + 2 / 8, 2 / 10 + 2 / 8 + 2 / 4])
    np.testing.assert_allclose(
        model.predict_survival(data[:1], [1, 2, 3])[0], np.exp(-hazard), rtol=1e-12
    )
    lower, upper = model.interval(data[:1], [2.0])
    error = np.sqrt(2 / 10**2 + 2 / 8**2) / hazard[1]
    assert lower[0, 0] == pytest.approx(np.exp(-hazard[1] * np.exp(norm.ppf(0.975) * error)))
    assert upper[0, 0] == pytest.approx(np.exp(-hazard[1] * np.exp(-norm.ppf(0.975) * error)))
    assert model.summary_.empty


def test_without_covariates_the_incidence_is_near_aalen_johansen(make_cohort):
    cohort = make_cohort(3000, seed=2)
    model = CoxModel("local-control", covariates=[], strata=None).fit(cohort)
    curve = aalen_johansen(cohort["lp_months"], cohort["lp_event"], causes=(1, 2))
    months = [3.0, 12.0, 24.0]
    for event in (1, 2):
        np.testing.assert_allclose(
            model.predict_cumulative_incidence(cohort[:1], months, event=event)[0],
            curve.incidence_at(event, months),
            atol=1e-3,
        )


def test_by_hand_two_patients_per_step():
    """Three patients, one binary covariate; the partial likelihood is solved on paper.

    Deaths at 1 (exposed, risk set of 2 exposed and 1 not) and 2 (not exposed, 1 and 1):
    L = r / (2 r + 1) * 1 / (r + 1), so 1 - 2 r^2 = 0 and r = sqrt(1 / 2). Three series of such
    patients have the likelihood L^3, and the same maximum.
    """
    data = pd.DataFrame(
        {
            "study": np.repeat(["a", "b", "c"], 3),
            "os_months": [1.0, 2.0, 3.0] * 3,
            "death": [1, 1, 0] * 3,
            "exposed": [True, False, True] * 3,
        }
    )
    model = CoxModel(covariates=["exposed"]).fit(data)
    assert model.summary_.loc[0, "hr"] == pytest.approx(np.sqrt(0.5), rel=1e-6)


@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
@pytest.mark.parametrize("series", [None, "birch"])
def test_intervals_hold_the_estimate_and_widen_with_the_level(cohort, endpoint, series):
    model = CoxModel(endpoint).fit(cohort)
    months = [0.0, 3.0, 6.0, 12.0]
    survival = model.predict_survival(cohort[:6], months, series=series)
    lower, upper = model.interval(cohort[:6], months, series=series)
    narrow, wide = model.interval(cohort[:6], months, series=series, level=0.5)
    assert ((lower < narrow) & (narrow < survival) & (survival < wide) & (wide < upper))[
        :, 1:
    ].all()
    assert (lower[:, 0] == 1).all()
    assert (upper[:, 0] == 1).all()
    with pytest.raises(ModelError, match="level"):
        model.interval(cohort[:1], months, level=1.0)


def test_drawn_limits_agree_with_the_closed_form(cohort):
    """One series, one cause: the draws must reproduce Tsiatis's variance."""
    from outcomes.models import cox_interval

    model = CoxModel().fit(cohort)
    matrix = model.design_.matrix(cohort[:8])
    months = np.array([3.0, 12.0])
    exact = cox_interval.tsiatis_error(model.fits_[1], matrix, months, 1)
    drawn = cox_interval.drawn_error(
        [model.fits_[1]], model.series_, matrix, months, "birch", n_draws=4000
    )
    np.testing.assert_allclose(drawn, exact, rtol=0.06)


@pytest.mark.long
def test_limits_of_an_incidence_cover_the_truth(make_cohort):
    """Of 95 % limits from repeated cohorts, about 95 % must hold the true probability."""
    rate1, rate2, month = 0.05, 0.08, 6.0
    truth = 1 - rate1 / (rate1 + rate2) * (1 - np.exp(-(rate1 + rate2) * month))
    covered = 0
    rng = np.random.default_rng(8)
    for _ in range(60):
        first, second = rng.exponential(1 / rate1, 150), rng.exponential(1 / rate2, 150)
        followed = rng.uniform(4, 20, 150)
        time = np.minimum(np.minimum(first, second), followed)
        event = np.where(time == followed, 0, np.where(first < second, 1, 2))
        data = pd.DataFrame({"lp_months": time, "lp_event": event})
        model = CoxModel("local-control", covariates=[]).fit(data)
        lower, upper = model.interval(data[:1], [month])
        covered += int(lower[0, 0] <= truth <= upper[0, 0])
    assert covered >= 53


def test_proportional_hazards_test_finds_a_crossing(make_cohort, tmp_path):
    rng = np.random.default_rng(4)
    group = rng.random(600) < 0.5
    time = np.where(group, rng.weibull(3.0, 600), rng.weibull(0.6, 600)) * 10
    data = pd.DataFrame(
        {"os_months": time, "death": 1, "group": group, "other": rng.normal(size=600)}
    )
    model = CoxModel(covariates=["group", "other"]).fit(data)
    table = model.proportional_hazards_test().set_index("covariate")
    assert table.loc["group", "p"] < 1e-6
    assert table.loc["other", "p"] > 1e-3
    save_model(model, tmp_path / "m")
    pd.testing.assert_frame_equal(
        load_model(tmp_path / "m").proportional_hazards_test(), model.proportional_hazards_test()
    )
    pd.testing.assert_frame_equal(load_model(tmp_path / "m").summary_, model.summary_)


def test_a_penalty_shrinks(cohort):
    free = CoxModel().fit(cohort).summary_["log_hr"].abs().sum()
    assert CoxModel(penalizer=0.5).fit(cohort).summary_["log_hr"].abs().sum() < 0.7 * free


def test_separated_columns_are_named(cohort):
    separated = cohort.assign(marker=cohort["death"] == 1)
    message = "marker: none of the .* had the event 'death'.*separated='firth' or use a penalizer"
    with pytest.raises(ModelError, match=message):
        CoxModel(covariates=["kps", "marker"], separated="error").fit(separated)
    ridge = CoxModel(covariates=["kps", "marker"], penalizer=0.1, separated="error").fit(separated)
    assert set(ridge.summary_["method"]) == {"ridge"}
    ordered = cohort.assign(clock=-np.log(cohort["os_months"] + 0.1), death=1)
    with pytest.raises(ModelError, match="clock: the hazard ratio has no finite estimate"):
        CoxModel(covariates=["clock"], strata=None, separated="error").fit(ordered)


def test_separated_columns_get_firths_estimates_and_say_so(cohort, tmp_path):
    fewer = cohort.assign(marker=(cohort["death"] == 0) & (cohort["kps"] < 90))
    model = CoxModel(covariates=["kps", "marker"]).fit(fewer)
    row = model.summary_.set_index("covariate").loc["marker"]
    assert row["method"] == "Firth"
    assert -8 < row["log_hr"] < -2
    assert 0 < row["se"] < 3
    (note,) = model.notes_
    assert note.startswith("marker: none of the ")
    assert note.endswith("all of its hazard ratios are Firth's estimates")
    assert model.proportional_hazards_test().empty
    lower, upper = model.interval(fewer[:5], [3.0], series="amber")
    assert (lower < upper).all()
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    coarse = COARSE_NOTE.format(difference=loaded.coarse_difference_)
    assert loaded.notes_ == (*model.notes_, coarse)


def test_a_column_separated_within_the_only_series_where_it_varies(cohort):
    """Elsewhere it is constant, and those events say nothing of it."""
    amber = cohort["study"] == "amber"
    confined = cohort.assign(trial=~amber | (amber & (cohort["death"] == 0) & (cohort["kps"] > 60)))
    with pytest.raises(ModelError, match=r"trial: none .* can be compared"):
        CoxModel(covariates=["kps", "trial"], separated="error").fit(confined)
    assert np.isfinite(CoxModel(covariates=["kps", "trial"]).fit(confined).summary_["se"]).all()


def test_collinear_columns_are_named(cohort):
    twin = cohort.assign(weight=2.0 * cohort["kps"] + 1)
    with pytest.raises(ModelError, match=r"kps and weight determine each other"):
        CoxModel(covariates=["kps", "weight"]).fit(twin)
    third = cohort.assign(age=np.arange(len(cohort)) % 7)
    third["total"] = third["kps"] + 3 * third["age"]
    with pytest.raises(ModelError, match=r"total is determined by kps, age"):
        CoxModel(covariates=["kps", "age", "total"]).fit(third)


def test_a_column_that_varies_only_between_series_is_named(cohort):
    fixed = cohort.assign(era=(cohort["study"] == "amber").astype(float))
    with pytest.raises(ModelError, match=r"constant within every series.*era"):
        CoxModel(covariates=["kps", "era"]).fit(fixed)
    assert "era" in CoxModel(covariates=["kps", "era"], strata=None).fit(fixed).design_.names


def test_a_coefficient_that_rests_on_one_series_is_noted(cohort, tmp_path):
    amber = (cohort["study"] == "amber").to_numpy()
    trial = amber & (np.arange(len(cohort)) % 3 == 0)
    model = CoxModel(covariates=["kps", "trial"]).fit(cohort.assign(trial=trial))
    events = int(cohort.loc[amber, "death"].sum())
    note = (
        f"trial varies only within amber: {trial.sum()} patients with and "
        f"{(amber & ~trial).sum()} without, {events} events"
    )
    assert model.notes_ == (note,)
    save_model(model, tmp_path / "m")
    assert note in load_model(tmp_path / "m").notes_
    alone = cohort.assign(trial=trial)[amber]
    assert CoxModel(covariates=["kps", "trial"]).fit(alone).notes_ == ()


def test_too_little_to_fit_is_refused(cohort):
    dead = np.flatnonzero(cohort["death"])
    few = cohort.assign(death=0)
    few.loc[few.index[dead[:4]], "death"] = 1
    with pytest.raises(ModelError, match=r"found 4 patients .*'death'; .* at least 5"):
        CoxModel(covariates=["kps"]).fit(few)
    same = cohort.iloc[np.zeros(30, dtype=int)].assign(death=1)
    with pytest.raises(ModelError, match="no covariate varies"):
        CoxModel().fit(same)
    assert CoxModel(covariates=[]).fit(same).design_.names == ()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"separated": "ignore"}, "separated: found 'ignore'"),
        ({"ties": "exact"}, "ties: found 'exact'"),
        ({"penalizer": -1.0}, "penalizer"),
        ({"penalizer": "x"}, "penalizer: found 'x'; allowed: a number of at least 0"),
        ({"strata": 3}, "strata: found 3"),
        ({"covariates": ["kps", "death"]}, "covariates: found death; outcomes and measures"),
        ({"separation": "wide"}, "separation: found 'wide'"),
        ({"covariates": "kps"}, "a list of columns"),
    ],
)
def test_wrong_parameters_are_refused(cohort, parameters, message):
    with pytest.raises(ModelError, match=message):
        CoxModel(**parameters).fit(cohort)
