"""A page as one HTML file that needs nothing else: no server, no network, no other file."""

import functools
from importlib import resources

import jinja2
from markupsafe import Markup

from outcomes.reports.charts import Style
from outcomes.reports.content import Calculator, Figure, FigureGrid, Page
from outcomes.reports.figure_histograms import histogram_shape
from outcomes.reports.figures import plotly_figure
from outcomes.reports.library import plotly_library
from outcomes.reports.policy import content_security_policy, embedded_json
from outcomes.reports.theme import DARK, LOOKS

STROKES: dict[Style, str] = {
    "control": "control",
    "treated": "treated",
    "treated_dot": "treated",
    "treated_dashdot": "treated",
    "ink": "ink",
    "hollow": "ink",
    "faint": "faint",
    "faint_dash": "faint",
    "truth": "muted",
    "reference": "muted",
    "reference_dash": "muted",
    "misleading": "misleading",
}


def _number(value: float) -> str:
    return f"{value:g}"


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("outcomes.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=False,
        newline_sequence="\n",
        keep_trailing_newline=True,
    )
    environment.filters["number"] = _number
    environment.filters["shape"] = histogram_shape
    return environment


@functools.cache
def _asset(name: str) -> str:
    path = resources.files("outcomes.reports") / "assets" / name
    return path.read_text(encoding="utf-8").replace("\r\n", "\n")


def render(page: Page) -> str:
    """Return a page as HTML; the same page gives the same text."""
    figures: dict[str, object] = {}
    numbers: dict[str, int] = {}
    calculator: Calculator | None = None
    for section in page.sections:
        for block in section.blocks:
            shown: tuple[Figure, ...] = ()
            if isinstance(block, Figure):
                shown = (block,)
            elif isinstance(block, Calculator):
                calculator = block
                shown = tuple(result.figure for result in block.results)
            elif isinstance(block, FigureGrid):
                numbers[block.id] = len(numbers) + 1
                for position, (_, chart, _) in enumerate(block.panels, start=1):
                    figures[f"{block.id}-{position}"] = plotly_figure(chart)
            for figure in shown:
                numbers[figure.id] = len(numbers) + 1
                figures[figure.id] = plotly_figure(figure.chart)
    scripts = [_asset("report.js")]
    if calculator is not None:
        scripts.insert(0, _asset("calculator.js"))
    library = plotly_library() if figures else None
    css, plotly_css = _asset("report.css"), _asset("plotly.css")
    allowed = (*scripts, library.source) if library else tuple(scripts)
    environment = _environment()
    environment.globals.update(looks=LOOKS, strokes=STROKES)
    footer = page.footer
    if library:
        footer = (
            *footer,
            f"Charts: plotly.js {library.version} ({library.bundle} bundle), inside this file. "
            "Nothing is loaded and nothing is sent.",
        )
    # Trusted below: our own assets, JSON without markup characters, base64.
    template = environment.get_template("page.html", globals={"numbers": numbers})
    return template.render(
        page=page,
        footer=footer,
        policy=content_security_policy(allowed, (css, plotly_css)),
        css=Markup(css),  # noqa: S704
        plotly_css=Markup(plotly_css),  # noqa: S704
        figures=Markup(embedded_json(figures)),  # noqa: S704
        dark=Markup(embedded_json(DARK)),  # noqa: S704
        calculator_data=Markup(embedded_json(calculator.data)) if calculator else "",  # noqa: S704
        style_ids=library.style_ids if library else (),
        library=Markup(library.compressed) if library else "",  # noqa: S704
        scripts=[Markup(script) for script in scripts],  # noqa: S704
    )
