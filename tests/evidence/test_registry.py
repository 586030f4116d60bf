"""Reading the registry: the shipped one, the user's own, and files with faults."""

import json
from pathlib import Path

import pytest

import outcomes.evidence
from outcomes.errors import EvidenceError
from outcomes.evidence import evidence_hash, load_evidence, to_dict, to_frame, to_records

SHIPPED = Path(outcomes.evidence.__file__).parent / "data"

STUDY = """
[study]
id = "a-2020"
title = "A 2020"
n = 20
design = "One series"
reference = 1
citation = "A. 2020."
"""
FIGURE = """
[[figure]]
id = "a-2020/local_progression"
estimand = "crude_proportion"
role = "fit"
value = 25.0
count = 5
n = 20
unit = "percent"
source = "Table 1"
"""
ASSUMPTION = """
[[assumption]]
id = "death_hr"
value = 1.5
low = 1.0
high = 2.0
unit = "hazard ratio"
meaning = "A ratio"
source = "A reason"
"""


def write(folder: Path, text: str, name: str = "own.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_directory_is_a_registry_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, STUDY + FIGURE + ASSUMPTION)
    evidence = load_evidence(tmp_path)
    figure = evidence.figure("a-2020/local_progression")
    assert (figure.study, figure.quantity, figure.arm) == ("a-2020", "local_progression", "")
    assert figure.value == 25.0
    assert evidence["death_hr"] == 1.5
    assert len(evidence.figures) == 1


def test_file_is_laid_over_the_shipped_registry(tmp_path: Path) -> None:
    changed = """
[[figure]]
id = "liu-2020/overall_survival_median/alone"
arm = "alone"
estimand = "kaplan_meier_median"
role = "fit"
value = 24
unit = "months"
n = 39
source = "our own reading"
"""
    evidence = load_evidence(write(tmp_path, changed + STUDY + FIGURE))
    shipped = load_evidence()
    assert evidence.figure("liu-2020/overall_survival_median/alone").value == 24
    assert len(evidence.figures) == len(shipped.figures) + 1
    assert evidence.assumptions == shipped.assumptions
    assert evidence_hash(evidence) != evidence_hash(shipped)


def test_arm_is_the_end_of_the_id() -> None:
    figure = load_evidence().figure("laufer-2013/local_progression_12m/single_24")
    assert (figure.quantity, figure.arm) == ("local_progression_12m", "single_24")


def test_whole_numbers_of_the_file_become_floats() -> None:
    assert isinstance(load_evidence().figure("liu-2020/deaths").value, float)
    assert isinstance(load_evidence().assumption("age_mean").value, float)


def test_studies_follow_the_reference_list() -> None:
    references = [study.reference for study in load_evidence().studies]
    assert references[:-1] == sorted(references[:-1], key=lambda number: number or 0)
    assert references[-1] is None


def test_plain_data() -> None:
    evidence = load_evidence()
    content = json.loads(json.dumps(to_dict(evidence), allow_nan=False))
    assert set(content) == {"studies", "figures", "assumptions", "externals", "designs"}
    assert content["figures"] == json.loads(json.dumps(to_records(evidence)))
    frame = to_frame(evidence)
    assert len(frame) == len(evidence.figures)
    assert frame.loc["liu-2020/deaths", "value"] == 15


def test_hash_is_of_the_content(tmp_path: Path) -> None:
    copied = tmp_path / "copy"
    copied.mkdir()
    for file in SHIPPED.glob("*.toml"):
        write(copied, file.read_text(encoding="utf-8"), file.name)
    assert evidence_hash(load_evidence(copied)) == evidence_hash(load_evidence())
    assert len(evidence_hash(load_evidence())) == 64


def test_unknown_ids() -> None:
    evidence = load_evidence()
    with pytest.raises(EvidenceError, match="no figure 'x'"):
        evidence.figure("x")
    with pytest.raises(EvidenceError, match="no assumption 'x'"):
        evidence["x"]
    with pytest.raises(EvidenceError, match=r"unknown study 'x'; allowed: laufer-2013"):
        evidence.study("x")


def edited(old: str, new: str, text: str = FIGURE) -> str:
    assert old in text
    return STUDY + text.replace(old, new)


FAULTS = {
    "no TOML": ("[study", ("own.toml", "TOML")),
    "unknown table": ("[[figures]]\nid = 'x'", ("'figures'", "figure")),
    "table is a value": ("figure = 3", ("figure", "3")),
    "unknown key": (edited("count = 5", "counts = 5"), ("counts", "5", "count")),
    "derived key": (edited("count = 5", 'study = "a-2020"'), ("study", "'a-2020'")),
    "text for a number": (edited("25.0", '"25"'), ("value", "'25'", "number")),
    "true for a number": (edited("value = 25.0", "value = true"), ("value", "True")),
    "infinite": (edited("25.0", "inf"), ("value", "inf", "finite")),
    "not a number": (edited("25.0", "nan"), ("value", "nan", "finite")),
    "number for a text": (edited('"Table 1"', "1"), ("source", "1", "text")),
    "broken count": (edited("count = 5", "count = 5.5"), ("count", "5.5", "whole")),
    "negative count": (edited("count = 5", "count = -5"), ("count", "-5")),
    "missing key": (edited('source = "Table 1"', ""), ("source", "missing")),
    "empty text": (edited('"Table 1"', '""'), ("source", "''")),
    "unknown role": (edited('"fit"', '"guess"'), ("role", "'guess'", "check")),
    "unknown estimand": (edited('"crude_proportion"', '"odds"'), ("estimand", "'odds'")),
    "unknown unit": (edited('"percent"', '"%"'), ("unit", "'%'", "percent")),
    "wrong unit": (edited('"percent"', '"months"'), ("unit", "'months'", "percent")),
    "unknown study": (edited("a-2020/l", "b-2020/l"), ("id", "b-2020/", "a-2020")),
    "no quantity": (edited("a-2020/local_progression", "a-2020"), ("id", "'a-2020'")),
    "arm not in id": (edited("count = 5", 'arm = "x"'), ("id", "local_progression", "arm")),
    "twice": (STUDY + FIGURE + FIGURE, ("id", "a-2020/local_progression", "own.toml")),
    "percent above 100": (edited("25.0", "250.0"), ("value", "250.0", "100")),
    "negative": (edited("25.0", "-2.0"), ("value", "-2.0", "at least 0")),
    "count above n": (edited("count = 5", "count = 50"), ("count", "50", "20")),
    "count beside value": (edited("25.0", "25.1"), ("value", "25.1", "25.0", "5 of 20")),
    "no patients": (edited("n = 20\nunit", "n = 0\nunit"), ("n", "0", "at least 1")),
    "fit without value": (edited("value = 25.0\n", ""), ("value", "fit")),
    "fit of a null": (edited('"crude_proportion"', '"null"'), ("role", "'fit'", "null")),
    "low above high": (edited("count = 5", "low = 3.0\nhigh = 2.0"), ("low", "3.0", "2.0")),
    "range without high": (
        edited('"crude_proportion"', '"range"').replace("value = 25.0\ncount = 5", "low = 1.0"),
        ("high", "range"),
    ),
    "incidence without horizon": (
        edited('"crude_proportion"', '"cumulative_incidence"'),
        ("at_month", "cumulative_incidence"),
    ),
    "broken number of patients": (
        edited('"crude_proportion"', '"count"')
        .replace('"percent"', '"patients"')
        .replace("25.0", "5.5"),
        ("value", "5.5", "whole"),
    ),
    "more patients than n": (
        edited('"crude_proportion"', '"count"')
        .replace('"percent"', '"patients"')
        .replace("value = 25.0\ncount = 5", "value = 25"),
        ("value", "25", "20"),
    ),
    "assumption outside its range": (
        edited("value = 1.5", "value = 2.5", ASSUMPTION),
        ("death_hr", "value", "2.5", "1.0 to 2.0"),
    ),
    "assumption's range turned round": (
        edited("low = 1.0", "low = 3.0", ASSUMPTION),
        ("low", "3.0", "2.0"),
    ),
    "share above 1": (edited("hazard ratio", "share", ASSUMPTION), ("high", "2.0", "0 to 1")),
    "hazard ratio of 0": (edited("low = 1.0", "low = 0.0", ASSUMPTION), ("low", "0.0", "above 0")),
    "part of nothing": (edited("count = 5", 'part_of = "a-2020/x"'), ("part_of", "'a-2020/x'")),
    "same as itself": (
        edited("count = 5", 'same_as = "a-2020/local_progression"'),
        ("same_as", "another figure"),
    ),
    "same as the study": (edited("count = 5", 'same_as = "a-2020"'), ("same_as", "'a-2020'")),
    "external of no study": (
        STUDY + '[[external]]\nid = "e"\nsource = "s"\nfact = "f"\nfigure = "b-2020/x"',
        ("figure", "'b-2020/x'", "study/quantity"),
    ),
    "study with a slash": (STUDY.replace("a-2020", "a/2020"), ("id", "'a/2020'", "slash")),
    "study without patients": (STUDY.replace("n = 20", "n = 0"), ("n", "0", "at least 1")),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("alone", [True, False], ids=["directory", "file"])
def test_fault_names_file_key_and_value(fault: str, alone: bool, tmp_path: Path) -> None:
    text, expected = FAULTS[fault]
    path = write(tmp_path, text)
    with pytest.raises(EvidenceError) as caught:
        load_evidence(tmp_path if alone else path)
    message = str(caught.value)
    assert str(path) in message
    for part in expected:
        assert part in message
    assert "\n" not in message


def test_same_id_in_two_files(tmp_path: Path) -> None:
    write(tmp_path, STUDY + FIGURE, "one.toml")
    write(tmp_path, FIGURE, "two.toml")
    with pytest.raises(EvidenceError, match=r"two\.toml.*one\.toml"):
        load_evidence(tmp_path)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"holds no \.toml file"):
        load_evidence(tmp_path)
    with pytest.raises(EvidenceError, match=r"absent\.toml: cannot be read"):
        load_evidence(tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes("id = 'é'".encode("latin-1"))
    with pytest.raises(EvidenceError, match=r"latin\.toml: is not text in UTF-8"):
        load_evidence(tmp_path / "latin.toml")


def test_standard_errors() -> None:
    evidence = load_evidence()
    # Binomial: 100 * sqrt(.308 * .692 / 39) and, at 0 %, with half a patient of 9.
    assert evidence.figure("liu-2020/local_progression_crude/alone").standard_error == (
        pytest.approx(7.393, abs=1e-3)
    )
    assert evidence.figure("cofano-2020/local_progression_crude").standard_error == (
        pytest.approx(100 * (1 / 18 * 17 / 18 / 9) ** 0.5)
    )
    assert evidence.figure("bate-2015/vas_decrease").standard_error == (
        pytest.approx(2.6 / 45**0.5)
    )
    assert evidence.figure("liu-2020/overall_survival_median/alone").standard_error is None
