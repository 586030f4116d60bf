"""The places where replicate work is done."""

import pytest


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


def place_of(request):
    if request.param == "cluster":
        return {"cluster": request.getfixturevalue("scheduler")}
    return {"jobs": 1 + PLACES.index(request.param)}


@pytest.fixture(params=PLACES)
def place(request):
    """Where the work is done, as arguments of `replicate`."""
    return place_of(request)


@pytest.fixture(params=PLACES[1:])
def elsewhere(request):
    """Where but in this process the work is done, as arguments of `replicate`."""
    return place_of(request)
