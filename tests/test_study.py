"""The main job: every file there, every number sound, the same bytes twice."""

import dataclasses
import json
import math

import pandas as pd
import pytest

from outcomes import study
from outcomes.comparison import COMPARISON_FILES
from outcomes.errors import OutcomesError
from outcomes.models import load_model
from outcomes.synthetic import shipped_calibration
from outcomes.synthetic.ensemble import Ensemble
from outcomes.synthetic.verification import Verification

PAGES = ("index", "evidence", "calibration", "cohort", "models", "comparison", "calculator")
DATA = (
    "cohort.parquet",
    "comparison-cohort.parquet",
    "evidence.json",
    "calibration.json",
    "metrics.json",
    "model-comparison.json",
    *(name for name, _ in COMPARISON_FILES),
    "provenance.json",
)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "demo"
    first = study.run(folder, n=800, seed=1)
    assert first == folder / "index.html"
    return folder


def read(result, name):
    return json.loads((result / "data" / name).read_text(encoding="utf-8"))


def test_every_file_is_there(result):
    for page in PAGES:
        assert (result / f"{page}.html").stat().st_size > 10_000
    for name in DATA:
        assert (result / "data" / name).exists()
    assert len(list((result / "data" / "models").iterdir())) == 4


def test_every_page_says_first_that_patients_are_synthetic(result):
    for page in PAGES:
        text = (result / f"{page}.html").read_text(encoding="utf-8")
        body = text[text.index("<body") :]
        assert "synthetic" in body[:6_000].lower(), page


def test_metrics_hold_what_the_contract_names(result):
    metrics = read(result, "metrics.json")
    for endpoint in ("overall-survival", "local-control"):
        for kind in ("cox", "forest"):
            found = metrics[endpoint][kind]
            for name in (
                "c_index",
                "c_index_ipcw",
                "integrated_brier_score",
                "brier_null",
                "calibration_slope",
                "calibration_in_the_large",
            ):
                estimate = found[name]
                assert estimate["lower"] <= estimate["value"] <= estimate["upper"], (kind, name)
            assert set(found["auc"]) == {"3", "6", "12", "24"}
            assert found["c_index"]["value"] > 0.55
            assert found["integrated_brier_score"]["value"] < found["brier_null"]["value"] + 0.01
            errors = found["truth"]["mean_absolute_error"]
            assert all(0 < error < 0.2 for error in errors.values())


def test_models_and_no_model_stand_side_by_side(result):
    metrics, compared = read(result, "metrics.json"), read(result, "model-comparison.json")
    for endpoint in ("overall-survival", "local-control"):
        table = pd.DataFrame(compared[endpoint]["table"])
        values = table.set_index(["model", "measure"])["value"]
        assert set(table["model"]) == {"cox", "forest", "kaplan-meier"}
        differences = pd.DataFrame(compared[endpoint]["differences"])
        rows = differences[differences["measure"] == "integrated_brier_score"]
        assert len(rows) == 3
        for row in rows.to_dict("records"):
            first, second = (values[row[name], row["measure"]] for name in ("model", "reference"))
            assert row["difference"] == pytest.approx(first - second, abs=1e-8)
            assert row["lower"] <= row["difference"] <= row["upper"]
        for kind in ("cox", "forest"):
            for measure in ("c_index", "integrated_brier_score", "observed_expected_ratio"):
                assert values[kind, measure] == metrics[endpoint][kind][measure]["value"]


def test_the_truth_stands_beside_every_effect(result):
    rungs = read(result, "comparison.json")
    effects = [rung for rung in rungs if rung["estimand"] in ("risk_difference", "hazard_ratio")]
    assert len(effects) >= 8
    for rung in effects:
        assert rung["truth"] is not None
        assert rung["value"] is None or math.isfinite(rung["value"])


def test_calibration_file_is_complete(result):
    calibration = read(result, "calibration.json")
    assert calibration["converged"] is True
    keys = {"id", "study", "quantity", "role", "published", "achieved", "unit", "n", "z", "within"}
    for target in calibration["targets"]:
        assert keys <= set(target)
        assert target["within"] or target["tension"]


def test_every_page_has_its_numbers_as_json(result):
    for page in PAGES:
        numbers = read(result, f"pages/{page}.json")
        assert numbers["sections"]


def test_stored_models_predict(result):
    cohort = pd.read_parquet(result / "data" / "cohort.parquet")
    for path in (result / "data" / "models").iterdir():
        risk = load_model(path).predict_survival(cohort.head(5), [6.0, 12.0])
        assert ((risk > 0) & (risk < 1)).all()


@pytest.mark.long
def test_same_seed_same_bytes(result, tmp_path):
    study.run(tmp_path / "again", n=800, seed=1)
    for path in sorted(result.rglob("*")):
        if path.is_file():
            other = tmp_path / "again" / path.relative_to(result)
            assert path.read_bytes() == other.read_bytes(), path.name


def test_an_existing_folder_is_kept(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")
    with pytest.raises(OutcomesError, match="already there"):
        study.run(tmp_path / "mine")
    assert (tmp_path / "mine" / "notes.txt").read_text() == "keep me"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OutcomesError("stopped")

    monkeypatch.setattr(study, "calibrate", fail)
    with pytest.raises(OutcomesError, match="stopped"):
        study.run(tmp_path / "never")
    assert list(tmp_path.iterdir()) == []


def test_the_shipped_uncertainty_goes_with_the_shipped_evidence_only(monkeypatch):
    shipped = shipped_calibration()
    ensemble = Ensemble(1, 0, {}, {}, ())
    verification = Verification(1, 0, (), ())
    whole = dataclasses.replace(shipped, ensemble=ensemble, verification=verification)
    fresh = dataclasses.replace(shipped, ensemble=None, verification=None)
    monkeypatch.setattr(study, "shipped_calibration", lambda: whole)
    taken = study.with_shipped(fresh)
    assert taken.ensemble is ensemble
    assert taken.verification is verification
    evidence = dataclasses.replace(fresh.evidence, assumptions=fresh.evidence.assumptions[1:])
    other = dataclasses.replace(fresh, evidence=evidence)
    assert study.with_shipped(other) is other
