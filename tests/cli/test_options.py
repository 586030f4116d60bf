"""The options on where work is done, and how far it is told to be."""

import pytest
import typer
from typer.testing import CliRunner

from outcomes.cli import options
from outcomes.cli.options import Cluster, Jobs, counted


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
