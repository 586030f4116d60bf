"""A Cox model as lifelines has it, for its summaries, plots and diagnostics."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from outcomes.endpoints import get_endpoint
from outcomes.errors import ModelError
from outcomes.models.cox import CoxModel
from outcomes.models.inputs import as_table, digest, read_response

if TYPE_CHECKING:
    from lifelines import CoxPHFitter


def as_lifelines(model: CoxModel, X: Any, y: Any = None, event: int = 1) -> "CoxPHFitter":
    """Return a fitted `lifelines.CoxPHFitter` with the model's coefficients.

    It starts at the model's own estimates, so that lifelines, which is slow to fit, takes one
    step.

    Parameters
    ----------
    model
        A fitted `CoxModel` with Efron's ties.
    X, y
        The training cohort, as `CoxModel.fit` takes it.
    event
        Event code of the cause.

    Raises
    ------
    ModelError
        If lifelines has no such model: Breslow's ties, SBRT as it comes, weights or clusters, a
        cause fitted after Firth, or other patients than the model was fitted to.
    """
    if not isinstance(model, CoxModel):
        raise ModelError(f"model: found {type(model).__name__}; allowed: a fitted CoxModel")
    check_is_fitted(model, "series_")
    table = as_table(X)
    if model.ties != "efron" or model.time_dependent or model.weights or model.cluster:
        raise ModelError("allowed: Efron's ties, no weights, no clusters, not SBRT as it comes")
    if np.ndim(event) or event not in model.fits_ or model.fits_[event].note:
        raise ModelError(f"event {event!r}: no fit by maximum likelihood")
    time, code = read_response(get_endpoint(model.endpoint), table, y)
    matrix = model.design_.matrix(table)
    if digest(matrix, time, code) != model.training_digest_:
        raise ModelError("X: allowed: the cohort that the model was fitted to")
    from lifelines import CoxPHFitter

    frame = pd.DataFrame(matrix, columns=list(model.design_.names))
    frame = frame.assign(months=time, event=(code == event).astype(int))
    strata = None
    if len(model.series_.names) > 1:
        frame[model.strata] = table[model.strata].astype(str).to_numpy()
        strata = [model.strata]
    spread = frame[list(model.design_.names)].std().to_numpy()
    fitter = CoxPHFitter(penalizer=model.penalizer, strata=strata)
    return fitter.fit(
        frame,
        "months",
        "event",
        initial_point=model.fits_[event].coefficients * spread,
        robust=model.robust,
    )
