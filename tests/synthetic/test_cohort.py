import numpy as np
import pandas as pd
import pytest

from outcomes.errors import CalibrationError, OutcomesError
from outcomes.evidence import load_evidence
from outcomes.schema import COLUMNS, Cohort, validate_cohort
from outcomes.synthetic import cohort as cohort_module
from outcomes.synthetic import shipped_calibration, simulate, simulate_chunks, simulate_pooled


def test_a_cohort_keeps_the_schema_and_has_every_column(study):
    cohort = simulate(study, 3_000, seed=1)
    assert isinstance(cohort, Cohort)
    assert len(cohort) == 3_000
    endpoints = ["overall-survival", "local-control", "hardware-failure"]
    validate_cohort(cohort, endpoints=endpoints)
    expected = set(COLUMNS) - (set() if study == "bate-2015" else {"lesion"})
    assert expected <= set(cohort.columns)
    assert cohort.provenance["synthetic"] is True


def test_same_seed_same_patients_another_seed_others():
    first, second = simulate("liu-2020", 500, seed=7), simulate("liu-2020", 500, seed=7)
    pd.testing.assert_frame_equal(first, second)
    assert not simulate("liu-2020", 500, seed=8)["os_months"].equals(first["os_months"])


def test_parts_are_the_whole(monkeypatch):
    monkeypatch.setattr(cohort_module, "CHUNK_ROWS", 400)
    parts = list(simulate_chunks("bate-2015", 1_000, seed=2))
    assert [len(part) for part in parts] == [400, 400, 200]
    whole = simulate("bate-2015", 1_000, seed=2)
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), pd.DataFrame(whole))
    assert not whole.duplicated(["patient_id", "lesion"]).any()


def test_lesions_of_a_patient_share_the_patient():
    cohort = simulate("bate-2015", 20_000, seed=3)
    second = cohort[cohort["lesion"] == 2]
    assert len(second) / len(cohort) == pytest.approx(12 / 69, abs=0.01)
    shared = cohort.groupby("patient_id")[["kps", "os_months", "death", "sbrt", "procedure"]]
    pd.testing.assert_frame_equal(shared.first(), shared.last())
    distance = cohort.groupby("patient_id")["separation_mm"]
    assert (distance.first() != distance.last()).any()


def test_censoring_does_not_depend_on_the_patient():
    """Kaplan-Meier of censoring is the same for the fit and the unfit (a known simulator trap)."""
    cohort = simulate("liu-2020", 40_000, seed=5)
    alive_at_9 = cohort[cohort["os_months"] >= 9]
    censored_soon = (alive_at_9["death"] == 0) & (alive_at_9["os_months"] < 9.5)
    by_kps = censored_soon.groupby(alive_at_9["kps"] >= 80).mean()
    error = np.sqrt(0.25 * 4 / len(alive_at_9))
    assert abs(by_kps[True] - by_kps[False]) < 4 * error


def test_published_nulls_are_independent_of_what_kills():
    cohort = simulate("laufer-2013", 50_000, seed=6)
    for null in ("sex", "escc_grade", "resection"):
        by_level = cohort.groupby(null)["kps"].mean()
        assert by_level.max() - by_level.min() < 1.0


def test_covariates_depend_on_each_other_as_in_patients():
    cohort = simulate("laufer-2013", 50_000, seed=6)
    deficit = cohort.groupby("neurologic_deficit")["kps"].mean()
    assert deficit[False] - deficit[True] > 5
    progressive = cohort.groupby("progressive_systemic_disease")["visceral_metastases"].mean()
    assert progressive[True] > progressive[False] + 0.2
    vascular = cohort["primary_tumor"].isin(["kidney", "thyroid"])
    embolized = cohort.groupby(vascular)["embolization"].mean()
    assert embolized[True] > embolized[False] + 0.3
    assert (cohort.loc[cohort["primary_tumor"] == "prostate", "sex"] == "male").all()


def test_shares_are_the_assumed_ones():
    evidence = load_evidence()
    cohort = simulate("amankulor-2014", 60_000, seed=9)
    for factor in ("neurologic_deficit", "progressive_systemic_disease", "embolization"):
        assert cohort[factor].mean() == pytest.approx(evidence[f"share_{factor}"], abs=0.01)
    assert (cohort["sex"] == "female").mean() == pytest.approx(evidence["share_female"], abs=0.01)
    below = (cohort["separation_mm"] < 3).mean()
    assert below == pytest.approx(evidence["share_separation_below_3mm"], abs=0.01)


def test_sbrt_is_given_to_the_fitter_and_only_to_the_living():
    cohort = simulate("liu-2020", 20_000, seed=10)
    treated = cohort["sbrt"]
    assert cohort.loc[treated, "kps"].mean() > cohort.loc[~treated, "kps"].mean() + 1
    assert (cohort.loc[treated, "os_months"] >= cohort.loc[treated, "sbrt_start_months"]).all()
    start = cohort.loc[treated, "sbrt_start_months"]
    assert start.between(0.46, 0.92).all()


def test_the_pooled_cohort_is_operated_and_sized_as_published():
    cohort = simulate_pooled(2_000, seed=1)
    assert len(cohort) == 2_000
    assert (cohort["procedure"] == "separation").all()
    assert cohort["patient_id"].is_unique
    sizes = cohort["study"].value_counts()
    published = {"laufer-2013": 186, "liu-2020": 52, "gong-2021": 35, "bate-2015": 21}
    for study, size in published.items():
        assert sizes[study] == pytest.approx(2_000 * size / (186 + 52 + 35 + 21 + 318), abs=1)


@pytest.mark.parametrize(("study", "n"), [("liu-2020", 0), ("liu-2020", -3)])
def test_a_size_below_one_is_refused(study, n):
    with pytest.raises(OutcomesError, match="at least 1"):
        simulate(study, n)


def test_an_unknown_study_is_refused_with_those_allowed():
    with pytest.raises(CalibrationError, match="laufer-2013"):
        simulate("laufer-2014", 10)
    with pytest.raises(OutcomesError, match="at least 200"):
        simulate_pooled(50)


def test_one_patient_can_be_drawn():
    assert len(simulate("bate-2015", 1, seed=0)) == 1
    assert shipped_calibration().converged
