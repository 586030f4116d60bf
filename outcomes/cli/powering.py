"""`outcomes power`: how many patients show an effect."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from outcomes.cli.console import ENDPOINT_NAMES, check_endpoints, check_output, say, wrong_usage
from outcomes.cli.options import Cluster, EvidenceFile, Jobs, counted, try_cluster
from outcomes.errors import OutcomesError

if TYPE_CHECKING:
    from outcomes.power import PowerStudy, TrialDesign

# Fewer trials leave a Monte Carlo error that says nothing.
LEAST_TRIALS = 20
MOST_PATIENTS = 200_000


def power(
    out: Annotated[Path, typer.Option(help="Folder to make: power.json and power.csv.")],
    study: Annotated[str, typer.Option(help="Series whose patients enter.")] = "liu-2020",
    endpoint: Annotated[str, typer.Option(help="Endpoint.")] = ENDPOINT_NAMES[0],
    effect: Annotated[
        float, typer.Option(help="Hazard ratio of death from the start of SBRT on.")
    ] = 0.7,
    progression_effect: Annotated[
        float,
        typer.Option(
            help="How much there is of SBRT's calibrated effect on local progression, which "
            "hastens death: 1 all, 0 none."
        ),
    ] = 1.0,
    horizon: Annotated[
        float, typer.Option(help="Month of the differences of risks and restricted means.")
    ] = 24.0,
    patients: Annotated[
        str | None,
        typer.Option(
            help="Numbers of patients to simulate, separated by commas; by default six around "
            "what Schoenfeld's formula gives."
        ),
    ] = None,
    design: Annotated[
        Literal["trial", "registry"],
        typer.Option(help="SBRT by chance, analysed as assigned; or by choice, as received."),
    ] = "trial",
    allocation: Annotated[
        str | None, typer.Option(help="Treated to control patients of a trial; by default 1:1.")
    ] = None,
    accrual: Annotated[float, typer.Option(help="Months over which patients enter.")] = 24.0,
    follow_up: Annotated[
        str,
        typer.Option(
            help="Months from the last patient's surgery to the analysis, or 'study' for the "
            "study's own follow-up."
        ),
    ] = "24",
    dropout: Annotated[float, typer.Option(help="Probability of being lost within a year.")] = 0.05,
    crossover: Annotated[
        float, typer.Option(help="Share of a trial's controls who get SBRT all the same.")
    ] = 0.0,
    untreated: Annotated[
        float, typer.Option(help="Share of a trial's SBRT arm who never get it.")
    ] = 0.0,
    alpha: Annotated[float, typer.Option(help="Two-sided level.")] = 0.05,
    trials: Annotated[
        int, typer.Option(min=LEAST_TRIALS, help="Simulated trials of each size.")
    ] = 1_000,
    published: Annotated[
        bool,
        typer.Option(help="Say what the study itself could have shown, if it treated by choice."),
    ] = True,
    calibration: Annotated[
        Path | None,
        typer.Option(help="What `outcomes calibrate` wrote; by default the source paper's."),
    ] = None,
    evidence: EvidenceFile = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed: same trials.")] = 0,
    jobs: Jobs = 1,
    cluster: Cluster = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the folder.")] = False,
) -> None:
    """Say how many patients show an effect, by simulation and by formula."""
    check_output(out, calibration, evidence, folder=True)
    check_endpoints([endpoint])
    sizes = _sizes(patients)
    if design == "registry" and allocation is not None:
        raise wrong_usage("--allocation: a registry's is decided by choice; allowed: none")
    if evidence is not None and calibration is None:
        raise wrong_usage("--evidence needs --calibration, which was solved for these figures")
    ratio = _allocation("1:1" if allocation is None else allocation)
    months = _follow_up(follow_up)
    from outcomes.evidence import evidence_hash, load_evidence
    from outcomes.files import new_folder
    from outcomes.power import PowerPlan, TrialDesign, power_table, power_words
    from outcomes.synthetic import read_calibration, shipped_calibration

    try:
        asked = TrialDesign(
            study=study,
            endpoint=endpoint,
            kind=design,
            allocation=ratio,
            accrual_months=accrual,
            follow_up_months=months,
            dropout_per_year=dropout,
            crossover=crossover,
            untreated=untreated,
            death_hazard_ratio=effect,
            progression_effect=progression_effect,
            horizon=horizon,
            alpha=alpha,
        )
    except OutcomesError as error:
        raise wrong_usage(str(error)) from error
    solved = shipped_calibration()
    if calibration is not None:
        solved = read_calibration(calibration, load_evidence(evidence))
    try_cluster(cluster)
    with new_folder(out, replace=force) as folder:
        plan = PowerPlan(
            asked, sizes, trials=trials, seed=seed, calibration=solved, published=published
        )
        with counted("Simulating trials", plan.total) as done:
            found = plan.run(jobs=jobs, cluster=cluster, progress=done)
        _write(found, folder, evidence_hash(solved.evidence))
    typer.echo(power_table(found))
    for words in power_words(found):
        typer.echo(f"\n{words}")
    say(f"written to {out}")


def _write(found: "PowerStudy", folder: Path, evidence: str) -> None:
    import pandas as pd

    from outcomes import files, provenance
    from outcomes.power import power_words

    origin = provenance.collect(
        seed=found.seed, evidence_hash=evidence, command=_command(found.design, found)
    ).to_dict()
    data = {"finding": list(power_words(found)), **found.to_dict(), "provenance": origin}
    files.write_json(folder / "power.json", data)
    table = pd.DataFrame(found.to_records())
    files.write_text(folder / "power.csv", table.to_csv(index=False, lineterminator="\n"))


def _command(design: "TrialDesign", found: "PowerStudy") -> str:
    """Return the command that gives the same, every option named."""
    own = design.follow_up_months is None
    follow_up = "study" if own else f"{design.follow_up_months:g}"
    options = {
        "study": design.study,
        "endpoint": design.endpoint,
        "effect": f"{design.death_hazard_ratio:g}",
        "progression-effect": f"{design.progression_effect:g}",
        "horizon": f"{design.horizon:g}",
        "patients": ",".join(str(size.power.patients) for size in found.sizes),
        "design": design.kind,
        "allocation": "{:g}:{:g}".format(*design.allocation) * (design.kind == "trial"),
        "accrual": f"{design.accrual_months:g}",
        "follow-up": follow_up,
        "dropout": f"{design.dropout_per_year:g}",
        "crossover": f"{design.crossover:g}",
        "untreated": f"{design.untreated:g}",
        "alpha": f"{design.alpha:g}",
        "trials": str(found.trials),
        "seed": str(found.seed),
    }
    return "outcomes power " + " ".join(
        f"--{name} {value}" for name, value in options.items() if value
    )


def _sizes(text: str | None) -> list[int] | None:
    """Return the numbers of patients of a comma-separated list."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise wrong_usage(f"--patients: found {text!r}; allowed: whole numbers such as 50,100,200")
    if not all(len(part) < 10 and 4 <= int(part) <= MOST_PATIENTS for part in parts):
        raise wrong_usage(f"--patients: found {text!r}; allowed: 4 to {MOST_PATIENTS:,} each")
    return sorted({int(part) for part in parts})


def _allocation(text: str) -> tuple[float, float]:
    """Return the ratio of treated to control patients."""
    try:
        treated, control = (float(part) for part in text.split(":"))
    except ValueError:
        raise wrong_usage(
            f"--allocation: found {text!r}; allowed: treated to control, such as 1:1 or 1:3"
        ) from None
    return treated, control


def _follow_up(text: str) -> float | None:
    """Return months of follow-up; None for the study's own."""
    if text == "study":
        return None
    try:
        return float(text)
    except ValueError:
        raise wrong_usage(f"--follow-up: found {text!r}; allowed: months, or 'study'") from None
