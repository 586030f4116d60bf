import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

# Log hazard ratios of the simple cohort below, by cause and design column.
TRUE_DEATH = {"kps": -0.025, "neurologic_deficit": 0.5, "sbrt": -0.4}
TRUE_PROGRESSION = {
    "sbrt": -0.8,
    "dose_regimen=hypofractionated_high": -0.9,
    "separation_mm < 3": 0.7,
}


def simulate(n: int, seed: int = 0) -> pd.DataFrame:
    """Three series with Weibull hazards of shape 1, different baselines and follow-up."""
    rng = np.random.default_rng(seed)
    study = rng.choice(["amber", "birch", "cedar"], n, p=[0.5, 0.3, 0.2])
    sbrt = rng.random(n) < 0.6
    regimens = ["single_24", "hypofractionated_high", "hypofractionated_low"]
    cohort = pd.DataFrame(
        {
            "patient_id": [f"p{k}" for k in range(n)],
            "study": study,
            "kps": rng.choice(np.arange(40, 101, 10), n),
            "dose_regimen": np.where(sbrt, rng.choice(regimens, n), "none"),
            "sbrt": sbrt,
            "separation_mm": np.round(rng.gamma(4.0, 1.0, n), 1),
        }
    )
    for name, share in (
        ("neurologic_deficit", 0.4),
        ("progressive_systemic_disease", 0.5),
        ("systemic_therapy_after", 0.5),
        ("embolization", 0.2),
        ("complication", 0.2),
    ):
        cohort[name] = rng.random(n) < share
    base = np.select([study == "amber", study == "birch"], [0.08, 0.03], 0.05)
    death = base * np.exp(
        TRUE_DEATH["kps"] * (cohort["kps"] - 70)
        + TRUE_DEATH["neurologic_deficit"] * cohort["neurologic_deficit"]
        + TRUE_DEATH["sbrt"] * sbrt
    )
    progression = 0.03 * np.exp(
        TRUE_PROGRESSION["sbrt"] * sbrt
        + TRUE_PROGRESSION["dose_regimen=hypofractionated_high"]
        * (cohort["dose_regimen"] == "hypofractionated_high")
        + TRUE_PROGRESSION["separation_mm < 3"] * (cohort["separation_mm"] < 3)
    )
    died = rng.exponential(1.0, n) / death.to_numpy()
    progressed = rng.exponential(1.0, n) / progression.to_numpy()
    followed = np.select(
        [study == "amber", study == "birch"],
        [rng.uniform(2, 30, n), rng.uniform(9, 47, n)],
        rng.uniform(2, 14, n),
    )
    cohort["os_months"] = np.minimum(died, followed)
    cohort["death"] = (died <= followed).astype(int)
    first = np.minimum(died, progressed)
    cohort["lp_months"] = np.minimum(first, followed)
    cohort["lp_event"] = np.where(first > followed, 0, np.where(progressed < died, 1, 2))
    return cohort


def death_risk(cohort: pd.DataFrame, months: list[float]) -> np.ndarray:
    """Return the true risk of death by each month, shape (n, n_months)."""
    base = cohort["study"].map({"amber": 0.08, "birch": 0.03, "cedar": 0.05}).to_numpy()
    hazard = base * np.exp(
        TRUE_DEATH["kps"] * (cohort["kps"] - 70)
        + TRUE_DEATH["neurologic_deficit"] * cohort["neurologic_deficit"]
        + TRUE_DEATH["sbrt"] * cohort["sbrt"]
    )
    return 1 - np.exp(-hazard.to_numpy()[:, None] * np.asarray(months)[None, :])


@pytest.fixture(scope="session")
def make_cohort() -> Callable[..., pd.DataFrame]:
    return simulate


@pytest.fixture(scope="session")
def true_death_risk() -> Callable[..., np.ndarray]:
    return death_risk


@pytest.fixture(scope="session")
def effects() -> dict[str, dict[str, float]]:
    return {"death": TRUE_DEATH, "progression": TRUE_PROGRESSION}


@pytest.fixture(scope="session")
def cohort() -> pd.DataFrame:
    return simulate(400)


@pytest.fixture(scope="session")
def reference() -> dict[str, Any]:
    path = Path(__file__).parents[1] / "reference" / "models.json"
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded
