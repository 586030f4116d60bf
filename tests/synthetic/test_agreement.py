"""Two ways to one number: integration of the truth, and estimation from simulated patients."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from outcomes.evidence import Figure
from outcomes.synthetic import shipped_calibration, simulate, treatment_truth, true_risk
from outcomes.synthetic.courses import course_of
from outcomes.synthetic.effects import arm_baseline, series_follow_up
from outcomes.synthetic.estimands import achieved, is_covered
from outcomes.synthetic.hazards import draw_events
from outcomes.synthetic.numeric import numeric_figures
from outcomes.synthetic.patients import draw_patients, draw_regimen, draw_separation
from outcomes.synthetic.population import strategy_arms, time_grid
from outcomes.synthetic.reported import reported
from outcomes.synthetic.sampling import sampling_error
from outcomes.synthetic.series_expectation import expect_series

# A score is written to a tenth of a point, and a cohort never holds the very ends of a range.
WRITTEN = {"vas_decrease_median": 0.05}
RANGE_END = 0.02
COHORTS, SIZE = 10, 20_000


def test_simulated_cohorts_report_what_integration_expects(study):
    calibration = shipped_calibration()
    evidence, series = calibration.evidence, calibration.series_of(study)
    expectation = expect_series(series, calibration.values(study), calibration.effects, evidence)
    figures = numeric_figures(study, evidence)
    assert figures
    cohorts = [simulate(study, SIZE, seed) for seed in range(COHORTS)]
    for figure in figures:
        got = np.array([reported(figure, cohort, series.size) for cohort in cohorts])
        error = got.std(ddof=1) / np.sqrt(COHORTS)
        end = RANGE_END if figure.estimand == "range" else 1e-9
        apart = WRITTEN.get(figure.quantity, end)
        # Five standard errors of ten cohorts are a t quantile of about 0.9995.
        assert abs(got.mean() - achieved(figure, expectation)) < 5 * error + apart, figure.id


ANOTHERS = (
    ("follow_up_median", "median_among_observed", "months", None),
    ("follow_up_median", "kaplan_meier_median", "months", None),
    ("overall_survival_6m", "kaplan_meier", "percent", 6.0),
    ("overall_survival_24m", "kaplan_meier", "percent", 24.0),
    ("local_progression_6m", "cumulative_incidence", "percent", 6.0),
    ("local_progression_24m", "kaplan_meier_complement", "percent", 24.0),
    ("local_control_24m", "kaplan_meier", "percent", 24.0),
    ("local_control_crude", "crude_proportion", "percent", None),
    ("deaths", "crude_proportion", "percent", None),
)


@pytest.mark.parametrize("study", ["laufer-2013", "liu-2020", "gong-2021"])
def test_simulated_cohorts_report_what_another_study_would_print(study):
    """Quantities no shipped figure has; follow-up is a Weibull, a beta, and uniform."""
    calibration = shipped_calibration()
    series = calibration.series_of(study)
    expectation = expect_series(
        series, calibration.values(study), calibration.effects, calibration.evidence
    )
    cohorts = [simulate(study, SIZE, seed) for seed in range(COHORTS)]
    for quantity, estimand, unit, month in ANOTHERS:
        figure = Figure(
            id=f"{study}/{quantity}",
            study=study,
            quantity=quantity,
            estimand=estimand,
            role="fit",
            source="invented",
            value=1.0,
            unit=unit,
            n=100,
            at_month=month,
        )
        assert is_covered(figure)
        got = np.array([reported(figure, cohort) for cohort in cohorts])
        error = got.std(ddof=1) / np.sqrt(COHORTS)
        expected = achieved(figure, expectation)
        if quantity == "follow_up_median":
            expected = min(expected, series.follow_up_range[1])
        assert abs(got.mean() - expected) <= 5 * error, (quantity, estimand)
        # Nearly all of Liu's follow-up ends at one of two months: no density about the median.
        if unit == "months" and study != "liu-2020" and expected < series.follow_up_range[1]:
            spread = got.std(ddof=1) * np.sqrt(SIZE / series.size)
            assert sampling_error(figure, expectation) == pytest.approx(spread, rel=0.75)


@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
def test_mean_true_risk_is_the_observed_risk(endpoint):
    calibration = shipped_calibration()
    cohort = simulate("liu-2020", 60_000, 4)
    # Nobody in this series is censored before month 9.
    months = (1.0, 3.0, 8.0)
    risk = true_risk(cohort, endpoint, months, calibration)
    time, event = (
        ("os_months", "death") if endpoint == "overall-survival" else ("lp_months", "lp_event")
    )
    for treated in (True, False):
        rows = (cohort["sbrt"] == treated).to_numpy()
        for column, month in enumerate(months):
            happened = (cohort[time] <= month) & (cohort[event] == 1)
            error = np.sqrt(risk[rows, column].mean() / rows.sum())
            assert happened[rows].mean() == pytest.approx(
                risk[rows, column].mean(), abs=4 * error + 1e-3
            )


@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
def test_true_risk_where_everyone_had_sbrt(endpoint):
    """Nothing happens before SBRT, so the risk just after its start is all but 0."""
    calibration = shipped_calibration()
    cohort = simulate("laufer-2013", 2_000, 4)
    risk = true_risk(cohort, endpoint, [0.45, 0.6, 3.0], calibration)
    assert (risk[:, 0] == 0).all()
    waiting = (cohort["sbrt_start_months"] > 0.6).to_numpy()
    assert risk[waiting, 1].max() < 1e-3
    series = calibration.series_of("laufer-2013")
    values, effects = calibration.values("laufer-2013"), calibration.effects
    whole = expect_series(series, values, effects, calibration.evidence).whole
    curve = 1 - whole.alive if endpoint == "overall-survival" else whole.progressed
    expected = np.interp(3.0, whole.months, curve)
    error = risk[:, 2].std() / np.sqrt(len(cohort))
    assert risk[:, 2].mean() == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize(
    ("endpoint", "key", "first_month"),
    [
        ("overall-survival", "cox-unadjusted:hazard_ratio", 0.0),
        ("local-control", "cox-unadjusted:hazard_ratio", 0.0),
        ("overall-survival", "landmark:hazard_ratio", 1.38),
    ],
)
def test_true_hazard_ratios_are_those_of_a_randomised_trial(endpoint, key, first_month):
    calibration = shipped_calibration()
    series = calibration.series_of("liu-2020")
    truth = treatment_truth(calibration, "liu-2020", endpoint, (12,), landmark=1.38)
    trial = _randomised_trial(calibration, series, 40_000)
    time, event = (
        ("os_months", "death") if endpoint == "overall-survival" else ("lp_months", "lp_event")
    )
    rows = trial[trial[time] > first_month]
    columns = ["treated"] if first_month == 0 else ["treated", "score"]
    data = rows[columns].assign(
        time=np.ceil(rows[time] * 20) / 20, event=(rows[event] == 1).astype(int)
    )
    fit = CoxPHFitter().fit(data, "time", "event")
    assert abs(fit.params_["treated"] - np.log(truth[key])) < 3.5 * fit.standard_errors_["treated"]


def _randomised_trial(calibration, series, size):
    """Return patients of a series assigned at surgery by a coin."""
    generator = np.random.default_rng(21)
    values, effects = calibration.values(series.study), calibration.effects
    arms = np.zeros(size, dtype=np.intp)
    patients = draw_patients(series, arms, values, calibration.evidence, generator)
    below = np.full(size, calibration.evidence["share_separation_below_3mm"])
    patients["separation_mm"] = draw_separation(below, calibration.evidence, generator)
    treated = generator.random(size) < 0.5
    mix = np.tile(np.array(series.arms[1].regimens), (size, 1))
    patients["dose_regimen"] = draw_regimen(mix, treated, generator)
    start = generator.uniform(*series.sbrt_start, size)
    course = course_of(patients, effects, treated=treated, start=start, chosen=True)
    times = draw_events(arm_baseline(series.arms[0], values), course, size, generator)
    censoring = series_follow_up(series, values).draw(size, generator)
    end, died = np.minimum(times.death, censoring), times.death <= censoring
    progressed = times.progression < end
    return pd.DataFrame(
        {
            "treated": treated.astype(float),
            "score": course.score,
            "os_months": end,
            "death": died.astype(int),
            "lp_months": np.where(progressed, times.progression, end),
            "lp_event": np.where(progressed, 1, np.where(died, 2, 0)),
        }
    )


def test_true_risk_ranks_patients():
    cohort = simulate("laufer-2013", 5_000, 4)
    risk = true_risk(cohort, "overall-survival", [12.0], shipped_calibration())[:, 0]
    fit = cohort["kps"].to_numpy() >= 90
    assert risk[fit].mean() < risk[~fit].mean() - 0.05


@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
def test_treatment_truth_is_consistent(endpoint):
    truth = treatment_truth(shipped_calibration(), "liu-2020", endpoint, (12, 24))
    for month in (12, 24):
        treated, control = truth[f"risk_treated@{month}"], truth[f"risk_control@{month}"]
        assert truth[f"risk_difference@{month}"] == pytest.approx(treated - control)
        assert truth[f"risk_ratio@{month}"] == pytest.approx(treated / control)
        assert treated < control
    assert 0 < truth["hazard_ratio"] < 1


def test_the_true_hazard_ratio_of_a_randomised_trial_includes_prevented_progression():
    """The direct hazard ratio is 0.70; preventing progression, which kills, adds to it."""
    truth = treatment_truth(shipped_calibration(), "liu-2020", "overall-survival", (12,))
    assert 0.5 < truth["hazard_ratio"] < 0.70


def test_strategies_differ_from_the_recorded_arms_by_selection():
    calibration = shipped_calibration()
    series = calibration.series_of("liu-2020")
    arguments = (
        series,
        calibration.values("liu-2020"),
        calibration.effects,
        time_grid(series),
    )
    everyone = strategy_arms(*arguments, who="everyone")
    assigned = strategy_arms(*arguments, who="assigned")
    assert everyone["alone"].mean_kps == pytest.approx(everyone["sbrt"].mean_kps)
    assert assigned["sbrt"].mean_kps > assigned["alone"].mean_kps
