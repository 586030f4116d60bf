"""What all pages share: the frame, and curves as chart data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.estimate import Estimate
from outcomes.reports.charts import CurveLine, Style
from outcomes.reports.content import KeyNumber, Page, Section
from outcomes.reports.results import StudyResults
from outcomes.reports.wording import count, sentence_list
from outcomes.schema import one_row_per_patient

if TYPE_CHECKING:
    from outcomes.comparison import ArmCurve

TITLES = {
    "index": "Overview",
    "evidence": "Evidence",
    "calibration": "Calibration",
    "cohort": "Cohort",
    "models": "Models",
    "comparison": "Comparison",
    "calculator": "Calculator",
}
REGIMENS: tuple[tuple[str, Style], ...] = (
    ("none", "control"),
    ("hypofractionated_low", "treated"),
    ("single_24", "treated_dot"),
    ("hypofractionated_high", "treated_dashdot"),
)
# Curves of large cohorts are drawn at this spacing in months; their tables are exact.
DRAWING_STEP = 0.1
MOST_POINTS = 400


def page_names(results: StudyResults) -> tuple[str, ...]:
    """Return the pages these results can fill, in the order of reading."""
    filled = {
        "index": True,
        "evidence": results.evidence is not None,
        "calibration": results.calibration is not None,
        "cohort": True,
        "models": bool(results.models or results.evaluations),
        "comparison": bool(results.comparisons),
        "calculator": bool(results.calculator),
    }
    return tuple(name for name in TITLES if filled[name])


def make_page(
    name: str,
    results: StudyResults,
    *,
    title: str,
    question: str,
    keys: tuple[KeyNumber, ...],
    sections: tuple[Section | None, ...],
    jumps: bool = False,
) -> Page:
    """Return a page with the notice, links and footer that all pages carry.

    With `jumps`, links to its sections stand under the key numbers.
    """
    notice_title, notice = _notice(results)
    shown = tuple(section for section in sections if section is not None)
    return Page(
        name=name,
        title=title,
        question=question,
        notice_title=notice_title,
        notice=notice,
        keys=keys,
        sections=shown,
        links=tuple((page, TITLES[page]) for page in page_names(results)),
        footer=_footer(results),
        jumps=tuple((section.id, section.title) for section in shown) if jumps else (),
    )


def patient_count(cohort: pd.DataFrame) -> int:
    """Return how many patients the rows of a cohort are; a patient may have a row a lesion."""
    return len(one_row_per_patient(cohort)[0])


def patient_words(cohort: pd.DataFrame) -> str:
    """Return how many patients a cohort has, and how many lesions if those are more."""
    n = patient_count(cohort)
    text = count(n, "patient")
    return text if n == len(cohort) else f"{text} with {count(len(cohort), 'lesion')}"


def _notice(results: StudyResults) -> tuple[str, str]:
    patients = patient_words(results.cohort)
    if not results.synthetic:
        source = results.provenance.get("source")
        origin = f" of {source}" if source else ""
        return (
            "These are the cohort's own patients.",
            f"{patients}{origin}. Their true risks are not known, so no estimate here can be "
            "checked against a truth.",
        )
    text = "They are drawn by a computer model; no real person's data are in this report."
    calibration = results.calibration
    if calibration is not None:
        fitted = calibration.fitted
        series = dict.fromkeys(target.study for target in fitted)
        titles = tuple(results.study_title(study) for study in series)
        text += (
            f" The model is calibrated to {count(len(fitted), 'published number')} of "
            f"{sentence_list(titles)}."
        )
    elif results.evidence is not None:
        text += " The model follows the published figures listed under Evidence."
    return "The patients are synthetic.", text


def _footer(results: StudyResults) -> tuple[str, ...]:
    provenance = results.provenance
    parts = [f"separation-outcomes {provenance.get('package_version', '')}".strip()]
    if provenance.get("seed") is not None:
        parts.append(f"seed {provenance['seed']}")
    if provenance.get("evidence_hash"):
        parts.append(f"evidence {str(provenance['evidence_hash'])[:12]}")
    return (
        " · ".join(parts),
        "For research and teaching. Not a medical device; not for decisions about a patient.",
    )


def curve_line(
    label: str,
    style: Style,
    months: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    start: float,
    end: float,
    lower: npt.ArrayLike | None = None,
    upper: npt.ArrayLike | None = None,
    censored: Sequence[float] = (),
) -> CurveLine:
    """Return a step curve from month 0 to `end` as chart data.

    The curve is continued flat to `end`; the caller must not ask for more than is known. A curve
    of more than 400 jumps is drawn every 0.1 months.
    """
    times = np.asarray(months, dtype=np.float64)
    rows = [np.asarray(values, dtype=np.float64)]
    has_band = lower is not None and upper is not None
    if has_band:
        rows += [np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)]
    curves = np.vstack(rows)
    inside = times <= end
    times, curves = times[inside], curves[:, inside]
    # Limits do not exist where the curve is 0 or 1; the band closes on the curve there.
    curves = np.where(np.isfinite(curves), curves, curves[:1])
    times = np.concatenate(([0.0], times))
    curves = np.hstack([np.full((len(curves), 1), start), curves])
    if times.size > MOST_POINTS:
        grid = np.append(np.arange(0.0, end, DRAWING_STEP), end)
        curves = curves[:, np.searchsorted(times, grid + 1e-9, side="right") - 1]
        times = grid
    elif times[-1] < end:
        times = np.append(times, end)
        curves = np.hstack([curves, curves[:, -1:]])
    marks = [
        (float(month), float(curves[0, np.searchsorted(times, month, side="right") - 1]))
        for month in censored
        if month <= end
    ]
    return CurveLine(
        label=label,
        style=style,
        months=tuple(times.tolist()),
        values=tuple(curves[0].tolist()),
        lower=tuple(curves[1].tolist()) if has_band else (),
        upper=tuple(curves[2].tolist()) if has_band else (),
        censored=tuple(marks),
    )


def arm_at(curve: ArmCurve, month: float, *, start: float) -> Estimate | None:
    """Return the value of an arm's curve at a month; None beyond its follow-up.

    Where nothing has happened yet nothing tells how sure that is: there are no limits.
    """
    months = np.asarray(curve.months, dtype=np.float64)
    if not months.size or month > months[-1]:
        return None
    position = int(np.searchsorted(months, month, side="right")) - 1
    if position < 0:
        return Estimate(start, math.nan, math.nan)
    value, lower, upper = (
        float(steps[position]) for steps in (curve.estimate, curve.lower, curve.upper)
    )
    if lower == upper:
        lower = upper = math.nan
    return Estimate(value, lower, upper)


def round_up(value: float, step: float) -> float:
    """Return the next multiple of a step at or above a value."""
    return float(np.ceil(value / step - 1e-9) * step)


def as_float(value: object) -> float:
    """Return a cell of a table as a number; NaN where it holds none."""
    return float(value) if isinstance(value, int | float) else float("nan")


def has_columns(cohort: pd.DataFrame, *columns: str) -> bool:
    """Whether a cohort has all of these columns."""
    return all(column in cohort.columns for column in columns)
