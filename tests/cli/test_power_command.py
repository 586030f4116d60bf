"""The command that says how many patients show an effect."""

import json

import pandas as pd
import pytest

from outcomes.power import limit, published

FILES = {".separation-outcomes", "power.csv", "power.json"}


@pytest.fixture(autouse=True, scope="module")
def quick():
    """Take limits from smaller trials."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limit, "LARGE", 30_000)
        patch.setattr(published, "LIMIT_PATIENTS", 5_000)
        yield


def test_power_writes_its_numbers_and_says_what_they_mean(outcomes, tmp_path):
    out = tmp_path / "power"
    options = ("--patients", "200,100,400", "--trials", 40, "--seed", 5)
    done = outcomes("power", *options, "--out", out)
    assert done.status == 0, done.stderr
    assert {path.name for path in out.iterdir()} == FILES
    assert "Simulating trials" in done.stderr
    assert "Patients needed" in done.stdout
    assert "liu-2020 itself: 52 patients" in done.stdout
    data = json.loads((out / "power.json").read_text())
    assert [size["power"]["patients"] for size in data["sizes"]] == [100, 200, 400]
    assert data["published"]["treated"] == 13
    assert data["design"]["death_hazard_ratio"] == 0.7
    assert data["finding"][1] in done.stdout
    assert data["provenance"]["seed"] == 5
    assert "--patients 100,200,400" in data["provenance"]["command"]
    table = pd.read_csv(out / "power.csv")
    assert len(table) == 15
    powers = table[table["method"] == "rank_test"]["power"].to_list()
    assert powers[0] < powers[2]
    outcomes("power", *options, "--out", out).refused(3, "already there", "--force")
    # The command it names gives the same bytes.
    first = {name: (out / name).read_bytes() for name in FILES}
    again = data["provenance"]["command"].split()[1:]
    assert outcomes(*again, "--out", out, "--force").status == 0
    assert {name: (out / name).read_bytes() for name in FILES} == first


def test_power_of_a_registry_and_of_local_control(outcomes, tmp_path):
    common = ("--trials", 20, "--patients", "100,200", "--no-published")
    done = outcomes("power", *common, "--design", "registry", "--out", tmp_path / "registry")
    assert done.status == 0, done.stderr
    assert "selection and immortal time" in done.stdout
    control = ("--endpoint", "local-control", "--follow-up", "study", "--allocation", "1:3")
    done = outcomes("power", *common, *control, "--out", tmp_path / "control")
    assert done.status == 0, done.stderr
    assert "Gray" in done.stdout
    data = json.loads((tmp_path / "control" / "power.json").read_text())
    assert data["design"]["follow_up_months"] is None
    assert data["sizes"][0]["power"]["treated"] == 25
    assert data["published"] is None
    assert "--follow-up study" in data["provenance"]["command"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--endpoint", "happiness"), "unknown endpoint"),
        (("--effect", "0"), "effect: found 0"),
        (("--effect", "nan"), "effect: found nan"),
        (("--progression-effect", "-1"), "progression effect"),
        (("--horizon", "0"), "horizon"),
        (("--horizon", "60"), "before month 48"),
        (("--patients", "100,"), "--patients"),
        (("--patients", "3"), "--patients"),
        (("--patients", "１００"), "--patients"),
        (("--patients", "1e3"), "--patients"),
        (("--patients", "99999999999999"), "--patients"),
        (("--allocation", "1"), "--allocation"),
        (("--allocation", "1:2:3"), "--allocation"),
        (("--allocation", "0:1"), "allocation"),
        (("--allocation", "inf:1"), "allocation"),
        (("--design", "registry", "--allocation", "1:1"), "--allocation"),
        (("--design", "registry", "--crossover", "0.1"), "registry"),
        (("--design", "survey"), "survey"),
        (("--accrual", "-3"), "accrual"),
        (("--follow-up", "long"), "--follow-up"),
        (("--follow-up", "nan"), "follow-up"),
        (("--dropout", "1"), "dropout"),
        (("--crossover", "2"), "crossover"),
        (("--untreated", "-0.1"), "untreated"),
        (("--alpha", "0"), "alpha"),
        (("--trials", "1"), "trials"),
        (("--seed", "-1"), "seed"),
        (("--jobs", "0"), "jobs"),
        (("--cluster", "nowhere"), "nowhere"),
        (("--evidence", "figures.toml"), "--calibration"),
    ],
)
def test_power_refuses_what_cannot_be(outcomes, tmp_path, options, words):
    out = tmp_path / "never"
    outcomes("power", *options, "--out", out).refused(2, words)
    assert not out.exists()


def test_power_says_what_its_data_do_not_allow(outcomes, tmp_path):
    out = tmp_path / "never"
    outcomes("power", "--study", "nobody-1999", "--out", out).refused(3, "nobody-1999", "liu-2020")
    registry = ("--study", "laufer-2013", "--design", "registry")
    outcomes("power", *registry, "--out", out).refused(3, "laufer-2013", "everyone had SBRT")
    nothing = ("--effect", "1", "--progression-effect", "0")
    outcomes("power", *nothing, "--out", out).refused(3, "none is seen", "numbers of patients")
    missing = tmp_path / "none.json"
    outcomes("power", "--calibration", missing, "--out", out).refused(3, "none.json")
    assert list(tmp_path.iterdir()) == []
