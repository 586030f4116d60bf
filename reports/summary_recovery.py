"""What each method of comparison makes of known truths: the page of the bias laboratory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from outcomes.reports.content import (
    Block,
    Column,
    KeyNumber,
    Page,
    Section,
    Table,
)
from outcomes.reports.page import render
from outcomes.reports.summary_methods import METHODS
from outcomes.reports.summary_truths import (
    EVENTS,
    FIRST,
    LAST,
    UNADJUSTED,
    by_method,
    error_of,
    per_100,
    truth_section,
    truth_title,
    value_of,
    with_error,
)
from outcomes.reports.wording import number, percent, sentence_case, sentence_list

if TYPE_CHECKING:
    from outcomes.laboratory import Recovery

FEW = 200
"""Cohorts below which the page says that much of it may be chance."""


def recovery_page(recovery: Recovery, provenance: Mapping[str, Any]) -> str:
    """Return the page of a simulation study as one HTML document that needs nothing else."""
    return render(summarise_recovery(recovery, provenance))


def summarise_recovery(recovery: Recovery, provenance: Mapping[str, Any]) -> Page:
    """Return what the page says, before it is drawn."""
    few = (
        " With so few cohorts many differences below are chance." if recovery.cohorts < FEW else ""
    )
    sections = (
        _found(recovery),
        *(truth_section(recovery, scenario) for scenario in recovery.scenarios),
        _design(recovery),
    )
    return Page(
        name="recovery",
        title="The bias laboratory",
        question=(
            "This page answers: which method of comparison finds the effect of SBRT where that "
            "effect is known, and which is misled?"
        ),
        notice_title="The patients are synthetic.",
        notice=(
            f"{recovery.cohorts:,} cohorts of {_sizes(recovery)} patients like those of "
            f"{_study(recovery)} were drawn under each truth. ± is the Monte Carlo error: one "
            f"standard error, from drawing only {recovery.cohorts:,} cohorts.{few}"
        ),
        keys=_keys(recovery),
        sections=sections,
        links=(),
        footer=(
            f"separation-outcomes {provenance.get('package_version', '')} · seed {recovery.seed}",
            "For research and teaching. Not a medical device; not for decisions about a patient.",
        ),
        jumps=tuple((section.id, section.title) for section in sections),
    )


def _study(recovery: Recovery) -> str:
    return recovery.study.replace("-", " ").title()


def _sizes(recovery: Recovery) -> str:
    return sentence_list(tuple(f"{size:,}" for size in recovery.sizes))


def _keys(recovery: Recovery) -> tuple[KeyNumber, ...]:
    """Return the bias of either end of the ladder under the first truth."""
    scenario, size = recovery.scenarios[0], recovery.sizes[-1]
    endpoint = recovery.endpoints[0]
    rows = by_method(recovery, scenario, size, endpoint, "risk_difference")
    return tuple(
        KeyNumber(
            f"{METHODS[method]}: error on average",
            f"{per_100(rows[method].bias)} of 100",
            f"± {number(100 * error_of(rows[method].bias))}; {EVENTS[endpoint]}; "
            f"{truth_title(scenario)}; {size:,} patients",
            style="misleading" if method in UNADJUSTED else "ink",
        )
        for method in (FIRST, LAST)
        if method in rows
    )


def _found(recovery: Recovery) -> Section:
    """Show both ends of the ladder under every truth."""
    size = recovery.sizes[-1]
    blocks: list[Block] = []
    for endpoint in recovery.endpoints:
        rows = []
        for scenario in recovery.scenarios:
            found = by_method(recovery, scenario, size, endpoint, "risk_difference")
            if FIRST in found and LAST in found:
                truth = found[FIRST].truth
                rows.append(
                    (
                        truth_title(scenario),
                        number(None if truth is None else 100 * truth),
                        *(
                            cell
                            for method in (FIRST, LAST)
                            for cell in (
                                with_error(found[method].bias, 100.0, 1),
                                percent(value_of(found[method].rejects)),
                            )
                        ),
                    )
                )
        if rows:
            first, last = METHODS[FIRST], METHODS[LAST]
            blocks.append(
                Table(
                    f"{sentence_case(EVENTS[endpoint])} by month {recovery.horizon:g}, {size:,} "
                    "patients: differences per 100, with SBRT against without",
                    (
                        Column("Truth"),
                        Column("True difference", numeric=True),
                        Column(f"{first}: error on average", numeric=True),
                        Column("finds an effect", numeric=True),
                        Column(f"{last}: error on average", numeric=True),
                        Column("finds an effect", numeric=True),
                    ),
                    tuple(rows),
                    note="A negative error is too good for SBRT. Finds an effect: share of cohorts "
                    "whose interval excludes none; where SBRT does nothing, 5% would be right.",
                    fitted=True,
                    stacked=True,
                )
            )
    return Section(
        id="found",
        title="What was found",
        finding="A good method is right on average, its 95% intervals hold the truth in 95 of 100 "
        "cohorts, and it then still finds an effect that is there.",
        blocks=tuple(blocks),
    )


def _design(recovery: Recovery) -> Section:
    events = sentence_list(tuple(EVENTS[name] for name in recovery.endpoints))
    errors = "influence functions"
    if recovery.jackknife_below:
        errors += f", of fewer than {recovery.jackknife_below:,} patients from the jackknife"
    if recovery.bootstraps:
        errors = f"{recovery.bootstraps} bootstrap samples, those of hazard ratios from {errors}"
    return Section(
        id="design",
        title="How it was tried",
        finding="",
        blocks=(
            Table(
                "The design, after Morris, White and Crowther (Stat Med 2019;38:2074)",
                (Column("Part"), Column("Here")),
                (
                    (
                        "Aims",
                        "Which methods are misled by who is chosen for SBRT and by the time "
                        "lived until it, and how sure they can be",
                    ),
                    (
                        "Data",
                        f"Cohorts of {_sizes(recovery)} patients like those of "
                        f"{_study(recovery)}, from the same random numbers under every truth; of "
                        "the calibration only what a truth names is changed",
                    ),
                    (
                        "Estimands",
                        f"Differences of the risk and of the restricted mean at "
                        f"{recovery.horizon:g} months, and hazard ratios, of {events}; each method "
                        "is held against the truth of what it estimates",
                    ),
                    ("Methods", f"The ladder of comparisons; intervals from {errors}"),
                    (
                        "Performance",
                        "Bias (the error on average), empirical and model standard error, "
                        "coverage, rejections of no effect, each with its Monte Carlo error "
                        "(table 6 there)",
                    ),
                ),
                fitted=True,
                stacked=True,
            ),
        ),
    )
