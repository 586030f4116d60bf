"""The audit of invented figures: each finding comes from the numbers, by hand."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.evidence import (
    Evidence,
    External,
    Figure,
    Finding,
    Study,
    audit,
)
from outcomes.evidence.printed import chance

OWN = "own-2024"


def own(*figures: Figure, n: int | None = 60, externals: tuple[External, ...] = ()) -> Evidence:
    study = Study(OWN, "Own 2024", "Invented", "None", n=n)
    return Evidence((study,), figures, (), externals)


def figure(name: str, estimand: str = "crude_proportion", **more: Any) -> Figure:
    arm = more.get("arm", "")
    unit = {"count": "patients", "crude_proportion": "percent", "kaplan_meier": "percent"}
    values: dict[str, Any] = {"unit": unit.get(estimand, "months"), "source": "Table 1"} | more
    identifier = f"{OWN}/{name}" + (f"/{arm}" if arm else "")
    return Figure(
        id=identifier, study=OWN, quantity=name, estimand=estimand, role="check", **values
    )


def only(evidence: Evidence) -> Finding:
    (finding,) = audit(evidence)
    return finding


def found(evidence: Evidence, check: str) -> list[Finding]:
    return [finding for finding in audit(evidence) if finding.check == check]


def grim_by_hand(percent: float, n: int) -> bool:
    return any(f"{100 * k / n:.1f}" == f"{percent:.1f}" for k in range(n + 1))


@given(st.integers(1, 99), st.integers(0, 1000))
def test_grim_is_the_search_through_all_counts(n: int, tenths: int) -> None:
    percent = tenths / 10
    words = f"{percent:.1f}%"
    findings = found(own(figure("relapse", value=percent, n=n, statement=words)), "grim")
    hard = [finding for finding in findings if finding.severity == "contradiction"]
    cut = any(math.floor(1000 * k / n + 1e-9) == tenths for k in range(n + 1))
    exact = any(abs(100 * k / n - percent) <= 0.05 + 1e-9 for k in range(n + 1))
    assert bool(findings) == (not exact)
    assert bool(hard) == (not exact and not cut)
    if grim_by_hand(percent, n):
        assert not findings


@pytest.mark.parametrize("estimand", ["kaplan_meier", "cumulative_incidence"])
def test_an_estimate_with_censoring_is_only_a_reading(estimand: str) -> None:
    finding = only(own(figure("lp", estimand, value=12.2, n=18, at_month=12.0, unit="percent")))
    assert (finding.check, finding.severity) == ("grim", "reading")
    assert not audit(own(figure("lp", estimand, value=27.8, n=18, at_month=12.0, unit="percent")))


def test_printed_zeros_count_as_digits() -> None:
    # 9 % of 23 can be 2 of 23 (8.7 %); 9.0 % cannot.
    assert not audit(own(figure("relapse", value=9.0, n=23, statement="9%")))
    assert only(own(figure("relapse", value=9.0, n=23, statement="9.0%"))).check == "grim"


def test_parts_of_one_whole() -> None:
    def states(died: int) -> Evidence:
        counts = {"died": died, "alive": 20, "progressed": 15}
        return own(
            *(figure(k, "count", value=float(v), n=60, part_of=OWN) for k, v in counts.items())
        )

    assert audit(states(25)) == ()
    finding = only(states(24))
    assert (finding.check, finding.severity) == ("parts", "contradiction")
    assert finding.numbers["sum"] == (59.0, 59.0)
    assert "59, not to the 60" in finding.statement


def test_a_part_given_as_a_percentage_is_any_count_it_can_be() -> None:
    # 33 % of 60 is 20 and nothing else; 30 % can be 18 only.
    rest = figure("alive", "count", value=40.0, n=60, part_of=OWN)
    assert not audit(own(rest, figure("died", value=33.0, n=60, part_of=OWN, statement="33%")))
    finding = only(own(rest, figure("died", value=30.0, n=60, part_of=OWN, statement="30%")))
    assert finding.check == "parts"


def test_sizes_of_arms_are_parts_without_being_told() -> None:
    arms = (
        figure("patients", "count", value=30.0, n=60, arm="a"),
        figure("patients", "count", value=29.0, n=60, arm="b"),
    )
    assert {f.check for f in audit(own(*arms))} == {"parts"}
    (finding,) = found(own(*arms, figure("relapse", value=20.0, n=29, arm="b")), "parts")
    assert "With 30 instead of 29 b the sum is right: 20% is 6 of 30 but no count of 29" in (
        finding.statement
    )
    (finding,) = found(own(*arms, figure("relapse", value=17.2, n=29, arm="b")), "parts")
    assert "against it: 17.2% is 5 of 29 but no count of 30" in finding.statement


def test_two_sizes_of_a_study_and_of_an_arm() -> None:
    patients = figure("patients", "count", value=61.0, n=61)
    assert only(own(patients)).check == "two-sizes"
    arms = [figure("patients", "count", value=30.0, n=60, arm=arm) for arm in "ab"]
    assert not audit(own(*arms, figure("relapse", value=10.0, n=30, arm="a")))
    finding = only(own(*arms, figure("relapse", value=12.5, n=32, arm="a")))
    assert (finding.check, finding.numbers["n"]) == ("two-sizes", 32.0)


def overall(estimand: str, whole: float, first: float, second: float, **more: Any) -> Evidence:
    return own(
        figure("lp", estimand, value=whole, n=60, **more),
        figure("lp", estimand, value=first, n=30, arm="a", **more),
        figure("lp", estimand, value=second, n=30, arm="b", **more),
    )


def test_overall_rate_and_its_groups() -> None:
    assert not audit(overall("crude_proportion", 15.0, 10.0, 20.0))
    finding = only(overall("crude_proportion", 25.0, 10.0, 20.0))
    assert (finding.check, finding.severity) == ("groups", "contradiction")
    assert "outside their range" in finding.statement
    inside = only(overall("crude_proportion", 18.3, 10.0, 20.0))
    assert (inside.severity, inside.numbers["weighted_mean"]) == ("contradiction", 15.0)


def test_overall_estimate_and_its_groups() -> None:
    more = {"at_month": 12.0, "unit": "percent"}
    near = found(overall("kaplan_meier", 16.7, 10.0, 20.0, **more), "groups")
    assert [f.severity for f in near] == ["reading"]
    far = found(overall("kaplan_meier", 40.0, 10.0, 20.0, **more), "groups")
    assert [f.severity for f in far] == ["improbable"]
    assert far[0].probability is not None
    assert far[0].probability < 0.01


def test_overall_mean_count_and_median() -> None:
    assert not audit(overall("mean_sd", 5.0, 4.0, 6.0))
    assert only(overall("mean_sd", 5.6, 4.0, 6.0)).severity == "contradiction"
    assert only(overall("count", 12.0, 5.0, 6.0)).severity == "contradiction"
    assert not audit(overall("median_among_observed", 5.6, 4.0, 6.0))
    assert only(overall("median_among_observed", 7.1, 4.0, 6.0)).severity == "contradiction"


def test_a_group_with_more_events_than_all() -> None:
    evidence = own(
        figure("relief", "count", value=10.0, n=60),
        figure("relief", "count", value=12.0, n=13, arm="sbrt"),
    )
    assert only(evidence).severity == "contradiction"


def spread(mean: float, sd: float, low: float, high: float, n: int = 52) -> Evidence:
    return own(figure("vas", "mean_sd", value=mean, sd=sd, low=low, high=high, n=n, unit="mL"))


def test_bhatia_davis_by_hand() -> None:
    # Within 0-10 with mean 5 the largest standard deviation is 5; ends and mean may be rounded.
    assert not audit(spread(5.0, 4.4, 0, 10))
    assert only(spread(5.0, 4.8, 0, 10)).severity == "reading"
    assert only(spread(5.0, 4.8, 0, 10)).numbers["largest_sd"] == pytest.approx(5.0)
    assert only(spread(5.0, 5.8, 0, 10)).severity == "contradiction"
    assert only(spread(11.0, 1.0, 0, 10)).check == "range"
    # One at 0, one at 10, 50 at 5: sqrt(50 / 51) = 0.99 is the least.
    assert only(spread(5.0, 0.5, 0, 10)).severity == "contradiction"


@given(st.lists(st.integers(0, 10), min_size=3, max_size=40).filter(lambda x: len(set(x)) > 1))
def test_no_sample_breaks_the_limits_of_its_spread(values: list[int]) -> None:
    sample = np.array(values, dtype=float)
    evidence = spread(
        float(f"{sample.mean():.1f}"),
        float(f"{sample.std(ddof=1):.1f}"),
        sample.min(),
        sample.max(),
        sample.size,
    )
    assert all(finding.severity == "reading" for finding in audit(evidence))


def test_words_and_numbers() -> None:
    def said(words: str) -> list[Finding]:
        return found(
            own(figure("words", "sign", unit="", statement=words)), "words-against-numbers"
        )

    assert not said("a lower blood loss (340.1 mL vs 714.3 mL)")
    assert not said("longer stay (9 ± 2 days vs 4 ± 1 days)")
    assert said("longer stay (4 ± 1 days vs 9 ± 2 days)")
    assert said("fewer recurrences (12% vs. 5%)")
    assert not said("a difference (12% vs 5%)")


def test_second_print() -> None:
    first = figure("vas", "mean_sd", value=2.17, sd=0.5, n=400, unit="points")
    second = figure("vas_text", "mean_sd", value=2.2, n=400, unit="points", same_as=first.id)
    assert not audit(own(first, replace(second, source="Results")))
    apart = own(first, replace(second, value=2.3, source="Results"))
    assert only(apart).check == "text-against-table"
    assert only(own(first, replace(second, value=2.3))).check == "two-prints"


def test_primary_study() -> None:
    evidence = own(
        figure("os", "kaplan_meier", value=78.5, n=600, at_month=12.0),
        externals=(
            External("own_os", "Own, abstract", "69.3%", 69.3, "percent", figure=f"{OWN}/os"),
        ),
    )
    assert [f.check for f in audit(evidence)] == ["primary-study"]
    (external,) = evidence.externals
    same = replace(external, value=79.0, fact="79%")
    assert not found(replace(evidence, externals=(same,)), "primary-study")
    rest = replace(external, figure="", complement_of=f"{OWN}/os", value=21.5, fact="21.5%")
    assert not found(replace(evidence, externals=(rest,)), "primary-study")
    other = replace(rest, value=20.6, fact="20.6%")
    (finding,) = found(replace(evidence, externals=(other,)), "primary-study")
    assert "79.4% (100 less 20.6)" in finding.statement


def times(value: float, other: float) -> Iterator[Figure]:
    yield figure("time_of_relapse", "mean_among_observed", value=value, n=20)
    yield figure("follow_up", "mean_among_observed", value=other, n=60, source="Results")


def test_one_number_under_two_meanings() -> None:
    finding = only(own(*times(4.8, 4.8)))
    assert (finding.check, finding.severity) == ("two-meanings", "reading")
    assert not audit(own(*times(4.8, 4.9)))
    # One digit agrees too easily, and one print read twice is no second print.
    assert not audit(own(*times(5.0, 5.0)))
    first, second = times(4.8, 4.8)
    assert not audit(own(first, replace(second, source=first.source)))


def followed(mean: float) -> Evidence:
    whole = figure("follow_up_mean", "mean_among_observed", value=mean, n=60, statement=f"{mean}")
    parts = {"time_of_death": (9.0, 30), "follow_up_alive": (21.0, 30)}
    return own(
        whole,
        *(
            figure(name, "median_among_observed", value=value, n=n, part_of=whole.id)
            for name, (value, n) in parts.items()
        ),
    )


def test_average_follow_up_between_its_parts() -> None:
    # Averages of 9 and 21 months: between 15 (symmetric) and 22 (exponential), and more.
    assert not audit(followed(16.5))
    assert only(followed(6.0)).severity == "improbable"
    assert only(followed(90.0)).severity == "improbable"


def survival(first: float, second: float) -> Evidence:
    studies = tuple(Study(name, name, "", "") for name in ("a", "b"))
    figures = tuple(
        Figure(
            id=f"{study.id}/overall_survival_median",
            study=study.id,
            quantity="overall_survival_median",
            estimand="kaplan_meier_median",
            role="check",
            source="Table",
            value=median,
            unit="months",
            n=80,
        )
        for study, median in zip(studies, (first, second), strict=True)
    )
    return Evidence(studies, figures, ())


def test_hazards_between_studies_by_hand() -> None:
    assert not audit(survival(12.0, 14.0))
    finding = only(survival(6.0, 30.0))
    assert (finding.check, finding.severity, finding.study) == ("between-studies", "reading", "")
    # Two log hazards ln 5 apart, each with 40 deaths: Q = (ln 5)^2 / (2 / 40).
    assert finding.numbers["q"] == pytest.approx(math.log(5) ** 2 * 40 / 2, rel=1e-3)


def test_an_empty_registry_and_one_without_numbers() -> None:
    assert audit(own()) == ()
    assert audit(own(figure("words", "sign", unit="", statement="better"), n=None)) == ()


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.00641, "0.007"),
        (0.005, "0.005"),
        (0.000138, "0.0002"),
        (1e-9, "0.0001"),
        (0.0019, "0.002"),
    ],
)
def test_an_upper_limit_is_rounded_up(probability: float, words: str) -> None:
    assert chance(probability) == words
