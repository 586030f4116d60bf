"""The patients of a setting as the adjusted estimators take them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray
from outcomes.causal.subjects import Subjects
from outcomes.comparison.adjustment import make_adjustment
from outcomes.comparison.arm import check_arms
from outcomes.comparison.setting import REGIMEN, Setting
from outcomes.errors import NotEstimableError

KNOWN_LATER = ("systemic_therapy_after", "complication")
"""Covariates that are decided or happen after surgery: in real cohorts perhaps after treatment."""


@dataclass(frozen=True, eq=False)
class Adjusted:
    """Patients with every covariate, and what is to be said of them.

    Attributes
    ----------
    subjects
        As arrays.
    frame
        Their adjusting covariates, a row each.
    rows
        Which rows of the setting they are, shape (n,).
    note
        What they are adjusted for and who was left out.
    """

    subjects: Subjects
    frame: pd.DataFrame
    rows: BoolArray
    note: str


def make_subjects(setting: Setting, *, needs_events: bool = True) -> Adjusted:
    """Return the patients of a setting who have every adjusting covariate.

    Rows of one ``patient_id`` belong together; the levels of ``study`` are series of their own.

    Raises
    ------
    NotEstimableError
        If a covariate is missing or there is none, or an arm has no patient or, where events are
        needed, no event or no series with both arms.
    """
    adjustment = make_adjustment(setting)
    rows = adjustment.complete
    treated, codes = setting.treated[rows], setting.codes[rows]
    check_arms(setting.labels, treated, codes == 1 if needs_events else None)
    notes = [f"adjusted for {', '.join(adjustment.columns.columns)}", *adjustment.notes]
    if setting.strata is not None:
        notes.insert(0, f"stratified by {setting.strata}")
    subjects = Subjects(
        time=setting.time[rows],
        codes=codes,
        treated=treated,
        start=setting.start[rows],
        columns=adjustment.columns.to_numpy(dtype=np.float64),
        names=tuple(adjustment.columns.columns),
        stratum=setting.stratum(rows),
        weights=np.ones(treated.size),
        cluster=np.asarray(pd.factorize(setting.cluster[rows])[0], dtype=np.int64),
    )
    if needs_events and subjects.n_series > 1 and subjects.one_armed_series.all():
        raise NotEstimableError("every series has only one arm")
    later = [name for name in KNOWN_LATER if name in adjustment.columns.columns]
    if later:
        notes.append(f"{' and '.join(later)} taken as known at surgery")
    if setting.treatment == REGIMEN and setting.start_column is None:
        notes.append("both arms hold only patients who lived until SBRT")
    if subjects.one_armed_series.any():
        alone = _name_series(setting, rows, subjects.one_armed_series)
        notes.append(
            f"only one arm in {alone}: what the other would do there, the model alone says"
        )
    patients, events = (
        np.bincount(subjects.arm_of_series, counted, 2 * subjects.n_series)
        for counted in (None, subjects.codes == 1)
    )
    calm = ((patients > 0) & (events == 0)).reshape(-1, 2).any(axis=1)
    if calm.any() and subjects.n_series > 1:
        notes.append(f"an arm without an event in {_name_series(setting, rows, calm)}")
    return Adjusted(subjects, adjustment.columns, rows, "; ".join(notes))


def _name_series(setting: Setting, rows: BoolArray, chosen: BoolArray) -> str:
    """Return how many of the series were chosen, and which."""
    names = pd.factorize(setting.cohort.loc[rows, setting.strata], sort=True)[1]
    listed = ", ".join(str(name) for name in names[chosen])
    return f"{chosen.sum()} of {chosen.size} series ({listed})"


def count_complete(setting: Setting) -> tuple[int, int] | None:
    """Return the treated and control rows with every adjusting covariate.

    None where nothing can be adjusted for.
    """
    try:
        rows = make_adjustment(setting).complete
    except NotEstimableError:
        return None
    return int((rows & setting.treated).sum()), int((rows & ~setting.treated).sum())
