"""Results kept with their patients."""

from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from outcomes.causal.memory import kept
from outcomes.causal.subjects import Subjects
from outcomes.errors import NotEstimableError


def subjects():
    return Subjects(
        time=np.array([1.0, 2.0]),
        codes=np.array([1, 0]),
        treated=np.array([True, False]),
        start=np.array([0.0, np.inf]),
        columns=np.zeros((2, 0)),
        names=(),
        stratum=np.zeros(2, dtype=int),
        weights=np.ones(2),
        cluster=np.arange(2),
    )


def counted(result):
    calls = []

    @kept
    def function(given, by=1.0):
        calls.append(by)
        return result(given) * by

    return function, calls


def test_a_result_is_made_once_for_the_same_patients_and_choices():
    function, calls = counted(lambda given: given.time.sum())
    given = subjects()
    assert [function(given), function(given), function(given, by=2.0)] == [3.0, 3.0, 6.0]
    assert calls == [1.0, 2.0]


def test_a_copy_has_none_of_them():
    function, calls = counted(lambda given: given.time.sum())
    given = subjects()
    function(given)
    assert function(given.take(np.array([True, False]))) == 1.0
    assert function(replace(given, time=given.time + 1)) == 5.0
    assert copy(given).memory == {}
    assert len(calls) == 3


def test_that_it_is_not_estimable_is_kept_as_well():
    def fails(given):
        raise NotEstimableError("never")

    function, calls = counted(fails)
    given = subjects()
    for _ in range(2):
        with pytest.raises(NotEstimableError, match="never"):
            function(given)
    assert calls == [1.0]
