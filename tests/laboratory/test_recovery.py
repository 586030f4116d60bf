"""Studies of the ladder: same seed, same results; the truths; what the methods recover."""

import json

import numpy as np
import pytest

from outcomes.comparison import Options
from outcomes.errors import OutcomesError
from outcomes.files import to_json
from outcomes.laboratory import (
    SCENARIOS,
    RecoveryPlan,
    Scenario,
    get_scenario,
    recovery_tables,
    recovery_words,
)
from outcomes.synthetic import shipped_calibration

NO_EFFECT = SCENARIOS["no-effect"]


def plan(scenarios=(NO_EFFECT,), **options):
    """Return a small study; with influence functions, which are the fastest."""
    small = {"sizes": [60], "cohorts": 3, "jackknife_below": 0}
    return RecoveryPlan(scenarios=scenarios, **{**small, **options})


@pytest.fixture(scope="module")
def small():
    return plan((NO_EFFECT, SCENARIOS["default"]), sizes=[52, 120], cohorts=2).run()


def test_every_rung_of_the_ladder_is_measured(small):
    methods = [row.method for row in small.of("default", 52, "local-control", "risk_difference")]
    assert methods == [
        "crude",
        "1 - Kaplan-Meier",
        "landmark",
        "g-formula-cox",
        "iptw",
        "doubly-robust",
        "landmark-adjusted",
        "time-dependent",
        "clone-censor-weight",
    ]
    ratios = {row.method for row in small.of("default", 52, "overall-survival", "log_hazard_ratio")}
    assert {"cox-unadjusted", "cox-adjusted", "landmark", "iptw", "clone-censor-weight"} <= ratios
    assert small.of("default", 52, "overall-survival", "restricted_mean_difference")
    for row in small.results:
        assert row.performance.cohorts == 2


def test_without_effect_every_truth_is_exactly_none(small):
    rows = [row for row in small.results if row.scenario == "no-effect"]
    assert rows
    assert all(row.performance.truth == 0 for row in rows)
    assert all(row.performance.relative_bias is None for row in rows)


def test_truths_are_those_of_the_rungs(small):
    calibration = shipped_calibration()
    truth = SCENARIOS["default"].truth(calibration, "liu-2020", "overall-survival", 12.0)
    rows = {
        (row.method, row.estimand): row.performance.truth
        for row in small.results
        if (row.scenario, row.patients, row.endpoint) == ("default", 120, "overall-survival")
    }
    assert rows["crude", "risk_difference"] == truth["risk_difference@12"]
    assert rows["doubly-robust", "risk_difference"] == truth["risk_difference@12"]
    own = truth["clone-censor-weight:risk_difference@12"]
    assert rows["clone-censor-weight", "risk_difference"] == own
    assert rows["cox-adjusted", "log_hazard_ratio"] == np.log(truth["hazard_ratio"])


def test_same_seed_same_bytes():
    fast = {"endpoints": ["overall-survival"], "methods": ("iptw",)}
    once = plan(**fast).run()
    assert to_json(plan(**fast).run().to_dict()) == to_json(once.to_dict())
    json.loads(to_json(once.to_dict()))
    assert to_json(plan(**fast, seed=1).run().to_dict()) != to_json(once.to_dict())


def test_bootstrapped_intervals_leave_the_estimates_as_they_are():
    fast = {"endpoints": ["overall-survival"], "methods": ("g-formula-cox",), "cohorts": 2}
    one, other = plan(**fast).run(), plan(**fast, bootstraps=50).run()
    for before, after in zip(one.results, other.results, strict=True):
        assert before.performance.mean == after.performance.mean
        same = before.performance.model_se == after.performance.model_se
        assert same is (before.method != "g-formula-cox")


def test_by_default_the_intervals_are_those_of_compare():
    names = {"endpoints": ["overall-survival"], "methods": ("iptw",), "cohorts": 2}
    by_default = RecoveryPlan(scenarios=(NO_EFFECT,), sizes=[52], **names)
    assert by_default.jackknife_below == Options().jackknife_below
    few = {"sizes": [52], **names}
    errors = [
        [row.performance.model_se for row in found.results if row.method == "iptw"]
        for found in (by_default.run(), plan(**few, jackknife_below=53).run(), plan(**few).run())
    ]
    assert errors[0] == errors[1]
    assert errors[0] != errors[2]
    assert plan(**few, jackknife_below=52).run().results == plan(**few).run().results


def test_a_size_and_a_truth_do_not_depend_on_the_others(small):
    alone = plan((SCENARIOS["default"],), sizes=[120], cohorts=2).run()
    wanted = [row for row in small.results if (row.scenario, row.patients) == ("default", 120)]
    assert to_json(alone.to_records()) == to_json([row.to_record() for row in wanted])


def test_an_empty_arm_is_counted_as_not_estimable():
    # One patient in four, and only if alive after eight months: of ten often nobody.
    rare = Scenario("by-chance-late", 1.0, 0.0, selection=0.0, sbrt_start=(8.0, 11.0))
    found = plan((rare,), sizes=[10], cohorts=8, methods=()).run()
    shares = [row.performance.not_estimable.value for row in found.results]
    assert len(shares) > 5
    assert max(shares) > 0
    assert min(shares) < 1


def test_words_and_tables(small):
    tables = recovery_tables(small)
    assert "no-effect: risk difference of death by month 12, truth +0.0 points" in tables
    assert "default: risk difference of local progression" in tables
    words = recovery_words(small)
    assert len(words) == 2
    assert words[0].startswith("no-effect: SBRT does nothing; it is given more often to fitter")
    assert "calibrated to" in words[1]


def test_choices_follow_the_start_of_sbrt():
    assert NO_EFFECT.choices.landmark == pytest.approx(42 / 30.4375)
    late = SCENARIOS["late-start"].choices
    assert (late.landmark, late.grace) == (3.0, (1.0, 3.0))
    assert Scenario("weeks", sbrt_start=(0.5, 1.0)).choices == NO_EFFECT.choices
    assert {name for name, one in SCENARIOS.items() if one.has_effect} == {
        "default",
        "strong-effect",
    }


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"study": "laufer-2013"}, "both arms"),
        ({"sizes": [9]}, "patients"),
        ({"sizes": []}, "nothing"),
        ({"scenarios": []}, "nothing"),
        ({"scenarios": [NO_EFFECT, NO_EFFECT]}, "two of one name"),
        ({"cohorts": 1}, "cohorts"),
        ({"horizon": 1.0}, "horizon"),
        ({"horizon": 900.0}, "up to month"),
        ({"horizon": float("nan")}, "horizon"),
        ({"endpoints": ["hope"]}, "hope"),
        ({"methods": ("magic",)}, "magic"),
        ({"bootstraps": 3}, "bootstraps"),
    ],
)
def test_what_cannot_be_is_refused(change, word):
    with pytest.raises(OutcomesError, match=word):
        plan(**change)
    with pytest.raises(OutcomesError, match="no-effect"):
        get_scenario("hope")
