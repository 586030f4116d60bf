"""Calibrations in files, and figures that cannot be met."""

import json
import math
from dataclasses import replace
from importlib import resources

import pytest

from outcomes.errors import CalibrationError
from outcomes.evidence import evidence_hash, load_evidence
from outcomes.synthetic import (
    calibrate,
    member_provenance,
    read_calibration,
    shipped_calibration,
    with_member,
)
from outcomes.synthetic.calibration import read_shipped
from outcomes.synthetic.ensemble import Ensemble, Quantity, Source
from outcomes.synthetic.ranges import varied

PARAMETER, ASSUMPTION = "liu-2020/death_scale", "death_hr_sbrt"


@pytest.fixture
def stored():
    return json.loads(json.dumps(shipped_calibration().to_dict()))


def read(stored, folder):
    path = folder / "calibration.json"
    path.write_text(json.dumps(stored), encoding="utf-8")
    return read_calibration(path, load_evidence())


def test_what_was_stored_is_read(stored, tmp_path):
    assert read(stored, tmp_path) == shipped_calibration()


@pytest.mark.parametrize("prefix", ["shared/", "liu-2020/"])
def test_a_missing_parameter_is_named(prefix, stored, tmp_path):
    key = next(key for key in stored["parameters"] if key.startswith(prefix))
    del stored["parameters"][key]
    with pytest.raises(CalibrationError, match=rf"calibration\.json: parameter {key}: missing"):
        read(stored, tmp_path)


@pytest.mark.parametrize("value", ["x", None, True, float("nan"), 1e308, -1, 0, 10**400, [1]])
def test_an_impossible_value_is_refused(value, stored, tmp_path):
    key = "laufer-2013/death_scale"
    stored["parameters"][key]["value"] = value
    with pytest.raises(CalibrationError, match=r"calibration\.json: "):
        read(stored, tmp_path)


@pytest.mark.parametrize("parameters", [[], [1], "x", None, 3, {}, {"a": 1}, {"a": {"study": []}}])
def test_parameters_of_another_shape(parameters, stored, tmp_path):
    stored["parameters"] = parameters
    with pytest.raises(CalibrationError, match=r"calibration\.json: "):
        read(stored, tmp_path)


def test_a_series_may_be_absent(stored, tmp_path):
    kept = {k: row for k, row in stored["parameters"].items() if row["study"] != "liu-2020"}
    found = read({**stored, "parameters": kept, "ensemble": None}, tmp_path)
    with pytest.raises(CalibrationError, match="'liu-2020' is not calibrated"):
        found.series_of("liu-2020")


def small_ensemble(calibration):
    """Three sets, all of them the calibration's own."""
    return Ensemble(
        seed=5,
        size=3,
        parameters={parameter.key: (parameter.value,) * 3 for parameter in calibration.parameters},
        assumptions={a.id: (a.low, a.value, a.high) for a in varied(calibration.evidence)},
        quantities=(
            Quantity(
                "liu-2020/x", "liu-2020", "months", "", 2, 1, 2, 3, (Source("prior", "a", 1),)
            ),
        ),
    )


@pytest.fixture
def with_ensemble():
    shipped = shipped_calibration()
    whole = replace(shipped, ensemble=small_ensemble(shipped), verification=None)
    return json.loads(json.dumps(whole.to_dict()))


def test_a_small_ensemble_is_read_and_used(with_ensemble, tmp_path):
    found = read(with_ensemble, tmp_path)
    assert found.ensemble == small_ensemble(shipped_calibration())
    assert with_member(found, 1).parameters == found.parameters
    assert member_provenance(found, 1) == {
        "ensemble_member": 1,
        "ensemble_seed": 5,
        "ensemble_size": 3,
    }
    with pytest.raises(CalibrationError, match="found set 3; allowed: 0 to 2"):
        member_provenance(found, 3)


@pytest.mark.parametrize("ensemble", [0, False, "", "x", [], [1], 3.5])
def test_an_ensemble_of_another_shape(ensemble, with_ensemble, tmp_path):
    with_ensemble["ensemble"] = ensemble
    with pytest.raises(
        CalibrationError, match=r"calibration\.json: ensemble: found .*; allowed: a"
    ):
        read(with_ensemble, tmp_path)


ABSENT = object()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("size",), 0, "size: found 0; allowed: a whole number, at least 2"),
        (("size",), 1, "size: found 1; "),
        (("size",), 3.0, "size: found 3.0; "),
        (("size",), "3", "size: found '3'; "),
        (("size",), True, "size: found True; "),
        (("size",), 4, "found 3 values; allowed: 4"),
        (("size",), ABSENT, "size: missing"),
        (("seed",), -1, "seed: found -1; allowed: a whole number, at least 0"),
        (("parameters",), ABSENT, "parameters: missing"),
        (("parameters",), [], r"parameters: found \[\]; allowed: a JSON object"),
        (("parameters",), {}, "parameters, .*: missing"),
        (("parameters", PARAMETER), ABSENT, f"parameters, {PARAMETER}: missing"),
        (("parameters", "liu-2020/x"), [1, 1, 1], "parameters: found 'liu-2020/x'; allowed: "),
        (("parameters", PARAMETER), "123", "found '123'; allowed: a list"),
        (("parameters", PARAMETER), [9, 9], "found 2 values; allowed: 3"),
        (("parameters", PARAMETER), [9, 9, math.nan], "found nan; allowed: finite numbers"),
        (("parameters", PARAMETER), [9, 9, math.inf], "found inf; allowed: finite numbers"),
        (("parameters", PARAMETER), [9, 9, 10**400], "found 10+; allowed: finite numbers"),
        (("parameters", PARAMETER), [9, 9, "9"], "found '9'; allowed: finite numbers"),
        (("parameters", PARAMETER), [9, 9, None], "found None; allowed: finite numbers"),
        (("parameters", PARAMETER), [9, 9, True], "found True; allowed: finite numbers"),
        (
            ("parameters", PARAMETER),
            [9, 9, -1],
            "death_scale: found -1.0; allowed: a number within",
        ),
        (("parameters", PARAMETER), [9, 9, 0], "death_scale: found 0.0; allowed: a number within"),
        (("parameters", PARAMETER), [9, 9, 1e300], "found 1e.300; allowed: a number within"),
        (("assumptions",), {}, "assumptions, .*: missing"),
        (("assumptions", ASSUMPTION), ABSENT, f"assumptions, {ASSUMPTION}: missing"),
        (("assumptions", "x"), [1, 1, 1], "assumptions: found 'x'; allowed: "),
        (("assumptions", ASSUMPTION), "123", "found '123'; allowed: a list"),
        (("assumptions", ASSUMPTION), [1, 1, 1.1], "found 1.1; allowed: 0.55 to 1"),
        (("assumptions", ASSUMPTION), [1, 1, 0.549], "found 0.549; allowed: 0.55 to 1"),
        (("assumptions", ASSUMPTION), [1, 1, math.nan], "found nan; allowed: finite numbers"),
        (("quantities",), {}, "quantities: found {}; allowed: a list"),
        (("quantities", 0), 3, r"quantities\[0\]: found 3; allowed: a JSON object"),
        (("quantities", 0, "lower"), "a", "lower: found 'a'; allowed: a finite number"),
        (("quantities", 0, "sources"), "a", "sources: found 'a'; allowed: a list"),
        (("quantities", 0, "sources", 0, "kind"), "x", "'sampling' or 'prior' or 'assumption'"),
        (("quantities", 0, "sources", 0, "share"), None, "share: found None; allowed: a finite"),
        (("other",), 1, ": found 'other'; allowed: seed, size, "),
    ],
)
def test_a_damaged_ensemble_is_refused(place, value, message, with_ensemble, tmp_path):
    change(with_ensemble, ("ensemble", *place), value)
    with pytest.raises(CalibrationError, match=rf"calibration\.json: ensemble.*{message}"):
        read(with_ensemble, tmp_path)


def change(data, place, value):
    *folders, last = place
    for key in folders:
        data = data[key]
    if value is ABSENT:
        del data[last]
    else:
        data[last] = value


def test_rounding_leaves_the_ends_of_a_range_allowed(with_ensemble, tmp_path):
    with_ensemble["ensemble"]["assumptions"][ASSUMPTION] = [0.549999, 0.7, 1.000001]
    assert read(with_ensemble, tmp_path).ensemble.assumptions[ASSUMPTION][0] == 0.549999


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (
            ("targets", 0, "published"),
            "a",
            r"targets\[0\], published: found 'a'; allowed: a finite",
        ),
        (("targets", 0, "n"), 1.5, "n: found 1.5; allowed: a whole number or null"),
        (("targets", 0, "within"), 1, "within: found 1; allowed: true or false or null"),
        (("targets", 0, "z"), ABSENT, "z: missing"),
        (("targets", 0, "other"), 1, "found 'other'; allowed: id, study, "),
        (("targets",), "abc", "targets: found 'abc'; allowed: a list"),
        (("decomposition", 0, "crude"), "a", "crude: found 'a'; allowed: a finite number"),
        (("singular_values",), "abc", "singular_values: found 'abc'; allowed: a list"),
        (("singular_values", 0), "1", "singular_values: found '1'; allowed: finite numbers"),
        (("converged",), "no", "converged: found 'no'; allowed: true or false"),
        (("apart",), "abc", "apart: found 'abc'; allowed: a list"),
        (("apart",), [1], "apart: found 1; allowed: names"),
        (("verification",), 0, "not a readable calibration"),
        (("parameters", PARAMETER, "name"), "death_shape", f"parameter {PARAMETER}: found "),
        (("parameters", PARAMETER, "prior"), None, "prior: found None; allowed: a finite number"),
    ],
)
def test_a_damaged_record_is_refused(place, value, message, stored, tmp_path):
    change(stored, place, value)
    with pytest.raises(CalibrationError, match=rf"calibration\.json: .*{message}"):
        read(stored, tmp_path)


def test_a_second_record_of_a_parameter_is_refused(stored, tmp_path):
    row = {**stored["parameters"][PARAMETER], "value": 1.0}
    stored["parameters"]["zzz"] = row
    with pytest.raises(CalibrationError, match=f"parameter zzz: found '{PARAMETER}'"):
        read(stored, tmp_path)
    del stored["parameters"]["zzz"]
    stored["parameters"]["x/y"] = {**row, "study": "x", "name": "y"}
    with pytest.raises(CalibrationError, match="parameter x/y: unknown; allowed: shared/"):
        read(stored, tmp_path)


SHIPPED = resources.files("outcomes.synthetic") / "data" / "calibration.json"


def test_the_shipped_file_is_whole_and_of_the_shipped_evidence():
    data = json.loads(SHIPPED.read_text(encoding="utf-8"))
    assert data["evidence_hash"] == evidence_hash(load_evidence())
    assert shipped_calibration().ensemble.size == 200
    assert shipped_calibration().verification.cohorts == 1000


def test_an_outdated_shipped_file_loses_its_ensemble_and_verification(tmp_path):
    data = json.loads(SHIPPED.read_text(encoding="utf-8")) | {"evidence_hash": "0" * 64}
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    found = read_shipped(path, load_evidence())
    assert found.parameters == shipped_calibration().parameters
    assert found.ensemble is None
    assert found.verification is None


@pytest.mark.parametrize("months", [0.0, 60.5, 3000.0, 1e300])
def test_a_figure_beyond_the_simulated_months_is_named(months):
    evidence = load_evidence()
    name = "liu-2020/overall_survival_median/alone"
    figures = tuple(
        replace(figure, value=months) if figure.id == name else figure
        for figure in evidence.figures
    )
    with pytest.raises(CalibrationError, match=f"{name}.*allowed: above 0, up to"):
        calibrate(replace(evidence, figures=figures))
