"""Concordance in n log n against the pair-by-pair count, R, and the derivatives it claims."""

import json
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.errors import ModelError
from outcomes.models.concordance import (
    concordance,
    harrell_concordance,
    uno_concordance,
    weighted_concordance,
)
from outcomes.models.ipcw import estimate_censoring
from outcomes.models.pairs import share_pairs, sum_pairs


def pair_by_pair(time, event, score, weights, groups=None, censoring=None, horizon=np.inf):
    """Return the index by the definition, in quadratic time."""
    group = np.zeros(len(time)) if groups is None else np.asarray(groups)
    inverse = np.ones(len(time)) if censoring is None else 1 / censoring
    concordant = comparable = 0.0
    for i in np.flatnonzero((event == 1) & (time < horizon)):
        later = (time > time[i]) | ((time == time[i]) & (event == 0))
        spared = (event > 1) & ~later
        pair = (group == group[i]) * (later * inverse[i] ** 2 + spared * inverse[i] * inverse)
        higher = (score < score[i]) + 0.5 * (score == score[i])
        comparable = comparable + weights[i] * (pair @ weights)
        concordant = concordant + weights[i] * ((pair * higher) @ weights)
    return concordant / np.where(comparable > 0, comparable, np.nan)


def a_cohort(n=150, seed=0, ties=True, competing=True):
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n)
    time = rng.exponential(np.exp(-0.7 * score)) * 10
    event = rng.choice([0, 1, 2] if competing else [0, 1], n)
    if ties:
        score, time = np.round(score * 2), np.ceil(time)
    return time, event, score, rng.choice(["a", "b", "c"], n)


def derivatives(index, time, event, score, weights, patients, settings):
    """Return the numerical derivatives of the index by relative weights."""
    slopes = []
    for patient in patients:
        step = np.zeros(len(time))
        step[patient] = 1e-5 * weights[patient]
        ahead, behind = (
            index(time, event, score, weights=w, **settings).value
            for w in (weights + step, weights - step)
        )
        slopes.append((ahead - behind) / 2e-5)
    return slopes


patients = st.lists(
    st.tuples(
        st.integers(1, 5), st.integers(0, 2), st.integers(0, 3), st.sampled_from("ab"),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=40,
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(patients, st.booleans(), st.booleans())
def test_every_tie_is_counted_as_by_the_definition(rows, weighted, grouped):
    time, event, score, groups, counts = (np.array(column) for column in zip(*rows, strict=True))
    time, score = time.astype(float), score.astype(float)
    groups = groups if grouped else None
    g = estimate_censoring(time, event, groups).before_own_time if weighted else None
    weights = np.column_stack([np.ones(len(time)), counts])
    found = weighted_concordance(time, event, score, weights, groups, g, horizon=4.0)
    expected = pair_by_pair(time, event, score, weights, groups, g, horizon=4.0)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 16, 17, 33, 500])
def test_pairs_by_halves_equal_all_pairs(n):
    rng = np.random.default_rng(n)
    rank = rng.integers(0, n // 2 + 1, n)
    behind, front = rng.random((2, 3, n))
    place = np.arange(n)
    pair = (place[None, :] < place[:, None]) & (rank[None, :] < rank[:, None])
    expected = np.einsum("ci,cj,ij->c", behind, front, pair)
    np.testing.assert_allclose(sum_pairs(rank, behind, front), expected, rtol=1e-12)
    shares = share_pairs(rank, behind[0], front[0])
    np.testing.assert_allclose(shares.in_front, pair @ front[0], atol=1e-12)
    np.testing.assert_allclose(shares.behind, behind[0] @ pair, atol=1e-12)


def test_many_columns_are_the_columns_one_by_one():
    time, event, score, groups = a_cohort(3_000)
    weights = np.random.default_rng(1).integers(0, 4, (3_000, 1_500)).astype(float)
    g = estimate_censoring(time, event, groups).before_own_time
    found = weighted_concordance(time, event, score, weights, groups, g)
    for column in (0, 700, 1_499):
        alone = weighted_concordance(time, event, score, weights[:, [column]], groups, g)
        assert found[column] == pytest.approx(alone[0], rel=1e-12)


@pytest.mark.parametrize("competing", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
def test_the_influence_is_the_derivative_by_the_weights(competing, grouped):
    time, event, score, groups = a_cohort(60, seed=3, competing=competing)
    groups = groups if grouped else None
    weights = np.random.default_rng(2).uniform(0.5, 2.0, 60)
    g = estimate_censoring(time, event, groups)
    for index, extra in (
        (harrell_concordance, {}),
        (uno_concordance, {"censoring": g, "fixed_censoring": True}),
    ):
        settings = {"groups": groups, "horizon": 15.0, **extra}
        found = index(time, event, score, weights=weights, **settings)
        slopes = derivatives(index, time, event, score, weights, range(0, 60, 7), settings)
        np.testing.assert_allclose(found.influence[0:60:7], slopes, atol=1e-8)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_influence_through_the_censoring_is_right_to_first_order(grouped):
    time, event, score, groups = a_cohort(2_000, seed=3, ties=False)
    weights = np.random.default_rng(2).uniform(0.5, 2.0, 2_000)
    settings = {"groups": groups if grouped else None, "horizon": 15.0}
    found = uno_concordance(time, event, score, weights=weights, **settings)
    slopes = derivatives(
        uno_concordance, time, event, score, weights, range(0, 2_000, 97), settings
    )
    np.testing.assert_allclose(
        found.influence[0:2_000:97], slopes, atol=0.005 * np.abs(found.influence).max()
    )
    held = uno_concordance(time, event, score, weights=weights, fixed_censoring=True, **settings)
    assert np.abs(held.influence[0:2_000:97] - slopes).max() > 0.02 * np.abs(slopes).max()


def test_whole_weights_are_repeated_patients_and_clusters_take_them_as_one():
    time, event, score, _ = a_cohort(80, seed=4)
    counts = np.random.default_rng(0).integers(1, 4, 80)
    again = np.repeat(np.arange(80), counts)
    for index in (harrell_concordance, uno_concordance):
        weighted = index(time, event, score, weights=counts.astype(float))
        repeated = index(time[again], event[again], score[again], clusters=again)
        assert weighted.value == pytest.approx(repeated.value, abs=1e-12)
        assert weighted.standard_error == pytest.approx(repeated.standard_error, abs=1e-12)
        alone = index(time[again], event[again], score[again])
        assert alone.standard_error < repeated.standard_error


def test_groups_are_cohorts_of_their_own():
    time, event, score, groups = a_cohort(200, seed=5)
    parts = [harrell_concordance(*(x[groups == g] for x in (time, event, score))) for g in "abc"]
    whole = harrell_concordance(time, event, score, groups=groups)
    assert whole.concordant == sum(part.concordant for part in parts)
    assert whole.discordant == sum(part.discordant for part in parts)
    assert whole.tied_score == sum(part.tied_score for part in parts)


def test_a_reversed_score_reverses_the_index():
    time, event, score, _ = a_cohort(200, seed=6)
    for index in (harrell_concordance, uno_concordance):
        forward, backward = index(time, event, score), index(time, event, -score)
        assert forward.value + backward.value == pytest.approx(1.0, abs=1e-12)
        assert forward.standard_error == pytest.approx(backward.standard_error, abs=1e-12)
        assert forward.concordant == pytest.approx(backward.discordant)


def test_by_hand():
    time, event = np.array([1.0, 2.0, 2.0, 3.0]), np.array([1, 1, 0, 1])
    # Pairs: 1 with all others; the event at 2 with the censored at 2 and with 3. Five.
    found = harrell_concordance(time, event, np.array([4.0, 2.0, 2.0, 3.0]))
    assert (found.concordant, found.discordant, found.tied_score) == (3, 1, 1)
    assert found.value == 0.7
    interval = found.interval()
    assert interval.lower < 0.7 < interval.upper <= 1.0


def test_with_competing_events_the_weights_undo_the_censoring():
    rng = np.random.default_rng(0)
    n = 30_000
    score = rng.normal(size=n)
    first, other = rng.exponential(10 * np.exp(-0.8 * score)), rng.exponential(15, n)
    followed = rng.uniform(1, 25, n)
    full, kind = np.minimum(first, other), np.where(first < other, 1, 2)
    seen = uno_concordance(
        np.minimum(full, followed), np.where(followed < full, 0, kind), score, horizon=15.0
    )
    truth = uno_concordance(full, kind, score, horizon=15.0)
    assert abs(seen.value - truth.value) < 3 * seen.standard_error
    plain = harrell_concordance(
        np.minimum(full, followed), np.where(followed < full, 0, kind), score, horizon=15.0
    )
    assert plain.value - truth.value > 2 * seen.standard_error


def test_many_patients_take_little_time():
    time, event, score, _ = a_cohort(200_000, seed=9, ties=False)
    begin = process_time()
    found = uno_concordance(time, event, score, horizon=20.0)
    # 20 thousand million pairs one by one would take minutes. CPU seconds, since others work here.
    assert process_time() - begin < 5.0
    assert 0 < found.standard_error < 0.005


def test_nothing_to_compare():
    nobody = harrell_concordance(np.array([1.0, 2.0]), np.array([0, 0]), np.array([1.0, 2.0]))
    assert np.isnan(nobody.value)
    assert np.isnan(nobody.standard_error)
    assert np.isnan(concordance(np.empty(0), np.empty(0, dtype=int), np.empty(0)))
    with pytest.raises(ModelError, match="score: row 2: found nan"):
        concordance(np.array([1.0, 2.0]), np.array([1, 0]), np.array([1.0, np.nan]))


def test_the_standard_errors_are_those_of_repeated_samples():
    rng = np.random.default_rng(8)
    values, errors = [], []
    for _ in range(300):
        score = rng.normal(size=200)
        died = rng.exponential(np.exp(-score))
        followed = rng.uniform(0.2, 3.0, 200)
        found = uno_concordance(
            np.minimum(died, followed), (died <= followed).astype(int), score, horizon=2.0
        )
        values.append(found.value)
        errors.append(found.standard_error)
    # The standard deviation of 300 values is known to 4 %.
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.12)


@pytest.fixture(scope="module")
def reference():
    path = Path(__file__).parents[1] / "reference" / "evaluation.json"
    return json.loads(path.read_text())["concordance"]


def test_equals_r(reference):
    assert len(reference) == 14
    for case in reference:
        time, score = np.array(case["time"]), np.array(case["score"], dtype=float)
        event = np.array(case["event"])
        weights = None if case["weights"] is None else np.array(case["weights"], dtype=float)
        horizon = np.inf if case["ymax"] is None else np.nextafter(case["ymax"], np.inf)
        settings = {"weights": weights, "groups": case["groups"], "horizon": horizon}
        if case["timewt"] == "n":
            found = harrell_concordance(time, event, score, **settings)
        else:
            found = uno_concordance(time, event, score, fixed_censoring=True, **settings)
        counts = [found.concordant, found.discordant, found.tied_score]
        np.testing.assert_allclose(counts, case["counts"], rtol=1e-9, err_msg=case["name"])
        assert found.value == pytest.approx(case["value"], rel=1e-9), case["name"]
        assert found.standard_error == pytest.approx(case["standard_error"], rel=1e-9), case["name"]
