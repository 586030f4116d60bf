"""Learning a design from the training patients: which covariates, and how each is coded."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import get_args

import numpy as np
import pandas as pd

from outcomes.arrays import FloatArray
from outcomes.cox import place_knots
from outcomes.errors import ModelError, OutcomesError
from outcomes.models.columns import (
    BOOLEANS,
    Covariate,
    label_of,
    read_column,
    read_separation,
    refuse_missing,
    without_procedure,
)
from outcomes.models.design import DEFAULT_COVARIATES, Design
from outcomes.models.terms import Separation, products_of, terms_of
from outcomes.schema import RESULTS

REFERENCE_REGIMEN = "hypofractionated_low"
SEPARATION_KNOTS = 4
_MOST_LEVELS = 30


def learn_design(
    table: pd.DataFrame,
    covariates: Sequence[str] | None = None,
    *,
    separation: Separation = "threshold",
    groups: Sequence[str] | None = None,
    identifiable: bool = True,
    response: Collection[str] = (),
    splines: Mapping[str, int] | None = None,
    interactions: Sequence[tuple[str, str]] = (),
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
        Coding of `separation_mm`: ``threshold`` (below 3 mm), ``linear`` (in mm) or ``spline``
        (restricted cubic, four knots).
    groups
        Stratum of each patient: a column that varies only between strata counts as constant.
    identifiable
        Whether to refuse columns that determine each other.
    response
        Columns of the endpoint, which are refused beside the schema's own outcomes.
    splines
        Numbers of knots of the numeric covariates that get a restricted cubic spline.
    interactions
        Pairs of covariates whose products are added.

    Raises
    ------
    ModelError
        As `Design.matrix`; also for an outcome among the covariates, for a constant column, for
        collinear columns, and where no default covariate varies.
    """
    if not isinstance(separation, str) or separation not in get_args(Separation):
        allowed = ", ".join(map(repr, get_args(Separation)))
        raise ModelError(f"separation: found {separation!r}; allowed: {allowed}")
    chosen = _choose(table, covariates)
    curved = dict(splines or {})
    if separation == "spline":
        curved.setdefault("separation_mm", SEPARATION_KNOTS)
    elif "separation_mm" in curved:
        separation = "spline"
    _refuse_unknown("splines", [n for n in curved if n != "separation_mm"], chosen)
    _refuse_unknown("interactions", [name for pair in interactions for name in pair], chosen)
    _refuse_outcomes(chosen, response)
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
    terms = [
        term
        for c in learned
        for term in terms_of(
            c, separation, nested, "sbrt" in chosen, _knots(table, c, nested, curved)
        )
    ]
    for first, second in interactions:
        terms += products_of(
            *(
                [t for t in terms if t.covariate == n and t.kind != "product"]
                for n in (first, second)
            )
        )
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
    if not kept and by_default:
        raise ModelError(
            f"no covariate varies{where} ({', '.join(chosen)}); to fit the baseline alone, "
            "ask for no covariates"
        )
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
    if not isinstance(covariates, Iterable) or not all(
        isinstance(name, Hashable) for name in covariates
    ):
        raise ModelError(f"covariates: found {covariates!r}; allowed: a list of columns, None")
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
    if name == "kps" or pd.api.types.is_numeric_dtype(column):
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


def _refuse_unknown(parameter: str, names: Sequence[str], chosen: Sequence[str]) -> None:
    unknown = [str(name) for name in names if name not in chosen]
    if unknown:
        raise ModelError(
            f"{parameter}: found {', '.join(unknown)}; allowed: covariates of the model, "
            f"{', '.join(chosen)}"
        )


def _knots(
    table: pd.DataFrame, covariate: Covariate, nested: bool, curved: Mapping[str, int]
) -> tuple[float, ...]:
    """Return the knots of a covariate's spline; none where it has no spline."""
    if covariate.name not in curved:
        return ()
    if covariate.kind != "number":
        raise ModelError(f"splines: {covariate.name} is a {covariate.kind}; allowed: numbers")
    if covariate.name == "separation_mm":
        distance, absent = read_separation(table, nested)
        values = distance[~absent]
    else:
        values = read_column(table, covariate)
    try:
        return tuple(map(float, place_knots(values, curved[covariate.name])))
    except OutcomesError as error:
        raise ModelError(f"splines: {covariate.name}: {error}") from error


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


def _refuse_outcomes(chosen: Sequence[str], response: Collection[str]) -> None:
    wrong = [str(name) for name in chosen if name in RESULTS or name in response]
    if wrong:
        raise ModelError(
            f"covariates: found {', '.join(wrong)}; outcomes and measures taken after treatment "
            "are not known when a prediction is made, so no model may use them"
        )


def _fixed_sbrt(table: pd.DataFrame, covariates: Sequence[Covariate]) -> bool | None:
    for covariate in covariates:
        if covariate.name == "sbrt":
            treated = read_column(table, covariate) == 1
            return bool(treated[0]) if (treated == treated[0]).all() else None
    return None


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
