"""What is given is read, and refused, alike by Cox and Fine-Gray regression."""

import numpy as np
import pandas as pd
import pytest

from outcomes.cox import fit_cox, fit_fine_gray, with_robust_covariance
from outcomes.cox.inputs import as_numbers, read_labels
from outcomes.errors import OutcomesError

GOOD = {
    "covariates": [[1.0], [0.0], [3.0], [2.0], [2.5]],
    "time": [1, 2, 3, 4, 5],
    "event": [1, 1, 0, 1, 1],
}


def robust_cox(*, cluster=None, **options):
    fit = fit_cox(**options)
    return fit if cluster is None else with_robust_covariance(fit, cluster)


@pytest.mark.parametrize("fit", [robust_cox, fit_fine_gray])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time": ["x", 2, 3, 4, 5]}, r"time of row 1: found 'x'; allowed: "),
        ({"time": [1, None, 3, 4, 5]}, r"time of row 2: found nan; allowed: months since surgery"),
        ({"time": [[1], [2, 3]]}, r"time: found sequences of several lengths"),
        (
            {"time": pd.date_range("2020", periods=5)},
            r"time of row 1: found .*; allowed: ",
        ),
        ({"weights": [1, 2, "many", 4, 5]}, r"weights of row 3: found 'many'; allowed: a finite"),
        ({"weights": [1, 2, -1, 4, 5]}, r"weights of row 3: found -1; allowed: a finite number of"),
        ({"weights": [1, pd.NA, 1, 4, 5]}, r"weights of row 2: found nan; allowed: a finite"),
        ({"weights": 2}, r"weights: found shape \(\); allowed: one for each of 5 rows"),
        ({"strata": [1, 2]}, r"strata: found shape \(2,\); allowed: one for each of 5 rows"),
        ({"strata": ["a", None, "a", "b", "b"]}, r"strata of row 2: missing; allowed: a name or"),
        ({"strata": [1, 1, "b", 1, 1]}, r"strata of row 3: found 'b'; allowed: labels of one type"),
        ({"cluster": 3}, r"cluster: found shape \(\); allowed: one for each of 5 rows"),
        ({"cluster": pd.array([1, None, 2, 3, 4], "Int64")}, r"cluster of row 2: missing"),
        ({"cluster": [1] * 5}, r"cluster: found one; robust standard errors need at least two"),
    ],
)
def test_both_refuse_alike(fit, options, message):
    with pytest.raises(OutcomesError, match="^" + message):
        fit(**GOOD | options)


@pytest.mark.parametrize("fit", [robust_cox, fit_fine_gray])
def test_both_read_alike(fit):
    plain = fit(**GOOD, weights=[1, 2, 1, 1, 2], cluster=["a", "b", "a", "b", "c"])
    frame = pd.DataFrame({"time": [1, 2, 3, 4, 5], "weights": [1, 2, 1, 1, 2]})
    other = fit(
        covariates=GOOD["covariates"],
        time=frame["time"].astype("Int64"),
        event=GOOD["event"],
        weights=frame["weights"].astype(object),
        cluster=pd.Categorical(["a", "b", "a", "b", "c"]),
    )
    np.testing.assert_array_equal(other.coefficients, plain.coefficients)
    np.testing.assert_array_equal(other.covariance, plain.covariance)


def test_labels_and_numbers_by_hand():
    names, codes = read_labels(["b", "a", "b"], "strata", 3)
    assert names.tolist() == ["a", "b"]
    assert codes.tolist() == [1, 0, 1]
    assert read_labels(np.array([2.5, 1, 2.5]), "strata", 3)[1].tolist() == [1, 0, 1]
    np.testing.assert_array_equal(as_numbers([True, 2, None], "x"), [1, 2, np.nan])
    assert as_numbers([], "x").shape == (0,)
