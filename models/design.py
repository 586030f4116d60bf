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
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from outcomes.arrays import FloatArray
from outcomes.errors import ModelError
from outcomes.models.columns import (
    BOOLEANS,
    SEPARATION_THRESHOLD_MM,
    Covariate,
    label_of,
    name_rows,
    read_column,
    read_separation,
    refuse_missing,
    without_procedure,
)

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
REFERENCE_REGIMEN = "hypofractionated_low"
_MOST_LEVELS = 30

Separation = Literal["threshold", "linear"]


@dataclass(frozen=True)
class Term:
    """One column of the design matrix.

    Attributes
    ----------
    name, label
        Identifier and reader's words.
    covariate
        The cohort's column it is made from.
    kind
        ``number`` (centred and scaled), ``boolean``, ``level`` (equal to `level`), ``below``
        (less than `center`) or ``absent`` (no separation procedure).
    level
        The level of a ``level`` column.
    center, scale
        Of a number: the value subtracted, then the divisor.
    """

    name: str
    label: str
    covariate: str
    kind: Literal["number", "boolean", "level", "below", "absent"]
    level: str = ""
    center: float = 0.0
    scale: float = 1.0


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
            values = columns[term.covariate]
            if term.kind == "level":
                matrix[:, position] = values == term.level
            elif term.kind == "below":
                matrix[:, position] = (values < term.center) & ~absent
            elif term.kind == "number":
                number = (values - term.center) / term.scale
                matrix[:, position] = np.where(absent, 0.0, number) if _is_mm(term) else number
            else:
                matrix[:, position] = values
        return matrix

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
            terms=tuple(Term(**item) for item in data["terms"]),
            omitted=dict(data["omitted"]),
            fixed_sbrt=data["fixed_sbrt"],
            without_procedure=data["without_procedure"],
        )


def learn_design(
    table: pd.DataFrame,
    covariates: Sequence[str] | None = None,
    *,
    separation: Separation = "threshold",
    groups: Sequence[str] | None = None,
    identifiable: bool = True,
) -> Design:
    """Learn the coding from the training patients.

    Parameters
    ----------
    table
        One row per patient.
    covariates
        Columns to use. By default those of `DEFAULT_COVARIATES` that the table has and that
        vary; the design's `omitted` says which were left out.
    separation
        Coding of `separation_mm`: ``threshold`` (below 3 mm) or ``linear`` (in mm).
    groups
        Stratum of each patient: a column that varies only between strata counts as constant.
    identifiable
        Whether to refuse columns that determine each other.

    Raises
    ------
    ModelError
        As `Design.matrix`; also for a constant column and for collinear columns.
    """
    if separation not in ("threshold", "linear"):
        raise ModelError(f"separation: found {separation!r}; allowed: 'threshold', 'linear'")
    chosen = _choose(table, covariates)
    by_default = covariates is None
    omitted = (
        {name: "not in the table" for name in DEFAULT_COVARIATES if name not in chosen}
        if by_default
        else {}
    )
    if by_default and "separation_mm" in chosen and without_procedure(table).all():
        omitted["separation_mm"] = "no patient had a separation procedure"
        chosen = tuple(name for name in chosen if name != "separation_mm")
    learned = [_learn_covariate(table, name, chosen) for name in chosen]
    nested = "separation_mm" in chosen and bool(without_procedure(table).any())
    terms = [term for c in learned for term in _terms(c, separation, nested, "sbrt" in chosen)]
    matrix = Design(tuple(learned), tuple(terms), {}, None, nested).matrix(table)
    spread = _within(matrix, groups)
    largest = np.abs(matrix).max(axis=0, initial=0.0)
    constant = np.abs(spread).max(axis=0, initial=0.0) <= 1e-12 * largest
    where = "" if groups is None or len(set(groups)) < 2 else " within every series"
    silent = [c.name for c in learned if not any(term.covariate == c.name for term in terms)]
    lost = [term for term, flat in zip(terms, constant, strict=True) if flat]
    if (lost or silent) and not by_default:
        names = ", ".join([term.name for term in lost] + silent)
        raise ModelError(
            f"constant{where}, so no effect can be estimated: {names}; leave the covariate out"
        )
    kept = [term for term, flat in zip(terms, constant, strict=True) if not flat]
    for c in learned:
        if not any(term.covariate == c.name for term in kept):
            omitted[c.name] = f"constant{where}"
    if identifiable:
        _check_rank(spread[:, ~constant], [term.name for term in kept], where)
    # sbrt stays readable even without a column of its own: dose_regimen is nested in it.
    remaining = tuple(c for c in learned if c.name not in omitted or c.name == "sbrt")
    return Design(remaining, tuple(kept), omitted, _fixed_sbrt(table, remaining), nested)


def _choose(table: pd.DataFrame, covariates: Sequence[str] | None) -> tuple[str, ...]:
    if isinstance(covariates, str):
        raise ModelError(f"covariates: found the text {covariates!r}; allowed: a list of columns")
    if covariates is None:
        present = tuple(name for name in DEFAULT_COVARIATES if name in table.columns)
        if present:
            return present
        raise ModelError(
            "none of the default covariates is in the table "
            f"({', '.join(DEFAULT_COVARIATES)}); name the covariates to use"
        )
    chosen = tuple(covariates)
    if len(set(chosen)) != len(chosen):
        raise ModelError(f"covariates: a column is named twice: {', '.join(map(str, chosen))}")
    absent = [str(name) for name in chosen if name not in table.columns]
    if absent:
        raise ModelError(f"missing columns: {', '.join(absent)}")
    return chosen


def _learn_covariate(table: pd.DataFrame, name: str, chosen: Sequence[str]) -> Covariate:
    if isinstance(table[name], pd.DataFrame):
        raise ModelError(f"the column {name} stands in the table more than once")
    column = table[name].infer_objects()
    if name == "separation_mm":
        values, absent = read_separation(table, bool(without_procedure(table).any()))
        return _number(name, values[~absent])
    if name in BOOLEANS or pd.api.types.is_bool_dtype(column):
        probe = Covariate(name, label_of(name), "boolean")
        share = float(np.mean(read_column(table, probe)))
        return Covariate(
            name, label_of(name), "boolean", most_frequent="true" if share >= 0.5 else "false"
        )
    if pd.api.types.is_numeric_dtype(column):
        return _number(name, read_column(table, Covariate(name, label_of(name), "number")))
    refuse_missing(column, name)
    counts = column.astype(str).value_counts()
    if len(counts) > _MOST_LEVELS:
        raise ModelError(
            f"{name}: found {len(counts)} different values; allowed: a number, or a category of "
            f"at most {_MOST_LEVELS} levels"
        )
    order = sorted(counts.index, key=lambda level: (-counts[level], level))
    commonest = order[0]
    if name == "dose_regimen" and "sbrt" in chosen:
        # Nested: "none" is known but has no column, since sbrt says it already.
        commonest = next((level for level in order if level != "none"), commonest)
        order = sorted(order, key=lambda level: (level == "none", level != REFERENCE_REGIMEN))
    elif name == "dose_regimen":
        first = next((known for known in ("none", REFERENCE_REGIMEN) if known in order), order[0])
        order = sorted(order, key=lambda level: level != first)
    return Covariate(name, label_of(name), "category", levels=tuple(order), most_frequent=commonest)


def _number(name: str, values: FloatArray) -> Covariate:
    if values.size == 0:
        raise ModelError(f"{name}: no patient has a value")
    return Covariate(
        name,
        label_of(name),
        "number",
        low=float(values.min()),
        high=float(values.max()),
        typical=float(np.median(values)),
    )


def _terms(
    covariate: Covariate, separation: Separation, nested: bool, beside_sbrt: bool
) -> list[Term]:
    name, label = covariate.name, covariate.label
    if name == "kps":
        return [Term(name, label, name, "number", "", 70.0, 1.0)]
    if name == "separation_mm":
        limit = SEPARATION_THRESHOLD_MM
        if separation == "threshold":
            first = Term(f"separation_mm < {limit:g}", f"{label} below 3 mm", name, "below")
        else:
            first = Term(name, f"{label}, per mm", name, "number")
        first = Term(first.name, first.label, name, first.kind, "", limit, 1.0)
        none = Term("procedure=none", "no separation procedure", name, "absent")
        return [first, none] if nested else [first]
    if covariate.kind == "boolean":
        return [Term(name, label, name, "boolean")]
    if covariate.kind == "number":
        return [Term(name, label, name, "number")]
    reference = label_of(covariate.levels[0]) if covariate.levels else ""
    return [
        Term(
            f"{name}={level}",
            f"{label}: {label_of(level)}, against {reference}",
            name,
            "level",
            level,
        )
        for level in covariate.levels[1:]
        if not (name == "dose_regimen" and beside_sbrt and level == "none")
    ]


def _is_mm(term: Term) -> bool:
    return term.covariate == "separation_mm"


def _fixed_sbrt(table: pd.DataFrame, covariates: Sequence[Covariate]) -> bool | None:
    for covariate in covariates:
        if covariate.name == "sbrt":
            treated = read_column(table, covariate) == 1
            return bool(treated[0]) if (treated == treated[0]).all() else None
    return None


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


def _check_rank(spread: FloatArray, names: Sequence[str], where: str) -> None:
    if not names:
        return
    scaled = spread / np.linalg.norm(spread, axis=0)
    for position in range(1, len(names)):
        before, column = scaled[:, :position], scaled[:, position]
        pair = np.abs(before.T @ column)
        twin = int(np.argmax(pair))
        if pair[twin] > 1 - 1e-10:
            raise ModelError(
                f"{names[twin]} and {names[position]} determine each other{where}; leave one out"
            )
        weights, *_ = np.linalg.lstsq(before, column, rcond=None)
        if np.linalg.norm(column - before @ weights) < 1e-7:
            partners = [names[k] for k in range(position) if abs(weights[k]) > 1e-6]
            raise ModelError(
                f"{names[position]} is determined by {', '.join(partners)}{where}; leave one out"
            )


def _within(matrix: FloatArray, groups: Sequence[str] | None) -> FloatArray:
    """Return the matrix centred within each group."""
    if groups is None:
        return np.asarray(matrix - matrix.mean(axis=0, keepdims=True))
    codes, levels = pd.factorize(np.asarray(groups, dtype=object))
    counts = np.bincount(codes, minlength=len(levels))
    sums = np.zeros((len(levels), matrix.shape[1]))
    np.add.at(sums, codes, matrix)
    return np.asarray(matrix - (sums / counts[:, None])[codes])
