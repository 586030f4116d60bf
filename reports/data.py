"""The numbers of a page as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from outcomes.reports.results import StudyResults
from outcomes.reports.write import summarise_page


def page_data(name: str, results: StudyResults) -> dict[str, Any]:
    """Return everything a page shows, as plain data for JSON.

    Sentences, tables and the coordinates of every chart, in the order of the page.

    Parameters
    ----------
    name
        One of `NAMES`.
    results
        What is shown.

    Raises
    ------
    OutcomesError
        If there is no such page, or the results hold nothing for it.
    """
    return asdict(summarise_page(name, results))
