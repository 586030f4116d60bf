"""Estimates with their intervals beneath each other."""

import math

from outcomes.reports.charts import ForestChart
from outcomes.reports.drawing import (
    Plain,
    axis_of,
    checked,
    layout_of,
    note,
    rounded,
    rows_axis,
    side_hints,
    text,
    upright,
    wrapped,
)
from outcomes.reports.theme import AXIS, INK, LOOKS, MUTED, PAPER


def forest_figure(chart: ForestChart, *, narrow: bool) -> Plain:
    """Return data and layout for a wide or a narrow column."""
    rows = chart.rows
    count = len(rows)
    above = [
        wrapped(f"{row.label}: {row.texts[0]}" if row.texts else row.label, 52) for row in rows
    ]
    lines = 1 + max((label.count("<br>") for label in above), default=0)
    pitch = 35 + 15 * lines if narrow else 38
    data: list[Plain] = []
    for position, row in enumerate(rows):
        y = count - position
        look = LOOKS[row.style]
        if row.truth is not None:
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": rounded([row.truth]),
                    "y": [y],
                    "marker": {
                        "symbol": "line-ns-open",
                        "size": 22,
                        "color": MUTED,
                        "line": {"width": 3, "color": MUTED},
                    },
                }
            )
        if row.lower is not None and row.upper is not None:
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": rounded([row.lower, row.upper]),
                    "y": [y, y],
                    "line": {"width": 2, "color": look.colour},
                }
            )
        if row.value is not None:
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": rounded([row.value]),
                    "y": [y],
                    "marker": {
                        "symbol": look.symbol,
                        "size": 10,
                        "color": PAPER if look.hollow else look.colour,
                        "line": {"width": 2 if look.hollow else 0, "color": look.colour},
                    },
                }
            )
    numbers = [
        number
        for row in rows
        for number in (row.value, row.lower, row.upper, row.truth)
        if number is not None
    ] + [chart.reference]
    axis = _log_axis(chart, numbers) if chart.log else _linear_axis(chart, numbers)
    widths = [] if narrow else [max(96, 7 * max(map(len, column))) for column in _columns(chart)]
    left = 16 if narrow else min(330, 22 + 7 * max(len(row.label) for row in rows))
    right = 16 if narrow else 12 + sum(widths)
    top = 40 if chart.text_titles and not narrow else 16
    below = 78 if any(chart.hints) else 54
    axis["title"]["text"] = wrapped(chart.x_title, 44 if narrow else 80)
    if "<br>" in axis["title"]["text"]:
        below += 16
    layout = layout_of(
        top + pitch * count + below,
        (top, right, below, left),
        xaxis=axis,
        yaxis=rows_axis(0.4, count + (0.95 if narrow else 0.75)),
    )
    layout["shapes"].append(upright(chart.reference, AXIS))
    for position, row in enumerate(rows):
        y = count - position
        if narrow:
            layout["annotations"].append(
                note(
                    above[position],
                    xref="paper",
                    x=0,
                    xanchor="left",
                    yref="y",
                    y=y,
                    yanchor="bottom",
                    yshift=7,
                    align="left",
                    bgcolor=PAPER,
                    borderpad=1,
                )
            )
            continue
        layout["annotations"].append(
            note(
                wrapped(row.label, 44),
                xref="paper",
                x=0,
                xanchor="right",
                xshift=-10,
                yref="y",
                y=y,
                align="right",
            )
        )
        shift = 0
        for column, cell in enumerate(row.texts):
            shift += widths[column]
            layout["annotations"].append(
                note(
                    text(cell),
                    xref="paper",
                    x=1,
                    xanchor="right",
                    xshift=shift,
                    yref="y",
                    y=y,
                )
            )
    if not narrow:
        shift = 0
        for column, title in enumerate(chart.text_titles):
            shift += widths[column]
            layout["annotations"].append(
                note(
                    text(title),
                    xref="paper",
                    x=1,
                    xanchor="right",
                    xshift=shift,
                    yref="paper",
                    y=1,
                    yanchor="bottom",
                    yshift=4,
                    font={"size": 12, "color": INK, "weight": 600},
                )
            )
    lines = 1 + layout["xaxis"]["title"]["text"].count("<br>")
    layout["annotations"] += side_hints(chart.hints, narrow=narrow, yshift=-38 - 16 * lines)
    return checked(data, layout)


def _columns(chart: ForestChart) -> list[list[str]]:
    """Return the text columns at the right, each with its title."""
    count = max((len(row.texts) for row in chart.rows), default=0)
    titles = (*chart.text_titles, *[""] * count)[:count]
    return [
        [title, *(row.texts[column] for row in chart.rows if column < len(row.texts))]
        for column, title in enumerate(titles)
    ]


def _on_axis(chart: ForestChart, value: float) -> float:
    """Return where plotly's annotations expect a value: at its logarithm on a log axis."""
    return math.log10(value) if chart.log else value


def _log_axis(chart: ForestChart, numbers: list[float]) -> Plain:
    low = max(min(numbers) * 0.9, 0.02)
    high = min(max(numbers) * 1.1, 50.0)
    ladder = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50]
    ticks = [tick for tick in ladder if low <= tick <= high]
    if high / low > 12:
        ticks = [tick for tick in ticks if tick not in (0.3, 0.7, 1.5, 3)]
    return axis_of(
        chart.x_title,
        type="log",
        range=[math.log10(low), math.log10(high)],
        tickvals=ticks,
        ticktext=[f"{tick:g}" for tick in ticks],
    )


def _linear_axis(chart: ForestChart, numbers: list[float]) -> Plain:
    low, high = min(numbers), max(numbers)
    room = 0.06 * (high - low or 1.0)
    more: Plain = {"tickformat": "~%" if not chart.percent else ".0%"} if chart.percent else {}
    return axis_of(chart.x_title, range=[low - room, high + room], nticks=7, **more)
