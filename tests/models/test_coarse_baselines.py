"""Coarse baselines: near the exact ones, and no patient's row can be read from a file."""

import io
import zipfile

import numpy as np
import pytest

from outcomes.models import CoxModel, load_model, save_model
from outcomes.models.coarsening import FEWEST_EVENTS, MOST_STEPS, coarsen_baseline
from outcomes.models.proportional_hazards import Baseline


def baseline(*times, deaths=1):
    """One covariate; risk sets that shrink by two from one time to the next."""
    n = len(times)
    at_risk = 2.0 * np.arange(n, 0, -1) + 3
    return Baseline(
        np.array(times), deaths / at_risk, np.full(n, float(deaths)), np.linspace(0, 1, n)[:, None]
    )


def at_risk_rows(times, increments, deaths, means, center):
    """Solve for the row that left between two steps, had there been one alone."""
    total = deaths / increments
    moments = means * total[:, None]
    left = total[:-1] - total[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        return (moments[:-1] - moments[1:]) / left[:, None] + center


def recovered(rows, matrix):
    """Count the rows that are some patient's."""
    rows = rows[np.isfinite(rows).all(axis=1)]
    near = np.abs(rows[:, None, :] - matrix[None, :, :]) <= 0.02 * (1 + np.abs(matrix))
    return int(near.all(axis=2).any(axis=1).sum())


@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
@pytest.mark.parametrize("n", [60, 400])
def test_no_patient_can_be_read_from_the_file(make_cohort, tmp_path, endpoint, n):
    cohort = make_cohort(n, seed=3)
    model = CoxModel(endpoint, covariates=["kps", "sbrt", "neurologic_deficit"]).fit(cohort)
    matrix = model.design_.matrix(cohort)
    exact = 0
    save_model(model, tmp_path / "m")
    with zipfile.ZipFile(tmp_path / "m") as archive:
        stored = {k: np.load(io.BytesIO(archive.read(k))) for k in archive.namelist() if "npy" in k}
    months = cohort[["os_months", "lp_months"]].to_numpy().ravel()
    ends = list(model.follow_up_.values())
    for code, fit in model.fits_.items():
        for position, kept in enumerate(fit.baselines):
            parts = (kept.times, kept.increments, kept.deaths, kept.means)
            exact += recovered(at_risk_rows(*parts, fit.center), matrix)
            times, increments, deaths, means = (
                stored[f"cause.{code}.{position}.{name}.npy"]
                for name in ("times", "increments", "deaths", "means")
            )
            assert not set(times) & set(months) - set(ends)
            # What a step sums up: its pieces share their means.
            starts = np.flatnonzero(np.r_[True, (np.diff(means, axis=0) != 0).any(axis=1)])
            step = [np.add.reduceat(array, starts) for array in (increments, deaths)]
            rows = at_risk_rows(times[starts], *step, means[starts], fit.center)
            assert recovered(rows, matrix) == 0
            assert len(starts) <= max(1, kept.deaths.sum() / FEWEST_EVENTS)
    # The same attack on the exact baselines does give patients back.
    assert exact > 0.1 * n


@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
def test_predictions_of_the_file_stay_within_a_step(make_cohort, tmp_path, endpoint):
    cohort = make_cohort(600, seed=4)
    model = CoxModel(endpoint).fit(cohort)
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    for position, (name, end) in enumerate(model.follow_up_.items()):
        for code, fit in model.fits_.items():
            exact, coarse = fit.baselines[position], loaded.fits_[code].baselines[position]
            nodes = np.append(0.0, coarse.times[7::8])
            np.testing.assert_allclose(coarse.cumulative(nodes), exact.cumulative(nodes), rtol=3e-4)
            months = np.linspace(0, end, 500)
            step = np.searchsorted(nodes, months, side="right")
            low = exact.cumulative(nodes[step - 1])
            high = exact.cumulative(nodes[np.minimum(step, len(nodes) - 1)])
            for curve in (exact, coarse):
                hazard = curve.cumulative(months)
                assert (hazard >= low * (1 - 1e-3)).all()
                assert (hazard <= high * (1 + 1e-3)).all()
        # While 25 patients are still followed, even the largest of these changes is bounded.
        rows = cohort["study"] == name
        last = np.sort(cohort.loc[rows, "os_months"])[-25]
        months = np.linspace(0, last, 60)
        change = loaded.predict_survival(cohort[:50], months, series=name) - model.predict_survival(
            cohort[:50], months, series=name
        )
        assert np.abs(change).max() < 0.1
        assert np.abs(change).mean() < 0.02


def test_steps_by_hand():
    coarse = coarsen_baseline(baseline(*np.arange(1, 13) + 0.03), end=20.0)
    # Twelve events: five, then seven, at times moved up to tenths.
    np.testing.assert_allclose(coarse.times[7::8], [5.1, 12.1])
    exact = baseline(*np.arange(1, 13) + 0.03)
    np.testing.assert_allclose(
        coarse.cumulative(np.array([5.1, 12.1, 20.0])),
        exact.cumulative(np.array([5.1, 12.1, 20.0])),
        rtol=3e-4,
    )
    variance = coarse.increments**2 / coarse.deaths
    np.testing.assert_allclose(
        variance.reshape(2, 8).sum(axis=1),
        [(exact.increments[:5] ** 2).sum(), (exact.increments[5:] ** 2).sum()],
        rtol=1e-3,
    )
    moments = coarse.means[:, 0] * coarse.increments
    np.testing.assert_allclose(
        moments.reshape(2, 8).sum(axis=1),
        [
            (exact.means[:5, 0] * exact.increments[:5]).sum(),
            (exact.means[5:, 0] * exact.increments[5:]).sum(),
        ],
        rtol=1e-3,
    )
    again = coarsen_baseline(coarse, end=20.0)
    for name in ("times", "increments", "deaths", "means"):
        np.testing.assert_array_equal(getattr(again, name), getattr(coarse, name))


def test_few_events_give_one_line_and_many_give_no_more_steps_than_allowed():
    few = coarsen_baseline(baseline(1.0, 2.0, 3.0), end=10.0)
    total = baseline(1.0, 2.0, 3.0).increments.sum()
    np.testing.assert_allclose(few.cumulative(np.array([5.0, 10.0])), [total / 2, total], rtol=0.05)
    np.testing.assert_array_equal(few.means, 0.0)
    none = coarsen_baseline(baseline(), end=10.0)
    np.testing.assert_array_equal(none.cumulative(np.array([0.0, 10.0])), 0.0)
    many = coarsen_baseline(baseline(*np.linspace(0.01, 60, 3000)), end=61.0)
    assert len(many.times) <= 8 * MOST_STEPS
    at_once = coarsen_baseline(baseline(0.0, 0.0 + 1e-9, deaths=4), end=5.0)
    assert np.isfinite(at_once.cumulative(np.array([0.0, 1.0, 5.0]))).all()
