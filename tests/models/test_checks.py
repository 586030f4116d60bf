"""What the measures accept, and what they refuse by argument, row and what is allowed."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

from outcomes.errors import ModelError, ModelFileError
from outcomes.models import (
    CoxModel,
    KaplanMeierModel,
    calibrate_risks,
    compare_models,
    cross_validate,
    d_calibration,
    decision_curve,
    evaluate,
    harrell_concordance,
    nested_cross_validate,
    save_model,
    score_risks,
    uno_concordance,
)

N = 120


@pytest.fixture(scope="module")
def patients():
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "time": rng.exponential(12.0, N),
            "event": rng.choice([0, 1, 2], N, p=[0.3, 0.5, 0.2]),
            "risk": rng.uniform(0.05, 0.95, N),
            "series": rng.choice(["amber", "birch"], N),
        },
        index=np.arange(N) + 500,
    )


MEASURES = {
    "harrell": lambda t, e, r, g: harrell_concordance(t, e, r, groups=g).value,
    "uno": lambda t, e, r, g: uno_concordance(t, e, r, groups=g, horizon=10.0).value,
    "scores": lambda t, e, r, g: score_risks(t, e, r, 10.0, groups=g).brier.value[0],
    "calibration": lambda t, e, r, g: calibrate_risks(t, e, r, 10.0, groups=g).e50,
    "benefit": lambda t, e, r, g: decision_curve(t, e, r, 10.0, [0.3], n_bootstrap=2).loc[
        0, "net_benefit"
    ],
}
OF_RISKS = [name for name in MEASURES if name not in ("harrell", "uno")]


@pytest.mark.parametrize("name", MEASURES)
def test_lists_and_series_give_what_arrays_give(patients, name):
    columns = [patients[column] for column in ("time", "event", "risk", "series")]
    expected = MEASURES[name](*(column.to_numpy() for column in columns))
    assert np.isfinite(expected)
    assert MEASURES[name](*columns) == expected
    assert MEASURES[name](*(column.tolist() for column in columns)) == expected


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("time", np.nan, "time: row 3: found nan; allowed: a finite number"),
        ("time", -1.0, "time: row 3: found -1.0; allowed: a finite number of at least 0"),
        ("event", np.nan, "event: row 3: found nan"),
        ("event", -1, "event: row 3: found -1.0; allowed: a whole number of at least 0"),
        ("event", 0.5, "event: row 3: found 0.5"),
        ("risk", np.nan, "(risk|score|predicted): row 3: found .*nan"),
    ],
)
def test_a_number_out_of_place_is_named_by_its_row(patients, name, column, value, message):
    wrong = patients.astype({"event": float})
    wrong.iloc[2, wrong.columns.get_loc(column)] = value
    with pytest.raises(ModelError, match=message):
        MEASURES[name](wrong["time"], wrong["event"], wrong["risk"], wrong["series"])


@pytest.mark.parametrize("name", OF_RISKS)
def test_percentages_are_no_risks(patients, name):
    with pytest.raises(ModelError, match=r"(risk|predicted): row 1: found .* from 0 to 1"):
        MEASURES[name](
            patients["time"], patients["event"], 100 * patients["risk"], patients["series"]
        )


@pytest.mark.parametrize("name", MEASURES)
def test_lengths_are_compared_and_nobody_is_refused(patients, name):
    time, event, risk, series = (patients[c] for c in ("time", "event", "risk", "series"))
    with pytest.raises(ModelError, match="event: found 119 values; allowed: 120"):
        MEASURES[name](time, event[:-1], risk, series)
    with pytest.raises(ModelError, match=r"(risk|score|predicted): found"):
        MEASURES[name](time, event, risk[:-1], series)
    with pytest.raises(ModelError, match="time: found no patients"):
        MEASURES[name]([], [], [], [])
    with pytest.raises(ModelError, match="time: allowed: one finite number per patient"):
        MEASURES[name](["soon"] * N, event, risk, series)
    with pytest.raises(ModelError, match="time: found shape"):
        MEASURES[name](time.to_numpy()[:, None], event, risk, series)


@pytest.mark.parametrize("measure", [harrell_concordance, uno_concordance])
def test_weights_groups_and_horizon_are_checked(patients, measure):
    given = [patients[column] for column in ("time", "event", "risk")]
    weights = np.ones(N)
    weights[4] = -1
    with pytest.raises(ModelError, match=r"weights: row 5: found -1.0"):
        measure(*given, weights=weights)
    with pytest.raises(ModelError, match="groups: row 1: found None; allowed: a name"):
        measure(*given, groups=[None, *patients["series"][1:]])
    with pytest.raises(ModelError, match="clusters: found 1 values; allowed: 120"):
        measure(*given, clusters=[1])
    with pytest.raises(ModelError, match="horizon: found nan"):
        measure(*given, horizon=np.nan)


def test_limits_need_a_level_below_1_and_a_pair(patients):
    time, event, risk = (patients[column] for column in ("time", "event", "risk"))
    with pytest.raises(ModelError, match="level: found 95; allowed: between 0 and 1"):
        harrell_concordance(time, event, risk).interval(95)
    with pytest.raises(ModelError, match="level: found 95"):
        decision_curve(time, event, risk, 10.0, level=95)
    with pytest.raises(ModelError, match="level: found 95"):
        calibrate_risks(time, event, risk, 10.0, level=95)
    with pytest.raises(ModelError, match="n_bootstrap: found -1"):
        decision_curve(time, event, risk, 10.0, n_bootstrap=-1)
    for measure in (harrell_concordance, uno_concordance):
        for nobody in (measure([5.0], [1], [0.2]), measure(time, 0 * event, risk)):
            found = nobody.interval()
            assert np.isnan([found.value, found.lower, found.upper]).all()


def test_flags_of_any_kind_give_the_same_d_calibration(patients):
    own, seen = patients["risk"], patients["event"] > 0
    expected = d_calibration(own.to_numpy(), seen.to_numpy())
    for observed in (seen, seen.astype(int), seen.astype(float).to_numpy(), seen.tolist()):
        found = d_calibration(own, observed)
        np.testing.assert_array_equal(found.counts, expected.counts)
        assert found.p == expected.p
    assert expected.counts.sum() == pytest.approx(N)
    with pytest.raises(ModelError, match=r"observed: row .* found 2.0; allowed: true or false"):
        d_calibration(own, patients["event"])
    with pytest.raises(ModelError, match="observed: found 1 values; allowed: 120"):
        d_calibration(own, [True])
    with pytest.raises(ModelError, match="own: row 1: found nan"):
        d_calibration([np.nan], [True])


def test_calibration_leaves_out_a_series_that_ends_before_the_month(patients):
    long = patients.assign(series="amber")
    short = long.assign(time=long["time"].clip(upper=6.0), series="cedar", risk=0.9)
    both = pd.concat([long, short])
    alone, found = (
        calibrate_risks(t["time"], t["event"], t["risk"], 12.0, groups=t["series"])
        for t in (long, both)
    )
    assert alone.notes == ()
    assert found.notes == ("month 12: without cedar, not followed so far",)
    assert found.observed_expected == alone.observed_expected
    assert found.integrated_calibration_index == alone.integrated_calibration_index
    pd.testing.assert_frame_equal(found.groups, alone.groups)


def test_without_events_accuracy_and_limits_do_not_exist(patients, cohort):
    time, risk, none = patients["time"], patients["risk"], np.zeros(N)
    scores = score_risks(time, none, risk, 12.0)
    assert (scores.null_brier.value == 0).all()
    assert np.isnan(scores.index_of_prediction_accuracy.value).all()
    ratio = calibrate_risks(time, none, risk, 10.0).observed_expected
    assert ratio.value == 0
    assert np.isnan([ratio.lower, ratio.upper]).all()
    never = calibrate_risks(time, patients["event"], none, 10.0).observed_expected
    assert np.isnan([never.value, never.lower, never.upper]).all()
    survived = evaluate(CoxModel().fit(cohort), cohort.assign(death=0), n_bootstrap=20)
    assert np.isnan(survived.index_of_prediction_accuracy.value)
    assert all(value is None for value in survived.accuracy.values())


def test_an_evaluation_says_what_it_needs(cohort):
    model = CoxModel()
    with pytest.raises(NotFittedError):
        evaluate(model, cohort)
    with pytest.raises(ModelError, match=r"n_folds: found 2.5; allowed: a whole number from 2"):
        cross_validate(model, cohort, n_folds=2.5)
    with pytest.raises(ModelError, match="random_state: found None; allowed: a whole number"):
        cross_validate(model, cohort, random_state=None)
    with pytest.raises(ModelError, match=r"n_bootstrap: found 1.5"):
        evaluate(model, cohort, n_bootstrap=1.5)
    with pytest.raises(ModelError, match="horizons: found 'a year'"):
        cross_validate(model, cohort, horizons="a year")
    with pytest.raises(ModelError, match="models: found list; allowed: a mapping of names"):
        compare_models([model], cohort)
    search = GridSearchCV(model, {"penalizer": [0.0, 0.1]}, cv=2)
    with pytest.raises(ModelError, match="cv: found 'three'"):
        nested_cross_validate(search, cohort, cv="three")
    folded = nested_cross_validate(search, cohort, cv=3, horizons=12, n_bootstrap=0)
    assert list(folded.chosen["fold"]) == [1, 2, 3]
    assert folded.evaluation.horizons == (12.0,)


def test_the_gain_of_acting_has_an_interval(cohort):
    fitted = CoxModel().fit(cohort)
    table = evaluate(fitted, cohort, n_bootstrap=40).net_benefit
    better = table[["treat_all", "treat_none"]].max(axis=1)
    np.testing.assert_allclose(table["difference"], table["net_benefit"] - better, atol=1e-12)
    assert (table["difference_lower"] <= table["difference"]).all()
    assert (table["difference"] <= table["difference_upper"]).all()
    # The two policies are of the same samples, so the gain is surer than the net benefit.
    paired = table["difference_upper"] - table["difference_lower"]
    assert (paired < table["upper"] - table["lower"])[table["treat_all"] > 0].all()


def test_what_a_file_can_hold_is_said(cohort, tmp_path):
    with pytest.raises(ModelFileError, match=r"found KaplanMeierModel; allowed: .* CoxModel, Fine"):
        save_model(KaplanMeierModel().fit(cohort), tmp_path / "null")
    with pytest.raises(ModelFileError, match="only a fitted model can be saved; this CoxModel"):
        save_model(CoxModel(), tmp_path / "cox")
