"""Scores against scikit-survival and lifelines on the data sets they ship."""

import numpy as np
import pytest
from lifelines.datasets import load_larynx, load_rossi
from lifelines.utils import concordance_index
from sksurv.datasets import load_gbsg2, load_veterans_lung_cancer, load_whas500
from sksurv.metrics import (
    brier_score,
    concordance_index_censored,
    concordance_index_ipcw,
    cumulative_dynamic_auc,
    integrated_brier_score,
)
from sksurv.util import Surv

from outcomes.models.concordance import concordance, harrell_concordance, uno_concordance
from outcomes.models.ipcw import estimate_censoring
from outcomes.models.risk_scores import score_risks
from outcomes.models.scores import brier_scores, integrate


def gbsg2():
    X, y = load_gbsg2()
    return y["time"] / 30.4375, y["cens"], X["pnodes"].to_numpy() + 0.5


def whas500():
    X, y = load_whas500()
    return y["lenfol"] / 30.4375, y["fstat"], X["age"].to_numpy() / 20.0


def veterans():
    X, y = load_veterans_lung_cancer()
    return (
        y["Survival_in_days"] / 30.4375,
        y["Status"],
        (110 - X["Karnofsky_score"]).to_numpy() / 20,
    )


def rossi():
    data = load_rossi()
    return data["week"].to_numpy() * 1.0, data["arrest"].to_numpy() == 1, data["prio"] * 1.0 + 0.1


def larynx():
    data = load_larynx()
    return (
        data["time"].to_numpy(),
        data["death"].to_numpy() == 1,
        data["Stage_IV"] + data["age"] / 80,
    )


DATA = [gbsg2, whas500, veterans, rossi, larynx]


@pytest.fixture(params=DATA, ids=lambda load: load.__name__)
def patients(request):
    time, event, score = request.param()
    return np.asarray(time, dtype=float), np.asarray(event, dtype=bool), np.asarray(score)


def separate(time):
    """Return times without ties: packages differ in events and censorings at one time."""
    return time + np.arange(len(time)) * 1e-7


def test_harrell_equals_scikit_survival_and_lifelines(patients):
    time, event, score = patients
    time = separate(time)
    found = concordance(time, event.astype(np.int64), score)
    value, concordant, discordant, tied, _ = concordance_index_censored(event, time, score, 0.0)
    assert found == pytest.approx(value, abs=1e-12)
    counts = harrell_concordance(time, event.astype(np.int64), score)
    assert (counts.concordant, counts.discordant, counts.tied_score) == (
        concordant, discordant, tied,
    )  # fmt: skip
    assert found == pytest.approx(concordance_index(time, -score, event), abs=1e-12)


def test_uno_equals_scikit_survival(patients):
    time, event, score = patients
    time = separate(time)
    y = Surv.from_arrays(event, time)
    tau = float(np.quantile(time[event], 0.9))
    found = uno_concordance(time, event.astype(np.int64), score, horizon=tau)
    expected = concordance_index_ipcw(y, y, score, tau=tau, tied_tol=0.0)[0]
    assert found.value == pytest.approx(expected, abs=1e-10)


def test_brier_and_auc_equal_scikit_survival(patients):
    time, event, score = patients
    time = separate(time)
    y = Surv.from_arrays(event, time)
    codes = event.astype(np.int64)
    months = np.unique(np.quantile(time[event], np.linspace(0.1, 0.9, 9)) + 1e-9)
    hazard = months / np.median(time) * 0.3
    risk = 1 - np.exp(-hazard[None, :] * score[:, None] / score.mean())
    found = score_risks(time, codes, risk, months)
    np.testing.assert_allclose(found.brier.value, brier_score(y, y, 1 - risk, months)[1], rtol=1e-9)
    np.testing.assert_allclose(
        found.auc.value, cumulative_dynamic_auc(y, y, score, months)[0], atol=1e-10
    )
    censoring = estimate_censoring(time, codes)
    everyone = np.ones(risk.shape, dtype=bool)
    scores = brier_scores(risk, months, everyone, censoring, np.ones((len(time), 1)))
    assert integrate(scores, months)[0] == pytest.approx(
        integrated_brier_score(y, y, 1 - risk, months), rel=1e-9
    )


def test_where_scikit_survival_gives_an_error_the_months_are_clipped(patients):
    time, event, score = patients
    y = Surv.from_arrays(event, time)
    months = np.array([float(np.median(time[event])), float(time.max()) + 1.0])
    with pytest.raises(ValueError, match="time"):
        brier_score(y, y, np.ones((len(time), 2)), months)
    found = score_risks(time, event.astype(np.int64), np.full((len(time), 2), 0.5), months)
    assert list(found.months) == [months[0]]
    assert "used" in found.notes[0]
    assert len(score) == found.n
