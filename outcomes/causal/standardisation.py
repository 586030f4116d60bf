"""The g-formula: outcome models averaged over all patients, treated and not.

Robins, Mathematical Modelling 1986;7:1393; for Cox models with competing events Ozenne et al.,
Biometrical Journal 2020;62:751 (R's `riskRegression::ate`).
"""

from dataclasses import dataclass

import numpy as np

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.causal.functionals import Functionals
from outcomes.causal.marginal import NOT_ASKED, Marginal
from outcomes.causal.outcome_model import (
    AT_SURGERY,
    OutcomeModel,
    Predicted,
    SeriesHazards,
    predict,
    series_hazards,
)
from outcomes.cox import dfbeta_residuals

# Predictions held at once: patients times months.
BLOCK = 4_000_000


@dataclass(frozen=True, eq=False)
class _Gradient:
    """Derivatives of summed functionals with respect to the model of one cause.

    Attributes
    ----------
    coefficients
        With respect to the coefficients, shape (p + 1, n_functionals).
    steps
        With respect to the steps of each series' baseline hazard, each of shape
        (n_functionals, n_months).
    """

    coefficients: FloatArray
    steps: tuple[FloatArray, ...]


def standardise(
    model: OutcomeModel,
    functionals: Functionals,
    *,
    start: float = AT_SURGERY,
    covariance: bool = True,
) -> Marginal:
    """Return the mean risks if all patients were treated, and if none were.

    Parameters
    ----------
    model
        Outcome models.
    functionals
        What is asked.
    start
        Month after which treatment acts in the treated; by default from surgery on.
    covariance
        Whether the covariance is wanted: that of what each patient moves, through coefficients,
        baseline hazards and the average.
    """
    subjects = model.subjects
    total = subjects.weights.sum()
    hazards = tuple(
        series_hazards(model, series, functionals) for series in range(subjects.n_series)
    )
    own = np.zeros((subjects.n, 2, functionals.size))
    moves = np.zeros_like(own)
    for arm, is_treated in enumerate((True, False)):
        gradients = [
            _Gradient(
                np.zeros((len(subjects.names) + 1, functionals.size)),
                tuple(np.zeros((functionals.size, one.months.size)) for one in hazards),
            )
            for _ in model.causes
        ]
        for series, one in enumerate(hazards):
            acting = (one.months > start) & is_treated
            for rows in _blocks(subjects.stratum == series, one.months.size):
                predicted = predict(model, one, subjects.columns[rows], acting)
                own[rows, arm] = predicted.values(functionals)
                if covariance:
                    phi = functionals.at(one.months)
                    for cause, gradient in enumerate(gradients):
                        _add(model, predicted, phi, cause, series, rows, acting, gradient)
        if covariance:
            for cause, gradient in enumerate(gradients):
                moves[:, arm] += _through_model(model, cause, hazards, gradient) / total
    values = np.einsum("n,nak->ak", subjects.weights, own) / total
    if not covariance:
        return Marginal.without_covariance(functionals, values, NOT_ASKED)
    moves += subjects.weights[:, None, None] * (own - values) / total
    return Marginal.of_influence(functionals, values, moves, subjects.cluster)


def _blocks(members: BoolArray, months: int) -> list[IntArray]:
    """Return the members' positions in blocks whose predictions fit into memory."""
    positions = np.flatnonzero(members)
    size = max(BLOCK // max(months, 1), 1)
    return [positions[begin : begin + size] for begin in range(0, positions.size, size)]


def _add(
    model: OutcomeModel,
    predicted: Predicted,
    phi: FloatArray,
    cause: int,
    series: int,
    rows: IntArray,
    acting: BoolArray,
    gradient: _Gradient,
) -> None:
    """Add the derivatives of some patients' functionals, weighted and summed.

    A step of the hazard of interest adds phi(s) times those still free of an event; a step of any
    cause takes away what they would have added later.
    """
    subjects = model.subjects
    weighted = subjects.weights[rows] * predicted.relative[cause]
    ratio = predicted.ratios[cause]
    parts = phi * (weighted @ predicted.steps)
    slope = np.cumsum(parts, axis=1) - parts.sum(axis=1, keepdims=True)
    if cause == 0:
        slope += phi * (weighted @ predicted.free)
    gradient.steps[series][:] += ratio * slope
    hazard = ratio * predicted.hazards.steps[cause]

    def moved(steps: FloatArray) -> FloatArray:
        """Return by patient what a relative change of these steps moves."""
        before = np.cumsum(steps) - steps
        found = -(predicted.steps @ (phi * before).T)
        if cause == 0:
            found += predicted.free @ (phi * steps).T
        return np.asarray(weighted[:, None] * found)

    centre = model.causes[cause].fit.data.centre
    every = moved(hazard)
    gradient.coefficients[:-1] += (subjects.columns[rows] - centre[:-1]).T @ every
    gradient.coefficients[-1] += moved(hazard * acting).sum(axis=0) - centre[-1] * every.sum(axis=0)


def _through_model(
    model: OutcomeModel, cause: int, hazards: tuple[SeriesHazards, ...], gradient: _Gradient
) -> FloatArray:
    """Return what each patient moves sums of functionals by through the model of one cause.

    A step of a baseline is the events over the relative hazard of those at risk: patients move it
    by their event, by being at risk, and through the coefficients. Shape (n, n_functionals).
    """
    subjects, rows, fitted = model.subjects, model.rows, model.causes[cause]
    fit = fitted.fit
    through = gradient.coefficients.copy()
    size = through.shape[1]
    moves = np.zeros((rows.exit.size, size))
    design = np.column_stack([subjects.columns[rows.patient], rows.treated])
    relative = np.exp((design - fit.data.centre) @ fit.coefficients)
    stratum = subjects.stratum[rows.patient]
    happened = rows.codes == subjects.causes[cause]
    for series, baseline in enumerate(fitted.baselines):
        if baseline is None:
            continue
        inside = baseline.times <= hazards[series].months.max(initial=0.0)
        times = baseline.times[inside]
        slope = gradient.steps[series][:, np.searchsorted(hazards[series].months, times)]
        increments = baseline.increments[inside]
        through -= (baseline.means[inside] * increments[:, None]).T @ slope.T
        per_event = slope * (baseline.variances[inside] / increments)
        spent = np.column_stack([np.zeros(size), np.cumsum(per_event * increments, axis=1)]).T
        members = np.flatnonzero(stratum == series)
        until, since = (
            np.searchsorted(times, at[members], side="right") for at in (rows.exit, rows.entry)
        )
        moves[members] -= relative[members, None] * (spent[until] - spent[since])
        events = members[happened[members] & (rows.exit[members] <= times.max(initial=-1.0))]
        moves[events] += per_event.T[np.searchsorted(times, rows.exit[events])]
    moves *= subjects.weights[rows.patient][:, None]
    moves += dfbeta_residuals(fit) @ through
    found = np.zeros((subjects.n, size))
    np.add.at(found, rows.patient, moves)
    return found
