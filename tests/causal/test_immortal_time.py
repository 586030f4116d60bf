import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.causal.immortal_time import immortal_time, poisson_rate, rate_ratio
from outcomes.errors import NotEstimableError, OutcomesError

NAN = math.nan

# Three treated patients with a known start, one without, four controls.
#            treated                     control
TIME = [10.0, 1.5, 20.0, 9.0, 0.5, 2.0, 12.0, 1.0]
EVENT = [1, 1, 0, 1, 1, 2, 1, 0]
TREATED = [1, 1, 1, 1, 0, 0, 0, 0]
START = [1.0, 3.0, 2.0, NAN, NAN, NAN, NAN, NAN]


def test_by_hand():
    found = immortal_time(TIME, EVENT, TREATED, START)
    assert (found.n_treated, found.n_control, found.n_unknown_start) == (3, 4, 1)
    assert found.treated_follow_up == 31.5
    assert found.follow_up == 47
    # 1 + 1.5 + 2 months; the second patient has the event before treatment.
    assert found.before_treatment == 4.5
    assert found.events_before == 1
    assert found.competing_before == 0
    assert found.share == pytest.approx(4.5 / 47)
    assert found.share_of_treated == pytest.approx(4.5 / 31.5)
    assert (found.median_start, found.last_start) == (2, 3)
    median, last = found.left_before_median, found.left_before_last
    assert (median.month, median.events, median.competing, median.censored) == (2, 1, 0, 1)
    assert (last.month, last.events, last.competing, last.censored, last.n) == (3, 1, 1, 1, 3)
    by_arm, by_treatment = found.by_arm, found.by_treatment
    assert (by_arm.treated.events, by_arm.treated.person_months) == (2, 31.5)
    assert (by_arm.control.events, by_arm.control.person_months) == (2, 15.5)
    assert (by_treatment.treated.events, by_treatment.treated.person_months) == (1, 27)
    assert (by_treatment.control.events, by_treatment.control.person_months) == (3, 20)
    assert by_arm.ratio.value == pytest.approx((2 / 31.5) / (2 / 15.5))
    assert by_treatment.treated.per_100_person_months.value == pytest.approx(100 / 27)


def test_ties_with_the_start():
    # An event as treatment begins comes before it, except on the day of surgery.
    found = immortal_time([2.0, 0.0, 5.0], [1, 1, 0], [1, 1, 0], [2.0, 0.0, NAN])
    assert found.events_before == 1
    assert found.before_treatment == 2
    assert found.by_treatment.treated.events == 1
    assert found.by_treatment.treated.person_months == 0
    assert math.isnan(found.by_treatment.treated.per_100_person_months.value)
    assert math.isnan(found.by_treatment.ratio.value)


def test_treatment_from_surgery_on_misplaces_nothing():
    found = immortal_time([4.0, 6, 5, 7], [1, 0, 1, 1], [1, 1, 0, 0], [0.0, 0, NAN, NAN])
    assert found.before_treatment == 0
    assert found.by_treatment == found.by_arm


def test_waiting_makes_an_ineffective_treatment_look_good():
    # A constant hazard, start at 2 months whatever happens later: who lives till then is treated.
    generator = np.random.default_rng(5)
    death = generator.exponential(4.0, 4000)
    meant = generator.random(4000) < 0.5
    treated = meant & (death > 2)
    found = immortal_time(death, np.ones(4000), treated, np.where(treated, 2.0, NAN))
    assert found.by_arm.ratio.upper < 0.8
    assert found.by_treatment.ratio.lower < 1 < found.by_treatment.ratio.upper
    assert found.events_before == 0
    assert found.left_before_median.events == (death < 2).sum()


patients = st.lists(
    st.tuples(
        st.floats(0, 60), st.sampled_from([0, 1, 2]), st.booleans(), st.floats(0, 20), st.booleans()
    ),
    max_size=25,
)


@given(patients)
def test_time_and_events_are_only_moved(rows):
    rows = [(5.0, 1, True, 1.0, True), (4.0, 0, False, 1.0, True), *rows]
    time, event, treated, start, known = (np.array(column) for column in zip(*rows, strict=True))
    months = np.where(treated & known, start, np.nan)
    found = immortal_time(time, event, treated, months)
    for number in ("events", "person_months"):
        moved = getattr(found.by_treatment.treated, number) + getattr(
            found.by_treatment.control, number
        )
        kept = getattr(found.by_arm.treated, number) + getattr(found.by_arm.control, number)
        assert moved == pytest.approx(kept)
    assert found.n_treated + found.n_control + found.n_unknown_start == len(rows)
    assert 0 <= found.share <= found.share_of_treated <= 1
    assert found.left_before_median.n <= found.left_before_last.n <= found.n_control
    json.dumps(found.to_dict(), allow_nan=False)


def test_as_plain_data():
    plain = immortal_time([2.0, 5.0], [1, 0], [1, 0], [2.0, NAN]).to_dict()
    assert plain["left_before_last"] == {
        "month": 2.0,
        "events": 0,
        "competing": 0,
        "censored": 0,
        "n": 0,
    }
    rate = plain["by_treatment"]["treated"]["per_100_person_months"]
    assert rate == {"value": None, "lower": None, "upper": None}
    assert plain["before_treatment"] == 2


def test_limits_of_rates_by_hand():
    # No event: the upper limit is -log(0.025) over the time.
    none = poisson_rate(0, 50.0).per_100_person_months
    assert (none.value, none.lower) == (0, 0)
    assert none.upper == pytest.approx(-math.log(0.025) / 50 * 100)
    # Garwood's table: 10 events, 4.795 to 18.390.
    ten = poisson_rate(10, 100.0).per_100_person_months
    assert ten.lower == pytest.approx(4.795, abs=5e-4)
    assert ten.upper == pytest.approx(18.390, abs=5e-4)


def test_ratios_of_rates_without_events():
    none, some = poisson_rate(0, 10.0), poisson_rate(4, 10.0)
    assert math.isnan(rate_ratio(none, none).value)
    assert math.isnan(rate_ratio(some, none).value)
    assert rate_ratio(some, none).lower > 0
    assert rate_ratio(none, some).value == rate_ratio(none, some).lower == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1, 2], [1, 0], [1, 0], [NAN, NAN]), NotEstimableError, "no treated patient has a known"),
        (([1, 2], [1, 0], [0, 0], [NAN, NAN]), NotEstimableError, "treated arm has no patient"),
        (([1, 2], [1, 0], [1, 1], [0, 0]), NotEstimableError, "control arm has no patient"),
        (([1, 2], [1, 0], [1, 0], [0.5, 0.5]), OutcomesError, r"row 2: found 0\.5 for a control"),
        (([1, 2], [1, 0], [1, 0], [-1, NAN]), OutcomesError, "start_months of row 1: found -1"),
        (([1, 2], [1, 0], [1, 0], [math.inf, NAN]), OutcomesError, "row 1: found inf"),
        (([1, 2], [3, 0], [1, 0], [0, NAN]), OutcomesError, "event of row 1: found 3"),
        (([1, -2], [1, 0], [1, 0], [0, NAN]), OutcomesError, "time of row 2"),
        (([1, 2], [1], [1, 0], [0, NAN]), OutcomesError, "as long as time"),
    ],
)
def test_impossible_input(arguments, error, message):
    with pytest.raises(error, match=message):
        immortal_time(*arguments)


@pytest.mark.parametrize(("events", "months"), [(-1, 5.0), (1, -5.0), (1, math.inf), (1, NAN)])
def test_impossible_rates(events, months):
    with pytest.raises(OutcomesError, match="person-months"):
        poisson_rate(events, months)
