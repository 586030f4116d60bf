"""`outcomes recover`: whether each method of comparison recovers a known truth."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outcomes.cli.comparing import FEWEST_BOOTSTRAPS
from outcomes.cli.console import ENDPOINT_NAMES, check_endpoints, check_output, say, wrong_usage
from outcomes.cli.options import Cluster, EvidenceFile, Jobs, counted, try_cluster
from outcomes.errors import OutcomesError

if TYPE_CHECKING:
    from outcomes.laboratory import Recovery

# Fewer cohorts leave a Monte Carlo error that says nothing.
LEAST_COHORTS = 20
LEAST_PATIENTS, MOST_PATIENTS = 10, 50_000


def recover(
    out: Annotated[Path, typer.Option(help="Folder to make: recovery.html, .json and .csv.")],
    study: Annotated[str, typer.Option(help="Series whose patients are simulated.")] = "liu-2020",
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            help="Truth: no-effect, default, strong-effect; or, without effect, no-selection, "
            "double-selection, late-start, late-start-no-selection; may be repeated; by default "
            "all."
        ),
    ] = None,
    endpoint: Annotated[
        list[str] | None, typer.Option(help="Endpoint; may be repeated; by default both.")
    ] = None,
    patients: Annotated[
        str, typer.Option(help="Numbers of patients, separated by commas.")
    ] = "52,200,1000",
    replicates: Annotated[
        int, typer.Option(min=LEAST_COHORTS, help="Cohorts of each truth and size.")
    ] = 200,
    horizon: Annotated[
        float, typer.Option(help="Month of the differences of risks and restricted means.")
    ] = 12.0,
    bootstraps: Annotated[
        int,
        typer.Option(
            min=0,
            help="Bootstrap samples in each cohort for the intervals of the adjusted methods; by "
            "default those that compare gives.",
        ),
    ] = 0,
    jackknife_below: Annotated[
        int,
        typer.Option(
            min=0,
            help="In cohorts of fewer patients the jackknife gives these intervals, as in compare; "
            "0: influence functions, six times as fast.",
        ),
    ] = 300,
    calibration: Annotated[
        Path | None,
        typer.Option(help="What `outcomes calibrate` wrote; by default the source paper's."),
    ] = None,
    evidence: EvidenceFile = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed: same cohorts.")] = 0,
    jobs: Jobs = 1,
    cluster: Cluster = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the folder.")] = False,
) -> None:
    """Show bias, coverage and power of every method of comparison under known truths.

    At its defaults 4,200 cohorts: two hours on one core, one on two. The numbers of a truth, size
    and endpoint do not depend on what else is asked for, so that a long study can be run in parts.
    """
    check_output(out, calibration, evidence, folder=True)
    check_endpoints(endpoint)
    sizes = _sizes(patients)
    if 0 < bootstraps < FEWEST_BOOTSTRAPS:
        raise wrong_usage(
            f"--bootstraps: found {bootstraps}; allowed: 0, or at least {FEWEST_BOOTSTRAPS}"
        )
    if evidence is not None and calibration is None:
        raise wrong_usage("--evidence needs --calibration, which was solved for these figures")
    from outcomes.evidence import evidence_hash, load_evidence
    from outcomes.files import new_folder
    from outcomes.laboratory import (
        SCENARIOS,
        RecoveryPlan,
        get_scenario,
        recovery_tables,
        recovery_words,
    )
    from outcomes.synthetic import read_calibration, shipped_calibration

    try:
        scenarios = [get_scenario(name) for name in dict.fromkeys(scenario or SCENARIOS)]
    except OutcomesError as error:
        raise wrong_usage(f"--scenario: {error}") from error
    latest = max(one.choices.landmark for one in scenarios)
    if not latest < horizon < float("inf"):
        raise wrong_usage(
            f"--horizon: found {horizon:g}; allowed: a month after {latest:.3g}, the landmark"
        )
    solved = shipped_calibration()
    if calibration is not None:
        solved = read_calibration(calibration, load_evidence(evidence))
    plan = RecoveryPlan(
        study,
        scenarios,
        endpoints=endpoint or ENDPOINT_NAMES,
        sizes=sizes,
        cohorts=replicates,
        horizon=horizon,
        seed=seed,
        bootstraps=bootstraps,
        jackknife_below=jackknife_below,
        calibration=solved,
    )
    try_cluster(cluster)
    with new_folder(out, replace=force) as folder:
        with counted("Simulating cohorts", plan.total) as done:
            found = plan.run(jobs=jobs, cluster=cluster, progress=done)
        _write(found, folder, evidence_hash(solved.evidence))
    typer.echo(recovery_tables(found))
    for words in recovery_words(found):
        typer.echo(f"\n{words}")
    say(f"written to {out}")


def _write(found: "Recovery", folder: Path, evidence: str) -> None:
    import pandas as pd

    from outcomes import files, provenance
    from outcomes.laboratory import recovery_words
    from outcomes.reports.summary_recovery import recovery_page

    origin = provenance.collect(
        seed=found.seed, evidence_hash=evidence, command=_command(found)
    ).to_dict()
    data = {"finding": list(recovery_words(found)), **found.to_dict(), "provenance": origin}
    files.write_json(folder / "recovery.json", data)
    table = pd.DataFrame(found.to_records())
    text = table.to_csv(index=False, lineterminator="\n", float_format=f"%.{files.DIGITS}g")
    files.write_text(folder / "recovery.csv", text)
    files.write_text(folder / "recovery.html", recovery_page(found, origin))


def _command(found: "Recovery") -> str:
    """Return the command that gives the same, every option named."""
    repeated = [f"--scenario {one.name}" for one in found.scenarios]
    repeated += [f"--endpoint {name}" for name in found.endpoints]
    sizes = ",".join(str(size) for size in found.sizes)
    return (
        f"outcomes recover --study {found.study} {' '.join(repeated)} --patients {sizes} "
        f"--replicates {found.cohorts} --horizon {found.horizon:g} --bootstraps {found.bootstraps} "
        f"--jackknife-below {found.jackknife_below} --seed {found.seed}"
    )


def _sizes(text: str) -> list[int]:
    """Return the numbers of patients of a comma-separated list."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise wrong_usage(f"--patients: found {text!r}; allowed: whole numbers such as 52,200,1000")
    sizes = sorted({int(part) for part in parts})
    if sizes[0] < LEAST_PATIENTS or sizes[-1] > MOST_PATIENTS:
        raise wrong_usage(
            f"--patients: found {text!r}; allowed: {LEAST_PATIENTS} to {MOST_PATIENTS:,} each"
        )
    return sizes
