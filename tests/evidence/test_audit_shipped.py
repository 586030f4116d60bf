"""The audit of the registry: each finding goes when the numbers are mended."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from outcomes.evidence import CHECK_NAMES, SEVERITIES, Evidence, Finding, audit, load_evidence

SHIPPED = load_evidence()


def changed(evidence: Evidence, **figures: dict[str, Any]) -> Evidence:
    """Return the registry with fields of figures changed; ``__`` stands for ``/``, `_` for `-`."""
    found = {figure.id: figure for figure in evidence.figures}
    for name, values in figures.items():
        assert name in found, name
        found[name] = replace(found[name], **values)
    return replace(evidence, figures=tuple(found.values()))


def found(evidence: Evidence, check: str, study: str = "") -> list[Finding]:
    return [f for f in audit(evidence) if f.check == check and (not study or f.study == study)]


TENSIONS = {
    "1 Liu's deaths": ("deaths", "improbable", "liu-2020", "prints 15 deaths"),
    "2 Gong's parts": ("parts", "contradiction", "gong-2021", "27.8% is 5 of 18"),
    "2 Gong's estimates": ("grim", "reading", "gong-2021", "78.4% of 18"),
    "3 Liu's VAS": ("text-against-table", "contradiction", "liu-2020", "1.64 ± 0.41"),
    "4 Laufer's 4.8": ("two-meanings", "improbable", "laufer-2013", "4.8 months stand for"),
    "4 Laufer's average": ("follow-up", "improbable", "laufer-2013", "6.0 months for hazards"),
    "5 Laufer against Liu": ("between-studies", "reading", "", "Laufer 2013 6.6-9.5"),
    "6 Laufer's regimens": ("two-sizes", "contradiction", "laufer-2013", "37 + 40 + 109 = 186"),
    "7 Xu's order": ("words-against-numbers", "contradiction", "xu-2021", "4 of 26 and 1 of 29"),
    "8 Liu's ends": ("bhatia-davis", "reading", "liu-2020", "96% of the largest"),
    "8 Liu's survivors": ("shortest-follow-up", "reading", "liu-2020", "9 months"),
    "9 Liu's recurrences": ("hazard-shape", "reading", "liu-2020", "4.1 ± 1.2"),
    "10 immortal time": ("immortal-time", "reading", "liu-2020", "6 to 12 patient-months"),
    "4 and without a family": ("follow-up", "improbable", "laufer-2013", "2.9 whatever"),
    "Bate's arm in words": (
        "one-number-two-populations",
        "contradiction",
        "bate-2015",
        "surgery + SBRT (n = 21",
    ),
    "Bate's 8.7": ("one-number-two-populations", "contradiction", "bate-2015", "6 of 69"),
    "Bate's 17 (80%)": ("count-in-words", "reading", "bate-2015", "80.95%"),
    "Bate's 10 months": ("follow-up", "reading", "bate-2015", "median of all it fits"),
    "Laufer's 16.4": ("groups", "reading", "laufer-2013", "average to 16.0%"),
    "Gong's survival": ("primary-study", "contradiction", "gong-2021", "69.3% against 78.4%"),
    "Liu's 7.28": ("two-meanings", "improbable", "liu-2020", "7.28 is VAS before"),
}


@pytest.mark.parametrize("tension", TENSIONS)
def test_tension_is_found(tension: str) -> None:
    check, severity, study, words = TENSIONS[tension]
    (finding,) = [f for f in found(SHIPPED, check, study) if words in f.statement]
    assert finding.severity == severity
    assert (finding.probability is not None) == (severity == "improbable") or severity == "reading"
    known = {f.id for f in SHIPPED.figures} | {e.id for e in SHIPPED.externals}
    assert finding.figures
    assert set(finding.figures) <= known


def test_contradictions_come_first_and_all_is_plain_data() -> None:
    findings = audit(SHIPPED)
    ranks = [SEVERITIES.index(finding.severity) for finding in findings]
    assert ranks == sorted(ranks)
    assert {finding.check for finding in findings} <= set(CHECK_NAMES)
    assert len({finding.statement for finding in findings}) == len(findings)
    assert json.loads(json.dumps([asdict(f) for f in findings], allow_nan=False))
    assert audit(SHIPPED) == findings
    for finding in findings:
        if finding.severity == "improbable":
            assert 0 <= (finding.probability or 0) < (0.05 if finding.check == "deaths" else 0.01)
        assert "\n" not in finding.statement
        assert "_" not in finding.statement


# What would have to be printed for the finding to go.
MENDED: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "as many deaths as the medians imply": ("deaths", {"liu-2020/deaths": {"value": 26.0}}),
    "Gong 18 and 18": ("parts", {"gong-2021/patients/moderate": {"value": 18.0}}),
    "one VAS after SBRT": (
        "text-against-table",
        {"liu-2020/vas_after_sbrt/sbrt": {"value": 2.17, "sd": 0.52}},
    ),
    "109 only once": (
        "two-sizes",
        {"laufer-2013/printed/dose_regimen/hypofractionated_high": {"value": 37.0}},
    ),
    "Xu in the order of the words": (
        "words-against-numbers",
        {
            f"xu-2021/complication/{arm}": {"statement": "less complications (3.45% vs 15.38%)"}
            for arm in ("separation", "piecemeal")
        },
    ),
    "a spread that ends in between": (
        "bhatia-davis",
        {"liu-2020/follow_up_survived": {"sd": 14.0}},
    ),
    "follow-up from the day of surgery": (
        "shortest-follow-up",
        {"liu-2020/follow_up_range": {"low": 0.5}},
    ),
    "recurrences all along": (
        "hazard-shape",
        {"liu-2020/time_of_progression/alone": {"value": 9.0, "sd": 8.0}},
    ),
    "the share of the 21": (
        "one-number-two-populations",
        {"bate-2015/printed/local_progression_crude/surgery_sbrt": {"value": 14.3}},
    ),
    "17 (81%)": (
        "count-in-words",
        {
            f"bate-2015/frankel_{state}/surgery_sbrt": {"statement": "17 (81%) had a stable grade"}
            for state in ("stable", "improved")
        },
    ),
    "16.0 overall": (
        "groups",
        {"laufer-2013/local_progression_12m": {"value": 16.0, "statement": "16.0%"}},
    ),
    "another follow-up": ("two-meanings", {"laufer-2013/follow_up_mean": {"value": 6.9}}),
    "a longer follow-up": ("follow-up", {"laufer-2013/follow_up_mean": {"value": 6.9}}),
}


@pytest.mark.parametrize("mending", MENDED)
def test_finding_goes_when_the_numbers_are_mended(mending: str) -> None:
    check, figures = MENDED[mending]
    study = next(iter(figures)).partition("/")[0]
    assert found(SHIPPED, check, study)
    left = found(changed(SHIPPED, **figures), check, study)
    assert [f for f in left if set(f.figures) & set(figures)] == []


def test_mended_gong_has_no_part_left_over_and_its_count_fits() -> None:
    sizes = {"gong-2021/patients/moderate": {"value": 18.0}}
    arms = {
        f"gong-2021/{name}/moderate": {"n": 18} for name in ("local_progression_12m", "vas_after")
    }
    mended = changed(SHIPPED, **sizes, **arms)
    assert found(mended, "parts", "gong-2021") == []
    (estimates,) = found(mended, "grim", "gong-2021")
    assert "27.8" not in estimates.statement


@pytest.mark.parametrize(("deaths", "expected"), [(26, 0), (20, 0), (17, 0), (15, 1), (3, 1)])
def test_deaths_are_judged_by_their_number(deaths: int, expected: int) -> None:
    evidence = changed(SHIPPED, **{"liu-2020/deaths": {"value": float(deaths)}})
    assert len(found(evidence, "deaths", "liu-2020")) == expected


def test_fewer_deaths_are_less_probable() -> None:
    odds = []
    for deaths in (15, 12, 9):
        evidence = changed(SHIPPED, **{"liu-2020/deaths": {"value": float(deaths)}})
        (finding,) = found(evidence, "deaths", "liu-2020")
        odds.append(finding.probability or 0.0)
    assert odds == sorted(odds, reverse=True)
    assert odds[0] > odds[-1]


def test_shortest_follow_up_by_hand() -> None:
    # Steady hazard: 39 (1 - 2^(-9/21)) + 13 (1 - 2^(-9/38)) = 10.02 + 1.97.
    (finding,) = found(SHIPPED, "shortest-follow-up")
    steady = finding.numbers["dead_before"]
    assert steady == pytest.approx(39 * (1 - 2 ** (-9 / 21)) + 13 * (1 - 2 ** (-9 / 38)))
    # A steeply rising hazard spares the early months, so the reading is not certain.
    rising = float(finding.numbers["probability_steep"])  # type: ignore[arg-type]
    assert 0 < (finding.probability or 0.0) < 0.05 < rising < 0.3
    assert "up to a shape of 2" in finding.statement
    assert "Either the follow-up is that of the survivors or" in finding.statement


def test_shortest_follow_up_is_certain_where_no_hazard_spares_so_many() -> None:
    evidence = changed(SHIPPED, **{"liu-2020/follow_up_range": {"low": 18.0, "high": 60.0}})
    (finding,) = found(evidence, "shortest-follow-up")
    assert float(finding.numbers["probability_steep"]) < 0.05  # type: ignore[arg-type]
    assert "can only be that of the survivors" in finding.statement


def test_half_the_median_is_the_least_mean() -> None:
    # (103 * 5.6 + 49 * 7.1 + 34 * 4.8) / 186 / 2 = 2.92: half of each group at 0, half at it.
    (finding,) = found(SHIPPED, "follow-up", "laufer-2013")
    least = (103 * 5.6 + 49 * 7.1 + 34 * 4.8) / 186 / 2
    assert f"{least:.1f} whatever the distribution" in finding.statement
    assert "shape 0.7 to 2 for death, to 4 for other times" in finding.statement
