"""Which patients a covariate can be changed in, and what has to change with it.

A patient who cannot exist says nothing of a model: one with SBRT and no regimen, or with a distance
of separation and no separation procedure.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray


def applies_to(table: pd.DataFrame, name: str, covariates: Collection[str]) -> BoolArray:
    """Return in whom a covariate can take another patient's value, shape (n,).

    `dose_regimen` in those with SBRT, where `sbrt` is a covariate of its own; `separation_mm` in
    those with a separation procedure; any other in all.
    """
    if name == "dose_regimen" and "sbrt" in covariates:
        return np.asarray((table["dose_regimen"].astype(str) != "none").to_numpy(), dtype=np.bool_)
    if name == "separation_mm" and "procedure" in table.columns:
        return np.asarray((table["procedure"].astype(object) != "none").to_numpy(), dtype=np.bool_)
    return np.ones(len(table), dtype=np.bool_)


def moves_with(name: str, covariates: Collection[str]) -> tuple[str, ...]:
    """Return the columns that change with a covariate: itself, and with `sbrt` its regimen."""
    both = name == "sbrt" and "dose_regimen" in covariates
    return (name, "dose_regimen") if both else (name,)
