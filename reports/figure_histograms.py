"""Small histograms that stand in the rows of a table, as plain SVG."""

from dataclasses import dataclass

from outcomes.reports.charts import Histogram

WIDTH, HEIGHT = 160, 34
# Room above the bars for the head of the marked value, and beside them.
HEAD, SIDE = 6, 3
# Neighbouring steps are joined: narrower bars could not be told apart.
JOINED = 2


@dataclass(frozen=True)
class Shape:
    """A histogram in the units of its drawing.

    Attributes
    ----------
    bars
        Outline of the bars, as an SVG path.
    left, right
        Ends of the shaded range.
    mark
        Position of the marked value.
    """

    bars: str
    left: float
    right: float
    mark: float


def histogram_shape(histogram: Histogram) -> Shape:
    """Return where everything is drawn; the marked value is always within the drawing."""
    low = min(histogram.span[0], histogram.marked)
    high = max(histogram.span[1], histogram.marked)
    scale = (WIDTH - 2 * SIDE) / (high - low or 1.0)

    def at(value: float) -> float:
        return round(SIDE + scale * (min(max(value, low), high) - low), 1)

    counts = [
        sum(histogram.counts[k : k + JOINED]) for k in range(0, len(histogram.counts), JOINED)
    ]
    step = (histogram.span[1] - histogram.span[0]) / len(histogram.counts)
    most = max(*counts, 1)
    path = [f"M{at(histogram.span[0]):g} {HEIGHT}"]
    for k, count in enumerate(counts):
        end = min(JOINED * (k + 1), len(histogram.counts))
        top = round(HEIGHT - (HEIGHT - HEAD - 2) * count / most, 1)
        path.append(f"V{top:g}H{at(histogram.span[0] + step * end):g}")
    path.append(f"V{HEIGHT}Z")
    return Shape(
        bars="".join(path),
        left=at(low if histogram.lower is None else histogram.lower),
        right=WIDTH if histogram.upper is None else at(histogram.upper),
        mark=at(histogram.marked),
    )
