"""The calibration page: what was published against what the simulation gives."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from outcomes.reports.content import (
    Bar,
    BarChart,
    Block,
    Caveat,
    Column,
    Dot,
    DotChart,
    Figure,
    KeyNumber,
    Legend,
    Page,
    Section,
    Table,
)
from outcomes.reports.names import readable
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import make_page
from outcomes.reports.summary_evidence import figure_label
from outcomes.reports.wording import (
    NONE,
    count,
    known,
    number,
    percent,
    plain,
    sentence_case,
)

if TYPE_CHECKING:
    from outcomes.synthetic.calibration import Calibration, Parameter, Target

CAUSAL_PARTS = (
    ("causal", "Effect of SBRT"),
    ("selection", "Selection: fitter patients get SBRT"),
    ("immortal_time", "Immortal time: they lived until SBRT began"),
)
EFFECT_UNIT = "log hazard ratio"
ASSUMED_RATIO = "death_hr_sbrt"
# Below this share a parameter rests more on its prior than on published figures.
IDENTIFIED = 0.5
UNITS = {
    "percent": ("percent", "Percent of patients", "%"),
    "months": ("months", "Months", " months"),
}


def summarise(results: StudyResults) -> Page:
    """Return the calibration page."""
    calibration = results.calibration
    if calibration is None:
        raise ValueError("no calibration to show")
    fitted = fitted_targets(calibration)
    met = [target for target in fitted if target.within]
    tense = [target for target in calibration.targets if target.tension]
    return make_page(
        "calibration",
        results,
        title="Do the synthetic patients match the publications?",
        question=(
            "This page answers: if each published study were repeated on the synthetic patients, "
            "would it report the figures that were published?"
        ),
        keys=(
            KeyNumber("Fitted figures met", f"{len(met)} of {len(fitted)}", "within tolerance"),
            KeyNumber("Largest deviation", *_largest(met)),
            KeyNumber(
                "Parameters",
                str(len(calibration.parameters)),
                f"{sum(map(_is_assumed, calibration.parameters))} of them rest on assumptions",
            ),
            KeyNumber("In tension", str(len(tense)), "figures that others contradict"),
        ),
        sections=(
            _agreement(results, fitted, met),
            _table(results, calibration),
            _decomposition(calibration),
            _parameters(results, calibration),
        ),
    )


def fitted_targets(calibration: Calibration) -> list[Target]:
    """Return the figures the calibration had to reproduce."""
    return [target for target in calibration.targets if target.role == "fit"]


def _largest(targets: list[Target]) -> tuple[str, str]:
    """Return the largest deviation among percentages that are met, and where months stand."""
    by_unit = {
        unit: max(
            (
                abs(t.achieved - t.published)
                for t in targets
                if t.unit == unit and known(t.achieved) and known(t.published)
            ),
            default=None,
        )
        for unit in UNITS
    }
    return (
        f"{number(by_unit['percent'], 3)} points",
        f"{number(by_unit['months'], 3)} months, among those met",
    )


def target_label(results: StudyResults, target: Target) -> str:
    """Return the name of a calibrated figure as readers see it."""
    evidence = results.evidence
    if evidence is not None:
        for figure in evidence.of_study(target.study):
            if figure.id == target.id:
                return figure_label(figure)
    parts = target.id.split("/")
    label = sentence_case(readable(target.quantity))
    return f"{label}, {readable(parts[2])}" if len(parts) > 2 else label


def _agreement(results: StudyResults, fitted: list[Target], met: list[Target]) -> Section:
    blocks: list[Block] = []
    for unit, (_, title, _) in UNITS.items():
        targets = [t for t in fitted if t.unit == unit and known(t.published)]
        if targets:
            blocks.append(_dots(results, unit, title, targets))
    missed = len(fitted) - len(met)
    words = f"All {len(fitted)} fitted figures are met."
    if missed:
        words = (
            f"{len(met)} of {len(fitted)} fitted figures are met; "
            f"{count(missed, 'is', 'are')} not, and the table says why."
        )
    return Section(
        id="agreement",
        title="Published against achieved",
        finding=f"{words} The grey lines show how "
        "uncertain the published figures themselves are: most rest on few patients.",
        blocks=tuple(blocks),
    )


def _dots(results: StudyResults, unit: str, title: str, targets: list[Target]) -> Figure:
    dots = tuple(
        Dot(
            # The doses in brackets stand in the table; beside a chart they take too much room.
            re.sub(r" \([^)]*Gy\)", "", target_label(results, target)),
            results.study_title(target.study),
            target.published,
            target.standard_error if known(target.standard_error) else None,
            target.achieved if known(target.achieved) else None,
        )
        for target in targets
        if known(target.published)
    )
    rows = tuple(
        (
            dot.label,
            dot.group,
            plain(round(dot.published, 2)),
            number(dot.achieved, 2),
            number(dot.standard_error, 2),
        )
        for dot in dots
    )
    return Figure(
        id=f"agreement-{unit}",
        chart=DotChart(
            dots,
            title,
            100.0 if unit == "percent" and max(d.published for d in dots) > 80 else None,
        ),
        label=f"Published and achieved figures in {unit}, by study.",
        caption=f"{title}: each open circle is a published figure with its 95% sampling interval "
        "(where it can be computed), each dot inside what the simulation gives. A dot in the "
        "middle "
        "of its circle is agreement.",
        table=Table(
            f"Published and achieved, {unit}",
            (
                Column("Figure"),
                Column("Study"),
                Column("Published", numeric=True),
                Column("Achieved", numeric=True),
                Column("Standard error", numeric=True),
            ),
            rows,
        ),
        legend=(
            Legend("published, with 95% interval", "hollow", "point"),
            Legend("achieved", "ink", "dot"),
        ),
    )


def _table(results: StudyResults, calibration: Calibration) -> Section:
    rows = []
    for target in calibration.targets:
        if not known(target.published) or target.unit == EFFECT_UNIT:
            continue
        suffix = UNITS.get(target.unit, ("", "", f" {target.unit}"))[2]
        deviation = target.achieved - target.published if known(target.achieved) else math.nan
        rows.append(
            (
                target_label(results, target),
                results.study_title(target.study),
                "fitted" if target.role == "fit" else "compared",
                f"{plain(round(target.published, 2))}{suffix}",
                f"{number(target.achieved, 2)}{suffix}" if known(target.achieved) else NONE,
                number(deviation, 2),
                NONE if target.n is None else f"{target.n:,}",
                _verdict(target) + (", in tension" if target.tension else ""),
            )
        )
    blocks: list[Block] = [
        Table(
            "Every figure: published, achieved, difference",
            (
                Column("Figure"),
                Column("Study"),
                Column("Role"),
                Column("Published", numeric=True),
                Column("Achieved", numeric=True),
                Column("Difference", numeric=True),
                Column("n", numeric=True),
                Column("Verdict"),
            ),
            tuple(rows),
            note="Fitted figures are met or not. Figures only compared are within or beyond "
            "chance: "
            "whether the difference is less than two standard errors of the published figure.",
        )
    ]
    by_words: dict[str, list[str]] = {}
    for target in calibration.targets:
        if target.tension:
            name = f"{results.study_title(target.study)}, {target_label(results, target)}"
            by_words.setdefault(target.tension, []).append(name)
    if by_words:
        blocks.append(
            Table(
                "Figures in tension with others",
                (Column("Figure"), Column("Why")),
                tuple(("; ".join(names), words) for words, names in by_words.items()),
            )
        )
    effects = tuple(
        (
            target_label(results, target),
            results.study_title(target.study),
            target.statement,
            number(math.exp(target.achieved), 2),
            _verdict(target),
        )
        for target in calibration.targets
        if target.unit == EFFECT_UNIT and known(target.achieved)
    )
    if effects:
        blocks.append(
            Table(
                "Directions of effect, and effects that the publications did not find",
                (
                    Column("Factor"),
                    Column("Study"),
                    Column("Published words"),
                    Column("Hazard ratio in the simulation", numeric=True),
                    Column("Verdict"),
                ),
                effects,
                note="A hazard ratio of 1 is no effect.",
            )
        )
    return Section(
        id="figures",
        title="Every figure",
        finding="A figure is met within 0.1 percentage points or 0.1 months, unless its row says "
        "otherwise. Where the publications contradict each other, the tension is named instead of "
        "bending the model.",
        blocks=tuple(blocks),
    )


def _verdict(target: Target) -> str:
    if target.within is None:
        return NONE
    if target.role == "check":
        return "within chance" if target.within else "beyond chance"
    return "met" if target.within else "not met"


def _decomposition(calibration: Calibration) -> Section | None:
    rows = calibration.decomposition
    if not rows:
        return None
    assumed = calibration.evidence[ASSUMED_RATIO]
    base = min(rows, key=lambda row: abs(row.hazard_ratio - assumed))
    start = 0.0
    bars = []
    for key, label in CAUSAL_PARTS:
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
    crude = base.crude
    bars.append(Bar("Crude difference, as published", crude, f"{number(crude)} months"))
    parts = Table(
        f"Parts of the difference, assumed hazard ratio {number(base.hazard_ratio, 2)}",
        (Column("Part"), Column("Months", numeric=True)),
        tuple((bar.label, number(bar.value)) for bar in bars),
    )
    table = Table(
        "The crude difference taken apart, for each assumed effect of SBRT",
        (
            Column("Assumed hazard ratio of SBRT", numeric=False),
            Column("Crude, months", numeric=True),
            *(Column(f"{label.split(':')[0]}, months", numeric=True) for _, label in CAUSAL_PARTS),
        ),
        tuple(
            (
                number(row.hazard_ratio, 2) + (" (used)" if row is base else ""),
                number(row.crude),
                *(number(getattr(row, key)) for key, _ in CAUSAL_PARTS),
            )
            for row in rows
        ),
        note="The split depends on its order: effect first, then selection, then immortal time. "
        "Every row reproduces the same published figures.",
    )
    return Section(
        id="decomposition",
        title="Is 38 against 21 months the effect of SBRT? Not all of it",
        finding=(
            "Liu 2020 reports a median survival of 38 months with SBRT and 21 without. Patients "
            "chosen for SBRT are fitter, and they must have lived until SBRT began. With the "
            "assumed "
            f"hazard ratio of {number(base.hazard_ratio, 2)}, {number(base.causal)} of the "
            f"{number(crude)} months are an effect of SBRT."
        ),
        blocks=(
            Figure(
                id="decomposition",
                chart=BarChart(tuple(bars), "Difference of median survival, months"),
                label="The crude difference of median survival as the sum of three parts.",
                caption="Difference of median survival between the arms of Liu 2020, taken apart "
                "under "
                f"the assumed hazard ratio of {number(base.hazard_ratio, 2)}.",
                table=parts,
            ),
            Caveat(
                "The effect of SBRT is an assumption. The published medians alone cannot tell "
                "effect "
                "from selection: every row of the table fits them equally well."
            ),
            table,
        ),
    )


def _parameters(results: StudyResults, calibration: Calibration) -> Section:
    rows = []
    for parameter in calibration.parameters:
        share = parameter.identified
        rows.append(
            (
                _parameter_label(parameter),
                "shared" if parameter.study == "shared" else results.study_title(parameter.study),
                f"{plain(_three(parameter.value))}{f' {parameter.unit}' if parameter.unit else ''}",
                "assumed" if _is_assumed(parameter) else "fitted",
                percent(share),
            )
        )
    weak = sum(_is_assumed(parameter) for parameter in calibration.parameters)
    return Section(
        id="parameters",
        title="The parameters behind the patients",
        finding=f"Of {count(len(calibration.parameters), 'solved parameter')}, {weak} rest more on "
        "their plausible range than on published figures (identified share below 50%): read those "
        "as assumptions.",
        blocks=(
            Table(
                "Parameters of the simulation",
                (
                    Column("Parameter"),
                    Column("Series"),
                    Column("Value", numeric=True),
                    Column("Kind"),
                    Column("Identified", numeric=True),
                ),
                tuple(rows),
                note="Identified: the share of what is known about a parameter that comes from the "
                "published figures rather than from its prior range.",
            ),
        ),
    )


def _parameter_label(parameter: Parameter) -> str:
    """Return the meaning of a parameter, with the arm that its name may end in."""
    arm = parameter.name.partition("/")[2]
    label = sentence_case(parameter.meaning or readable(parameter.name))
    return f"{label}, {readable(arm)}" if arm else label


def _is_assumed(parameter: Parameter) -> bool:
    """Whether a parameter rests more on its prior than on published figures."""
    return parameter.identified < IDENTIFIED


def _three(value: float) -> float:
    """Round to three significant digits."""
    return float(f"{value:.3g}")
