"""The tutorial's commands give what the tutorial shows."""

import contextlib
import io
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from outcomes.cli import main

FOLDER = Path(__file__).parents[1] / "docs" / "tutorials"
BLOCKS = re.compile(r"```(sh|python)\n(.*?)```\n(?:```text\n(.*?)```\n)?", re.S)


def steps():
    """Return language, code and printed output of each step; errors are shown without a command."""
    return BLOCKS.findall((FOLDER / "own-study.md").read_text(encoding="utf-8"))


def run(language, code, names):
    """Return what a step prints, results and messages."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        if language == "python":
            exec(compile(code, "own-study.md", "exec"), names)  # noqa: S102 - ours
        else:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sys, "argv", shlex.split(code))
                with contextlib.suppress(SystemExit):
                    main()
    return [line.rstrip() for line in printed.getvalue().strip().splitlines()]


@pytest.mark.long
def test_the_tutorial_shows_what_its_commands_print(tmp_path, monkeypatch):
    shutil.copy(FOLDER / "al-omair-2013.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    names = {}
    found = steps()
    assert len(found) == 10
    for language, code, shown in found:
        assert run(language, code, names) == [line.rstrip() for line in shown.strip().splitlines()]
