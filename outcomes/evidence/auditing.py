"""Checks of the published figures against each other, by arithmetic."""

from collections.abc import Callable, Iterator

from outcomes.evidence.audit_between import between
from outcomes.evidence.audit_counts import (
    grim,
    parts,
    percentages_in_words,
    sizes,
    whole_numbers_behind_means,
)
from outcomes.evidence.audit_follow_up import average_follow_up
from outcomes.evidence.audit_groups import overall
from outcomes.evidence.audit_hazard import hazard_shape, immortal_time
from outcomes.evidence.audit_late import late_events
from outcomes.evidence.audit_print import meanings, order_of_words, primary_studies, second_prints
from outcomes.evidence.audit_spread import spread
from outcomes.evidence.audit_survival import deaths, earliest_follow_up
from outcomes.evidence.figure import Evidence
from outcomes.evidence.finding import SEVERITIES, Finding

CHECKS: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    parts,
    sizes,
    second_prints,
    primary_studies,
    order_of_words,
    overall,
    grim,
    percentages_in_words,
    whole_numbers_behind_means,
    deaths,
    earliest_follow_up,
    average_follow_up,
    meanings,
    spread,
    hazard_shape,
    late_events,
    immortal_time,
    between,
)


def audit(evidence: Evidence) -> tuple[Finding, ...]:
    """Check published figures against each other.

    Parameters
    ----------
    evidence
        The registry, the shipped one or anyone's own.

    Returns
    -------
    tuple of Finding
        Contradictions first, then what is improbable, then readings; within each in the order of
        the studies, findings about several studies last.
    """
    order = {study.id: position for position, study in enumerate(evidence.studies)}
    findings = [finding for check in CHECKS for finding in check(evidence)]
    findings.sort(
        key=lambda finding: (
            SEVERITIES.index(finding.severity),
            order.get(finding.study, len(order)),
        )
    )
    return tuple(findings)
