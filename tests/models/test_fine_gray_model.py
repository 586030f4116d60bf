"""The Fine-Gray model of an endpoint: its fit, its intervals, its file."""

import io
import time as clock
import zipfile

import numpy as np
import pandas as pd
import pytest

from outcomes.cox.subdistribution import fit_fine_gray
from outcomes.errors import ModelError
from outcomes.models import CoxModel, FineGrayModel, load_model, save_model
from outcomes.models.competing import cumulative_incidences, subdistribution_incidences
from outcomes.models.fine_gray_interval import drawn_error

COVARIATES = ["kps", "sbrt", "neurologic_deficit"]


@pytest.fixture(scope="module")
def control(cohort):
    return FineGrayModel("local-control", covariates=COVARIATES).fit(cohort)


def test_it_is_the_engines_fit_by_series(control, cohort):
    matrix = control.design_.matrix(cohort)
    study = cohort["study"].to_numpy()
    fit = fit_fine_gray(
        matrix, cohort["lp_months"], cohort["lp_event"], strata=study, censoring_groups=study
    )
    summary = control.summary_[control.summary_["method"] == "Fine-Gray"]
    np.testing.assert_allclose(summary["log_hr"], fit.coefficients, rtol=1e-12)
    np.testing.assert_allclose(summary["se"], fit.standard_errors, rtol=1e-12)
    np.testing.assert_allclose(summary["hr"], np.exp(fit.coefficients), rtol=1e-12)
    for series in ("amber", "birch"):
        np.testing.assert_allclose(
            control.predict_cumulative_incidence(cohort, [3, 6], series=series),
            fit.cumulative_incidence(matrix, [3, 6], series),
            rtol=1e-12,
        )
        lower, upper = control.interval(cohort[:5], [3, 6], series=series)
        risk_lower, risk_upper = fit.interval(matrix[:5], [3, 6], series)
        np.testing.assert_allclose(1 - lower, risk_upper, rtol=1e-9)
        np.testing.assert_allclose(1 - upper, risk_lower, rtol=1e-9)


def test_other_events_have_cause_specific_hazards(control, cohort):
    other = control.summary_[control.summary_["method"] == "cause-specific"]
    cox = CoxModel("local-control", covariates=COVARIATES, ties="breslow").fit(cohort)
    theirs = cox.summary_[cox.summary_["event"] == "death without local progression"]
    np.testing.assert_allclose(other["log_hr"], theirs["log_hr"], rtol=1e-6)
    assert "cause-specific hazards beside it" in control.notes_[-1]
    assert FineGrayModel("overall-survival", covariates=COVARIATES).fit(cohort).notes_ == ()


def test_without_competing_events_it_is_cox(cohort):
    survival = FineGrayModel("overall-survival", covariates=COVARIATES).fit(cohort)
    cox = CoxModel("overall-survival", covariates=COVARIATES, ties="breslow", robust=True)
    cox.fit(cohort)
    for column, tolerance in (("log_hr", 1e-6), ("se", 1e-5)):
        np.testing.assert_allclose(survival.summary_[column], cox.summary_[column], rtol=tolerance)
    np.testing.assert_allclose(
        survival.predict_survival(cohort, [3, 12]), cox.predict_survival(cohort, [3, 12]), rtol=1e-6
    )


def test_it_finds_the_effects(make_cohort):
    """Death acts on the risk of progression too: sbrt lowers both, so less is taken away."""
    cohort = make_cohort(4_000, seed=5)
    model = FineGrayModel("local-control", covariates=["kps", "sbrt", "dose_regimen"]).fit(cohort)
    table = model.summary_.set_index(["method", "covariate"])["log_hr"]
    # A higher Karnofsky index leaves more patients alive to progress.
    assert 0.001 < table["Fine-Gray", "kps"] < 0.02
    assert table["cause-specific", "kps"] == pytest.approx(-0.025, abs=0.006)
    assert -0.9 < table["Fine-Gray", "sbrt"] < -0.3
    tests = model.proportional_hazards_test()
    assert list(tests.columns) == ["event", "covariate", "statistic", "p"]
    assert tests["p"].between(0, 1).all()


@pytest.mark.parametrize(("name", "given"), [(None, 0.0), ("birch", 5.0), (None, 5.0)])
def test_drawn_errors_are_those_of_a_bootstrap(make_cohort, name, given):
    cohort = make_cohort(500, seed=6)
    model = FineGrayModel("local-control", covariates=["sbrt", "kps"]).fit(cohort)
    patients, months = cohort[:8], [8.0, 12.0]
    rng = np.random.default_rng(0)
    curves = []
    for _ in range(150):
        rows = np.concatenate(
            [rng.choice(part, len(part)) for part in cohort.groupby("study").indices.values()]
        )
        again = FineGrayModel("local-control", covariates=["sbrt", "kps"]).fit(cohort.iloc[rows])
        ends = [min(month, again.series_.end_of(name)) for month in months]
        curves.append(again.predict_survival(patients, ends, series=name, survived=given))
    spread = np.log(-np.log(np.array(curves))).std(axis=0)
    matrix = model.design_.matrix(patients)
    error = drawn_error(
        tuple(model.fits_.values()), model.series_, matrix, np.array(months), name, given
    )
    ratio = error / spread
    assert 0.8 < ratio.mean() < 1.2
    assert ratio.min() > 0.65
    assert ratio.max() < 1.5


def test_closed_form_and_draws_agree(control, cohort):
    matrix, months = control.design_.matrix(cohort[:6]), np.array([4.0, 12.0])
    closed = control.fits_[1].standard_error_log_hazard(matrix, months, 0)
    drawn = drawn_error(
        tuple(control.fits_.values()), control.series_, matrix, months, "amber", 0.0, 2000
    )
    np.testing.assert_allclose(drawn, closed, rtol=0.1)


def test_a_covariate_without_a_finite_ratio_is_named(cohort):
    never = cohort.assign(rare=(cohort["lp_event"] != 1) & (np.arange(len(cohort)) % 2 == 0))
    with pytest.raises(ModelError, match="local progression: rare: nobody with the value 1"):
        FineGrayModel("local-control", covariates=["kps", "rare"]).fit(never)


def test_no_patients_month_is_in_the_file(control, cohort, tmp_path):
    save_model(control, tmp_path / "m")
    with zipfile.ZipFile(tmp_path / "m") as archive:
        stored = {k: np.load(io.BytesIO(archive.read(k))) for k in archive.namelist() if "npy" in k}
    months = set(cohort["lp_months"]) - set(control.follow_up_.values())
    times = [array for name, array in stored.items() if name.endswith("times.npy")]
    events = [array for name, array in stored.items() if name.endswith("events.npy")]
    assert len(times) == len(events) == 6
    for array in times:
        assert not months & set(array)
    for array in events:
        assert (array >= 5).all() or len(array) == 1


def test_the_coarse_baseline_is_near_the_exact_one(make_cohort, tmp_path):
    cohort = make_cohort(3_000, seed=7)
    model = FineGrayModel("local-control", covariates=COVARIATES).fit(cohort)
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    assert "coarse" in loaded.notes_[-1] or "from a file" in loaded.notes_[-1]
    months = [1.0, 3.0, 7.3, 12.0]
    for series in (None, "birch"):
        for event in (1, 2):
            np.testing.assert_allclose(
                loaded.predict_cumulative_incidence(cohort[:50], months, series, event),
                model.predict_cumulative_incidence(cohort[:50], months, series, event),
                atol=0.01,
            )
        for found, expected in zip(
            loaded.interval(cohort[:5], months, series=series),
            model.interval(cohort[:5], months, series=series),
            strict=True,
        ):
            np.testing.assert_allclose(found, expected, atol=0.015)
    pd.testing.assert_frame_equal(loaded.summary_, model.summary_)
    pd.testing.assert_frame_equal(
        loaded.proportional_hazards_test(), model.proportional_hazards_test()
    )


def test_a_given_incidence_and_a_hazard_by_hand():
    # One half of the patients progress at month 1; then a hazard of ln 2 halves who is left.
    risk, hazard = np.array([[0.5, 0.5]]), np.array([[0.0, np.log(2)]])
    found = subdistribution_incidences(risk, [hazard], np.array([1.0, 2.0]), np.array([1.0, 2.5]))
    np.testing.assert_allclose(found[:, 0], [[0.5, 0.5], [0.0, 0.25]])


def test_both_combinations_agree_in_fine_steps():
    """From cause-specific hazards to incidences, and from the first of these back again."""
    grid = np.linspace(0, 5, 4_001)[1:]
    first, second, third = 0.2 * grid, 0.3 * grid**0.7, 0.1 * np.sqrt(grid)
    hazards = [first[None], second[None], third[None]]
    expected = cumulative_incidences(hazards, grid, grid)
    found = subdistribution_incidences(expected[0], hazards[1:], grid, grid)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_impossible_hazards_still_give_probabilities():
    grid = np.linspace(0, 5, 101)[1:]
    risk, hazard = 0.95 * (1 - np.exp(-grid))[None], 2 * grid[None]
    found = subdistribution_incidences(risk, [hazard, 400 * hazard], grid, grid)
    assert (found >= 0).all()
    assert (np.diff(found, axis=2) >= -1e-15).all()
    assert (found.sum(axis=0) <= 1 + 1e-12).all()


@pytest.mark.parametrize("model", [CoxModel, FineGrayModel])
def test_incidences_of_many_patients_are_fast(make_cohort, model):
    """2,000 patients at 60 months; seconds of processor time."""
    cohort = make_cohort(2_000, seed=1)
    fitted = model("local-control", covariates=COVARIATES, strata=None).fit(cohort)
    months = np.linspace(0.5, fitted.series_.end, 60)
    begin = clock.process_time()
    total = fitted.predict_event_free(cohort, months)
    assert clock.process_time() - begin < 4
    for event in (1, 2):
        total += fitted.predict_cumulative_incidence(cohort, months, event=event)
    np.testing.assert_allclose(total, 1, atol=1e-12)
