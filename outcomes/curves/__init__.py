"""Survival curves and the tests that compare them."""

from outcomes.curves.aalen_johansen import AalenJohansen, aalen_johansen
from outcomes.curves.kaplan_meier import KaplanMeier, kaplan_meier
from outcomes.curves.rank_tests import RankTest, gray_test, log_rank_test
from outcomes.curves.restricted_mean import (
    RestrictedMean,
    restricted_mean_survival_time,
    restricted_mean_time_lost,
)
from outcomes.curves.step import StepFunction

__all__ = [
    "AalenJohansen",
    "KaplanMeier",
    "RankTest",
    "RestrictedMean",
    "StepFunction",
    "aalen_johansen",
    "gray_test",
    "kaplan_meier",
    "log_rank_test",
    "restricted_mean_survival_time",
    "restricted_mean_time_lost",
]
