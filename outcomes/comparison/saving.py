"""A comparison as files: every table as CSV, and all of it as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from outcomes import files
from outcomes.comparison.result import Comparison
from outcomes.comparison.robustness import Robustness

COMPARISON_FILES = (
    ("comparison.json", "the two arms compared, every method, with the truth"),
    ("comparison.csv", "the same as a table"),
    ("target-trials.json", "the trial that each method imitates, and which biases it deals with"),
    ("target-trials.csv", "the same as a table"),
    (
        "robustness.json",
        "propensity, weights, balance, immortal time, E-values, unmeasured confounding",
    ),
    ("balance.csv", "the features of the two arms before and after weighting"),
    ("propensity.csv", "patients of each arm by their probability of treatment"),
    ("e-values.csv", "how strong an unmeasured confounder would have to be"),
    ("immortal-time.csv", "person-months before treatment, and rates with and without them"),
)
"""What `save_comparisons` writes, as (name, what it holds)."""


def save_comparisons(comparisons: Iterable[Comparison], folder: Path) -> None:
    """Write comparisons into a folder, one set of files for all endpoints.

    A table without a row is left out; ``robustness.json`` says why it has none.

    Parameters
    ----------
    comparisons
        One for each endpoint.
    folder
        Where to; it is there.
    """
    every = tuple(comparisons)
    records = [row for one in every for row in one.to_records()]
    trials = [trial.to_dict() for one in every for trial in one.target_trials]
    checked = [one.robustness for one in every if one.robustness is not None]
    files.write_json(folder / "comparison.json", records)
    files.write_json(folder / "target-trials.json", trials)
    files.write_json(folder / "robustness.json", [one.to_dict() for one in checked])
    flat = [{**row, "assumptions": "; ".join(row["assumptions"])} for row in trials]
    tables: dict[str, Sequence[dict[str, Any]]] = {
        "comparison": records,
        "target-trials": flat,
        "balance": [row for one in checked for row in _balance(one)],
        "propensity": [row for one in checked for row in _propensity(one)],
        "e-values": [row for one in checked for row in _e_values(one)],
        "immortal-time": [row for one in checked for row in _immortal_time(one)],
    }
    for name, rows in tables.items():
        if not rows:
            continue
        text = pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
        files.write_text(folder / f"{name}.csv", text)


def _balance(robustness: Robustness) -> list[dict[str, Any]]:
    if robustness.balance is None:
        return []
    return [{"endpoint": robustness.endpoint, **asdict(one)} for one in robustness.balance.columns]


def _propensity(robustness: Robustness) -> list[dict[str, Any]]:
    found = robustness.overlap
    if found is None:
        return []
    return [
        {"endpoint": robustness.endpoint, "arm": arm, "from": low, "to": high, "patients": n}
        for arm, scores in (("treated", found.treated), ("control", found.control))
        for low, high, n in zip(found.bins[:-1], found.bins[1:], scores.counts, strict=True)
    ]


def _e_values(robustness: Robustness) -> list[dict[str, Any]]:
    return [
        {
            "endpoint": robustness.endpoint,
            "method": one.method,
            "estimand": one.estimand,
            "horizon_months": one.horizon_months,
            "e_value": None if one.found is None else one.found.estimate,
            "e_value_limit": None if one.found is None else one.found.limit,
            "risk_ratio": None if one.found is None else one.found.risk_ratio,
            "reason": one.reason,
        }
        for one in robustness.e_values
    ]


def _immortal_time(robustness: Robustness) -> list[dict[str, Any]]:
    """Return one row; the numbers of a part are named after it."""
    if robustness.immortal_time is None:
        return []
    plain = robustness.immortal_time.to_dict()
    (row,) = pd.json_normalize(plain, sep="_").to_dict("records")
    return [{"endpoint": robustness.endpoint, **{str(key): cell for key, cell in row.items()}}]
