"""Restricted cubic splines."""

from numbers import Integral

import numpy as np
import numpy.typing as npt

from outcomes.arrays import FloatArray
from outcomes.cox.inputs import as_numbers
from outcomes.errors import NotEstimableError, OutcomesError

# Harrell, Regression Modeling Strategies, 2nd ed., table 2.3.
_QUANTILES = {
    3: (0.10, 0.50, 0.90),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.50, 0.725, 0.95),
    6: (0.05, 0.23, 0.41, 0.59, 0.77, 0.95),
    7: (0.025, 0.1833, 0.3417, 0.50, 0.6583, 0.8167, 0.975),
}


def place_knots(values: npt.ArrayLike, count: int) -> FloatArray:
    """Return knots at Harrell's quantiles of the values, shape (count,).

    Raises
    ------
    OutcomesError
        If the count is not 3 to 7.
    NotEstimableError
        If the values are too few to keep the knots apart.
    """
    if not isinstance(count, Integral) or count not in _QUANTILES:
        raise OutcomesError(f"knots: found {count!r}; allowed: 3 to 7")
    found = as_numbers(values, "values").ravel()
    if not np.isfinite(found).all() or not found.size:
        raise OutcomesError("values: allowed: finite numbers, one or more")
    knots = np.quantile(found, _QUANTILES[int(count)])
    if np.unique(knots).size < count:
        raise NotEstimableError(
            f"{count} knots need more distinct values; found knots at "
            f"{', '.join(f'{knot:g}' for knot in knots)}"
        )
    return np.asarray(knots)


def spline_basis(values: npt.ArrayLike, knots: FloatArray) -> FloatArray:
    """Return a restricted cubic spline's columns: the value itself, then k - 2 curved ones.

    Cubic between the knots, straight beyond the outer ones (Stone & Koo 1985; as Hmisc's
    `rcspline.eval` with its default norm), shape (n, k - 1).
    """
    x = np.asarray(values, dtype=np.float64)
    first, last, before = knots[0], knots[-1], knots[-2]
    scale = (last - first) ** 2

    def cube(knot: float) -> FloatArray:
        return np.asarray(np.maximum(x - knot, 0.0) ** 3 / scale)

    curved = [
        cube(knot)
        - cube(before) * (last - knot) / (last - before)
        + cube(last) * (before - knot) / (last - before)
        for knot in knots[:-2]
    ]
    return np.column_stack([x, *curved])
