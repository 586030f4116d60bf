"""Brier score, accuracy and area under the ROC curve of predicted risks, with standard errors.

The counterpart of riskRegression's `Score`. Standard errors come from the influence functions of
the estimators, those of the censoring distribution among them (Blanche et al., Stat Med
2013;32:5381-5397, and Biometrics 2015;71:102-113); the null model's risks are held as given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from outcomes.arrays import BoolArray, FloatArray, IntArray
from outcomes.curves import aalen_johansen
from outcomes.errors import ModelError
from outcomes.models.checks import check_labels, check_level, check_months, check_outcome
from outcomes.models.ipcw import Censoring, estimate_censoring
from outcomes.models.support import clip_months


@dataclass(frozen=True, eq=False)
class Score:
    """A score at each month.

    Attributes
    ----------
    value, standard_error
        Shape (n_months,).
    influence
        What each patient adds to the score to first order, shape (n_months, n); it gives the
        standard error of any difference or mean of scores of the same patients.
    """

    value: FloatArray
    standard_error: FloatArray
    influence: FloatArray


@dataclass(frozen=True, eq=False)
class RiskScores:
    """The scores of predicted risks.

    Attributes
    ----------
    months, asked
        Months used, and months asked for.
    n, events
        Patients, and events of interest.
    brier, null_brier
        Brier score of the predictions, and of the null prediction.
    index_of_prediction_accuracy
        1 minus their ratio (Kattan and Gerds, Diagn Progn Res 2018;2:7); NaN where the null score
        is 0.
    auc
        Cumulative/dynamic area under the ROC curve.
    notes
        What was left out, and why.
    """

    months: FloatArray
    asked: FloatArray
    n: int
    events: int
    brier: Score
    null_brier: Score
    index_of_prediction_accuracy: Score
    auc: Score
    notes: tuple[str, ...]

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Return columns month, score, value, standard_error, lower, upper (normal limits)."""
        z = float(ndtri(0.5 + check_level(level) / 2))
        scores: Mapping[str, Score] = {
            "brier": self.brier,
            "null_brier": self.null_brier,
            "index_of_prediction_accuracy": self.index_of_prediction_accuracy,
            "auc": self.auc,
        }
        parts = [
            pd.DataFrame(
                {
                    "month": self.months,
                    "score": name,
                    "value": score.value,
                    "standard_error": score.standard_error,
                    "lower": np.maximum(
                        score.value - z * score.standard_error,
                        -np.inf if name == "index_of_prediction_accuracy" else 0.0,
                    ),
                    "upper": np.minimum(score.value + z * score.standard_error, 1.0),
                }
            )
            for name, score in scores.items()
        ]
        return pd.concat(parts, ignore_index=True)


def score_risks(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    risk: npt.ArrayLike,
    months: Sequence[float] | FloatArray | float,
    *,
    null: npt.ArrayLike | None = None,
    groups: Any = None,
    clusters: Any = None,
    conservative: bool = False,
) -> RiskScores:
    """Return Brier score, null Brier score, accuracy and AUC of risks predicted for patients.

    Parameters
    ----------
    time, event
        Months, and codes (0 censored, 1 the event of interest, above 1 competing), shape (n,).
    risk
        Predicted risk of event 1 by each month, shape (n, n_months).
    months
        Months asked for; those after which nobody is under observation are left out, and a note
        says so.
    null
        Risks of the null prediction, as `risk`; by default the Aalen-Johansen estimate of each
        group.
    groups
        Series: censoring is estimated within them, and only patients of one are compared.
    clusters
        Whom the rows belong to, where a patient has several, shape (n,).
    conservative
        Whether the standard errors hold the censoring distribution as known, as riskRegression's
        ``conservative = TRUE``; they are then too large, mostly by little.

    Raises
    ------
    ModelError
        If lengths differ, a time or code is missing, a risk is missing or not from 0 to 1, or no
        month is supported.
    """
    time, event = check_outcome(time, event)
    groups = check_labels("groups", groups, len(time))
    clusters = check_labels("clusters", clusters, len(time))
    asked = check_months("months", months)
    if len(set(asked)) < len(asked):
        raise ModelError(f"months: found {months!r}; allowed: each month once")
    order = np.argsort(asked, kind="stable")
    risks = check_risks(risk, (len(time), len(asked)))[:, order]
    support = clip_months(time, asked, groups)
    used = np.isin(asked[order], support.used)
    names = np.full(len(time), "", dtype=object) if groups is None else np.asarray(groups, object)
    censoring = estimate_censoring(time, event, names)
    at = np.asarray(support.used)
    if null is None:
        nulls = null_risks(time, event, names, at)
    else:
        nulls = check_risks(null, risks.shape)[:, order][:, used]

    def score(influences: list[tuple[float, FloatArray]]) -> Score:
        return _score(influences, clusters)

    known = list(support.known.T)
    columns = list(zip(support.used, known, strict=True))
    held = conservative
    brier = score(
        [
            brier_influence(p, t, k, censoring, held)
            for p, (t, k) in zip(risks[:, used].T, columns, strict=True)
        ]
    )
    null_brier = score(
        [
            brier_influence(p, t, k, censoring, held)
            for p, (t, k) in zip(nulls.T, columns, strict=True)
        ]
    )
    auc = score(
        [
            auc_influence(p, t, k, censoring, held)
            for p, (t, k) in zip(risks[:, used].T, columns, strict=True)
        ]
    )
    # Where nobody has an event the null prediction is never wrong: no accuracy against it.
    against = np.where(null_brier.value > 0, null_brier.value, np.nan)
    ratio = brier.value / against
    accuracy = (ratio[:, None] * null_brier.influence - brier.influence) / against[:, None]
    return RiskScores(
        months=at,
        asked=np.asarray(support.asked),
        n=len(time),
        events=int((event == 1).sum()),
        brier=brier,
        null_brier=null_brier,
        index_of_prediction_accuracy=score(list(zip(1.0 - ratio, accuracy, strict=True))),
        auc=auc,
        notes=support.notes,
    )


def integrate_score(score: Score, months: FloatArray, clusters: Any = None) -> Score:
    """Return the mean of a score from month 0, where it is 0, to the last month.

    Trapezoidal rule; the result has one month. Of a Brier score, the integrated Brier score.
    """
    grid = np.concatenate([[0.0], months])
    widths = np.diff(grid) / (2 * grid[-1])
    weights = widths + np.append(widths[1:], 0.0)
    value = float(weights @ score.value)
    return _score([(value, np.asarray(weights @ score.influence))], clusters)


def subtract_scores(one: Score, other: Score, clusters: Any = None) -> Score:
    """Return the difference of two scores of the same patients, with its paired error."""
    differences = zip(one.value - other.value, one.influence - other.influence, strict=True)
    return _score(list(differences), clusters)


def brier_influence(
    risk: FloatArray,
    month: float,
    known: BoolArray,
    censoring: Censoring,
    fixed_censoring: bool = False,
) -> tuple[float, FloatArray]:
    """Return the Brier score at a month and its influence function, shape (n,).

    Parameters
    ----------
    risk, known
        Predicted risk by the month, and whom the score is about, shape (n,).
    month
        The month.
    censoring
        Censoring distribution of these patients.
    fixed_censoring
        Whether the distribution is held as known.
    """
    happened = (censoring.time <= month) & (censoring.event == 1)
    loss = censoring.weights(month) * (happened - risk) ** 2 * known / known.sum()
    value = float(loss.sum())
    influence = loss - value * known / known.sum()
    if not fixed_censoring:
        late = censoring.time > month
        influence = influence + censoring.influence(-loss * ~late, -loss * late, month)
    return value, np.asarray(influence)


def auc_influence(
    risk: FloatArray,
    month: float,
    known: BoolArray,
    censoring: Censoring,
    fixed_censoring: bool = False,
) -> tuple[float, FloatArray]:
    """Return the AUC at a month and its influence function; parameters as `brier_influence`.

    Cases had event 1 by the month; controls had none, or a competing event (Blanche et al. 2013,
    definition 2). NaN without a pair.
    """
    inverse = censoring.weights(month) * known
    case = (censoring.time <= month) & (censoring.event == 1)
    agree, pairs = np.zeros((2, len(risk)))
    for stratum in censoring.strata:
        rows = stratum.rows
        of_cases, of_controls = inverse[rows] * case[rows], inverse[rows] * ~case[rows]
        below = _sum_below(risk[rows], np.stack([of_cases, of_controls]))
        agree[rows] = of_cases * below[1] + of_controls * (of_cases.sum() - below[0])
        pairs[rows] = of_cases * of_controls.sum() + of_controls * of_cases.sum()
    total = float(pairs[case].sum())
    if total <= 0:
        return np.nan, np.full(len(risk), np.nan)
    value = float(agree[case].sum()) / total
    influence = (agree - value * pairs) / total
    if not fixed_censoring:
        late = censoring.time > month
        influence = influence + censoring.influence(-influence * ~late, -influence * late, month)
    return value, np.asarray(influence)


def null_risks(time: FloatArray, event: IntArray, groups: Any, months: FloatArray) -> FloatArray:
    """Return the risk of event 1 by each month without covariates, by group, (n, n_months)."""
    risks = np.empty((len(time), len(months)))
    causes = tuple(range(1, max(1, int(event.max(initial=1))) + 1))
    for name in sorted(set(groups)):
        rows = groups == name
        curve = aalen_johansen(time[rows], event[rows], causes=causes).incidence[1]
        risks[rows] = curve(np.minimum(months, curve.end))
    return risks


def check_risks(risk: npt.ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    """Return risks as an array, refusing a wrong shape and what is not from 0 to 1."""
    try:
        risks = np.asarray(risk, dtype=np.float64)
    except (TypeError, ValueError):
        raise ModelError(f"risk: allowed: numbers of shape {shape}, one per month") from None
    if risks.ndim == 1 and shape[1:] == (1,):
        risks = risks[:, None]
    if risks.shape != shape:
        raise ModelError(f"risk: found shape {risks.shape}; allowed: {shape}, one per month")
    if not ((risks >= 0) & (risks <= 1)).all():
        row = int(np.flatnonzero(~((risks >= 0) & (risks <= 1)).all(axis=1))[0])
        raise ModelError(f"risk: row {row + 1}: found {risks[row]}; allowed: from 0 to 1")
    return risks


def _sum_below(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return for each patient the weights of lower values and half those of equal ones."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    begins = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    of_run = np.add.reduceat(weights[:, order], begins, axis=1)
    middle = np.cumsum(of_run, axis=1) - of_run / 2
    sums = np.empty_like(weights)
    sums[:, order] = np.repeat(middle, np.diff(begins, append=len(values)), axis=1)
    return sums


def _score(influences: list[tuple[float, FloatArray]], clusters: Any) -> Score:
    values = np.array([value for value, _ in influences])
    influence = np.stack([one for _, one in influences])
    summed = influence
    if clusters is not None:
        codes = pd.factorize(clusters)[0]
        summed = np.stack([np.bincount(codes, one) for one in influence])
    n = summed.shape[1]
    errors = np.sqrt(n / max(n - 1, 1) * (summed**2).sum(axis=1))
    return Score(values, errors, influence)
