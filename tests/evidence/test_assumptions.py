"""Assumptions and the figures of other publications: what they are, apart from the paper's."""

import pytest

from outcomes.evidence import load_evidence

EVIDENCE = load_evidence()
VALUES = {
    "death_hr_kps_per_10": (0.78, 0.67, 0.90),
    "death_hr_neurologic_deficit": (1.73, 1.27, 2.36),
    "death_hr_progressive_systemic_disease": (1.75, 1.3, 2.4),
    "death_hr_embolization": (0.85, 0.6, 1.2),
    "death_hr_complication": (1.40, 1.0, 2.0),
    "death_hr_systemic_therapy_after": (0.60, 0.22, 1.0),
    "death_hr_after_local_progression": (1.8, 1.2, 2.7),
    "death_hr_sbrt": (0.70, 0.55, 1.0),
    "hardware_hr_chest_wall_resection": (3, 1.5, 6),
    "hardware_hr_construct_levels_above_6": (2.5, 1.3, 5),
    "hardware_hr_female": (2, 1.1, 4),
    "share_separation_below_3mm": (0.25, 0.1, 0.4),
    "local_progression_hr_below_3mm": (4.5, 1.5, 12),
    "local_progression_hr_no_sbrt": (5.6, 2, 15),
    "local_progression_hr_single_24": (0.4, 0.15, 1),
    "local_progression_hr_hypofractionated_high": (0.15, 0.03, 0.6),
    "overall_survival_median_amankulor": (8.5, 7.6, 9.4),
}
EXTERNAL = {
    "laufer_gray_hr": 0.12,
    "gong_overall_survival_12m_aggressive": 69.3,
    "gong_local_control_12m_below_3mm": 51.9,
    "echt_kps_open": 63.0,
    "al_omair_local_control_12m": 84,
    "epidural_failure_12m_high": 33.3,
    "delayed_radiotherapy_progression_6m": 45.1,
    "blakaj_failure_12m": 19,
    "koffie_overall_survival_12m": 57,
    "rothrock_overall_survival_median": 8.5,
    "nater_overall_survival_median": 7.7,
    "ambulation_hr": 1.96,
    "frankel_hr": 1.73,
    "visceral_metastases_hr": 1.50,
    "kps_below_80_hr": 1.27,
    "systemic_options_hr": 0.22,
    "sorg_ml_taiwan_1y": 0.74,
    "pathfx_24m": 0.76,
    "nesms_concordance": 0.79,
    "twelve_models": 0.81,
}


@pytest.mark.parametrize("name", VALUES)
def test_assumption(name: str) -> None:
    assumption = EVIDENCE.assumption(name)
    assert (assumption.value, assumption.low, assumption.high) == VALUES[name]


@pytest.mark.parametrize("name", EXTERNAL)
def test_external(name: str) -> None:
    found = {external.id: external for external in EVIDENCE.externals}
    assert found[name].value == EXTERNAL[name]


def test_every_assumption_has_a_source() -> None:
    assert all(len(assumption.source) > 15 for assumption in EVIDENCE.assumptions)


def test_conflicts_say_which_side_is_used() -> None:
    conflicts = {external.id: external.conflict for external in EVIDENCE.externals}
    assert "follow the source paper" in conflicts["sex_and_histology"]
    assert "78.4" in conflicts["gong_overall_survival_12m_aggressive"]


def test_tumours_of_the_cord_make_up_over_60_percent() -> None:
    shares = [EVIDENCE[f"share_tumor_{tumour}"] for tumour in ("lung", "breast", "prostate")]
    assert 0.60 < sum(shares) < 0.75
    every = [a.value for a in EVIDENCE.assumptions if a.id.startswith("share_tumor_")]
    assert sum(every) < 1
