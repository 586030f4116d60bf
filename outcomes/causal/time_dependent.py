"""Treatment as it comes: untreated until it begins, treated from then on."""

import numpy as np

from outcomes.causal.memory import kept
from outcomes.causal.outcome_model import AT_SURGERY, Rows
from outcomes.causal.subjects import Subjects


@kept
def rows_from_start(subjects: Subjects) -> Rows:
    """Return patients as rows at risk before and after treatment begins.

    A series in which all were treated holds only those who lived until then: its patients come
    under observation when treatment begins. Treatment that begins at or after the end of
    follow-up does not count.
    """
    start = subjects.start
    begun = start < subjects.time
    at_once = start <= 0
    patients = np.arange(subjects.n)
    all_treated = (subjects.shares_treated == 1)[subjects.stratum]
    early, late = ~at_once & ~all_treated, begun | at_once
    return Rows(
        patient=np.concatenate([patients[early], patients[late]]),
        entry=np.concatenate(
            [np.full(early.sum(), AT_SURGERY), np.where(at_once, AT_SURGERY, start)[late]]
        ),
        exit=np.concatenate([np.where(begun, start, subjects.time)[early], subjects.time[late]]),
        codes=np.concatenate([np.where(begun, 0, subjects.codes)[early], subjects.codes[late]]),
        treated=np.concatenate(
            [np.zeros(early.sum(), dtype=np.bool_), np.ones(late.sum(), dtype=np.bool_)]
        ),
    )
