"""Fitting, predicting and evaluating on the command line."""

import json
from pathlib import Path

import pandas as pd
import pytest

from outcomes.models import load_model


def test_fit_needs_only_the_endpoint_and_the_covariates(outcomes, folder, cohort):
    narrow = folder / "narrow.csv"
    table = pd.read_csv(cohort)[["os_months", "death", "kps", "age"]]
    table.assign(my_marker=table["age"] * 2).to_csv(narrow, index=False)
    done = outcomes(
        "fit",
        narrow,
        "--endpoint",
        "overall-survival",
        "--covariates",
        "kps,my_marker",
        "--out",
        folder / "narrow.model",
        "--json",
    )
    assert done.status == 0, done.stderr
    result = json.loads(done.stdout)
    rows = {row["covariate"]: row for row in result["coefficients"]}
    assert len(rows) == 2
    for row in rows.values():
        assert {"covariate", "log_hr", "se", "hr", "lower", "upper", "p"} <= set(row)
        assert row["lower"] < row["hr"] < row["upper"]


def test_predict_writes_a_row_for_each_patient_and_month(outcomes, folder, cohort, model):
    for ending in ("csv", "json", "parquet"):
        out = folder / f"prediction.{ending}"
        done = outcomes("predict", model, cohort, "--times", "3,12", "--out", out)
        assert done.status == 0, done.stderr
    table = pd.read_csv(folder / "prediction.csv")
    assert len(table) == 3_000
    assert table["probability"].between(table["lower"], table["upper"]).all()
    records = json.loads((folder / "prediction.json").read_text())
    assert records[0]["month"] == 3
    assert pd.read_parquet(folder / "prediction.parquet")["probability"].between(0, 1).all()


def test_evaluate_writes_metrics(outcomes, folder, cohort, model):
    out = folder / "metrics.json"
    done = outcomes("evaluate", model, cohort, "--out", out)
    assert done.status == 0, done.stderr
    metrics = json.loads(out.read_text())["overall-survival"]["cox"]
    assert 0.5 < metrics["c_index"]["value"] < 0.9
    assert metrics["c_index"]["lower"] < metrics["c_index"]["value"] < metrics["c_index"]["upper"]


def test_fit_prints_every_note(outcomes, folder):
    lesions, out = folder / "laufer.csv", folder / "laufer.model"
    outcomes("simulate", "--study", "laufer-2013", "-n", 300, "--out", lesions)
    table = pd.read_csv(lesions, dtype={"escc_grade": str}, keep_default_na=False)
    further = table.iloc[:40].assign(lesion=9)
    pd.concat([table, further]).to_csv(lesions, index=False)
    fit = ["fit", lesions, "--json", "--endpoint"]
    done = outcomes(*fit, "overall-survival", "--out", out)
    assert done.status == 0, done.stderr
    notes = json.loads(done.stdout)["notes"]
    assert [note for note in notes if note not in done.stderr] == []
    constant = [name for name, why in load_model(out).design_.omitted.items() if why]
    assert constant
    assert all(any(name in note for note in notes) for name in constant)
    patients = table["patient_id"].nunique()
    assert f"{340 - patients} further rows of the same patients are left out" in done.stderr
    assert json.loads(done.stdout)["n"] == patients
    done = outcomes(*fit, "local-control", "--out", folder / "laufer-lc.model")
    assert json.loads(done.stdout)["n"] == 340
    done = outcomes("evaluate", out, lesions, "--out", folder / "laufer.json")
    assert "further rows of the same patients are left out" in done.stderr


def test_months_are_sorted_and_each_is_taken_once(outcomes, folder, cohort, model):
    out = folder / "repeated.csv"
    done = outcomes("predict", model, cohort, "--times", "12,3,3.0,12", "--out", out)
    assert done.status == 0, done.stderr
    table = pd.read_csv(out)
    assert table["month"].tolist()[:3] == [3, 12, 3]
    assert set(table["series"]) == {"liu-2020"}


def test_a_damaged_model_file_is_status_3(outcomes, folder, model, cohort):
    damaged = Path(folder / "damaged.model")
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged.write_bytes(bytes(content))
    done = outcomes("predict", damaged, cohort, "--out", folder / "never.csv")
    done.refused(3, "damaged.model")
    assert not (folder / "never.csv").exists()


def test_a_fine_gray_model_is_fitted_stored_evaluated_and_asked(outcomes, folder, cohort):
    stored, metrics = folder / "fine.model", folder / "fine.json"
    done = outcomes(
        *("fit", cohort, "--endpoint", "local-control", "--model", "fine-gray"),
        *("--covariates", "kps,sbrt", "--out", stored, "--json"),
    )
    assert done.status == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["model"] == "fine-gray"
    assert {row["method"] for row in result["coefficients"]} == {"Fine-Gray", "cause-specific"}
    assert load_model(stored).kind == "fine-gray"
    done = outcomes("evaluate", stored, cohort, "--horizons", "6", "--out", metrics)
    assert done.status == 0, done.stderr
    assert json.loads(metrics.read_text())["local-control"]["fine-gray"]["c_index"]["value"] > 0.5


def test_predictions_given_survival_to_a_month(outcomes, folder, cohort, model):
    tables = {}
    for given in ("0", "6"):
        out = folder / f"given_{given}.csv"
        done = outcomes(
            "predict", model, cohort, "--times", "3,6,12", "--survived", given, "--out", out
        )
        assert done.status == 0, done.stderr
        tables[given] = pd.read_csv(out).pivot_table(
            index="patient_id", columns="month", values="probability", sort=False
        )
    assert "given no event by month 6" in done.stderr
    whole, later = tables["0"], tables["6"]
    assert (later[[3.0, 6.0]] == 1).all(axis=None)
    ratio = whole[12.0] / whole[6.0]
    assert (later[12.0] - ratio).abs().max() < 1e-9
    table = pd.read_csv(folder / "given_6.csv")
    assert table["probability"].between(table["lower"], table["upper"]).all()


def test_a_month_beyond_the_follow_up_cannot_be_given(outcomes, folder, cohort, model):
    out = folder / "beyond.csv"
    done = outcomes("predict", model, cohort, "--survived", "999", "--out", out)
    assert done.status == 3
    assert "month 999" in done.stderr
    assert not out.exists()
    done = outcomes("predict", model, cohort, "--survived", "-1", "--out", out)
    assert done.status == 2


def test_fit_takes_curves_products_and_sbrt_as_it_comes(outcomes, folder, cohort):
    common = ("--endpoint", "overall-survival", "--covariates", "kps,sbrt,separation_mm")
    done = outcomes(
        "fit", cohort, *common, "--separation", "spline", "--splines", "kps=3",
        "--interactions", "sbrt:kps", "--time-dependent", "--robust",
        "--out", folder / "curved.model", "--json",
    )  # fmt: skip
    assert done.status == 0, done.stderr
    assert json.loads(done.stdout)["covariates"] == [
        "kps", "kps'", "sbrt", "separation_mm", "separation_mm'", "separation_mm''",
        "sbrt:kps", "sbrt:kps'",
    ]  # fmt: skip
    out = folder / "curved.csv"
    done = outcomes("predict", folder / "curved.model", cohort, "--times", "12", "--out", out)
    assert done.status == 0, done.stderr
    assert pd.read_csv(out)["probability"].between(0, 1).all()


def test_fit_takes_a_column_of_clusters(outcomes, folder, cohort):
    common = ("fit", cohort, "--endpoint", "overall-survival", "--covariates", "kps", "--json")
    errors = {}
    for model in ("cox", "fine-gray"):
        for options in ((), ("--cluster-column", "kps")):
            asked = ("--model", model, *options, "--out", folder / "clustered.model")
            done = outcomes(*common, *asked)
            assert done.status == 0, done.stderr
            errors[model, options] = json.loads(done.stdout)["coefficients"][0]["se"]
    clustered = [error for (_, options), error in errors.items() if options]
    # Without competing events both are the same regression; without clusters Cox's is not robust.
    assert clustered[0] == pytest.approx(clustered[1], rel=1e-6)
    assert len({*errors.values()} - {*clustered}) == 2


def test_options_of_another_model_or_form_are_refused(outcomes, folder, cohort):
    common = ("fit", cohort, "--endpoint", "overall-survival", "--out", folder / "no.model")
    for options, message in (
        (("--model", "forest", "--robust"), "--robust: allowed with --model cox, not forest"),
        (("--model", "forest", "--cluster-column", "a"), "--cluster-column: allowed with"),
        (("--jobs", "0"), "jobs: found 0; allowed: 1, 2"),
        (("--splines", "kps=3,kps=4"), "--splines: found 'kps=3,kps=4'; allowed: each column once"),
        (("--splines", "kps"), "--splines: found 'kps'; allowed: columns and knots"),
        (("--interactions", "sbrt"), "--interactions: found 'sbrt'; allowed: pairs"),
    ):
        done = outcomes(*common, *options)
        assert done.status == 2
        assert message in done.stderr.replace("\n", " ")
    done = outcomes(*common, "--covariates", "kps", "--weights", "absent")
    assert done.status == 3
    assert "absent" in done.stderr
