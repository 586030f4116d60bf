"""Comparison from a landmark on, against immortal time.

A patient counted as treated has lived until treatment. From a landmark on, among those without
an event at it, and with the treatment as it stood then, no arm has such time (Anderson, Cain &
Gelber, J. Clin. Oncol. 1983; 1: 710-719).
"""

from collections.abc import Iterator

import numpy as np

from outcomes.comparison.contrast import Contrast, difference
from outcomes.comparison.cox import adjusted
from outcomes.comparison.result import Rung
from outcomes.comparison.setting import Setting
from outcomes.errors import NotEstimableError

LANDMARK_MONTHS = 42 / 30.4375
"""Six weeks after surgery, when SBRT has usually begun."""


def landmark(setting: Setting) -> Iterator[Rung]:
    """Compare risks and the adjusted hazard from six weeks after surgery on.

    A risk is that of an event between the landmark and the horizon, which still counts from
    surgery. The start of treatment is read from the column ``<treatment>_start_months`` where
    there is one: who starts later counts as control.
    """
    started = setting.treated.copy()
    start_column = f"{setting.treatment}_start_months"
    late = 0
    if start_column in setting.cohort.columns:
        start = setting.cohort[start_column].to_numpy(dtype=np.float64, na_value=np.nan)
        started &= ~(start > LANDMARK_MONTHS)
        late = int((setting.treated & ~started).sum())
    later = setting.subset(setting.time > LANDMARK_MONTHS, started)
    note = f"from {LANDMARK_MONTHS:.2f} months on, {later.time.size} patients"
    if late:
        note += f", {late} treated later counted as control"
    treated, control = later.arms

    def risk_difference(horizon: float) -> Contrast:
        if horizon <= LANDMARK_MONTHS:
            raise NotEstimableError(f"month {horizon:g} is not after the landmark")
        return difference(treated.risk(horizon), control.risk(horizon))

    yield from later.rungs("landmark", {"risk_difference": risk_difference}, note)
    yield later.rung("landmark", "hazard_ratio", None, lambda: adjusted(later), note)
