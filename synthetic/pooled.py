"""The calibrated series together: the cohort that models are trained on."""

import numpy as np
import pandas as pd

from outcomes.errors import OutcomesError
from outcomes.schema import Cohort
from outcomes.synthetic.calibration import Calibration
from outcomes.synthetic.cohort import shipped_calibration, simulate, simulation_provenance
from outcomes.synthetic.series import Series

FEWEST = 200


def operated_size(series: Series) -> int:
    """Return the published number of patients (or lesions) of a series who were operated."""
    return round(sum(arm.size for arm in series.arms if arm.procedure != "none"))


def simulate_pooled(
    n: int, seed: int | np.random.Generator = 0, *, calibration: Calibration | None = None
) -> Cohort:
    """Draw operated patients of all series, in proportion to the published sizes.

    One row a patient: of several lesions the first. Patients who had SBRT alone are left out: they
    had no operation to count months from and no separation; so are series that borrow the hazards
    of another. Baseline hazards differ by series, so an analysis needs the column ``study``.

    Parameters
    ----------
    n
        Number of rows, at least 200.
    seed
        Seed, or a generator to spawn from.
    calibration
        Parameters; by default those that come with the package.

    Returns
    -------
    Cohort, n rows

    Raises
    ------
    OutcomesError
        If n is too small to give every series patients.
    """
    if n < FEWEST:
        raise OutcomesError(f"n: found {n}; allowed: at least {FEWEST} to fill every series")
    solved = shipped_calibration() if calibration is None else calibration
    designs = tuple(series for series in solved.series if not series.borrows)
    published = np.array([operated_size(series) for series in designs], dtype=np.float64)
    exact = n * published / published.sum()
    sizes = np.floor(exact).astype(int)
    sizes[np.argsort(sizes - exact, kind="stable")[: n - sizes.sum()]] += 1
    parts = [
        _draw_operated(series, int(size), child, solved)
        for series, size, child in zip(
            designs, sizes, np.random.default_rng(seed).spawn(len(designs)), strict=True
        )
    ]
    provenance = simulation_provenance(solved, "pooled", n, seed)
    return Cohort(pd.concat(parts, ignore_index=True), provenance=provenance)


def _draw_operated(
    series: Series, size: int, generator: np.random.Generator, calibration: Calibration
) -> pd.DataFrame:
    """Draw the operated rows of a series; the surplus drawn makes too few all but impossible."""
    share = operated_size(series) / series.size
    drawn = size if share == 1 else int(np.ceil(size / share * 1.8)) + 80
    cohort = simulate(series.study, drawn, generator, calibration=calibration)
    operated = cohort[cohort["procedure"] != "none"]
    if "lesion" in operated.columns:
        operated = operated[operated["lesion"] == 1].drop(columns="lesion")
    if len(operated) < size:
        raise OutcomesError(f"{series.study}: drew {len(operated)} operated patients of {size}")
    return operated.iloc[:size]
