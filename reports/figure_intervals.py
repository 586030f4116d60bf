"""Values with their intervals, grouped beneath each other."""

from outcomes.reports.charts import IntervalChart, IntervalRow
from outcomes.reports.drawing import (
    Plain,
    axis_of,
    checked,
    layout_of,
    note,
    rounded,
    text,
    wrapped,
)
from outcomes.reports.theme import AXIS, GRID, INK, LOOKS, MUTED, PAPER


def interval_figure(chart: IntervalChart, *, narrow: bool) -> Plain:
    """Return data and layout for a wide or a narrow column."""
    low, high = _range(chart)
    data: list[Plain] = []
    names: list[Plain] = []
    y = 0.0
    group = ""
    for row in chart.rows:
        if row.group != group:
            y += 0.35 if group else 0.0
            group = row.group
            names.append(_name(text(group), y, narrow=narrow, heading=True))
            y += 1.0
        data += _marks(row, y, low, high)
        label = wrapped(row.label, 52)
        names.append(_name(label, y, narrow=narrow, heading=False))
        y += 1.0
    lines = max(name["text"].count("<br>") + 1 for name in names)
    pitch = (25 if narrow else 13) + 15 * lines
    longest = max(len(row.label) for row in chart.rows)
    left = 16 if narrow else min(390, 24 + 7 * max(longest, 18))
    layout = layout_of(
        round(16 + pitch * y + 54),
        (16, 20, 54, left),
        xaxis=axis_of(
            chart.x_title,
            range=[low, high],
            nticks=5 if narrow else 8,
            showgrid=True,
            gridcolor=GRID,
        ),
        yaxis={
            "range": [y - 0.5, -0.6],
            "showgrid": False,
            "zeroline": False,
            "showline": False,
            "ticks": "",
            "showticklabels": False,
            "fixedrange": True,
        },
    )
    layout["annotations"] += names
    if chart.reference is not None:
        layout["shapes"].append(
            {
                "type": "line",
                "x0": chart.reference,
                "x1": chart.reference,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "layer": "below",
                "line": {"color": AXIS, "width": 1},
            }
        )
    return checked(data, layout)


def _range(chart: IntervalChart) -> tuple[float, float]:
    """Return the ends of the axis."""
    ends = [
        end
        for row in chart.rows
        for end in (row.value, row.lower, row.upper, row.beside)
        if end is not None
    ]
    if chart.reference is not None:
        ends.append(chart.reference)
    low, high = min(ends), max(ends)
    if chart.x_max is not None and high > chart.x_max:
        high = chart.x_max
    else:
        high += 0.05 * (high - min(low, 0.0) or 1.0)
    return (1.06 * low if low < 0 else 0.0), high


def _marks(row: IntervalRow, y: float, low: float, high: float) -> list[Plain]:
    """Return the interval as a line, and the values on it."""
    look = LOOKS[row.style]
    ends = [low if row.lower is None else row.lower, high if row.upper is None else row.upper]
    beyond = row.upper is None or row.upper > high
    line: Plain = {
        "type": "scatter",
        "mode": "lines+markers" if beyond else "lines",
        "x": rounded([max(ends[0], low), min(ends[1], high)], 3),
        "y": [y, y],
        "line": {"width": 2, "color": look.colour},
    }
    if beyond:
        line["marker"] = {
            "symbol": ["circle", "triangle-right"],
            "size": [0, 9],
            "color": look.colour,
        }
        line["cliponaxis"] = False
    marks = [line]
    if row.beside is not None and row.beside <= high:
        marks.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": rounded([row.beside], 3),
                "y": [y],
                "marker": {
                    "symbol": "line-ns-open",
                    "size": 12,
                    "color": look.colour,
                    "line": {"width": 2, "color": look.colour},
                },
            }
        )
    if row.value is None or row.value > high:
        return marks
    point: Plain = {
        "type": "scatter",
        "mode": "markers",
        "x": rounded([row.value], 3),
        "y": [y],
        "marker": {
            "symbol": look.symbol,
            "size": 10,
            "color": PAPER if look.hollow else look.colour,
            "line": {"width": 2 if look.hollow else 0, "color": look.colour},
        },
    }
    return [*marks, point]


def _name(label: str, y: float, *, narrow: bool, heading: bool) -> Plain:
    """Return the name of a row or group: beside the chart, or above its line where narrow."""
    above = narrow and not heading
    return note(
        label,
        xref="paper",
        x=0,
        xanchor="left" if narrow else "right",
        xshift=0 if narrow else -10,
        yref="y",
        y=y,
        yanchor="bottom" if above else "middle",
        yshift=5 if above else 0,
        align="left" if narrow else "right",
        font={"size": 13, "color": INK, "weight": 600} if heading else {"size": 12, "color": MUTED},
    )
