"""The cells over which an arm is integrated.

They are Karnofsky level x Gauss nodes of the remaining prognostic score, dose regimen, separation
below 3 mm or not, and two Gauss nodes in the start of SBRT.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.synthetic.case_mix import PrognosticCells
from outcomes.synthetic.effects import Effects, arm_share_below_3mm
from outcomes.synthetic.hazards import Course
from outcomes.synthetic.quadrature import uniform_nodes
from outcomes.synthetic.series import REGIMENS, Arm, Series

START_NODES = 2


def sbrt_start_nodes(series: Series) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of the month at which SBRT starts in a series."""
    return uniform_nodes(*series.sbrt_start, START_NODES)


@dataclass(frozen=True, eq=False)
class Cells:
    """Weights of the cells of an arm and what acts on them.

    The axes are prognostic cell, regimen, separation (3 mm or more, below), start of SBRT.
    """

    weights: FloatArray
    course: Course
    below_shares: FloatArray

    def average(self, values: FloatArray) -> FloatArray:
        """Return the average over the cells of values by cell and month."""
        total = np.tensordot(self.weights, values, axes=self.weights.ndim)
        return np.asarray(total / self.weights.sum())


def arm_cells(
    series: Series,
    arm: Arm,
    values: Mapping[str, float],
    effects: Effects,
    prognosis: PrognosticCells,
    probability: FloatArray,
    *,
    chosen: bool,
) -> Cells:
    """Return the cells of an arm.

    Parameters
    ----------
    series, arm
        Designs of the series and of the arm.
    values, effects
        Natural values of the series' own parameters, shared effects.
    prognosis, probability
        Prognostic cells and the probability of each, shape (n_cells,).
    chosen
        Whether SBRT was assigned; where it was not, the patients have all received it.
    """
    if not arm.treated:
        regimens, starts, before = {"none": 1.0}, (np.array([np.inf]), np.ones(1)), 1.0
    else:
        regimens = dict(zip(REGIMENS, arm.regimens, strict=True))
        starts = sbrt_start_nodes(series)
        before = float(chosen)
    if arm.procedure == "none":
        starts = np.zeros(1), np.ones(1)
    below = arm_share_below_3mm(arm, values)
    return _cells(prognosis, probability, regimens, below, starts, effects, before)


def _cells(
    prognosis: PrognosticCells,
    probability: FloatArray,
    regimens: Mapping[str, float],
    below: float,
    starts: tuple[FloatArray, FloatArray],
    effects: Effects,
    before: float,
) -> Cells:
    """Return the cells of an arm; `before` is 0 where all lived free of progression until SBRT."""
    used = [name for name, share in regimens.items() if share > 0]
    shares = np.array([regimens[name] for name in used])
    below_shares = np.array([1 - below, below])
    distance = np.array([1.0, effects.progression["below_3mm"]])
    ratio = np.array([effects.regimen(name) for name in used])
    start, start_weights = starts
    treated = "none" not in used
    course = Course(
        score=prognosis.scores.ravel()[:, None, None, None],
        sbrt_start=start[None, None, None, :],
        death_before=np.array(before),
        death_after=np.array(effects.death_hr_sbrt if treated else 1.0),
        progression_before=before * effects.regimen("none") * distance[None, None, :, None],
        progression_after=ratio[None, :, None, None] * distance[None, None, :, None],
        death_after_progression=effects.death_hr_after_progression,
    )
    weights = (
        probability[:, None, None, None]
        * shares[None, :, None, None]
        * below_shares[None, None, :, None]
        * start_weights[None, None, None, :]
    )
    return Cells(weights, course, below_shares)


def mean_kps(prognosis: PrognosticCells, probability: FloatArray) -> float:
    """Return the mean Karnofsky score of prognostic cells with these probabilities."""
    by_level = probability.reshape(prognosis.scores.shape).sum(axis=1)
    levels = 40.0 + 10.0 * np.arange(by_level.size)
    return float(by_level @ levels / by_level.sum())
