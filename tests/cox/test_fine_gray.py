"""Fine-Gray regression: identities, influence, refusals and calibration."""

import numpy as np
import pandas as pd
import pytest

from outcomes.cox.subdistribution import fit_fine_gray
from outcomes.cox.subdistribution_proportionality import fine_gray_proportionality_test
from outcomes.curves import aalen_johansen
from outcomes.errors import NotEstimableError, OutcomesError

# Incidence of the cause after unlimited time, of a patient with covariates 0.
SHARE = 0.5
EFFECTS = np.array([0.5, -0.5])


def simulate(n, rng, effects=EFFECTS):
    """Draw from F(t) = 1 - (1 - p (1 - exp(-t))) ** exp(x b), which is proportional."""
    x = np.column_stack([rng.normal(size=n), rng.random(n) < 0.5])
    relative = np.exp(x @ effects)
    reached = 1 - (1 - SHARE) ** relative
    own = rng.random(n) < reached
    quantile = (1 - rng.random(n) * reached) ** (1 / relative)
    time = np.where(own, -np.log(1 - (1 - quantile) / SHARE), rng.exponential(size=n))
    censoring = rng.exponential(2.0, size=n)
    event = np.where(time <= censoring, np.where(own, 1, 2), 0)
    return x, np.minimum(time, censoring), event


def true_incidence(x, months, effects=EFFECTS):
    return 1 - (1 - SHARE * (1 - np.exp(-np.asarray(months)))) ** np.exp(x @ effects)[:, None]


@pytest.fixture
def data():
    return simulate(400, np.random.default_rng(3))


def test_without_covariates_it_is_aalen_johansen(data):
    _, time, event = data
    # Ties, but none of an event with a censoring, which G takes to be at risk together.
    time = np.ceil(4 * time) / 4 + 0.1 * (event == 0)
    fit = fit_fine_gray(np.empty((len(time), 0)), time, event)
    steps = np.diff(fit.baselines[0].hazard, prepend=0.0)
    curve = aalen_johansen(time, event)
    np.testing.assert_allclose(
        1 - np.cumprod(1 - steps), curve.incidence_at(1, fit.baselines[0].times), rtol=1e-12
    )
    assert fit.tests() == {}


def test_the_standard_error_without_covariates_is_near_that_of_aalen_johansen(data):
    _, time, event = data
    fit = fit_fine_gray(np.empty((len(time), 0)), time, event)
    months = np.array([0.2, 0.5, 1.0, 2.0])
    incidence = fit.cumulative_incidence(np.empty((1, 0)), months)[0]
    error = fit.standard_error_log_hazard(np.empty((1, 0)), months)[0]
    on_probability = error * (1 - incidence) * -np.log1p(-incidence)
    curve = aalen_johansen(time, event)
    np.testing.assert_allclose(on_probability, curve.standard_error_at(1, months), rtol=0.02)


def test_without_competing_events_the_risk_sets_are_coxs():
    # With r = exp(b) the likelihood is 1 / (2 + 2r) * r / (1 + 2r) * 1 / (1 + r) * 1.
    x, time, event = [[0.0], [1.0], [0.0], [1.0]], [1, 2, 3, 4], [1, 1, 1, 1]
    fit = fit_fine_gray(x, time, event)
    r = float(np.exp(fit.coefficients[0]))
    assert r / (1 + r) + 2 * r / (1 + 2 * r) + r / (1 + r) == pytest.approx(1, abs=1e-9)


def test_by_hand_with_a_competing_event():
    # Censored at 2 of 3 at risk: G = 2/3 afterwards. The competing event at 1 stays in the risk
    # sets with weight 1 until 2, and 2/3 then.
    time, event = [1.0, 1.5, 2.0, 3.0, 4.0], [2, 1, 0, 1, 1]
    fit = fit_fine_gray(np.empty((5, 0)), time, event)
    np.testing.assert_allclose(
        np.diff(fit.baselines[0].hazard, prepend=0.0),
        [1 / (4 + 1), 1 / (2 + 2 / 3), 1 / (1 + 2 / 3)],
        rtol=1e-14,
    )


@pytest.mark.parametrize("groups", ["none", "groups", "strata", "both", "crossed"])
def test_the_covariance_is_the_derivative_by_the_weights(groups):
    """The influence of a patient is the derivative by the weight, but for terms of order 1/n."""
    rng = np.random.default_rng(2)
    x, time, event = simulate(100, rng)
    weight = rng.uniform(0.5, 2, len(time))
    one, other = rng.integers(0, 2, (2, len(time)))
    options = {
        "none": {},
        "groups": {"censoring_groups": one},
        "strata": {"strata": one},
        "both": {"strata": one, "censoring_groups": one},
        "crossed": {"strata": one, "censoring_groups": other},
    }[groups]
    fit = fit_fine_gray(x, time, event, weights=weight, **options)
    patient, months, step = np.array([[0.7, 1.0]]), [0.3, 0.6, 1.2], 1e-4
    stratum = fit.strata[0]
    coefficients, hazards = [], []
    for row in range(len(time)):
        ends = []
        for sign in (1, -1):
            moved = weight.copy()
            moved[row] *= 1 + sign * step
            there = fit_fine_gray(x, time, event, weights=moved, **options)
            incidence = there.cumulative_incidence(patient, months, stratum)[0]
            ends.append((there.coefficients, np.log(-np.log1p(-incidence))))
        coefficients.append((ends[0][0] - ends[1][0]) / (2 * step))
        hazards.append((ends[0][1] - ends[1][1]) / (2 * step))
    jackknife = np.array(coefficients)
    difference = jackknife.T @ jackknife - fit.covariance
    assert np.abs(difference / np.outer(fit.standard_errors, fit.standard_errors)).max() < 0.02
    np.testing.assert_allclose(
        np.sqrt((np.array(hazards) ** 2).sum(axis=0)),
        fit.standard_error_log_hazard(patient, months, stratum)[0],
        rtol=0.02,
    )


def test_the_scale_and_origin_of_columns_do_not_matter(data):
    x, time, event = data
    plain = fit_fine_gray(x, time, event)
    scaled = fit_fine_gray(x * [1e-5, 1e4] + [300, -2], time, event)
    np.testing.assert_allclose(scaled.coefficients * [1e-5, 1e4], plain.coefficients, rtol=1e-9)
    np.testing.assert_allclose(
        scaled.standard_error_log_hazard(x[:3] * [1e-5, 1e4] + [300, -2], [0.5, 1]),
        plain.standard_error_log_hazard(x[:3], [0.5, 1]),
        rtol=1e-8,
    )


def test_order_of_patients_does_not_matter(data):
    x, time, event = data
    time = np.ceil(10 * time) / 10
    shuffled = np.random.default_rng(0).permutation(len(time))
    first = fit_fine_gray(x, time, event)
    second = fit_fine_gray(x[shuffled], time[shuffled], event[shuffled])
    np.testing.assert_allclose(first.covariance, second.covariance, rtol=1e-9)


def test_strata_alike_but_for_the_unit_of_time(data):
    x, time, event = data
    both = fit_fine_gray(
        np.vstack([x, x]),
        np.concatenate([time, 10 * time]),
        np.concatenate([event, event]),
        strata=np.repeat(["a", "b"], len(time)),
        censoring_groups=np.repeat(["a", "b"], len(time)),
    )
    alone = fit_fine_gray(x, time, event)
    np.testing.assert_allclose(both.coefficients, alone.coefficients, rtol=1e-10)
    np.testing.assert_allclose(both.covariance, alone.covariance / 2, rtol=1e-9)
    for stratum, factor in (("a", 1.0), ("b", 10.0)):
        np.testing.assert_allclose(
            both.cumulative_incidence(x[:3], factor * np.array([0.3, 1.0]), stratum),
            alone.cumulative_incidence(x[:3], [0.3, 1.0]),
            rtol=1e-10,
        )


def test_intervals_hold_the_truth_and_tests_their_level():
    """In 200 cohorts; a coverage of 95 % has a standard error of 1.5 %."""
    rng = np.random.default_rng(11)
    patient, months = np.array([[0.5, 1.0]]), [0.3, 1.0, 2.0]
    truth = true_incidence(patient, months)
    inside, covered, rejected, null = [], [], [], []
    for _ in range(200):
        x, time, event = simulate(250, rng)
        fit = fit_fine_gray(x, time, event)
        inside.append(np.abs(fit.coefficients - EFFECTS) < 1.96 * fit.standard_errors)
        lower, upper = fit.interval(patient, months)
        covered.append((lower <= truth) & (truth <= upper))
        test = fine_gray_proportionality_test(fit, x, time, event)
        rejected.append(np.array([*test.p_values, test.global_p]) < 0.05)
        nothing = fit_fine_gray(*simulate(250, rng, np.zeros(2)))
        null.append([p < 0.05 for _, _, p in nothing.tests().values()])
    for share in (*np.mean(inside, axis=0), *np.mean(covered, axis=0).ravel()):
        assert 0.9 < share < 0.985
    for share in (*np.mean(rejected, axis=0), *np.mean(null, axis=0)):
        assert 0.005 < share < 0.1


@pytest.mark.parametrize("transform", ["events", "identity", "log"])
def test_an_effect_that_fades_is_found(transform):
    rng = np.random.default_rng(4)
    n = 2_000
    x = (rng.random(n) < 0.5).astype(float)
    early = rng.exponential(1 / np.where(x == 1, 2.0, 0.2))
    time = np.where(early < 0.5, early, 0.5 + rng.exponential(1.0, n))
    event = np.where(rng.random(n) < 0.3, 2, 1)
    fit = fit_fine_gray(x[:, None], time, event)
    test = fine_gray_proportionality_test(fit, x[:, None], time, event, transform=transform)
    assert test.p_values[0] < 1e-6
    assert test.global_p == pytest.approx(test.p_values[0])


def test_baseline_between_before_and_after_its_times(data):
    x, time, event = data
    fit = fit_fine_gray(x, time, event)
    baseline = fit.baselines[0]
    assert fit.cumulative_incidence(x[:1], [0.0])[0, 0] == 0
    assert fit.standard_error_log_hazard(x[:1], [0.0])[0, 0] == 0
    months = (baseline.times[3], np.nextafter(baseline.times[4], 0), baseline.times[-1] + 5)
    np.testing.assert_array_equal(baseline.at(baseline.hazard, months), baseline.hazard[[3, 3, -1]])
    lower, upper = fit.interval(x[:2], [0.5, 1.0])
    value = fit.cumulative_incidence(x[:2], [0.5, 1.0])
    assert ((lower < value) & (value < upper)).all()


def test_unusable_input_is_refused_by_name(data):
    x, time, event = data
    names = ("dose", "sex")

    def refused(match, matrix=x, months=time, codes=event, error=OutcomesError, **options):
        with pytest.raises(error, match=match):
            fit_fine_gray(matrix, months, codes, names=names, **options)

    def unknown(match, *changes, **options):
        refused(match, *changes, error=NotEstimableError, **options)

    unknown("sex: constant", np.column_stack([x[:, 0], np.full(len(x), 0.1)]))
    unknown("sex: a linear combination", np.column_stack([x[:, 0], 3 * x[:, 0] + 1]))
    refused("dose of row 3: found nan", np.where(np.arange(len(x))[:, None] == 2, np.nan, x))
    unknown("sex: constant within every stratum", strata=x[:, 1])
    unknown(
        "sex: nobody with the value 1 had the event",
        np.column_stack([x[:, 0], (event == 2) & (np.arange(len(x)) % 3 == 0)]),
    )
    # Of those at risk at each event, the one with the largest value has it.
    alone = np.where(event == 2, 0, event)
    unknown("dose: its hazard ratio grows", np.column_stack([-time, x[:, 1]]), codes=alone)
    # The column varies only among patients censored before the first event.
    gone = np.arange(len(x)) < 20
    unknown(
        "sex: among the patients at risk",
        np.column_stack([x[:, 0], np.where(gone, x[:, 0] ** 2, 0)]),
        np.where(gone, 0.0, time + 1),
        np.where(gone, 0, event),
    )
    refused("time of row 2", months=np.where(np.arange(len(x)) == 1, -1, time))
    refused("event of row 2", codes=np.where(np.arange(len(x)) == 1, 0.5, event))
    unknown("no event of cause 3", cause=3)
    refused("cause: found 0", cause=0)
    refused("one length", months=time[:-1])
    refused("one for each time", x[:-1])
    unknown("no event of cause 1", weights=np.zeros(len(x)))
    refused("strata: found shape", strata=[1, 2])
    with pytest.raises(OutcomesError, match="names: found 1; allowed: 2"):
        fit_fine_gray(x, time, event, names=("dose",))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("2", "found '2'"),
        (None, "found nan"),
        (pd.NA, "found nan"),
        (-1.0, "found -1"),
        (float("inf"), "found inf"),
        (pd.Timestamp("2020-01-01"), "found '2020-01-01 00:00:00'"),
    ],
)
@pytest.mark.parametrize("what", ["time", "event", "weights"])
def test_what_is_no_number_is_refused_by_row(data, what, value, message):
    x, time, event = data
    given = {"time": time, "event": event, "weights": np.ones(len(x))}
    given[what] = [*given[what][:4].tolist(), value, *given[what][5:].tolist()]
    with pytest.raises(OutcomesError, match=f"{what} of row 5: {message}; allowed: "):
        fit_fine_gray(x, **given)


@pytest.mark.parametrize("kind", [str, "datetime64[D]", "category"])
def test_text_and_dates_are_no_numbers(data, kind):
    x, time, event = data
    codes = pd.Series(event.astype(str), dtype=kind) if kind == "category" else event.astype(kind)
    with pytest.raises(OutcomesError, match="event of row 1: found"):
        fit_fine_gray(x, time, codes)


def test_numbers_of_pandas_are_numbers(data):
    x, time, event = data
    plain = fit_fine_gray(x, time, event)
    found = fit_fine_gray(
        pd.DataFrame(x), pd.Series(time, dtype="Float64"), pd.Series(event, dtype="Int64")
    )
    np.testing.assert_array_equal(found.coefficients, plain.coefficients)


@pytest.mark.parametrize("what", ["strata", "censoring_groups"])
def test_labels_are_all_there_and_of_one_kind(data, what):
    x, time, event = data
    labels = np.where(np.arange(len(x)) % 2, "a", "b").tolist()
    for value in (None, float("nan"), pd.NA):
        with pytest.raises(OutcomesError, match=f"{what} of row 3: missing"):
            fit_fine_gray(x, time, event, **{what: [*labels[:2], value, *labels[3:]]})
    with pytest.raises(OutcomesError, match=f"{what} of row 3: found 7; allowed: labels of one"):
        fit_fine_gray(x, time, event, **{what: [*labels[:2], 7, *labels[3:]]})
    text = fit_fine_gray(x, time, event, **{what: labels})
    table = fit_fine_gray(x, time, event, **{what: pd.Series(labels, dtype="category")})
    np.testing.assert_array_equal(text.coefficients, table.coefficients)
    assert text.strata == table.strata == (("a", "b") if what == "strata" else (None,))


def test_everybody_with_the_event_in_one_month_is_not_estimable(data):
    x, _, _ = data
    with pytest.raises(NotEstimableError, match="x1: no patient has influence"):
        fit_fine_gray(x, np.ones(len(x)), np.ones(len(x)))


def test_weight_0_leaves_a_patient_out(data):
    x, time, event = data
    strata = np.repeat(["a", "b", "c"], [150, 150, 100])
    groups = {"strata": strata, "censoring_groups": strata}
    weight = np.where(np.arange(len(x)) < 300, 1 + (np.arange(len(x)) % 3), 0.0)
    weight[7] = 0
    here = weight > 0
    alone = {name: labels[here] for name, labels in groups.items()}
    found = fit_fine_gray(x, time, event, weights=weight, **groups)
    expected = fit_fine_gray(x[here], time[here], event[here], weights=weight[here], **alone)
    assert found.strata == expected.strata == ("a", "b")
    assert found.n == 299
    np.testing.assert_array_equal(found.covariance, expected.covariance)
    test = fine_gray_proportionality_test(found, x, time, event, weights=weight, **groups)
    assert test.global_p == fine_gray_proportionality_test(
        found, x[here], time[here], event[here], weights=weight[here], **alone
    ).global_p  # fmt: skip


def test_unusable_questions_are_refused(data):
    x, time, event = data
    strata = np.arange(len(x)) % 2
    fit = fit_fine_gray(x, time, event, strata=strata, censoring_groups=strata)
    with pytest.raises(OutcomesError, match="stratum: found None; allowed: 0, 1"):
        fit.cumulative_incidence(x, [1.0])
    with pytest.raises(OutcomesError, match="2 columns of the fit"):
        fit.cumulative_incidence(x[:, :1], [1.0], 0)
    with pytest.raises(OutcomesError, match="between 0 and 1"):
        fit.interval(x, [1.0], 0, level=95)
    with pytest.raises(OutcomesError, match="transform: found 'km'"):
        fine_gray_proportionality_test(
            fit, x, time, event, strata=strata, censoring_groups=strata, transform="km"
        )
