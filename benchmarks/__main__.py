"""Time this package and its peers side by side: python -m benchmarks --help."""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.data import make_patients, write_patients
from benchmarks.forest_input import write_binned
from benchmarks.rows import ROWS, Peer, Row
from benchmarks.table import verdicts, write_table
from benchmarks.timing import Timing, time_python, time_r

SHORT, REPEATS = 2.0, 3


def main() -> int:
    """Run the rows asked for and write their table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder of results")
    parser.add_argument("--only", help="a part of a row's title")
    parser.add_argument("--full", action="store_true", help="peers at every size, also for hours")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for row in ROWS:
            if options.only is None or options.only.lower() in row.title.lower():
                found.append(_run(row, Path(folder), options.full))
                (options.out / "bench.json").write_text(json.dumps(found, indent=1) + "\n")
    write_table(found, options.out / "bench.md")
    wrong = verdicts(found)
    sys.stdout.write((options.out / "bench.md").read_text())
    for line in wrong:
        sys.stdout.write(f"NOT MET: {line}\n")
    return 1 if wrong else 0


def _run(row: Row, folder: Path, full: bool) -> dict[str, Any]:
    ours = {n: _timed(row.title, "ours", row.work, n) for n in row.sizes}
    peers = []
    for peer in row.peers:
        if peer.in_r and shutil.which("Rscript") is None:
            sys.stderr.write(f"{row.title}: {peer.name} left out, since R is not installed\n")
            continue
        # A peer that is too slow for the main size is compared at the largest one it does.
        sizes = [n for n in row.sizes if n <= (row.main if full else min(peer.largest, row.main))]
        if not full and peer.largest < row.main and peer.largest not in sizes:
            sizes.append(peer.largest)
        timings = {n: _time_peer(row, peer, n, folder) for n in sizes}
        for n in sizes:
            if n not in ours:
                ours[n] = _timed(row.title, "ours", row.work, n)
        peers.append(
            {
                "name": peer.name,
                "at_least": peer.at_least,
                "agrees": dict(peer.agrees),
                "timings": {str(n): vars(timing) for n, timing in timings.items()},
            }
        )
    return {
        "title": row.title,
        "main": row.main,
        "megabytes": {str(n): most for n, most in row.megabytes},
        "ours": {str(n): vars(timing) for n, timing in sorted(ours.items())},
        "peers": peers,
    }


def _timed(title: str, package: str, work: str, n: int) -> Timing:
    sys.stderr.write(f"{title}: {work}, n = {n:,}\n")
    once = time_python(package, work, n, 1)
    return time_python(package, work, n, REPEATS) if once.seconds < SHORT else once


def _time_peer(row: Row, peer: Peer, n: int, folder: Path) -> Timing:
    if not peer.in_r:
        return _timed(row.title, "peers", peer.work, n)
    sys.stderr.write(f"{row.title}: {peer.work} in R, n = {n:,}\n")
    data = folder / f"{peer.work}-{n}.csv"
    if peer.work == "ranger":
        return write_binned(data, n, lambda: time_r(peer.work, data, n, 1))
    write_patients(make_patients(n), data)
    once = time_r(peer.work, data, n, 1)
    return time_r(peer.work, data, n, REPEATS) if once.seconds < SHORT else once


if __name__ == "__main__":
    sys.exit(main())
