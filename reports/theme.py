"""Colours, dashes and the layout that every chart starts from.

plotly cannot read CSS variables: figures carry the light colours and the page's script swaps
them for the dark ones, so each colour stands for one meaning only.
"""

from dataclasses import dataclass

from outcomes.reports.charts import Style

INK = "#1f2933"
MUTED = "#52606d"
GRID = "#e4e7eb"
AXIS = "#7b8794"
CONTROL = "#0b4f8a"
TREATED = "#b84a00"
FAINT = "#c3cad2"
MISLEADING = "#9c1c5b"
PAPER = "#ffffff"
BANDS = {
    CONTROL: "rgba(11,79,138,0.14)",
    TREATED: "rgba(184,74,0,0.14)",
    INK: "rgba(31,41,51,0.12)",
}
DARK = {
    INK: "#e6edf3",
    MUTED: "#a9b6c3",
    GRID: "#263442",
    AXIS: "#6f8091",
    CONTROL: "#6cb6ff",
    TREATED: "#ffa657",
    FAINT: "#44535f",
    MISLEADING: "#ff8fc4",
    PAPER: "#0f1720",
    BANDS[CONTROL]: "rgba(108,182,255,0.18)",
    BANDS[TREATED]: "rgba(255,166,87,0.18)",
    BANDS[INK]: "rgba(230,237,243,0.14)",
}
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'


@dataclass(frozen=True)
class Look:
    """How one kind of line or mark is drawn."""

    colour: str
    dash: str
    symbol: str
    hollow: bool = False


LOOKS: dict[Style, Look] = {
    "control": Look(CONTROL, "solid", "circle"),
    "treated": Look(TREATED, "6px,3px", "square"),
    "treated_dot": Look(TREATED, "2px,3px", "diamond"),
    "treated_dashdot": Look(TREATED, "9px,3px,2px,3px", "triangle-up"),
    "ink": Look(INK, "solid", "square"),
    "hollow": Look(INK, "6px,3px", "circle", hollow=True),
    "faint": Look(FAINT, "solid", "circle"),
    "faint_dash": Look(FAINT, "6px,3px", "square"),
    "truth": Look(MUTED, "2px,3px", "diamond"),
    "reference": Look(MUTED, "solid", "circle"),
    "reference_dash": Look(MUTED, "9px,3px,2px,3px", "circle"),
    "misleading": Look(MISLEADING, "2px,3px", "diamond", hollow=True),
}
