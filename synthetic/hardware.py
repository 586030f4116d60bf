"""Hardware failure, with death competing: a few early failures, and late ones for good.

Early failures come with a constant hazard within days of surgery, whose ends follow from the two
published days; late ones with a constant hazard from three months on. Three risk factors multiply
both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes.arrays import FloatArray
from outcomes.evidence import Evidence
from outcomes.schema import DAYS_PER_MONTH
from outcomes.synthetic.published import printed, printed_share

# The one series that reports hardware failure; the others take its hazard.
SOURCE_STUDY = "amankulor-2014"
EARLY_DAYS = "hardware_failure_early_days"
EARLY_ORDER = ("first", "second")
LATE_MONTH = 3.0
LONG_CONSTRUCT = 6
RISK_FACTORS = ("chest_wall_resection", "construct_levels_above_6", "female")
EARLY_NODES = 200


@dataclass(frozen=True)
class HardwareHazard:
    """Cumulative hazard of hardware failure without any risk factor.

    Attributes
    ----------
    early
        All of the early hazard.
    early_months
        First and last month of it.
    late
        Hazard per month from `LATE_MONTH` on.
    """

    early: float
    early_months: tuple[float, float]
    late: float

    def cumulative(self, months: FloatArray) -> FloatArray:
        """Return the cumulative hazard by each month."""
        first, last = self.early_months
        spent = np.clip((months - first) / (last - first), 0, 1)
        return np.asarray(self.early * spent + self.late * np.maximum(months - LATE_MONTH, 0))

    def months(self, units: FloatArray) -> FloatArray:
        """Return the month at which a cumulative hazard is spent."""
        first, last = self.early_months
        soon = first + (last - first) * units / self.early
        return np.where(units < self.early, soon, LATE_MONTH + (units - self.early) / self.late)


def early_window(study: str, evidence: Evidence) -> tuple[float, float]:
    """Return the months between which early failures come.

    The smaller and the larger of two uniform draws are expected at a third and two thirds of the
    range, which gives its ends from the two published days.
    """
    days = [printed(evidence, study, EARLY_DAYS, name) for name in EARLY_ORDER]
    if any(figure is None for figure in days):
        days = [evidence.figure(f"{SOURCE_STUDY}/{EARLY_DAYS}/{name}") for name in EARLY_ORDER]
    first, second = sorted(figure.value or 0.0 for figure in days if figure is not None)
    apart = max(second - first, 1.0)
    ends = max(first - apart, 0.0), min(second + apart, LATE_MONTH * DAYS_PER_MONTH)
    return ends[0] / DAYS_PER_MONTH, ends[1] / DAYS_PER_MONTH


def hardware_hazard(study: str, values: Mapping[str, float], evidence: Evidence) -> HardwareHazard:
    """Return the hazard of a series from the natural values of its parameters."""
    window = early_window(study, evidence)
    return HardwareHazard(values["hardware_early"], window, values["hardware_late"])


def _risk_groups(evidence: Evidence, female: float) -> tuple[FloatArray, FloatArray]:
    """Return share and hazard ratio of each combination of the risk factors."""
    shares = (
        evidence["share_chest_wall_resection"],
        evidence["share_construct_levels_above_6"],
        female,
    )
    weights, ratios = np.ones(1), np.ones(1)
    for name, share in zip(RISK_FACTORS, shares, strict=True):
        weights = np.concatenate([weights * (1 - share), weights * share])
        ratios = np.concatenate([ratios, ratios * evidence[f"hardware_hr_{name}"]])
    return weights, ratios


def hardware_incidence(
    hazard: HardwareHazard,
    evidence: Evidence,
    female: float,
    months: FloatArray,
    alive: FloatArray,
) -> FloatArray:
    """Return the cumulative incidence of hardware failure, death competing.

    Parameters
    ----------
    hazard
        Hazard without any risk factor.
    evidence
        Registry with the risk factors' shares and hazard ratios.
    female
        Share of women.
    months, alive
        Grid and overall survival on it; failure does not depend on the risk of death.
    """
    weights, ratios = _risk_groups(evidence, female)
    intact = np.exp(-ratios[:, None] * hazard.cumulative(months))
    between = (alive[1:] + alive[:-1]) / 2
    entering = weights @ -np.diff(intact, axis=1) * between
    return np.concatenate([[0.0], np.cumsum(entering)])


def early_failure_day(
    position: int,
    hazard: HardwareHazard,
    evidence: Evidence,
    female: float,
    months: FloatArray,
    alive: FloatArray,
) -> float:
    """Return the expected day of the first or the second of two early failures.

    Parameters
    ----------
    position
        Position in `EARLY_ORDER`.
    hazard, evidence, female, months, alive
        As in `hardware_incidence`.
    """
    fine = np.linspace(*hazard.early_months, EARLY_NODES + 1)
    seen = hardware_incidence(hazard, evidence, female, fine, np.interp(fine, months, alive))
    share = seen / seen[-1]
    # P(the first > t) = (1 - F)^2, P(the second > t) = 1 - F^2.
    later = (1 - share) ** 2 if position == 0 else 1 - share**2
    mean = fine[0] + np.sum(np.diff(fine) * (later[1:] + later[:-1]) / 2)
    return float(mean * DAYS_PER_MONTH)


def reoperation_share(study: str, evidence: Evidence) -> float:
    """Return the share of failures that are operated again."""
    figure = printed(evidence, study, "hardware_reoperation")
    return printed_share(figure or evidence.figure(f"{SOURCE_STUDY}/hardware_reoperation"))


def draw_hardware(
    table: pd.DataFrame,
    patient: npt.NDArray[np.intp],
    hazard: HardwareHazard,
    evidence: Evidence,
    generator: np.random.Generator,
    reoperated: float,
) -> dict[str, Any]:
    """Draw months and event of hardware failure of each row, and reoperation.

    A patient has one construct, so the lesions of one patient share it; without an operation
    there is no hardware to fail.

    Parameters
    ----------
    table
        Rows with ``procedure``, the three risk factors, ``os_months`` and ``death``.
    patient
        Patient of each row.
    hazard
        Hazard without any risk factor.
    evidence
        Registry with the assumed hazard ratios.
    generator
        Source of randomness.
    reoperated
        Share of failures that are operated again.
    """
    ratio = np.ones(len(table))
    present = (
        table["chest_wall_resection"].to_numpy(dtype=bool),
        table["construct_levels"].to_numpy() > LONG_CONSTRUCT,
        table["sex"].to_numpy() == "female",
    )
    for name, rows in zip(RISK_FACTORS, present, strict=True):
        ratio = np.where(rows, ratio * evidence[f"hardware_hr_{name}"], ratio)
    count = int(patient[-1]) + 1
    exponential = generator.standard_exponential(count)[patient]
    latent = hazard.months(exponential / ratio)
    latent = np.where(table["procedure"].to_numpy() == "none", np.inf, latent)
    end = table["os_months"].to_numpy(dtype=np.float64)
    failed = latent < end
    event = np.where(failed, 1, np.where(table["death"].to_numpy() == 1, 2, 0))
    again = failed & (generator.random(count)[patient] < reoperated)
    return {
        "hardware_months": np.where(failed, latent, end),
        "hardware_event": event.astype(np.int8),
        "hardware_reoperation": again,
    }
