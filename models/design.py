"""From covariates to a numeric design: the coding both models share.

A design is learned from the training patients and stored with the model, so that a patient is
coded in the same way ever after. The coding, by covariate:

- ``kps``: in points, centred at 70.
- Booleans: 0 or 1.
- ``dose_regimen`` beside ``sbrt``: nested in it. ``sbrt`` is SBRT at the reference regimen
  (low-dose hypofractionated) against none, and each other regimen has a column that is 0
  without SBRT, so nothing is coded twice.
- ``separation_mm``: whether it is below 3 mm, or in mm centred at 3. Patients without a
  separation procedure have no such distance; where the training patients include some
  (``procedure`` is "none"), they get a column of their own and 0 in the distance's.
- Any other number as it is; any other category one column per level, against its most
  frequent level.
- A number with a restricted cubic spline has its own column and the spline's curved ones; an
  interaction has the products of the columns of its two covariates.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray
from outcomes.cox import spline_basis
from outcomes.errors import ModelError
from outcomes.models.columns import (
    Covariate,
    label_of,
    name_rows,
    read_column,
    read_separation,
)
from outcomes.models.terms import Term

DEFAULT_COVARIATES = (
    "kps",
    "neurologic_deficit",
    "progressive_systemic_disease",
    "systemic_therapy_after",
    "embolization",
    "complication",
    "sbrt",
    "dose_regimen",
    "separation_mm",
)


@dataclass(frozen=True)
class Design:
    """A learned coding.

    Attributes
    ----------
    covariates
        The covariates in use.
    terms
        The columns of the matrix, in order.
    omitted
        Default covariates that were left out, and why.
    fixed_sbrt
        What `sbrt` was in every training patient; None where it varied or is not in use.
    without_procedure
        Whether some training patients had no separation procedure.
    """

    covariates: tuple[Covariate, ...]
    terms: tuple[Term, ...]
    omitted: Mapping[str, str]
    fixed_sbrt: bool | None = None
    without_procedure: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the matrix's columns."""
        return tuple(term.name for term in self.terms)

    @property
    def labels(self) -> tuple[str, ...]:
        """Reader's words for the matrix's columns."""
        return tuple(term.label for term in self.terms)

    def matrix(self, table: pd.DataFrame) -> FloatArray:
        """Return the design matrix of a table.

        Parameters
        ----------
        table
            One row per patient, with the design's covariates; other columns, the order of the
            columns and the index do not matter.

        Returns
        -------
        array, shape (n_patients, n_terms)

        Raises
        ------
        ModelError
            If a covariate is missing, has a missing, non-finite or unknown value, or if
            `dose_regimen` contradicts `sbrt`.
        """
        if self.fixed_sbrt is not None:
            _check_fixed_sbrt(table, self.fixed_sbrt)
        columns = {
            c.name: read_column(table, c) for c in self.covariates if c.name != "separation_mm"
        }
        if "sbrt" in columns and "dose_regimen" in columns:
            _check_regimen(columns["sbrt"], columns["dose_regimen"])
        absent = np.zeros(len(table), dtype=bool)
        if any(c.name == "separation_mm" for c in self.covariates):
            distance, absent = read_separation(table, self.without_procedure)
            columns["separation_mm"] = distance
        matrix = np.zeros((len(table), len(self.terms)))
        for position, term in enumerate(self.terms):
            if term.kind == "absent":
                matrix[:, position] = absent
                continue
            if term.kind == "product":
                one, other = (self.names.index(name) for name in term.factors)
                matrix[:, position] = matrix[:, one] * matrix[:, other]
                continue
            values = _term_values(term, columns[term.covariate])
            if term.covariate == "separation_mm":
                values = np.where(absent, 0.0, values)
            matrix[:, position] = values
        return matrix

    def terms_that_follow(self, covariates: Collection[str]) -> BoolArray:
        """Return which columns are 0 wherever the given covariates' own columns are."""
        names: set[str] = set()
        for term in self.terms:
            product = term.kind == "product" and not names.isdisjoint(term.factors)
            if product or (term.kind != "product" and term.covariate in covariates):
                names.add(term.name)
        return np.array([name in names for name in self.names], dtype=np.bool_)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "covariates": [asdict(covariate) for covariate in self.covariates],
            "terms": [asdict(term) for term in self.terms],
            "omitted": dict(self.omitted),
            "fixed_sbrt": self.fixed_sbrt,
            "without_procedure": self.without_procedure,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Design":
        """Return the design that `to_dict` described."""
        return cls(
            covariates=tuple(
                Covariate(**{**item, "levels": tuple(item["levels"])})
                for item in data["covariates"]
            ),
            terms=tuple(
                Term(**{**item, "knots": tuple(item["knots"]), "factors": tuple(item["factors"])})
                for item in data["terms"]
            ),
            omitted=dict(data["omitted"]),
            fixed_sbrt=data["fixed_sbrt"],
            without_procedure=data["without_procedure"],
        )


def _term_values(term: Term, values: Any) -> Any:
    """Return a column of the matrix from the values of its covariate."""
    if term.kind == "level":
        return values == term.level
    if term.kind == "below":
        return values < term.center
    if term.kind == "number":
        return (values - term.center) / term.scale
    if term.kind == "curve":
        return spline_basis(values, np.array(term.knots))[:, term.part]
    return values


def _check_regimen(sbrt: FloatArray, regimen: Any) -> None:
    wrong = (regimen == "none") == (sbrt == 1)
    if wrong.any():
        raise ModelError(
            f"dose_regimen contradicts sbrt in {name_rows(wrong)}; "
            "it is 'none' exactly where sbrt is false"
        )


def _check_fixed_sbrt(table: pd.DataFrame, fixed: bool) -> None:
    sbrt = read_column(table, Covariate("sbrt", label_of("sbrt"), "boolean"))
    wrong = (sbrt == 1) != fixed
    if wrong.any():
        raise ModelError(
            f"sbrt was {str(fixed).lower()} in all training patients, so the model says nothing "
            f"of {name_rows(wrong)}"
        )
