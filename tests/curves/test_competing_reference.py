"""Incidences, Gray's test and limits against R: cmprsk (cuminc) and survival (survfit)."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from outcomes.curves import aalen_johansen, gray_test, kaplan_meier
from outcomes.errors import OutcomesError

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "competing.json").read_text(encoding="utf-8")
)
CURVES = REFERENCE["tolerance"]["cuminc"]
GRAY = REFERENCE["tolerance"]["gray"]


@pytest.mark.parametrize("name", REFERENCE["cuminc"])
def test_incidence_and_variance(name):
    expected = REFERENCE["cuminc"][name]
    data, months = expected["data"], expected["months"]
    curve = aalen_johansen(data["time"], data["event"], variance="aalen")
    for position, cause in enumerate(curve.causes):
        np.testing.assert_allclose(
            curve.incidence_at(cause, months), expected["incidence"][position], rtol=CURVES
        )
        np.testing.assert_allclose(
            curve.standard_error_at(cause, months) ** 2,
            expected["variance"][position],
            rtol=CURVES,
        )


@pytest.mark.parametrize("name", REFERENCE["gray"])
def test_gray(name):
    expected = REFERENCE["gray"][name]
    data = expected["data"]
    for position, cause in enumerate(expected["causes"]):
        test = gray_test(
            data["time"],
            data["event"],
            data["group"],
            cause=cause,
            strata=data["strata"],
            rho=expected["rho"],
        )
        assert test.degrees_of_freedom == expected["df"][position]
        assert test.statistic == pytest.approx(expected["statistic"][position], rel=GRAY)
        assert test.p == pytest.approx(expected["p"][position], rel=GRAY, abs=1e-14)


def test_a_power_that_is_none_is_refused():
    with pytest.raises(OutcomesError, match="rho: found nan"):
        gray_test([1, 2, 3, 4], [1, 1, 2, 1], [0, 1, 0, 1], rho=float("nan"))


@pytest.mark.parametrize("transform", ["log-log", "log", "logit", "arcsin", "plain"])
def test_limits(transform):
    expected = REFERENCE["limits"]
    curve = kaplan_meier(expected["data"]["time"], expected["data"]["event"])
    alive = curve.survival.values > 0
    for found, name in zip(curve.interval(transform=transform), ("lower", "upper"), strict=True):
        theirs = np.array(expected[name][transform], dtype=np.float64)
        np.testing.assert_allclose(found[alive], theirs[alive], rtol=CURVES, atol=1e-14)


def test_an_unknown_transform_is_refused():
    curve = kaplan_meier([1, 2, 3], [1, 1, 0])
    with pytest.raises(OutcomesError, match="allowed: log-log, log, logit, arcsin, plain"):
        curve.interval(transform="square")


def test_times_are_not_moved_and_memory_is_linear():
    """Patients tied in one month are at risk together, and 1e5 months need a few megabytes."""
    curve = aalen_johansen([2.0, 2.0, 2.0, 2.0, 3.0], [1, 2, 1, 0, 1])
    np.testing.assert_array_equal(curve.times, [2.0, 3.0])
    np.testing.assert_allclose(curve.incidence_at(1, [2.0, 3.0]), [2 / 5, 2 / 5 + 2 / 5])
    rng = np.random.default_rng(0)
    time, event = rng.exponential(size=100_000), rng.integers(0, 3, 100_000)
    tracemalloc.start()
    large = aalen_johansen(time, event)
    large.interval(1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400 * len(time)
