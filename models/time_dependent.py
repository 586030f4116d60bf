"""SBRT as it comes: patients are without it until the month it starts.

The time from surgery to SBRT is lived without SBRT. Counting it as treated favours SBRT (immortal
time); with the covariate changing when SBRT starts, it counts for the untreated.
"""

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray
from outcomes.errors import ModelError
from outcomes.models.columns import Covariate, name_rows, read_column
from outcomes.models.proportional_hazards import Rows

START = "sbrt_start_months"
CHANGING = ("sbrt", "dose_regimen")

# Months that stand for the moment after surgery.
_MOMENT = 1e-6


def sbrt_start(table: pd.DataFrame) -> FloatArray:
    """Return the month at which each patient's SBRT starts, infinite without SBRT, shape (n,).

    Raises
    ------
    ModelError
        If a column is missing, `sbrt` is neither true nor false, or a patient with SBRT has no
        month.
    """
    absent = [name for name in ("sbrt", START) if name not in table.columns]
    if absent:
        raise ModelError(f"missing columns: {', '.join(absent)}; SBRT as it comes needs them")
    treated = read_column(table, Covariate("sbrt", "SBRT", "boolean")) == 1.0
    start = pd.to_numeric(table[START], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = treated & ~(np.isfinite(start) & (start >= 0))
    if wrong.any():
        raise ModelError(f"{START}: no month of at least 0 in {name_rows(wrong)}, who had SBRT")
    return np.asarray(np.where(treated, start, np.inf))


def split_at_sbrt(rows: Rows, start: FloatArray, changing: BoolArray) -> Rows:
    """Return intervals of patients: until SBRT without it, afterwards with it.

    An interval needs a length, so whoever leaves at month 0 leaves a moment after it instead, when
    nobody else has left and no later SBRT has begun: the risk sets are those of month 0.

    Parameters
    ----------
    rows
        One row per patient, coded as after SBRT.
    start
        Month at which SBRT starts, infinite without, shape (n,).
    changing
        Columns of the matrix that are 0 until SBRT, shape (n_terms,).
    """
    time = _after_month_0(rows.time, start)
    patients = np.arange(len(time))
    later = patients[start < time]
    earlier = patients[start > 0]
    source = np.concatenate([earlier, later])
    matrix = rows.matrix[source]
    matrix[: earlier.size, changing] = 0.0
    entry = np.concatenate([np.zeros(earlier.size), start[later]])
    split = start[earlier] < time[earlier]
    last = np.where(split, start[earlier], time[earlier])
    event = np.where(split, 0, rows.event[earlier])
    return Rows(
        matrix=matrix,
        time=np.concatenate([last, time[later]]),
        event=np.concatenate([event, rows.event[later]]),
        groups=rows.groups[source],
        entry=entry,
        weights=None if rows.weights is None else rows.weights[source],
        cluster=None if rows.cluster is None else rows.cluster[source],
    )


def _after_month_0(time: FloatArray, start: FloatArray) -> FloatArray:
    """Return the months, those at 0 moved before every other month and start of SBRT."""
    if time.all():
        return time
    others = np.concatenate([time, start])
    moment = min(_MOMENT, float(others[others > 0].min(initial=1.0)) / 2)
    return np.asarray(np.where(time == 0, moment, time))
