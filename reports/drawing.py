"""What all charts are drawn with: axes, notes, layout, escaped labels."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from outcomes.reports.theme import AXIS, FONT, GRID, INK, MUTED, PAPER

Plain = dict[str, Any]


def text(label: str) -> str:
    """Return a label that plotly shows as it is."""
    return html.escape(label, quote=False)


def wrapped(label: str, width: int) -> str:
    """Return an escaped label, broken into lines at spaces."""
    lines: list[str] = []
    for word in label.split():
        if lines and len(lines[-1]) + len(word) < width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "<br>".join(text(line) for line in lines)


def rounded(values: Sequence[float], digits: int = 4) -> list[float]:
    """Return numbers with as many digits as a chart can show."""
    return [round(float(value), digits) for value in values]


def axis_of(title: str, **more: Any) -> Plain:
    """Return an axis: a thin line with outside ticks."""
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


def share_axis(title: str, top: float, *, compact: bool = False) -> Plain:
    """Return an axis of probabilities, in percent, with hairlines."""
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if top / step <= 5.001)
    ticks = [round(step * i, 2) for i in range(math.floor(top / step + 1e-9) + 1)]
    if compact:
        ticks = [0, top / 2, top]
    return axis_of(
        title,
        range=[0, top * 1.005],
        tickvals=ticks,
        ticktext=[f"{100 * tick:.0f}%" for tick in ticks],
        showgrid=True,
        gridcolor=GRID,
        gridwidth=1,
    )


def layout_of(height: int, margin: tuple[int, int, int, int], **more: Any) -> Plain:
    """Return the layout every chart starts from; the margin is top, right, bottom, left."""
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


def note(label: str, **more: Any) -> Plain:
    """Return a text without an arrow."""
    note: Plain = {"text": label, "showarrow": False, "font": {"size": 12, "color": INK}}
    return note | more


def upright(x: float, colour: str, dash: str = "solid", *, width: float = 1) -> Plain:
    """Return a line from bottom to top at a value, behind the marks."""
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": round(x, 6),
        "x1": round(x, 6),
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"color": colour, "width": width, "dash": dash},
    }


def side_hints(hints: tuple[str, str], *, narrow: bool, yshift: int) -> list[Plain]:
    """Return what the two sides of a reference mean, beneath the axis.

    Where both do not fit beside each other, only their first word is kept.
    """
    if len("".join(hints)) > (44 if narrow else 66):
        hints = (hints[0].partition(" ")[0], hints[1].partition(" ")[0])
    labels = (f"← {text(hints[0])}", f"{text(hints[1])} →")
    return [
        note(
            label,
            xref="paper",
            x=x,
            xanchor=anchor,
            yref="paper",
            y=0,
            yanchor="top",
            yshift=yshift,
            font={"size": 12, "color": MUTED},
        )
        for label, hint, x, anchor in zip(labels, hints, (0, 1), ("left", "right"), strict=True)
        if hint
    ]


def rows_axis(first: float, last: float, **more: Any) -> Plain:
    """Return an axis of rows beneath each other, without a line: their names stand for it."""
    axis: Plain = {
        "range": [first, last],
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "showticklabels": False,
        "fixedrange": True,
    }
    return axis | more


@dataclass(frozen=True)
class Rows:
    """Where named rows stand beneath each other, in pixels from the top.

    Attributes
    ----------
    headings
        Position and name of each group of rows.
    at
        Position of each row.
    height
        Of all together.
    """

    headings: tuple[tuple[float, str], ...]
    at: tuple[float, ...]
    height: float


def rows_of(groups: Sequence[str], names: Sequence[str], *, narrow: bool) -> Rows:
    """Return where rows stand; each has room for the lines of its own name.

    `groups` names the group of each row; rows of one group follow each other.
    """
    y, group = 0.0, None
    headings: list[tuple[float, str]] = []
    at: list[float] = []
    for of, name in zip(groups, names, strict=True):
        if of != group:
            y += 10.0 if headings else 0.0
            headings.append((y + 12.0, of))
            group = of
            y += 25.0
        lines = 15.0 * (name.count("<br>") + 1)
        at.append(y + lines + 9.0 if narrow else y + (lines + 11.0) / 2)
        y += lines + (25.0 if narrow else 11.0)
    return Rows(tuple(headings), tuple(at), y)


def row_name(label: str, y: float, *, narrow: bool) -> Plain:
    """Return the name of a row: beside the chart, or above what the row shows where narrow."""
    more: Plain = {"yanchor": "bottom", "yshift": 7} if narrow else {"yanchor": "middle"}
    return _beside(label, y, narrow=narrow, font={"size": 12, "color": MUTED}, **more)


def group_name(label: str, y: float, *, narrow: bool) -> Plain:
    """Return the name of a group of rows, on a line of its own."""
    font: Plain = {"size": 13, "color": INK, "weight": 600}
    return _beside(text(label), y, narrow=narrow, font=font, yanchor="middle")


def _beside(label: str, y: float, *, narrow: bool, **more: Any) -> Plain:
    side = "left" if narrow else "right"
    return note(
        label,
        xref="paper",
        x=0,
        xanchor=side,
        xshift=0 if narrow else -10,
        yref="y",
        y=y,
        align=side,
        **more,
    )


def checked(data: list[Plain], layout: Plain) -> Plain:
    """Return the figure as plain data, checked by plotly."""
    figure: Plain = go.Figure(data=data, layout=layout).to_plotly_json()
    return figure
