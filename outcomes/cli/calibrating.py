"""`outcomes calibrate`: from published figures to parameters, their uncertainty, and a check."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outcomes.cli.console import check_ending, check_output, progress, say, wrong_usage
from outcomes.cli.options import Cluster, EvidenceFile, Jobs, counted, counted_in_turn, try_cluster
from outcomes.errors import CalibrationError

# Of a parameter of which the figures remove less than this share of the prior variance, its value
# is said to be the prior's.
LITTLE = 0.1
LEAST_DRAWS = 2
# Among fewer cohorts not one lies outside the central 95 %.
LEAST_COHORTS = 40

if TYPE_CHECKING:
    from outcomes.synthetic import Calibration


def _enough(least: int) -> Callable[[int], int]:
    """Return the check of a number that is 0, for none, or enough to say something."""

    def check(number: int) -> int:
        if 0 < number < least:
            raise wrong_usage(f"found {number}; allowed: 0, or at least {least}")
        return number

    return check


def calibrate(
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    file: EvidenceFile = None,
    draws: Annotated[
        int,
        typer.Option(
            min=0,
            callback=_enough(LEAST_DRAWS),
            help="Solve again for this many draws of the figures and assumptions: intervals of "
            f"all that follows from them. At least {LEAST_DRAWS}, or 0 for none.",
        ),
    ] = 0,
    cohorts: Annotated[
        int,
        typer.Option(
            min=0,
            callback=_enough(LEAST_COHORTS),
            help="Draw this many cohorts of each study at its published size: where do the "
            f"published figures lie among theirs? At least {LEAST_COHORTS}, or 0 for none.",
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
        from outcomes.synthetic.uncertainty import sampling_size

        try_cluster(cluster)
        registry = load_evidence(file)
        try:
            calibration = solve(registry, progress=step)
        except CalibrationError as error:
            if file is None:
                raise
            lines = str(error).splitlines()
            raise CalibrationError("\n".join(f"{file}: {line}" for line in lines)) from error
    if draws:
        steps = (
            ("Simulating sampling errors", sampling_size(calibration)),
            ("Drawing the ensemble", draws),
        )
        with counted_in_turn(*steps) as (simulated, done):
            ensemble = draw_ensemble(
                calibration,
                draws,
                seed,
                jobs=jobs,
                cluster=cluster,
                simulated=simulated,
                progress=done,
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
    from outcomes.synthetic.fitting import solved_together

    fitted = calibration.fitted
    met = sum(bool(target.within) for target in fitted)
    solved = len(calibration.parameters)
    say(
        f"{met} of {len(fitted)} fitted figures met; {solved} parameters were solved for "
        f"{solved_together(calibration)} of them; written to {out}"
    )
    missed = [target for target in fitted if not target.within]
    for target in sorted(missed, key=lambda target: -abs(target.z or 0)):
        say(
            f"  not met: {target.id}: published {target.published:g}, "
            f"reached {target.achieved:.4g} {target.unit}"
        )
    if missed:
        say("  figures that contradict each other: outcomes evidence --audit")
    if calibration.apart:
        say(f"  solved apart, the shared effects held: {', '.join(calibration.apart)}")
    _tell_own(calibration)
    if calibration.verification is not None:
        shown = calibration.verification.figures
        inside = sum(figure.inside for figure in shown)
        say(f"{inside} of {len(shown)} published figures lie in the central 95 % of the cohorts")


def _tell_own(calibration: "Calibration") -> None:
    """Say of each study that is not shipped what its figures leave open."""
    from outcomes.evidence import load_evidence
    from outcomes.synthetic.requirements import prior_driven

    shipped = {study.id for study in load_evidence().studies}
    for series in calibration.series:
        study = series.study
        if study in shipped or series.borrows:
            continue
        own = [parameter for parameter in calibration.parameters if parameter.study == study]
        for silent in prior_driven(calibration.evidence, study):
            say(f"  {study}: no figure speaks of {silent}: assumed, not fitted")
        assumed = [parameter.name for parameter in own if parameter.identified < LITTLE]
        if assumed:
            say(f"  {study}: hardly settled by the figures, so mostly prior: {', '.join(assumed)}")
