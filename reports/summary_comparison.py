"""The comparison page: absolute risks, curves, the ladder of methods, and what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.reports.content import (
    Block,
    Bullets,
    CollapsedTable,
    Page,
    Paragraph,
    Section,
)
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_adjusted import has_truth
from outcomes.reports.summary_arms import (
    arm_label,
    arms,
    compared_sentence,
    firm_horizons,
    headline,
    icon_row,
    is_survival,
    unit_of,
)
from outcomes.reports.summary_common import make_page
from outcomes.reports.summary_curves import curves_section
from outcomes.reports.summary_dose import dose_section
from outcomes.reports.summary_immortal import immortal_section
from outcomes.reports.summary_ladder import ladder_section, risk_table, verdicts
from outcomes.reports.summary_methods import hazard_ratio_section, numbers_section
from outcomes.reports.summary_robustness import robustness_section
from outcomes.reports.summary_trials import trial_section
from outcomes.reports.wording import (
    INTERVAL_MEANING,
    as_sentence,
)

if TYPE_CHECKING:
    from outcomes.comparison import Comparison


def summarise(results: StudyResults) -> Page:
    """Return the comparison page."""
    is_sbrt = _is_sbrt(results)
    comparisons = tuple(results.comparisons.values())
    sections: list[Section | None] = [
        _of_100(results),
        *(curves_section(comparison, unit_of(comparison, results)) for comparison in comparisons),
        *(ladder_section(comparison, results) for comparison in comparisons),
        dose_section(results),
        hazard_ratio_section(results),
        trial_section(results),
        *(robustness_section(comparison) for comparison in comparisons),
        immortal_section(results),
        numbers_section(results),
        _reading(results),
    ]
    return make_page(
        "comparison",
        results,
        title="Separation surgery alone, or with SBRT" if is_sbrt else _title(comparisons[0]),
        question=(
            f"This page answers: {_asked(results)}, "
            + (
                "after separation surgery alone and after separation surgery followed by "
                "stereotactic body radiotherapy (SBRT)?"
                if is_sbrt
                else "in each of two groups of patients?"
            )
        ),
        keys=(),
        sections=tuple(sections),
        jumps=True,
    )


def _title(comparison: Comparison) -> str:
    control, treated = (arm_label(curve) for curve in arms(comparison))
    return f"“{treated}” against “{control}”"


def _is_sbrt(results: StudyResults) -> bool:
    return all(comparison.treatment == "sbrt" for comparison in results.comparisons.values())


def _asked(results: StudyResults) -> str:
    """Return what the endpoints ask, as the start of a question."""
    asked = {
        True: "how many patients live",
        False: "in how many patients does the tumour grow again at the operated site",
    }
    kinds = dict.fromkeys(is_survival(comparison) for comparison in results.comparisons.values())
    return ", and ".join(asked[kind] for kind in kinds)


def _of_100(results: StudyResults) -> Section:
    comparisons = tuple(results.comparisons.values())
    row = icon_row(results)
    finding = as_sentence(results.comparison_note) if results.comparison_note else ""
    finding += f" {compared_sentence(comparisons[0], results)}"
    if not any(has_truth(one) for one in comparisons):
        finding += (
            " The true effect is not in this cohort."
            if results.synthetic
            else " The true effect is not known."
        )
    blocks: list[Block] = [Bullets(verdicts(results))]
    if row is not None:
        blocks.append(row)
    else:
        # Where a horizon is firm and no curve reaches it, the headline says so.
        blocks += [
            Paragraph(headline(one, unit_of(one, results)))
            for one in comparisons
            if firm_horizons(one)
        ]
    table = risk_table(comparisons)
    if table is not None:
        true = ", and in truth" if any(has_truth(one) for one in comparisons) else ""
        blocks.append(
            CollapsedTable(f"Risks in both groups: as they stand, like with like{true}", table)
        )
    return Section(
        id="of-100-patients",
        title="Of 100 patients in each group",
        finding=finding.strip(),
        blocks=tuple(blocks),
    )


def _reading(results: StudyResults) -> Section:
    comparisons = results.comparisons.values()
    items = []
    if _is_sbrt(results):
        when = ", 2–4 weeks later" if results.synthetic else " afterwards"
        items += [
            "Separation surgery frees the spinal cord from tumour by a margin of at least 3 mm and "
            f"stabilises the spine; SBRT then gives a high dose in 1 to 6 fractions{when}.",
            "Immortal time: a patient counted under SBRT must have lived until SBRT began. A plain "
            "comparison credits that time to SBRT.",
        ]
    items += [
        "A difference of risk of −8 per 100 means: of 100 patients, 8 fewer have the event.",
        "A hazard ratio (HR) below 1 means that at any moment the event is rarer with treatment; "
        "it does not say how many patients are helped.",
    ]
    if any(is_survival(comparison) for comparison in comparisons):
        items.append(
            "Difference of mean months alive: how much longer patients live on average, counted "
            "up to the horizon."
        )
    if not all(is_survival(comparison) for comparison in comparisons):
        items.append(
            "Months lost to progression: how many months before the horizon local progression "
            "comes, on average over all patients."
        )
    items.append(INTERVAL_MEANING)
    if any(unit_of(one, results) == "lesions" for one in comparisons):
        items.append(
            "Some patients have several lesions: survival counts a patient once, local progression "
            "each lesion, and its intervals allow for lesions of one patient faring alike."
        )
    if any(has_truth(comparison) for comparison in comparisons):
        items.append(
            "Truth: these patients are simulated, so the effect is known and stands beside every "
            "estimate, for each method the quantity that it estimates. It is an assumption of the "
            "simulation, not a finding about patients."
        )
    return Section(
        id="reading",
        title="How to read this page",
        finding="",
        blocks=(Bullets(tuple(items)),),
    )
