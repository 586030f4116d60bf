"""Comparison from a landmark on, against immortal time.

A patient counted as treated has lived until treatment. From a landmark on, among those without
an event at it, and with the treatment as it stood then, no arm has such time (Anderson, Cain &
Gelber, J. Clin. Oncol. 1983; 1: 710-719).
"""

from collections.abc import Iterator

import numpy as np

from outcomes.comparison.by_patient import ArmPairs
from outcomes.comparison.contrast import Contrast, difference
from outcomes.comparison.cox import adjusted
from outcomes.comparison.result import Rung
from outcomes.comparison.setting import Setting
from outcomes.errors import NotEstimableError
from outcomes.schema import DAYS_PER_MONTH


def landmark(setting: Setting) -> Iterator[Rung]:
    """Compare risks and the adjusted hazard from a landmark on, six weeks after surgery by default.

    A risk is that of an event between the landmark and the horizon, which still counts from
    surgery. The start of treatment is read from the column ``<treatment>_start_months``: who
    starts later counts as control, and who was treated at an unknown time is left out.
    """
    month = setting.options.choices.landmark
    week = f"week {month * DAYS_PER_MONTH / 7:.3g}"
    start = setting.start
    unknown = np.isnan(start)
    started = setting.treated & (start <= month)
    present = (setting.time > month) & ~unknown
    late = setting.treated & ~started & present
    later = setting.subset(present, started)
    pairs = ArmPairs(later)
    note = f"from {week} on, {setting.counted(present)}"
    if late.any():
        note += f", {setting.counted(late)} treated later counted as control"
    if unknown.any():
        note += f", {setting.counted(unknown)} treated at an unknown time left out"

    def require_patients() -> None:
        setting.require_start()
        if not present.any():
            raise NotEstimableError(f"nobody whose start is known is under observation at {week}")

    def hazard_ratio() -> Contrast:
        require_patients()
        return adjusted(later)

    def risk_difference(horizon: float) -> Contrast:
        require_patients()
        if horizon <= month:
            raise NotEstimableError(f"month {horizon:g} is not after {week}")
        return difference(*pairs.risk(horizon).both)

    yield from later.rungs("landmark", {"risk_difference": risk_difference}, note)
    yield later.rung("landmark", "hazard_ratio", None, hazard_ratio, note)
