"""`outcomes simulate` and `outcomes validate`: cohorts in files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outcomes.cli.console import (
    ENDPOINT_NAMES,
    check_ending,
    check_endpoints,
    check_output,
    progress,
    say,
    split_names,
    wrong_usage,
)
from outcomes.cli.options import EvidenceFile
from outcomes.errors import CalibrationError, CohortError

if TYPE_CHECKING:
    import pandas as pd

COHORT_ENDINGS = (".csv", ".parquet")
CohortFile = Annotated[Path, typer.Argument(help="Cohort, .csv or .parquet.")]
MappingFile = Annotated[
    Path | None,
    typer.Option("--map", help="TOML file that translates your column names and codes."),
]


@contextmanager
def naming(cohort: Path) -> Iterator[None]:
    """Let errors about a cohort name its file."""
    try:
        yield
    except CohortError as error:
        raise CohortError(error.violations, str(cohort), error.total) from error


def simulate(
    study: Annotated[str, typer.Option(help="Series, e.g. liu-2020.")],
    n: Annotated[int, typer.Option("-n", "--n", min=1, help="Rows to draw.")],
    out: Annotated[Path, typer.Option(help="File to write, .csv or .parquet.")],
    seed: Annotated[int, typer.Option(min=0, help="Same seed: same patients.")] = 0,
    calibration: Annotated[
        Path | None,
        typer.Option(help="What `outcomes calibrate` wrote; by default the source paper's."),
    ] = None,
    evidence: EvidenceFile = None,
    drawn_truth: Annotated[
        bool,
        typer.Option(
            "--drawn-truth",
            help="Take the truth from the ensemble of the calibration, one set by the seed.",
        ),
    ] = False,
) -> None:
    """Draw a synthetic cohort of any size, in constant memory."""
    check_output(check_ending(out, *COHORT_ENDINGS), calibration, evidence)
    from outcomes.evidence import load_evidence
    from outcomes.schema import write_cohort
    from outcomes.synthetic import (
        draw_truth,
        member_provenance,
        read_calibration,
        shipped_calibration,
        simulate_chunks,
        simulation_provenance,
    )
    from outcomes.synthetic.cohort import CHUNK_ROWS

    if evidence is not None and calibration is None:
        raise wrong_usage("--evidence needs --calibration, which was solved for these figures")
    solved = shipped_calibration()
    if calibration is not None:
        solved = read_calibration(calibration, load_evidence(evidence))
    solved.series_of(study)
    provenance = simulation_provenance(solved, study, n, seed)
    if drawn_truth:
        whole = solved
        try:
            solved, member = draw_truth(whole, seed)
        except CalibrationError as error:
            if calibration is None:
                raise
            raise CalibrationError(f"{calibration}: {error}") from error
        provenance |= member_provenance(whole, member)
    total = -(-n // CHUNK_ROWS)
    with progress(total) as step:

        def chunks() -> "Iterator[pd.DataFrame]":
            for number, part in enumerate(simulate_chunks(study, n, seed, calibration=solved)):
                step(f"Drawing part {number + 1} of {total}")
                yield part

        write_cohort(chunks(), out, provenance=provenance)
    say(f"{n:,} synthetic rows of {study} written to {out}")


def validate(
    cohort: CohortFile,
    mapping: MappingFile = None,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(help="Endpoint whose columns must be complete; may be repeated."),
    ] = None,
    covariates: Annotated[
        str | None, typer.Option(help="Columns that must be complete, separated by commas.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the cohort in the schema, .csv or .parquet.")
    ] = None,
) -> None:
    """Check a cohort against the schema; every violation is reported at once."""
    if out is not None:
        check_output(check_ending(out, *COHORT_ENDINGS), cohort, mapping)
    check_endpoints(endpoint, *ENDPOINT_NAMES, "hardware-failure")
    needed = split_names(covariates) or ()
    with progress(1 if out is None else 2) as step:
        step("Checking the cohort")
        from outcomes.schema import COLUMNS, read_cohort, write_cohort

        checked = read_cohort(cohort, endpoints=endpoint or (), covariates=needed, mapping=mapping)
        if out is not None:
            step("Writing")
            write_cohort(checked, out)
    others = [str(column) for column in checked.columns if column not in COLUMNS]
    kept = f"; kept as they are: {', '.join(others)}" if others else ""
    say(f"{cohort}: {len(checked):,} rows keep the schema{kept}")
