"""The cohort page: who the patients are and what happened to them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes.endpoints import LOCAL_CONTROL, OVERALL_SURVIVAL
from outcomes.reports.charts import Bar, BarChart
from outcomes.reports.content import Block, Column, Figure, KeyNumber, Page, Section, Table
from outcomes.reports.names import readable
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import REGIMENS, has_columns, make_page
from outcomes.reports.summary_outcomes import local_section, survival_section
from outcomes.reports.wording import (
    NONE,
    count,
    months,
    number,
    of_100,
    percent,
    sentence_case,
    sentence_list,
)

SHARES = (
    ("neurologic_deficit", "Neurological deficit"),
    ("progressive_systemic_disease", "Progressive systemic disease"),
    ("visceral_metastases", "Visceral metastases"),
    ("embolization", "Preoperative embolisation"),
    ("systemic_therapy_after", "Systemic therapy after surgery"),
    ("complication", "Postoperative complication"),
    ("sbrt", "SBRT after surgery"),
)
# Columns that only patients with SBRT can have.
WITH_SBRT = ("sbrt_start_months", "vas_after_sbrt")


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
            survival_section(
                groups,
                after="Synthetic, after" if results.synthetic and len(groups) > 1 else "",
                assumed=_assumed(results),
            ),
            local_section(cohort, groups),
            _missing(cohort, groups),
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


def _assumed(results: StudyResults) -> tuple[str, ...]:
    """Return the titles of the synthetic series whose level of survival is an assumption."""
    if not results.synthetic or results.evidence is None:
        return ()
    return tuple(
        results.study_title(design.id)
        for design in results.evidence.designs
        if design.overall_survival_median is not None
    )


def _keys(cohort: pd.DataFrame, groups: dict[str, pd.DataFrame]) -> tuple[KeyNumber, ...]:
    series = count(len(groups), "series", "series") if len(groups) > 1 else ""
    keys = [KeyNumber("Patients", f"{len(cohort):,}", series)]
    if has_columns(cohort, *OVERALL_SURVIVAL.columns):
        deaths = int(cohort["death"].sum())
        keys.append(
            KeyNumber("Deaths", f"{deaths:,}", f"{percent(deaths / len(cohort))} of the patients")
        )
    if has_columns(cohort, *LOCAL_CONTROL.columns):
        events = int((cohort["lp_event"] == 1).sum())
        keys.append(
            KeyNumber(
                "Local progressions",
                f"{events:,}",
                f"{percent(events / len(cohort))} of the patients",
            )
        )
    if has_columns(cohort, *OVERALL_SURVIVAL.columns):
        follow_up = _follow_up(cohort)
        keys.append(
            KeyNumber("Observed, median", follow_up, "among those alive at the end of observation")
        )
    return tuple(keys)


def _follow_up(frame: pd.DataFrame) -> str:
    """Return the median time observed of those alive at its end."""
    alive = frame.loc[frame["death"] == 0, "os_months"]
    return months(float(alive.median())) if len(alive) else NONE


def _who(groups: dict[str, pd.DataFrame], cohort: pd.DataFrame) -> Section:
    columns = dict(groups)
    if len(groups) > 1:
        columns["All"] = cohort
    rows: list[tuple[str, ...]] = [("Patients", *(f"{len(frame):,}" for frame in columns.values()))]

    def add(label: str, cells: list[str]) -> None:
        rows.append((label, *cells))

    if has_columns(cohort, "age"):
        add("Age, median years (quartiles)", [_quartiles(f["age"], 0) for f in columns.values()])
    if has_columns(cohort, "sex"):
        add("Women", [percent(float((f["sex"] == "female").mean())) for f in columns.values()])
    if has_columns(cohort, "kps"):
        add(
            "Karnofsky score, median (quartiles)",
            [_quartiles(f["kps"], 0) for f in columns.values()],
        )
    for column, label in SHARES:
        if has_columns(cohort, column):
            add(label, [_share(f[column]) for f in columns.values()])
    if has_columns(cohort, "dose_regimen"):
        for regimen, _ in REGIMENS[1:]:
            if (cohort["dose_regimen"] == regimen).any():
                add(
                    f"SBRT: {readable(regimen)}",
                    [
                        percent(float((f["dose_regimen"] == regimen).mean()))
                        for f in columns.values()
                    ],
                )
    if has_columns(cohort, "separation_mm"):
        add(
            "Separation, median mm (quartiles)",
            [_quartiles(f["separation_mm"], 1) for f in columns.values()],
        )
    if has_columns(cohort, *OVERALL_SURVIVAL.columns):
        add("Deaths", [_count_share(f["death"] == 1) for f in columns.values()])
        add("Observed, median of those alive at its end", [_follow_up(f) for f in columns.values()])
        if has_columns(cohort, *LOCAL_CONTROL.columns):
            add(
                "The same, without those with local progression",
                [_follow_up(f[f["lp_event"] != 1]) for f in columns.values()],
            )
    if has_columns(cohort, *LOCAL_CONTROL.columns):
        add("Local progressions", [_count_share(f["lp_event"] == 1) for f in columns.values()])
    finding = f"{count(len(cohort), 'patient')}"
    if len(groups) > 1:
        largest = max(groups, key=lambda title: len(groups[title]))
        finding += f" in {len(groups)} series, which differ in case mix; the largest is {largest}"
    return Section(
        id="who",
        title="Who the patients are",
        finding=f"{finding}. The Karnofsky score (0–100) says how well a person manages daily "
        "life: 100 is no complaint, 50 needs considerable help.",
        blocks=(
            Table(
                "Patients by series; share of patients, or median with quartiles",
                (Column("Feature"), *(Column(title, numeric=True) for title in columns)),
                tuple(rows),
                note="Time observed is that of patients alive at the end of their observation. A "
                "follow-up by reverse Kaplan–Meier is another number: it asks how long patients "
                "could have been observed had none of them died.",
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
    if has_columns(cohort, "kps"):
        counts = cohort["kps"].dropna().astype(int).value_counts().sort_index(ascending=False)
        labels = [f"{score}" for score in counts.index]
        blocks.append(_bars("kps", "Karnofsky score before surgery", labels, counts.to_numpy()))
        good = float((cohort["kps"] >= 70).mean())
        sentences.append(
            f"{of_100(good)} of 100 patients cared for themselves before surgery "
            "(Karnofsky score 70 or more)"
        )
    if has_columns(cohort, "separation_mm"):
        distance = cohort["separation_mm"].dropna().to_numpy(dtype=np.float64)
        if distance.size:
            edges = [0, 1, 2, 3, 4, 5, 6, 8, np.inf]
            names = ["<1", "1–2", "2–3", "3–4", "4–5", "5–6", "6–8"]
            heights = np.histogram(distance, edges)[0]
            labels = [*(f"{name} mm" for name in names), "8 mm and more"]
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


def _missing(cohort: pd.DataFrame, groups: dict[str, pd.DataFrame]) -> Section:
    absent = cohort.isna().sum()
    absent = absent[absent > 0].sort_values(ascending=False, kind="stable")
    if absent.empty:
        return Section("missing", "Missing values", "No value is missing in any column.", ())
    rows = tuple(
        (
            sentence_case(readable(str(column))),
            f"{int(n):,}\n{percent(int(n) / len(cohort), 1)}",
            _why_missing(str(column), cohort, groups),
        )
        for column, n in absent.items()
    )
    return Section(
        id="missing",
        title="Missing values",
        finding=f"{count(len(rows), 'column has', 'columns have')} missing values; every other "
        f"column is complete.",
        blocks=(
            Table(
                "Columns with missing values",
                (
                    Column("Column"),
                    Column("Missing", numeric=True),
                    Column("Reason"),
                ),
                rows,
                fitted=True,
                stacked=True,
            ),
        ),
    )


def _why_missing(column: str, cohort: pd.DataFrame, groups: dict[str, pd.DataFrame]) -> str:
    """Return why values are missing: what cannot be there, and where the rest was not recorded."""

    def reason(frame: pd.DataFrame) -> tuple[pd.Series, str]:
        none = pd.Series(data=False, index=frame.index)
        if column == "separation_mm" and has_columns(frame, "procedure"):
            return frame["procedure"] == "none", "had SBRT without surgery, so there is no distance"
        if column in WITH_SBRT and has_columns(frame, "sbrt"):
            return _is_false(frame["sbrt"]), "had no SBRT"
        if column == "muscle_strength_change" and has_columns(frame, "neurologic_deficit"):
            return _is_false(frame["neurologic_deficit"]), "had no deficit before surgery"
        return none, ""

    absent = cohort[column].isna()
    cause, words = reason(cohort)
    explained = int((absent & cause).sum())
    rest = int(absent.sum()) - explained
    parts = [f"{explained:,} {words}"] if explained else []
    if rest:
        where = tuple(
            title
            for title, frame in groups.items()
            if bool((frame[column].isna() & ~reason(frame)[0]).any())
        )
        named = len(groups) > 1 and len(where) < len(groups)
        parts.append(f"{rest:,} not recorded" + (f" in {sentence_list(where)}" if named else ""))
    return "; ".join(parts)


def _is_false(values: pd.Series) -> pd.Series:
    """Return where a value is there and false."""
    return values.eq(other=False).fillna(value=False).astype(bool)
