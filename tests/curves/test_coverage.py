"""How often the 95 % intervals hold the truth in repeated samples."""

import math

import numpy as np
import pytest

from outcomes.curves import (
    aalen_johansen,
    kaplan_meier,
    restricted_mean_survival_time,
    restricted_mean_time_lost,
)

SAMPLES, PER_ARM = 1000, 100
HORIZON = 12.0
PROGRESSION, DEATH = (0.02, 0.04), (0.03, 0.05)


def incidence(progression, death):
    """True cumulative incidence of progression at the horizon, with constant hazards."""
    total = progression + death
    return progression / total * (1 - math.exp(-total * HORIZON))


def time_lost(progression, death):
    """True mean time lost to progression before the horizon."""
    total = progression + death
    return progression / total * (HORIZON - (1 - math.exp(-total * HORIZON)) / total)


def survived(death):
    """True mean survival before the horizon."""
    return (1 - math.exp(-death * HORIZON)) / death


@pytest.fixture(scope="module")
def coverage():
    random = np.random.default_rng(20)
    held = {"survival": 0, "mean": 0, "incidence": 0, "lost": 0}
    truth = {
        "survival": math.exp(-DEATH[0] * HORIZON) - math.exp(-DEATH[1] * HORIZON),
        "mean": survived(DEATH[0]) - survived(DEATH[1]),
        "incidence": incidence(PROGRESSION[0], DEATH[0]) - incidence(PROGRESSION[1], DEATH[1]),
        "lost": time_lost(PROGRESSION[0], DEATH[0]) - time_lost(PROGRESSION[1], DEATH[1]),
    }
    for _ in range(SAMPLES):
        arms = []
        for progression, death in zip(PROGRESSION, DEATH, strict=True):
            progresses = random.exponential(1 / progression, PER_ARM)
            dies = random.exponential(1 / death, PER_ARM)
            leaves = random.uniform(6, 30, PER_ARM)
            leaves[:5] = 30  # somebody is followed beyond the horizon
            alive = kaplan_meier(np.minimum(dies, leaves), dies <= leaves)
            first = np.minimum(np.minimum(progresses, dies), leaves)
            code = np.where(first == leaves, 0, np.where(first == progresses, 1, 2))
            competing = aalen_johansen(first, code, causes=(1, 2))
            mean = restricted_mean_survival_time(alive, HORIZON)
            lost = restricted_mean_time_lost(competing, 1, HORIZON)
            arms.append(
                {
                    "survival": (alive.survival_at(HORIZON), alive.standard_error_at(HORIZON)),
                    "mean": (mean.value, mean.standard_error),
                    "incidence": (
                        competing.incidence_at(1, HORIZON),
                        competing.standard_error_at(1, HORIZON),
                    ),
                    "lost": (lost.value, lost.standard_error),
                }
            )
        for name, true in truth.items():
            difference = arms[0][name][0] - arms[1][name][0]
            error = math.hypot(arms[0][name][1], arms[1][name][1])
            held[name] += abs(difference - true) < 1.959963984540054 * error
    return {name: count / SAMPLES for name, count in held.items()}


@pytest.mark.parametrize("name", ["survival", "mean", "incidence", "lost"])
def test_intervals_of_a_difference_hold_the_truth_in_95_of_100_samples(coverage, name):
    # Three standard errors of a proportion of 0.95 in 1000 samples, and half a point for n = 100.
    assert abs(coverage[name] - 0.95) < 3 * math.sqrt(0.95 * 0.05 / SAMPLES) + 0.005
