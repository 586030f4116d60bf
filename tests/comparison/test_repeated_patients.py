import numpy as np
import pandas as pd
import pytest

from outcomes.comparison.cox import cox
from outcomes.comparison.crude import crude, inflated
from outcomes.comparison.landmark import landmark
from outcomes.comparison.setting import make_setting
from outcomes.endpoints import get_endpoint

PLAIN = (crude, inflated, cox, landmark)


def rungs(cohort, methods=PLAIN):
    setting = make_setting(cohort, get_endpoint("local-control"), "sbrt", (12, 24), None, None)
    return [one for method in methods for one in method(setting)]


def widths(found):
    return np.array([np.nan if one.lower is None else one.upper - one.lower for one in found])


@pytest.fixture
def lesions(cohort):
    return cohort.assign(patient_id=np.arange(len(cohort)).astype(str))


def test_a_patient_counted_twice_or_four_times_adds_nothing(lesions):
    twice = rungs(pd.concat([lesions] * 2))
    four = rungs(pd.concat([lesions] * 4))
    assert np.isfinite(widths(twice)).sum() > 15
    # Only Efron's ties see the copies.
    np.testing.assert_allclose(widths(twice), widths(four), rtol=0.01)


def test_the_intervals_of_risks_are_those_of_single_rows(lesions):
    once = rungs(lesions, (crude, inflated))
    twice = rungs(pd.concat([lesions] * 2), (crude, inflated))
    np.testing.assert_allclose(widths(twice), widths(once), rtol=0.01)
    assert all("no p value" in one.note for one in twice if one.estimand == "gray")


def test_the_hazard_ratios_are_as_certain_as_of_single_rows(lesions):
    # The sandwich of 400 patients is near the inverse information, not the same.
    np.testing.assert_allclose(
        widths(rungs(pd.concat([lesions] * 2), (cox, landmark))),
        widths(rungs(lesions, (cox, landmark))),
        rtol=0.08,
    )


def test_lesions_in_both_arms_count_their_covariance(lesions):
    # Each patient has the same lesion in both arms: the difference is 0 for certain.
    both = pd.concat([lesions.assign(sbrt=True), lesions.assign(sbrt=False)])
    found = [one for one in rungs(both, (crude,)) if one.estimand == "risk_difference"]
    assert [one.value for one in found] == [0, 0]
    assert all(one.lower is None or one.upper - one.lower < 1e-6 for one in found)
