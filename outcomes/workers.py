"""What a worker process of replicate work runs."""

import signal
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_item(function: Callable[[Item], Result], position: int, item: Item) -> tuple[int, Result]:
    """Return position and result of one item; what a worker runs."""
    from joblib import parallel_config

    _hold_threads()
    with parallel_config(backend="sequential"):
        return position, function(item)


def leave_interrupts_to_the_parent() -> None:
    """Ignore Ctrl-C, which reaches every process of a terminal; the parent ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@cache
def _hold_threads() -> None:
    """Hold linear algebra to one thread in this worker process, for good.

    Not call by call: the threads of one Dask worker would undo each other's limits.
    """
    thread_pools().limit(limits=1)


def thread_pools() -> Any:
    """Return the control of the thread pools, with the two BLAS that our calls use loaded."""
    import scipy.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
