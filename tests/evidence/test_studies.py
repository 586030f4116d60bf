"""The studies of the registry, and as what some of their figures are read."""

import pytest

from outcomes.evidence import load_evidence

EVIDENCE = load_evidence()


def test_studies_of_the_interface() -> None:
    patients = {study.id: study.n for study in EVIDENCE.studies}
    assert patients == {
        "laufer-2013": 186,
        "gong-2021": 36,
        "bate-2015": 57,
        "liu-2020": 52,
        "amankulor-2014": 318,
        "hikata-2017": None,
        "echt-2021": None,
        "xu-2021": 55,
        "cofano-2020": 9,
        "li-2022": None,
    }


ESTIMANDS = {
    "cumulative_incidence": ["laufer-2013/local_progression_12m/single_24"],
    "kaplan_meier_complement": ["gong-2021/local_progression_12m/aggressive"],
    "kaplan_meier": ["gong-2021/overall_survival_12m/moderate", "amankulor-2014/local_control_12m"],
    "kaplan_meier_median": ["liu-2020/overall_survival_median/sbrt"],
    "median_among_observed": ["laufer-2013/time_of_progression", "bate-2015/follow_up_died"],
    "mean_among_observed": ["liu-2020/time_of_progression/alone", "laufer-2013/follow_up_mean"],
    "crude_proportion": ["liu-2020/local_progression_crude/alone"],
}


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_reading(estimand: str) -> None:
    for identifier in ESTIMANDS[estimand]:
        assert EVIDENCE.figure(identifier).estimand == estimand
