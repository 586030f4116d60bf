"""`outcomes fit`, `evaluate` and `predict`: models in files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from outcomes.cli.cohorts import CohortFile, MappingFile
from outcomes.cli.console import (
    check_ending,
    check_output,
    progress,
    say,
    split_knots,
    split_months,
    split_names,
    split_pairs,
    wrong_usage,
)
from outcomes.cli.options import checked_jobs

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.models import CoxModel, FineGrayModel, ForestModel
    from outcomes.schema import Cohort

EndpointName = Literal["overall-survival", "local-control"]
ModelFile = Annotated[Path, typer.Argument(help="Model file that `outcomes fit` wrote.")]
TABLE_ENDINGS = (".csv", ".json", ".parquet")


def fit(
    cohort: CohortFile,
    endpoint: Annotated[EndpointName, typer.Option(help="What to model.")],
    out: Annotated[Path, typer.Option(help="Model file to write.")],
    model: Annotated[
        Literal["cox", "forest", "fine-gray"], typer.Option(help="Kind of model.")
    ] = "cox",
    covariates: Annotated[
        str | None,
        typer.Option(
            help="Columns, separated by commas; by default those of the main job the cohort has."
        ),
    ] = None,
    penalizer: Annotated[
        float, typer.Option(min=0, help="Ridge penalty of the Cox model, for sparse data.")
    ] = 0.0,
    separation: Annotated[
        Literal["threshold", "linear", "spline"] | None,
        typer.Option(
            help="Distance of separation: below 3 mm, in mm, or a restricted cubic spline."
        ),
    ] = None,
    splines: Annotated[
        str | None,
        typer.Option(
            help="Cox: numbers with a restricted cubic spline and its knots, kps=4,age=3."
        ),
    ] = None,
    interactions: Annotated[
        str | None,
        typer.Option(help="Cox: pairs of covariates whose products are added, sbrt:kps."),
    ] = None,
    time_dependent: Annotated[
        bool,
        typer.Option(
            "--time-dependent", help="Cox: SBRT acts from sbrt_start_months on, not from surgery."
        ),
    ] = False,
    weights: Annotated[str | None, typer.Option(help="Cox: column of case weights.")] = None,
    cluster_column: Annotated[
        str | None,
        typer.Option(help="Cox, Fine-Gray: column of hospitals or the like; robust errors."),
    ] = None,
    robust: Annotated[bool, typer.Option("--robust", help="Cox: robust standard errors.")] = False,
    mapping: MappingFile = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the forest.")] = 0,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs",
            "-j",
            callback=checked_jobs,
            help="Processes that grow the forest; -1 for all cores.",
        ),
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Fit a model to a cohort and store it; the file holds JSON and arrays, never code."""
    check_output(out, cohort, mapping)
    if out.suffix.lower() in TABLE_ENDINGS:
        raise wrong_usage(f"{out}: a model is no table; allowed: another ending, e.g. .model")
    names = split_names(covariates)
    only_cox = {
        "penalizer": penalizer or None,
        "splines": split_knots(splines),
        "interactions": split_pairs(interactions),
        "time_dependent": time_dependent or None,
        "weights": weights,
        "robust": robust or None,
    }
    asked: dict[str, Any] = {name: v for name, v in only_cox.items() if v is not None}
    if asked and model != "cox":
        option = next(iter(asked)).replace("_", "-")
        raise wrong_usage(f"--{option}: allowed with --model cox, not {model}")
    coding: dict[str, Any] = {} if separation is None else {"separation": separation}
    if cluster_column is not None:
        if model == "forest":
            raise wrong_usage("--cluster-column: allowed with --model cox, fine-gray, not forest")
        coding["cluster"] = cluster_column
    with progress(3) as step:
        step("Reading the cohort")
        from outcomes.models import CoxModel, FineGrayModel, ForestModel, save_model
        from outcomes.schema import read_cohort

        table = read_cohort(cohort, endpoints=[endpoint], covariates=names or (), mapping=mapping)
        table, repeated = _patients(table, endpoint)
        step("Fitting")
        fitted: CoxModel | FineGrayModel | ForestModel
        if model == "cox":
            fitted = CoxModel(endpoint=endpoint, covariates=names, **asked, **coding)
        elif model == "fine-gray":
            fitted = FineGrayModel(endpoint=endpoint, covariates=names, **coding)
        else:
            fitted = ForestModel(
                endpoint=endpoint, covariates=names, random_state=seed, n_jobs=jobs, **coding
            )
        fitted.fit(table)
        step("Writing")
        save_model(fitted, out, table.provenance)
    notes = [*repeated, *fitted.notes_]
    for note in notes:
        say(note)
    say(f"{model} model of {endpoint}, {fitted.n_training_:,} rows, written to {out}")
    if as_json:
        from outcomes.files import to_json

        typer.echo(to_json({**_description(fitted), "notes": notes}), nl=False)


def _patients(table: "Cohort", endpoint: str) -> "tuple[Cohort, list[str]]":
    """Return the rows that count for an endpoint, and a note where some do not."""
    from outcomes.schema import one_row_per_patient

    if endpoint != "overall-survival":
        return table, []
    patients, note = one_row_per_patient(table)
    return patients, [note] if note else []


def _description(model: "CoxModel | FineGrayModel | ForestModel") -> dict[str, Any]:
    from outcomes.models import ForestModel

    coefficients = [] if isinstance(model, ForestModel) else model.summary_.to_dict("records")
    return {
        "coefficients": coefficients,
        "endpoint": model.endpoint,
        "model": model.kind,
        "n": model.n_training_,
        "events": dict(model.events_),
        "covariates": list(model.design_.names),
        "omitted": dict(model.design_.omitted),
        "series": list(model.series_.names),
    }


def evaluate(
    model: ModelFile,
    cohort: CohortFile,
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    horizons: Annotated[str, typer.Option(help="Months, separated by commas.")] = "3,6,12,24",
    mapping: MappingFile = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
) -> None:
    """Evaluate a stored model on a cohort, best one it was not fitted to."""
    check_output(check_ending(out, ".json"), model, cohort, mapping)
    months = split_months(horizons, "--horizons", positive=True)
    with progress(3) as step:
        step("Reading the model and the cohort")
        from outcomes.files import write_json
        from outcomes.models import evaluate as measure
        from outcomes.models import load_model
        from outcomes.schema import read_cohort

        fitted = load_model(model)
        table = read_cohort(
            cohort, endpoints=[fitted.endpoint], covariates=_needed(fitted), mapping=mapping
        )
        table, repeated = _patients(table, str(fitted.endpoint))
        step("Evaluating")
        evaluation = measure(fitted, table, horizons=months, random_state=seed)
        step("Writing")
        write_json(out, {str(fitted.endpoint): {fitted.kind: evaluation.to_dict()}})
    for note in (*repeated, *evaluation.notes):
        say(note)
    say(f"written to {out}")


def _needed(model: "CoxModel | FineGrayModel | ForestModel") -> list[str]:
    return [covariate.name for covariate in model.design_.covariates]


def predict(
    model: ModelFile,
    patients: Annotated[Path, typer.Argument(help="Patients, .csv or .parquet.")],
    out: Annotated[Path, typer.Option(help="File to write, .csv, .json or .parquet.")],
    times: Annotated[str, typer.Option(help="Months, separated by commas.")] = "3,6,12,24",
    series: Annotated[
        str | None,
        typer.Option(help="Series whose baseline is used; by default their weighted average."),
    ] = None,
    survived: Annotated[
        float,
        typer.Option(
            min=0, help="Month until which the patients are known to have had no event yet."
        ),
    ] = 0.0,
    mapping: MappingFile = None,
) -> None:
    """Predict each patient's probability of being alive, or without local progression."""
    check_output(check_ending(out, *TABLE_ENDINGS), model, patients, mapping)
    months = split_months(times, "--times")
    with progress(3) as step:
        step("Reading the model and the patients")
        from outcomes.models import load_model
        from outcomes.models.prediction import predict_table
        from outcomes.schema import read_cohort

        fitted = load_model(model)
        table = read_cohort(patients, covariates=_needed(fitted), mapping=mapping)
        step("Predicting")
        predicted = predict_table(fitted, table, months, series=series, survived=survived)
        step("Writing")
        _write_table(predicted, out)
    named = [name for name in fitted.series_.names if name]
    where = series or ("the average of " + ", ".join(named) if len(named) > 1 else "")
    given = f", given no event by month {survived:g}" if survived else ""
    say(f"{len(table):,} patients predicted{where and f' in {where}'}{given}; written to {out}")


def _write_table(table: "pd.DataFrame", out: Path) -> None:
    from outcomes.files import replacing, write_json

    ending = out.suffix.lower()
    if ending == ".json":
        write_json(out, table.to_dict("records"))
        return
    with replacing(out) as unfinished:
        if ending == ".csv":
            table.to_csv(unfinished, index=False, lineterminator="\n")
        else:
            table.to_parquet(unfinished, index=False)
