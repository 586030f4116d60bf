"""What a page consists of, as plain values.

The summary stage makes these from results; `figures` turns charts into plotly figures and `page`
turns the whole into HTML. All text is plain: whoever shows it escapes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from outcomes.reports.charts import Chart, CurveChart, Histogram, Style


@dataclass(frozen=True)
class Column:
    """A column of a table; numbers are aligned to the right."""

    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """A table of formatted cells; the first cell of a row is its header.

    The lines of a cell stand beneath each other, those after the first in small print. A `fitted`
    table breaks its lines rather than growing wider than the page. A `stacked` one shows each row
    as a block on a phone: the first cell and a number beside it, the others beneath; of several
    numbers each has a line with its column's title.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    fitted: bool = False
    stacked: bool = False


@dataclass(frozen=True)
class KeyNumber:
    """One number of the strip at the top, with its n or interval."""

    label: str
    value: str
    note: str
    style: Style = "ink"


@dataclass(frozen=True)
class Legend:
    """One entry of the legend above a chart."""

    label: str
    style: Style
    mark: Literal["line", "point", "dot", "block"] = "line"


@dataclass(frozen=True)
class Figure:
    """A chart with everything a reader needs who cannot see it.

    Attributes
    ----------
    id
        Identifier in the page: lower-case letters, digits and hyphens.
    chart
        What is drawn.
    label
        Short description for screen readers.
    caption
        What is shown, how it was estimated, from how many.
    table
        The numbers behind the figure.
    legend
        Entries shown above the chart.
    """

    id: str
    chart: Chart
    label: str
    caption: str
    table: Table
    legend: tuple[Legend, ...] = ()


@dataclass(frozen=True)
class FigureGrid:
    """Small figures side by side, with one caption and one table."""

    id: str
    panels: tuple[tuple[str, CurveChart, str], ...]
    caption: str
    table: Table
    legend: tuple[Legend, ...] = ()


@dataclass(frozen=True)
class Icons:
    """A hundred patients, some of them marked."""

    title: str
    style: Style
    marked: int
    marked_text: str
    rest_text: str
    note: str


@dataclass(frozen=True)
class IconGroup:
    """Arrays of a hundred patients side by side, with what they say in one sentence."""

    finding: str
    arrays: tuple[Icons, ...]


@dataclass(frozen=True)
class IconRow:
    """Groups of icon arrays with one caption."""

    groups: tuple[IconGroup, ...]
    caption: str


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list; numbered where the order matters."""

    items: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True)
class Caveat:
    """A warning that must not be missed."""

    text: str


@dataclass(frozen=True)
class Subheading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True)
class Links:
    """Links with one line each; `href` is relative."""

    items: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class CollapsedTable:
    """A table behind a summary line."""

    summary: str
    table: Table
    opened: bool = False


@dataclass(frozen=True)
class CollapsedText:
    """A paragraph behind a summary line."""

    summary: str
    text: str


@dataclass(frozen=True)
class DistributionRow:
    """A published figure beside its distribution over many cohorts.

    Attributes
    ----------
    label, published, central
        Formatted cells: the figure, its value, and the central 95 % of the cohorts.
    histogram
        The distribution.
    verdict
        Where the published value lies, in words.
    inside
        Whether it lies in the central 95 %.
    """

    label: str
    published: str
    central: str
    histogram: Histogram
    verdict: str
    inside: bool


@dataclass(frozen=True)
class DistributionTable:
    """Figures with their distributions behind a summary line."""

    summary: str
    caption: str
    titles: tuple[str, str, str, str]
    rows: tuple[DistributionRow, ...]
    opened: bool = False


@dataclass(frozen=True)
class Control:
    """One input of the calculator."""

    name: str
    label: str
    kind: Literal["range", "select", "checkbox"]
    value: str = ""
    unit: str = ""
    help: str = ""
    low: float = 0.0
    high: float = 0.0
    step: float = 1.0
    options: tuple[tuple[str, str], ...] = ()
    checked: bool = False
    disabled: bool = False


@dataclass(frozen=True)
class CalculatorResult:
    """One predicted endpoint, as the page opens.

    Attributes
    ----------
    endpoint, title
        Which endpoint.
    big, answer, sentence
        The large number, what it is with its interval, and the same in natural frequencies.
    source
        Which patients the prediction refers to.
    figure
        The predicted curve.
    """

    endpoint: str
    title: str
    big: str
    answer: str
    sentence: str
    source: str
    figure: Figure


@dataclass(frozen=True)
class Calculator:
    """The form of the calculator, and the data its script reads.

    Attributes
    ----------
    controls
        The inputs.
    results
        One prediction for each endpoint.
    glance
        The predictions in one short line, which stays in sight on a phone.
    caveat
        Stands above the numbers.
    warning
        What is extrapolated; empty where nothing is.
    data
        What the script needs, as JSON.
    """

    controls: tuple[Control, ...]
    results: tuple[CalculatorResult, ...]
    glance: str
    caveat: str
    warning: str
    data: Mapping[str, object]


Block = (
    Paragraph
    | Bullets
    | Caveat
    | Subheading
    | Links
    | Table
    | CollapsedTable
    | CollapsedText
    | DistributionTable
    | Figure
    | FigureGrid
    | IconRow
    | Calculator
)


@dataclass(frozen=True)
class Section:
    """A heading, its finding in plain words, and what supports it."""

    id: str
    title: str
    finding: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """One page, ready to be drawn.

    Attributes
    ----------
    name
        File name without its ending.
    title
        Heading.
    question
        What this page answers, in one sentence.
    notice_title, notice
        Who the patients are, and what they are calibrated to.
    keys
        Numbers at the top.
    sections
        The body.
    links
        Pages of this report as (name, title).
    footer
        Where the numbers come from.
    jumps
        Sections of a long page to jump to, as (id, title).
    """

    name: str
    title: str
    question: str
    notice_title: str
    notice: str
    keys: tuple[KeyNumber, ...]
    sections: tuple[Section, ...]
    links: tuple[tuple[str, str], ...]
    footer: tuple[str, ...]
    jumps: tuple[tuple[str, str], ...] = ()
