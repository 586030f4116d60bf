"""What the documentation says, held against the code."""

import re
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from outcomes.cli.app import app
from outcomes.schema import COLUMNS

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


def test_the_cohort_page_lists_every_column_as_the_schema_has_it():
    text = (ROOT / "docs" / "cohort.md").read_text(encoding="utf-8")
    for column in COLUMNS.values():
        assert f"| `{column.name}` | {column.meaning} | {column.allowed} |" in text


def test_the_readme_shows_every_command():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in app.registered_commands:
        assert f"outcomes {command.name}" in text


@pytest.mark.parametrize("room", ["outcomes", "synthetic", "models", "reports"])
def test_the_architecture_names_every_file(room):
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    part = re.search(rf"^{room}/\n((?:  .*\n)+)", text, re.M)
    assert part is not None
    named = re.findall(r"[\w*]+", part[1])
    files = {path.stem for path in (ROOT / room).rglob("*.py")}
    unnamed = {
        name
        for name in files - {"__init__", "__main__"}
        if not any(fnmatchcase(name, pattern) for pattern in named)
    }
    assert unnamed == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target


def test_the_example_of_the_readme_runs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.S)
    exec(compile(example.replace("n=2_000", "n=1_500"), "README.md", "exec"), {})  # noqa: S102 - ours


def test_versions_agree():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"version: {version}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()
