"""The published figures and their audit on the command line."""

import json


def test_evidence_prints_figures_and_assumptions(outcomes):
    done = outcomes("evidence")
    assert done.status == 0
    assert "Laufer 2013" in done.stdout
    assert "16.4 percent" in done.stdout
    assert "death_hr_sbrt" in done.stdout


def test_evidence_as_json(outcomes):
    data = json.loads(outcomes("evidence", "--json").stdout)
    by_id = {figure["id"]: figure for figure in data["figures"]}
    assert by_id["liu-2020/overall_survival_median/sbrt"]["value"] == 38
    assert data["assumptions"]


def test_audit_prints_contradictions_first(outcomes):
    done = outcomes("evidence", "--audit")
    assert done.status == 0
    headings = [line for line in done.stdout.splitlines() if line and not line.startswith(" ")]
    assert [line.split(":")[0] for line in headings] == ["Contradictions", "Improbable", "Readings"]
    assert "Gong 2021: parts against their whole" in done.stdout
    assert "prints 15" in " ".join(done.stdout.split())


def test_audit_as_json_of_one_study(outcomes):
    done = outcomes("evidence", "--audit", "--json", "--study", "liu-2020")
    findings = json.loads(done.stdout)["findings"]
    keys = {"check", "severity", "study", "figures", "statement", "numbers", "probability"}
    assert all(set(finding) == keys for finding in findings)
    assert {finding["study"] for finding in findings} == {"liu-2020", ""}
    (deaths,) = [finding for finding in findings if finding["check"] == "deaths"]
    assert 0.01 < deaths["probability"] < 0.05
    assert all("liu-2020/" in " ".join(finding["figures"]) for finding in findings)


def test_audit_of_an_own_file(outcomes, folder):
    path = folder / "gong.toml"
    path.write_text(
        """
[[figure]]
id = "gong-2021/patients/moderate"
arm = "moderate"
estimand = "count"
role = "fit"
value = 18
unit = "patients"
n = 36
source = "The study itself"
""",
        encoding="utf-8",
    )
    done = outcomes("evidence", "--audit", "--evidence", path, "--study", "gong-2021")
    assert done.status == 0
    assert "parts against their whole" not in done.stdout
    assert "source paper against the primary study" in done.stdout


def test_audit_of_figures_that_go_together(outcomes, folder):
    own = folder / "own"
    own.mkdir()
    (own / "study.toml").write_text(
        """
[study]
id = "own-2024"
title = "Own 2024"
n = 20
design = "One series"
citation = "None."

[[figure]]
id = "own-2024/local_progression_crude"
estimand = "crude_proportion"
role = "check"
value = 25.0
n = 20
unit = "percent"
source = "Table 1"
""",
        encoding="utf-8",
    )
    done = outcomes("evidence", "--audit", "--evidence", own)
    assert done.status == 0
    assert "Nothing found" in done.stdout
