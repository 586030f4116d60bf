"""What lies behind a crude difference of median survival, and how much of it is an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.reports.charts import Bar, BarChart
from outcomes.reports.content import Bullets, Caveat, Column, Figure, Section, Table
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_adjusted import ASSUMED_RATIO
from outcomes.reports.wording import number

if TYPE_CHECKING:
    from outcomes.synthetic.calibration import Calibration, Decomposition

PARTS = (
    ("causal", "Effect of SBRT"),
    ("selection", "Selection of the patients"),
    ("immortal_time", "Immortal time: they lived until SBRT began"),
)


def decomposition_section(results: StudyResults, calibration: Calibration) -> Section | None:
    """Return the crude difference taken apart, for each assumed effect of SBRT."""
    rows = calibration.decomposition
    if not rows:
        return None
    assumed = calibration.evidence[ASSUMED_RATIO]
    base = min(rows, key=lambda row: abs(row.hazard_ratio - assumed))
    low, high = (end(row.causal for row in rows) for end in (min, max))
    return Section(
        id="decomposition",
        title="Is 38 against 21 months the effect of SBRT?",
        finding=(
            f"Between {number(low, 0)} and {number(high, 0)} of the {number(base.crude, 0)} "
            "months, depending on an assumption that nobody has measured: the hazard ratio of "
            "death under SBRT. Liu 2020 reports a median survival of 38 months with SBRT and 21 "
            "without. The patients were chosen for SBRT, and they must have lived until it began."
        ),
        blocks=(
            _figure(base),
            Caveat(
                "The effect of SBRT is an assumption. The published medians alone cannot tell "
                "effect from selection: every row of the table fits them equally well."
            ),
            _table(rows, base),
            Bullets(_explained(results, base, rows)),
        ),
    )


def _figure(base: Decomposition) -> Figure:
    start = 0.0
    bars = []
    for key, label in PARTS:
        value = float(getattr(base, key))
        bars.append(
            Bar(
                label,
                value,
                f"{'+' if value >= 0 else '−'}{number(abs(value))} months",
                start=start,
                style="treated" if key == "causal" else "ink",
            )
        )
        start += value
    bars.append(Bar("Crude difference, as published", base.crude, f"{number(base.crude)} months"))
    return Figure(
        id="decomposition",
        chart=BarChart(tuple(bars), "Difference of median survival, months"),
        label="The crude difference of median survival as the sum of three parts.",
        caption="Difference of median survival between the arms of Liu 2020, taken apart under "
        f"one assumed hazard ratio, {number(base.hazard_ratio, 2)}. Other values give other parts.",
        table=Table(
            f"Parts of the difference, assumed hazard ratio {number(base.hazard_ratio, 2)}",
            (Column("Part"), Column("Months", numeric=True)),
            tuple((bar.label, number(bar.value)) for bar in bars),
        ),
    )


def _table(rows: tuple[Decomposition, ...], base: Decomposition) -> Table:
    return Table(
        "The crude difference taken apart, for each assumed effect of SBRT",
        (
            Column("Assumed hazard ratio of SBRT"),
            Column("Crude, months", numeric=True),
            *(Column(f"{label.split(':')[0]}, months", numeric=True) for _, label in PARTS),
            Column("Karnofsky score, with SBRT minus without", numeric=True),
        ),
        tuple(
            (
                number(row.hazard_ratio, 2) + (" (used)" if row is base else ""),
                number(row.crude),
                *(number(getattr(row, key)) for key, _ in PARTS),
                number(row.kps_difference),
            )
            for row in rows
        ),
        note="The split depends on its order: effect first, then selection, then immortal time. "
        "Every row reproduces the same published figures.",
    )


def _explained(
    results: StudyResults, base: Decomposition, rows: tuple[Decomposition, ...]
) -> tuple[str, ...]:
    """Return what the rows that surprise mean."""
    items = []
    for row in rows:
        if row.hazard_ratio == 1 and row.causal > 0:
            items.append(
                f"At a hazard ratio of 1.00 SBRT has no direct effect on death, and yet "
                f"{number(row.causal)} months remain its effect: it prevents local progression, "
                "and local progression shortens life."
            )
        if row.selection < 0:
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
