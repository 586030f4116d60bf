"""Hazard ratios of weighted patients, of treatment as it comes and of clones."""

from dataclasses import replace

import numpy as np
import pytest

from outcomes.causal.estimators import Choices
from outcomes.causal.hazard_ratio import HAZARD_RATIOS
from outcomes.causal.jackknife import jackknife, jackknife_variance
from outcomes.causal.subjects import Subjects
from outcomes.errors import NotEstimableError

CHOICES = Choices(grace=(0.5, 1.5), landmark=1.5)


def draw(n, seed, effect=-0.6):
    """Draw patients of whom those with a high x begin treatment at month 0.7 to 1.3 more often."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal(n)
    begins = generator.uniform(0.7, 1.3, n)
    planned = generator.random(n) < 1 / (1 + np.exp(-0.5 * x))
    first = generator.exponential(12, n) * np.exp(0.5 * x)
    event = np.where(planned & (first > begins), begins + (first - begins) / np.exp(effect), first)
    end = generator.uniform(6, 40, n)
    treated = planned & (begins < np.minimum(event, end))
    return Subjects(
        time=np.minimum(event, end),
        codes=(event <= end).astype(int),
        treated=treated,
        start=np.where(treated, begins, np.inf),
        columns=x[:, None],
        names=("x",),
        stratum=np.zeros(n, dtype=int),
        weights=np.ones(n),
        cluster=np.arange(n),
    )


@pytest.mark.parametrize("method", HAZARD_RATIOS)
def test_its_error_is_that_of_the_jackknife(method):
    given = draw(1200, 1)
    found = HAZARD_RATIOS[method](given, CHOICES)

    def log_ratio(some):
        return np.array(HAZARD_RATIOS[method](some, CHOICES).value)

    without = jackknife({method: log_ratio}, given)[method]
    # Sixty groups know a standard error to 9 %.
    error = np.sqrt(jackknife_variance(without))
    assert error == pytest.approx(found.standard_error, rel=0.27)


@pytest.mark.parametrize("method", HAZARD_RATIOS)
def test_its_error_is_that_of_the_bootstrap(method):
    given, generator = draw(400, 2), np.random.default_rng(3)
    found = HAZARD_RATIOS[method](given, CHOICES)
    values = [HAZARD_RATIOS[method](given.resampled(generator), CHOICES).value for _ in range(200)]
    # Two hundred samples know it to 5 %.
    assert np.std(values) == pytest.approx(found.standard_error, rel=0.15)


def test_it_finds_the_effect_that_treatment_has_from_its_start_on():
    found = HAZARD_RATIOS["time-dependent"](draw(4000, 4), CHOICES)
    assert abs(found.value + 0.6) < 3 * found.standard_error


@pytest.mark.parametrize("method", HAZARD_RATIOS)
def test_a_patient_counted_twice_is_a_weight_of_two(method):
    given = draw(150, 5)
    twice = given.take(np.repeat(np.arange(150), 2))
    doubled = replace(given, weights=np.full(150, 2.0))
    several, weighed = (HAZARD_RATIOS[method](one, CHOICES) for one in (twice, doubled))
    # Efron's ties of the copies are all that differs.
    assert several.value == pytest.approx(weighed.value, abs=0.02)
    assert several.standard_error == pytest.approx(weighed.standard_error, rel=0.03)


def test_without_an_event_after_treatment_clones_have_no_ratio():
    given = draw(100, 7)
    calm = replace(given, codes=np.where(given.treated, 0, given.codes))
    with pytest.raises(NotEstimableError, match="treated in time had an event afterwards"):
        HAZARD_RATIOS["clone-censor-weight"](calm, CHOICES)


def test_it_needs_a_known_start():
    untimed = replace(draw(100, 6), start=np.full(100, np.nan))
    with pytest.raises(NotEstimableError, match="start of treatment is unknown"):
        HAZARD_RATIOS["time-dependent"](untimed, CHOICES)
