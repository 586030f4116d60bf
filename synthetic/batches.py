"""Cohorts of one size drawn many together, which is faster than one by one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes.parallel import spawn_seeds
from outcomes.synthetic.calibration import Calibration
from outcomes.synthetic.cohort import simulate

BATCH_ROWS = 20_000


@dataclass(frozen=True)
class Batch:
    """Cohorts that are drawn together.

    Attributes
    ----------
    study
        Series.
    cohorts, rows
        Number of cohorts, and rows of each.
    seed
        Seed of the batch.
    """

    study: str
    cohorts: int
    rows: int
    seed: np.random.SeedSequence


def make_batches(
    study: str, cohorts: int, rows: int, seed: int | np.random.SeedSequence
) -> list[Batch]:
    """Return batches that hold a number of cohorts, each batch with a seed of its own."""
    at_once = max(1, BATCH_ROWS // rows)
    sizes = [min(at_once, cohorts - start) for start in range(0, cohorts, at_once)]
    seeds = spawn_seeds(seed, len(sizes))
    return [Batch(study, size, rows, one) for size, one in zip(sizes, seeds, strict=True)]


def draw_batch(batch: Batch, calibration: Calibration) -> Iterator[pd.DataFrame]:
    """Yield the cohorts of a batch; a patient's lesions never belong to two of them."""
    generator = np.random.default_rng(batch.seed)
    total = batch.cohorts * batch.rows
    table = pd.DataFrame(simulate(batch.study, total, generator, calibration=calibration))
    for start in range(0, total, batch.rows):
        cohort = table.iloc[start : start + batch.rows]
        second = "lesion" in cohort.columns and cohort["lesion"].iloc[0] > 1
        yield cohort.iloc[1:] if second else cohort
