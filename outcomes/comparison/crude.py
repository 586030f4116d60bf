"""The arms as they are: no adjustment for who was treated."""

from collections.abc import Iterator

import numpy as np

from outcomes.comparison.by_patient import ArmPairs
from outcomes.comparison.contrast import (
    FEWEST_PATIENTS,
    Contrast,
    difference,
    number_needed_to_treat,
    ratio,
)
from outcomes.comparison.result import Rung
from outcomes.comparison.setting import Setting
from outcomes.cox import clustered_rank_test
from outcomes.curves.rank_tests import gray_test, log_rank_test
from outcomes.errors import NotEstimableError


def crude(setting: Setting) -> Iterator[Rung]:
    """Compare risks and restricted means by arm, and the whole curves by a rank test.

    All errors and tests count patients where some have several lesions.

    Without competing events the risk is 1 - Kaplan-Meier, the mean is restricted mean survival
    and the test log-rank; with them, Aalen-Johansen, restricted mean time lost and Gray's.
    """
    arms = ArmPairs(setting)
    competing = setting.endpoint.has_competing_events
    mean = "restricted_mean_time_lost" if competing else "restricted_mean"

    def risk_difference(horizon: float) -> Contrast:
        return difference(*arms.risk(horizon).both)

    yield from setting.rungs(
        "crude",
        {
            "risk_treated": lambda h: arms.risk(h).treated.alone(),
            "risk_control": lambda h: arms.risk(h).control.alone(),
            "risk_difference": risk_difference,
            "risk_ratio": lambda h: ratio(*arms.risk(h).both),
            "number_needed_to_treat": lambda h: number_needed_to_treat(risk_difference(h)),
            f"{mean}_treated": lambda h: arms.restricted_mean(h).treated.alone(),
            f"{mean}_control": lambda h: arms.restricted_mean(h).control.alone(),
            f"{mean}_difference": lambda h: difference(*arms.restricted_mean(h).both),
        },
    )
    test = "gray" if competing else "log_rank"
    yield setting.rung("crude", test, None, lambda: _test(setting, stratified=False))
    if setting.strata is not None:
        yield setting.rung(
            "stratified",
            test,
            None,
            lambda: _test(setting, stratified=True),
            f"within levels of {setting.strata}",
        )


def inflated(setting: Setting) -> Iterator[Rung]:
    """Treat competing events as censoring: 1 - Kaplan-Meier, which overstates every risk."""
    if not setting.endpoint.has_competing_events:
        return
    arms = ArmPairs(setting)
    yield from setting.rungs(
        "1 - Kaplan-Meier",
        {
            "risk_treated": lambda h: arms.naive_risk(h).treated.alone(),
            "risk_control": lambda h: arms.naive_risk(h).control.alone(),
            "risk_difference": lambda h: difference(*arms.naive_risk(h).both),
        },
        "treats competing events as censoring and overstates the risk",
    )


def _test(setting: Setting, *, stratified: bool) -> Contrast:
    """Return statistic and p value of the rank test between the arms."""
    for arm in setting.arms:
        if not arm.n:
            raise NotEstimableError(f"the arm '{arm.label}' has no patient")
    strata = None
    if stratified:
        strata = setting.cohort[setting.strata].astype(str).to_numpy()
    sample = setting.time, setting.codes, setting.treated
    if setting.repeated:
        if np.unique(setting.cluster).size < FEWEST_PATIENTS:
            raise NotEstimableError(f"there are fewer than {FEWEST_PATIENTS} patients")
        found = clustered_rank_test(*sample, setting.cluster, cause=1, strata=strata)
        return Contrast(
            found.statistic, p=found.p, note="robust: patients are counted, not lesions"
        )
    if setting.endpoint.has_competing_events:
        test = gray_test(*sample, cause=1, strata=strata)
    else:
        test = log_rank_test(*sample, strata=strata)
    return Contrast(test.statistic, p=test.p)
