"""`outcomes compare`: two arms of a cohort."""

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outcomes.cli.cohorts import CohortFile, MappingFile, naming
from outcomes.cli.console import (
    check_endpoints,
    check_output,
    progress,
    say,
    split_months,
    split_names,
    wrong_usage,
)
from outcomes.cli.options import Jobs
from outcomes.errors import OutcomesError

if TYPE_CHECKING:
    from outcomes.comparison import Below, Levels, Options

FEWEST_BOOTSTRAPS = 50
DOSE_BOOTSTRAPS = 200
TOLD = ("cox-adjusted", "landmark")


def compare(
    cohort: CohortFile,
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    treatment: Annotated[
        str,
        typer.Option(
            help="Column of two values: truth values, numbers (the larger is treated), or texts "
            "(none, control and the like are not; --levels says which is)."
        ),
    ] = "sbrt",
    endpoint: Annotated[
        list[str] | None,
        typer.Option(help="Endpoint; may be repeated; by default both that the cohort has."),
    ] = None,
    horizon: Annotated[str, typer.Option(help="Months, separated by commas.")] = "12,24",
    covariates: Annotated[
        str | None,
        typer.Option(help="Adjusting columns, separated by commas; by default the usual ones."),
    ] = None,
    levels: Annotated[
        str | None,
        typer.Option(help="Which two values are compared: treated, control; others are left out."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="Of a treatment that is a number: those below it are the treated."),
    ] = None,
    dose_response: Annotated[
        bool,
        typer.Option(
            "--dose-response",
            help="Also the risk by the treatment's value, against that at the threshold, from 200 "
            "bootstrap samples (or --bootstraps).",
        ),
    ] = False,
    bootstraps: Annotated[
        int,
        typer.Option(
            min=0,
            help="Samples for the intervals of the adjusted methods, at least "
            f"{FEWEST_BOOTSTRAPS}; 0: by influence functions ({FEWEST_BOOTSTRAPS} for the forest).",
        ),
    ] = 0,
    truncate_weights: Annotated[
        float | None,
        typer.Option(help="Share of the treatment weights to cut at either end, such as 0.01."),
    ] = None,
    grace_weeks: Annotated[
        str,
        typer.Option(help="Weeks after surgery in which treatment is to begin, for the clones."),
    ] = "2,6",
    landmark_weeks: Annotated[
        float, typer.Option(min=0.1, help="Weeks after surgery of the landmark.")
    ] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap and the forest.")] = 0,
    jobs: Jobs = 1,
    mapping: MappingFile = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the folder.")] = False,
) -> None:
    """Compare two arms by every method; write JSON, CSV and a page."""
    check_output(out, cohort, mapping, folder=True)
    horizons = split_months(horizon, "--horizon", positive=True)
    names = split_names(covariates)
    check_endpoints(endpoint)
    if levels is not None and threshold is not None:
        raise wrong_usage("found --levels and --threshold; allowed: one of them")
    if dose_response and threshold is None:
        raise wrong_usage("--dose-response: needs --threshold, the value to compare others with")
    split_by = _split(levels, threshold)
    grace = _grace(grace_weeks)
    if 0 < bootstraps < FEWEST_BOOTSTRAPS:
        raise wrong_usage(
            f"--bootstraps: found {bootstraps}; allowed: 0, or at least {FEWEST_BOOTSTRAPS}"
        )
    if truncate_weights is not None and not 0 < truncate_weights < 0.5:
        raise wrong_usage(
            f"--truncate-weights: found {truncate_weights:g}; allowed: above 0, below 0.5"
        )
    with progress(3 + dose_response) as step:
        step("Reading the cohort")
        from outcomes.files import new_folder
        from outcomes.own_cohort import (
            compare_cohort,
            usable_endpoints,
            write_comparison,
            write_dose_responses,
        )
        from outcomes.schema import DAYS_PER_MONTH, read_cohort

        table = read_cohort(cohort, covariates=[treatment, *(names or ())], mapping=mapping)
        wanted = usable_endpoints(table, endpoint, source=str(cohort))
        step("Comparing")
        month = 7 / DAYS_PER_MONTH
        with new_folder(out, replace=force) as folder, naming(cohort):
            results = compare_cohort(
                table,
                endpoints=wanted,
                treatment=treatment,
                horizons=horizons,
                covariates=names,
                source=cohort.name,
                options=_options(
                    truncate=truncate_weights,
                    landmark=landmark_weeks * month,
                    grace=(grace[0] * month, grace[1] * month),
                    bootstraps=bootstraps,
                    seed=seed,
                    jobs=jobs,
                ),
                split_by=split_by,
            )
            if dose_response and threshold is not None:
                step("Varying the dose")
                doses = write_dose_responses(
                    table,
                    folder,
                    endpoints=wanted,
                    column=treatment,
                    horizons=horizons,
                    reference=threshold,
                    covariates=names,
                    bootstraps=bootstraps or DOSE_BOOTSTRAPS,
                    seed=seed,
                    jobs=jobs,
                )
                results = dataclasses.replace(results, dose_responses=doses)
            step("Writing")
            write_comparison(results, folder)
    for comparison in results.comparisons.values():
        for note in comparison.notes:
            say(note)
        for rung in comparison.rungs:
            if rung.method in TOLD and rung.horizon_months is None:
                say(f"{comparison.endpoint}, {rung.method}: {rung.note}")
    typer.echo(out / "comparison.html")


def _grace(text: str) -> tuple[float, float]:
    """Return the first and the last week in which treatment is to begin."""
    try:
        first, last = (float(part) for part in text.split(","))
    except ValueError:
        first = last = math.nan
    if not 0 <= first < last < math.inf:
        raise wrong_usage(
            f"--grace-weeks: found {text!r}; allowed: two increasing weeks from 0 on such as 2,6"
        )
    return first, last


def _options(
    *,
    truncate: float | None,
    landmark: float,
    grace: tuple[float, float],
    bootstraps: int,
    seed: int,
    jobs: int,
) -> "Options":
    from outcomes.comparison import Choices, Options

    choices = Choices(truncate=truncate, landmark=landmark, grace=grace)
    return Options(choices, bootstraps=bootstraps, seed=seed, jobs=jobs)


def _split(levels: str | None, threshold: float | None) -> "Levels | Below | None":
    from outcomes.comparison import Below, Levels

    if threshold is not None:
        try:
            return Below(threshold)
        except OutcomesError as error:
            raise wrong_usage(f"--{error}") from error
    names = split_names(levels)
    if names is None:
        return None
    if len(names) != 2:
        raise wrong_usage(f"--levels: found {levels!r}; allowed: two values, treated,control")
    return Levels(names[0], names[1])
