"""Whether the calibration holds in cohorts of the published size: the results."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class FigureDistribution:
    """What one published figure looks like in many cohorts of the published size.

    Attributes
    ----------
    id, study, unit, role
        As in the registry.
    published
        The published number.
    defined
        Cohorts in which the figure can be computed.
    lower, median, upper
        Percentiles 2.5, 50 and 97.5 of the defined ones; infinite where a median survival is
        not reached.
    below, above
        Share of the defined ones at or below, and at or above, the published number.
    inside
        Whether the published number lies in the central 95 %.
    tension
        Why it need not; None where nothing stands against it.
    span, counts
        Histogram of the finite ones: first and last edge, and the counts between equal steps.
    """

    id: str
    study: str
    unit: str
    role: str
    published: float
    defined: int
    lower: float
    median: float
    upper: float
    below: float
    above: float
    inside: bool
    tension: str | None
    span: tuple[float, float]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class NullRejection:
    """How often a test finds an effect of a covariate that has none.

    Attributes
    ----------
    id
        Figure that publishes the absence of an effect.
    study, endpoint, covariate
        Series drawn, endpoint and covariate tested.
    adjusted
        Covariates held fixed.
    patients
        Patients of each cohort.
    tests
        Cohorts in which the test could be done.
    rejected
        Share of them with p < 0.05; None where there is no test.
    """

    id: str
    study: str
    endpoint: str
    covariate: str
    adjusted: tuple[str, ...]
    patients: int
    tests: int
    rejected: float | None


@dataclass(frozen=True)
class Verification:
    """Distributions of the published figures and rejection rates of the published nulls.

    Attributes
    ----------
    seed
        Seed of the cohorts.
    cohorts
        Number of cohorts of each study.
    figures
        Distribution of each numeric figure.
    nulls
        Rejection rate of each published absence of effect.
    """

    seed: int
    cohorts: int
    figures: tuple[FigureDistribution, ...]
    nulls: tuple[NullRejection, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; a median that is not reached becomes null."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Verification":
        """Return the verification of plain data.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the data are no verification.
        """
        figures = []
        for row in data["figures"]:
            limits = {
                name: math.inf if row[name] is None else row[name]
                for name in ("lower", "median", "upper")
            }
            tuples = {"span": tuple(row["span"]), "counts": tuple(row["counts"])}
            figures.append(FigureDistribution(**{**row, **limits, **tuples}))
        nulls = tuple(
            NullRejection(**{**row, "adjusted": tuple(row["adjusted"])}) for row in data["nulls"]
        )
        return cls(int(data["seed"]), int(data["cohorts"]), tuple(figures), nulls)
