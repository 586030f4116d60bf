"""Do the published figures lie among those of simulated cohorts of the published size?"""

import json
import math

import numpy as np
import pytest

from outcomes.errors import OutcomesError
from outcomes.evidence import Figure, load_evidence
from outcomes.synthetic import shipped_calibration, verification_size, verify
from outcomes.synthetic.batches import make_batches
from outcomes.synthetic.nulls import null_rejections, null_tests
from outcomes.synthetic.replicates import _summary, draw_figures, figure_distributions
from outcomes.synthetic.verification import Verification

# 5 % +- 1.4 percentage points: two binomial standard errors of 1,000 tests.
LEVEL, MARGIN = 0.05, 0.014


def share(value, n=20, **options):
    return Figure(
        id="x-1/deaths",
        study="x-1",
        quantity="deaths",
        estimand="crude_proportion",
        role="fit",
        source="",
        value=value,
        unit="percent",
        n=n,
        **options,
    )


def test_percentiles_and_tails_by_hand():
    drawn = np.append(np.arange(1.0, 101.0), np.nan)
    found = _summary(share(10.0), drawn)
    assert (found.defined, found.lower, found.median, found.upper) == (100, 3, 50, 98)
    assert found.below == pytest.approx(0.10)
    assert found.above == pytest.approx(0.91)
    assert found.inside
    assert not _summary(share(2.0), drawn).inside
    assert sum(found.counts) == 100


def test_a_discrete_figure_counts_ties_on_both_sides():
    drawn = np.array([0.0] * 60 + [5.0] * 40)
    found = _summary(share(0.0), drawn)
    assert (found.below, found.above) == (0.6, 1.0)
    assert found.inside


def test_medians_that_are_not_reached_are_infinite():
    drawn = np.array([10.0] * 50 + [math.inf] * 50)
    found = _summary(share(10.0), drawn)
    assert found.upper == math.inf
    stored = json.loads(
        json.dumps(Verification(0, 100, (found,), ()).to_dict()).replace("Infinity", "null")
    )
    assert Verification.from_dict(stored).figures[0] == found


def test_a_figure_no_cohort_can_report():
    with pytest.raises(OutcomesError, match="cannot be computed in any"):
        _summary(share(10.0), np.full(5, np.nan))


@pytest.mark.long
def test_the_same_cohorts_on_any_number_of_processes():
    calibration = shipped_calibration()
    figures = [load_evidence().figure("liu-2020/overall_survival_median/alone")]
    drawn = [
        draw_figures("liu-2020", figures, 900, 5, calibration=calibration, jobs=jobs)
        for jobs in (1, 2)
    ]
    assert drawn[0].shape == (900, 1)
    assert np.array_equal(drawn[0], drawn[1], equal_nan=True)


def test_cohorts_of_lesions_have_whole_patients():
    calibration = shipped_calibration()
    figures = [load_evidence().figure("bate-2015/deaths")]
    found = figure_distributions("bate-2015", figures, 200, 1, calibration=calibration)[0]
    assert found.lower < 32 < found.upper
    assert found.median == pytest.approx(32, abs=1.5)


def test_every_null_on_an_endpoint_is_tested():
    tests = {test.id for test in null_tests(load_evidence())}
    nulls = {figure.id for figure in load_evidence().figures if figure.role == "null"}
    assert nulls - tests == {"gong-2021/null/quality_of_life/resection"}


def test_an_effect_would_be_found():
    """The tests have power: separation below 3 mm, taken as if it were a null."""
    from outcomes.synthetic import nulls

    calibration = shipped_calibration()
    test = nulls.NullTest("x", "laufer-2013", "local-control", "separation_below_3mm")
    batch = make_batches("laufer-2013", 5, 500, 1)[0]
    p = nulls._p_values((test,), calibration, batch)
    # Held fixed it cannot be tested; alone it is found every time.
    assert np.isnan(p).all()
    held = nulls.ADJUSTED["local-control"]
    without = {**nulls.ADJUSTED, "local-control": tuple(n for n in held if "separation" not in n)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nulls, "ADJUSTED", without)
        p = nulls._p_values((test,), calibration, batch)
    assert p.max() < 0.001


def test_progress_counts_every_cohort():
    calibration = shipped_calibration()
    seen: list[int] = []
    verification = verify(calibration, 5, 2, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == verification_size(calibration, 5)
    assert {figure.study for figure in verification.figures} == {
        series.study for series in calibration.series
    }


@pytest.fixture(scope="module")
def other_cohorts():
    """A verification of other cohorts than the shipped one."""
    return verify(shipped_calibration(), 1_000, 20, jobs=2)


@pytest.mark.long
def test_the_calibration_holds_in_a_thousand_cohorts(other_cohorts):
    for figure in other_cohorts.figures:
        assert figure.inside or (figure.tension and figure.role == "check"), figure
    assert all(null.tests >= 3_960 for null in other_cohorts.nulls)


@pytest.mark.long
def test_nulls_are_rejected_at_their_level(other_cohorts):
    for null in other_cohorts.nulls:
        assert null.rejected == pytest.approx(LEVEL, abs=MARGIN), null


def test_the_shipped_verification_holds():
    verification = shipped_calibration().verification
    assert verification is not None
    assert verification.cohorts == 1_000
    assert all(f.inside or f.tension for f in verification.figures)
    assert all(abs(null.rejected - LEVEL) <= MARGIN for null in verification.nulls)
    assert len(verification.nulls) == len(null_tests(load_evidence()))


def test_rejections_are_the_same_on_any_number_of_processes():
    calibration = shipped_calibration()
    found = [null_rejections(calibration, 6, 3, patients=400, jobs=jobs) for jobs in (1, 2)]
    assert found[0] == found[1]
