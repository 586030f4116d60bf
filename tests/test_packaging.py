"""The package list equals the tree; the wheel holds every module, template and table."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import outcomes

ROOT = Path(__file__).parent.parent
ROOMS = {"outcomes": "outcomes", "outcomes.models": "models"}
ROOMS |= {f"outcomes.{room}": room for room in ("reports", "synthetic")}
DATA = ("*.toml", "*.html", "*.css", "*.js", "*.jinja", "*.j2", "*.svg", "*.typed", "*.json")


def settings() -> dict[str, object]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        content: dict[str, object] = tomllib.load(file)["tool"]["setuptools"]
    return content


def folders() -> dict[str, Path]:
    """Return every package in the tree by its import name, without following the links."""
    found = {}
    for package, folder in ROOMS.items():
        for module in sorted((ROOT / folder).rglob("__init__.py")):
            inside = module.parent.relative_to(ROOT / folder).parts
            if package == "outcomes" and inside and inside[0] in ("models", "reports", "synthetic"):
                continue
            found[".".join((package, *inside))] = module.parent
    return found


def test_package_list_equals_the_tree() -> None:
    assert settings()["packages"] == sorted(folders())


def test_every_package_is_typed_and_has_its_data() -> None:
    data = settings()["package-data"]
    assert isinstance(data, dict)
    assert "py.typed" in data["outcomes"]
    for package, patterns in data.items():
        folder = ROOT / ROOMS.get(package, package.replace(".", "/"))
        for pattern in patterns:
            assert list(folder.glob(pattern)), (package, pattern)


def test_links_lead_to_the_rooms() -> None:
    for folder in ("models", "reports", "synthetic"):
        link = ROOT / "outcomes" / folder
        assert link.is_symlink()
        assert link.resolve() == ROOT / folder
    assert settings()["package-dir"] == ROOMS


def test_front_door() -> None:
    assert outcomes.__version__ == "0.1.0"
    for name in outcomes.__all__:
        assert getattr(outcomes, name) is not None
    assert set(outcomes.__all__) <= set(dir(outcomes))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = outcomes.nothing  # type: ignore[attr-defined]


def test_importing_the_front_door_loads_no_heavy_library() -> None:
    heavy = "{'pandas', 'pandera', 'lifelines', 'sksurv', 'scipy', 'plotly', 'pyarrow', 'numpy'}"
    program = (
        "import sys, outcomes; from outcomes import evidence, noms, errors; outcomes.__version__; "
        f"evidence.load_evidence(); found = {heavy} & set(sys.modules); assert not found, found"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_wheel_holds_every_file(tmp_path: Path) -> None:
    # From a copy: a build leaves files behind, and takes up those of an earlier one.
    tree = tmp_path / "tree"
    left_out = shutil.ignore_patterns(".*", "build", "dist", "tests", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, tree, symlinks=True, ignore=left_out)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, tree],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    expected = set()
    for package, folder in folders().items():
        inside = package.replace(".", "/")
        expected |= {f"{inside}/{module.name}" for module in folder.glob("*.py")}
        for part in (".", "data", "templates", "assets"):
            for pattern in DATA:
                expected |= {
                    str(Path(inside, part, file.name)) for file in (folder / part).glob(pattern)
                }
    assert "outcomes/evidence/data/liu-2020.toml" in expected
    assert not expected - packed
