"""CPU seconds and memory of one piece of work, each in a process of its own."""

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
R_SCRIPT = Path(__file__).with_name("peers.R")


@dataclass(frozen=True)
class Timing:
    """What one piece of work took.

    Attributes
    ----------
    seconds
        CPU seconds, the median of the repeats.
    megabytes
        Peak memory of the process; None where it is not known.
    result
        What the work gave, to compare.
    """

    seconds: float
    megabytes: float | None
    result: dict[str, float]


def time_python(package: str, work: str, n: int, repeats: int) -> Timing:
    """Time a function of `benchmarks.ours` or `benchmarks.peers` in a new process."""
    command = [sys.executable, "-m", "benchmarks.child", package, work, str(n), str(repeats)]
    return _read(_run(command))


def time_r(work: str, data: Path, n: int, repeats: int) -> Timing:
    """Time a piece of work of `peers.R`."""
    return _read(
        _run(["Rscript", "--vanilla", str(R_SCRIPT), work, str(data), str(n), str(repeats)])
    )


def _run(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        command, env=os.environ | ONE_THREAD, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _read(found: dict[str, Any]) -> Timing:
    return Timing(
        seconds=statistics.median(found["seconds"]),
        megabytes=found.get("megabytes"),
        result={name: float(value) for name, value in found["result"].items()},
    )
