"""What a result was made from: seed, versions, evidence."""

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

DISTRIBUTION = "separation-outcomes"
# The libraries whose version can change a number or a byte of the output.
LIBRARIES = (
    "jinja2",
    "lifelines",
    "numpy",
    "pandas",
    "pandera",
    "plotly",
    "pyarrow",
    "scikit-learn",
    "scikit-survival",
    "scipy",
)


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from; equal for equal inputs, on any machine and at any time.

    Attributes
    ----------
    package_version
        Version of this package.
    versions
        Versions of Python and of the libraries.
    seed
        Seed of the random draws; None where nothing was drawn.
    evidence_hash
        SHA-256 of the registry of figures; "" where it played no part.
    command
        The command, without file paths; "" where there was none.
    """

    package_version: str
    versions: Mapping[str, str]
    seed: int | None = None
    evidence_hash: str = ""
    command: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the provenance as plain data, ready for JSON."""
        return asdict(self)


def package_version() -> str:
    """Return the version of the installed package; ``0+unknown`` where it is not installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "0+unknown"


def collect(
    *,
    seed: int | None = None,
    evidence_hash: str = "",
    command: str = "",
) -> Provenance:
    """Return the provenance of a result made now, by the installed versions.

    Parameters
    ----------
    seed
        Seed of the random draws.
    evidence_hash
        `outcomes.evidence.evidence_hash` of the registry that was used.
    command
        The command that made it, without paths of the machine.
    """
    versions = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            versions[library] = "not installed"
    return Provenance(
        package_version=package_version(),
        versions=versions,
        seed=seed,
        evidence_hash=evidence_hash,
        command=command,
    )
