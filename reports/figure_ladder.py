"""A ladder of methods: estimates in groups, with the truth as a line."""

from outcomes.reports.charts import LadderChart, LadderRow
from outcomes.reports.drawing import (
    Plain,
    axis_of,
    checked,
    group_name,
    layout_of,
    note,
    rounded,
    row_name,
    rows_axis,
    rows_of,
    side_hints,
    text,
    upright,
    wrapped,
)
from outcomes.reports.theme import AXIS, GRID, INK, LOOKS, MUTED, PAPER

# Beyond this many lengths of the span of the values, a limit ends in an arrow.
REACH = 3.0
# Arrows stand this share of the axis inside its ends, clear of the names.
INSET = 0.012
EMPTY = 10.0
TRUTH = LOOKS["truth"]


def ladder_figure(chart: LadderChart, *, narrow: bool) -> Plain:
    """Return data and layout for a wide or a narrow column."""
    labels = [
        wrapped(f"{row.label}: {row.short}" if narrow else row.label, 54) for row in chart.rows
    ]
    rows = rows_of([row.group for row in chart.rows], labels, narrow=narrow)
    low, high = _range(chart)
    data: list[Plain] = []
    for row, at in zip(chart.rows, rows.at, strict=True):
        data += _marks(row, at, low, high)
    widths = [] if narrow else [7 * max(map(len, column)) + 16 for column in _columns(chart)]
    left = 16 if narrow else min(330, 24 + 7 * max(len(row.label) for row in chart.rows))
    top = 44 if chart.text_titles and not narrow else 26
    axis = axis_of(
        chart.x_title, range=[low, high], nticks=5 if narrow else 7, showgrid=True, gridcolor=GRID
    )
    axis["title"]["text"] = wrapped(chart.x_title, 44 if narrow else 80)
    below = 62 + 16 * (1 + axis["title"]["text"].count("<br>"))
    layout = layout_of(
        round(top + rows.height + below),
        (top, 16 if narrow else 12 + sum(widths), below, left),
        xaxis=axis,
        yaxis=rows_axis(rows.height, 0.0),
    )
    layout["shapes"].append(upright(0.0, AXIS))
    if chart.truth is not None:
        layout["shapes"].append(upright(chart.truth, TRUTH.colour, TRUTH.dash, width=2))
        layout["annotations"].append(
            note(
                text(chart.truth_label),
                xref="x",
                x=round(chart.truth, 4),
                yref="paper",
                y=1,
                yanchor="bottom",
                yshift=4,
                font={"size": 12, "color": MUTED, "weight": 600},
            )
        )
    for at, group in rows.headings:
        # A heading is longer than the names below it: it begins at the edge of the chart.
        heading = group_name(group, at, narrow=narrow) | {
            "xanchor": "left",
            "xshift": 0 if narrow else 4 - left,
            "bgcolor": PAPER,
        }
        layout["annotations"].append(heading)
    for row, label, at in zip(chart.rows, labels, rows.at, strict=True):
        name = row_name(label, at, narrow=narrow)
        name |= {
            "font": {"size": 12, "color": LOOKS[row.style].colour},
            "bgcolor": PAPER,
            "borderpad": 1,
        }
        layout["annotations"].append(name)
        shift = 0
        for width, cell in zip(widths, row.texts, strict=False):
            shift += width
            layout["annotations"].append(_cell(cell, shift, yref="y", y=at))
    shift = 0
    for width, title in zip(widths, chart.text_titles, strict=False):
        shift += width
        bold: Plain = {"size": 12, "color": INK, "weight": 600}
        layout["annotations"].append(
            _cell(title, shift, yref="paper", y=1, yanchor="bottom", yshift=4, font=bold)
        )
    layout["annotations"] += side_hints(chart.hints, narrow=narrow, yshift=24 - below)
    return checked(data, layout)


def _columns(chart: LadderChart) -> list[tuple[str, ...]]:
    """Return the text columns at the right, each with its title."""
    rows = [(*row.texts, *[""] * len(chart.text_titles)) for row in chart.rows]
    return [
        (title, *(texts[column] for texts in rows))
        for column, title in enumerate(chart.text_titles)
    ]


def _cell(label: str, shift: float, **more: object) -> Plain:
    return note(text(label), xref="paper", x=1, xanchor="right", xshift=shift, **more)


def _range(chart: LadderChart) -> tuple[float, float]:
    """Return the ends of the axis: all values, and limits that are not far beyond them."""
    firm = [0.0]
    for row in chart.rows:
        firm += [value for value in (row.value, row.truth) if value is not None]
    if chart.truth is not None:
        firm.append(chart.truth)
    low, high = min(firm), max(firm)
    if low == high and all(row.lower is None for row in chart.rows):
        # Nothing but noughts: an axis of a few patients rather than of hundredths of one.
        return low - EMPTY, high + EMPTY
    reach = REACH * (high - low or 1.0)
    ends = [end for row in chart.rows for end in (row.lower, row.upper) if end is not None]
    low = max(min([low, *ends]), low - reach)
    high = min(max([high, *ends]), high + reach)
    room = 0.05 * (high - low or 1.0)
    return low - room, high + room


def _marks(row: LadderRow, y: float, low: float, high: float) -> list[Plain]:
    """Return the interval of a row, its own truth and its value."""
    look = LOOKS[row.style]
    marks: list[Plain] = []
    inset = INSET * (high - low)
    low, high = low + inset, high - inset
    if row.lower is not None and row.upper is not None:
        marks.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": rounded([max(row.lower, low), min(row.upper, high)], 3),
                "y": [y, y],
                "line": {"width": 2, "color": look.colour, "dash": look.dash},
                "marker": {
                    "symbol": ["triangle-left", "triangle-right"],
                    "size": [9 if row.lower < low else 0, 9 if row.upper > high else 0],
                    "color": look.colour,
                },
                "cliponaxis": False,
            }
        )
    if row.truth is not None:
        marks.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": rounded([row.truth], 3),
                "y": [y],
                "marker": {
                    "symbol": "line-ns-open",
                    "size": 22,
                    "color": TRUTH.colour,
                    "line": {"width": 3, "color": TRUTH.colour},
                },
            }
        )
    if row.value is not None:
        marks.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": rounded([row.value], 3),
                "y": [y],
                "marker": {
                    "symbol": look.symbol,
                    "size": 11 if look.hollow else 10,
                    "color": PAPER if look.hollow else look.colour,
                    "line": {"width": 2 if look.hollow else 0, "color": look.colour},
                },
            }
        )
    return marks
