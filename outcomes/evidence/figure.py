"""The published figures and the assumptions, as values."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from outcomes.errors import EvidenceError
from outcomes.evidence.design import Design

Role = Literal["fit", "check", "null", "rule", "context"]
Estimand = Literal[
    "crude_proportion",
    "cumulative_incidence",
    "kaplan_meier_complement",
    "kaplan_meier",
    "kaplan_meier_median",
    "median_among_observed",
    "mean_among_observed",
    "mean_sd",
    "count",
    "range",
    "sign",
    "null",
    "rule",
]
ROLES: tuple[str, ...] = get_args(Role)
ESTIMANDS: tuple[str, ...] = get_args(Estimand)
UNITS: tuple[str, ...] = (
    "",
    "percent",
    "months",
    "weeks",
    "days",
    "hours",
    "years",
    "patients",
    "lesions",
    "points",
    "levels",
    "mL",
    "mm",
    "share",
    "hazard ratio",
    "concordance",
)


@dataclass(frozen=True)
class Figure:
    """One published figure.

    Attributes
    ----------
    id
        ``study/quantity`` or ``study/quantity/arm``; unique in the registry.
    study
        Study identifier, e.g. ``liu-2020``.
    quantity
        What was measured, e.g. ``local_progression``.
    estimand
        How it was measured: what a study of that design would have to compute.
    value
        The figure in its unit; for a proportion in percent. None where the paper states only
        a direction, an absence of effect or a rule.
    unit
        One of `UNITS`; "" for a figure without a number.
    role
        ``fit``: calibration must reproduce it; ``check``: compared afterwards; ``null``: an
        absence of effect that the truth honours; ``rule``: decision logic; ``context``: told,
        but nothing in a cohort answers to it.
    n
        Denominator: patients (or lesions) the figure rests on.
    source
        Where in the paper it stands.
    arm
        Treatment arm or subgroup the figure belongs to; "" for the whole series.
    count
        Numerator where the paper gives one.
    sd, low, high
        Standard deviation and range where given.
    at_month
        Horizon in months since surgery.
    statement
        The published words, for a figure without a number or where the reading needs them.
    note
        How the figure is read, in one sentence.
    tension
        Why no model can meet the figure; "" where nothing stands against it.
    tolerance
        Largest accepted deviation in the figure's unit; None for the default.
    reading
        How words that are silent or contradict each other were read; "" where nothing was chosen.
    part_of
        What the figure is a part of: the identifier of a figure, or of the study for all its
        patients. All figures that name the same are its parts, exclusive and complete: counts add
        up to it, averages are averages of its groups.
    same_as
        Identifier of the figure that this is a second print of.
    """

    id: str
    study: str
    quantity: str
    estimand: Estimand
    role: Role
    source: str
    value: float | None = None
    unit: str = ""
    n: int | None = None
    arm: str = ""
    count: int | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    at_month: float | None = None
    statement: str = ""
    note: str = ""
    tension: str = ""
    tolerance: float | None = None
    reading: str = ""
    part_of: str = ""
    same_as: str = ""

    @property
    def standard_error(self) -> float | None:
        """Sampling standard error in the figure's unit; None where it cannot be had.

        Binomial for a percentage (continuity-corrected at 0 and 100 %), ``sd / sqrt(n)`` for a
        mean. A median's depends on the density and is left to the calibration.
        """
        if self.n is None or self.value is None:
            return None
        if self.unit == "percent":
            share = min(max(self.value / 100, 0.5 / self.n), 1 - 0.5 / self.n)
            return 100 * math.sqrt(share * (1 - share) / self.n)
        return None if self.sd is None else self.sd / math.sqrt(self.n)


@dataclass(frozen=True)
class Assumption:
    """A magnitude that the source paper does not give.

    Attributes
    ----------
    id
        Unique name, e.g. ``death_log_hr_kps``.
    value
        The value used.
    low, high
        Plausible range, varied in the uncertainty analysis.
    unit
        Unit of the value.
    meaning
        What it is, in one sentence.
    source
        Publication or reason.
    """

    id: str
    value: float
    low: float
    high: float
    unit: str
    meaning: str
    source: str


@dataclass(frozen=True)
class External:
    """A figure of another publication than the source paper; the calibration fits none.

    Attributes
    ----------
    id
        Unique name, e.g. ``rothrock_overall_survival_median``.
    source
        The publication.
    fact
        What it says, in one sentence.
    value, unit, n
        The figure, its unit and the patients it rests on, where there is one number.
    conflict
        What in the source paper it disagrees with, and which is used; "" where nothing.
    figure
        Identifier of the figure it prints, ``study/quantity`` or ``study/quantity/arm``, whether
        or not the registry holds it; "" where it speaks of none.
    complement_of
        The same for a percentage that is the rest of the figure to 100.
    """

    id: str
    source: str
    fact: str
    value: float | None = None
    unit: str = ""
    n: int | None = None
    conflict: str = ""
    figure: str = ""
    complement_of: str = ""


@dataclass(frozen=True)
class Study:
    """A published series.

    Attributes
    ----------
    id
        e.g. ``laufer-2013``.
    title
        Name shown to readers, e.g. ``Laufer 2013``.
    n
        Patients; None where the source paper does not say.
    design
        Who was treated and how, in one sentence.
    reference
        Number in the source paper's reference list; None for the source paper itself.
    citation
        The primary publication.
    """

    id: str
    title: str
    design: str
    citation: str
    n: int | None = None
    reference: int | None = None


@dataclass(frozen=True)
class Evidence:
    """The registry: studies, designs, figures, assumptions, other publications' figures."""

    studies: tuple[Study, ...]
    figures: tuple[Figure, ...]
    assumptions: tuple[Assumption, ...]
    externals: tuple[External, ...] = ()
    designs: tuple[Design, ...] = ()

    def study(self, study_id: str) -> Study:
        """Return a study by its identifier."""
        for study in self.studies:
            if study.id == study_id:
                return study
        allowed = ", ".join(study.id for study in self.studies)
        raise EvidenceError(f"unknown study {study_id!r}; allowed: {allowed}")

    def design(self, study_id: str) -> Design:
        """Return the design of a study."""
        for design in self.designs:
            if design.id == study_id:
                return design
        raise EvidenceError(f"the registry holds no design of {study_id!r}")

    def figure(self, figure_id: str) -> Figure:
        """Return a figure by its identifier."""
        for figure in self.figures:
            if figure.id == figure_id:
                return figure
        raise EvidenceError(f"the registry holds no figure {figure_id!r}")

    def of_study(self, study_id: str) -> tuple[Figure, ...]:
        """Return the figures of one study, in the order of the registry."""
        return tuple(figure for figure in self.figures if figure.study == study_id)

    def assumption(self, assumption_id: str) -> Assumption:
        """Return an assumption by its identifier."""
        found = self._assumptions_by_id.get(assumption_id)
        if found is None:
            raise EvidenceError(f"the registry holds no assumption {assumption_id!r}")
        return found

    @cached_property
    def _assumptions_by_id(self) -> Mapping[str, Assumption]:
        return {assumption.id: assumption for assumption in self.assumptions}

    def number(self, quantity: float | str) -> float:
        """Return a number as it is, and the value of a named assumption, external or figure."""
        if not isinstance(quantity, str):
            return quantity
        named: tuple[Assumption | External | Figure, ...]
        named = (*self.assumptions, *self.externals, *self.figures)
        for one in named:
            if one.id == quantity and one.value is not None:
                return one.value
        raise EvidenceError(f"{quantity}: no number in the registry")

    def __getitem__(self, assumption_id: str) -> float:
        """Return the value of an assumption."""
        return self.assumption(assumption_id).value
