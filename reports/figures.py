"""Charts as plotly figures: plain dictionaries, without statistics.

Each chart is laid out twice, for a wide and for a narrow column; the page's script takes the
layout that fits. Labels that may come from data are escaped, because plotly reads them as HTML.
"""

import html
import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from outcomes.reports.content import (
    BarChart,
    Chart,
    CurveChart,
    CurveLine,
    DotChart,
    ForestChart,
    PointChart,
)
from outcomes.reports.theme import (
    AXIS,
    BANDS,
    FONT,
    GRID,
    INK,
    LOOKS,
    MUTED,
    PAPER,
)

Plain = dict[str, Any]


def plotly_figure(chart: Chart) -> Plain:
    """Return ``data``, ``layout`` and ``narrow`` (the layout for narrow columns)."""
    draw = _DRAW[type(chart)]
    wide, narrow = draw(chart, False), draw(chart, True)
    return {
        "data": wide["data"],
        "layout": wide["layout"],
        "narrow": narrow["layout"],
        "narrow_data": narrow["data"] if narrow["data"] != wide["data"] else None,
    }


def text(label: str) -> str:
    """Return a label that plotly shows as it is."""
    return html.escape(label, quote=True)


def _wrapped(label: str, width: int) -> str:
    """Return an escaped label, broken into lines at spaces."""
    lines: list[str] = []
    for word in label.split():
        if lines and len(lines[-1]) + len(word) < width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "<br>".join(text(line) for line in lines)


def _rounded(values: Sequence[float], digits: int = 4) -> list[float]:
    return [round(float(value), digits) for value in values]


def _axis(title: str, **more: Any) -> Plain:
    axis: Plain = {
        "title": {"text": text(title), "standoff": 10, "font": {"color": MUTED, "size": 13}},
        "showgrid": False,
        "zeroline": False,
        "showline": True,
        "linecolor": AXIS,
        "linewidth": 1,
        "ticks": "outside",
        "ticklen": 5,
        "tickcolor": AXIS,
        "tickfont": {"color": MUTED, "size": 12},
        "fixedrange": True,
        "automargin": False,
    }
    return axis | more


def _share_axis(title: str, top: float, *, compact: bool = False) -> Plain:
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if top / step <= 5.001)
    ticks = [round(step * i, 2) for i in range(math.floor(top / step + 1e-9) + 1)]
    if compact:
        ticks = [0, top / 2, top]
    return _axis(
        title,
        range=[0, top * 1.005],
        tickvals=ticks,
        ticktext=[f"{100 * tick:.0f}%" for tick in ticks],
        showgrid=True,
        gridcolor=GRID,
        gridwidth=1,
    )


def _layout(height: int, margin: tuple[int, int, int, int], **more: Any) -> Plain:
    top, right, bottom, left = margin
    layout: Plain = {
        "template": "none",
        "height": height,
        "margin": {"t": top, "r": right, "b": bottom, "l": left, "pad": 0},
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "showlegend": False,
        "hovermode": False,
        "dragmode": False,
        "annotations": [],
        "shapes": [],
    }
    return layout | more


def _note(label: str, **more: Any) -> Plain:
    note: Plain = {"text": label, "showarrow": False, "font": {"size": 12, "color": INK}}
    return note | more


def _steps(months: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return the corners of a right-continuous step function."""
    x, y = [float(months[0])], [float(values[0])]
    for month, value in zip(months[1:], values[1:], strict=True):
        x += [float(month), float(month)]
        y += [y[-1], float(value)]
    return x, y


def _band(line: CurveLine) -> Plain:
    look = LOOKS[line.style]
    if line.smooth:
        x = [*line.months, *reversed(line.months)]
        y = [*line.upper, *reversed(line.lower)]
    else:
        x_up, y_up = _steps(line.months, line.upper)
        x_low, y_low = _steps(line.months, line.lower)
        x, y = x_up + x_low[::-1], y_up + y_low[::-1]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _rounded(x, 3),
        "y": _rounded(y),
        "fill": "toself",
        "fillcolor": BANDS[look.colour],
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def _curve(chart: CurveChart, narrow: bool) -> Plain:
    data: list[Plain] = [_band(line) for line in chart.lines if line.lower]
    for line in chart.lines:
        look = LOOKS[line.style]
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": text(line.label),
                "x": _rounded(line.months, 3),
                "y": _rounded(line.values),
                "line": {
                    "shape": "linear" if line.smooth else "hv",
                    "width": 1.25 if line.style == "faint" else 2.25,
                    "color": look.colour,
                    "dash": look.dash,
                },
            }
        )
        if line.censored:
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": _rounded([month for month, _ in line.censored], 3),
                    "y": _rounded([value for _, value in line.censored]),
                    "marker": {
                        "symbol": "line-ns-open",
                        "size": 7,
                        "color": look.colour,
                        "line": {"width": 1, "color": look.colour},
                    },
                }
            )
    small = narrow or chart.compact
    step = 12 if small or chart.end_month > 72 else 6
    ticks = list(range(0, math.floor(chart.end_month) + 1, step))
    plot = 170 if chart.compact else (260 if narrow else 340)
    rows = len(chart.risk)
    below = 34 if chart.compact else 58
    if rows:
        below += 34 + 22 * rows
    left = 44 if chart.compact else (58 if not rows else 78 if narrow else 100)
    layout = _layout(
        14 + plot + below,
        (14, 14 if chart.compact else 22, below, left),
        xaxis=_axis(
            "" if chart.compact else "Months since surgery",
            range=[0, chart.end_month],
            tickvals=ticks,
        ),
        yaxis=_share_axis(
            "" if chart.compact else chart.y_title, chart.y_max, compact=chart.compact
        ),
    )
    if rows:
        shown = [
            (month, column)
            for column, month in enumerate(chart.risk_months)
            if month <= chart.end_month and (not narrow or round(month) % 12 == 0)
        ]
        top = -(58 + 10)
        layout["annotations"].append(
            _note(
                "Patients at risk",
                xref="paper",
                yref="paper",
                x=0,
                y=0,
                xanchor="left",
                yanchor="middle",
                xshift=-left + 4,
                yshift=top,
                font={"size": 12, "color": INK, "weight": 600},
            )
        )
        for number, row in enumerate(chart.risk):
            colour = LOOKS[row.style].colour
            shift = top - 22 * (number + 1)
            layout["annotations"].append(
                _note(
                    text(row.label),
                    xref="paper",
                    yref="paper",
                    x=0,
                    y=0,
                    xanchor="left",
                    yanchor="middle",
                    xshift=-left + 4,
                    yshift=shift,
                    font={"size": 12, "color": colour, "weight": 600},
                )
            )
            for month, column in shown:
                layout["annotations"].append(
                    _note(
                        f"{row.counts[column]:,}",
                        xref="x",
                        yref="paper",
                        x=month,
                        y=0,
                        xanchor="center" if month else "left",
                        xshift=0 if month else -6,
                        yanchor="middle",
                        yshift=shift,
                        font={"size": 12, "color": colour},
                    )
                )
    return _plain(data, layout)


def _forest(chart: ForestChart, narrow: bool) -> Plain:
    rows = chart.rows
    count = len(rows)
    above = [
        _wrapped(f"{row.label}: {row.texts[0]}" if row.texts else row.label, 52) for row in rows
    ]
    lines = 1 + max((label.count("<br>") for label in above), default=0)
    pitch = 35 + 15 * lines if narrow else 38
    data: list[Plain] = []
    for position, row in enumerate(rows):
        y = count - position
        look = LOOKS[row.style]
        if row.lower is not None and row.upper is not None:
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": _rounded([row.lower, row.upper]),
                    "y": [y, y],
                    "line": {"width": 2, "color": look.colour},
                }
            )
        if row.value is not None:
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": _rounded([row.value]),
                    "y": [y],
                    "marker": {
                        "symbol": look.symbol,
                        "size": 10,
                        "color": PAPER if look.hollow else look.colour,
                        "line": {"width": 2 if look.hollow else 0, "color": look.colour},
                    },
                }
            )
    numbers = (
        [
            number
            for row in rows
            for number in (row.value, row.lower, row.upper)
            if number is not None
        ]
        + [chart.reference]
        + ([] if chart.truth is None else [chart.truth])
    )
    axis = _log_axis(chart, numbers) if chart.log else _linear_axis(chart, numbers)
    widths = [] if narrow else [max(96, 7 * max(map(len, column))) for column in _columns(chart)]
    left = 16 if narrow else min(330, 22 + 7 * max(len(row.label) for row in rows))
    right = 16 if narrow else 12 + sum(widths)
    top = 40 if chart.text_titles and not narrow else 16
    below = 78 if any(chart.hints) else 54
    if chart.truth is not None:
        top += 18
    axis["title"]["text"] = _wrapped(chart.x_title, 44 if narrow else 80)
    if "<br>" in axis["title"]["text"]:
        below += 16
    layout = _layout(
        top + pitch * count + below,
        (top, right, below, left),
        xaxis=axis,
        yaxis={
            "range": [0.4, count + (0.95 if narrow else 0.75)],
            "showgrid": False,
            "zeroline": False,
            "showline": False,
            "ticks": "",
            "showticklabels": False,
            "fixedrange": True,
        },
    )
    layout["shapes"].append(_vertical(chart.reference, AXIS, "solid"))
    if chart.truth is not None:
        layout["shapes"].append(_vertical(chart.truth, MUTED, "dot"))
        layout["annotations"].append(
            _note(
                "truth",
                xref="x",
                x=_on_axis(chart, chart.truth),
                yref="paper",
                y=1,
                yshift=9,
                font={"size": 12, "color": MUTED},
            )
        )
    for position, row in enumerate(rows):
        y = count - position
        if narrow:
            layout["annotations"].append(
                _note(
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
            _note(
                _wrapped(row.label, 44),
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
                _note(
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
                _note(
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
    _hints(chart, layout)
    return _plain(data, layout)


def _columns(chart: ForestChart) -> list[list[str]]:
    """Return the text columns at the right, each with its title."""
    count = max((len(row.texts) for row in chart.rows), default=0)
    titles = (*chart.text_titles, *[""] * count)[:count]
    return [
        [title, *(row.texts[column] for row in chart.rows if column < len(row.texts))]
        for column, title in enumerate(titles)
    ]


def _hints(chart: ForestChart, layout: Plain) -> None:
    """Name the two sides of the reference line beneath the axis."""
    for hint, side in zip(chart.hints, ("left", "right"), strict=True):
        if hint:
            layout["annotations"].append(
                _note(
                    f"← {text(hint)}" if side == "left" else f"{text(hint)} →",
                    xref="paper",
                    x=0 if side == "left" else 1,
                    xanchor=side,
                    yref="paper",
                    y=0,
                    yanchor="top",
                    yshift=-70 if "<br>" in layout["xaxis"]["title"]["text"] else -54,
                    font={"size": 12, "color": MUTED},
                )
            )


def _on_axis(chart: ForestChart, value: float) -> float:
    """Return where plotly's annotations expect a value: at its logarithm on a log axis."""
    return math.log10(value) if chart.log else value


def _vertical(x: float, colour: str, dash: str) -> Plain:
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": round(x, 6),
        "x1": round(x, 6),
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"color": colour, "width": 1.5 if dash == "dot" else 1, "dash": dash},
    }


def _log_axis(chart: ForestChart, numbers: list[float]) -> Plain:
    low = max(min(numbers) * 0.9, 0.02)
    high = min(max(numbers) * 1.1, 50.0)
    ladder = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50]
    ticks = [tick for tick in ladder if low <= tick <= high]
    if high / low > 12:
        ticks = [tick for tick in ticks if tick not in (0.3, 0.7, 1.5, 3)]
    return _axis(
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
    return _axis(chart.x_title, range=[low - room, high + room], nticks=7, **more)


def _dots(chart: DotChart, narrow: bool) -> Plain:
    groups: list[str] = []
    for dot in chart.dots:
        if dot.group not in groups:
            groups.append(dot.group)
    pitch = 40 if narrow else 26
    y, rows, headings = 0.0, [], []
    for group in groups:
        headings.append((y, group))
        y += 1.0
        for dot in chart.dots:
            if dot.group == group:
                rows.append((y, dot))
                y += 1.0
        y += 0.35
    error = [1.96 * dot.standard_error if dot.standard_error else 0.0 for _, dot in rows]
    high = chart.x_max or 1.06 * max(
        max(dot.published + e, dot.achieved or 0.0) for (_, dot), e in zip(rows, error, strict=True)
    )
    low_error = [min(e, dot.published) for (_, dot), e in zip(rows, error, strict=True)]
    data: list[Plain] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": _rounded([dot.published for _, dot in rows], 3),
            "y": [position for position, _ in rows],
            "error_x": {
                "type": "data",
                "symmetric": False,
                "array": _rounded(error, 3),
                "arrayminus": _rounded(low_error, 3),
                "color": MUTED,
                "thickness": 1.25,
                "width": 0,
            },
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
            "x": _rounded([dot.achieved for _, dot in rows if dot.achieved is not None], 3),
            "y": [position for position, dot in rows if dot.achieved is not None],
            "marker": {"symbol": "circle", "size": 5, "color": INK},
        },
    ]
    left = 16 if narrow else min(400, 24 + 7 * max(len(dot.label) for _, dot in rows))
    layout = _layout(
        round(16 + pitch * y + 54),
        (16, 20, 54, left),
        xaxis=_axis(chart.x_title, range=[0, high], nticks=8, showgrid=True, gridcolor=GRID),
        yaxis={
            "range": [y - 0.6, -0.6],
            "showgrid": False,
            "zeroline": False,
            "showline": False,
            "ticks": "",
            "showticklabels": False,
            "fixedrange": True,
        },
    )
    for position, group in headings:
        layout["annotations"].append(
            _note(
                text(group),
                xref="paper",
                x=0,
                xanchor="left" if narrow else "right",
                xshift=0 if narrow else -10,
                yref="y",
                y=position,
                font={"size": 13, "color": INK, "weight": 600},
            )
        )
    for position, dot in rows:
        layout["annotations"].append(
            _note(
                _wrapped(dot.label, 52 if narrow else 80),
                xref="paper",
                x=0,
                xanchor="left" if narrow else "right",
                xshift=0 if narrow else -10,
                yref="y",
                y=position,
                yanchor="bottom" if narrow else "middle",
                yshift=6 if narrow else 0,
                align="left" if narrow else "right",
                font={"size": 12, "color": MUTED},
            )
        )
    return _plain(data, layout)


def _points(chart: PointChart, narrow: bool) -> Plain:
    data: list[Plain] = []
    for series in chart.series:
        look = LOOKS[series.style]
        points = series.points
        trace: Plain = {
            "type": "scatter",
            "mode": "lines+markers" if series.joined else "markers",
            "name": text(series.label),
            "x": _rounded([point.x for point in points]),
            "y": _rounded([point.y for point in points]),
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
                "array": _rounded(
                    [0.0 if p.upper is None else max(p.upper - p.y, 0.0) for p in points]
                ),
                "arrayminus": _rounded(
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
    layout = _layout(
        height,
        (14, 22, 56, 62),
        xaxis=_axis(chart.x_title, **x_axis),
        yaxis=_axis(chart.y_title, **y_axis),
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
    return _plain(data, layout)


def _bars(chart: BarChart, narrow: bool) -> Plain:
    count = len(chart.bars)
    pitch = 52 if narrow else 34
    data: list[Plain] = [
        {
            "type": "bar",
            "orientation": "h",
            "y": [count - position for position in range(count)],
            "x": _rounded([bar.value for bar in chart.bars]),
            "base": _rounded([bar.start for bar in chart.bars]),
            "width": 0.42 if narrow else 0.6,
            "marker": {
                "color": [
                    MUTED if bar.style == "ink" else LOOKS[bar.style].colour for bar in chart.bars
                ],
                "line": {"width": 0},
                # Treated bars are hatched: colour alone would be lost in grey.
                "pattern": {
                    "shape": ["/" if bar.style == "treated" else "" for bar in chart.bars],
                    "fgcolor": PAPER,
                    "size": 6,
                    "solidity": 0.2,
                },
            },
        }
    ]
    ends = [bar.start + bar.value for bar in chart.bars] + [bar.start for bar in chart.bars] + [0.0]
    low, high = min(ends), max(ends)
    span = high - low or 1.0
    left = 16 if narrow else min(340, 24 + 7 * max(len(bar.label) for bar in chart.bars))
    more: Plain = {"tickformat": ".0%"} if chart.percent else {}
    layout = _layout(
        16 + pitch * count + 54,
        (16, 20, 54, left),
        xaxis=_axis(
            chart.x_title,
            range=[low - (0.04 * span if low < 0 else 0), high + (0.22 if narrow else 0.12) * span],
            nticks=7,
            **more,
        ),
        yaxis={
            "range": [0.4, count + (0.85 if narrow else 0.6)],
            "showgrid": False,
            "zeroline": False,
            "showline": True,
            "linecolor": AXIS,
            "ticks": "",
            "showticklabels": False,
            "fixedrange": True,
        },
        bargap=0,
    )
    for position, bar in enumerate(chart.bars):
        y = count - position
        end = max(bar.start + bar.value, bar.start)
        layout["annotations"] += [
            _note(
                text(bar.label),
                xref="paper",
                x=0,
                xanchor="left" if narrow else "right",
                xshift=2 if narrow else -10,
                yref="y",
                y=y,
                yshift=22 if narrow else 0,
            ),
            _note(
                text(bar.text), xref="x", x=round(end, 4), xanchor="left", xshift=6, yref="y", y=y
            ),
        ]
    return _plain(data, layout)


def _plain(data: list[Plain], layout: Plain) -> Plain:
    """Return the figure as plain data, checked by plotly."""
    figure: Plain = go.Figure(data=data, layout=layout).to_plotly_json()
    return figure


_DRAW: dict[type, Any] = {
    CurveChart: _curve,
    ForestChart: _forest,
    DotChart: _dots,
    PointChart: _points,
    BarChart: _bars,
}
