"""Charts as plotly figures: plain dictionaries, without statistics.

Each chart is laid out twice, for a wide and for a narrow column; the page's script takes the
layout that fits. Labels that may come from data are escaped, because plotly reads them as HTML.
"""

from typing import Any

from outcomes.reports.charts import (
    BarChart,
    Chart,
    CurveChart,
    DotChart,
    ForestChart,
    IntervalChart,
    LadderChart,
    MirrorChart,
    PointChart,
    StackChart,
)
from outcomes.reports.drawing import Plain
from outcomes.reports.figure_curves import curve_figure
from outcomes.reports.figure_forest import forest_figure
from outcomes.reports.figure_intervals import interval_figure
from outcomes.reports.figure_ladder import ladder_figure
from outcomes.reports.figure_mirror import mirror_figure
from outcomes.reports.figure_points import bar_figure, dot_figure, point_figure
from outcomes.reports.figure_stacks import stack_figure

_DRAW: dict[type, Any] = {
    CurveChart: curve_figure,
    ForestChart: forest_figure,
    LadderChart: ladder_figure,
    DotChart: dot_figure,
    PointChart: point_figure,
    BarChart: bar_figure,
    IntervalChart: interval_figure,
    StackChart: stack_figure,
    MirrorChart: mirror_figure,
}


def plotly_figure(chart: Chart) -> Plain:
    """Return ``data``, ``layout`` and, for narrow columns, ``narrow`` and ``narrow_data``.

    ``narrow_data`` is None where the data are those of the wide figure.
    """
    draw = _DRAW[type(chart)]
    wide, narrow = draw(chart, narrow=False), draw(chart, narrow=True)
    return {
        "data": wide["data"],
        "layout": wide["layout"],
        "narrow": narrow["layout"],
        "narrow_data": narrow["data"] if narrow["data"] != wide["data"] else None,
    }
