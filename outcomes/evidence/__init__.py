"""The published figures and the assumptions."""

from typing import TYPE_CHECKING, Any

from outcomes.evidence.design import Design, DesignArm
from outcomes.evidence.figure import (
    ESTIMANDS,
    ROLES,
    UNITS,
    Assumption,
    Estimand,
    Evidence,
    External,
    Figure,
    Role,
    Study,
)
from outcomes.evidence.finding import CHECK_NAMES, MEANINGS, SEVERITIES, Finding, Severity
from outcomes.evidence.registry import evidence_hash, load_evidence, to_dict, to_frame, to_records

if TYPE_CHECKING:
    from outcomes.evidence.auditing import audit

__all__ = [
    "CHECK_NAMES",
    "ESTIMANDS",
    "MEANINGS",
    "ROLES",
    "SEVERITIES",
    "UNITS",
    "Assumption",
    "Design",
    "DesignArm",
    "Estimand",
    "Evidence",
    "External",
    "Figure",
    "Finding",
    "Role",
    "Severity",
    "Study",
    "audit",
    "evidence_hash",
    "load_evidence",
    "to_dict",
    "to_frame",
    "to_records",
]


def __getattr__(name: str) -> Any:
    """Import the audit when it is first asked for: it needs scipy, the registry does not."""
    if name == "audit":
        from outcomes.evidence.auditing import audit

        return audit
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
