"""Measures of performance by hand, and their Monte Carlo errors by simulation."""

import math

import numpy as np
import pytest

from outcomes.errors import OutcomesError
from outcomes.laboratory import measure_performance

Z = 1.959963984540054


def measured(values, errors, p=None, **options):
    values, errors = np.asarray(values, dtype=float), np.asarray(errors, dtype=float)
    p = np.full(values.shape, 0.5) if p is None else p
    return measure_performance(values, values - Z * errors, values + Z * errors, p, **options)


def test_by_hand():
    # Estimates 1, 2, 3, 6: mean 3, squared deviations 4 + 1 + 0 + 9 = 14.
    found = measured([1, 2, 3, 6], [1, 1, 1, 2], [0.2, 0.04, 0.01, 0.001], truth=2.0, favourable=1)
    spread = math.sqrt(14 / 3)
    assert found.mean.value == 3
    assert (found.bias.value, found.relative_bias.value) == (1, 0.5)
    assert found.bias.monte_carlo_error == pytest.approx(math.sqrt(14 / (4 * 3)))
    assert found.relative_bias.monte_carlo_error == pytest.approx(math.sqrt(14 / 12) / 2)
    assert found.empirical_se.value == pytest.approx(spread)
    assert found.empirical_se.monte_carlo_error == pytest.approx(spread / math.sqrt(6))
    # Squared errors 1, 1, 1, 4: mean 7/4, sum of squared deviations 27/4, variance 9/4.
    model = math.sqrt(7 / 4)
    assert found.model_se.value == pytest.approx(model)
    assert found.model_se.monte_carlo_error == pytest.approx(math.sqrt(9 / 4 / (4 * 4 * 7 / 4)))
    assert found.model_se_error.value == pytest.approx(model / spread - 1)
    assert found.model_se_error.monte_carlo_error == pytest.approx(
        model / spread * math.sqrt(9 / 4 / (4 * 4 * (7 / 4) ** 2) + 1 / (2 * 3))
    )
    # Squared distances from 2: 1, 0, 1, 16; mean 4.5; deviations -3.5, -4.5, -3.5, 11.5.
    assert found.mean_squared_error.value == 4.5
    squares = 2 * 3.5**2 + 4.5**2 + 11.5**2
    assert found.mean_squared_error.monte_carlo_error == pytest.approx(math.sqrt(squares / 12))
    # 6 ± 3.92 begins at 2.08 and misses the truth; 1 ± 1.96 ends at 2.96 and misses the mean.
    assert found.coverage.value == 0.75
    assert found.coverage.monte_carlo_error == pytest.approx(math.sqrt(0.75 * 0.25 / 4))
    assert found.bias_eliminated_coverage.value == 0.75
    assert found.rejects.value == found.rejects_in_favour.value == 0.75
    assert (found.not_estimable.value, found.without_interval.value) == (0, 0)


def test_what_is_missing_is_counted_and_left_out():
    nan = np.nan
    found = measure_performance(
        [1.0, nan, 3.0, 2.0, 2.0],
        [0.0, nan, nan, 1.0, 1.5],
        [2.0, nan, nan, 3.0, 2.5],
        [0.01, nan, nan, 0.2, nan],
        truth=2.0,
    )
    assert found.cohorts == 5
    assert found.not_estimable.value == found.without_interval.value == 0.2
    assert (found.mean.value, found.bias.value) == (2, 0)
    assert found.coverage.value == 1
    assert found.rejects.value == 0.5
    # The estimate that rejects is against the treatment: more of the event.
    assert found.rejects_in_favour.value == 0


def test_without_truth_and_with_a_truth_of_none():
    unknown = measured([1, 2], [1, 1], truth=None)
    assert unknown.bias is unknown.coverage is unknown.mean_squared_error is None
    assert unknown.relative_bias is None
    assert unknown.mean.value == 1.5
    nothing = measured([1, 2], [1, 1], truth=1e-16)
    assert nothing.relative_bias is None
    assert nothing.bias.value == pytest.approx(1.5)


def test_nothing_estimable_is_not_a_number():
    found = measured([np.nan, np.nan], [np.nan, np.nan], truth=1.0)
    assert found.not_estimable.value == 1
    for measure in (found.bias, found.coverage, found.rejects, found.model_se, found.empirical_se):
        assert math.isnan(measure.value)
    one = measured([1.0], [0.5], truth=1.0)
    assert one.bias.value == 0
    assert math.isnan(one.bias.monte_carlo_error)
    assert math.isnan(one.empirical_se.value)
    same = measured([1.0, 1.0], [0.5, 0.5], truth=1.0)
    assert same.empirical_se.value == 0
    assert math.isnan(same.model_se_error.value)


def test_monte_carlo_errors_are_those_of_many_studies():
    generator = np.random.default_rng(11)
    studies = []
    for _ in range(400):
        values = generator.normal(0.2, 1.0, 100)
        errors = np.sqrt(generator.chisquare(30, 100) / 30)
        p = np.where(np.abs(values / errors) > Z, 0.0, 1.0)
        studies.append(measured(values, errors, p, truth=0.1))
    for name in (
        "bias",
        "relative_bias",
        "empirical_se",
        "model_se",
        "model_se_error",
        "mean_squared_error",
        "coverage",
        "rejects",
    ):
        found = [getattr(study, name) for study in studies]
        spread = np.std([measure.value for measure in found], ddof=1)
        said = np.mean([measure.monte_carlo_error for measure in found])
        # The spread of 400 studies is known to 3.5 %.
        assert said == pytest.approx(spread, rel=0.14), name


def test_a_record_has_two_columns_for_each_measure():
    record = measured([1, 2], [1, 1], truth=None).to_record()
    assert record["cohorts"] == 2
    assert record["bias"] is record["bias_monte_carlo_error"] is None
    assert record["mean"] == 1.5
    assert record["mean_monte_carlo_error"] == pytest.approx(0.5)


def test_what_cannot_be_is_refused():
    with pytest.raises(OutcomesError, match="values"):
        measure_performance([], [], [], [], truth=0.0)
    with pytest.raises(OutcomesError, match="shapes"):
        measure_performance([1.0, 2.0], [0.0], [2.0, 3.0], [0.1, 0.1], truth=0.0)
