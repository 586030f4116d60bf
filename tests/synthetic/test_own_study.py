"""A study of one's own: the template, and a clear error for whatever is wrong with a file."""

import re
from dataclasses import fields

import pytest

from outcomes.errors import CalibrationError, EvidenceError
from outcomes.evidence import ESTIMANDS, ROLES, UNITS, Assumption, Figure, Study, load_evidence
from outcomes.evidence.design import (
    APPROACHES,
    ARMS_DIFFER_BY,
    FOLLOW_UPS,
    PROCEDURES,
    SBRT,
    Design,
    DesignArm,
)
from outcomes.synthetic.estimands import EVENTS, OTHERS, SETTLED, SURVIVORS
from outcomes.synthetic.perioperative import QUANTITIES as PERIOPERATIVE
from outcomes.synthetic.quantities import (
    AROUND_TREATMENT,
    AT_A_MONTH,
    AT_THE_END,
    find_quantity,
    quantity_names,
)
from outcomes.synthetic.requirements import check_requirements, prior_driven
from outcomes.synthetic.template import evidence_template

STUDY = "invented-2024"


@pytest.fixture(scope="module")
def template():
    return evidence_template()


def write(folder, text):
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def edited(text, *changes):
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def without_figures(text):
    return re.sub(r"\[\[figure\]\]\n(?:.+\n)+", "", text)


def test_the_template_stands_as_it_is(template, tmp_path):
    evidence = load_evidence(write(tmp_path, template))
    check_requirements(evidence)
    assert len(evidence.of_study(STUDY)) == 7
    assert [arm.name for arm in evidence.design(STUDY).arms] == ["single", "fractionated"]
    assert prior_driven(evidence, STUDY) == ()


def test_the_template_explains_every_key_and_every_word(template):
    derived = {"study", "quantity", "arms", "reference"}
    keys = {f.name for kind in (Study, Figure, Assumption, Design, DesignArm) for f in fields(kind)}
    words = {*ESTIMANDS, *ROLES, *UNITS, *APPROACHES, *ARMS_DIFFER_BY, *FOLLOW_UPS, *PROCEDURES}
    for word in {*keys, *words, *SBRT, *quantity_names()} - derived:
        assert word in template, word


def test_every_quantity_has_its_computation():
    """The list that users read, against what the model computes."""
    assert {*EVENTS, *SURVIVORS, *OTHERS} == {*AT_A_MONTH, *AT_THE_END}
    ranges = {name for name in SETTLED if name.endswith(("_first", "_last"))}
    assert {*PERIOPERATIVE, *SETTLED} - ranges == set(AROUND_TREATMENT)


def test_shipped_figures_keep_the_rules_for_own_ones():
    check_requirements(load_evidence())
    for figure in load_evidence().figures:
        quantity = find_quantity(figure.quantity)
        if quantity is not None and figure.role in ("fit", "check") and figure.value is not None:
            assert figure.unit in quantity.estimands[figure.estimand], figure.id


# What is changed in the template, and what the message must hold.
FAULTS = {
    "unknown key": ([("at_month = 12", "at_moth = 12")], ("figure", "at_moth", "at_month meant?")),
    "unknown table": ([("[[figure]]", "[[figures]]")], ("'figures'", "figure meant?")),
    "above 100 percent": ([("value = 60\n", "value = 160\n")], ("value", "160", "0 to 100")),
    "count above n": ([("value = 6\n", "value = 61\n")], ("value", "61", "at most n, 60")),
    "count beside value": ([("count = 10", "count = 11")], ("value", "16.7", "18.3", "11 of 60")),
    "same id twice": (
        [("invented-2024/complication", "invented-2024/follow_up_median")],
        ("follow_up_median", "not used in"),
    ),
    "part of nothing": (
        [("value = 6\n", 'value = 6\npart_of = "invented-2024/all"\n')],
        ("part_of", "'invented-2024/all'"),
    ),
    "number of nothing": (
        [('deficit = "share_neurologic_deficit_invented"', 'deficit = "share_nothing"')],
        ("design", "neurologic_deficit", "'share_nothing'", "assumption"),
    ),
    "follow-up turned round": (
        [("follow_up_last = 48", "follow_up_last = 0")],
        ("follow_up_last", "0", "after follow_up_first"),
    ),
    "follow-up too long": ([("follow_up_last = 48", "follow_up_last = 70")], ("70", "0 to 60")),
    "late beginning of a Weibull": (
        [("follow_up_first = 0", "follow_up_first = 3")],
        ("follow_up_first", "3", "weibull"),
    ),
    "SBRT turned round": ([("sbrt_start_last = 1", "sbrt_start_last = 0.2")], ("sbrt_start_last",)),
    "no arms": ([("[[arm]]", "[[external]]")], ("arm",)),
    "choice without a control": (
        [('arms_differ_by = "regimen"', 'arms_differ_by = "choice"')],
        ("arms_differ_by", "'choice'", "the first with sbrt none"),
    ),
    "dose without SBRT": (
        [("single_24 = 1", 'single_24 = 1\nsbrt = "none"')],
        ("arm", "single_24", "sbrt none"),
    ),
    "borrows itself": (
        [("follow_up_first = 0", 'follow_up_first = 0\nborrows = "invented-2024"')],
        ("borrows", "another study"),
    ),
    "borrows from a borrower": (
        [("follow_up_first = 0", 'follow_up_first = 0\nborrows = "xu-2021"')],
        ("borrows", "'xu-2021'", "borrows from none"),
    ),
    "borrows from arms that differ": (
        [("follow_up_first = 0", 'follow_up_first = 0\nborrows = "bate-2015"')],
        ("borrows", "'bate-2015'", "progression"),
    ),
    "share above 1": ([("female = 0.45", "female = 45")], ("female", "45", "0 to 1")),
    "impossible Karnofsky score": (
        [("female = 0.45", "kps_mean = 20")],
        ("kps_mean", "20", "40 to 100"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_file_is_told_by_file_row_key_value_and_what_is_allowed(fault, template, tmp_path):
    changes, expected = FAULTS[fault]
    path = write(tmp_path, edited(template, *changes))
    with pytest.raises(EvidenceError) as caught:
        load_evidence(path)
    message = str(caught.value)
    assert all(str(path) in line for line in message.splitlines())
    for part in expected:
        assert part in message


# The same of what only the model can tell.
UNSOLVABLE = {
    "unknown quantity": (
        [("invented-2024/overall_survival_median", "invented-2024/survival_median")],
        ("quantity", "'survival_median'", "overall_survival_median", "context"),
    ),
    "wrong estimand": (
        [('"kaplan_meier"', '"crude_proportion"')],
        ("overall_survival_12m", "estimand", "'crude_proportion'", "kaplan_meier"),
    ),
    "wrong unit": (
        [('value = 9.5\nunit = "months"', 'value = 9.5\nunit = "weeks"')],
        ("follow_up_median", "unit", "'weeks'", "months"),
    ),
    "median beyond the months simulated": (
        [("value = 16\n", "value = 61\n")],
        ("overall_survival_median", "61", "up to the 60 months"),
    ),
    "no denominator": (
        [('value = 16\nunit = "months"\nn = 60\n', 'value = 16\nunit = "months"\n')],
        ("overall_survival_median", "n: found None", "number of patients"),
    ),
    "no such arm": (
        [
            ("local_progression_12m/single", "local_progression_12m/double"),
            ('arm = "single"', 'arm = "double"'),
        ],
        ("arm", "'double'", "single or fractionated"),
    ),
    "another month": (
        [("overall_survival_12m", "overall_survival_24m")],
        ("overall_survival_24m", "at_month", "12", "24"),
    ),
    "month beyond those simulated": (
        [
            ("overall_survival_12m", "overall_survival_72m"),
            (
                'value = 60\nunit = "percent"\nn = 60\nat_month = 12',
                'value = 60\nunit = "percent"\nn = 60\nat_month = 72',
            ),
        ],
        ("'overall_survival_72m'", "up to 60"),
    ),
    "share that names an age": (
        [("female = 0.45", 'female = "age_mean"')],
        ("design", "female", "age_mean, 62", "0 to 1"),
    ),
    "SBRT after follow-up": (
        [("sbrt_start_last = 1", "sbrt_start_last = 50")],
        ("sbrt_start_last", "50", "48"),
    ),
    "more patients than the study has": (
        [("size = 35", "size = 55")],
        ("arms", "80", "60 patients"),
    ),
    "assumed survival beside a printed one": (
        [("female = 0.45", "overall_survival_median = 12")],
        ("overall_survival_median", "12", "overall_survival_12m"),
    ),
    "borrows in spite of figures": (
        [('follow_up = "weibull"', 'follow_up = "uniform"\nborrows = "laufer-2013"')],
        ("borrows", "'laufer-2013'", "solved for itself"),
    ),
}


@pytest.mark.parametrize("fault", UNSOLVABLE)
def test_what_cannot_be_solved_is_told_before_solving(fault, template, tmp_path):
    changes, expected = UNSOLVABLE[fault]
    evidence = load_evidence(write(tmp_path, edited(template, *changes)))
    with pytest.raises(CalibrationError) as caught:
        check_requirements(evidence)
    message = str(caught.value)
    assert "\n" not in message
    for part in ("allowed: ", STUDY, *expected):
        assert part in message


def test_a_figure_to_fit_needs_a_design(template, tmp_path):
    text = template[: template.index("# ---- How the study was made")]
    with pytest.raises(CalibrationError) as caught:
        check_requirements(load_evidence(write(tmp_path, text)))
    lines = str(caught.value).splitlines()
    assert len(lines) == 6
    assert all("[design]" in line for line in lines)


def test_every_fault_is_told_at_once(template, tmp_path):
    """One with an unknown key, one with an impossible value, one that names nothing."""
    text = edited(
        template,
        ("at_month = 12", "at_moth = 12"),
        ("value = 6\n", "value = 61\n"),
        ("size = 35", 'size = "nothing"'),
    )
    with pytest.raises(EvidenceError) as caught:
        load_evidence(write(tmp_path, text))
    assert sum("at_moth" in line for line in str(caught.value).splitlines()) == 3
    assert "at most n, 60" in str(caught.value)
    assert "'nothing'" in str(caught.value)
    text = edited(template, ("value = 16\n", "value = 61\n"), ("value = 9.5\n", "value = 0\n"))
    with pytest.raises(CalibrationError) as caught:
        check_requirements(load_evidence(write(tmp_path, text)))
    assert len(str(caught.value).splitlines()) == 2


def test_what_no_figure_speaks_of_is_known(template, tmp_path):
    evidence = load_evidence(write(tmp_path, without_figures(template)))
    assert prior_driven(evidence, STUDY) == ("survival", "local progression", "follow-up")
    assert prior_driven(load_evidence(), "gong-2021") == ("follow-up",)
