"""A published figure as readers see it: its name and its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.reports.names import readable
from outcomes.reports.wording import NONE, plain, sentence_case

if TYPE_CHECKING:
    from outcomes.evidence import Figure

# Families of the registry's quantities that the role already names.
FAMILIES = ("null/", "prognostic/", "rule/", "context/", "printed/")
# What a figure averages by; of one patient there is nothing to average.
AVERAGES = {"median_among_observed": "median", "mean_among_observed": "mean", "mean_sd": "mean"}
NAMED = ("median", "mean", "standard deviation")


def figure_label(figure: Figure) -> str:
    """Return the name of a published figure as readers see it."""
    quantity = figure.quantity
    for family in FAMILIES:
        quantity = quantity.removeprefix(family)
    if figure.at_month is not None and "_after_" not in quantity:
        quantity = quantity.removesuffix(f"_{figure.at_month:g}m")
    label = sentence_case(": ".join(readable(part) for part in quantity.split("/")))
    average = AVERAGES.get(figure.estimand, "")
    if average and figure.n != 1 and not any(word in label.lower() for word in NAMED):
        label += f", {average}"
    if figure.arm:
        label += f", {readable(figure.arm)}"
    if figure.at_month is not None and "_after_" not in quantity:
        label += f", {figure.at_month:g} months"
    return label


def figure_value(figure: Figure) -> str:
    """Return the value of a published figure with its unit."""
    if figure.value is None:
        return "range" if figure.low is not None else NONE
    named = figure.unit.removesuffix("s") if figure.value == 1 else figure.unit
    unit = "%" if figure.unit == "percent" else f" {named}".rstrip()
    # A percentage worked out from a count has more digits than mean anything.
    value = round(figure.value, 2) if figure.unit == "percent" else figure.value
    text = f"{plain(value)}{unit}"
    if figure.sd is not None:
        text = f"{plain(value)} ± {plain(figure.sd)}{unit}"
    return text
