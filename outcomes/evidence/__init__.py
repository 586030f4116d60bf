"""The published figures and the assumptions."""

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
from outcomes.evidence.registry import evidence_hash, load_evidence, to_dict, to_frame, to_records

__all__ = [
    "ESTIMANDS",
    "ROLES",
    "UNITS",
    "Assumption",
    "Design",
    "DesignArm",
    "Estimand",
    "Evidence",
    "External",
    "Figure",
    "Role",
    "Study",
    "evidence_hash",
    "load_evidence",
    "to_dict",
    "to_frame",
    "to_records",
]
