"""Comparison of two arms of a cohort."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from outcomes.comparison.cox import cox
from outcomes.comparison.crude import crude, inflated
from outcomes.comparison.ladder import adjusted_ladder
from outcomes.comparison.landmark import landmark
from outcomes.comparison.options import Options
from outcomes.comparison.result import Comparison, Rung
from outcomes.comparison.robustness import assess_robustness
from outcomes.comparison.setting import Setting, make_setting
from outcomes.comparison.splitting import Split
from outcomes.comparison.subjects import count_complete
from outcomes.comparison.target_trial import target_trials
from outcomes.endpoints import Endpoint, get_endpoint

METHODS: tuple[Callable[[Setting], Iterator[Rung]], ...] = (
    crude,
    inflated,
    cox,
    landmark,
    adjusted_ladder,
)
"""The methods in the order of the ladder; each yields its rungs."""


def compare(
    cohort: pd.DataFrame,
    *,
    endpoint: str | Endpoint,
    treatment: str = "sbrt",
    horizons: Sequence[float] = (12.0, 24.0),
    covariates: Sequence[str] | None = None,
    truth: Mapping[str, float] | None = None,
    options: Options | None = None,
    split_by: Split | None = None,
) -> Comparison:
    """Compare an endpoint between two arms by every method.

    Parameters
    ----------
    cohort
        One row for each patient, or lesion (errors then count patients, told apart by
        ``patient_id``; for overall survival the first row of each is taken): the endpoint's two
        columns, the treatment, and any covariates. A column ``study`` with several levels
        stratifies the Cox models; a column ``<treatment>_start_months`` tells the landmark
        analysis when treatment began.
    endpoint
        The endpoint or its name.
    treatment
        Column of truth values, or of two values; see `read_treatment` for which of them is the
        treatment. With ``"sbrt"``, patients without surgery are left out.
    horizons
        Months since surgery.
    covariates
        Adjusting columns; by default those of `DEFAULT_ADJUSTMENT` that the cohort has, and
        ``separation_mm`` (below 3 mm) for local control.
    truth
        Known true values of simulated data, by ``estimand`` or ``estimand@horizon``, e.g.
        ``{"hazard_ratio": 0.7, "risk_difference@12": -0.08}``: effects from surgery on, the
        hazard ratio given the covariates. The unadjusted hazard ratio and the landmark analysis
        estimate something else and take ``cox-unadjusted:hazard_ratio``,
        ``landmark:hazard_ratio`` and ``landmark:risk_difference@12``.
    options
        Bootstrap, truncation of weights, landmark and grace period of the adjusted methods.
    split_by
        How a treatment column of more than two values makes two arms: two of its levels
        (`Levels`), or a threshold (`Below`).

    Returns
    -------
    Comparison
        An estimate that cannot be had keeps its place, with value None and a note.

    Raises
    ------
    CohortError
        If a needed column is missing, the treatment does not have two values, or the treatment
        or a covariate tells how a patient fared, or a covariate is no finite, possible number.
    NotEstimableError
        If no patient is left to compare.
    OutcomesError
        If the endpoint is unknown, or a time, event code or horizon is not allowed.
    """
    setting = make_setting(
        cohort, get_endpoint(endpoint), treatment, horizons, covariates, truth, options, split_by
    )
    months = _risk_months(float(setting.time.max()))
    treated, control = setting.arms
    naive = None
    if setting.endpoint.has_competing_events:
        naive = (treated.curve(months, naive=True), control.curve(months, naive=True))
    rungs = tuple(rung for method in METHODS for rung in method(setting))
    return Comparison(
        endpoint=setting.endpoint.name,
        treatment=treatment,
        horizons=setting.horizons,
        arms=(treated.curve(months), control.curve(months)),
        inflated=naive,
        rungs=rungs,
        notes=setting.notes,
        target_trials=target_trials(setting),
        robustness=assess_robustness(setting, rungs),
        complete=count_complete(setting),
    )


def _risk_months(last: float) -> tuple[float, ...]:
    """Return the months of the risk table: every 6, or a multiple that gives at most eleven."""
    step = 6.0
    while last / step > 10:
        step *= 2
    return tuple(np.arange(0.0, last + 1e-9, step).tolist())
