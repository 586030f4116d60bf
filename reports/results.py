"""The results that the reports are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pandas as pd

if TYPE_CHECKING:
    from outcomes.comparison import Comparison, DoseResponse
    from outcomes.evidence import Evidence
    from outcomes.models.evaluation import Evaluation
    from outcomes.models.selection import ModelComparison
    from outcomes.synthetic.calibration import Calibration

ModelKind = Literal["cox", "forest"]


@dataclass(frozen=True)
class ModelResult:
    """What the reports show of one fitted model.

    Attributes
    ----------
    endpoint
        ``overall-survival`` or ``local-control``.
    kind
        ``cox`` or ``forest``.
    n, events
        Patients and events of interest it was fitted to.
    series
        Which series a shown prediction refers to, in words, e.g. "average of the five series".
    coefficients
        `CoxModel.summary_`: ``event, covariate, label, log_hr, se, hr, lower, upper, p``; None
        for a forest.
    regimens
        `outcomes.models.contrasts.regimen_effects(...)`: the rows of `coefficients` that take the
        place of those of SBRT and its regimens; None where there are none.
    proportional_hazards
        `CoxModel.proportional_hazards_test()`: ``event, covariate, statistic, p``; None where
        it was not done.
    importance
        `permutation_importance(...)`: ``covariate, label, importance, sd``; None where it was
        not computed.
    """

    endpoint: str
    kind: ModelKind
    n: int
    events: int
    series: str = ""
    coefficients: pd.DataFrame | None = None
    regimens: pd.DataFrame | None = None
    proportional_hazards: pd.DataFrame | None = None
    importance: pd.DataFrame | None = None


@dataclass(frozen=True)
class StudyResults:
    """Everything a report shows; what is None or empty is left out, with its page.

    Attributes
    ----------
    cohort
        The patients the models were fitted to, one row each, with the columns of the schema.
    provenance
        ``package_version``, ``seed``, ``evidence_hash`` and whatever else says where numbers come
        from; ``source`` names the file of a cohort of one's own.
    synthetic
        Whether the patients are simulated. A cohort of one's own has no known truth.
    evidence
        The published figures and the assumptions.
    calibration
        How the simulation was fitted to them.
    comparison_cohort
        The patients of the comparison, if they are not `cohort`.
    comparison_note
        Who they are, in one sentence.
    models
        Fitted models by (endpoint, kind).
    evaluations
        Their performance.
    model_comparisons
        The same models and the null model side by side, by endpoint.
    comparisons
        The two arms compared, by endpoint.
    dependence
        Mean predictions by the value of one feature, by endpoint: ``covariate, value, month,
        patients, model`` (``truth`` for the truth), ``survival``.
    calculator
        Data of `outcomes.models.export.calculator_data`, by endpoint.
    tensions
        Contradictions among the published figures, as (title, explanation).
    files
        Files of ``data/`` as (name, what it holds).
    """

    cohort: pd.DataFrame
    provenance: Mapping[str, object]
    synthetic: bool = True
    evidence: Evidence | None = None
    calibration: Calibration | None = None
    comparison_cohort: pd.DataFrame | None = None
    comparison_note: str = ""
    models: Mapping[tuple[str, str], ModelResult] = field(default_factory=dict)
    evaluations: tuple[Evaluation, ...] = ()
    model_comparisons: Mapping[str, ModelComparison] = field(default_factory=dict)
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)
    dose_responses: tuple[DoseResponse, ...] = ()
    dependence: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    calculator: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    tensions: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()

    def study_title(self, study: str) -> str:
        """Return the title of a series, e.g. ``Laufer 2013``; its own name where unknown."""
        if self.evidence is not None:
            for known in self.evidence.studies:
                if known.id == study:
                    return known.title
        return study

    def with_titles(self, text: str) -> str:
        """Return a text with the identifiers of series replaced by their titles."""
        if self.evidence is not None:
            for known in self.evidence.studies:
                text = text.replace(known.id, known.title)
        return text
