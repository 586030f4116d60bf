import numpy as np
import pandas as pd
import pytest


def make_cohort(n=400, seed=1, log_hazard_ratio=-0.4):
    """Two series with an illness, death and a treatment given by coin."""
    random = np.random.default_rng(seed)
    sbrt = random.random(n) < 0.5
    kps = random.choice([50, 60, 70, 80, 90], n)
    series = random.choice(["liu-2020", "gong-2021"], n)
    base = np.where(series == "liu-2020", 0.03, 0.06)
    hazard = base * np.exp(log_hazard_ratio * sbrt - 0.025 * (kps - 70))
    death = random.exponential(1 / hazard)
    progression = random.exponential(1 / (0.03 * np.exp(-0.5 * sbrt)))
    end = np.concatenate([np.full(20, 60.0), random.uniform(12, 60, n - 20)])
    random.shuffle(end)
    last = np.minimum(death, end)
    return pd.DataFrame(
        {
            "study": series,
            "sbrt": sbrt,
            "kps": kps,
            "neurologic_deficit": random.random(n) < 0.4,
            "separation_mm": random.uniform(1, 6, n),
            "sbrt_start_months": np.where(sbrt, random.uniform(0.4, 1.3, n), np.nan),
            "os_months": last,
            "death": (death <= end).astype(int),
            "lp_months": np.minimum(progression, last),
            "lp_event": np.where(progression < last, 1, np.where(death <= end, 2, 0)),
        }
    )


@pytest.fixture
def cohort():
    return make_cohort()
