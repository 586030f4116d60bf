"""The coding of covariates, on tables small enough to read."""

import json

import numpy as np
import pandas as pd
import pytest

from outcomes.errors import ModelError
from outcomes.models.coding import learn_design
from outcomes.models.design import Design


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kps": [70, 90, 40, 70, 60, 80],
            "sbrt": [True, True, False, True, False, True],
            "dose_regimen": [
                "hypofractionated_low",
                "single_24",
                "none",
                "hypofractionated_high",
                "none",
                "hypofractionated_low",
            ],
            "separation_mm": [2.0, 5.0, 3.0, 1.5, 4.0, 2.5],
            "embolization": [True, False, True, False, False, False],
        }
    )


def test_the_matrix_by_hand():
    design = learn_design(
        table(), ["kps", "sbrt", "dose_regimen", "separation_mm"], identifiable=False
    )
    assert design.names == (
        "kps",
        "sbrt",
        "dose_regimen=hypofractionated_high",
        "dose_regimen=single_24",
        "separation_mm < 3",
    )
    expected = [
        [0, 1, 0, 0, 1],
        [20, 1, 0, 1, 0],
        [-30, 0, 0, 0, 0],
        [0, 1, 1, 0, 1],
        [-10, 0, 0, 0, 0],
        [10, 1, 0, 0, 1],
    ]
    np.testing.assert_array_equal(design.matrix(table()), expected)
    assert all(design.labels)


def test_distance_in_mm():
    design = learn_design(table(), ["separation_mm"], separation="linear")
    np.testing.assert_allclose(design.matrix(table())[:, 0], [-1, 2, 0, -1.5, 1, -0.5])


def test_patients_without_a_procedure_have_a_column_of_their_own():
    data = table().assign(procedure=["separation"] * 4 + ["none"] * 2)
    data.loc[4:, "separation_mm"] = np.nan
    design = learn_design(data, ["separation_mm"])
    assert design.names == ("separation_mm < 3", "procedure=none")
    np.testing.assert_array_equal(design.matrix(data)[:, 0], [1, 0, 0, 1, 0, 0])
    np.testing.assert_array_equal(design.matrix(data)[:, 1], [0, 0, 0, 0, 1, 1])
    np.testing.assert_array_equal(design.matrix(table())[:, 1], 0)
    with pytest.raises(ModelError, match="rows 5, 6 had no separation procedure"):
        learn_design(table(), ["separation_mm"]).matrix(data)
    data.loc[0, "separation_mm"] = np.nan
    with pytest.raises(ModelError, match="missing in row 1; allowed only where procedure"):
        design.matrix(data)


def test_a_series_without_procedures_is_absorbed_by_its_stratum():
    data = table().assign(procedure=["separation"] * 4 + ["none"] * 2)
    data.loc[4:, "separation_mm"] = np.nan
    groups = ["a"] * 4 + ["b"] * 2
    design = learn_design(data[["separation_mm", "procedure"]], groups=groups)
    assert design.names == ("separation_mm < 3",)
    assert design.matrix(data).shape == (6, 1)


def test_defaults_that_do_not_vary_are_left_out_and_named():
    data = table().assign(embolization=False)
    design = learn_design(data, identifiable=False)
    assert design.omitted["embolization"] == "constant"
    assert design.omitted["complication"] == "not in the table"
    assert "embolization" not in design.names


def test_a_regimen_against_sbrt_is_refused():
    design = learn_design(table(), ["sbrt", "dose_regimen"])
    wrong = table().assign(sbrt=[True, True, True, True, False, False])
    with pytest.raises(ModelError, match="dose_regimen contradicts sbrt in rows 3, 6"):
        design.matrix(wrong)


def test_a_model_of_treated_patients_says_nothing_of_others():
    treated = table()[table()["sbrt"]]
    design = learn_design(treated, identifiable=False)
    assert "sbrt" not in design.names
    assert "dose_regimen=single_24" in design.names
    other = table()
    other.loc[~other["sbrt"], "dose_regimen"] = "none"
    with pytest.raises(ModelError, match=r"sbrt was true in all training patients.*rows 3, 5"):
        design.matrix(other)


def test_regimen_alone_is_an_ordinary_category():
    design = learn_design(table(), ["dose_regimen"])
    assert design.names == (
        "dose_regimen=hypofractionated_low",
        "dose_regimen=hypofractionated_high",
        "dose_regimen=single_24",
    )


def test_other_columns():
    data = table().assign(
        tumour=["lung", "breast", "lung", "renal", "lung", "breast"], age=range(6)
    )
    design = learn_design(data, ["tumour", "age", "embolization"])
    assert design.names == ("tumour=breast", "tumour=renal", "age", "embolization")
    with pytest.raises(ModelError, match="tumour: found 'liver'; allowed: lung, breast, renal"):
        design.matrix(data.replace("renal", "liver"))


def test_booleans_in_any_dress():
    design = learn_design(table(), ["embolization"])
    plain = design.matrix(table())
    for dress in (
        table()["embolization"].astype(int),
        table()["embolization"].astype("boolean"),
        table()["embolization"].astype(object),
        table()["embolization"].map({True: "true", False: "False"}),
    ):
        np.testing.assert_array_equal(design.matrix(table().assign(embolization=dress)), plain)


def test_a_design_survives_json():
    design = learn_design(table(), identifiable=False)
    again = Design.from_dict(json.loads(json.dumps(design.to_dict())))
    assert again == design
    np.testing.assert_array_equal(again.matrix(table()), design.matrix(table()))
