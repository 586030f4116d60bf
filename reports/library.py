"""The copy of plotly.js that a page carries."""

import base64
import functools
import gzip
import re
from dataclasses import dataclass
from importlib import resources

import plotly.offline

BASIC_VERSION = "4.1.1"
BASIC_FILE = "plotly-basic.min.js"


@dataclass(frozen=True)
class PlotlyLibrary:
    """A bundle of plotly.js.

    Attributes
    ----------
    bundle
        ``basic`` or ``full``.
    version
        Version of plotly.js.
    source
        The script.
    compressed
        The script, gzip and base64; the same bytes on every run.
    """

    bundle: str
    version: str
    source: str
    compressed: str

    @property
    def style_ids(self) -> tuple[str, ...]:
        """Return the ids of style elements that the full bundle adds for its maps.

        It leaves them out where an element of that id is there; the page's policy would refuse
        them, and no report has a map.
        """
        return tuple(re.findall(r'document\.getElementById\("([0-9a-f]{64})"\)', self.source))


@functools.cache
def plotly_library() -> PlotlyLibrary:
    """Return the basic bundle where it was fetched and fits plotly, the full one otherwise."""
    version = plotly.offline.get_plotlyjs_version()
    basic = resources.files("outcomes.reports") / "assets" / BASIC_FILE
    if version == BASIC_VERSION and basic.is_file():
        bundle, source = "basic", basic.read_text(encoding="utf-8")
    else:
        bundle, source = "full", plotly.offline.get_plotlyjs()
    # Line ends are part of the hash that the page's policy names.
    source = source.replace("\r\n", "\n")
    packed = gzip.compress(source.encode("utf-8"), compresslevel=9, mtime=0)
    # Byte 9 of the header names the operating system; 255 means unknown.
    packed = packed[:9] + b"\xff" + packed[10:]
    return PlotlyLibrary(bundle, version, source, base64.b64encode(packed).decode("ascii"))
