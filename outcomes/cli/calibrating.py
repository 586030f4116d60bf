"""`outcomes calibrate`: from published figures to parameters, their uncertainty, and a check."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outcomes.cli.console import check_ending, check_output, progress, say
from outcomes.cli.options import Cluster, EvidenceFile, Jobs, counted

if TYPE_CHECKING:
    from outcomes.synthetic import Calibration


def calibrate(
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    file: EvidenceFile = None,
    draws: Annotated[
        int,
        typer.Option(
            min=0,
            help="Solve again for this many draws of the figures and assumptions: intervals of "
            "all that follows from them.",
        ),
    ] = 0,
    cohorts: Annotated[
        int,
        typer.Option(
            min=0,
            help="Draw this many cohorts of each study at its published size: where do the "
            "published figures lie among theirs?",
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Same seed: same draws and cohorts.")] = 0,
    jobs: Jobs = 1,
    cluster: Cluster = None,
) -> None:
    """Solve the parameters that make synthetic series report the published figures."""
    check_output(check_ending(out, ".json"), file)
    from dataclasses import replace

    from outcomes.files import write_json

    with progress(3) as step:
        step("Loading")
        from outcomes.evidence import load_evidence
        from outcomes.synthetic import calibrate as solve
        from outcomes.synthetic import draw_ensemble, verification_size, verify

        calibration = solve(load_evidence(file), progress=step)
    if draws:
        with counted("Drawing the ensemble", draws) as done:
            ensemble = draw_ensemble(
                calibration, draws, seed, jobs=jobs, cluster=cluster, progress=done
            )
        calibration = replace(calibration, ensemble=ensemble)
    if cohorts:
        with counted("Drawing cohorts", verification_size(calibration, cohorts)) as done:
            verification = verify(
                calibration, cohorts, seed, jobs=jobs, cluster=cluster, progress=done
            )
        calibration = replace(calibration, verification=verification)
    write_json(out, calibration.to_dict())
    _summarise(calibration, out)


def _summarise(calibration: "Calibration", out: Path) -> None:
    fitted = calibration.fitted
    met = sum(bool(target.within) for target in fitted)
    solved = len(calibration.parameters)
    say(f"{met} of {len(fitted)} fitted figures met by {solved} parameters; written to {out}")
    for target in fitted:
        if not target.within:
            say(
                f"  not met: {target.id}: published {target.published:g}, "
                f"reached {target.achieved:.4g} {target.unit}"
            )
    if calibration.verification is not None:
        shown = calibration.verification.figures
        inside = sum(figure.inside for figure in shown)
        say(f"{inside} of {len(shown)} published figures lie in the central 95 % of the cohorts")
