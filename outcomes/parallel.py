"""The one door for replicate work: many calls of one function, on several cores or a Dask cluster.

Which way the calls go changes no number: every item brings its own seed, linear algebra is held to
one thread, and nothing inside a call starts workers of its own.
"""

import warnings
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from outcomes.errors import ParallelError
from outcomes.workers import leave_interrupts_to_the_parent, run_item, thread_pools

if TYPE_CHECKING:
    from numpy.random import SeedSequence

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int], None]

ALL_CORES = -1


def replicate(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    jobs: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> list[Result]:
    """Call a function once for each item.

    Parameters
    ----------
    function
        Takes an item. For several processes or a cluster it must be picklable; what it carries
        (say, in a `functools.partial`) is sent once for many items, an item once for itself.
    items
        The arguments, such as the children of `spawn_seeds`.
    jobs
        Number of processes on this machine; -1 for one per core.
    cluster
        Address of a Dask scheduler, ``tcp://host:port``, instead of `jobs`. The scheduler and its
        workers are trusted: they run what they are sent, and what they send back is unpickled.
    progress
        Called with the number of finished items whenever another is done.

    Returns
    -------
    list
        The results in the order of the items.

    Raises
    ------
    ParallelError
        If `jobs` is neither positive nor -1, both `jobs` and `cluster` are given, the address is
        malformed, the extra ``cluster`` is missing, no scheduler or worker answers, the workers
        have other versions than this machine, or a worker process dies.

    Notes
    -----
    An exception of `function` ends the work and is raised here as it was raised there.
    """
    check_jobs(jobs)
    if cluster is not None:
        check_address(cluster)
        if jobs != 1:
            raise ParallelError(f"found jobs={jobs} and cluster={cluster!r}; allowed: one of them")
    todo = list(items)
    results: dict[int, Result] = {}
    arriving = _arriving(function, todo, jobs, cluster)
    try:
        for position, result in arriving:
            results[position] = result
            if progress is not None:
                progress(len(results))
    finally:
        with warnings.catch_warnings():
            # After an interrupt joblib warns of results that nobody took.
            warnings.simplefilter("ignore")
            arriving.close()
    return [results[position] for position in range(len(todo))]


def spawn_seeds(seed: "int | SeedSequence", n: int) -> "list[SeedSequence]":
    """Return independent seeds, one for each of `n` items; more items leave the first ones as is.

    Parameters
    ----------
    seed
        The seed of the whole; an integer gives the same children every time.
    n
        Number of children.
    """
    from numpy.random import SeedSequence

    root = seed if isinstance(seed, SeedSequence) else SeedSequence(seed)
    return root.spawn(n)


def check_jobs(jobs: int) -> None:
    """Refuse a number of processes that is neither positive nor -1 (`ParallelError`)."""
    if jobs != ALL_CORES and jobs < 1:
        raise ParallelError(f"jobs: found {jobs}; allowed: 1, 2, … or -1 for all cores")


def check_address(cluster: str) -> tuple[str, int]:
    """Return host and port of ``tcp://host:port``; `ParallelError` for anything else."""
    try:
        parts = urlsplit(cluster)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or cluster not in (f"tcp://{parts.netloc}", f"tcp://{parts.netloc}/"):
        raise ParallelError(
            f"cluster: found {cluster!r}; allowed: the address of a Dask scheduler, "
            "such as tcp://192.0.2.1:8786"
        )
    return host, port


def _arriving(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int, cluster: str | None
) -> Generator[tuple[int, Result]]:
    """Yield position and result of each item as they arrive."""
    if cluster is not None:
        try:
            from outcomes.cluster import on_cluster
        except ModuleNotFoundError as error:
            raise ParallelError(
                f"cluster {cluster}: needs dask.distributed, which is not installed; "
                "allowed: pip install 'separation-outcomes[cluster]'"
            ) from error
        return on_cluster(function, items, cluster)
    from joblib import cpu_count

    workers = min(cpu_count() if jobs == ALL_CORES else jobs, len(items))
    if workers > 1:
        return _on_processes(function, items, workers)
    return _in_this_process(function, items)


def _in_this_process(
    function: Callable[[Item], Result], items: Sequence[Item]
) -> Generator[tuple[int, Result]]:
    from joblib import parallel_config

    with thread_pools().limit(limits=1), parallel_config(backend="sequential"):
        for position, item in enumerate(items):
            yield position, function(item)


def _on_processes(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Generator[tuple[int, Result]]:
    from concurrent.futures.process import BrokenProcessPool

    from joblib import Parallel, delayed, parallel_config

    # Large arrays reach the workers as memory maps, "c" for copies that may be written to.
    with parallel_config(
        backend="loky",
        n_jobs=workers,
        inner_max_num_threads=1,
        mmap_mode="c",
        initializer=leave_interrupts_to_the_parent,
    ):
        spread = Parallel(return_as="generator_unordered")
    try:
        yield from spread(delayed(run_item)(function, *numbered) for numbered in enumerate(items))
    except BrokenProcessPool as error:
        reason = str(error).splitlines()[0]
        raise ParallelError(f"a worker process ended early ({reason})") from error
