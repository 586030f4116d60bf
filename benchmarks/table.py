"""The table of ratios, and what is not met."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Found = Mapping[str, Any]
# Scores of a forest may be so much worse than a peer's.
FOREST_C, FOREST_IBS = 0.005, 0.002
FOREST_FILES_MB = {"10000": 30.0, "100000": 300.0}


def write_table(found: Sequence[Found], path: Path) -> None:
    """Write one line for each peer and one for the growth of each row, as Markdown."""
    lines = [
        "| work | n | ours, s | peer | peer, s | ratio | asked |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in found:
        for peer, n, ours, theirs in _pairs(row):
            asked = "" if peer["at_least"] is None else f"{peer['at_least']:g}"
            lines.append(
                f"| {row['title']} | {int(n):,} | {seconds(ours['seconds'])} | {peer['name']} "
                f"| {seconds(theirs['seconds'])} | {theirs['seconds'] / ours['seconds']:.3g} "
                f"| {asked} |"
            )
    lines += ["", "| work | CPU seconds and peak memory by n | growth |", "|---|---|---|"]
    for row in found:
        cells = [
            f"{int(n):,}: {seconds(t['seconds'])} s, {t['megabytes']:,.0f} MB"
            for n, t in row["ours"].items()
        ]
        lines.append(f"| {row['title']} | {'; '.join(cells)} | n^{growth(row['ours']):.2f} |")
    forests = [row for row in found if any("c" in t["result"] and "file_mb" in t["result"]
                                           for t in row["ours"].values())]  # fmt: skip
    for row in forests:
        lines += ["", "| forest | n | C | IBS | file, MB |", "|---|---|---|---|---|"]
        for n, t in row["ours"].items():
            lines.append(_forest_line("ours", n, t))
        for peer in row["peers"]:
            lines += [_forest_line(peer["name"], n, t) for n, t in peer["timings"].items()]
    path.write_text("\n".join(lines) + "\n")


def _forest_line(name: str, n: str, timing: Found) -> str:
    result = timing["result"]
    size = f"{result['file_mb']:.1f}" if "file_mb" in result else ""
    return f"| {name} | {int(n):,} | {result['c']:.4f} | {result['ibs']:.4f} | {size} |"


def seconds(value: float) -> str:
    """Return seconds with two digits."""
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def growth(ours: Found) -> float:
    """Return the power of n by which the time grows, between the two largest sizes."""
    (n, before), (m, after) = list(ours.items())[-2:]
    return math.log(after["seconds"] / before["seconds"]) / math.log(int(m) / int(n))


def verdicts(found: Sequence[Found]) -> list[str]:
    """Return what is slower, larger or other than asked."""
    wrong = []
    for row in found:
        for peer, n, ours, theirs in _pairs(row):
            ratio, asked = theirs["seconds"] / ours["seconds"], peer["at_least"]
            if asked is not None and ratio < asked and int(n) == row["main"]:
                wrong.append(f"{row['title']}: {ratio:.3g} times {peer['name']}, asked {asked:g}")
            for name, most in peer["agrees"].items():
                gap = abs(ours["result"][name] - theirs["result"][name])
                if gap > most:
                    wrong.append(
                        f"{row['title']}, n = {n}: {name} differs by {gap:.3g} from {peer['name']}"
                    )
            if "ibs" in theirs["result"]:
                wrong += _worse(row["title"], n, ours["result"], theirs["result"], peer["name"])
        for n, most in row["megabytes"].items():
            if row["ours"][n]["megabytes"] > most:
                wrong.append(f"{row['title']}, n = {n}: {row['ours'][n]['megabytes']:.0f} MB")
        for n, timing in row["ours"].items():
            size = timing["result"].get("file_mb", 0.0)
            if size > FOREST_FILES_MB.get(n, math.inf):
                wrong.append(f"{row['title']}, n = {n}: a file of {size:.0f} MB")
    return wrong


def _worse(title: str, n: str, ours: Found, theirs: Found, name: str) -> Iterator[str]:
    if ours["c"] < theirs["c"] - FOREST_C:
        yield f"{title}, n = {n}: C {ours['c']:.4f} against {theirs['c']:.4f} of {name}"
    if ours["ibs"] > theirs["ibs"] + FOREST_IBS:
        yield f"{title}, n = {n}: IBS {ours['ibs']:.4f} against {theirs['ibs']:.4f} of {name}"


def _pairs(row: Found) -> Iterator[tuple[Found, str, Found, Found]]:
    """Yield peer, size and both timings, at the largest size that both did."""
    for peer in row["peers"]:
        n = max(peer["timings"], key=int)
        yield peer, n, row["ours"][n], peer["timings"][n]
