"""The cohort page: which survival is named, and why values are missing."""

import dataclasses

import numpy as np
import pandas as pd

from outcomes.curves import kaplan_meier
from outcomes.reports import summarise_page
from outcomes.reports.content import Figure, FigureGrid
from outcomes.reports.summary_outcomes import FEWEST_TO_NAME, survival_section


def _section(results, name):
    (section,) = [s for s in summarise_page("cohort", results).sections if s.id == name]
    return section


def _group(n, monthly_hazard, seed):
    times = np.random.default_rng(seed).exponential(1 / monthly_hazard, n)
    return pd.DataFrame({"os_months": np.minimum(times, 40.0), "death": (times < 40.0).astype(int)})


def test_survival_is_named_from_large_series_at_one_horizon():
    groups = {
        "Low": _group(400, 0.10, 1),
        "High": _group(400, 0.02, 2),
        "Small": _group(FEWEST_TO_NAME - 1, 0.001, 3),
    }
    section = survival_section(groups, after="Synthetic, after", assumed=("Low",))
    low, high = (kaplan_meier(groups[t]["os_months"], groups[t]["death"]) for t in ("Low", "High"))
    first, second = (f"{100 * float(c.survival_at(12.0)):.0f}%" for c in (low, high))
    assert section.finding.startswith(f"At 12 months {first} (95% CI ")
    assert "are alive in Low, whose survival level is assumed, and " + second in section.finding
    assert "Small" not in section.finding
    (grid,) = section.blocks
    titles = [title for title, _, _ in grid.panels]
    assert titles[2] == "Synthetic, after Small"
    assert grid.panels[0][2].startswith("n = 400, median ")
    assert " to " in grid.panels[0][2]


def test_no_series_is_named_where_all_are_small_or_alike():
    small = {"A": _group(30, 0.1, 1), "B": _group(30, 0.01, 2)}
    assert survival_section(small).finding.startswith("No series is large enough")
    alike = {"A": _group(200, 0.05, 1), "B": _group(200, 0.05, 2)}
    assert survival_section(alike).finding.endswith("The intervals overlap.")


def test_assumed_survival_is_marked_only_in_synthetic_series(results):
    own = dataclasses.replace(results, synthetic=False)
    for study, used in ((results, True), (own, False)):
        section = _section(study, "survival")
        (grid,) = [b for b in section.blocks if isinstance(b, FigureGrid)]
        assert ("Synthetic, after Bate 2015" in [title for title, _, _ in grid.panels]) == used
        assert ("Amankulor 2014, whose survival level is assumed" in section.finding) == used


def test_every_column_with_missing_values_has_a_reason_that_adds_up(results):
    (table,) = _section(results, "missing").blocks
    assert table.rows
    for _, missing, reason in table.rows:
        parts = [int(part.split()[0].replace(",", "")) for part in reason.split("; ")]
        assert sum(parts) == int(missing.split("\n")[0].replace(",", ""))
    names = [row[0] for row in table.rows]
    assert "Start of SBRT, months after surgery" in names


def test_reasons_hold_for_a_cohort_of_ones_own(own_results):
    frame = pd.DataFrame(
        {
            "os_months": [1.0, 2.0, 3.0, 4.0],
            "death": [1, 0, 1, 0],
            "sbrt": pd.array([True, False, None, True], dtype="boolean"),
            "sbrt_start_months": [0.5, None, None, None],
        }
    )
    own = dataclasses.replace(own_results, cohort=frame, comparisons={}, models={}, calculator={})
    (table,) = _section(own, "missing").blocks
    assert {row[0]: row[2] for row in table.rows} == {
        "Start of SBRT, months after surgery": "1 had no SBRT; 2 not recorded",
        "SBRT after surgery": "1 not recorded",
    }


def test_caption_says_where_all_patients_without_sbrt_come_from(results):
    (figure,) = [b for b in _section(results, "local-control").blocks if isinstance(b, Figure)]
    cohort = results.cohort
    n = int((cohort["dose_regimen"] == "none").sum())
    assert set(cohort.loc[cohort["dose_regimen"] == "none", "study"]) == {"liu-2020"}
    assert f"The {n} without SBRT are all of the Liu 2020 series." in figure.caption
    assert figure.chart.y_title == "% of patients"
    moved = cohort.assign(study=cohort["study"].where(cohort.index % 2 == 0, "gong-2021"))
    other = dataclasses.replace(results, cohort=moved)
    (figure,) = [b for b in _section(other, "local-control").blocks if isinstance(b, Figure)]
    assert "are all of" not in figure.caption
