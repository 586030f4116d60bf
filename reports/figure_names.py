"""A published figure as readers see it: its name and its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.reports.names import readable
from outcomes.reports.wording import NONE, plain, sentence_case

if TYPE_CHECKING:
    from outcomes.evidence import Figure

# Families of the registry's quantities that the role already names.
FAMILIES = ("null/", "prognostic/", "rule/", "context/", "printed/")


def figure_label(figure: Figure) -> str:
    """Return the name of a published figure as readers see it."""
    quantity = figure.quantity
    for family in FAMILIES:
        quantity = quantity.removeprefix(family)
    if figure.at_month is not None and "_after_" not in quantity:
        quantity = quantity.removesuffix(f"_{figure.at_month:g}m")
    label = sentence_case(": ".join(readable(part) for part in quantity.split("/")))
    if figure.arm:
        label += f", {readable(figure.arm)}"
    if figure.at_month is not None and "_after_" not in quantity:
        label += f", {figure.at_month:g} months"
    return label


def figure_value(figure: Figure) -> str:
    """Return the value of a published figure with its unit."""
    if figure.value is None:
        return "range" if figure.low is not None else NONE
    unit = "%" if figure.unit == "percent" else f" {figure.unit}".rstrip()
    text = f"{plain(figure.value)}{unit}"
    if figure.sd is not None:
        text = f"{plain(figure.value)} ± {plain(figure.sd)}{unit}"
    return text
