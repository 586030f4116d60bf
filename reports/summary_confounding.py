"""What a confounder that nobody measured could do: E-values and the bias plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.arrays import FloatArray
from outcomes.estimate import Estimate
from outcomes.reports.charts import (
    PlaneLine,
    Point,
    PointChart,
    PointSeries,
    Style,
)
from outcomes.reports.content import (
    Block,
    CollapsedTable,
    Column,
    Figure,
    Legend,
    Table,
)
from outcomes.reports.names import readable
from outcomes.reports.summary_adjusted import reason_of
from outcomes.reports.summary_arms import (
    group_words,
    is_survival,
)
from outcomes.reports.summary_methods import METHODS
from outcomes.reports.wording import (
    NONE,
    number,
    sentence_case,
    with_limits,
)

if TYPE_CHECKING:
    from outcomes.comparison import Comparison, Robustness


def e_value_sentence(comparison: Comparison, found: Robustness) -> str:
    """Return the E-value of the leading estimate in words."""
    main = next(
        (
            one.found
            for one in found.e_values
            if (one.method, one.estimand, one.horizon_months)
            == (found.bias_method, "risk_ratio", found.bias_horizon)
        ),
        None,
    )
    if main is None:
        return f"The E-value is not estimable because {reason_of(found.reasons['bias'])}."
    control, treated = group_words(comparison)
    fewer = found.bias is not None and found.bias.observed.value < 1
    rich, poor = (control, treated) if fewer else (treated, control)
    event, factor = _event(comparison), number(main.estimate, 1)
    confounder = (
        f"something not measured would have to be {factor} times as common {rich} as {poor}, and "
        f"make {event} {factor} times as likely, beyond everything measured (the E-value)."
    )
    text = "Only what was measured can be made alike. "
    if main.limit is not None and main.limit <= 1:
        return (
            f"{text}Chance alone may explain the effect: the interval of the ratio of risks "
            f"includes no effect. To explain the ratio itself otherwise, {confounder}"
        )
    text += f"To explain the whole effect away, {confounder}"
    if main.limit is not None:
        text += (
            f" Already {number(main.limit, 1)} times in both would leave it uncertain: the "
            "interval would reach no effect."
        )
    return text


def confounding_blocks(comparison: Comparison, found: Robustness) -> tuple[Block, ...]:
    """Return the bias plot and the table of E-values, as far as they are estimable."""
    if found.bias is None or found.bias_method is None:
        table = _e_value_table(comparison, found)
        return () if table is None else (table,)
    bias = found.bias
    top = float(bias.outcome_ratio[-1])
    e_value = next(
        one.found
        for one in found.e_values
        if (one.method, one.estimand, one.horizon_months)
        == (found.bias_method, "risk_ratio", found.bias_horizon)
    )
    lines, legend, rows = [], [], []
    curves: tuple[tuple[str, Style, FloatArray | None], ...] = (
        ("the whole effect is explained away", "ink", bias.estimate_vanishes),
        ("the interval reaches no effect", "reference_dash", bias.limit_reaches_null),
    )
    for label, style, curve in curves:
        if curve is None or bool(np.all(curve == 1)):
            continue
        inside = np.isfinite(curve) & (curve > 0)
        x, y = bias.treatment_association[inside], curve[inside]
        # The last point is where the curve leaves the chart.
        keep = y <= 1.5 * top
        lines.append(PlaneLine(label, style, tuple(x[keep].tolist()), tuple(y[keep].tolist())))
        legend.append(Legend(label, style))
    for ratio in (1.5, 2.0, 3.0, 5.0, 8.0):
        if ratio > top:
            continue
        needed = (
            _needed(bias.treatment_association, curve, ratio)
            for curve in (bias.estimate_vanishes, bias.limit_reaches_null)
        )
        rows.append((f"{ratio:g}", *needed))
    series: tuple[PointSeries, ...] = ()
    if e_value is not None:
        point = Point(e_value.estimate, e_value.estimate)
        series = (PointSeries("E-value", "ink", (point,)),)
        legend.append(Legend("E-value", "ink", "point"))
    method = METHODS.get(found.bias_method, readable(found.bias_method))
    observed = with_limits(_ratio(found), 2)
    caption = (
        f"How strong a confounder nobody measured would have to be to undo the effect on "
        f"{_event(comparison)} by {found.bias_horizon:g} months. {method}: risk ratio {observed}. "
        "Anything weaker, below and left of a curve, could not do it. Bounds of Ding and "
        "VanderWeele (2016)."
    )
    step = next(step for step in (1, 2, 5, 10, 20, 50, top) if top / step <= 6)
    ticks = (1.0, *(step * k for k in range(1, int(top / step) + 1) if step * k > 1))
    figure = Figure(
        id=f"bias-{comparison.endpoint}",
        chart=PointChart(
            series=series,
            x_title="Times as common in one group as in the other",
            y_title=f"Times as likely to bring {_event(comparison)}",
            x_range=(1.0, top),
            y_range=(1.0, top),
            x_ticks=ticks,
            percent_y=False,
            square=True,
            lines=tuple(lines),
        ),
        label=caption,
        caption=caption,
        table=Table(
            "A confounder so many times as common in one group would undo the effect if it made "
            f"{_event(comparison)} so many times as likely",
            (
                Column("Times as common"),
                Column("to explain the effect away", numeric=True),
                Column("to bring the interval to no effect", numeric=True),
            ),
            tuple(rows),
            fitted=True,
            stacked=True,
        ),
        legend=tuple(legend),
    )
    table = _e_value_table(comparison, found)
    return (figure,) if table is None else (figure, table)


def _ratio(found: Robustness) -> Estimate:
    if found.bias is None:
        return Estimate(float("nan"))
    observed = found.bias.observed
    if observed.lower is None or observed.upper is None:
        return Estimate(observed.value)
    return Estimate(observed.value, observed.lower, observed.upper)


def _needed(x: FloatArray, curve: FloatArray | None, ratio: float) -> str:
    """Return the outcome ratio that is needed at an association with treatment."""
    if curve is None:
        return NONE
    inside = np.isfinite(curve)
    if not inside.any() or ratio < x[inside][0]:
        return "no strength would do"
    return number(float(np.interp(ratio, x[inside], curve[inside])), 1)


def _e_value_table(comparison: Comparison, found: Robustness) -> Block | None:
    if not found.e_values:
        return None
    rows = []
    for one in found.e_values:
        at = "" if one.horizon_months is None else f", {one.horizon_months:g} months"
        values = one.found
        rows.append(
            (
                METHODS.get(one.method, readable(one.method)),
                f"{sentence_case(readable(one.estimand))}{at}",
                "not estimable" if values is None else number(values.estimate, 2),
                NONE if values is None or values.limit is None else number(values.limit, 2),
                sentence_case(reason_of(one.reason)),
            )
        )
    return CollapsedTable(
        "E-values of every adjusted estimate",
        Table(
            "E-value of the estimate, and of the limit of its interval nearer to no effect",
            (
                Column("Method"),
                Column("Estimate"),
                Column("E-value", numeric=True),
                Column("of the limit", numeric=True),
                Column("Note"),
            ),
            tuple(rows),
            note="1 means that no confounding is needed: the interval holds no effect as it is. "
            "Hazard ratios of frequent events are converted to risk ratios first.",
            fitted=True,
            stacked=True,
        ),
    )


def _event(comparison: Comparison) -> str:
    return "death" if is_survival(comparison) else "local progression"
