"""What a chart shows, as plain values; `figures` draws it. Statistics are done before."""

from dataclasses import dataclass
from typing import Literal

Style = Literal[
    "control",
    "treated",
    "treated_dot",
    "treated_dashdot",
    "ink",
    "hollow",
    "faint",
    "faint_dash",
    "truth",
    "reference",
    "reference_dash",
    "misleading",
]


@dataclass(frozen=True)
class CurveLine:
    """A step curve; `lower` and `upper` are empty without a band."""

    label: str
    style: Style
    months: tuple[float, ...]
    values: tuple[float, ...]
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()
    censored: tuple[tuple[float, float], ...] = ()
    smooth: bool = False


@dataclass(frozen=True)
class RiskRow:
    """Patients at risk in one group, at the chart's `risk_months`."""

    label: str
    style: Style
    counts: tuple[int, ...]


@dataclass(frozen=True)
class CurveChart:
    """Probabilities over months since surgery."""

    lines: tuple[CurveLine, ...]
    end_month: float
    y_title: str
    y_max: float = 1.0
    risk_months: tuple[float, ...] = ()
    risk: tuple[RiskRow, ...] = ()
    compact: bool = False
    risk_title: str = "Patients at risk"


@dataclass(frozen=True)
class ForestRow:
    """An estimate with its interval; a value of None leaves the row empty but named.

    `truth` is what the row's method would find without chance, where that is known.
    """

    label: str
    value: float | None
    lower: float | None
    upper: float | None
    texts: tuple[str, ...]
    style: Style = "ink"
    truth: float | None = None


@dataclass(frozen=True)
class ForestChart:
    """Estimates beneath each other against a line of no difference."""

    rows: tuple[ForestRow, ...]
    x_title: str
    reference: float
    log: bool = False
    hints: tuple[str, str] = ("", "")
    text_titles: tuple[str, ...] = ()
    percent: bool = False


@dataclass(frozen=True)
class LadderRow:
    """The estimate of one method; a value of None leaves the row empty but named.

    `truth` is the method's own, where it is not that of the chart. `texts` stand at the right; in
    a narrow column `short` stands beside the name instead.
    """

    label: str
    group: str
    value: float | None
    lower: float | None
    upper: float | None
    texts: tuple[str, ...]
    short: str
    style: Style = "ink"
    truth: float | None = None


@dataclass(frozen=True)
class LadderChart:
    """Estimates of many methods in groups, against no difference and the truth as a line."""

    rows: tuple[LadderRow, ...]
    x_title: str
    hints: tuple[str, str]
    text_titles: tuple[str, ...]
    truth: float | None = None
    truth_label: str = ""


@dataclass(frozen=True)
class MirrorChart:
    """Shares of two arms between common edges, one above the line and one below it."""

    edges: tuple[float, ...]
    above: tuple[float, ...]
    below: tuple[float, ...]
    styles: tuple[Style, Style]
    labels: tuple[str, str]
    x_title: str


@dataclass(frozen=True)
class Dot:
    """A published figure, what was achieved, and an interval; an infinite end is open."""

    label: str
    group: str
    published: float
    achieved: float | None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class DotChart:
    """Published against achieved, or before against after, grouped; all dots share one unit."""

    dots: tuple[Dot, ...]
    x_title: str
    x_max: float | None = None
    reference: float | None = None


@dataclass(frozen=True)
class Point:
    """A point with an optional vertical interval."""

    x: float
    y: float
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class PointSeries:
    """Points of one kind."""

    label: str
    style: Style
    points: tuple[Point, ...]
    joined: bool = False


@dataclass(frozen=True)
class PlaneLine:
    """A line through points in a plane; `lower` and `upper` are empty without a band."""

    label: str
    style: Style
    x: tuple[float, ...]
    y: tuple[float, ...]
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()


@dataclass(frozen=True)
class PointChart:
    """Points and lines in a plane, with the diagonal or a level for reference.

    What lies beyond the ranges is cut off.
    """

    series: tuple[PointSeries, ...]
    x_title: str
    y_title: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_ticks: tuple[float, ...] = ()
    diagonal: bool = False
    level: float | None = None
    percent_x: bool = False
    percent_y: bool = True
    square: bool = False
    lines: tuple[PlaneLine, ...] = ()


@dataclass(frozen=True)
class Bar:
    """One bar, with the text beside its end."""

    label: str
    value: float
    text: str


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars."""

    bars: tuple[Bar, ...]
    x_title: str
    percent: bool = False


@dataclass(frozen=True)
class IntervalRow:
    """A value with its interval; an end or value that is None lies beyond the axis.

    `beside` is a second value to compare with, drawn as a short upright line.
    """

    label: str
    group: str
    value: float | None
    lower: float | None
    upper: float | None
    style: Style = "ink"
    beside: float | None = None


@dataclass(frozen=True)
class IntervalChart:
    """Values with their intervals, grouped; all rows share one unit.

    What lies beyond `x_max` ends in an arrow.
    """

    rows: tuple[IntervalRow, ...]
    x_title: str
    x_max: float | None = None
    reference: float | None = None


@dataclass(frozen=True)
class StackPart:
    """One part of every column of a stack; negative values hang below the zero line."""

    label: str
    style: Style
    values: tuple[float, ...]


@dataclass(frozen=True)
class StackChart:
    """Columns of parts that add up to a level."""

    names: tuple[str, ...]
    parts: tuple[StackPart, ...]
    x_title: str
    y_title: str
    level: float
    level_label: str


@dataclass(frozen=True)
class Histogram:
    """Counts between equal steps over `span`, a shaded range and one marked value.

    An end of the range that is None is open. `label` describes it to those who cannot see it.
    """

    span: tuple[float, float]
    counts: tuple[int, ...]
    lower: float | None
    upper: float | None
    marked: float
    label: str


Chart = (
    CurveChart
    | ForestChart
    | LadderChart
    | DotChart
    | PointChart
    | BarChart
    | IntervalChart
    | StackChart
    | MirrorChart
)
