"""Pain before and after treatment on the visual analogue scale, and its relief.

Pain is independent of prognosis.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from outcomes.arrays import FloatArray
from outcomes.synthetic.moments import Bounded

WORST_PAIN = 10.0


@dataclass(frozen=True)
class ArmPain:
    """Pain in one arm.

    Attributes
    ----------
    before
        Score before treatment.
    after
        Score after surgery (after SBRT where there was no operation), independent of the one
        before; None where it is what `fraction` leaves.
    fraction
        Share of the pain that goes; of the rest of the patients, see `worse`.
    worse
        Share of patients who get worse: to anything between their pain and the worst pain.
    treated
        Whether the arm got SBRT.
    after_sbrt
        Score after SBRT, of the same rank as the one after surgery; None where it is `sbrt_ratio`
        times that one.
    sbrt_ratio
        See there; 1 where SBRT was the only treatment.
    threshold
        Smallest decrease to the last score that counts as relief, in points.
    recorded
        Share of patients whose pain is known.
    """

    before: Bounded
    after: Bounded | None
    fraction: Bounded
    worse: float
    treated: bool
    after_sbrt: Bounded | None
    sbrt_ratio: float
    threshold: float
    recorded: float

    @property
    def ratio(self) -> float:
        """Last score over the score after surgery, where that makes the last one."""
        return self.sbrt_ratio if self.treated else 1.0

    @property
    def last(self) -> Bounded | None:
        """Distribution of the last score where it is drawn by itself."""
        if self.treated and self.after_sbrt is not None:
            return self.after_sbrt
        return self.after if self.ratio == 1 else None

    @property
    def after_moments(self) -> FloatArray:
        """The first four moments of the score after surgery."""
        if self.after is not None:
            return self.after.raw_moments
        kept = self.before.raw_moments * _complement(self.fraction.raw_moments, 1.0)
        room = _complement(self.before.raw_moments, WORST_PAIN)
        raised = _complement(room / np.arange(2, 6), WORST_PAIN)
        return np.asarray((1 - self.worse) * kept + self.worse * raised)

    @property
    def after_sbrt_moments(self) -> FloatArray:
        """The first four moments of the score after SBRT."""
        if self.after_sbrt is not None:
            return self.after_sbrt.raw_moments
        return np.asarray(self.after_moments * self.sbrt_ratio ** np.arange(1, 5))

    @property
    def decrease_moments(self) -> FloatArray:
        """The first four moments of the decrease after surgery."""
        before = np.concatenate([[1.0], self.before.raw_moments])
        if self.after is not None:
            after = np.concatenate([[1.0], self.after.raw_moments])
            signs = (-1.0) ** np.arange(5)
            return np.array(
                [
                    sum(comb(n, k) * before[n - k] * signs[k] * after[k] for k in range(n + 1))
                    for n in range(1, 5)
                ]
            )
        room = _complement(self.before.raw_moments, WORST_PAIN)
        orders = np.arange(1, 5)
        lost = (-1.0) ** orders * room / (orders + 1)
        return np.asarray(
            (1 - self.worse) * self.before.raw_moments * self.fraction.raw_moments
            + self.worse * lost
        )

    def decrease_at_most(self, points: float) -> float:
        """Return the probability that pain after surgery is at most so much less than before."""
        if self.after is not None:
            return float(self.before.below(self.after.grid + points).mean())
        return self._at_most(points, 1.0)

    @property
    def relief(self) -> float:
        """Share with relief: the last score is less than the first by the threshold."""
        if self.last is not None:
            return float(1 - self.before.below(self.last.grid + self.threshold).mean())
        if self.after is not None:
            last = self.ratio * self.after.grid
            return float(1 - self.before.below(last + self.threshold).mean())
        return 1 - self._at_most(self.threshold, self.ratio)

    def _at_most(self, points: float, ratio: float) -> float:
        """Return P(before - ratio x after <= points) where a fraction of the pain goes."""
        before = self.before.grid
        with np.errstate(divide="ignore", invalid="ignore"):
            gone = 1 - (before - points) / (ratio * before)
            added = ((before - points) / ratio - before) / (WORST_PAIN - before)
        relieved = self.fraction.below(gone)
        raised = 1 - np.clip(np.nan_to_num(added), 0, 1)
        return float((1 - self.worse) * relieved.mean() + self.worse * raised.mean())

    def draw(self, size: int, generator: np.random.Generator) -> dict[str, FloatArray]:
        """Draw scores and relief of patients of the arm, arrays of shape (size,)."""
        before = self.before.draw(size, generator)
        rank, is_worse, recorded = generator.random((3, size))
        if self.after is None:
            fraction = self.fraction.draw(size, generator)
            raised = before + (WORST_PAIN - before) * rank
            after = np.where(is_worse < self.worse, raised, before * (1 - fraction))
        else:
            after = self.after.quantile(rank)
        last = after
        if self.treated:
            last = self.ratio * after if self.after_sbrt is None else self.after_sbrt.quantile(rank)
        known = recorded < self.recorded
        return {
            "vas_before": np.where(known, np.round(before, 1), np.nan),
            "vas_after": np.where(known, np.round(after, 1), np.nan),
            "vas_after_sbrt": np.where(known & self.treated, np.round(last, 1), np.nan),
            "pain_relief": (before - last >= self.threshold).astype(np.float64),
        }


def _complement(moments: FloatArray, high: float) -> FloatArray:
    """Return the moments about 0 of `high` less a variable, from those of the variable."""
    raw = np.concatenate([[1.0], moments])
    return np.array(
        [
            sum(comb(n, k) * high ** (n - k) * (-1) ** k * raw[k] for k in range(n + 1))
            for n in range(1, raw.size)
        ]
    )


def draw_pain(
    pains: Mapping[str, ArmPain], arms: npt.NDArray[np.str_], generator: np.random.Generator
) -> dict[str, FloatArray]:
    """Draw pain scores and relief of patients whose arms are given.

    Parameters
    ----------
    pains
        Pain of each arm, by name.
    arms
        Arm of each patient, shape (n_patients,).
    generator
        Source of randomness.
    """
    drawn = {
        name: np.full(arms.size, np.nan)
        for name in ("vas_before", "vas_after", "vas_after_sbrt", "pain_relief")
    }
    for arm, pain in pains.items():
        rows = np.flatnonzero(arms == arm)
        for name, values in pain.draw(rows.size, generator).items():
            drawn[name][rows] = values
    return drawn
