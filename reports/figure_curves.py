"""Probabilities over months since surgery, with the risk table beneath."""

import math
from collections.abc import Sequence

from outcomes.reports.charts import CurveChart, CurveLine
from outcomes.reports.drawing import (
    Plain,
    axis_of,
    checked,
    layout_of,
    note,
    rounded,
    share_axis,
    text,
)
from outcomes.reports.theme import BANDS, INK, LOOKS


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
        "x": rounded(x, 3),
        "y": rounded(y),
        "fill": "toself",
        "fillcolor": BANDS[look.colour],
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def _shortened(label: str, most: int) -> str:
    """Return a label that fits beside the counts; the legend above carries it in full."""
    return label if len(label) <= most else f"{label[: most - 1].rstrip()}…"


def curve_figure(chart: CurveChart, *, narrow: bool) -> Plain:
    """Return data and layout for a wide or a narrow column."""
    data: list[Plain] = [_band(line) for line in chart.lines if line.lower]
    for line in chart.lines:
        look = LOOKS[line.style]
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": text(line.label),
                "x": rounded(line.months, 3),
                "y": rounded(line.values),
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
                    "x": rounded([month for month, _ in line.censored], 3),
                    "y": rounded([value for _, value in line.censored]),
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
    left = 44 if chart.compact else 58
    most = 14 if narrow else 30
    if rows:
        longest = min(most, max(len(row.label) for row in chart.risk))
        left = max(78 if narrow else 100, 26 + math.ceil(7.5 * longest))
    layout = layout_of(
        14 + plot + below,
        (14, 14 if chart.compact else 22, below, left),
        xaxis=axis_of(
            "" if chart.compact else "Months since surgery",
            range=[0, chart.end_month],
            tickvals=ticks,
        ),
        yaxis=share_axis(
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
            note(
                text(chart.risk_title),
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
                note(
                    text(_shortened(row.label, most)),
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
                    note(
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
    return checked(data, layout)
