"""`outcomes noms`: the decision framework."""

from typing import Annotated, Literal

import typer


def noms(
    radiosensitive: Annotated[
        bool,
        typer.Option("--radiosensitive/--radioresistant", help="Sensitivity of the tumour."),
    ],
    escc: Annotated[
        Literal["0", "1a", "1b", "1c", "2", "3"],
        typer.Option(help="Grade of epidural spinal cord compression."),
    ],
    unstable: Annotated[bool, typer.Option("--unstable/--stable", help="Mechanical stability.")],
    operable: Annotated[
        bool, typer.Option("--operable/--inoperable", help="Whether surgery can be tolerated.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Apply the NOMS framework: what is recommended, and the reason for each step."""
    from outcomes.files import to_json
    from outcomes.noms import TITLES, decide

    decision = decide(
        radiosensitive=radiosensitive, escc_grade=escc, unstable=unstable, operable=operable
    )
    if as_json:
        typer.echo(to_json(decision.to_dict()), nl=False)
        return
    typer.echo(TITLES[decision.treatment] + (", with stabilization" * decision.stabilization))
    for step in decision.steps:
        typer.echo(f"\n{step.consideration.capitalize()}: {step.finding}")
        typer.echo(f"  {step.decision}")
        typer.echo(f"  Why: {step.reason} ({step.source})")
    for advice in decision.advice:
        typer.echo(f"\nAlso: {advice.text} ({advice.source})")
    typer.echo("\nThe rules describe a publication; they are no advice for a patient.")
