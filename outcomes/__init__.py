"""Survival and outcomes modelling in spinal metastasis surgery."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outcomes import endpoints, errors, evidence, noms
    from outcomes.schema import Cohort

    __version__: str

__all__ = ["Cohort", "__version__", "endpoints", "errors", "evidence", "noms"]


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for, so that `import outcomes` costs nothing."""
    from importlib import import_module

    if name == "__version__":
        from outcomes.provenance import package_version

        return package_version()
    if name == "Cohort":
        from outcomes.schema import Cohort

        return Cohort
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
