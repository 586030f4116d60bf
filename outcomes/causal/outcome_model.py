"""Cause-specific Cox models of both arms, and what they predict for each patient."""

from dataclasses import dataclass

import numpy as np

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.causal.functionals import Functionals
from outcomes.causal.memory import kept
from outcomes.causal.subjects import Subjects
from outcomes.cox import BaselineHazard, CoxFit, baseline_hazards, fit_cox
from outcomes.errors import NotEstimableError

# More steps than this are taken together: of thousands of patients they change nothing, and
# predictions grow with patients times steps.
MOST_STEPS = 1000
# For replicates, of which only the spread is wanted: it is within 1 % of that of all steps.
FEWER_STEPS = 120
AT_SURGERY = -1.0
"""Entry of who is at risk from surgery on, so that an event on the day itself counts."""


@dataclass(frozen=True, eq=False)
class CauseModel:
    """The Cox model of one cause; the treatment is the last coefficient.

    Attributes
    ----------
    fit
        Its fit to the rows.
    baselines
        Baseline hazards by number of the series; None where a series has no event.
    """

    fit: CoxFit
    baselines: tuple[BaselineHazard | None, ...]

    @property
    def effect(self) -> float:
        """Log hazard ratio of the treatment."""
        return float(self.fit.coefficients[-1])

    def relative(self, columns: FloatArray) -> FloatArray:
        """Return hazards without treatment relative to the baseline's, shape (n,)."""
        centre = self.fit.data.centre
        linear = (columns - centre[:-1]) @ self.fit.coefficients[:-1]
        return np.asarray(np.exp(linear - centre[-1] * self.effect))


@dataclass(frozen=True, eq=False)
class Rows:
    """Patients as rows at risk, the treatment changing from row to row.

    Attributes
    ----------
    patient
        Number of the patient of each row, shape (n_rows,).
    entry, exit
        Months between which a row is at risk, shape (n_rows,); `AT_SURGERY` for surgery itself.
    codes
        Event code at its end, shape (n_rows,).
    treated
        Whether treatment has begun, shape (n_rows,).
    """

    patient: IntArray
    entry: FloatArray
    exit: FloatArray
    codes: IntArray
    treated: BoolArray


@kept
def rows_of_arms(subjects: Subjects) -> Rows:
    """Return one row a patient, in the arm from month 0 on."""
    return Rows(
        patient=np.arange(subjects.n),
        entry=np.full(subjects.n, AT_SURGERY),
        exit=subjects.time,
        codes=subjects.codes,
        treated=subjects.treated,
    )


@dataclass(frozen=True, eq=False)
class OutcomeModel:
    """Cox models of all causes.

    Attributes
    ----------
    subjects, rows
        Who they were fitted to.
    causes
        Models of the event of interest and of each competing event that happened.
    most_steps
        Number of steps of a baseline hazard from which on some are taken together.
    """

    subjects: Subjects
    rows: Rows
    causes: tuple[CauseModel, ...]
    most_steps: int = MOST_STEPS


def fit_outcome_model(
    subjects: Subjects, rows: Rows | None = None, *, most_steps: int = MOST_STEPS
) -> OutcomeModel:
    """Fit a Cox model of each cause, stratified by series, with treatment and covariates.

    Parameters
    ----------
    subjects
        Patients.
    rows
        When each was treated; by default in their arm from month 0 on.
    most_steps
        See `OutcomeModel`.

    Raises
    ------
    NotEstimableError
        If an arm has no event of interest, or a partial likelihood has no maximum.
    """
    used = rows_of_arms(subjects) if rows is None else rows
    return OutcomeModel(subjects, used, _fit_causes(subjects, used), most_steps)


@kept
def _fit_causes(subjects: Subjects, used: Rows) -> tuple[CauseModel, ...]:
    for arm, label in ((True, "treated"), (False, "control")):
        if not ((used.codes == 1) & (used.treated == arm)).any():
            raise NotEstimableError(f"the {label} patients have no event")
    design = np.column_stack([subjects.columns[used.patient], used.treated])
    names = [*subjects.names, "treatment"]
    stratum = subjects.stratum[used.patient]
    late = bool((used.entry > 0).any())
    causes = []
    for cause in subjects.causes:
        fit = fit_cox(
            design,
            used.exit,
            used.codes == cause,
            entry=np.maximum(used.entry, 0.0) if late else None,
            weights=subjects.weights[used.patient],
            strata=stratum,
            names=names,
            robust=False,
        )
        found = {int(np.asarray(one.stratum)): one for one in baseline_hazards(fit)}
        series = range(subjects.n_series)
        causes.append(CauseModel(fit, tuple(found.get(k) for k in series)))
    return tuple(causes)


@dataclass(frozen=True, eq=False)
class SeriesHazards:
    """Steps of the baseline hazards of one series on common months.

    Attributes
    ----------
    months
        Months with an event of any cause, up to the last horizon, shape (n_months,); of very many
        only some, at which what happened since the one before is taken together.
    steps
        Steps of each cause's cumulative baseline hazard, shape (n_causes, n_months).
    """

    months: FloatArray
    steps: FloatArray


def series_hazards(model: OutcomeModel, series: int, functionals: Functionals) -> SeriesHazards:
    """Return the baseline hazards of one series up to the last horizon.

    Where steps are taken together, none of them reaches over a horizon.
    """
    last = functionals.last
    baselines = [cause.baselines[series] for cause in model.causes]
    every = [one.times[one.times <= last] for one in baselines if one is not None]
    months = np.unique(np.concatenate(every)) if every else np.empty(0)
    if months.size > model.most_steps:
        spread = np.round(np.linspace(0, months.size - 1, model.most_steps)).astype(np.int64)
        before = np.searchsorted(months, functionals.horizons, side="right") - 1
        months = months[np.unique(np.concatenate([spread, before[before >= 0]]))]
    steps = np.zeros((len(baselines), months.size))
    for row, one in zip(steps, baselines, strict=True):
        if one is not None:
            inside = one.times <= last
            np.add.at(row, np.searchsorted(months, one.times[inside]), one.increments[inside])
    return SeriesHazards(months, steps)


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions of some patients of one series.

    Attributes
    ----------
    hazards
        Baseline hazards.
    relative
        Relative hazard of each cause and patient without treatment, shape (n_causes, n).
    ratios
        Hazard ratio of treatment of each cause at each month, shape (n_causes, n_months).
    free
        Probability of no event up to each month, that month included, shape (n, n_months).
    steps
        Steps of the cumulative incidence of the event of interest, shape (n, n_months).
    """

    hazards: SeriesHazards
    relative: FloatArray
    ratios: FloatArray
    free: FloatArray
    steps: FloatArray

    def values(self, functionals: Functionals) -> FloatArray:
        """Return each patient's functionals, shape (n, n_functionals)."""
        return np.asarray(self.steps @ functionals.at(self.hazards.months).T)


def predict(
    model: OutcomeModel,
    hazards: SeriesHazards,
    columns: FloatArray,
    treated: BoolArray,
) -> Predicted:
    """Predict patients of one series with treatment as given at each month.

    Within a step the ratio of the causes' hazards is constant, so that incidences and the
    probability of no event sum to one (as R's `survfit` of a multi-state Cox model has it; with
    one cause it is exp(-cumulative hazard)).

    Parameters
    ----------
    model, hazards
        Models and a series' baseline hazards.
    columns
        Covariates, shape (n, p).
    treated
        Whether treatment acts at each of the months, shape (n_months,).
    """
    relative = np.array([cause.relative(columns) for cause in model.causes])
    effects = np.array([cause.effect for cause in model.causes])
    ratios = np.where(treated, np.exp(effects)[:, None], 1.0)
    acting = ratios * hazards.steps
    free = np.exp(-(relative.T @ np.cumsum(acting, axis=1)))
    steps = np.empty_like(free)
    steps[:, :1] = 1 - free[:, :1]
    steps[:, 1:] = free[:, :-1] - free[:, 1:]
    if len(acting) > 1:
        others = acting[1:].sum(axis=0) > 0
        alone = acting[0] == 0
        steps[:, alone] = 0.0
        both = np.flatnonzero(others & ~alone)
        if both.size:
            own = relative[0][:, None] * acting[0, both]
            total = relative.T @ acting[:, both]
            steps[:, both] *= own / total
    return Predicted(hazards, relative, ratios, free, steps)
