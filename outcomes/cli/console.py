"""What every command prints, and where."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from outcomes.errors import OutcomesError

if TYPE_CHECKING:
    from rich.console import Console

ENDPOINT_NAMES = ("overall-survival", "local-control")

Step = Callable[[str], None]


def messages() -> "Console":
    """Return the console of progress and messages: stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a message to stderr."""
    messages().print(text, markup=False)


def print_error(text: str) -> None:
    """Print an error to stderr."""
    say(f"error: {text}")


def wrong_usage(text: str) -> typer.BadParameter:
    """Return the exception that ends a command with status 2."""
    return typer.BadParameter(text)


@contextmanager
def progress(steps: int) -> Iterator[Step]:
    """Show a progress bar on stderr; the function yielded names the next of `steps` steps.

    Where stderr is no terminal, each step is a line.
    """
    console = messages()
    if not console.is_terminal:
        yield say
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("Starting", total=steps)
        done = count()

        def step(description: str) -> None:
            bar.update(task, description=description, completed=next(done))

        yield step
        bar.update(task, description="Done", completed=steps)


def check_ending(path: Path, *allowed: str) -> Path:
    """Return a path whose ending is among those allowed; wrong usage otherwise."""
    if path.suffix.lower() not in allowed:
        raise wrong_usage(f"{path}: unknown ending {path.suffix!r}; allowed: {', '.join(allowed)}")
    return path


def check_output(out: Path, *inputs: Path | None, folder: bool = False) -> Path:
    """Return an output that can be written, is none of the inputs and holds none.

    Parameters
    ----------
    out
        File to write.
    inputs
        What is read; None for what is not given.
    folder
        Whether a folder is written instead of a file.

    Raises
    ------
    BadParameter
        If `out` would replace an input, or a file would replace a folder.
    OutcomesError
        If nothing can be written where `out` is to stand.
    """
    try:
        target = out.resolve()
        for given in inputs:
            if given is None or not given.exists():
                continue
            if given.resolve().is_relative_to(target) or (out.exists() and out.samefile(given)):
                raise wrong_usage(
                    f"--out {out}: would replace the input {given}; allowed: another name"
                )
    except (OSError, RuntimeError) as error:
        raise wrong_usage(f"--out {out}: cannot be used ({error})") from error
    if out.is_dir() and not folder:
        raise wrong_usage(f"--out {out}: is a folder; allowed: a file")
    _check_place(out, target)
    return out


def _check_place(out: Path, target: Path) -> None:
    """Refuse a place where no file can be made; missing folders are made later."""
    try:
        there = next(parent for parent in target.parents if parent.exists())
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        raise OutcomesError(f"{out}: cannot be written ({error.strerror or error})") from error


def check_endpoints(names: list[str] | None, *allowed: str) -> None:
    """Refuse an endpoint that is not among those allowed, by default `ENDPOINT_NAMES`."""
    known = allowed or ENDPOINT_NAMES
    for name in names or ():
        if name not in known:
            raise wrong_usage(f"unknown endpoint {name!r}; allowed: {', '.join(known)}")


def split_names(text: str | None) -> list[str] | None:
    """Return the names of a comma-separated list; None stays None."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise wrong_usage(f"found {text!r}; allowed: names separated by commas")
    return names


def split_knots(text: str | None) -> dict[str, int] | None:
    """Return names and whole numbers of a list such as ``kps=4,age=3``; None stays None."""
    if text is None:
        return None
    pairs = [part.partition("=") for part in split_names(text) or ()]
    if not all(name.strip() and number.strip().isdigit() for name, _, number in pairs):
        raise wrong_usage(f"--splines: found {text!r}; allowed: columns and knots, kps=4,age=3")
    knots = {name.strip(): int(number) for name, _, number in pairs}
    if len(knots) < len(pairs):
        raise wrong_usage(f"--splines: found {text!r}; allowed: each column once")
    return knots


def split_pairs(text: str | None) -> list[tuple[str, str]] | None:
    """Return the pairs of a list such as ``sbrt:kps,sbrt:age``; None stays None."""
    if text is None:
        return None
    pairs = [tuple(map(str.strip, part.split(":"))) for part in split_names(text) or ()]
    if not all(len(pair) == 2 and all(pair) for pair in pairs):
        raise wrong_usage(f"--interactions: found {text!r}; allowed: pairs of columns, sbrt:kps")
    return [(pair[0], pair[1]) for pair in pairs]


def split_months(text: str, option: str, *, positive: bool = False) -> list[float]:
    """Return the months of a comma-separated list in their order, each once.

    Parameters
    ----------
    text
        What the user wrote.
    option
        Name of the option, for the message.
    positive
        Whether month 0 is refused.
    """
    try:
        months = [float(part) for part in text.split(",")]
    except ValueError:
        months = [-1.0]
    if not all(0 <= month < float("inf") for month in months) or (positive and 0 in months):
        above = " above 0" if positive else ""
        raise wrong_usage(f"{option}: found {text!r}; allowed: months{above} such as 3,6,12,24")
    return sorted(set(months))
