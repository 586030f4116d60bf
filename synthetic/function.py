"""Pain and neurological function before and after treatment.

Bate's series is the one that prints both changes; the others take its figures.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.errors import CalibrationError
from outcomes.evidence import Evidence

GRADES = ("A", "B", "C", "D", "E")
WORST_PAIN = 10.0


def _number(evidence: Evidence, figure_id: str, name: str = "value") -> float:
    number = getattr(evidence.figure(figure_id), name)
    if number is None:
        raise CalibrationError(f"{figure_id}: {name} is needed")
    return float(number)


def draw_function(
    table: pd.DataFrame,
    patient: npt.NDArray[np.intp],
    evidence: Evidence,
    generator: np.random.Generator,
) -> dict[str, Any]:
    """Draw pain (visual analogue scale, 0-10) before and after, and Frankel grade after.

    The Frankel grade moves by at most one step; a grade E cannot improve, so that those with a
    deficit improve often enough for the published share.

    Parameters
    ----------
    table
        Rows with ``frankel`` and ``neurologic_deficit``.
    patient
        Patient of each row; lesions of one patient share all three.
    evidence
        Registry.
    generator
        Source of randomness.
    """
    count = int(patient[-1]) + 1
    before = generator.normal(evidence["vas_before_mean"], evidence["vas_before_sd"], count)
    before = np.clip(before, 0, WORST_PAIN)
    relief = generator.normal(
        _number(evidence, "bate-2015/vas_decrease"),
        _number(evidence, "bate-2015/vas_decrease", "sd"),
        count,
    )
    after = np.clip(before - relief, 0, WORST_PAIN)
    lesions = _number(evidence, "bate-2015/frankel_stable/surgery_sbrt", "n")
    improved = _number(evidence, "bate-2015/frankel_improved/surgery_sbrt") / lesions
    worse = _number(evidence, "bate-2015/frankel_worse/surgery_sbrt") / lesions
    improved_with_deficit = min(improved / evidence["share_neurologic_deficit"], 1 - worse)
    draw = generator.random(count)[patient]
    grade = pd.Index(GRADES).get_indexer(pd.Index(table["frankel"]))
    deficit = table["neurologic_deficit"].to_numpy(dtype=bool)
    step = np.where(draw < worse, -1, np.where(deficit & (draw > 1 - improved_with_deficit), 1, 0))
    changed = np.clip(grade + step, 0, len(GRADES) - 1)
    return {
        "vas_before": np.round(before, 1)[patient],
        "vas_after": np.round(after, 1)[patient],
        "frankel_after": np.asarray(GRADES)[changed],
    }
