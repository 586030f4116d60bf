"""Replicate work on a Dask cluster, as a backend of joblib; needs the extra ``cluster``."""

import logging
import platform
import socket
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, TypeVar
from urllib.parse import urlsplit

from distributed import CancelledError, Client, Future, KilledWorker
from joblib import Parallel, delayed, parallel_config
from joblib.parallel import ParallelBackendBase

from outcomes.errors import ParallelError
from outcomes.workers import run_item

Item = TypeVar("Item")
Result = TypeVar("Result")

CONNECT_SECONDS = 5
FIRST_WORKER_SECONDS = 30
# A batch costs a message; this many a worker keep all of them busy to the end.
BATCHES_PER_WORKER = 32
# What decides a number; Python's own version decides whether functions can be unpickled.
SAME_VERSIONS = ("separation-outcomes", "numpy", "scipy", "pandas", "scikit-learn")


def on_cluster(
    function: Callable[[Item], Result], items: Sequence[Item], address: str
) -> Generator[tuple[int, Result]]:
    """Yield position and result of each item as they arrive from a cluster.

    Parameters
    ----------
    function
        Takes an item; sent to each worker once.
    items
        The arguments.
    address
        Of the scheduler, ``tcp://host:port``.

    Raises
    ------
    ParallelError
        If the scheduler or its workers do not answer, have other versions, or die.
    """
    with _connected(address) as client:
        _check_versions(client, address)
        backend = ClusterBackend(client)
        [shared] = client.scatter([function], broadcast=True, hash=False)
        batch = max(1, len(items) // (BATCHES_PER_WORKER * backend.effective_n_jobs(-1)))
        with parallel_config(backend=backend):
            spread = Parallel(return_as="generator_unordered", batch_size=batch, pre_dispatch="all")
        try:
            yield from spread(delayed(run_item)(shared, *numbered) for numbered in enumerate(items))
        except (KilledWorker, CancelledError) as error:
            raise ParallelError(
                f"cluster {address}: lost its scheduler or workers during the work "
                f"({type(error).__name__})"
            ) from error


class ClusterBackend(ParallelBackendBase):  # type: ignore[misc]  # joblib has no types
    """Hands joblib's batches to a Dask client.

    joblib's own backend for Dask waits for ever when a worker dies or cannot unpickle a task,
    because it hears of results only; here every end of a task is heard of.
    """

    supports_retrieve_callback = True
    default_n_jobs = -1

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.client = client

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return the number of the cluster's threads; there is no asking for fewer."""
        return max(1, int(sum(self.client.ncores().values())))

    def submit(self, func: Any, callback: Callable[[Future], None] | None = None) -> Future:
        """Send a batch; `callback` hears of its end, good or bad."""
        future = self.client.submit(_run_batch, func.items, pure=False)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    def retrieve_result_callback(self, out: Future) -> Any:
        """Return the results of a batch, or raise what it raised."""
        return out.result()


def _run_batch(calls: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]) -> Any:
    return [function(*args, **kwargs) for function, args, kwargs in calls]


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    """Connect to a scheduler; leaving it cancels what is still to be done."""
    where = urlsplit(address)
    try:
        # Dask itself tries a refused address again and again, and waits for ever for a silent one.
        with socket.create_connection((where.hostname, where.port), CONNECT_SECONDS) as tried:
            if not tried.recv(1):
                raise ConnectionError("it closed the connection")
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ParallelError(
            f"cluster {address}: no scheduler answers ({error}); "
            "allowed: the address of a running Dask scheduler"
        ) from error
    # Whoever leaves early has messages that are never sent; Dask reports each with a traceback.
    logging.getLogger("distributed.batched").setLevel(logging.WARNING)
    with client:
        yield client


def _check_versions(client: Client, address: str) -> None:
    """Refuse workers that are not there or might compute other numbers."""
    here = installed_versions()
    try:
        # First a task, so that a cluster that grows on demand starts a worker; then every worker,
        # since one without the package leaves its tasks lying; then a task of ours, which the
        # scheduler reads too.
        client.submit(len, (), pure=False).result(timeout=FIRST_WORKER_SECONDS)
        found = client.run(installed_versions)
        client.submit(installed_versions, pure=False).result(timeout=FIRST_WORKER_SECONDS)
    except TimeoutError as error:
        raise ParallelError(
            f"cluster {address}: has no worker after {FIRST_WORKER_SECONDS} s; "
            "allowed: a scheduler with at least one worker"
        ) from error
    except Exception as error:
        raise ParallelError(
            f"cluster {address}: cannot run this package ({error}); "
            "allowed: scheduler and workers with separation-outcomes installed as here"
        ) from error
    for worker, there in found.items():
        other = [name for name in here if there[name] != here[name]]
        if other:
            raise ParallelError(
                f"cluster {address}: worker {worker} has {_named(there, other)}; "
                f"allowed: the versions here, {_named(here, other)}"
            )


def _named(versions: dict[str, str], names: list[str]) -> str:
    return ", ".join(f"{name} {versions[name]}" for name in names)


def installed_versions() -> dict[str, str]:
    """Return the versions that decide whether two machines compute the same numbers."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"Python": python} | {name: version(name) for name in SAME_VERSIONS}
