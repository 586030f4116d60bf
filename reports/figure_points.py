"""Dots, points and bars."""

import math

from outcomes.reports.charts import BarChart, Dot, DotChart, PlaneLine, PointChart
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
    text,
    upright,
    wrapped,
)
from outcomes.reports.theme import AXIS, BANDS, GRID, INK, LOOKS, MUTED, PAPER


def dot_figure(chart: DotChart, *, narrow: bool) -> Plain:
    """Return data and layout for a wide or a narrow column."""
    order = {group: k for k, group in enumerate(dict.fromkeys(dot.group for dot in chart.dots))}
    dots = sorted(chart.dots, key=lambda dot: order[dot.group])
    labels = [wrapped(dot.label, 52 if narrow else 80) for dot in dots]
    rows = rows_of([dot.group for dot in dots], labels, narrow=narrow)
    high = chart.x_max or 1.06 * max(
        end
        for dot in dots
        for end in (dot.published, dot.achieved, dot.upper, chart.reference)
        if end is not None and math.isfinite(end)
    )
    data = [
        _span(dot, at, high)
        for dot, at in zip(dots, rows.at, strict=True)
        if dot.lower is not None and dot.upper is not None
    ]
    data += [
        {
            "type": "scatter",
            "mode": "markers",
            "x": rounded([dot.published for dot in dots], 3),
            "y": list(rows.at),
            "marker": {
                "symbol": "circle",
                "size": 12,
                "color": PAPER,
                "line": {"width": 1.75, "color": INK},
            },
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": rounded([dot.achieved for dot in dots if dot.achieved is not None], 3),
            "y": [at for dot, at in zip(dots, rows.at, strict=True) if dot.achieved is not None],
            "marker": {"symbol": "circle", "size": 5, "color": INK},
        },
    ]
    left = 16 if narrow else min(400, 24 + 7 * max(len(dot.label) for dot in dots))
    layout = layout_of(
        round(16 + rows.height + 54),
        (16, 20, 54, left),
        xaxis=axis_of(
            chart.x_title, range=[-0.015 * high, high], nticks=8, showgrid=True, gridcolor=GRID
        ),
        yaxis=rows_axis(rows.height, 0.0),
    )
    layout["annotations"] += [group_name(group, at, narrow=narrow) for at, group in rows.headings]
    layout["annotations"] += [
        row_name(label, at, narrow=narrow) for at, label in zip(rows.at, labels, strict=True)
    ]
    if chart.reference is not None:
        layout["shapes"].append(upright(chart.reference, AXIS, "dot"))
    return checked(data, layout)


def _span(dot: Dot, y: float, high: float) -> Plain:
    """Return the interval of a dot as a line; an end beyond the axis is an arrow."""
    lower, upper = dot.lower or 0.0, dot.upper or 0.0
    span: Plain = {
        "type": "scatter",
        "mode": "lines",
        "x": rounded([lower, min(upper, high)], 3),
        "y": [y, y],
        "line": {"width": 1.25, "color": INK},
    }
    if upper > high:
        arrow = {"symbol": ["circle", "triangle-right"], "size": [0, 9], "color": INK}
        span |= {"mode": "lines+markers", "marker": arrow, "cliponaxis": False}
    return span


def _band(line: PlaneLine) -> Plain:
    """Return what lies between the limits of a line."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": rounded([*line.x, *reversed(line.x)]),
        "y": rounded([*line.upper, *reversed(line.lower)]),
        "fill": "toself",
        "fillcolor": BANDS[LOOKS[line.style].colour],
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def _line(line: PlaneLine) -> Plain:
    look = LOOKS[line.style]
    plain = line.style.startswith("reference")
    return {
        "type": "scatter",
        "mode": "lines",
        "name": text(line.label),
        "x": rounded(line.x),
        "y": rounded(line.y),
        "line": {"color": look.colour, "width": 1.5 if plain else 2.25, "dash": look.dash},
    }


def point_figure(chart: PointChart, *, narrow: bool) -> Plain:
    """Return data and layout for a wide or a narrow column."""
    data: list[Plain] = [_band(line) for line in chart.lines if line.lower]
    data += [_line(line) for line in chart.lines]
    for series in chart.series:
        look = LOOKS[series.style]
        points = series.points
        trace: Plain = {
            "type": "scatter",
            "mode": "lines+markers" if series.joined else "markers",
            "name": text(series.label),
            "x": rounded([point.x for point in points]),
            "y": rounded([point.y for point in points]),
            "line": {"color": look.colour, "width": 1.75, "dash": look.dash},
            "marker": {
                "symbol": "circle" if look.hollow else "square",
                "size": 9,
                "color": PAPER if look.hollow else look.colour,
                "line": {"width": 1.75, "color": look.colour},
            },
        }
        if any(point.lower is not None and point.upper is not None for point in points):
            trace["error_y"] = {
                "type": "data",
                "symmetric": False,
                "array": rounded(
                    [0.0 if p.upper is None else max(p.upper - p.y, 0.0) for p in points]
                ),
                "arrayminus": rounded(
                    [0.0 if p.lower is None else max(p.y - p.lower, 0.0) for p in points]
                ),
                "color": look.colour,
                "thickness": 1.5,
                "width": 0,
            }
        data.append(trace)
    x_axis: Plain = {"range": list(chart.x_range)}
    if chart.x_ticks:
        x_axis["tickvals"] = list(chart.x_ticks)
    if chart.percent_x:
        x_axis["tickformat"] = ".0%"
    y_axis: Plain = {"range": list(chart.y_range), "showgrid": True, "gridcolor": GRID, "nticks": 7}
    if chart.percent_y:
        y_axis["tickformat"] = ".0%"
    height = 360 if chart.square or not narrow else 330
    layout = layout_of(
        height,
        (14, 22, 56, 62),
        xaxis=axis_of(chart.x_title, **x_axis),
        yaxis=axis_of(chart.y_title, **y_axis),
    )
    line: Plain = {
        "type": "line",
        "layer": "below",
        "line": {"color": AXIS, "width": 1, "dash": "dot"},
    }
    if chart.diagonal:
        low = max(chart.x_range[0], chart.y_range[0])
        high = min(chart.x_range[1], chart.y_range[1])
        layout["shapes"].append(line | {"x0": low, "y0": low, "x1": high, "y1": high})
    if chart.level is not None:
        level = {"xref": "paper", "x0": 0, "x1": 1, "y0": chart.level, "y1": chart.level}
        layout["shapes"].append(line | level)
    return checked(data, layout)


def bar_figure(chart: BarChart, *, narrow: bool) -> Plain:
    """Return data and layout for a wide or a narrow column."""
    count = len(chart.bars)
    pitch = 52 if narrow else 34
    data: list[Plain] = [
        {
            "type": "bar",
            "orientation": "h",
            "y": [count - position for position in range(count)],
            "x": rounded([bar.value for bar in chart.bars]),
            "width": 0.42 if narrow else 0.6,
            "marker": {"color": MUTED, "line": {"width": 0}},
        }
    ]
    ends = [bar.value for bar in chart.bars] + [0.0]
    low, high = min(ends), max(ends)
    span = high - low or 1.0
    # Room for the longest number beside its bar.
    room = 0.03 + (0.027 if narrow else 0.0125) * max(len(bar.text) for bar in chart.bars)
    left = 16 if narrow else min(340, 24 + 7 * max(len(bar.label) for bar in chart.bars))
    more: Plain = {"tickformat": ".0%"} if chart.percent else {}
    layout = layout_of(
        16 + pitch * count + 54,
        (16, 20, 54, left),
        xaxis=axis_of(
            chart.x_title,
            range=[low - (0.04 * span if low < 0 else 0), high + room * span],
            nticks=7,
            **more,
        ),
        yaxis=rows_axis(0.4, count + (0.85 if narrow else 0.6), showline=True, linecolor=AXIS),
        bargap=0,
    )
    for position, bar in enumerate(chart.bars):
        y = count - position
        end = max(bar.value, 0.0)
        layout["annotations"] += [
            note(
                text(bar.label),
                xref="paper",
                x=0,
                xanchor="left" if narrow else "right",
                xshift=2 if narrow else -10,
                yref="y",
                y=y,
                yshift=22 if narrow else 0,
            ),
            note(
                text(bar.text), xref="x", x=round(end, 4), xanchor="left", xshift=6, yref="y", y=y
            ),
        ]
    return checked(data, layout)
