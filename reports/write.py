"""From results to pages."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Sequence
from pathlib import Path

from outcomes.errors import OutcomesError
from outcomes.reports.content import Page
from outcomes.reports.page import render
from outcomes.reports.results import StudyResults
from outcomes.reports.summary_common import TITLES, page_names

NAMES: tuple[str, ...] = tuple(TITLES)


def summarise_page(name: str, results: StudyResults) -> Page:
    """Return what a page says, before it is drawn.

    Raises
    ------
    OutcomesError
        If there is no such page, or the results hold nothing for it.
    """
    available = page_names(results)
    if name not in available:
        reason = "these results have nothing for it" if name in NAMES else "there is no such page"
        raise OutcomesError(f"page {name!r}: {reason}; allowed: {', '.join(available)}")
    page: Page = importlib.import_module(f"outcomes.reports.summary_{name}").summarise(results)
    return page


def render_page(name: str, results: StudyResults, *, pages: Sequence[str] = ()) -> str:
    """Return one page as a self-contained HTML document; the same results give the same text.

    Parameters
    ----------
    name
        One of `NAMES`.
    results
        What to show.
    pages
        Names of the pages that will stand beside this one; only these are linked to.

    Raises
    ------
    OutcomesError
        If there is no such page, or the results hold nothing for it.
    """
    page = summarise_page(name, results)
    links = tuple(link for link in page.links if link[0] in pages)
    return render(dataclasses.replace(page, links=links))


def write_report(results: StudyResults, out_dir: str | Path) -> tuple[Path, ...]:
    """Write every page the results can fill, and return their paths, the overview first.

    All pages are made before the first is written, so that an error leaves no half report.
    """
    folder = Path(out_dir)
    names = page_names(results)
    pages = {name: render_page(name, results, pages=names) for name in names}
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in pages.items():
        path = folder / f"{name}.html"
        path.write_bytes(text.encode("utf-8"))
        paths.append(path)
    return tuple(paths)
