"""Replicate work: the same results in this process, in several, and on a Dask cluster."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from functools import partial

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from outcomes.cli import options
from outcomes.cli.options import Cluster, Jobs, counted
from outcomes.errors import CohortError, ParallelError, Violation
from outcomes.parallel import check_address, check_jobs, replicate, spawn_seeds
from outcomes.synthetic import shipped_calibration
from outcomes.synthetic.fitting import calibration_problem
from outcomes.synthetic.replicates import draw_figures
from outcomes.synthetic.uncertainty import Errors, solve_member, solved_point

# Functions for the workers are made inside functions, so that they travel by value: a worker
# cannot import a test file.

VIOLATIONS = (Violation("age", 3, "old", "0 to 120 years"),)


@pytest.fixture(scope="module")
def scheduler():
    """Address of a Dask scheduler with two worker processes of one thread."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
    ) as cluster:
        cluster.wait_for_workers(2, timeout=60)
        yield cluster.scheduler_address


PLACES = ("one process", "two processes", "cluster")


@pytest.fixture(params=PLACES)
def place(request):
    """Where the work is done, as arguments of `replicate`."""
    if request.param == "cluster":
        return {"cluster": request.getfixturevalue("scheduler")}
    return {"jobs": 1 + PLACES.index(request.param)}


@pytest.fixture
def run_script(tmp_path):
    """Start a script of its own session, wait until it has printed a line."""
    started = []

    def start(body, *arguments):
        path = tmp_path / "script.py"
        # A shell that starts work in the background has it ignore interrupts.
        heard = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        path.write_text(heard + textwrap.dedent(body))
        process = subprocess.Popen(
            [sys.executable, "-W", "error", str(path), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


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


@pytest.mark.parametrize("kind", PLACES[1:])
def test_a_worker_that_dies_is_told_and_the_next_work_is_done(kind, request):
    from distributed import Client

    cluster = kind == "cluster"
    place = {"cluster": request.getfixturevalue("scheduler")} if cluster else {"jobs": 2}

    def dies(_):
        os._exit(1)

    with pytest.raises(ParallelError, match=r"lost its scheduler or workers|ended early"):
        replicate(dies, range(6), **place)
    if cluster:
        with Client(place["cluster"], set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
    assert replicate(abs, range(3), **place) == [0, 1, 2]


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


@pytest.mark.parametrize("elsewhere", PLACES[1:])
def test_ensembles_and_cohorts_are_the_same_everywhere(elsewhere, in_this_process, request):
    cluster = elsewhere == "cluster"
    place = {"cluster": request.getfixturevalue("scheduler")} if cluster else {"jobs": 2}
    assert refits_and_cohorts(**place) == in_this_process


def test_seeds_are_independent_and_do_not_depend_on_their_number():
    few, many = spawn_seeds(5, 3), spawn_seeds(5, 6)
    states = [tuple(seed.generate_state(4)) for seed in many]
    assert [tuple(seed.generate_state(4)) for seed in few] == states[:3]
    assert len(set(states)) == 6
    assert states != [tuple(seed.generate_state(4)) for seed in spawn_seeds(6, 6)]
    child = spawn_seeds(np.random.SeedSequence(5), 1)[0]
    assert tuple(child.generate_state(4)) == states[0]


@pytest.mark.parametrize("jobs", [0, -2, -10])
def test_an_impossible_number_of_jobs_is_refused(jobs):
    with pytest.raises(ParallelError, match=rf"found {jobs}; allowed: 1, 2, … or -1"):
        replicate(abs, [1], jobs=jobs)
    with pytest.raises(ParallelError):
        check_jobs(jobs)


@pytest.mark.parametrize(
    "address",
    [
        *("", "tcp://", "node:8786", "tls://node:8786", "TCP//node:1", "tcp://:8786", "tcp://[::1"),
        *(
            "tcp://node",
            "tcp://node:0",
            "tcp://node:eight",
            "tcp://node:99999",
            "tcp://node:1/path",
        ),
    ],
)
def test_a_malformed_address_is_refused(address):
    with pytest.raises(ParallelError, match="such as tcp://"):
        replicate(abs, [1], cluster=address)


def test_addresses_are_read():
    assert check_address("tcp://node-1.example:8786") == ("node-1.example", 8786)
    assert check_address("tcp://[::1]:8786/") == ("::1", 8786)


def test_jobs_and_cluster_together_are_refused():
    with pytest.raises(ParallelError, match="allowed: one of them"):
        replicate(abs, [1], jobs=2, cluster="tcp://127.0.0.1:8786")


def test_an_address_where_nobody_listens_is_refused_at_once():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    start = time.monotonic()
    with pytest.raises(ParallelError, match=f"tcp://127.0.0.1:{port}: no scheduler answers"):
        replicate(abs, [1], cluster=f"tcp://127.0.0.1:{port}")
    assert time.monotonic() - start < 3


def test_something_that_is_no_scheduler_is_refused(monkeypatch):
    from outcomes import cluster

    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ParallelError, match="no scheduler answers"):
            replicate(abs, [1], cluster=address)


def test_a_scheduler_without_workers_is_refused(monkeypatch):
    from distributed import LocalCluster

    from outcomes import cluster

    monkeypatch.setattr(cluster, "FIRST_WORKER_SECONDS", 0.5)
    with (
        LocalCluster(n_workers=0, processes=True, dashboard_address="127.0.0.1:0") as empty,
        pytest.raises(ParallelError, match=r"has no worker after 0\.5 s"),
    ):
        replicate(abs, [1], cluster=empty.scheduler_address)


def test_workers_with_other_versions_are_refused(monkeypatch, scheduler):
    from outcomes import cluster

    def answers(client, function):
        return {"tcp://worker:1": function() | {"numpy": "1.0"}}

    monkeypatch.setattr(cluster.Client, "run", answers)
    with pytest.raises(ParallelError, match=r"worker tcp://worker:1 has numpy 1\.0; allowed"):
        replicate(abs, [-1], cluster=scheduler)


def test_workers_without_the_package_are_refused(scheduler):
    from distributed import Client

    def lose_it():
        sys.modules.pop("outcomes.cluster", None)
        sys.modules["outcomes"] = None

    def find_it():
        del sys.modules["outcomes"]

    with Client(scheduler, set_as_default=False) as client:
        client.run(lose_it)
        try:
            with pytest.raises(ParallelError, match=r"cannot run this package .*installed as here"):
                replicate(abs, [-1], cluster=scheduler)
        finally:
            client.run(find_it)
    assert replicate(abs, [-1], cluster=scheduler) == [1]


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "outcomes.cluster", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ParallelError, match=r"pip install 'separation-outcomes\[cluster\]'"):
        replicate(abs, [1], cluster="tcp://127.0.0.1:8786")


NAPS = """
    import signal, sys, time
    from outcomes.parallel import replicate

    def nap(item):
        time.sleep(0.05)
        return item

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    place = {"jobs": 2} if sys.argv[1] == "2" else {"cluster": sys.argv[1]}
    try:
        replicate(nap, range(1_000), progress=lambda done: print(done, flush=True), **place)
    except KeyboardInterrupt:
        sys.exit(130)
    """


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("kind", PLACES[1:])
def test_an_interrupt_ends_at_once_and_quietly(run_script, request, kind, number, status):
    place = request.getfixturevalue("scheduler") if kind == "cluster" else "2"
    process = run_script(NAPS, place)
    assert process.stdout.readline() == "1\n"
    # Ctrl-C reaches every process of a terminal, another signal only ours.
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    # The pipes are at their end only when the workers have ended too.
    _, errors = process.communicate(timeout=20)
    assert process.returncode == status
    assert errors == ""


def test_work_done_leaves_nothing_behind(run_script, scheduler):
    body = """
        import sys
        import numpy as np
        from functools import partial
        from outcomes.parallel import replicate

        def add(table, item):
            return float(table[item] + item)

        if __name__ == "__main__":
            big = np.ones(500_000)
            for place in ({"jobs": 2}, {"cluster": sys.argv[1]}):
                print(sum(replicate(partial(add, big), range(20), **place)))
        """
    process = run_script(body, scheduler)
    printed, errors = process.communicate(timeout=60)
    assert printed == "210.0\n210.0\n"
    assert errors == ""
    assert process.returncode == 0


def test_the_door_opens_without_the_slow_libraries():
    code = (
        "import sys, outcomes.cli.options\n"
        "slow = {'joblib', 'distributed', 'scipy', 'pandas'} & set(sys.modules)\n"
        "raise SystemExit(f'imported: {slow}' if slow else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def command(*arguments):
    app = typer.Typer()

    @app.command()
    def work(jobs: Jobs = 1, cluster: Cluster = None) -> None:
        typer.echo(f"{jobs} {cluster}")

    return CliRunner().invoke(app, arguments)


def test_options_name_the_place():
    assert command().output == "1 None\n"
    assert command("--jobs", "-1").output == "-1 None\n"
    assert command("--cluster", "tcp://node:8786").output == "1 tcp://node:8786\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--jobs", "0"),
        ("--jobs", "many"),
        ("--cluster", "node:8786"),
        ("--jobs", "2", "--cluster", "tcp://node:8786"),
        ("--cluster", "tcp://node:8786", "--jobs", "2"),
    ],
)
def test_wrong_options_are_wrong_usage(arguments):
    done = command(*arguments)
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_without_a_terminal_work_is_told_in_some_twenty_lines(capsys):
    with counted("Refitting", 1_000) as show:
        for done in range(1, 1_001):
            show(done)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == options.LINES
    assert lines[0].startswith("Refitting: 50/1000, ")
    assert lines[-1] == "Refitting: 1000/1000, 0:00:00 left"
    with counted("Refitting", 3) as show:
        for done in (1, 2, 3):
            show(done)
    assert len(capsys.readouterr().err.splitlines()) == 3
