"""The forest's own bins as another package's input, and that package's scores."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.ours import forest_scores, forest_split
from benchmarks.timing import Timing
from outcomes.models.grid import learn_grid

TIMES, BINS = 60, 32


def write_binned(path: Path, n: int, run: Callable[[], Timing]) -> Timing:
    """Write training and test patients binned as our forest bins them, run, and score the result.

    Parameters
    ----------
    path
        Where the patients go; the predictions are read from beside it.
    n
        Training patients.
    run
        Times the other package.
    """
    train, test = forest_split(n)
    names = [name for name in train.columns if name.startswith("x")]
    event_times = train.loc[train["death"] == 1, "os_months"].to_numpy()
    grid = learn_grid(train[names].to_numpy(), event_times, TIMES, BINS)
    parts = []
    for part, training in ((train, 1), (test, 0)):
        table = pd.DataFrame(grid.bin_features(part[names].to_numpy()), columns=names)
        parts.append(
            table.assign(
                time=grid.snap_times(part["os_months"].to_numpy()),
                event=part["death"].to_numpy(),
                train=training,
            )
        )
    pd.concat(parts).to_csv(path, index=False)
    timing = run()
    predicted = np.loadtxt(f"{path}.predicted")
    months = np.linspace(2, 25, 24)
    scores = forest_scores(train, test, predicted[:, 0], predicted[:, 1:], months)
    return replace(timing, result=timing.result | scores)
