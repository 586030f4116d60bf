"""Where work cannot be done: numbers of jobs, addresses and clusters that are refused."""

import socket
import sys
import time

import pytest

from outcomes.errors import ParallelError
from outcomes.parallel import check_address, check_jobs, replicate


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
