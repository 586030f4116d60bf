"""Cox regression finds the hazard ratios that were put in.

Death is taken without local progression: progression itself raises the hazard of death, so only
there are the covariates' hazards proportional.
"""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from outcomes.endpoints import LOCAL_CONTROL
from outcomes.models import CoxModel
from outcomes.synthetic import shipped_calibration, simulate
from outcomes.synthetic.truth import log_hazard_ratios

SIZE = 30_000
DEATH = (
    "neurologic_deficit",
    "progressive_systemic_disease",
    "systemic_therapy_after",
    "embolization",
    "complication",
)
NULLS = ("radiosensitive", "female", "high_grade", "aggressive")


@pytest.fixture(scope="module")
def truth():
    calibration = shipped_calibration()
    return log_hazard_ratios(calibration.effects, calibration.evidence)


@pytest.fixture(scope="module")
def fitted():
    cohort = pd.DataFrame(simulate("laufer-2013", SIZE, seed=12))
    cohort["female"] = cohort["sex"] == "female"
    cohort["high_grade"] = cohort["escc_grade"].isin(["2", "3"])
    cohort["aggressive"] = cohort["resection"] == "aggressive"
    # Fewer distinct times make lifelines fast; an hour more or less changes nothing.
    for column in ("lp_months", "os_months"):
        cohort[column] = np.ceil(cohort[column] * 50) / 50
    model = CoxModel(
        endpoint=LOCAL_CONTROL.name,
        covariates=["kps", *DEATH, "dose_regimen", "separation_mm", *NULLS],
    ).fit(cohort)
    return model.summary_.set_index(["event", "covariate"])


def recovered(row, true):
    return abs(row["log_hr"] - true) < 3 * row["se"]


def row_of(summary, event, start):
    name = LOCAL_CONTROL.events[event]
    rows = [index for index in summary.index if index[0] == name and index[1].startswith(start)]
    assert len(rows) == 1, (event, start, list(summary.index))
    return summary.loc[rows[0]]


@pytest.mark.parametrize("factor", DEATH)
def test_effects_on_death(fitted, truth, factor):
    assert recovered(row_of(fitted, 2, factor), truth["overall-survival"][factor])


def test_effect_of_the_karnofsky_score_on_death(fitted, truth):
    assert recovered(row_of(fitted, 2, "kps"), truth["overall-survival"]["kps_per_10"] / 10)


@pytest.mark.parametrize(
    ("start", "effect"),
    [
        ("dose_regimen=single_24", "single_24"),
        ("dose_regimen=hypofractionated_high", "hypofractionated_high"),
        ("separation_mm", "below_3mm"),
    ],
)
def test_effects_on_local_progression(fitted, truth, start, effect):
    assert recovered(row_of(fitted, 1, start), truth["local-control"][effect])


@pytest.mark.parametrize("event", [1, 2])
@pytest.mark.parametrize("null", NULLS)
def test_published_nulls_are_null(fitted, event, null):
    assert recovered(row_of(fitted, event, null), 0.0)


@pytest.mark.parametrize("event", [1, 2])
def test_sbrt_as_a_treatment_that_starts_later(truth, event):
    """Episodes before and after the start of SBRT, adjusted for why it was given."""
    cohort = pd.DataFrame(simulate("liu-2020", SIZE // 2, seed=13))
    start = cohort["sbrt_start_months"].to_numpy()
    end = cohort["lp_months"].to_numpy()
    happened = (cohort["lp_event"] == event).to_numpy()
    confounders = cohort[["kps", *DEATH]].astype(float).assign(kps=cohort["kps"] / 10)
    if event == 1:
        confounders["below"] = (cohort["separation_mm"] < 3).astype(float)
    regimens = ("single_24", "hypofractionated_high", "hypofractionated_low")
    switched = cohort["sbrt"].to_numpy() & (start < end)
    before = confounders.assign(
        entry=0.0,
        exit=np.where(switched, start, end),
        event=happened & ~switched,
        **dict.fromkeys(regimens, 0.0),
    )
    after = confounders.assign(
        entry=start,
        exit=end,
        event=happened,
        **{name: (cohort["dose_regimen"] == name).astype(float) for name in regimens},
    )[switched]
    episodes = pd.concat([before, after], ignore_index=True)
    episodes["exit"] = np.ceil(episodes["exit"] * 20) / 20 + 0.005
    treated = ["sbrt"] if event == 2 else list(regimens)
    if event == 2:
        episodes["sbrt"] = episodes[list(regimens)].sum(axis=1)
        episodes = episodes.drop(columns=list(regimens))
    fit = CoxPHFitter().fit(episodes, "exit", "event", entry_col="entry")
    log_hr, se = fit.params_, fit.standard_errors_
    if event == 2:
        expected = {"sbrt": truth["overall-survival"]["sbrt"]}
    else:
        local = truth["local-control"]
        expected = {name: local.get(name, 0.0) - local["no_sbrt"] for name in regimens}
    for name in treated:
        assert abs(log_hr[name] - expected[name]) < 3 * se[name], name
