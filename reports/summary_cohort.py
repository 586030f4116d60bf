"""The cohort page: who the patients are and what happened to them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes.curves.aalen_johansen import AalenJohansen, aalen_johansen
from outcomes.curves.kaplan_meier import KaplanMeier, kaplan_meier
from outcomes.endpoints import LOCAL_CONTROL, OVERALL_SURVIVAL
from outcomes.reports.content import (
    Bar,
    BarChart,
    Block,
    Column,
    CurveChart,
    CurveLine,
    Figure,
    FigureGrid,
    KeyNumber,
    Legend,
    Page,
    RiskRow,
    Section,
    Style,
    Table,
)
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import curve_line, make_page, round_up
from outcomes.reports.wording import (
    NONE,
    count,
    known,
    limits,
    months,
    number,
    of_100,
    percent,
    readable,
    sentence_case,
    sentence_list,
)

REGIMENS: tuple[tuple[str, Style], ...] = (
    ("none", "control"),
    ("hypofractionated_low", "treated"),
    ("single_24", "treated_dot"),
    ("hypofractionated_high", "treated_dashdot"),
)
SHORT = {
    sentence_case(readable("none")): "No SBRT",
    sentence_case(readable("hypofractionated_low")): "5–6 fr.",
    sentence_case(readable("single_24")): "1 fr.",
    sentence_case(readable("hypofractionated_high")): "3 fr.",
}
SHARES = (
    ("neurologic_deficit", "Neurological deficit"),
    ("progressive_systemic_disease", "Progressive systemic disease"),
    ("visceral_metastases", "Visceral metastases"),
    ("embolization", "Preoperative embolisation"),
    ("systemic_therapy_after", "Systemic therapy after surgery"),
    ("complication", "Postoperative complication"),
    ("sbrt", "SBRT after surgery"),
)
# Fewer patients than this do not make a curve worth showing.
FEWEST_AT_RISK = 5


def summarise(results: StudyResults) -> Page:
    """Return the cohort page."""
    cohort = results.cohort
    groups = _groups(results)
    return make_page(
        "cohort",
        results,
        title="The patients",
        question=(
            "This page answers: who are the patients behind the models, how long were they "
            "observed, and what happened to them?"
        ),
        keys=_keys(cohort, groups),
        sections=(
            _who(groups, cohort),
            _distributions(cohort),
            _survival(groups, cohort),
            _local(cohort),
            _missing(cohort),
        ),
    )


def _groups(results: StudyResults) -> dict[str, pd.DataFrame]:
    """Return the series by title; the whole cohort where there is no column ``study``."""
    cohort = results.cohort
    if "study" not in cohort.columns:
        return {"All patients": cohort}
    return {
        results.study_title(str(study)): frame
        for study, frame in cohort.groupby("study", sort=False, observed=True)
    }


def _has(cohort: pd.DataFrame, *columns: str) -> bool:
    return all(column in cohort.columns for column in columns)


def _keys(cohort: pd.DataFrame, groups: dict[str, pd.DataFrame]) -> tuple[KeyNumber, ...]:
    series = count(len(groups), "series", "series") if len(groups) > 1 else ""
    keys = [KeyNumber("Patients", f"{len(cohort):,}", series)]
    if _has(cohort, *OVERALL_SURVIVAL.columns):
        deaths = int(cohort["death"].sum())
        keys.append(
            KeyNumber("Deaths", f"{deaths:,}", f"{percent(deaths / len(cohort))} of the patients")
        )
    if _has(cohort, *LOCAL_CONTROL.columns):
        events = int((cohort["lp_event"] == 1).sum())
        keys.append(
            KeyNumber(
                "Local progressions",
                f"{events:,}",
                f"{percent(events / len(cohort))} of the patients",
            )
        )
    if _has(cohort, *OVERALL_SURVIVAL.columns):
        follow_up = _follow_up(cohort)
        keys.append(KeyNumber("Median follow-up", follow_up, "reverse Kaplan–Meier"))
    return tuple(keys)


def _follow_up(frame: pd.DataFrame) -> str:
    """Return the median follow-up by the reverse Kaplan-Meier method."""
    return months(kaplan_meier(frame["os_months"], 1 - frame["death"].astype(int)).median().value)


def _who(groups: dict[str, pd.DataFrame], cohort: pd.DataFrame) -> Section:
    columns = dict(groups)
    if len(groups) > 1:
        columns["All"] = cohort
    rows: list[tuple[str, ...]] = [("Patients", *(f"{len(frame):,}" for frame in columns.values()))]

    def add(label: str, cells: list[str]) -> None:
        rows.append((label, *cells))

    if _has(cohort, "age"):
        add("Age, median years (quartiles)", [_quartiles(f["age"], 0) for f in columns.values()])
    if _has(cohort, "sex"):
        add("Women", [percent(float((f["sex"] == "female").mean())) for f in columns.values()])
    if _has(cohort, "kps"):
        add(
            "Karnofsky score, median (quartiles)",
            [_quartiles(f["kps"], 0) for f in columns.values()],
        )
    for column, label in SHARES:
        if _has(cohort, column):
            add(label, [_share(f[column]) for f in columns.values()])
    if _has(cohort, "dose_regimen"):
        for regimen, _ in REGIMENS[1:]:
            if (cohort["dose_regimen"] == regimen).any():
                add(
                    f"SBRT: {readable(regimen)}",
                    [
                        percent(float((f["dose_regimen"] == regimen).mean()))
                        for f in columns.values()
                    ],
                )
    if _has(cohort, "separation_mm"):
        add(
            "Separation, median mm (quartiles)",
            [_quartiles(f["separation_mm"], 1) for f in columns.values()],
        )
    if _has(cohort, *OVERALL_SURVIVAL.columns):
        add("Deaths", [_count_share(f["death"] == 1) for f in columns.values()])
        add("Median follow-up", [_follow_up(f) for f in columns.values()])
    if _has(cohort, *LOCAL_CONTROL.columns):
        add("Local progressions", [_count_share(f["lp_event"] == 1) for f in columns.values()])
    finding = f"{count(len(cohort), 'patient')}"
    if len(groups) > 1:
        largest = max(groups, key=lambda title: len(groups[title]))
        finding += f" in {len(groups)} series, which differ in case mix; the largest is {largest}"
    return Section(
        id="who",
        title="Who the patients are",
        finding=f"{finding}. The Karnofsky score (KPS, 0–100) says how well a person manages daily "
        "life: 100 is no complaint, 50 needs considerable help.",
        blocks=(
            Table(
                "Patients by series; share of patients, or median with quartiles",
                (Column("Feature"), *(Column(title, numeric=True) for title in columns)),
                tuple(rows),
                note="Follow-up is the reverse Kaplan–Meier median: how long patients were or "
                "would have been observed had they not died.",
            ),
        ),
    )


def _quartiles(values: pd.Series, digits: int) -> str:
    numbers = pd.to_numeric(values, errors="coerce").dropna().to_numpy(dtype=np.float64)
    if not numbers.size:
        return NONE
    low, middle, high = np.quantile(numbers, [0.25, 0.5, 0.75])
    return f"{number(middle, digits)} ({number(low, digits)}–{number(high, digits)})"


def _share(values: pd.Series) -> str:
    present = values.dropna()
    return percent(float(present.astype(float).mean())) if len(present) else NONE


def _count_share(happened: pd.Series) -> str:
    return f"{int(happened.sum()):,} ({percent(float(happened.mean()))})"


def _distributions(cohort: pd.DataFrame) -> Section | None:
    blocks: list[Block] = []
    sentences = []
    if _has(cohort, "kps"):
        counts = cohort["kps"].dropna().astype(int).value_counts().sort_index(ascending=False)
        labels = [f"KPS {score}" for score in counts.index]
        blocks.append(_bars("kps", "Karnofsky score before surgery", labels, counts.to_numpy()))
        good = float((cohort["kps"] >= 70).mean())
        sentences.append(
            f"{of_100(good)} of 100 patients cared for themselves before surgery (KPS 70 or more)"
        )
    if _has(cohort, "separation_mm"):
        distance = cohort["separation_mm"].dropna().to_numpy(dtype=np.float64)
        if distance.size:
            edges = [0, 1, 2, 3, 4, 5, 6, 8, np.inf]
            names = ["<1", "1–2", "2–3", "3–4", "4–5", "5–6", "6–8", "8 and more"]
            heights = np.histogram(distance, edges)[0]
            labels = [f"{name} mm" for name in names]
            blocks.append(
                _bars("separation", "Distance between residual tumour and cord", labels, heights)
            )
            close = float((distance < 3).mean())
            sentences.append(
                f"the tumour lay closer than 3 mm to the cord in {of_100(close)} of 100"
            )
    if not blocks:
        return None
    return Section(
        id="distributions",
        title="Fitness and separation distance",
        finding=f"{sentence_case(sentence_list(tuple(sentences)))}.",
        blocks=tuple(blocks),
    )


def _bars(slug: str, title: str, labels: list[str], heights: np.ndarray) -> Figure:
    total = int(heights.sum())
    bars = tuple(
        Bar(label, height / total, f"{percent(height / total)} ({int(height):,})")
        for label, height in zip(labels, heights.tolist(), strict=True)
    )
    return Figure(
        id=slug,
        chart=BarChart(bars, "Share of patients", percent=True),
        label=f"{title}: share of patients in each class.",
        caption=f"{title}, share and number of {total:,} patients with a value.",
        table=Table(
            title,
            (Column("Class"), Column("Patients", numeric=True), Column("Share", numeric=True)),
            tuple(
                (bar.label, f"{int(height):,}", percent(bar.value, 1))
                for bar, height in zip(bars, heights.tolist(), strict=True)
            ),
        ),
    )


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


def _survival(groups: dict[str, pd.DataFrame], cohort: pd.DataFrame) -> Section | None:
    if not _has(cohort, *OVERALL_SURVIVAL.columns):
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
        words = f"median {months(median.value)}" if known(median.value) else "median not reached"
        panels.append(
            (
                title,
                CurveChart((*others, own), end, "Alive", compact=True),
                f"n = {curve.n:,}, {words}",
            )
        )
        cells = [title, f"{curve.n:,}", f"{int(curve.events.sum()):,}"]
        cells.append(
            f"{number(median.value)} ({_open_limits(median.lower, median.upper)})"
            if known(median.value)
            else "not reached"
        )
        for month in marks:
            if month > curve.survival.end:
                cells.append(NONE)
                continue
            low, high = curve.interval_at(month)
            value = percent(float(curve.survival_at(month)))
            cells.append(f"{value} ({limits(float(low), float(high), 0, 100)})")
        rows.append(tuple(cells))
    medians = {title: curve.median().value for title, curve in curves.items()}
    reached = {title: value for title, value in medians.items() if known(value)}
    if len(reached) > 1:
        low, high = min(reached, key=reached.__getitem__), max(reached, key=reached.__getitem__)
        finding = (
            f"Survival differs widely between the series: half of the patients are alive at "
            f"{months(reached[low])} in {low} and at {months(reached[high])} in {high}. "
            "They are therefore never pooled without regard to the series."
        )
    elif reached:
        finding = f"Half of the patients are alive at {months(next(iter(reached.values())))}."
    else:
        finding = "More than half of the patients are alive at the end of follow-up."
    table = Table(
        "Survival by series (95% confidence interval)",
        (
            Column("Series"),
            Column("Patients", numeric=True),
            Column("Deaths", numeric=True),
            Column("Median, months", numeric=True),
            *(Column(f"{month:g} months", numeric=True) for month in marks),
        ),
        tuple(rows),
    )
    legend = (Legend("this series, with 95% band", "ink"),)
    if len(groups) > 1:
        legend = (*legend, Legend("the other series", "faint"))
    return Section(
        id="survival",
        title="Survival by series" if len(groups) > 1 else "Survival",
        finding=finding,
        blocks=(
            FigureGrid(
                "survival",
                tuple(panels),
                "Share alive over months since surgery, Kaplan–Meier estimates. Each curve ends "
                f"where fewer than {FEWEST_AT_RISK} patients are still observed; short ticks are "
                "patients whose observation ended alive (drawn up to 60 of them).",
                table,
                legend,
            ),
        ),
    )


def _open_limits(lower: float, upper: float) -> str:
    return f"{number(lower)} to {number(upper) if known(upper) else 'not reached'}"


def _local(cohort: pd.DataFrame) -> Section | None:
    if not _has(cohort, *LOCAL_CONTROL.columns):
        return None
    groups: list[tuple[str, Style, pd.DataFrame]] = [("All patients", "ink", cohort)]
    if _has(cohort, "dose_regimen"):
        groups = [
            (sentence_case(readable(regimen)), style, cohort[cohort["dose_regimen"] == regimen])
            for regimen, style in REGIMENS
        ]
    curves = [
        (label, style, aalen_johansen(frame["lp_months"], frame["lp_event"], causes=(1, 2)))
        for label, style, frame in groups
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
    top = min(1.0, round_up(max(max(*line.values, *line.upper, 0.05) for line in lines), 0.1))
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
            cells.append(f"{percent(value, 1)} ({limits(float(low), float(high), 1, 100)})")
            if month == 12.0:
                at_year.append((value, label))
        rows.append(tuple(cells))
    finding = "Local progression means that the tumour grows again at the operated site."
    if len(at_year) > 1:
        low_risk, high_risk = min(at_year), max(at_year)
        finding += (
            f" Within 12 months it happens to {of_100(high_risk[0])} of 100 patients with "
            f"{_small(high_risk[1])} and to {of_100(low_risk[0])} of 100 with "
            f"{_small(low_risk[1])}."
        )
    elif at_year:
        finding += f" Within 12 months it happens to {of_100(at_year[0][0])} of 100 patients."
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
                    "Local progression",
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
                caption="Cumulative incidence of local progression, with death before progression as "
                "a competing event (Aalen–Johansen). Not adjusted: regimens differ in their patients. "
                "Below: patients alive, without progression and still observed (fr.: fractions).",
                table=Table(
                    "Cumulative incidence of local progression (95% confidence interval)",
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


def _small(label: str) -> str:
    return label[:1].lower() + label[1:]


def _missing(cohort: pd.DataFrame) -> Section:
    absent = cohort.isna().sum()
    absent = absent[absent > 0].sort_values(ascending=False, kind="stable")
    if absent.empty:
        return Section("missing", "Missing values", "No value is missing in any column.", ())
    rows = []
    for column, n in absent.items():
        reason = ""
        if column == "separation_mm" and _has(cohort, "procedure"):
            without = int((cohort["procedure"] == "none").sum())
            reason = (
                f"{without:,} had SBRT without surgery, so there is no distance" if without else ""
            )
        rows.append(
            (readable(str(column)), f"{int(n):,}", percent(int(n) / len(cohort), 1), reason)
        )
    return Section(
        id="missing",
        title="Missing values",
        finding=f"{count(len(rows), 'column has', 'columns have')} missing values; every other column is complete.",
        blocks=(
            Table(
                "Columns with missing values",
                (
                    Column("Column"),
                    Column("Missing", numeric=True),
                    Column("Share", numeric=True),
                    Column("Reason"),
                ),
                tuple(rows),
            ),
        ),
    )
