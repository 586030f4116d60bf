"""Columns of parts that add up to a level."""

from outcomes.reports.charts import StackChart, Style
from outcomes.reports.drawing import Plain, axis_of, checked, layout_of, note, rounded, text
from outcomes.reports.theme import AXIS, FAINT, GRID, INK, PAPER
from outcomes.reports.wording import number

# Filled, grey, outlined: three fills that stay apart without colour.
FILLS: dict[Style, tuple[str, str]] = {
    "ink": (INK, PAPER),
    "faint": (FAINT, INK),
    "hollow": (PAPER, INK),
}
# A shorter part has no room for its number.
ROOM = 0.055


def stack_figure(chart: StackChart, *, narrow: bool) -> Plain:
    """Return data and layout for a wide or a narrow column."""
    columns = range(len(chart.names))
    tops = [sum(max(part.values[k], 0.0) for part in chart.parts) for k in columns]
    bottoms = [sum(min(part.values[k], 0.0) for part in chart.parts) for k in columns]
    low, high = min(*bottoms, 0.0), max(*tops, chart.level)
    span = high - low
    data: list[Plain] = []
    for part in chart.parts:
        fill, ink = FILLS[part.style]
        data.append(
            {
                "type": "bar",
                "x": list(chart.names),
                "y": rounded(part.values),
                "text": [
                    number(value) if abs(value) > ROOM * span else "" for value in part.values
                ],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "textfont": {"color": ink, "size": 10 if narrow else 12},
                "marker": {"color": fill, "line": {"color": INK, "width": 1}},
                "width": 0.92 if narrow else 0.72,
            }
        )
    layout = layout_of(
        330 if narrow else 380,
        (26, 16, 56, 50),
        barmode="relative",
        uniformtext={"mode": "show", "minsize": 10},
        xaxis=axis_of(chart.x_title, type="category", showline=False, ticks=""),
        yaxis=axis_of(
            chart.y_title,
            range=[low - 0.03 * span if low < 0 else 0, high + 0.06 * span],
            showgrid=True,
            gridcolor=GRID,
            nticks=6,
        ),
    )
    for level, dash in ((0.0, "solid"), (chart.level, "dot")):
        layout["shapes"].append(
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": round(level, 3),
                "y1": round(level, 3),
                "line": {"color": AXIS, "width": 1.5, "dash": dash},
            }
        )
    layout["annotations"].append(
        note(
            text(chart.level_label),
            xref="paper",
            x=1,
            xanchor="right",
            yref="y",
            y=round(chart.level, 3),
            yanchor="bottom",
            yshift=2,
        )
    )
    return checked(data, layout)
