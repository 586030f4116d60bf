"""`outcomes run`: the whole main job."""

from pathlib import Path
from typing import Annotated

import typer

from outcomes.cli.console import progress

STEPS = 8


def run(
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    n: Annotated[
        int, typer.Option("--n", "-n", min=200, help="Patients of each synthetic cohort.")
    ] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="Same seed and versions: same bytes.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace the folder.")] = False,
) -> None:
    """Calibrate, simulate, fit, evaluate, compare and write the reports."""
    with progress(STEPS) as step:
        step("Loading")
        from outcomes import study

        first = study.run(out, n=n, seed=seed, replace=force, progress=step)
    typer.echo(first)
