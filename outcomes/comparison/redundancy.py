"""Columns that tell nothing the columns before them do not."""

import numpy as np

from outcomes.arrays import BoolArray, FloatArray, IntArray

# What others leave of a column, as a share of its spread: less is rounding.
_ROUNDING = 1e-7


def find_redundant(columns: FloatArray, stratum: IntArray) -> BoolArray:
    """Return which columns are linear combinations of those before them within every stratum.

    Parameters
    ----------
    columns
        Numbers, shape (n, n_columns).
    stratum
        Stratum of each row, counted from 0, shape (n,).

    Returns
    -------
    array of shape (n_columns,)
        True where a column is redundant; a column that does not vary in any stratum is.
    """
    size = np.bincount(stratum)
    basis = np.empty((len(columns), 0))
    redundant = np.zeros(columns.shape[1], dtype=np.bool_)
    for position, column in enumerate(columns.T):
        means = np.bincount(stratum, column) / np.maximum(size, 1)
        rest = column - means[stratum]
        # Once would leave rounding of the order of what is looked for.
        for _ in range(2):
            rest = rest - basis @ (basis.T @ rest)
        length = float(np.linalg.norm(rest))
        redundant[position] = length <= _ROUNDING * np.linalg.norm(column - column.mean())
        if not redundant[position]:
            basis = np.column_stack([basis, rest / length])
    return redundant
