"""Two distributions over one axis, one above the line and one below it."""

from itertools import pairwise

from outcomes.reports.charts import MirrorChart
from outcomes.reports.drawing import Plain, axis_of, checked, layout_of, note, rounded, text
from outcomes.reports.theme import AXIS, GRID, LOOKS


def mirror_figure(chart: MirrorChart, *, narrow: bool) -> Plain:
    """Return data and layout for a wide or a narrow column."""
    edges = chart.edges
    bins = list(pairwise(edges))
    centres = [(low + high) / 2 for low, high in bins]
    widths = [high - low for low, high in bins]
    top = 1.12 * max(*chart.above, *chart.below, 0.01)
    data: list[Plain] = []
    for shares, style, sign in zip((chart.above, chart.below), chart.styles, (1, -1), strict=True):
        data.append(
            {
                "type": "bar",
                "x": rounded(centres),
                "y": rounded([sign * share for share in shares]),
                "width": rounded(widths),
                "marker": {"color": LOOKS[style].colour, "line": {"width": 0}},
            }
        )
    step = next((one for one in (0.02, 0.05, 0.1, 0.2) if top / one <= 4.5), 0.5)
    ticks = [k * step for k in range(-int(top / step), int(top / step) + 1)]
    layout = layout_of(
        300,
        # At the right, room for the last label, which is not drawn where it does not fit.
        (12, 24, 56, 58),
        barmode="overlay",
        bargap=0.08,
        xaxis=axis_of(
            chart.x_title,
            range=[edges[0], edges[-1]],
            tickformat=".0%",
            tickvals=rounded([k / 10 for k in range(0, 11, 2 if narrow else 1)]),
        ),
        yaxis=axis_of(
            "Share of the group",
            range=[-top, top],
            tickvals=rounded(ticks),
            ticktext=[f"{100 * abs(tick):.0f}%" for tick in ticks],
            showgrid=True,
            gridcolor=GRID,
        ),
    )
    layout["shapes"].append(
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": 0,
            "y1": 0,
            "line": {"color": AXIS, "width": 1},
        }
    )
    for label, style, end in zip(chart.labels, chart.styles, ("top", "bottom"), strict=True):
        layout["annotations"].append(
            note(
                text(label),
                xref="paper",
                x=1,
                xanchor="right",
                yref="paper",
                y=1 if end == "top" else 0,
                yanchor=end,
                font={"size": 13, "color": LOOKS[style].colour, "weight": 600},
            )
        )
    return checked(data, layout)
