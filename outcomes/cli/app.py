"""The commands put together, and what their exit statuses mean."""

import os
import signal
import sys
import threading
from types import FrameType

import typer

from outcomes.cli import (
    calibrating,
    cohorts,
    comparing,
    decision,
    modelling,
    powering,
    published,
    recovering,
    running,
)
from outcomes.cli.console import print_error
from outcomes.errors import OutcomesError

UNUSABLE = 3

app = typer.Typer(
    name="outcomes",
    help=(
        "Survival and outcomes modelling in spinal metastasis surgery.\n\n"
        "Results go to files or to stdout, progress and messages to stderr. "
        "Exit status: 0 done, 2 wrong usage, 3 unusable data or file, 1 a defect of ours."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(running.run)
app.command("evidence")(published.evidence)
app.command("calibrate")(calibrating.calibrate)
app.command("simulate")(cohorts.simulate)
app.command("validate")(cohorts.validate)
app.command("fit")(modelling.fit)
app.command("evaluate")(modelling.evaluate)
app.command("predict")(modelling.predict)
app.command("compare")(comparing.compare)
app.command("power")(powering.power)
app.command("recover")(recovering.recover)
app.command("noms")(decision.noms)


def main() -> None:
    """Run the command line; an error of the data ends it with status 3 and one message."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except OutcomesError as error:
        print_error(str(error))
        sys.exit(UNUSABLE)
    except OSError as error:
        # Files are told of by `OutcomesError`, and named in what Python raises on opening them.
        if error.filename is not None:
            raise
        print_error(f"stdout: cannot be written ({error.strerror or error})")
        # Python would try once more at its end, and fail as here.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(UNUSABLE)


def _terminate(number: int, _: FrameType | None) -> None:
    """End as by an exception, so that unfinished files are removed."""
    sys.exit(128 + number)


def _version(wanted: bool) -> None:
    if wanted:
        from outcomes.provenance import package_version

        typer.echo(package_version())
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    pass
