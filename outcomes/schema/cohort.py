"""A validated cohort: a table that remembers where it comes from."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd


class Cohort(pd.DataFrame):
    """A pandas DataFrame that has passed the schema.

    Whatever is derived from it (a selection, a copy) is a plain DataFrame: only
    `validate_cohort` and the simulation make cohorts.

    Attributes
    ----------
    provenance
        Where the patients come from, as plain data; empty where unknown.
    """

    # Tells pandas that this attribute is no column, and to keep it when pickling.
    _metadata = ["provenance"]  # noqa: RUF012 - pandas wants a list

    def __init__(self, data: pd.DataFrame, *, provenance: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)  # type: ignore[call-arg]  # the stubs give it a __new__ alone
        self.provenance: dict[str, Any] = dict(provenance or {})

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        endpoints: Iterable[Any] = (),
        covariates: Iterable[str] = (),
        mapping: str | Path | None = None,
    ) -> "Cohort":
        """Read and check a cohort, see `outcomes.schema.read_cohort`."""
        from outcomes.schema.files import read_cohort

        return read_cohort(path, endpoints=endpoints, covariates=covariates, mapping=mapping)
