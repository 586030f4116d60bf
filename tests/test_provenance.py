"""What a result was made from, and nothing of the machine it was made on."""

import json
import platform
from pathlib import Path

from outcomes.provenance import collect, package_version


def test_equal_inputs_give_equal_bytes() -> None:
    first, second = (json.dumps(collect(seed=7, evidence_hash="ab").to_dict()) for _ in range(2))
    assert first == second


def test_holds_what_can_change_a_number() -> None:
    content = collect(seed=7, evidence_hash="ab", command="outcomes run").to_dict()
    assert content["seed"] == 7
    assert content["evidence_hash"] == "ab"
    assert content["command"] == "outcomes run"
    assert content["package_version"] == package_version()
    assert content["versions"]["python"] == platform.python_version()
    assert "not installed" not in content["versions"].values()
    assert {"numpy", "pandas", "scikit-survival", "lifelines"} <= set(content["versions"])


def test_names_no_path_and_no_host() -> None:
    text = json.dumps(collect().to_dict())
    assert str(Path.home()) not in text
    assert (platform.node() or "no name") not in text
