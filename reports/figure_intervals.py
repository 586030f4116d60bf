"""Values with their intervals, grouped beneath each other."""

from outcomes.reports.charts import IntervalChart, IntervalRow
from outcomes.reports.drawing import (
    Plain,
    axis_of,
    checked,
    group_name,
    layout_of,
    rounded,
    row_name,
    rows_axis,
    rows_of,
    upright,
    wrapped,
)
from outcomes.reports.theme import AXIS, GRID, LOOKS, PAPER


def interval_figure(chart: IntervalChart, *, narrow: bool) -> Plain:
    """Return data and layout for a wide or a narrow column."""
    low, high = _range(chart)
    data: list[Plain] = []
    labels = [wrapped(row.label, 52) for row in chart.rows]
    rows = rows_of([row.group for row in chart.rows], labels, narrow=narrow)
    for row, at in zip(chart.rows, rows.at, strict=True):
        data += _marks(row, at, low, high)
    longest = max(len(row.label) for row in chart.rows)
    left = 16 if narrow else min(390, 24 + 7 * max(longest, 18))
    layout = layout_of(
        round(16 + rows.height + 54),
        (16, 20, 54, left),
        xaxis=axis_of(
            chart.x_title,
            range=[low, high],
            nticks=5 if narrow else 8,
            showgrid=True,
            gridcolor=GRID,
        ),
        yaxis=rows_axis(rows.height, 0.0),
    )
    layout["annotations"] += [group_name(group, at, narrow=narrow) for at, group in rows.headings]
    layout["annotations"] += [
        row_name(label, at, narrow=narrow) for at, label in zip(rows.at, labels, strict=True)
    ]
    if chart.reference is not None:
        layout["shapes"].append(upright(chart.reference, AXIS))
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
