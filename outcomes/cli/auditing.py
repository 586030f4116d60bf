"""`outcomes evidence --audit`: what contradicts each other among the published figures."""

import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from outcomes.evidence import Evidence, Finding

WIDTH = 96


def print_audit(registry: "Evidence", study: str | None, as_json: bool) -> None:
    """Print the findings, all or those that touch a study."""
    from outcomes.evidence import audit
    from outcomes.files import to_json

    findings = audit(registry)
    if study is not None:
        kept = registry.study(study).id
        findings = tuple(
            finding
            for finding in findings
            if finding.study == kept or any(name.startswith(f"{kept}/") for name in finding.figures)
        )
    if as_json:
        typer.echo(to_json({"findings": [asdict(finding) for finding in findings]}), nl=False)
    else:
        typer.echo(_text(registry, findings))


def _text(registry: "Evidence", findings: "tuple[Finding, ...]") -> str:
    from outcomes.evidence import CHECK_NAMES, MEANINGS, SEVERITIES

    if not findings:
        return "Nothing found: by these checks the figures go together."
    titles = {study.id: study.title for study in registry.studies}
    blocks = []
    for severity in SEVERITIES:
        members = [finding for finding in findings if finding.severity == severity]
        if not members:
            continue
        blocks.append(f"{MEANINGS[severity]} ({len(members)})")
        for finding in members:
            title = titles.get(finding.study, "Several studies")
            body = textwrap.fill(
                finding.statement, WIDTH, initial_indent="    ", subsequent_indent="    "
            )
            blocks.append(f"  {title}: {CHECK_NAMES[finding.check].lower()}\n{body}")
    return "\n\n".join(blocks)
