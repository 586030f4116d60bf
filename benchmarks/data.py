"""Simulated patients that every package is timed on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from outcomes.arrays import FloatArray, IntArray

COVARIATES = 12
SEED = 20221


@dataclass(frozen=True, eq=False)
class Patients:
    """Covariates, months and event codes.

    Attributes
    ----------
    covariates
        Shape (n, COVARIATES): six normal, three binary, three of a few levels.
    time
        Months, continuous.
    code
        0 censored (about two in five), 1 the event, 2 a competing one.
    """

    covariates: FloatArray
    time: FloatArray
    code: IntArray

    @property
    def table(self) -> pd.DataFrame:
        """The patients as a table: x1, x2, …, time, code, event (of either kind)."""
        names = [f"x{k + 1}" for k in range(self.covariates.shape[1])]
        table = pd.DataFrame(self.covariates, columns=names)
        return table.assign(time=self.time, code=self.code, event=(self.code > 0).astype(int))


def make_patients(n: int, *, round_to: float | None = None) -> Patients:
    """Draw patients with Weibull hazards, proportional in the covariates.

    Parameters
    ----------
    n
        Number of patients.
    round_to
        Months to which times are rounded up; None for continuous times.
    """
    generator = np.random.default_rng(SEED)
    covariates = np.column_stack(
        [
            generator.normal(size=(n, 6)),
            generator.random((n, 3)) < [0.2, 0.4, 0.6],
            generator.integers(0, 6, (n, 3)) / 5,
        ]
    ).astype(np.float64)
    effect = np.array([0.4, -0.3, 0.2, 0.1, 0.0, 0.0, 0.5, -0.4, 0.0, 0.3, 0.0, 0.0])
    unit = generator.exponential(size=(n, 2))
    relative = np.exp(covariates @ effect)
    event = 12 * (unit[:, 0] / relative) ** (1 / 1.2)
    competing = 30 * unit[:, 1]
    censored = generator.uniform(1, 30, n)
    times = np.column_stack([censored, event, competing])
    time = times.min(axis=1)
    if round_to is not None:
        time = np.ceil(time / round_to) * round_to
    return Patients(covariates, time, times.argmin(axis=1).astype(np.int64))


def write_patients(patients: Patients, path: Path) -> None:
    """Write the patients for R, all digits."""
    patients.table.to_csv(path, index=False)
