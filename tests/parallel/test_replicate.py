"""Replicate work: the same results in this process, in several, and on a Dask cluster."""

import os
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest

from outcomes.errors import CohortError, ParallelError, Violation
from outcomes.parallel import replicate, spawn_seeds
from outcomes.synthetic import shipped_calibration
from outcomes.synthetic.fitting import calibration_problem
from outcomes.synthetic.replicates import draw_figures
from outcomes.synthetic.uncertainty import Errors, solve_member, solved_point

# Functions for the workers are made inside functions, so that they travel by value: a worker
# cannot import a test file.

VIOLATIONS = (Violation("age", 3, "old", "0 to 120 years"),)


def draws_and_linear_algebra():
    def function(seed):
        draws = np.random.default_rng(seed).normal(size=(300, 120))
        gram = draws.T @ draws
        parts = [
            gram.ravel(),
            np.linalg.svd(draws, compute_uv=False),
            np.linalg.solve(gram, gram[0]),
        ]
        return np.concatenate(parts).tobytes()

    return function


def test_results_come_in_the_order_of_the_items(place):
    def first_is_slowest(item):
        time.sleep(0.2 if item == 0 else 0)
        return item * 10

    assert replicate(first_is_slowest, range(7), **place) == [0, 10, 20, 30, 40, 50, 60]


def test_the_same_bytes_wherever_the_work_is_done(scheduler):
    function = draws_and_linear_algebra()
    seeds = spawn_seeds(11, 8)
    here = replicate(function, seeds)
    assert len(set(here)) == 8
    assert replicate(function, seeds, jobs=2) == here
    assert replicate(function, seeds, cluster=scheduler) == here


def test_work_is_spread_over_two_processes(scheduler):
    def process(_):
        time.sleep(0.2)
        return os.getpid()

    for place in ({"jobs": 2}, {"cluster": scheduler}):
        used = set(replicate(process, range(8), **place))
        assert len(used) == 2
        assert os.getpid() not in used
    assert set(replicate(process, range(2))) == {os.getpid()}
    assert len(replicate(process, range(2), jobs=-1)) == 2


def test_inside_a_call_nothing_else_runs_side_by_side(place):
    def threads_and_jobs(_):
        from joblib import Parallel, delayed
        from threadpoolctl import threadpool_info

        nested = Parallel(n_jobs=2)(delayed(os.getpid)() for _ in range(4))
        blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        return set(blas), set(nested) == {os.getpid()}

    assert replicate(threads_and_jobs, range(2), **place) == [({1}, True)] * 2


def test_threads_of_this_process_are_given_back():
    code = (
        "import numpy, scipy.linalg, threadpoolctl as t\n"
        "from outcomes.parallel import replicate\n"
        "count = lambda: [pool['num_threads'] for pool in t.threadpool_info()]\n"
        "t.threadpool_limits(2)\n"
        "before = count()\n"
        "assert 2 in before\n"
        "[inside] = replicate(lambda _: count(), [0])\n"
        "assert set(inside) == {1} and count() == before, (inside, before)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_progress_counts_every_item(place):
    seen = []
    replicate(abs, range(10), progress=seen.append, **place)
    assert seen == list(range(1, 11))


def test_no_items_give_no_results(place):
    assert replicate(abs, [], **place) == []


def test_structured_items_arrive_as_they_were(place):
    items = [(1, {"a": [2.0]}), {"pair": (1, None)}, [[]], None, "text", {3}]
    assert replicate(lambda item: item, items, **place) == items


def test_large_arrays_are_shared_and_may_be_changed(place):
    table = np.zeros(300_000)

    def change(shared, item):
        shared[item] += 1.0
        return float(shared[item])

    assert replicate(partial(change, table), range(4), **place) == [1.0] * 4
    assert table.sum() == (4.0 if place == {"jobs": 1} else 0.0)


def test_an_error_of_ours_arrives_as_it_was_raised(place):
    def fails(item):
        if item == 5:
            raise CohortError(VIOLATIONS, "hospital.csv")
        return item

    with pytest.raises(CohortError) as caught:
        replicate(fails, range(12), **place)
    assert str(caught.value) == str(CohortError(VIOLATIONS, "hospital.csv"))
    assert caught.value.violations == VIOLATIONS
    assert replicate(abs, range(3), **place) == [0, 1, 2]


def test_a_defect_arrives_as_it_was_raised(place):
    def fails(item):
        return 1 / item

    with pytest.raises(ZeroDivisionError, match="division by zero"):
        replicate(fails, [1, 0, 2], **place)


def test_an_error_of_the_progress_ends_the_work(place):
    class EnoughError(Exception):
        pass

    def stop(done):
        if done == 2:
            raise EnoughError

    with pytest.raises(EnoughError):
        replicate(abs, range(200), progress=stop, **place)


def test_a_worker_that_dies_is_told_and_the_next_work_is_done(elsewhere):
    from distributed import Client

    def dies(_):
        os._exit(1)

    with pytest.raises(ParallelError, match=r"lost its scheduler or workers|ended early"):
        replicate(dies, range(6), **elsewhere)
    if "cluster" in elsewhere:
        with Client(elsewhere["cluster"], set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
    assert replicate(abs, range(3), **elsewhere) == [0, 1, 2]


def refits_and_cohorts(**place):
    """What the commands send: refits of two draws, and figures of two simulated cohorts."""
    calibration = shipped_calibration()
    figures = (calibration.evidence.figure("liu-2020/deaths"),)
    options = {"calibration": calibration, "size": 20_000}
    problem = calibration_problem(calibration.evidence)
    errors = Errors.of(0.2 * np.eye(sum(map(len, problem.figures))))
    solve = partial(solve_member, problem, errors, solved_point(problem, calibration))
    drawn = draw_figures("liu-2020", figures, 2, 3, **options, **place)
    return drawn.tolist(), replicate(solve, spawn_seeds(8, 2), **place)


@pytest.fixture(scope="module")
def in_this_process():
    return refits_and_cohorts()


@pytest.mark.long
def test_ensembles_and_cohorts_are_the_same_everywhere(elsewhere, in_this_process):
    assert refits_and_cohorts(**elsewhere) == in_this_process


def test_seeds_are_independent_and_do_not_depend_on_their_number():
    few, many = spawn_seeds(5, 3), spawn_seeds(5, 6)
    states = [tuple(seed.generate_state(4)) for seed in many]
    assert [tuple(seed.generate_state(4)) for seed in few] == states[:3]
    assert len(set(states)) == 6
    assert states != [tuple(seed.generate_state(4)) for seed in spawn_seeds(6, 6)]
    child = spawn_seeds(np.random.SeedSequence(5), 1)[0]
    assert tuple(child.generate_state(4)) == states[0]


def test_the_door_opens_without_the_slow_libraries():
    code = (
        "import sys, outcomes.cli.options\n"
        "slow = {'joblib', 'distributed', 'scipy', 'pandas'} & set(sys.modules)\n"
        "raise SystemExit(f'imported: {slow}' if slow else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
