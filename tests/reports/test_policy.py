"""What a page may run, and data that must stay data."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from outcomes.reports.charts import ForestChart, ForestRow
from outcomes.reports.drawing import text
from outcomes.reports.figures import plotly_figure
from outcomes.reports.library import plotly_library
from outcomes.reports.policy import content_security_policy, embedded_json


def test_embedded_json_holds_no_markup_and_keeps_the_data():
    data = {"label": "</script><img src=x>&\u2028\u2029", "n": [1, 2.5, None]}
    written = embedded_json(data)
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == data


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_embedded_json_refuses_what_json_does_not_know(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        embedded_json({"x": number})


def test_policy_names_exactly_the_scripts_and_styles_of_the_page():
    policy = content_security_policy(("run()",), ("p{}",))
    expected = base64.b64encode(hashlib.sha256(b"run()").digest()).decode()
    assert f"script-src 'sha256-{expected}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_labels_of_figures_are_escaped():
    row = ForestRow('<a href="https://x">A</a>', 1.0, 0.5, 2.0, ("<b>1</b>",))
    figure = plotly_figure(ForestChart((row,), "x", 1.0, log=True, text_titles=("HR",)))
    written = json.dumps(figure)
    assert "<a" not in written
    assert "<b>" not in written
    assert text("<i>") == "&lt;i&gt;"


def test_library_is_compressed_to_the_same_bytes_and_fits_plotly():
    library = plotly_library()
    first = base64.b64decode(library.compressed)
    plotly_library.cache_clear()
    assert base64.b64decode(plotly_library().compressed) == first
    # No time of day and no operating system in the header.
    assert first[4:8] == bytes(4)
    assert first[9] == 255
    assert "plotly.js" in library.source[:400]
    assert library.version in library.source[:400]


def test_no_asset_or_template_reaches_out():
    folder = Path(__file__).parents[2] / "reports"
    ours = [*folder.glob("templates/*.html"), *folder.glob("assets/report.*")]
    ours += [folder / "assets" / "calculator.js", folder / "assets" / "plotly.css"]
    assert len(ours) >= 6
    for path in ours:
        content = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|@import|url\(", content), path.name
        assert "\r" not in content
