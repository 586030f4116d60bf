"""A rate at a horizon against the events in the end, by hand and on series drawn at random."""

from typing import Any

import numpy as np
import pytest

from outcomes.evidence import Evidence, Figure, Finding, Study, audit, load_evidence
from outcomes.evidence.audit_late import horizon_rates, late_events, late_probability

OWN = "own-2024"


def figure(name: str, estimand: str, value: float, unit: str, n: int, **more: Any) -> Figure:
    arm = more.get("arm", "")
    return Figure(
        id=f"{OWN}/{name}" + (f"/{arm}" if arm else ""),
        study=OWN,
        quantity=name,
        estimand=estimand,  # type: ignore[arg-type]
        role="check",
        source="Abstract",
        value=value,
        unit=unit,
        n=n,
        **more,
    )


def series(
    control: float, failures: int, median: float, n: int = 80, month: float = 12.0
) -> Evidence:
    name = f"local_control_{month:g}m"
    figures = (
        figure(name, "kaplan_meier", control, "percent", n, at_month=month),
        figure("local_progression_crude", "count", failures, "patients", n),
        figure("follow_up_median", "median_among_observed", median, "months", n),
    )
    return Evidence((Study(OWN, "Own 2024", "Invented", "None", n=n),), figures, ())


def found(evidence: Evidence) -> list[Finding]:
    return [finding for finding in audit(evidence) if finding.check == "late-events"]


def test_al_omair_by_hand() -> None:
    """Up to 16.5 % of 80 are 13 failures; 8 of the at most 40 still followed are 20 %."""
    (finding,) = found(series(84.0, 21, 8.3))
    assert finding.severity == "reading"
    assert finding.numbers == {
        "early": 13.0,
        "late": 8.0,
        "still_followed": 40.0,
        "least_share": 0.2,
    }
    for words in ("13 events of 80", "8 or more", "at most 40 patients", "20%", "the 16% before"):
        assert words in finding.statement


def test_the_more_failures_the_worse() -> None:
    """Of 800, 132 before and 400 after the horizon are the most; a 533rd has no patient left."""
    assert found(series(84.0, 195, 8.3, n=800)) == []
    told = [found(series(84.0, failures, 8.3, n=800))[0] for failures in (200, 532, 533)]
    assert [one.severity for one in told] == ["reading", "improbable", "contradiction"]
    assert (told[1].probability or 1) < 0.01


def test_nothing_without_a_median_before_the_horizon() -> None:
    assert found(series(84.0, 54, 12.0)) == []
    assert found(series(84.0, 54, 8.3, month=8.0)) == []


def test_other_words_for_the_same() -> None:
    """Progression instead of control, and those without an event instead of those with one."""
    (control,) = found(series(84.0, 54, 8.3))
    same = (
        figure(
            "local_progression_12m", "kaplan_meier_complement", 16.0, "percent", 80, at_month=12
        ),
        figure("local_control_crude", "count", 26, "patients", 80),
        *series(84.0, 54, 8.3).figures[2:],
    )
    study = Study(OWN, "Own 2024", "Invented", "None", n=80)
    (progression,) = found(Evidence((study,), same, ()))
    assert (progression.severity, progression.numbers) == (control.severity, control.numbers)


def test_deaths_have_their_arithmetic_too() -> None:
    study = Study(OWN, "Own 2024", "Invented", "None", n=80)
    survival = figure("overall_survival_12m", "kaplan_meier", 64.0, "percent", 80, at_month=12)
    median = series(84.0, 21, 8.3).figures[2]
    severities = []
    # 36.5 % of 80 are 29.
    for deaths in (29, 45, 69, 70):
        dead = figure("deaths", "count", deaths, "patients", 80)
        severities.append(
            [f.severity for f in found(Evidence((study,), (survival, dead, median), ()))]
        )
    assert severities == [[], ["reading"], ["reading"], ["contradiction"]]


def test_another_group_is_another_matter() -> None:
    figures = series(84.0, 54, 8.3).figures
    other = figure("local_progression_crude", "count", 54, "patients", 79)
    study = Study(OWN, "Own 2024", "Invented", "None", n=80)
    assert found(Evidence((study,), (figures[0], other, figures[2]), ())) == []


def test_shipped_figures_give_no_alarm() -> None:
    assert list(late_events(load_evidence())) == []


def drawn(rng: np.random.Generator, n: int, month: float, shape: float) -> tuple[float, int, float]:
    """Return local control at a month, failures and median follow-up of a series, as printed."""
    fails = 2.5 * month * rng.weibull(shape, n)
    ends = np.minimum(month * rng.exponential(1.2, n), month * rng.uniform(0.1, 4, n))
    followed = np.maximum(ends, 1e-3)
    seen = fails <= followed
    times = np.sort(fails[seen & (fails <= month)])
    at_risk = (np.minimum(fails, followed)[:, None] >= times).sum(axis=0)
    control = 100 * float(np.prod(1 - 1 / at_risk))
    return round(control), int(seen.sum()), round(float(np.median(followed)), 1)


def test_no_false_alarm_on_drawn_series() -> None:
    rng = np.random.default_rng(20)
    alarms, examined = [], 0
    for _ in range(80):
        n, shape = int(rng.integers(15, 150)), float(rng.uniform(0.7, 2))
        control, failures, median = drawn(rng, n, 12.0, shape)
        if 0 < control < 100:
            evidence = series(control, failures, median, n)
            examined += len(list(horizon_rates(evidence)))
            alarms += [f for f in late_events(evidence) if f.severity != "reading"]
    assert examined > 50
    assert alarms == []


@pytest.mark.parametrize(("shape", "followed"), [(1.0, 1.0), (2.0, 1.25)])
def test_the_probability_is_that_of_simulation(shape: float, followed: float) -> None:
    """Series with the hazard and follow-up that the probability is of: 5 % lie below 5 %."""
    rng, n, month, median = np.random.default_rng(4), 200, 12.0, 9.0
    below = 0
    for _ in range(200):
        fails = 40 * rng.weibull(shape, n) if shape == 1 else 30 * rng.weibull(shape, n)
        ends = median / np.log(2) ** (1 / followed) * rng.weibull(followed, n)
        seen = fails <= ends
        times = np.sort(fails[seen & (fails <= month)])
        at_risk = (np.minimum(fails, ends)[:, None] >= times).sum(axis=0)
        control = round(100 * float(np.prod(1 - 1 / at_risk)), 3)
        (rate,) = horizon_rates(series(control, int(seen.sum()), median, n))
        below += late_probability(rate, shape, followed) < 0.05
    assert 0.01 < below / 200 < 0.1
