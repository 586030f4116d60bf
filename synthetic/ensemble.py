"""An ensemble of parameter sets: what the published figures and assumptions leave uncertain."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

SourceKind = Literal["sampling", "prior", "assumption"]


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
        Percentiles 2.5, 50 and 97.5 over the ensemble.
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
        """Return plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Ensemble":
        """Return the ensemble of plain data.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the data are no ensemble.
        """
        size = int(data["size"])
        columns = {}
        for table in ("parameters", "assumptions"):
            columns[table] = {
                key: tuple(float(value) for value in values) for key, values in data[table].items()
            }
            for key, values in columns[table].items():
                if len(values) != size:
                    raise ValueError(f"ensemble, {key}: found {len(values)} values of {size}")
        quantities = tuple(
            Quantity(**{**row, "sources": tuple(Source(**source) for source in row["sources"])})
            for row in data["quantities"]
        )
        return cls(
            int(data["seed"]), size, columns["parameters"], columns["assumptions"], quantities
        )
