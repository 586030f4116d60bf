"""Simulated power against the formulas, and what must raise or lower it."""

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from outcomes.errors import OutcomesError
from outcomes.files import to_json
from outcomes.power import (
    PowerPlan,
    Scenario,
    TrialDesign,
    power_of_events,
    power_study,
    power_table,
    power_words,
    simulate_power,
)
from outcomes.power import limit as limit_module
from outcomes.power import published as published_module
from outcomes.power.analysis import ADJUSTED, COX, MEANS, METHODS, RANK_TEST, RISKS, analyse
from outcomes.power.limit import limit_of
from outcomes.power.needed import formula_power
from outcomes.power.trial import Trial
from outcomes.synthetic import shipped_calibration, treatment_truth
from outcomes.synthetic.ranges import with_assumptions

PLAIN = (
    "kps_per_10",
    "neurologic_deficit",
    "progressive_systemic_disease",
    "visceral_metastases",
    "systemic_therapy_after",
    "embolization",
    "complication",
    "after_local_progression",
)
FAST, FASTER = 40_000, 8_000
SIMPLE = TrialDesign(progression_effect=0.0, dropout_per_year=0.0)


@pytest.fixture(scope="module")
def calibration():
    return shipped_calibration()


@pytest.fixture(scope="module")
def quick():
    """Take limits from smaller trials."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limit_module, "LARGE", FAST)
        patch.setattr(published_module, "LIMIT_PATIENTS", FASTER)
        yield


@pytest.fixture(scope="module")
def proportional(calibration):
    """A truth in which everyone's hazard is one Weibull hazard, and SBRT starts with surgery."""
    evidence = with_assumptions(calibration.evidence, {f"death_hr_{name}": 1.0 for name in PLAIN})
    at_once = tuple(
        replace(figure, low=0.0, high=0.0) if figure.id == "laufer-2013/sbrt_start" else figure
        for figure in evidence.figures
    )
    return replace(calibration, evidence=replace(evidence, figures=at_once))


def power_of(design, patients, calibration, trials=400, seed=2):
    (point,) = simulate_power([Scenario(design, patients)], trials, seed, calibration=calibration)
    return point


def test_proportional_hazards_give_schoenfelds_power(proportional):
    assert proportional.series_of("liu-2020").sbrt_start == (0.0, 0.0)
    point = power_of(SIMPLE, 300, proportional, trials=300)
    expected = power_of_events(point.events, 0.7)
    for method in (RANK_TEST, COX):
        found = point.methods[method]
        assert abs(found.rejects.value - expected) < 3.5 * found.rejects.monte_carlo_error
        assert found.estimate == pytest.approx(math.log(0.7), abs=0.03)
        assert found.not_estimable == 0
    limit = limit_of(SIMPLE, 1, proportional, FAST)
    assert abs(limit.methods[COX].value - math.log(0.7)) < 3.5 * limit.methods[COX].standard_error
    # Nothing to adjust for: the adjusted ratio is the same.
    assert limit.hazard_ratio(ADJUSTED) == pytest.approx(limit.hazard_ratio(COX), rel=0.01)


@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
def test_without_effect_the_level_is_kept(endpoint, calibration):
    design = TrialDesign(endpoint=endpoint).without_effect()
    point = power_of(design, 120, calibration, trials=200)
    for method in METHODS:
        rejects = point.methods[method].rejects
        assert abs(rejects.value - 0.05) < 4 * math.sqrt(0.05 * 0.95 / rejects.trials)
        assert point.methods[method].wrong_way <= rejects.value
    # In as many trials the wrong way as the right way.
    assert point.methods[RANK_TEST].wrong_way == pytest.approx(0.025, abs=0.03)


@pytest.mark.long
def test_the_limit_is_the_known_truth(calibration):
    own = TrialDesign(follow_up_months=None, dropout_per_year=0.0)
    for endpoint in ("overall-survival", "local-control"):
        limit = limit_of(replace(own, endpoint=endpoint), 1, calibration)
        truth = treatment_truth(calibration, "liu-2020", endpoint, (24,))
        assert limit.risk_treated == pytest.approx(truth["risk_treated@24"], abs=0.006)
        assert limit.risk_control == pytest.approx(truth["risk_control@24"], abs=0.008)
        found = limit.methods[COX]
        wanted = math.log(truth["cox-unadjusted:hazard_ratio"])
        assert abs(found.value - wanted) < 4 * found.standard_error
        for method, name in ((RISKS, "risk_difference@24"), (MEANS, None)):
            known = name or next(
                key for key in truth if key.endswith("_difference@24") and "mean" in key
            )
            value = limit.methods[method]
            assert abs(value.value - truth[known]) < 4 * value.standard_error


def test_what_weakens_a_trial(calibration):
    base = TrialDesign()
    powers = {
        name: formula_power(design, limit_of(design, 1, calibration, 20_000), 240)[RANK_TEST]
        for name, design in {
            "base": base,
            "crossover": replace(base, crossover=0.4),
            "more crossover": replace(base, crossover=0.8),
            "untreated": replace(base, untreated=0.4),
            "no progression": replace(base, progression_effect=0.0),
            "uneven": replace(base, allocation=(1.0, 5.0)),
            "loss": replace(base, dropout_per_year=0.6),
            "weak": replace(base, death_hazard_ratio=0.85),
            "strict": replace(base, alpha=0.005),
        }.items()
    }
    base_power = powers.pop("base")
    assert all(power < base_power - 0.03 for power in powers.values()), powers
    assert powers["more crossover"] < powers["crossover"] - 0.05


@pytest.mark.long
def test_more_crossover_less_power(calibration):
    """Simulated, the same patients in each trial."""
    powers = [
        power_of(TrialDesign(crossover=share), patients, calibration, trials=100)
        .methods[RANK_TEST]
        .rejects.value
        for share, patients in ((0.0, 250), (0.4, 250), (1.0, 250))
    ]
    assert powers[0] > powers[1] + 0.05
    assert powers[1] > powers[2] + 0.05
    # When all controls get SBRT the arms are the same.
    assert powers[2] < 0.12


@pytest.mark.long
def test_a_registry_needs_adjustment(calibration):
    design = TrialDesign(kind="registry").without_effect()
    point = power_of(design, 900, calibration, trials=120)
    assert point.methods[RANK_TEST].rejects.value > 0.12
    assert point.methods[RANK_TEST].wrong_way < 0.01
    assert abs(point.methods[ADJUSTED].rejects.value - 0.05) < 0.06


def test_time_dependent_treatment_by_hand():
    """Four patients, SBRT of the last at month 2: at its event months 1, 3, 4 the risk sets."""
    trial = Trial(
        time=np.array([1.0, 3.0, 4.0, 5.0]),
        codes=np.array([1, 1, 1, 0]),
        treated=np.array([False, False, True, True]),
        sbrt_start=np.array([np.inf, np.inf, 2.0, 2.0]),
        covariates=np.ones((4, 1)),
    )
    found = analyse(trial, TrialDesign(kind="registry"))[ADJUSTED]
    # Month 1: nobody treated. Month 3: an untreated event beside two treated: 1 / (1 + 2 r).
    # Month 4: all treated. The likelihood falls in r for ever: there is no estimate.
    assert math.isnan(found.p)
    later = replace(trial, codes=np.array([1, 1, 1, 0]), time=np.array([1.0, 4.0, 3.0, 5.0]))
    found = analyse(later, TrialDesign(kind="registry"))[ADJUSTED]
    # Month 3: a treated event, 2 treated and 1 untreated at risk: r / (1 + 2 r). Month 4: an
    # untreated one, 1 treated: 1 / (1 + r). The score is zero at 1 / (1 + 2 r) = r / (1 + r).
    assert found.value == pytest.approx(math.log(1 / math.sqrt(2)), abs=1e-6)


def test_what_cannot_be_estimated_rejects_nothing():
    trial = Trial(
        time=np.array([1.0, 2.0, 3.0, 4.0]),
        codes=np.zeros(4, dtype=np.int64),
        treated=np.array([True, True, False, False]),
        sbrt_start=np.full(4, np.inf),
        covariates=np.ones((4, 2)),
    )
    for endpoint in ("overall-survival", "local-control"):
        found = analyse(trial, TrialDesign(endpoint=endpoint))
        assert all(math.isnan(one.p) for one in found.values())
    found = analyse(replace(trial, treated=np.ones(4, dtype=bool)), TrialDesign())
    assert set(found) == set(METHODS)
    assert all(math.isnan(one.p) for one in found.values())


@pytest.fixture(scope="module")
def study(calibration, quick):
    return power_study(TrialDesign(), [150, 300, 500], trials=50, seed=3, calibration=calibration)


@pytest.mark.long
def test_the_patients_needed_are_those_of_the_formula(study):
    for power in (0.8, 0.9):
        needed = study.needs(RANK_TEST, power)
        assert needed.patients.lower < needed.formula_patients * 1.05
        assert needed.patients.upper > needed.formula_patients * 0.95
        assert needed.formula_events / needed.formula_patients == pytest.approx(
            study.truth.event_probability, rel=0.01
        )
        # Who plans with the hazard ratio of SBRT alone asks for too many: it prevents
        # progression too.
        assert needed.assumed_patients > needed.formula_patients
        # Adjustment for prognosis sharpens a trial.
        assert study.needs(ADJUSTED, power).patients.value < needed.patients.value


def test_the_published_study_could_show_little(study):
    published = study.published
    assert (published.patients, published.treated) == (52, 13)
    own = published.at_assumed
    assert own.effect == 0.7
    assert own.power.treated == 13
    assert own.power.methods[RANK_TEST].rejects.upper < 0.35
    assert [one.effect for one in published.trial] == sorted(
        (one.effect for one in published.trial), reverse=True
    )
    smallest = next(one for one in published.detectable if one.method == RANK_TEST)
    assert smallest.formula_hazard_ratio < 0.4
    if not math.isnan(smallest.effect.value):
        assert smallest.effect.lower <= smallest.effect.value <= smallest.effect.upper < 0.4
    assert smallest.most == max(
        one.power.methods[RANK_TEST].rejects.value for one in published.trial
    )
    # Those that are significant exaggerate.
    exaggerated = own.power.methods[COX].estimate_if_significant
    assert exaggerated < 1.5 * math.log(own.hazard_ratio)


def test_in_words_and_numbers(study):
    table = power_table(study)
    assert table.count("\n") > 12
    assert all(f"\n{patients:8d}" in table for patients in (150, 300, 500))
    assert "The 52 patients of liu-2020, 13 with SBRT" in table
    words = power_words(study)
    assert len(words) == 2
    assert "Schoenfeld's formula gives" in words[0]
    assert "52 patients, of whom 13 had SBRT" in words[1]
    records = study.to_records()
    assert len(records) == 3 * len(METHODS)
    assert {record["method"] for record in records} == set(METHODS)
    json.dumps(study.to_dict())


def test_same_seed_same_numbers_in_any_company(calibration, study):
    plan = PowerPlan(
        TrialDesign(), [300], trials=50, seed=3, calibration=calibration, published=False
    )
    alone = plan.run()
    assert to_json(alone.to_dict()) == to_json(plan.run().to_dict())
    assert to_json(asdict(alone.sizes[0])) == to_json(asdict(study.sizes[1]))
    assert alone.published is None
    points = simulate_power(plan.scenarios, 50, 4, calibration=calibration)
    assert points[0].events != alone.sizes[0].power.events


@pytest.mark.usefixtures("quick")
def test_no_effect_has_no_number(calibration):
    nothing = TrialDesign().without_effect()
    with pytest.raises(OutcomesError, match="none is seen"):
        PowerPlan(nothing, calibration=calibration)
    with pytest.raises(OutcomesError, match="20,000"):
        PowerPlan(TrialDesign(death_hazard_ratio=0.97, progression_effect=0.05))
    found = power_study(nothing, [60, 80], trials=20, calibration=calibration)
    assert math.isnan(found.needs(RANK_TEST, 0.8).patients.value)
    assert found.needs(RANK_TEST, 0.8).formula_patients is None
    assert "SBRT does nothing here" in power_words(found)[0]


@pytest.mark.usefixtures("quick")
def test_impossible_numbers_are_refused(calibration):
    with pytest.raises(OutcomesError, match="patients"):
        PowerPlan(TrialDesign(), [1], calibration=calibration)
    with pytest.raises(OutcomesError, match="trials"):
        simulate_power([Scenario(TrialDesign(), 50)], 0, 1, calibration=calibration)


@pytest.mark.usefixtures("quick")
def test_a_horizon_the_study_was_not_followed_to(calibration):
    design = TrialDesign(horizon=50.0, accrual_months=30.0, follow_up_months=40.0)
    found = power_study(design, [100, 200], trials=20, calibration=calibration)
    own = found.published.at_assumed
    assert math.isnan(own.risk_difference)
    assert own.power.methods[RISKS].not_estimable == 1
    assert "nan" not in " ".join(power_words(found)) + power_table(found)


@pytest.mark.long
def test_the_published_hazard_ratio_needs_hundreds(calibration):
    """The grid, the regression and the formula agree within their errors at full size."""
    found = power_study(
        TrialDesign(), trials=1_000, seed=11, calibration=calibration, published=False, jobs=2
    )
    for method in (RANK_TEST, COX, ADJUSTED, RISKS, MEANS):
        needed = found.needs(method, 0.8)
        assert needed.patients.value == pytest.approx(needed.formula_patients, rel=0.08)
        assert needed.patients.upper - needed.patients.lower < 0.12 * needed.patients.value
    for size in found.sizes:
        rejects = size.power.methods[RANK_TEST].rejects
        formula = size.formula[RANK_TEST]
        assert abs(rejects.value - formula) < 4 * rejects.monte_carlo_error + 0.01
        assert abs(size.null.methods[RANK_TEST].rejects.value - 0.05) < 0.02
