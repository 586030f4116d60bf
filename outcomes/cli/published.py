"""`outcomes evidence`: the published figures."""

from typing import TYPE_CHECKING, Annotated

import typer

from outcomes.cli.console import wrong_usage
from outcomes.cli.options import EvidenceFile

if TYPE_CHECKING:
    from rich.table import Table

    from outcomes.evidence import Evidence

WIDTH = 160


def evidence(
    file: EvidenceFile = None,
    study: Annotated[str | None, typer.Option(help="Only this study.")] = None,
    check: Annotated[
        bool, typer.Option("--audit", help="Print what contradicts each other instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    template: Annotated[
        bool,
        typer.Option(
            "--template",
            help="Print a documented file of figures instead, to begin a study of your own with.",
        ),
    ] = False,
) -> None:
    """Print the published figures and the assumptions, or the contradictions among them."""
    if template:
        if file is not None or study is not None or check or as_json:
            raise wrong_usage("--template stands alone; allowed: outcomes evidence --template")
        from outcomes.synthetic.template import evidence_template

        typer.echo(evidence_template(), nl=False)
        return
    from outcomes.evidence import load_evidence, to_dict
    from outcomes.files import to_json

    registry = load_evidence(file)
    if check:
        from outcomes.cli.auditing import print_audit

        print_audit(registry, study, as_json)
        return
    if study is not None:
        registry = _only(registry, study)
    if as_json:
        typer.echo(to_json(to_dict(registry)), nl=False)
        return
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    for shown in registry.studies:
        if registry.of_study(shown.id):
            console.print(_figures(registry, shown.id))
    if registry.assumptions:
        console.print(_assumptions(registry))


def _only(registry: "Evidence", study: str) -> "Evidence":
    from dataclasses import replace

    kept = registry.study(study)
    return replace(
        registry, studies=(kept,), figures=registry.of_study(study), assumptions=(), externals=()
    )


def _table(title: str, *columns: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE, title_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in ("value", "n") else "left")
    return table


def _figures(registry: "Evidence", study: str) -> "Table":
    from rich.markup import escape

    shown = registry.study(study)
    title = f"{shown.title}: {shown.design}" if shown.design else shown.title
    table = _table(escape(title), "figure", "value", "n", "estimand", "role", "where", "tension")
    for figure in registry.of_study(study):
        value = "" if figure.value is None else f"{figure.value:g} {figure.unit}".strip()
        cells = (
            figure.id.split("/", 1)[1],
            value or figure.statement,
            "" if figure.n is None else str(figure.n),
            figure.estimand.replace("_", " "),
            figure.role,
            figure.source,
            figure.tension,
        )
        table.add_row(*(escape(cell) for cell in cells))
    return table


def _assumptions(registry: "Evidence") -> "Table":
    from rich.markup import escape

    table = _table(
        "Assumptions: magnitudes the source paper does not give",
        "assumption",
        "value",
        "range",
        "meaning",
        "source",
    )
    for assumption in registry.assumptions:
        cells = (
            assumption.id,
            f"{assumption.value:g} {assumption.unit}".strip(),
            f"{assumption.low:g} to {assumption.high:g}",
            assumption.meaning,
            assumption.source,
        )
        table.add_row(*(escape(cell) for cell in cells))
    return table
