"""The ensemble: draws, refits, intervals and where the uncertainty comes from."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from outcomes.errors import CalibrationError
from outcomes.evidence import Assumption, load_evidence
from outcomes.files import to_json
from outcomes.parallel import spawn_seeds
from outcomes.synthetic import (
    draw_ensemble,
    draw_truth,
    shipped_calibration,
    simulate,
    with_member,
)
from outcomes.synthetic.attribution import attribute
from outcomes.synthetic.derived import Derived
from outcomes.synthetic.ensemble import Ensemble, Quantity, Source
from outcomes.synthetic.fitting import calibration_problem
from outcomes.synthetic.links import link_slope, published_link, to_link
from outcomes.synthetic.ranges import draw_assumptions, quantile, varied, with_assumptions
from outcomes.synthetic.uncertainty import (
    Errors,
    Member,
    derive_at,
    ensemble_of,
    sampling_errors,
    solve_draw,
    solve_member,
    solved_point,
)

SEED = 11


@pytest.fixture(scope="module")
def problem():
    return calibration_problem(load_evidence())


@pytest.fixture(scope="module")
def point(problem):
    return solved_point(problem, shipped_calibration())


@pytest.fixture(scope="module")
def errors(problem):
    return sampling_errors(problem, shipped_calibration(), spawn_seeds(SEED, 1)[0], jobs=2)


@pytest.fixture(scope="module")
def small(problem, errors, point):
    """Six sets, drawn without simulating the sampling errors again."""
    seeds = spawn_seeds(SEED, 6)
    return [solve_member(problem, errors, point, seed) for seed in seeds]


def flat(problem):
    return [figure for figures in problem.figures for figure in figures]


def test_quantiles_keep_to_the_range_and_the_mode():
    ratio = Assumption("x", 0.7, 0.55, 1.0, "hazard ratio", "", "")
    drawn = [quantile(ratio, p) for p in np.linspace(0, 1, 101)]
    assert drawn[0] == pytest.approx(0.55)
    assert drawn[-1] == pytest.approx(1.0)
    assert np.all(np.diff(drawn) > 0)
    # The mean of a PERT distribution is (low + 4 mode + high) / 6, here of the log.
    middle = np.log([quantile(ratio, p) for p in (np.arange(4000) + 0.5) / 4000])
    assert middle.mean() == pytest.approx(np.log([0.55, 0.7, 0.7, 0.7, 0.7, 1.0]).mean(), abs=1e-4)


def test_assumptions_are_drawn_within_their_ranges():
    evidence = load_evidence()
    values, drawn = draw_assumptions(evidence, np.random.default_rng(1))
    assert set(values) == {assumption.id for assumption in varied(evidence)}
    for assumption in varied(evidence):
        assert assumption.low <= values[assumption.id] <= assumption.high
        assert drawn[assumption.id] == values[assumption.id]
    assert not any(name.startswith("local_progression_hr") for name in values)


def test_sets_that_cannot_be_true_are_drawn_again():
    evidence = load_evidence()
    wide = replace(
        evidence,
        assumptions=tuple(
            replace(a, high=0.3) if a.id.startswith("share_tumor_") else a
            for a in evidence.assumptions
        ),
    )
    for seed in range(5):
        values, _ = draw_assumptions(wide, np.random.default_rng(seed))
        assert sum(v for name, v in values.items() if name.startswith("share_tumor_")) < 1


def test_link_and_its_slope(problem):
    figures = flat(problem)
    values = np.array([figure.value for figure in figures])
    step = 1e-6 * values
    numeric = (to_link(figures, values + step) - to_link(figures, values - step)) / (2 * step)
    inside = np.isfinite(numeric) & (numeric > 0)
    assert inside.all()
    assert link_slope(figures, values) == pytest.approx(numeric, rel=1e-5)


@pytest.mark.long
def test_sampling_errors_agree_with_the_formulas(problem, errors):
    """A binomial share has variance 1 / (n p (1 - p)) on the logit scale."""
    figures = flat(problem)
    position = [figure.id for figure in figures].index("liu-2020/local_progression_crude/alone")
    share = 12 / 39
    assert errors.covariance[position, position] == pytest.approx(
        1 / (39 * share * (1 - share)), rel=0.25
    )
    arm = [figure.id for figure in figures].index("liu-2020/patients/sbrt")
    assert errors.covariance[arm, arm] == pytest.approx(1 / (52 * 0.25 * 0.75), rel=0.25)
    assert np.linalg.eigvalsh(errors.covariance).min() > -1e-9
    assert errors.root @ errors.root.T == pytest.approx(errors.covariance, abs=1e-8)


@pytest.mark.long
def test_parts_of_a_whole_are_correlated(problem, errors):
    figures = [figure.id for figure in flat(problem)]
    died = figures.index("laufer-2013/died_without_progression")
    alive = figures.index("laufer-2013/alive_without_progression")
    sd = np.sqrt(np.diag(errors.covariance))
    assert errors.covariance[died, alive] / (sd[died] * sd[alive]) < -0.4


def test_without_noise_the_calibration_comes_back(problem, point):
    """Certain figures and priors where they stand give the calibrated parameters."""
    count = len(flat(problem))
    certain = Errors.of(1e-4 * np.eye(count))
    start = point + 0.05
    solved = solve_draw(problem, certain, start, np.zeros(count), np.zeros(point.size))
    reached = {d.id: d.value for d in derive_at(problem, solved)}
    calibrated = {d.id: d.value for d in derive_at(problem, point)}
    for name in (
        "liu-2020/overall_survival_median/alone",
        "liu-2020/sbrt_effect/overall_survival_24m",
        "gong-2021/overall_survival_12m/moderate",
        "bate-2015/local_progression_12m/surgery_sbrt",
    ):
        assert reached[name] == pytest.approx(calibrated[name], rel=0.01)


@pytest.mark.long
def test_members_differ_and_are_possible(problem, small):
    medians = {member.parameters["liu-2020/death_scale"] for member in small}
    assert len(medians) == len(small)
    names = [
        derived.id for derived in derive_at(problem, solved_point(problem, shipped_calibration()))
    ]
    for member in small:
        derived = dict(zip(names, member.derived, strict=True))
        assert all(np.isfinite(list(derived.values())))
        assert 0 < derived["laufer-2013/local_progression_12m/hypofractionated_low"] < 60
        assert derived["liu-2020/crude_difference"] == pytest.approx(
            derived["liu-2020/sbrt_effect/median_survival"]
            + derived["liu-2020/selection"]
            + derived["liu-2020/immortal_time"]
        )


@pytest.mark.long
def test_the_variance_is_shared_out(problem, point, errors):
    sources = attribute(problem, point, errors.covariance, errors.whitening, derive_at)
    names = [derived.id for derived in derive_at(problem, point)]
    by_name = dict(zip(names, sources, strict=True))
    for found in sources:
        assert 0.9 < sum(source.share for source in found) <= 1 + 1e-9
        assert [s.share for s in found] == sorted((s.share for s in found), reverse=True)
    effect = by_name["liu-2020/sbrt_effect/overall_survival_24m"]
    assert (effect[0].kind, effect[0].name) == ("assumption", "death_hr_sbrt")
    assert by_name["laufer-2013/overall_survival_median/single_24"][0].kind == "sampling"
    median = by_name["amankulor-2014/overall_survival_median/all"]
    assert median[0].name == "overall_survival_median_amankulor"


@pytest.mark.long
def test_an_ensemble_is_reproduced_stored_and_used(problem, errors, small, tmp_path):
    calibration = shipped_calibration()
    centre = derive_at(problem, solved_point(problem, calibration))
    quantities = ensemble_of(small, centre, [()] * len(centre), SEED)
    data = json.loads(json.dumps(quantities.to_dict()))
    assert Ensemble.from_dict(data) == quantities
    whole = replace(calibration, ensemble=quantities)
    member = with_member(whole, 2)
    assert member.values("liu-2020")["death_scale"] == pytest.approx(
        small[2].parameters["liu-2020/death_scale"], rel=1e-5
    )
    assert member.evidence["death_hr_sbrt"] == pytest.approx(
        small[2].assumptions["death_hr_sbrt"], rel=1e-5
    )
    truth, index = draw_truth(whole, 4)
    assert truth == with_member(whole, index)
    assert {draw_truth(whole, seed)[1] for seed in range(40)} == set(range(6))
    cohort = simulate("liu-2020", 50, seed=4, calibration=truth)
    assert not cohort["os_months"].equals(simulate("liu-2020", 50, seed=4)["os_months"])


@pytest.mark.parametrize(
    ("value", "lower", "median", "upper"),
    [
        (20.0, 10.0, 21.0, 40.0),
        (20.0, 10.0, 21.0, math.inf),
        (20.0, 10.0, math.inf, math.inf),
        (math.inf, math.inf, math.inf, math.inf),
        (20.0, -math.inf, 21.0, 40.0),
        (20.0, -math.inf, 21.0, math.inf),
        (-math.inf, -math.inf, -math.inf, 40.0),
    ],
)
def test_infinite_ends_come_back_from_a_file(value, lower, median, upper):
    quantity = Quantity(
        "liu-2020/overall_survival_median/sbrt",
        "liu-2020",
        "months",
        "median overall survival",
        value,
        lower,
        median,
        upper,
        (Source("sampling", "", 1.0),),
    )
    ensemble = Ensemble(1, 2, {"a": (1.0, 2.0)}, {}, (quantity,))
    text = to_json(ensemble.to_dict())
    assert Ensemble.from_dict(json.loads(text)) == ensemble
    assert to_json(Ensemble.from_dict(json.loads(text)).to_dict()) == text


def test_a_median_that_some_draws_do_not_reach_has_an_infinite_limit():
    values = [10.0, 20.0, 30.0, math.inf, math.inf]
    centre = [Derived("s/median", "s", "months", "median", 20.0)]
    quantity = ensemble_of(
        [Member({"a": 1.0}, {}, (value,)) for value in values], centre, [()], 1
    ).quantities[0]
    assert (quantity.lower, quantity.median, quantity.upper) == (11.0, 30.0, math.inf)


def test_refusals():
    calibration = replace(shipped_calibration(), ensemble=None)
    with pytest.raises(CalibrationError, match="at least 2"):
        draw_ensemble(calibration, 1, 0)
    with pytest.raises(CalibrationError, match="holds no ensemble"):
        with_member(calibration, 0)
    with pytest.raises(CalibrationError, match="holds no ensemble"):
        draw_truth(calibration, 0)
    with pytest.raises(CalibrationError, match="parameters, a: found 2 values; allowed: 3"):
        Ensemble.from_dict(
            {"seed": 0, "size": 3, "parameters": {"a": [1, 2]}, "assumptions": {}, "quantities": []}
        )


@pytest.mark.long
def test_the_same_sets_on_any_number_of_processes(problem, errors, point):
    from functools import partial

    from outcomes.parallel import replicate

    solve = partial(solve_member, problem, errors, point)
    alone = replicate(solve, spawn_seeds(3, 2), jobs=1)
    together = replicate(solve, spawn_seeds(3, 2), jobs=2)
    assert alone == together


def test_with_assumptions_refuses_unknown_names():
    with pytest.raises(ValueError, match="no assumption 'x'"):
        with_assumptions(load_evidence(), {"x": 1.0})


def test_published_values_on_the_link_scale(problem):
    linked = published_link(flat(problem))
    assert np.isfinite(linked).all()
