"""How good a forest is for its own training patients, by the trees that have not seen them.

Each patient is predicted by the trees whose samples the patient was not in (Breiman, Mach Learn
2001;45:5-32; for survival Ishwaran et al., Ann Appl Stat 2008;2:841-860), so no patients have to be
held back. With some 37 trees of 100 for a patient the error is a little larger than the whole
forest's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from outcomes.arrays import FloatArray, IntArray
from outcomes.endpoints import get_endpoint
from outcomes.errors import ModelError, NotEstimableError
from outcomes.models.draws import Draws
from outcomes.models.evaluation import (
    HORIZONS,
    groups_of,
    identify_patients,
    months_of,
)
from outcomes.models.forest import ForestModel, row_digest
from outcomes.models.inputs import as_table, read_response
from outcomes.models.measures import Evaluation, measure
from outcomes.models.measuring import Predicted, Predictions
from outcomes.models.risk_scores import null_risks
from outcomes.models.trees import Trees

_ROWS = 200


@dataclass(frozen=True, eq=False)
class OutOfBag:
    """Out-of-bag predictions and their error.

    Attributes
    ----------
    evaluation
        C-index, Brier scores, calibration and the other measures.
    rows
        Positions of the training patients that were predicted, shape (n,).
    months
        Months of the predictions.
    risk
        Risk of the event of interest, shape (n, n_months).
    n_trees
        Trees that predicted each patient, the fewest over the causes, shape (n,).
    """

    evaluation: Evaluation
    rows: IntArray
    months: FloatArray
    risk: FloatArray
    n_trees: IntArray

    def to_frame(self) -> pd.DataFrame:
        """Return one row per patient and month: row (from 1), month, risk, n_trees."""
        n = len(self.months)
        return pd.DataFrame(
            {
                "row": np.repeat(self.rows + 1, n),
                "month": np.tile(self.months, len(self.rows)),
                "risk": self.risk.ravel(),
                "n_trees": np.repeat(self.n_trees, n),
            }
        )


def out_of_bag(
    model: ForestModel,
    cohort: pd.DataFrame,
    horizons: Sequence[float] = HORIZONS,
    n_bootstrap: int = 200,
    random_state: int = 0,
) -> OutOfBag:
    """Evaluate a forest on its training patients by the trees that have not seen them.

    Parameters
    ----------
    model
        A fitted forest; one read from a file will do.
    cohort
        The training patients, in the order they were in.
    horizons, n_bootstrap, random_state
        As `outcomes.models.evaluate`. The null prediction is each series' own curve.

    Raises
    ------
    ModelError
        If the cohort is not the one the forest was fitted to.
    NotEstimableError
        If every patient was in the sample of every tree.
    """
    if not isinstance(model, ForestModel):
        raise ModelError(f"model: found {type(model).__name__}; allowed: a fitted ForestModel")
    check_is_fitted(model, "trees_")
    table = as_table(cohort)
    endpoint = get_endpoint(model.endpoint)
    time, event = read_response(endpoint, table)
    matrix = model.design_.matrix(table)
    if row_digest(matrix, time, event) != model.row_digest_:
        raise ModelError(
            "cohort: allowed are the patients the forest was fitted to, in the same order"
        )
    groups = groups_of(model, table)
    if len(model.series_.names) == 1:
        groups = np.full(len(table), model.series_.names[0], dtype=object)
    months, asked = months_of(horizons)
    bins = np.empty((len(table), len(model.grid_.cuts)), dtype=np.int64)
    for position, name in enumerate(model.series_.names):
        rows = groups == name
        bins[rows] = model.bins_of(matrix[rows], position)
    hazards, trees = zip(
        *(_unseen(model.trees_[code], model.draws_[code], bins) for code in model.causes),
        strict=True,
    )
    n_trees = np.min(trees, axis=0)
    kept = np.flatnonzero(n_trees > 0)
    if not len(kept):
        raise NotEstimableError("out of bag: every patient was in the sample of every tree")
    notes: tuple[str, ...] = ()
    if len(kept) < len(table):
        missing = len(table) - len(kept)
        notes = (f"left out: {missing} patients who were in the sample of every tree",)
    time, event, groups = time[kept], event[kept], groups[kept]
    ends = np.array([model.series_.end_of(name or None) for name in groups])
    own_hazards = [hazard[kept] for hazard in hazards]
    risk = np.empty((len(kept), len(months)))
    for end in np.unique(ends):
        rows = np.flatnonzero(ends == end)
        part = [hazard[rows] for hazard in own_hazards]
        risk[rows] = model.combine(part, np.minimum(months, end))[0]
    evaluation = measure(
        Predicted(
            endpoint,
            model.kind,
            "out of bag",
            time,
            event,
            groups,
            identify_patients(table)[kept],
            Predictions(
                months,
                risk,
                null_risks(time, event, groups, months),
                months[None, :] <= ends[:, None],
                _event_free_at_own(model, own_hazards, time),
                event > 0,
            ),
            None,
            notes,
        ),
        asked,
        n_bootstrap,
        random_state,
    )
    return OutOfBag(evaluation, kept, months, risk, n_trees[kept])


def _unseen(trees: Trees, draws: Draws, bins: IntArray) -> tuple[FloatArray, IntArray]:
    """Return each patient's mean hazard over the trees not grown on it, and their number."""
    unseen = draws.out_of_bag()
    leaves = trees.leaves(bins)
    total = np.zeros((len(bins), trees.hazard.shape[1]))
    for tree, out in enumerate(unseen):
        total[out] += trees.hazard[leaves[out, tree]]
    number = np.asarray(unseen.sum(axis=0), dtype=np.int64)
    return total / np.maximum(number, 1)[:, None], number


def _event_free_at_own(
    model: ForestModel, hazards: Sequence[FloatArray], time: FloatArray
) -> FloatArray:
    """Return each patient's probability of no event by the own time, shape (n,)."""
    own = np.empty(len(time))
    order = np.argsort(time, kind="stable")
    for rows in np.array_split(order, -(-len(time) // _ROWS)):
        months, place = np.unique(time[rows], return_inverse=True)
        incidence = model.combine([hazard[rows] for hazard in hazards], months).sum(axis=0)
        own[rows] = 1.0 - incidence[np.arange(len(rows)), place]
    return np.clip(own, 0.0, 1.0)
