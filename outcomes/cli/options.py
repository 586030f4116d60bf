"""Options that several commands share: the figures, where replicate work is done, how far it is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outcomes.cli.console import messages, say, wrong_usage
from outcomes.errors import ParallelError
from outcomes.parallel import check_address, check_jobs, replicate

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# As many lines as a log of finished work may take where there is no terminal.
LINES = 20

Done = Callable[[int], None]

EvidenceFile = Annotated[
    Path | None,
    typer.Option(
        "--evidence", help="A TOML file or folder of figures; by default the source paper's."
    ),
]


def checked_jobs(context: typer.Context, jobs: int) -> int:
    """Refuse a wrong number of processes, whatever the work."""
    try:
        check_jobs(jobs)
    except ParallelError as error:
        raise wrong_usage(str(error)) from error
    _check_one_place(jobs, context.params.get("cluster"))
    return jobs


def _checked_cluster(context: typer.Context, cluster: str | None) -> str | None:
    if cluster is not None:
        try:
            check_address(cluster)
        except ParallelError as error:
            raise wrong_usage(str(error)) from error
        _check_one_place(context.params.get("jobs", 1), cluster)
    return cluster


def try_cluster(cluster: str | None) -> None:
    """Send a cluster one small item, so that one that cannot work is told before long work."""
    if cluster is not None:
        replicate(abs, [0], cluster=cluster)


def _check_one_place(jobs: int, cluster: str | None) -> None:
    if cluster is not None and jobs != 1:
        raise wrong_usage(f"found --jobs {jobs} and --cluster {cluster}; allowed: one of them")


Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        callback=checked_jobs,
        help="Processes on this machine; -1 for one per core. The results are the same.",
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        callback=_checked_cluster,
        metavar="tcp://HOST:PORT",
        help="A Dask scheduler that does the work instead (needs the extra 'cluster').",
    ),
]


@contextmanager
def counted(description: str, total: int) -> Iterator[Done]:
    """Show on stderr how much of replicate work is done, and the time left.

    The function yielded takes the number done. Where stderr is no terminal, it prints some
    twenty lines.
    """
    with counted_in_turn((description, total)) as (done,):
        yield done


@contextmanager
def counted_in_turn(*steps: tuple[str, int]) -> Iterator[tuple[Done, ...]]:
    """Show several steps of replicate work, one after the other, each as `counted` does.

    A function is yielded for each step; a later one is told by 0 that its step begins.
    """
    console = messages()
    if not console.is_terminal:
        yield tuple(_lines(description, total) for description, total in steps)
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        tasks = [
            bar.add_task(description, total=total, start=number == 0)
            for number, (description, total) in enumerate(steps)
        ]
        yield tuple(partial(_advance, bar, task) for task in tasks)


def _advance(bar: "Progress", task: "TaskID", done: int) -> None:
    if done == 0:
        bar.reset(task)
    bar.update(task, completed=done)


def _lines(description: str, total: int) -> Done:
    start, told = time.monotonic(), 0

    def show(done: int) -> None:
        nonlocal start, told
        if done == 0:
            start, told = time.monotonic(), 0
        elif done * LINES // total > told:
            told = done * LINES // total
            left = (time.monotonic() - start) / done * (total - done)
            say(f"{description}: {done}/{total}, {_duration(left)} left")

    return show


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
