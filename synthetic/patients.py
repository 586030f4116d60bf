"""Draw patients: who they are before treatment, and what surgery finds and does.

Covariates published as without effect (sex, radiosensitivity, ESCC grade, resection) enter no
hazard; ESCC grade and resection are independent of everything that does.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import BoolArray, FloatArray
from outcomes.evidence import Evidence
from outcomes.schema import SEPARATION_THRESHOLD_MM, TUMORS
from outcomes.synthetic.case_mix import (
    BINARY_FACTORS,
    KPS_LEVELS,
    PROGRESSIVE,
    CaseMix,
    DeathEffects,
    deficit_and_kps,
    factor_probability,
)
from outcomes.synthetic.effects import arm_tilt
from outcomes.synthetic.series import REGIMENS, Arm, Series

TextArray = npt.NDArray[np.str_]

# How much likelier embolization is in vascular tumours than in the others.
VASCULAR = {"kidney": 5.0, "thyroid": 5.0}
RADIOSENSITIVE = {"breast": 1.0, "prostate": 1.0, "hematologic": 1.0, "lung": 0.15}
DEFICIT_GRADES = (("A", 0.04), ("B", 0.08), ("C", 0.25), ("D", 0.63))
HIGH_GRADES = ("2", "3")
LOW_GRADES = ("0", "1a", "1b", "1c")
CONSTRUCT_SHORT, CONSTRUCT_LONG = (3, 7), (7, 11)


def _tumor_shares(evidence: Evidence) -> tuple[tuple[str, ...], FloatArray]:
    shares = [evidence[f"share_tumor_{name}"] for name in TUMORS]
    return (*TUMORS, "other"), np.array([*shares, 1 - sum(shares)])


def _choose(
    generator: np.random.Generator, options: tuple[str, ...], shares: FloatArray, size: int
) -> TextArray:
    if size == 0:
        return np.asarray(options)[:0]
    return np.asarray(options)[generator.choice(len(options), size=size, p=shares / shares.sum())]


def _draw_tumor(
    embolized: BoolArray, share: float, evidence: Evidence, generator: np.random.Generator
) -> TextArray:
    """Draw the primary tumour given embolization, so that both keep their shares."""
    names, shares = _tumor_shares(evidence)
    vascular = np.array([VASCULAR.get(name, 1.0) for name in names])
    chance = np.minimum(share * vascular / (shares @ vascular), 0.95)
    found = _choose(generator, names, shares * (1 - chance), embolized.size)
    found[embolized] = _choose(generator, names, shares * chance, int(embolized.sum()))
    return found


def _draw_female(tumor: TextArray, share: float, generator: np.random.Generator) -> BoolArray:
    """Draw sex: breast cancer in women, prostate cancer in men, the rest to meet the share."""
    breast, prostate = tumor == "breast", tumor == "prostate"
    others = ~(breast | prostate)
    rest = (share * tumor.size - breast.sum()) / max(int(others.sum()), 1)
    chance = np.where(breast, 1.0, np.where(prostate, 0.0, np.clip(rest, 0, 1)))
    return np.asarray(generator.random(tumor.size) < chance)


def _draw_prognosis(
    mix: CaseMix, tilt: float, size: int, generator: np.random.Generator
) -> pd.DataFrame:
    """Draw Karnofsky score, neurologic deficit and the other prognostic factors of an arm."""
    weights = (deficit_and_kps(mix) * np.exp(tilt * (KPS_LEVELS - 70) / 10)).ravel()
    cell = generator.choice(weights.size, size=size, p=weights / weights.sum())
    kps = KPS_LEVELS[cell % KPS_LEVELS.size]
    factors: dict[str, BoolArray] = {}
    for factor in BINARY_FACTORS:
        progressive = factors.get(PROGRESSIVE, np.zeros(size, dtype=bool)).astype(float)
        chance = factor_probability(mix, factor, kps, progressive)
        factors[factor] = generator.random(size) < chance
    deficit = cell >= KPS_LEVELS.size
    return pd.DataFrame({"kps": kps.astype(np.int64), "neurologic_deficit": deficit, **factors})


def draw_patients(
    series: Series,
    arms: npt.NDArray[np.intp],
    values: Mapping[str, float],
    evidence: Evidence,
    generator: np.random.Generator,
) -> pd.DataFrame:
    """Draw the covariates before radiotherapy of patients whose arms are given.

    Parameters
    ----------
    series
        Design.
    arms
        Position of each patient's arm, shape (n_patients,).
    values
        Calibrated parameters of the series.
    evidence
        Registry with the assumed shares.
    generator
        Source of randomness; children are spawned by kind of covariate.
    """
    size = arms.size
    prognosis, origin, surgery = generator.spawn(3)
    drawn = []
    for index, arm in enumerate(series.arms):
        rows = np.flatnonzero(arms == index)
        part = _draw_prognosis(arm.mix, arm_tilt(arm, values), rows.size, prognosis)
        drawn.append(part.set_index(rows))
    fitness = pd.concat(drawn).sort_index()
    deficit, embolized = (fitness[c].to_numpy() for c in ("neurologic_deficit", "embolization"))
    tumor = _draw_tumor(embolized, series.arms[0].mix.embolization, evidence, origin)
    female = _draw_female(tumor, series.female, origin)
    sensitive = np.array([RADIOSENSITIVE.get(name, 0.0) for name in (*TUMORS, "other")])
    position = pd.Index((*TUMORS, "other")).get_indexer(pd.Index(tumor))
    grades = tuple(grade for grade, _ in DEFICIT_GRADES)
    grade_shares = np.array([share for _, share in DEFICIT_GRADES])
    frankel = np.where(deficit, _choose(origin, grades, grade_shares, size), "E")
    age = np.clip(np.round(origin.normal(series.age_mean, series.age_sd, size)), 18, 95)
    return pd.DataFrame(
        {
            "age": age,
            "sex": np.where(female, "female", "male"),
            "kps": fitness["kps"],
            "primary_tumor": tumor,
            "radiosensitive": origin.random(size) < sensitive[position],
            "frankel": frankel,
            "neurologic_deficit": deficit,
            **{factor: fitness[factor] for factor in BINARY_FACTORS},
            **_draw_surgery(series.arms, arms, evidence, surgery),
        }
    )


def _draw_surgery(
    designs: tuple[Arm, ...],
    arms: npt.NDArray[np.intp],
    evidence: Evidence,
    generator: np.random.Generator,
) -> dict[str, Any]:
    size = arms.size
    procedure = np.array([arm.procedure for arm in designs])[arms]
    operated = procedure != "none"
    aggressive = np.array([arm.resection for arm in designs])[arms]
    high = np.where(operated, evidence["share_high_grade_escc"], 0.1)
    graded = np.where(
        generator.random(size) < high,
        np.asarray(HIGH_GRADES)[generator.integers(0, len(HIGH_GRADES), size)],
        np.asarray(LOW_GRADES)[generator.integers(0, len(LOW_GRADES), size)],
    )
    long_construct = generator.random(size) < evidence["share_construct_levels_above_6"]
    levels = np.where(
        long_construct,
        generator.integers(*CONSTRUCT_LONG, size),
        generator.integers(*CONSTRUCT_SHORT, size),
    )
    mixed = evidence["share_minimally_invasive"]
    shares = {"mixed": mixed, "minimally_invasive": 1.0, "open": 0.0}
    invasive = generator.random(size) < np.array([shares[arm.approach] for arm in designs])[arms]
    resected = generator.random(size) < aggressive
    return {
        "escc_grade": graded,
        "mechanical_instability": generator.random(size) < evidence["share_mechanical_instability"],
        "procedure": procedure,
        "approach": pd.Series(np.where(invasive, "minimally_invasive", "open")).where(operated),
        "resection": pd.Series(np.where(resected, "aggressive", "moderate")).where(operated),
        "chest_wall_resection": operated
        & (generator.random(size) < evidence["share_chest_wall_resection"]),
        "construct_levels": np.where(operated, levels, 0),
    }


def draw_separation(
    below: FloatArray, evidence: Evidence, generator: np.random.Generator
) -> FloatArray:
    """Draw separation distances in mm, to a tenth.

    Parameters
    ----------
    below
        Probability of a separation below 3 mm, shape (n_lesions,).
    evidence
        Registry with the assumed mean distances.
    generator
        Source of randomness.
    """
    size = below.size
    is_below = generator.random(size) < below
    share = evidence["separation_mm_mean_below_3"] / SEPARATION_THRESHOLD_MM
    narrow = SEPARATION_THRESHOLD_MM * generator.beta(4 * share, 4 * (1 - share), size)
    excess = evidence["separation_mm_mean_above_3"] - SEPARATION_THRESHOLD_MM
    wide = SEPARATION_THRESHOLD_MM + generator.gamma(2.0, excess / 2.0, size)
    # Cut, not rounded, so that a distance stays on its side of 3 mm.
    cut = np.floor(10 * np.where(is_below, narrow, wide)) / 10
    return np.asarray(np.round(cut, 1), dtype=np.float64)


def draw_regimen(
    shares: FloatArray, treated: BoolArray, generator: np.random.Generator
) -> TextArray:
    """Draw the dose regimen of each patient from the arm's shares, shape (n_patients, 3)."""
    cumulative = np.cumsum(shares, axis=1)
    total = np.where(cumulative[:, -1:] > 0, cumulative[:, -1:], 1.0)
    position = (generator.random(treated.size)[:, None] >= cumulative / total).sum(axis=1)
    drawn = np.asarray(REGIMENS)[np.minimum(position, len(REGIMENS) - 1)]
    return np.where(treated, drawn, "none")


def prognostic_score(patients: pd.DataFrame, effects: DeathEffects) -> FloatArray:
    """Return each patient's log hazard ratio of death against KPS 70 with no other factor."""
    score = effects.kps_per_10 * (patients["kps"].to_numpy(dtype=np.float64) - 70) / 10
    for factor in ("neurologic_deficit", *BINARY_FACTORS):
        score = score + getattr(effects, factor) * patients[factor].to_numpy(dtype=np.float64)
    return np.asarray(score)
