"""The pain of each arm of a series, as the registry gives it.

A study that prints scores after treatment has them drawn from those; one that prints their
decrease has the pain before treatment relieved by a fraction. What a study does not print is taken
from Bate (the fraction) and Liu (SBRT, what counts as relief).
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq

from outcomes.evidence import Evidence, Figure
from outcomes.synthetic.moments import Bounded
from outcomes.synthetic.pain import WORST_PAIN, ArmPain
from outcomes.synthetic.published import printed, printed_for, printed_share, shares_by_arm
from outcomes.synthetic.series import Arm, Series

FRACTION_STUDY = "bate-2015"
SBRT_STUDY = "liu-2020"
# Where the mean pain before treatment is looked for.
LEAST_BEFORE, MOST_BEFORE, STEPS = 4.0, 9.5, 23


def arm_pains(
    series: Series, evidence: Evidence, weights: Mapping[str, float]
) -> dict[str, ArmPain]:
    """Return the pain of each arm of a series, by name.

    Parameters
    ----------
    series
        Design.
    evidence
        Registry.
    weights
        Patients (or lesions) of each arm.
    """
    found = {arm.name: _arm_pain(series, arm, evidence) for arm in series.arms}
    reliefs = shares_by_arm(evidence, series.study, "pain_relief", weights)
    reliefs = {arm: share for arm, share in reliefs.items() if 0 < share < 1}
    if not reliefs:
        return found
    settled = [arm for arm in reliefs if _is_settled(series.study, found[arm], arm, evidence)]
    settled = settled or [next(iter(reliefs))]
    for arm in settled:
        found[arm] = replace(found[arm], threshold=relief_threshold(found[arm], reliefs[arm]))
    common = found[settled[0]].threshold
    for arm, share in reliefs.items():
        if arm not in settled:
            found[arm] = _with_relief(replace(found[arm], threshold=common), share)
    return found


def _is_settled(study: str, pain: ArmPain, arm: str, evidence: Evidence) -> bool:
    """Whether the study prints the last score of an arm, so that it cannot be moved."""
    quantity = "vas_after_sbrt" if pain.treated and pain.after_sbrt is not None else "vas_after"
    return pain.after is None or printed_for(evidence, study, quantity, arm) is not None


def _arm_pain(series: Series, arm: Arm, evidence: Evidence) -> ArmPain:
    study = series.study
    design = evidence.design(study)
    before = Bounded(
        evidence.number(design.vas_before_mean), evidence.number(design.vas_before_sd), WORST_PAIN
    )
    printed_before = printed_for(evidence, study, "vas_before", arm.name)
    if printed_before is not None:
        before = _score(printed_before, before.sd)
    after = None
    if design.vas_after_mean is not None:
        sd = evidence.number(design.vas_after_sd)
        after = Bounded(evidence.number(design.vas_after_mean), sd, WORST_PAIN)
    printed_after = printed_for(evidence, study, "vas_after", arm.name)
    if printed_after is not None:
        after = _score(printed_after, evidence["vas_after_cv"] * (printed_after.value or 0.0))
    decrease = printed_for(evidence, study, "vas_decrease", arm.name)
    worse = evidence["share_pain_worse"]
    if decrease is not None and after is None:
        median = printed_for(evidence, study, "vas_decrease_median", arm.name)
        before, fraction = _relieved(decrease, median, before, worse, printed_before is None)
    else:
        fraction = _donor_fraction(evidence)
    after_sbrt = printed_for(evidence, study, "vas_after_sbrt", arm.name)
    return ArmPain(
        before=before,
        after=after,
        fraction=fraction,
        worse=worse,
        treated=arm.treated,
        after_sbrt=(
            None
            if after_sbrt is None
            else _score(after_sbrt, evidence["vas_after_cv"] * (after_sbrt.value or 0.0))
        ),
        sbrt_ratio=1.0 if arm.procedure == "none" else _sbrt_ratio(evidence),
        threshold=_donor_threshold(evidence),
        recorded=_recorded(decrease, series, arm),
    )


def _score(figure: Figure, sd: float) -> Bounded:
    return Bounded(figure.value or 0.0, figure.sd or sd, WORST_PAIN)


def _recorded(figure: Figure | None, series: Series, arm: Arm) -> float:
    if figure is None or figure.n is None:
        return 1.0
    lesions = arm.size if figure.arm else series.size
    return min(figure.n * (1 + series.second_lesions) / lesions, 1.0)


def _relieved(
    decrease: Figure, median: Figure | None, before: Bounded, worse: float, moves: bool
) -> tuple[Bounded, Bounded]:
    """Return the pain before, and the fraction of it that goes, of a study's printed decrease."""
    mean, sd = decrease.value or 0.0, decrease.sd
    if sd is None:
        # As wide as a fraction that may be anything between none and all.
        share = _mean_fraction(mean, before, worse)
        return before, Bounded(share, np.sqrt(share * (1 - share) / 3), 1.0)
    if median is None or median.value is None or not moves:
        return before, _fraction(mean, sd, before, worse)
    centre = _before_mean(mean, sd, median.value, before.sd, worse)
    before = before if centre is None else replace(before, mean=centre)
    return before, _fraction(mean, sd, before, worse)


def _mean_fraction(mean: float, before: Bounded, worse: float) -> float:
    share = (mean + worse * (WORST_PAIN - before.mean) / 2) / ((1 - worse) * before.mean)
    return float(np.clip(share, 0.001, 0.999))


def _fraction(mean: float, sd: float, before: Bounded, worse: float) -> Bounded:
    """Return the fraction of the pain that goes, from the decrease's mean and sd."""
    share = _mean_fraction(mean, before, worse)
    second = before.raw_moments[1]
    room = WORST_PAIN**2 - 2 * WORST_PAIN * before.mean + second
    square = (sd**2 + mean**2 - worse * room / 3) / ((1 - worse) * second)
    return Bounded(share, float(np.sqrt(max(square - share**2, 1e-6))), 1.0)


@lru_cache(maxsize=64)
def _before_mean(
    mean: float, sd: float, median: float, before_sd: float, worse: float
) -> float | None:
    """Return the mean pain before treatment that gives a decrease its median.

    None where none within the range does.
    """

    def excess(centre: float) -> float:
        before = Bounded(centre, before_sd, WORST_PAIN)
        fraction = _fraction(mean, sd, before, worse)
        pain = ArmPain(before, None, fraction, worse, False, None, 1.0, 0.0, 1.0)
        return pain.decrease_at_most(median) - 0.5

    centres = np.linspace(LEAST_BEFORE, MOST_BEFORE, STEPS)
    misses = np.array([excess(float(centre)) for centre in centres])
    turns = np.flatnonzero(np.sign(misses[:-1]) != np.sign(misses[1:]))
    if turns.size == 0:
        return None
    return float(brentq(excess, centres[turns[-1]], centres[turns[-1] + 1], xtol=1e-9))


def _donor_fraction(evidence: Evidence) -> Bounded:
    design = evidence.design(FRACTION_STUDY)
    before = Bounded(
        evidence.number(design.vas_before_mean), evidence.number(design.vas_before_sd), WORST_PAIN
    )
    decrease = evidence.figure(f"{FRACTION_STUDY}/vas_decrease")
    median = printed(evidence, FRACTION_STUDY, "vas_decrease_median")
    return _relieved(decrease, median, before, evidence["share_pain_worse"], True)[1]


def _sbrt_ratio(evidence: Evidence) -> float:
    after = evidence.number(evidence.design(SBRT_STUDY).vas_after_mean or 1.0)
    last = evidence.figure(f"{SBRT_STUDY}/vas_after_sbrt/sbrt").value
    return min((last or after) / after, 1.0)


def _donor_threshold(evidence: Evidence) -> float:
    design = evidence.design(SBRT_STUDY)
    before = Bounded(
        evidence.number(design.vas_before_mean), evidence.number(design.vas_before_sd), WORST_PAIN
    )
    last = _score(evidence.figure(f"{SBRT_STUDY}/vas_after_sbrt/sbrt"), 1.0)
    share = printed_share(evidence.figure(f"{SBRT_STUDY}/pain_relief/sbrt"))
    return _threshold(before, last, share)


def relief_threshold(pain: ArmPain, share: float) -> float:
    """Return the decrease that a share of the arm's patients reaches at least."""
    if pain.last is not None:
        return _threshold(pain.before, pain.last, share)

    def excess(points: float) -> float:
        return replace(pain, threshold=points).relief - share

    return float(brentq(excess, -WORST_PAIN, WORST_PAIN, xtol=1e-9))


@lru_cache(maxsize=64)
def _threshold(before: Bounded, last: Bounded, share: float) -> float:
    def excess(points: float) -> float:
        return float(1 - before.below(last.grid + points).mean()) - share

    return float(brentq(excess, -WORST_PAIN, WORST_PAIN, xtol=1e-9))


@lru_cache(maxsize=64)
def _with_relief(pain: ArmPain, share: float) -> ArmPain:
    """Return the arm with the mean score after surgery that gives it a share with relief."""
    after = pain.after
    if after is None:
        return replace(pain, threshold=relief_threshold(pain, share))

    def moved(mean: float) -> ArmPain:
        return replace(pain, after=replace(after, mean=mean))

    low, high = 0.05, WORST_PAIN - 0.05
    if moved(low).relief <= share or moved(high).relief >= share:
        return replace(pain, threshold=relief_threshold(pain, share))
    return moved(float(brentq(lambda mean: moved(mean).relief - share, low, high, xtol=1e-9)))
