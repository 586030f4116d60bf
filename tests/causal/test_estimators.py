"""The estimators: identities, the bootstrap, and what cannot be estimated."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.causal.estimators import ESTIMATORS, Choices, from_landmark, known_start, values_of
from outcomes.causal.functionals import Functionals
from outcomes.causal.incidence import incidence_by_series, weighted_incidence
from outcomes.causal.propensity import fit_propensity, treatment_weights, weighted_quantile
from outcomes.causal.subjects import Subjects
from outcomes.causal.time_dependent import rows_from_start
from outcomes.curves import aalen_johansen, kaplan_meier
from outcomes.curves.restricted_mean import (
    restricted_mean_survival_time,
    restricted_mean_time_lost,
)
from outcomes.errors import NotEstimableError, OutcomesError

FUNCTIONALS = Functionals(np.array([6.0, 12.0]))


def draw(n, seed, *, effect=-0.6, selection=0.8, competing=True, series=1):
    """Draw patients treated by choice at month 0.7 to 1.3, if they live."""
    generator = np.random.default_rng(seed)
    columns = np.column_stack([generator.standard_normal(n), generator.integers(0, 2, n)])
    planned = generator.random(n) < 1 / (1 + np.exp(-selection * columns[:, 0]))
    begins = generator.uniform(0.7, 1.3, n)
    rate = 0.06 * np.exp(-0.5 * columns[:, 0] + 0.4 * columns[:, 1])
    first = generator.exponential(1, n) / rate
    later = begins + (first - begins) / np.exp(effect)
    event = np.where(planned & (first > begins), later, first)
    other = generator.exponential(25, n) if competing else np.full(n, np.inf)
    end = generator.uniform(6, 40, n)
    time = np.minimum(np.minimum(event, other), end)
    codes = np.where(time == end, 0, np.where(time == event, 1, 2))
    treated = planned & (begins < time)
    return Subjects(
        time=time,
        codes=codes,
        treated=treated,
        start=np.where(treated, begins, np.inf),
        columns=columns,
        names=("x", "z"),
        stratum=generator.integers(0, series, n),
        weights=np.ones(n),
        cluster=np.arange(n),
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_weights_of_one_give_kaplan_meier_and_aalen_johansen(seed):
    drawn = draw(60, seed)
    ones = np.ones(drawn.n)
    alive = weighted_incidence(drawn.time, (drawn.codes == 1).astype(int), ones, FUNCTIONALS)
    curve = kaplan_meier(drawn.time, drawn.codes == 1)
    assert alive.values[:2] == pytest.approx(1 - curve.survival_at([6.0, 12.0]))
    assert alive.moves.sum(axis=0) == pytest.approx(0, abs=1e-9)
    incidence = weighted_incidence(drawn.time, drawn.codes, ones, FUNCTIONALS)
    expected = aalen_johansen(drawn.time, drawn.codes, causes=(1, 2))
    assert incidence.values[:2] == pytest.approx(expected.incidence_at(1, [6.0, 12.0]))
    if curve.survival.end >= 12:
        mean = restricted_mean_survival_time(curve, 12.0)
        assert 12 - alive.values[3] == pytest.approx(mean.value)
    if expected.event_free.end >= 12:
        lost = restricted_mean_time_lost(expected, 1, 12.0)
        assert incidence.values[3] == pytest.approx(lost.value)
        error = np.sqrt((incidence.moves[:, 3] ** 2).sum())
        assert error == pytest.approx(lost.standard_error)


def test_weights_make_the_covariates_alike():
    drawn = draw(4000, 1)
    weights = treatment_weights(drawn, fit_propensity(drawn))
    for column in drawn.columns.T:
        treated, control = (
            np.average(column[member], weights=weights[member])
            for member in (drawn.treated, ~drawn.treated)
        )
        assert treated == pytest.approx(control, abs=0.05)
    assert weights[drawn.treated].mean() == pytest.approx(1, abs=0.05)


def test_truncation_cuts_the_weights_at_their_quantiles():
    drawn = draw(500, 2)
    propensity = fit_propensity(drawn)
    free = treatment_weights(drawn, propensity)
    cut = treatment_weights(drawn, propensity, truncate=0.05)
    lowest, highest = np.sort(free)[[24, 474]]
    assert (cut == np.clip(free, lowest, highest)).all()
    with pytest.raises(OutcomesError, match=r"truncate: found 0\.5; allowed: above 0, below 0\.5"):
        treatment_weights(drawn, propensity, truncate=0.5)


def test_weighted_quantiles_are_those_of_copies():
    generator = np.random.default_rng(15)
    values, times = generator.standard_normal(40), generator.integers(1, 4, 40)
    copies = np.repeat(values, times)
    for level in (0.01, 0.3, 0.5, 0.99):
        expected = np.sort(copies)[int(np.ceil(level * copies.size)) - 1]
        assert weighted_quantile(values, [level], times.astype(float)) == [expected]


@pytest.mark.long
@pytest.mark.parametrize("series", [1, 2])
def test_influence_functions_agree_with_the_bootstrap(series):
    drawn = draw(250, 5, series=series)
    generator = np.random.default_rng(6)
    replicates = [
        values_of(ESTIMATORS, drawn.resampled(generator), FUNCTIONALS, Choices())
        for _ in range(150 * series)
    ]
    for name, estimator in ESTIMATORS.items():
        covariance = estimator(drawn, FUNCTIONALS, Choices()).covariance
        spread = covariance[:, 0, 0] + covariance[:, 1, 1] - 2 * covariance[:, 0, 1]
        differences = np.array([one[name][0] - one[name][1] for one in replicates if name in one])
        # So many samples know a standard error to 4 to 6 %.
        assert np.sqrt(spread) == pytest.approx(differences.std(axis=0), rel=0.2), name


def test_a_patient_counted_twice_is_a_weight_of_two():
    drawn = draw(150, 8)
    doubled = replace(drawn, weights=np.where(np.arange(150) < 50, 2.0, 1.0))
    rows = np.concatenate([np.arange(150), np.arange(50)])
    repeated = Subjects(
        drawn.time[rows],
        drawn.codes[rows],
        drawn.treated[rows],
        drawn.start[rows],
        drawn.columns[rows],
        drawn.names,
        drawn.stratum[rows],
        np.ones(200),
        rows,
    )
    weighted = values_of(ESTIMATORS, doubled, FUNCTIONALS, Choices())
    copied = values_of(ESTIMATORS, repeated, FUNCTIONALS, Choices())
    for name, values in weighted.items():
        # Efron takes copies for tied deaths and weights for one death.
        assert copied[name] == pytest.approx(values, rel=0.01, abs=0.01), name


def test_rows_of_a_patient_belong_together():
    drawn = draw(200, 9)
    copies = np.repeat(np.arange(200), 2)
    twice = Subjects(
        drawn.time[copies],
        drawn.codes[copies],
        drawn.treated[copies],
        drawn.start[copies],
        drawn.columns[copies],
        drawn.names,
        drawn.stratum[copies],
        np.ones(400),
        copies,
    )
    once = ESTIMATORS["iptw"](drawn, FUNCTIONALS, Choices())
    found = ESTIMATORS["iptw"](twice, FUNCTIONALS, Choices())
    assert found.values == pytest.approx(once.values, abs=1e-6)
    assert found.covariance == pytest.approx(once.covariance, rel=1e-4)


def test_series_are_averaged_by_their_size():
    drawn = draw(300, 16, series=2)
    values, moves = incidence_by_series(
        drawn, np.arange(300), drawn.time, drawn.codes, np.ones(300), FUNCTIONALS
    )
    own, sizes = [], []
    for series in (0, 1):
        one = drawn.take(drawn.stratum == series)
        own.append(weighted_incidence(one.time, one.codes, np.ones(one.n), FUNCTIONALS).values)
        sizes.append(one.n)
    assert values == pytest.approx(np.average(own, axis=0, weights=sizes))
    assert moves.sum(axis=0) == pytest.approx(0, abs=1e-10)


def test_series_followed_for_different_times_do_not_mislead():
    # Half of the patients fare badly and are followed for long, half do well and are not.
    generator = np.random.default_rng(17)
    n = 6000
    stratum = np.repeat([0, 1], n // 2)
    treated = generator.random(n) < 0.5
    event = generator.exponential(np.where(stratum == 0, 6.0, 60.0))
    end = np.where(stratum == 0, 30.0, generator.uniform(0, 20, n))
    given = Subjects(
        time=np.minimum(event, end),
        codes=(event <= end).astype(int),
        treated=treated,
        start=np.where(treated, 0.7, np.inf),
        columns=generator.standard_normal((n, 1)),
        names=("x",),
        stratum=stratum,
        weights=np.ones(n),
        cluster=np.arange(n),
    )
    true = 1 - (np.exp(-12 / 6) + np.exp(-12 / 60)) / 2
    found = ESTIMATORS["iptw"](given, FUNCTIONALS, Choices())
    error = np.sqrt(found.covariance[1, 1, 1])
    assert abs(found.values[1, 1] - true) < 3 * error
    alone = weighted_incidence(
        given.time[~treated], given.codes[~treated], np.ones((~treated).sum()), FUNCTIONALS
    )
    assert abs(alone.values[1] - true) > 5 * error


def test_known_starts_stand_for_unknown_ones():
    drawn = draw(4000, 18, series=2)
    treated = np.flatnonzero(drawn.treated)
    hidden = np.random.default_rng(19).choice(treated, treated.size // 3, replace=False)
    start = drawn.start.copy()
    start[hidden] = np.nan
    given = replace(drawn, start=start)
    known = known_start(given)
    for series in (0, 1):
        own = drawn.stratum == series
        counted = known.weights[known.treated & (known.stratum == series)]
        assert counted.sum() == pytest.approx((drawn.treated & own).sum())
    assert (known.weights[~known.treated] == 1).all()
    for name in ("time-dependent", "clone-censor-weight", "landmark-adjusted"):
        whole, part = (ESTIMATORS[name](one, FUNCTIONALS, Choices()) for one in (drawn, given))
        error = np.sqrt(part.covariance[1, 0, 0])
        assert abs(part.values[0, 1] - whole.values[0, 1]) < 3 * error, name


def test_a_series_in_which_no_start_is_known_is_told():
    drawn = draw(200, 20, series=2)
    start = np.where(drawn.treated & (drawn.stratum == 1), np.nan, drawn.start)
    with pytest.raises(NotEstimableError, match="the start of treatment is unknown"):
        known_start(replace(drawn, start=start))


def test_who_is_at_risk_at_the_landmark():
    drawn = draw(100, 3)
    later = from_landmark(drawn, 1.0)
    assert (later.time > 1.0).all()
    assert (later.treated == (later.start <= 1.0)).all()


def test_a_series_treated_throughout_cannot_be_weighed():
    drawn = draw(200, 10, series=2)
    treated = np.where(drawn.stratum == 1, True, drawn.treated)
    with pytest.raises(NotEstimableError, match="1 of 2 series have only one arm"):
        ESTIMATORS["iptw"](replace(drawn, treated=treated), FUNCTIONALS, Choices())


def test_a_series_treated_throughout_is_observed_from_treatment_on():
    drawn = draw(200, 10, series=2)
    kept = drawn.take((drawn.stratum == 0) | drawn.treated)
    rows = rows_from_start(kept)
    second = kept.stratum[rows.patient] == 1
    assert rows.treated[second].all()
    assert rows.entry[second] == pytest.approx(kept.start[rows.patient[second]])
    assert (~rows.treated[~second]).sum() == (kept.stratum == 0).sum()
    assert kept.one_armed_series.sum() == 1


def test_perfect_separation_is_told():
    drawn = draw(200, 11)
    apart = replace(drawn, treated=drawn.columns[:, 0] > 0)
    for name in ("iptw", "doubly-robust"):
        with pytest.raises(NotEstimableError, match="determine the treatment for some"):
            ESTIMATORS[name](apart, FUNCTIONALS, Choices())


def test_an_event_on_the_day_of_surgery_counts():
    drawn = draw(300, 12)
    first = np.flatnonzero(~drawn.treated & (drawn.codes == 1))[:2]
    time = drawn.time.copy()
    time[first] = 0.0
    given = replace(drawn, time=time)
    near = replace(drawn, time=np.where(time == 0, 1e-9, time))
    for name, estimator in ESTIMATORS.items():
        found, other = (estimator(one, FUNCTIONALS, Choices()).values for one in (given, near))
        assert found == pytest.approx(other, abs=1e-6), name


def test_months_rounded_up_hardly_change_the_doubly_robust_risk():
    drawn = draw(2000, 13)
    rounded = replace(drawn, time=np.ceil(drawn.time))
    exact, coarse = (
        ESTIMATORS["doubly-robust"](one, FUNCTIONALS, Choices()).values[:, 1]
        for one in (drawn, rounded)
    )
    assert coarse == pytest.approx(exact, abs=0.01)


def test_the_end_of_follow_up_is_that_of_the_group_followed_least():
    drawn = draw(300, 14, series=2)
    short = np.where(drawn.stratum == 1, 8.0, np.inf)
    given = replace(
        drawn,
        time=np.minimum(drawn.time, short),
        codes=np.where(drawn.time > short, 0, drawn.codes),
    )
    for name in ("g-formula-cox", "doubly-robust", "time-dependent", "landmark-adjusted"):
        assert ESTIMATORS[name](given, FUNCTIONALS, Choices()).end == 8.0, name
    assert (
        ESTIMATORS["landmark-adjusted"](given, FUNCTIONALS, Choices()).since == Choices().landmark
    )
