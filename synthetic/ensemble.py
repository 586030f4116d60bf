"""An ensemble of parameter sets: what the published figures and assumptions leave uncertain."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from outcomes.errors import CalibrationError
from outcomes.synthetic.records import (
    check_keys,
    read_list,
    read_numbers,
    read_object,
    read_record,
    read_records,
    read_whole,
)

SourceKind = Literal["sampling", "prior", "assumption"]
SMALLEST = 2


@dataclass(frozen=True)
class Source:
    """One cause of a quantity's uncertainty.

    Attributes
    ----------
    kind
        ``sampling``: the published figures come from few patients; ``assumption``: one of the
        registry; ``prior``: the weak prior of a parameter that the figures leave open.
    name
        Identifier of the assumption or parameter; "" for sampling.
    share
        Share of the variance, between 0 and 1; the shares of a quantity add up to 1.
    """

    kind: SourceKind
    name: str
    share: float


@dataclass(frozen=True)
class Quantity:
    """A quantity derived from the calibration, with its uncertainty.

    Attributes
    ----------
    id
        ``study/quantity`` or ``study/quantity/arm``.
    study
        Series.
    unit
        ``percent``, ``points`` (of percent), ``months`` or ``hazard ratio``.
    meaning
        What it is, in a few words.
    value
        Under the calibrated parameters.
    lower, median, upper
        Percentiles 2.5, 50 and 97.5 over the ensemble; infinite where a median is not reached.
    sources
        Where the uncertainty comes from, the largest share first.
    """

    id: str
    study: str
    unit: str
    meaning: str
    value: float
    lower: float
    median: float
    upper: float
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Ensemble:
    """Parameter sets, each solved for other draws of the figures and of the assumptions.

    Attributes
    ----------
    seed
        Seed of the draws.
    size
        Number of sets.
    parameters, assumptions
        Values by key, each of length `size`.
    quantities
        Derived quantities.
    """

    seed: int
    size: int
    parameters: Mapping[str, tuple[float, ...]]
    assumptions: Mapping[str, tuple[float, ...]]
    quantities: tuple[Quantity, ...]

    def quantity(self, quantity_id: str) -> Quantity:
        """Return a derived quantity by its identifier."""
        for quantity in self.quantities:
            if quantity.id == quantity_id:
                return quantity
        raise KeyError(quantity_id)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, in which an infinite end of a quantity becomes null."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: object) -> "Ensemble":
        """Return the ensemble of plain data.

        Raises
        ------
        CalibrationError
            If the data are no ensemble of two sets or more.
        """
        found = read_object(data, "ensemble")
        check_keys(found, [field.name for field in fields(cls)], "ensemble")
        size = read_whole(found["size"], "ensemble, size", SMALLEST)
        return cls(
            seed=read_whole(found["seed"], "ensemble, seed", 0),
            size=size,
            parameters=_columns(found["parameters"], size, "ensemble, parameters"),
            assumptions=_columns(found["assumptions"], size, "ensemble, assumptions"),
            quantities=tuple(
                _quantity(row, f"ensemble, quantities[{k}]")
                for k, row in enumerate(read_list(found["quantities"], "ensemble, quantities"))
            ),
        )


def _columns(data: object, size: int, where: str) -> dict[str, tuple[float, ...]]:
    columns = {}
    for key, column in read_object(data, where).items():
        columns[key] = read_numbers(column, f"{where}, {key}")
        if len(columns[key]) != size:
            found = f"found {len(columns[key])} values; allowed: {size}"
            raise CalibrationError(f"{where}, {key}: {found}")
    return columns


def _quantity(data: object, where: str) -> Quantity:
    row = read_object(data, where)
    sources = read_records(Source, row.get("sources"), f"{where}, sources")
    quantity = read_record(Quantity, {**row, "sources": sources}, where, undefined=True)
    return _with_infinite_ends(quantity)


def _with_infinite_ends(quantity: Quantity) -> Quantity:
    """Return a quantity with infinity where null stood for it, the ends in their order.

    That is plus infinity at the upper end, minus infinity at the lower one; a median is as the
    upper end where that is infinite, and the lower end as a median of plus infinity.
    """
    value, lower, median, upper = quantity.value, quantity.lower, quantity.median, quantity.upper
    if math.isnan(upper):
        upper = math.inf
    if math.isnan(median):
        median = math.inf if math.isinf(upper) else -math.inf
    if math.isnan(lower):
        lower = math.inf if median == math.inf else -math.inf
    if math.isnan(value):
        value = next((end for end in (upper, lower) if math.isinf(end)), value)
    return replace(quantity, value=value, lower=lower, median=median, upper=upper)
