"""`outcomes compare`: two arms of a cohort."""

from pathlib import Path
from typing import Annotated

import typer

from outcomes.cli.cohorts import CohortFile, MappingFile
from outcomes.cli.console import (
    check_endpoints,
    check_output,
    progress,
    say,
    split_months,
    split_names,
)


def compare(
    cohort: CohortFile,
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    treatment: Annotated[str, typer.Option(help="Column of two values.")] = "sbrt",
    endpoint: Annotated[
        list[str] | None,
        typer.Option(help="Endpoint; may be repeated; by default both that the cohort has."),
    ] = None,
    horizon: Annotated[str, typer.Option(help="Months, separated by commas.")] = "12,24",
    covariates: Annotated[
        str | None,
        typer.Option(help="Adjusting columns, separated by commas; by default the usual ones."),
    ] = None,
    mapping: MappingFile = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the folder.")] = False,
) -> None:
    """Compare two arms by every method; write JSON, CSV and a page."""
    check_output(out, cohort, mapping, folder=True)
    horizons = split_months(horizon, "--horizon", positive=True)
    names = split_names(covariates)
    check_endpoints(endpoint)
    with progress(3) as step:
        step("Reading the cohort")
        from outcomes.files import new_folder
        from outcomes.own_cohort import compare_cohort, usable_endpoints, write_comparison
        from outcomes.schema import read_cohort

        table = read_cohort(cohort, covariates=[treatment, *(names or ())], mapping=mapping)
        wanted = usable_endpoints(table, endpoint, source=str(cohort))
        step("Comparing")
        with new_folder(out, replace=force) as folder:
            results = compare_cohort(
                table,
                endpoints=wanted,
                treatment=treatment,
                horizons=horizons,
                covariates=names,
                source=cohort.name,
            )
            step("Writing")
            write_comparison(results, folder)
    for comparison in results.comparisons.values():
        for note in comparison.notes:
            say(note)
        for rung in comparison.rungs:
            if rung.method in ("cox-adjusted", "landmark") and rung.horizon_months is None:
                say(f"{comparison.endpoint}, {rung.method}: {rung.note}")
    typer.echo(out / "comparison.html")
