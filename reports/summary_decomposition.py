"""What lies behind a crude difference of median survival, and how much of it is an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.reports.charts import StackChart, StackPart, Style
from outcomes.reports.content import (
    Block,
    Bullets,
    Caveat,
    Column,
    Figure,
    Legend,
    Paragraph,
    Section,
    Table,
)
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_adjusted import ASSUMED_RATIO
from outcomes.reports.summary_parameters import is_open, is_partly_open
from outcomes.reports.summary_uncertainty import ASSUMED, interval_words
from outcomes.reports.wording import known, number, percent, plain

if TYPE_CHECKING:
    from outcomes.synthetic.calibration import Calibration, Decomposition

STUDY = "liu-2020"
PARTS: tuple[tuple[str, str, Style], ...] = (
    ("causal", "Effect of SBRT", "ink"),
    ("selection", "Selection of the patients", "faint"),
    ("immortal_time", "Immortal time: they lived until SBRT began", "hollow"),
)
ORDER = (
    "The order of the split matters: first the effect, in all patients of the series; then "
    "selection, what is added because the arms hold different patients; last immortal time. "
    "Another order would move some months from one part to another."
)
# Quantities of the ensemble beside the parts they are.
RANGES = (
    ("sbrt_effect/median_survival", "Effect of SBRT"),
    ("selection", "Selection of the patients"),
    ("immortal_time", "Immortal time"),
    ("crude_difference", "Crude difference"),
)
# Published by another series: mean Karnofsky score by surgical approach.
OTHER_SERIES = ("echt_kps_minimally_invasive", "echt_kps_open")


def decomposition_sections(results: StudyResults, calibration: Calibration) -> tuple[Section, ...]:
    """Return the crude difference taken apart, for each series with SBRT by choice."""
    by_study: dict[str, list[Decomposition]] = {}
    for row in calibration.decomposition:
        by_study.setdefault(row.study, []).append(row)
    return tuple(
        _section(results, calibration, tuple(rows), f"-{study}" if position else "")
        for position, (study, rows) in enumerate(by_study.items())
    )


def _section(
    results: StudyResults,
    calibration: Calibration,
    rows: tuple[Decomposition, ...],
    ending: str,
) -> Section:
    assumed = calibration.evidence[ASSUMED_RATIO]
    base = min(rows, key=lambda row: abs(row.hazard_ratio - assumed))
    low, high = (end(row.causal for row in rows) for end in (min, max))
    medians = _medians(calibration, base)
    study = results.study_title(base.study)
    title, published = f"{number(base.crude, 0)} months", ""
    if medians is not None:
        treated, alone = (plain(median) for median in medians)
        title = f"{treated} against {alone} months"
        published = (
            f"{study} reports a median survival of {treated} months with SBRT and {alone} without. "
        )
    return Section(
        id=f"decomposition{ending}",
        title=f"Is {title} the effect of SBRT?",
        finding=(
            f"Of the {number(base.crude, 0)} months, anything from {number(low, 0)} to "
            f"{'all of them' if high >= base.crude else number(high, 0)} may be the effect, "
            "depending on an assumption that nobody has measured: the hazard ratio of death under "
            f"SBRT. {published}The patients were chosen for SBRT, and they must have lived until "
            "it began."
        ),
        blocks=(
            _figure(study, rows, base, ending),
            Caveat(
                f"{ASSUMED}. The published medians alone cannot tell effect from selection: every "
                "column fits them equally well."
            ),
            *_shape(results, calibration, base.study),
            *_ranges(results, calibration, base.study),
            Paragraph(strength_sentence(calibration, rows)),
            _strength_table(rows, base),
            Paragraph(ORDER),
            Bullets(_explained(results, base, rows)),
        ),
    )


def _shape(results: StudyResults, calibration: Calibration, study: str) -> tuple[Block, ...]:
    """Return that the shape of the hazard of death, too, moves months between the parts."""
    key = f"{study}/death_shape"
    found = [parameter for parameter in calibration.parameters if parameter.key == key]
    if not found:
        return ()
    (shape,) = found
    share = percent(shape.identified)
    title = results.study_title(study)
    settled = f"The figures of {title} settle it ({share} of what is known about it)"
    if is_open(shape):
        settled = (
            f"The figures of {title} hardly settle it ({share} of what is known about it is "
            "theirs, the rest the prior’s)"
        )
    elif is_partly_open(shape):
        settled = (
            f"The figures of {title} settle it only in part ({share}, the rest is the prior’s)"
        )
    return (
        Paragraph(
            "The columns vary the hazard ratio alone. The shape of the hazard of death, which is "
            "how the risk of death changes with time, moves months between the parts as well. "
            f"{settled}; every column solves it anew, under the same prior."
        ),
    )


def _ranges(results: StudyResults, calibration: Calibration, study: str) -> tuple[Block, ...]:
    """Return what the ensemble leaves open about each part; nothing without an ensemble."""
    if calibration.ensemble is None:
        return ()
    by_id = {quantity.id: quantity for quantity in calibration.ensemble.quantities}
    rows = tuple(
        (
            words,
            number(quantity.median) if known(quantity.median) else "not reached",
            interval_words(quantity),
            number(quantity.value),
        )
        for name, words in RANGES
        if (quantity := by_id.get(f"{study}/{name}")) is not None
    )
    if not rows:
        return ()
    return (
        Table(
            f"The parts in {results.study_title(study)} when all that is left open varies, months",
            (
                Column("Part"),
                Column("Median", numeric=True),
                Column("95% interval", numeric=True),
                Column("Calibrated", numeric=True),
            ),
            rows,
            fitted=True,
            stacked=True,
            note=f"Over {calibration.ensemble.size:,} solutions, in which the figures, the priors "
            "and all assumptions vary: the hazard ratio of SBRT and the shape of the hazard of "
            "death among them. Only the calibrated values add up exactly; medians need not.",
        ),
    )


def _medians(calibration: Calibration, base: Decomposition) -> tuple[float, float] | None:
    """Return the published medians, treated first; None unless there are two."""
    found = sorted(
        target.published
        for target in calibration.targets
        if target.study == base.study
        and target.quantity == "overall_survival_median"
        and known(target.published)
    )
    if len(found) != 2:
        return None
    return (found[1], found[0]) if base.crude > 0 else (found[0], found[1])


def strength_sentence(calibration: Calibration, rows: tuple[Decomposition, ...]) -> str:
    """Return how strong selection would have to be if SBRT had no effect on death."""
    row = max(rows, key=lambda one: one.hazard_ratio)
    words = (
        "How strong would selection have to be for the rest? If SBRT "
        + (
            "had no effect on death of its own"
            if row.hazard_ratio == 1
            else f"had a hazard ratio of {number(row.hazard_ratio, 2)}"
        )
        + f", the treated would have to be {number(row.kps_difference)} points of the Karnofsky "
        f"score fitter on average, and a patient whose prognosis is better by one standard "
        f"deviation {number(row.odds_ratio_per_sd)} times as likely (in odds) to get SBRT."
    )
    externals = {external.id: external.value for external in calibration.evidence.externals}
    fitter, other = (externals.get(name) for name in OTHER_SERIES)
    if fitter is not None and other is not None:
        gap = fitter - other
        words += (
            f" That is {'less' if row.kps_difference < gap else 'more'} than the "
            f"{number(gap, 0)} points by which the arms of another published series differ "
            f"({number(fitter)} and {number(other)} with minimally invasive and open surgery, "
            "Echt 2021)"
            + (": selection of that size happens." if row.kps_difference < gap else ".")
        )
    return words


def _figure(
    study: str, rows: tuple[Decomposition, ...], base: Decomposition, ending: str
) -> Figure:
    return Figure(
        id=f"decomposition{ending}",
        chart=StackChart(
            names=tuple(number(row.hazard_ratio, 2) for row in rows),
            parts=tuple(
                StackPart(label, style, tuple(float(getattr(row, key)) for row in rows))
                for key, label, style in PARTS
            ),
            x_title="Assumed hazard ratio of death under SBRT",
            y_title="Months",
            level=base.crude,
            level_label=f"crude difference, {number(base.crude, 0)} months",
        ),
        label="The crude difference of median survival as the sum of three parts, for "
        f"{len(rows)} assumed hazard ratios.",
        caption=f"Difference of median survival between the arms of {study}, taken apart under "
        f"each assumed hazard ratio; {number(base.hazard_ratio, 2)} is used in this report. The "
        "parts of a column add up to the published difference; what hangs below zero is taken "
        "away from it.",
        table=Table(
            "Parts of the crude difference, months",
            (
                Column("Assumed hazard ratio of SBRT"),
                *(Column(label.split(":")[0], numeric=True) for _, label, _ in PARTS),
                Column("Crude difference", numeric=True),
            ),
            tuple(
                (
                    _name(row, base),
                    *(number(getattr(row, key)) for key, _, _ in PARTS),
                    number(row.crude),
                )
                for row in rows
            ),
            fitted=True,
            stacked=True,
        ),
        legend=tuple(Legend(label, style, "block") for _, label, style in PARTS),
    )


def _name(row: Decomposition, base: Decomposition) -> str:
    return number(row.hazard_ratio, 2) + (" (used)" if row is base else "")


def _strength_table(rows: tuple[Decomposition, ...], base: Decomposition) -> Table:
    return Table(
        "How strong selection would have to be, for each assumed effect of SBRT",
        (
            Column("Assumed hazard ratio"),
            Column("Effect, months", numeric=True),
            Column("Selection, months", numeric=True),
            Column("Immortal time, months", numeric=True),
            Column("Karnofsky score, treated minus alone", numeric=True),
            Column("Prognosis, standardised difference", numeric=True),
            Column("Odds ratio of SBRT per SD", numeric=True),
        ),
        tuple(
            (
                _name(row, base),
                *(number(getattr(row, key)) for key, _, _ in PARTS),
                number(row.kps_difference),
                number(row.standardised_difference, 2),
                number(row.odds_ratio_per_sd, 2),
            )
            for row in rows
        ),
        fitted=True,
        stacked=True,
        note="Prognosis: the log hazard ratio of death by all known factors. Standardised "
        "difference: how much better it is in the treated, in standard deviations (SD). Odds "
        "ratio: of SBRT, for a patient whose prognosis is one SD better. Every row reproduces the "
        "same published figures.",
    )


def _explained(
    results: StudyResults, base: Decomposition, rows: tuple[Decomposition, ...]
) -> tuple[str, ...]:
    """Return what the rows that surprise mean."""
    items = [
        f"At a hazard ratio of 1.00 SBRT has no direct effect on death, and yet "
        f"{number(row.causal)} months remain its effect: it prevents local progression, and local "
        "progression shortens life."
        for row in rows
        if row.hazard_ratio == 1 and row.causal > 0
    ]
    negative = [row for row in rows if row.selection < -0.05]
    if negative:
        row = min(negative, key=lambda one: one.selection)
        items.append(
            f"At {number(row.hazard_ratio, 2)} the effect alone would exceed the published "
            f"difference. Selection is then negative ({number(row.selection)} months): SBRT "
            f"went to the less fit (Karnofsky score {number(abs(row.kps_difference))} points "
            "lower on average), which no publication says."
        )
    words = f"The hazard ratio assumed here, {number(base.hazard_ratio, 2)}, is the direct effect "
    words += "on death from the start of SBRT on."
    if results.comparisons:
        words += (
            " The truth on the comparison page is another one: it counts from surgery and includes "
            "the local progressions prevented."
        )
    if results.models:
        words += " The models page estimates SBRT at low dose against none."
    return (*items, words)
