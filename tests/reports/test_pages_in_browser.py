"""The pages as a reader opens them: Chromium, from the file system, without a network."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from outcomes.models import evaluate_calculator
from outcomes.reports import NAMES, library, render_page

pytestmark = pytest.mark.browser

WIDTHS = {"desktop": (1280, 900), "tablet": (820, 1100), "phone": (390, 844)}
ALLOWED = ("file:", "data:", "blob:", "about:")
OWN = ("index", "cohort", "models", "comparison", "calculator")


class Visit:
    """A page opened in the browser, with everything it asked for and complained about."""

    def __init__(self, page: Any, name: str) -> None:
        self.page = page
        self.name = name
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)
        page.on("dialog", self._refuse)

    def _listen(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _refuse(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    @property
    def reached_out(self) -> list[str]:
        return [url for url in self.requests if not url.startswith(ALLOWED)]

    def set_width(self, width: str) -> None:
        w, h = WIDTHS[width]
        self.page.set_viewport_size({"width": w, "height": h})
        # The page redraws its charts a moment after the width has changed.
        self.page.wait_for_timeout(250)


@contextmanager
def visit(
    browser: Any, path: Path, width: str = "desktop", *, ready: bool = True, **options: Any
) -> Iterator[Visit]:
    w, h = WIDTHS[width]
    context = browser.new_context(viewport={"width": w, "height": h}, **options)
    opened = Visit(context.new_page(), path.stem)
    opened.page.goto(path.as_uri())
    if ready:
        opened.page.wait_for_selector("html[data-ready='1']", timeout=20_000)
    yield opened
    context.close()


@pytest.fixture(scope="module", params=(*NAMES, "recovery"))
def opened(
    browser: Any, report: Path, laboratory: Path, request: pytest.FixtureRequest
) -> Iterator[Visit]:
    """Each page in turn; the tests that take it leave it at desktop width."""
    folder = laboratory if request.param == "recovery" else report
    with visit(browser, folder / f"{request.param}.html") as opened:
        yield opened


def axe_violations(page: Any, rules: list[str] | None = None) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    # Whatever passed is left out: handing it over takes longer than finding it.
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    # The inner parts of a chart are one image to a reader; looking at each would take minutes.
    found = Axe().run(page, {"exclude": [[".chart svg"]]}, options).response["violations"]
    return [
        f"{item['id']}: {node['target']} {node['failureSummary']}"
        for item in found
        for node in item["nodes"]
    ]


def test_page_works_alone(opened):
    page = opened.page
    charts = page.locator(".chart[data-figure]")
    drawn = page.locator(".chart[data-figure] .main-svg:first-child")
    assert charts.count() == drawn.count()
    assert page.locator(".modebar, .modebar-container a").count() == 0
    assert page.get_by_text("Share chart").count() == 0


def test_page_fits_every_width(opened):
    page = opened.page
    for width, (w, h) in WIDTHS.items():
        opened.set_width(width)
        assert page.evaluate("document.documentElement.scrollWidth") <= w, width
        too_wide = page.evaluate(
            """() => [...document.querySelectorAll('.chart .main-svg')]
            .filter((svg) => svg.getBoundingClientRect().right > window.innerWidth + 1).length"""
        )
        assert too_wide == 0, width
        notice = page.locator(".notice").bounding_box()
        assert notice["y"] + notice["height"] < h, width
        cut = page.locator(".scroll.cut:visible").count()
        assert cut == (0 if width != "phone" else page.locator(".scroll-hint:visible").count())
    opened.set_width("desktop")


def test_page_has_no_accessibility_violation(opened):
    page = opened.page
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    # The rows of a table are alike; three of each are enough to look at.
    page.evaluate("document.querySelectorAll('tbody tr:nth-child(n+4)').forEach((r) => r.remove())")
    assert axe_violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    assert axe_violations(page, ["color-contrast"]) == []
    page.emulate_media(color_scheme="light")


def test_page_complains_of_nothing_and_asks_for_nothing(opened):
    """Last of the four, so that it also hears what the others brought about."""
    assert opened.complaints == []
    assert opened.reached_out == []


def test_dark_scheme_redraws_the_charts(browser, report):
    def colours(page: Any) -> set[str]:
        return set(
            page.evaluate(
                """() => [...document.querySelectorAll('.chart .scatterlayer path.js-line')]
                .filter((path) => path.style.strokeWidth !== '0px')
                .map((path) => path.style.stroke)"""
            )
        )

    with visit(browser, report / "comparison.html", color_scheme="light") as opened:
        light = colours(opened.page)
        opened.page.emulate_media(color_scheme="dark")
        opened.page.wait_for_timeout(300)
        dark = colours(opened.page)
    assert "rgb(11, 79, 138)" in light
    assert "rgb(108, 182, 255)" in dark
    assert not light & dark


def test_histograms_follow_the_theme_and_are_printed_light(browser, report, tmp_path):
    def fills(page: Any) -> list[str]:
        return page.evaluate(
            """() => ['central', 'bars', 'mark'].map((part) =>
            getComputedStyle(document.querySelector(`.histogram .${part}`)).fill)"""
        )

    with visit(browser, report / "calibration.html", color_scheme="light") as opened:
        page = opened.page
        light = fills(page)
        page.emulate_media(color_scheme="dark")
        dark = fills(page)
        page.evaluate(
            """() => window.addEventListener('beforeprint', () => {
              window.hidden = [...document.querySelectorAll('.histogram')]
                .filter((svg) => !svg.getBoundingClientRect().width).length })"""
        )
        closed = page.locator("details:not([open])").count()
        page.pdf(path=str(tmp_path / "page.pdf"), format="A4", prefer_css_page_size=True)
        assert page.evaluate("window.hidden") == 0
        assert page.locator("details:not([open])").count() == closed > 0
    assert len({*light, *dark}) == 6


def test_printing_opens_the_tables_and_uses_light_colours(browser, report, tmp_path):
    with visit(browser, report / "comparison.html", color_scheme="dark") as opened:
        page = opened.page
        page.evaluate(
            """() => window.addEventListener('beforeprint', () => { window.printed = {
              closed: document.querySelectorAll('details:not([open])').length,
              widths: [...document.querySelectorAll('.chart')].map((n) => n.clientWidth),
              stroke: document.querySelector('.chart path.js-line').style.stroke } })"""
        )
        page.pdf(path=str(tmp_path / "page.pdf"), format="A4", prefer_css_page_size=True)
        printed = page.evaluate("window.printed")
        assert printed["closed"] == 0
        # A square chart is no wider than 480.
        assert set(printed["widths"]) == {688, 480}
        assert page.locator("details[open]").count() == 0
    assert (tmp_path / "page.pdf").stat().st_size > 20_000


def test_text_and_tables_stand_without_scripts(browser, report):
    for name in NAMES:
        path = report / f"{name}.html"
        with visit(browser, path, ready=False, java_script_enabled=False) as opened:
            page = opened.page
            assert page.locator("h1").is_visible()
            assert page.locator(".notice").is_visible()
            assert page.locator(".chart:visible").count() == 0
            assert page.locator("table").count() > 0
            figures = page.locator("figure:has(.chart)").count()
            assert page.locator("details table").count() >= figures - page.locator(".grid").count()


OVERLAPS = """charts => charts.flatMap(chart => {
  const labels = [...chart.querySelectorAll(".annotation-text")];
  const marks = [...chart.querySelectorAll(".scatterlayer .point")];
  const apart = (a, b) => a.right <= b.left || b.right <= a.left
    || a.bottom <= b.top || b.bottom <= a.top;
  const boxes = marks.map(mark => mark.getBoundingClientRect());
  return labels
    .filter(label => boxes.some(box => !apart(label.getBoundingClientRect(), box)))
    .map(label => label.textContent);
})"""


def test_no_name_of_a_row_lies_on_a_point_on_a_phone(browser, report):
    with visit(browser, report / "calibration.html", "phone") as opened:
        page = opened.page
        assert page.locator("#figure-agreement-months .annotation-text").count() > 0
        assert page.eval_on_selector_all("figure .chart", OVERLAPS) == []


def test_links_lead_to_every_page(browser, report):
    with visit(browser, report / "index.html") as opened:
        targets = opened.page.eval_on_selector_all(
            "nav a", "links => links.map((link) => link.getAttribute('href'))"
        )
    assert targets == [f"{name}.html" for name in NAMES]
    assert all((report / target).is_file() for target in targets)


@pytest.mark.parametrize("name", OWN)
def test_names_that_try_to_be_markup_stay_inert(browser, own_report, name):
    with visit(browser, own_report / f"{name}.html") as opened:
        page = opened.page
        assert opened.complaints == []
        assert opened.reached_out == []
        assert page.locator("img").count() == 0
        assert page.locator("svg a, a[href^='http']").count() == 0
        if name in ("cohort", "models", "comparison"):
            assert page.get_by_text("<").count() > 0


def test_an_injected_image_is_refused_and_noticed(browser, report, tmp_path):
    """The tests above would see it if a page reached out."""
    content = (report / "index.html").read_text(encoding="utf-8")
    changed = tmp_path / "injected.html"
    image = '<img src="https://example.org/x.png" alt="">'
    changed.write_text(content.replace("</main>", f"{image}</main>"), encoding="utf-8")
    with visit(browser, changed) as opened:
        assert any("Content Security Policy" in text for text in opened.complaints)
    bare = tmp_path / "bare.html"
    bare.write_text(f"<!doctype html><title>x</title>{image}", encoding="utf-8")
    with visit(browser, bare, ready=False, offline=True) as opened:
        opened.page.wait_for_timeout(100)
        assert opened.reached_out == ["https://example.org/x.png"]


def test_an_injected_script_is_refused(browser, report, tmp_path):
    content = (report / "index.html").read_text(encoding="utf-8")
    changed = tmp_path / "script.html"
    script = "<script>window.injected = true</script>"
    changed.write_text(content.replace("</main>", f"{script}</main>"), encoding="utf-8")
    with visit(browser, changed) as opened:
        assert opened.page.evaluate("window.injected") is None
        assert any("Content Security Policy" in text for text in opened.complaints)


PATIENTS = (
    {"kps": 40, "separation_mm": 1.5, "sbrt": False, "neurologic_deficit": True},
    {"kps": 90, "separation_mm": 3.0, "sbrt": True, "dose_regimen": "single_24"},
    {"kps": 70, "separation_mm": 6.0, "sbrt": True, "progressive_systemic_disease": True},
)


@pytest.mark.parametrize("endpoint", ["overall-survival", "local-control"])
def test_calculator_agrees_with_the_reference(browser, report, results, endpoint):
    data = results.calculator[endpoint]
    choices = [None, *(item["name"] for item in data["series"])]
    with visit(browser, report / "calculator.html") as opened:
        for changes in PATIENTS:
            patient = {item["name"]: item["default"] for item in data["inputs"]} | changes
            if not patient["sbrt"]:
                patient["dose_regimen"] = "none"
            for series in choices:
                expected = evaluate_calculator(data, patient, series)
                found = opened.page.evaluate(
                    "([endpoint, patient, series]) => predictPatient(endpoint, patient, series)",
                    [endpoint, patient, series or ""],
                )
                for part in ("months", "survival", "lower", "upper", "competing"):
                    np.testing.assert_allclose(found[part], expected[part], rtol=0, atol=1e-9)


def test_calculator_follows_its_inputs(browser, report, results):
    data = results.calculator["overall-survival"]
    with visit(browser, report / "calculator.html") as opened:
        page = opened.page
        before = page.locator(".result .big").first.text_content()
        page.locator("#in-kps").fill("40")
        page.locator("#in-kps").dispatch_event("input")
        assert page.locator("#out-kps").text_content() == "40"
        patient = {item["name"]: item["default"] for item in data["inputs"]} | {"kps": 40}
        share = evaluate_calculator(data, patient)["survival"][12]
        assert page.locator(".result .big").first.text_content() == f"{int(100 * share + 0.5)}%"
        assert page.locator(".result .big").first.text_content() != before
        assert page.locator("#in-dose_regimen").is_enabled()
        page.locator("#in-sbrt").uncheck()
        assert page.locator("#in-dose_regimen").is_disabled()
        page.locator("#in-series").select_option("liu-2020")
        assert "Refers to: Liu 2020." in page.locator("#results").inner_text()
        page.locator("#in-horizon").select_option("24")
        assert "at 24 months" in page.locator("#results").inner_text()
        assert opened.complaints == []


def test_calculator_says_what_it_extrapolates(browser, report):
    with visit(browser, report / "calculator.html") as opened:
        page = opened.page
        warning = page.locator("[data-part=warning]")
        assert warning.count() == 1
        assert warning.is_hidden()
        page.locator("#in-sbrt").uncheck()
        assert "of 4 of the 5 series averaged went without SBRT" in warning.inner_text()
        page.locator("#in-series").select_option("laufer-2013")
        assert warning.inner_text().startswith("No patient of this series went without SBRT")
        page.locator("#in-series").select_option("liu-2020")
        assert warning.is_hidden()
        assert opened.complaints == []


def test_calculator_ends_with_the_patients_of_a_series(browser, report, results):
    data = results.calculator["overall-survival"]
    (bate,) = [item for item in data["series"] if item["name"] == "bate-2015"]
    assert bate["until"] < 36
    with visit(browser, report / "calculator.html") as opened:
        page = opened.page
        page.locator("#in-series").select_option("bate-2015")
        source = page.locator("[data-part=source]").first.inner_text()
        assert source == (
            f"Refers to: Bate 2015. The curve ends at month {bate['until']}: fewer than 10 of its "
            "patients were followed beyond."
        )
        drawn = page.evaluate(
            "Math.max(...document.querySelector('.result .chart').data.flatMap((t) => [...t.x]))"
        )
        assert drawn == bate["until"]
        assert opened.complaints == []


def test_figures_carry_no_missing_numbers(report):
    for name in NAMES:
        content = (report / f"{name}.html").read_text(encoding="utf-8")
        start = content.index('id="report-figures">') + len('id="report-figures">')
        figures = json.loads(content[start : content.index("</script>", start)])
        for figure in figures.values():
            for trace in figure["data"]:
                assert None not in trace["x"]
                assert None not in trace["y"]


def test_page_works_with_the_full_bundle_too(browser, results, tmp_path, monkeypatch):
    """Where the basic bundle was not fetched, a page carries the one of the plotly package."""
    monkeypatch.setattr(library, "BASIC_VERSION", "none")
    library.plotly_library.cache_clear()
    try:
        content = render_page("calibration", results)
    finally:
        monkeypatch.undo()
        library.plotly_library.cache_clear()
    assert "(full bundle)" in content
    path = tmp_path / "calibration.html"
    path.write_text(content, encoding="utf-8")
    with visit(browser, path) as opened:
        assert opened.complaints == []
        assert opened.page.locator(".chart .main-svg").count() > 0
