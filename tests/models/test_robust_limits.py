"""Standard errors and limits of curves of models whose errors are robust or clustered."""

import numpy as np
import pandas as pd
import pytest

from outcomes.cox import baseline_hazards, predict_hazard
from outcomes.errors import ModelError
from outcomes.models import CoxModel, FineGrayModel, load_model, save_model
from outcomes.models.cox_interval import drawn_error

PAIR = ["kps", "neurologic_deficit"]


def test_limits_of_clustered_curves_are_the_engines(cohort):
    grouped = cohort.assign(hospital=np.arange(len(cohort)) % 12)
    model = CoxModel(covariates=PAIR, strata=None, cluster="hospital").fit(grouped)
    engine = model._engine[1]
    [baseline] = baseline_hazards(engine, "breslow")
    months = [3.0, 6.0, 12.0]
    expected = predict_hazard(engine, baseline, model._matrix(grouped[:5]), months)
    found = model._interval_error(model._matrix(grouped[:5]), np.array(months), None, 0.0)
    np.testing.assert_allclose(found, expected.standard_error / expected.cumulative, rtol=1e-9)


@pytest.mark.parametrize("options", [{"robust": True}, {"cluster": "hospital"}])
def test_drawn_limits_of_robust_curves_agree_with_the_closed_form(cohort, options):
    grouped = cohort.assign(hospital=np.arange(len(cohort)) % 30)
    model = CoxModel(covariates=PAIR, strata=None, **options).fit(grouped)
    matrix, months = model._matrix(grouped[:4]), np.array([3.0, 6.0, 12.0])
    parts = (tuple(model.fits_.values()), model.series_, matrix, months, None)
    np.testing.assert_allclose(
        drawn_error(*parts, n_draws=4000),
        model._interval_error(matrix, months, None, 0.0),
        rtol=0.07,
    )
    if "cluster" in options:
        # Of few clusters the variance may fall from month to month, which draws smooth.
        return
    given = model._interval_error(matrix, months[1:], None, 3.0)
    np.testing.assert_allclose(
        drawn_error(*parts[:3], months[1:], None, 3.0, n_draws=4000), given, rtol=0.07
    )


def test_robust_limits_survive_a_file(cohort, tmp_path):
    grouped = pd.concat([cohort] * 2).assign(hospital=np.tile(np.arange(len(cohort)), 2))
    months, limits = [6.0, 12.0], {}
    for cluster in ("hospital", None):
        model = CoxModel(covariates=PAIR, cluster=cluster).fit(grouped)
        save_model(model, tmp_path / "model")
        again = load_model(tmp_path / "model")
        series = model.series_.names[0]
        limits[cluster] = again.interval(cohort[:20], months, series=series)
        expected = model.interval(cohort[:20], months, series=series)
        np.testing.assert_allclose(limits[cluster], expected, atol=0.02)
    lower, upper = limits["hospital"]
    narrow_lower, narrow_upper = limits[None]
    # Everyone stands in the data twice, which the naive limits take for twice the patients.
    assert np.median((upper - lower) / (narrow_upper - narrow_lower)) == pytest.approx(
        np.sqrt(2), rel=0.15
    )


def test_the_rows_of_a_patient_belong_together():
    rng = np.random.default_rng(4)
    months = rng.exponential(10, 300)
    cohort = pd.DataFrame(
        {
            "kps": rng.integers(4, 10, 300) * 10,
            "sbrt": rng.random(300) < 0.5,
            "os_months": np.minimum(months, 24),
            "death": months < 24,
        }
    )
    cohort["sbrt_start_months"] = np.where(cohort["sbrt"], 1.0, np.nan)
    options = {"covariates": ["sbrt", "kps"], "time_dependent": True}
    robust = CoxModel(robust=True, **options).fit(cohort)
    named = CoxModel(cluster="name", **options).fit(cohort.assign(name=np.arange(300)))
    np.testing.assert_allclose(robust.fits_[1].covariance, named.fits_[1].covariance, rtol=1e-9)


@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
def test_fine_gray_takes_clusters(cohort, tmp_path, endpoint):
    doubled = pd.concat([cohort] * 2, ignore_index=True)
    doubled["hospital"] = np.tile(np.arange(len(cohort)), 2)
    single = FineGrayModel(endpoint=endpoint, covariates=PAIR).fit(cohort)
    model = FineGrayModel(endpoint=endpoint, covariates=PAIR, cluster="hospital").fit(doubled)
    columns = ["log_hr", "se", "p"]
    np.testing.assert_allclose(model.summary_[columns], single.summary_[columns], rtol=1e-5)
    series, months = model.series_.names[0], [3.0, 6.0]
    for found, expected in zip(
        model.interval(cohort[:9], months, series=series),
        single.interval(cohort[:9], months, series=series),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(
        model.proportional_hazards_test()["statistic"],
        single.proportional_hazards_test()["statistic"],
        rtol=1e-5,
    )
    save_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert again.cluster == "hospital"
    np.testing.assert_allclose(again.summary_[columns], model.summary_[columns], rtol=1e-12)


def test_few_clusters_survive_a_file(cohort, tmp_path):
    few = cohort.assign(hospital=np.arange(len(cohort)) % 2)
    model = FineGrayModel(endpoint="overall-survival", covariates=[*PAIR], cluster="hospital")
    save_model(model.fit(few), tmp_path / "model")
    assert (load_model(tmp_path / "model").summary_["se"] > 0).all()


def test_clusters_that_cannot_be_read_are_refused(cohort):
    for name, message in (
        ("absent", "missing column: absent"),
        (3, "cluster: found 3; allowed: the name of a column"),
        ("hole", "hole: missing in row 3"),
        ("one", "cluster: found one"),
    ):
        table = cohort.assign(hole=["a", "b", None, *"c" * (len(cohort) - 3)], one="x")
        with pytest.raises(ModelError, match=message):
            FineGrayModel("overall-survival", PAIR, cluster=name).fit(table)
        with pytest.raises(ModelError, match=message):
            CoxModel("overall-survival", PAIR, cluster=name).fit(table)
