"""Self-contained HTML reports."""

from outcomes.reports.data import page_data
from outcomes.reports.results import ModelResult, StudyResults
from outcomes.reports.write import NAMES, render_page, summarise_page, write_report

__all__ = [
    "NAMES",
    "ModelResult",
    "StudyResults",
    "page_data",
    "render_page",
    "summarise_page",
    "write_report",
]
