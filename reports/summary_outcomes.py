"""What happened to the patients: survival by series, local progression by dose regimen."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from outcomes.curves import AalenJohansen, KaplanMeier, aalen_johansen, kaplan_meier
from outcomes.endpoints import LOCAL_CONTROL, OVERALL_SURVIVAL
from outcomes.reports.charts import CurveChart, CurveLine, RiskRow, Style
from outcomes.reports.content import Column, Figure, FigureGrid, Legend, Section, Table
from outcomes.reports.names import readable
from outcomes.reports.summary_common import REGIMENS, curve_line, has_columns, round_up
from outcomes.reports.wording import (
    INTERVAL,
    NONE,
    known,
    limits,
    number,
    of_100,
    percent,
    sentence_case,
)

SHORT = {
    sentence_case(readable("none")): "No SBRT",
    sentence_case(readable("hypofractionated_low")): "5–6 fr.",
    sentence_case(readable("single_24")): "1 fr.",
    sentence_case(readable("hypofractionated_high")): "3 fr.",
}
# Fewer patients than this do not make a curve worth showing.
FEWEST_AT_RISK = 5
# Smaller series are shown, but none is named for its survival: chance moves them too far.
FEWEST_TO_NAME = 100
NAMED_MONTH = 12.0


def _usable_end(curve: KaplanMeier | AalenJohansen, longest: float = 48.0) -> float:
    """Return the last month with a few patients still at risk."""
    enough = curve.times[curve.at_risk >= min(FEWEST_AT_RISK, curve.n)]
    return float(min(enough[-1], longest)) if enough.size else 0.0


def _survival_line(curve: KaplanMeier, label: str, style: Style, *, band: bool) -> CurveLine:
    lower, upper = curve.interval()
    censored = curve.times[curve.table.censored > 0]
    return curve_line(
        label,
        style,
        curve.times,
        curve.survival.values,
        start=1.0,
        end=_usable_end(curve),
        lower=lower if band else None,
        upper=upper if band else None,
        censored=censored.tolist() if band and censored.size <= 60 else (),
    )


def survival_section(
    groups: dict[str, pd.DataFrame],
    *,
    after: str = "",
    assumed: Collection[str] = (),
) -> Section | None:
    """Return survival by series; None without the columns it needs.

    Parameters
    ----------
    groups
        The patients of each series by its title.
    after
        Stands before the titles of the panels, e.g. ``Synthetic, after``.
    assumed
        Titles of series whose level of survival is an assumption.
    """
    if not all(has_columns(frame, *OVERALL_SURVIVAL.columns) for frame in groups.values()):
        return None
    curves = {title: kaplan_meier(f["os_months"], f["death"]) for title, f in groups.items()}
    end = round_up(max(_usable_end(curve) for curve in curves.values()), 6.0)
    marks = tuple(month for month in (3.0, 6.0, 12.0, 24.0, 36.0) if month <= end)
    panels, rows = [], []
    for title, curve in curves.items():
        others = tuple(
            _survival_line(other, name, "faint", band=False)
            for name, other in curves.items()
            if name != title
        )
        own = _survival_line(curve, title, "ink", band=True)
        median = curve.median()
        between = _open_limits(median.lower, median.upper)
        words = f"median {number(median.value)} ({between})"
        panels.append(
            (
                f"{after} {title}".strip(),
                CurveChart((*others, own), end, "Alive", compact=True),
                f"n = {curve.n:,}, {words if known(median.value) else 'median not reached'}",
            )
        )
        cells = [title, f"{int(curve.events.sum()):,}\nof {curve.n:,}"]
        cells.append(f"{number(median.value)}\n{between}" if known(median.value) else "not reached")
        for month in marks:
            if month > curve.survival.end:
                cells.append(NONE)
                continue
            low, high = curve.interval_at(month)
            value = percent(float(curve.survival_at(month)))
            cells.append(f"{value}\n{limits(float(low), float(high), 0, 100)}")
        rows.append(tuple(cells))
    table = Table(
        "Survival by series (95% CI)",
        (
            Column("Series"),
            Column("Deaths", numeric=True),
            Column("Median, months", numeric=True),
            *(Column(f"{month:g} months", numeric=True) for month in marks),
        ),
        tuple(rows),
    )
    legend: tuple[Legend, ...] = (Legend("this series, with 95% CI", "ink"),)
    if len(groups) > 1:
        legend = (*legend, Legend("the other series", "faint"))
    return Section(
        id="survival",
        title="Survival by series" if len(groups) > 1 else "Survival",
        finding=_survival_finding(curves, assumed),
        blocks=(
            FigureGrid(
                "survival",
                tuple(panels),
                "Share alive over months since surgery, Kaplan–Meier estimates; medians in months "
                f"with {INTERVAL}. Each curve ends where fewer than {FEWEST_AT_RISK} patients are "
                "still observed; short ticks are patients whose observation ended alive (drawn up "
                "to 60 of them). In a small series the median can lie far off by chance.",
                table,
                legend,
            ),
        ),
    )


def _survival_finding(curves: Mapping[str, KaplanMeier], assumed: Collection[str]) -> str:
    """Return the lowest and the highest survival at one horizon among series large enough."""
    named = {
        title: curve
        for title, curve in curves.items()
        if curve.n >= FEWEST_TO_NAME and _usable_end(curve) >= NAMED_MONTH
    }
    if not named:
        return "No series is large enough, and observed long enough, to lead with its survival."
    ranked = sorted(named, key=lambda title: float(named[title].survival_at(NAMED_MONTH)))
    lowest, highest = ranked[0], ranked[-1]
    at = f"At {NAMED_MONTH:g} months"
    if len(curves) == 1:
        return f"{at} {_alive(named[lowest])} are alive."
    if len(named) == 1:
        return f"{at} {_alive(named[lowest])} are alive in {_titled(lowest, assumed)}."
    words = (
        f"{at} {_alive(named[lowest])} are alive in {_titled(lowest, assumed)}, and "
        f"{_alive(named[highest], short=True)} in {_titled(highest, assumed)}. "
    )
    _, below = named[lowest].interval_at(NAMED_MONTH)
    above, _ = named[highest].interval_at(NAMED_MONTH)
    if float(below) < float(above):
        return words + "The series are therefore never pooled as if they were one."
    return words + "The intervals overlap."


def _titled(title: str, assumed: Collection[str]) -> str:
    return f"{title}, whose survival level is assumed" if title in assumed else title


def _alive(curve: KaplanMeier, *, short: bool = False) -> str:
    """Return the share alive at the named month with its interval."""
    low, high = curve.interval_at(NAMED_MONTH)
    between = limits(float(low), float(high), 0, 100)
    share = percent(float(curve.survival_at(NAMED_MONTH)))
    return f"{share} ({between})" if short else f"{share} ({INTERVAL} {between})"


def _open_limits(lower: float, upper: float) -> str:
    return f"{number(lower)} to {number(upper) if known(upper) else 'not reached'}"


def local_section(cohort: pd.DataFrame, groups: Mapping[str, pd.DataFrame]) -> Section | None:
    """Return local progression by dose regimen; None without the columns it needs."""
    if not has_columns(cohort, *LOCAL_CONTROL.columns):
        return None
    parts: list[tuple[str, Style, pd.DataFrame]] = [("All patients", "ink", cohort)]
    if has_columns(cohort, "dose_regimen"):
        parts = [
            (sentence_case(readable(regimen)), style, cohort[cohort["dose_regimen"] == regimen])
            for regimen, style in REGIMENS
        ]
    curves = [
        (label, style, aalen_johansen(frame["lp_months"], frame["lp_event"], causes=(1, 2)))
        for label, style, frame in parts
        if len(frame) >= FEWEST_AT_RISK
    ]
    if not curves:
        return None
    end = round_up(max(_usable_end(curve, 36.0) for _, _, curve in curves), 6.0)
    lines = []
    for label, style, curve in curves:
        lower, upper = curve.interval(1)
        alone = len(curves) == 1
        lines.append(
            curve_line(
                label,
                style,
                curve.times,
                curve.incidence[1].values,
                start=0.0,
                end=_usable_end(curve, end),
                lower=lower if alone else None,
                upper=upper if alone else None,
            )
        )
    heights = [0.05]
    for line in lines:
        heights += [*line.values, *line.upper]  # noqa: PD011 - no pandas object
    top = min(1.0, round_up(max(heights), 0.1))
    risk_months = tuple(float(month) for month in np.arange(0, end + 1, 6))
    marks = tuple(month for month in (3.0, 6.0, 12.0, 24.0) if month <= end)
    rows, at_year = [], []
    for label, _, curve in curves:
        cells = [label, f"{curve.n:,}", f"{int(curve.events(1).sum()):,}"]
        for month in marks:
            if month > curve.event_free.end:
                cells.append(NONE)
                continue
            low, high = curve.interval_at(1, month)
            value = float(curve.incidence_at(1, month))
            cells.append(f"{percent(value, 1)}\n{limits(float(low), float(high), 1, 100)}")
            if month == 12.0:
                at_year.append((value, label, limits(float(low), float(high), 0, 100)))
        rows.append(tuple(cells))
    finding = "Local progression means that the tumour grows again at the operated site."
    if len(at_year) > 1:
        low_risk, high_risk = min(at_year), max(at_year)
        finding += (
            f" Within 12 months it happens to {of_100(high_risk[0])} of 100 patients with "
            f"{_small(high_risk[1])} ({INTERVAL} {high_risk[2]}) and to {of_100(low_risk[0])} of "
            f"100 with {_small(low_risk[1])} ({INTERVAL} {low_risk[2]}). The regimens also differ "
            "in their patients."
        )
    elif at_year:
        finding += (
            f" Within 12 months it happens to {of_100(at_year[0][0])} of 100 patients "
            f"({INTERVAL} {at_year[0][2]})."
        )
    return Section(
        id="local-control",
        title="Local progression by dose regimen" if len(curves) > 1 else "Local progression",
        finding=finding,
        blocks=(
            Figure(
                id="local-progression",
                chart=CurveChart(
                    tuple(lines),
                    end,
                    "% of patients",
                    top,
                    risk_months,
                    tuple(
                        RiskRow(
                            SHORT.get(label, "All"),
                            style,
                            tuple(int(n) for n in curve.at_risk_at(risk_months)),
                        )
                        for label, style, curve in curves
                    ),
                ),
                label="Cumulative incidence of local progression over months, by dose regimen.",
                caption="Cumulative incidence of local progression, with death before "
                "progression as a competing event (Aalen–Johansen). Not adjusted: regimens differ "
                f"in their patients. {_all_of_one(groups)}Below: patients alive, without "
                "progression and still observed (fr.: fractions).",
                table=Table(
                    "Cumulative incidence of local progression (95% CI)",
                    (
                        Column("Group"),
                        Column("Patients", numeric=True),
                        Column("Progressions", numeric=True),
                        *(Column(f"{month:g} months", numeric=True) for month in marks),
                    ),
                    tuple(rows),
                ),
                legend=tuple(
                    Legend(f"{label} (n = {curve.n:,})", style) for label, style, curve in curves
                ),
            ),
        ),
    )


def _all_of_one(groups: Mapping[str, pd.DataFrame]) -> str:
    """Return the one series, of several, that all patients without SBRT come from."""
    if len(groups) < 2 or not all(has_columns(f, "dose_regimen") for f in groups.values()):
        return ""
    without = {title: int((f["dose_regimen"] == "none").sum()) for title, f in groups.items()}
    series = [(title, n) for title, n in without.items() if n]
    if len(series) != 1:
        return ""
    title, n = series[0]
    return f"The {n:,} without SBRT are all of the {title} series. "


def _small(label: str) -> str:
    return label[:1].lower() + label[1:]
