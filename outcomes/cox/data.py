"""Patients checked, scaled and sorted once, for any number of fits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import FloatArray
from outcomes.cox.covariates import covariate_names, read_covariates
from outcomes.cox.inputs import read_finite
from outcomes.cox.risk_sets import RiskSets, Ties, check_events, make_risk_sets
from outcomes.errors import NotEstimableError, OutcomesError


@dataclass(frozen=True, eq=False)
class CoxData:
    """Sorted patients, ready for any number of fits.

    Attributes
    ----------
    sets
        Risk sets.
    columns
        Covariates of the sorted rows over their spread, shape (p, n).
    centre, spread
        Mean and standard deviation of the covariates, shape (p,).
    names
        Names of the covariates.
    weights, offset
        Of the sorted rows, shape (n,); None for weights of 1 and offsets of 0.
    """

    sets: RiskSets
    columns: FloatArray = field(repr=False)
    centre: FloatArray
    spread: FloatArray
    names: tuple[str, ...]
    weights: FloatArray | None = None
    offset: FloatArray | None = None

    def read(self, covariates: Any) -> FloatArray:
        """Return covariates of other patients as numbers, shape (n, p); a table's by their names.

        Raises
        ------
        OutcomesError
            If the covariates are others, or a value is no finite number.
        """
        if isinstance(covariates, pd.DataFrame) and set(self.names) <= set(covariates.columns):
            covariates = covariates[list(self.names)]
        found = covariate_names(covariates, None)
        if len(found) != len(self.names):
            raise OutcomesError(
                f"covariates: found {', '.join(found)}; allowed: {', '.join(self.names)}"
            )
        return read_covariates(covariates, self.names)

    @property
    def reach(self) -> FloatArray:
        """Range of each scaled covariate."""
        return np.asarray(np.ptp(self.columns, axis=1))


def prepare_cox(
    covariates: Any,
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    offset: npt.ArrayLike | None = None,
    ties: Ties = "efron",
    names: Sequence[str] | None = None,
    constant: bool = False,
) -> CoxData:
    """Check and sort patients once, for `fit_prepared`; parameters and errors as `fit_cox`.

    `constant` allows covariates that do not vary.
    """
    called = covariate_names(covariates, names)
    matrix = read_covariates(covariates, called)
    case = None if weights is None else read_finite(weights, "weights", len(matrix), least=0.0)
    if case is not None and not case.any():
        raise NotEstimableError("weights: all are 0")
    fixed = None if offset is None else read_finite(offset, "offset", len(matrix))
    happened = check_events(event)
    if case is not None and happened.shape == case.shape:
        happened = happened & (case > 0)
    sets = make_risk_sets(time, happened, entry=entry, strata=strata, ties=ties)
    if len(matrix) != sets.n:
        raise OutcomesError(
            f"covariates: found {len(matrix)} rows; allowed: {sets.n}, one for each time"
        )
    if not sets.n_events:
        raise NotEstimableError("there is no event")
    columns = np.ascontiguousarray(matrix.take(sets.order, axis=0).T)
    centre = columns.mean(axis=1)
    columns -= centre[:, None]
    spread = np.sqrt(np.einsum("pn,pn->p", columns, columns) / sets.n)
    # What rounding leaves of a constant is no spread.
    flat = spread <= 1e-12 * np.abs(centre)
    if flat.any() and not constant:
        raise NotEstimableError(f"{called[int(np.argmax(flat))]}: is the same for every patient")
    spread = np.where(flat, 1.0, spread)
    columns /= spread[:, None]
    return CoxData(
        sets=sets,
        columns=columns,
        centre=centre,
        spread=spread,
        names=called,
        weights=None if case is None else case[sets.order],
        offset=None if fixed is None else fixed[sets.order],
    )
