"""What a cohort of patients reports: each published quantity computed from data.

The mirror of `estimands`, which computes the same from the calibrated truth; both must agree.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd

from outcomes.arrays import BoolArray
from outcomes.curves import aalen_johansen, kaplan_meier
from outcomes.errors import CalibrationError
from outcomes.evidence import Figure
from outcomes.synthetic.series import REGIMENS


def _has_regimen(name: str, cohort: pd.DataFrame) -> "pd.Series[bool]":
    return cohort["dose_regimen"] == name


ARMS: Mapping[str, Callable[[pd.DataFrame], "pd.Series[bool]"]] = {
    **{name: partial(_has_regimen, name) for name in REGIMENS},
    "alone": lambda c: ~c["sbrt"],
    "sbrt": lambda c: c["sbrt"],
    "aggressive": lambda c: c["resection"] == "aggressive",
    "moderate": lambda c: c["resection"] == "moderate",
    "sbrt_alone": lambda c: c["procedure"] == "none",
    "surgery_sbrt": lambda c: c["procedure"] != "none",
}


def _arm(figure: Figure, cohort: pd.DataFrame) -> pd.DataFrame:
    if not figure.arm:
        return cohort
    if figure.arm not in ARMS:
        raise CalibrationError(f"{figure.id}: unknown arm; allowed: {', '.join(ARMS)}")
    return cohort[ARMS[figure.arm](cohort)]


def _summary(figure: Figure, months: "pd.Series[float]", where: BoolArray) -> float:
    """Return the share of rows, or the median, mean or spread of their months."""
    if figure.estimand in ("crude_proportion", "count"):
        return float(where.mean())
    seen = months[where]
    if figure.estimand == "median_among_observed":
        return float(seen.median())
    return float(seen.std(ddof=0)) if figure.quantity.endswith("_sd") else float(seen.mean())


def _progression(figure: Figure, cohort: pd.DataFrame) -> float:
    time, event = cohort["lp_months"].to_numpy(), cohort["lp_event"].to_numpy()
    if figure.estimand == "cumulative_incidence":
        return float(
            aalen_johansen(time, event, causes=(1, 2)).incidence_at(1, figure.at_month or 0.0)
        )
    if figure.estimand in ("kaplan_meier", "kaplan_meier_complement"):
        control = float(kaplan_meier(time, event == 1).survival_at(figure.at_month or 0.0))
        return control if figure.estimand == "kaplan_meier" else 1 - control
    return _summary(figure, cohort["lp_months"], event == 1)


def _survival(figure: Figure, cohort: pd.DataFrame) -> float:
    curve = kaplan_meier(cohort["os_months"].to_numpy(), cohort["death"].to_numpy() == 1)
    if figure.estimand == "kaplan_meier_median":
        return float(curve.median().value)
    return float(curve.survival_at(figure.at_month or 0.0))


def _hardware(figure: Figure, cohort: pd.DataFrame) -> float:
    failed = cohort["hardware_event"].to_numpy() == 1
    if figure.quantity == "hardware_failure_after_3m":
        return float((cohort["hardware_months"][failed] > 3).mean())
    return float(failed.mean())


def reported(figure: Figure, cohort: pd.DataFrame) -> float:
    """Return what a cohort of the figure's series reports, in the figure's unit.

    Percentages are on the scale of 100, counts in patients out of the figure's `n`.

    Raises
    ------
    CalibrationError
        If the quantity cannot be computed from a cohort.
    """
    value = _value(figure, cohort)
    if figure.unit == "percent":
        return 100 * value
    return (figure.n or 0) * value if figure.estimand == "count" else value


def _value(figure: Figure, cohort: pd.DataFrame) -> float:
    quantity, arm = figure.quantity, _arm(figure, cohort)
    if quantity in ("patients", "lesions", "dose_regimen"):
        return len(arm) / len(cohort)
    if quantity == "local_control_crude":
        return float((arm["lp_event"] != 1).mean())
    if quantity.startswith(("local_progression", "local_control", "time_of_progression")):
        return _progression(figure, arm)
    if quantity.startswith("overall_survival"):
        return _survival(figure, arm)
    if quantity == "follow_up_median" and figure.estimand == "kaplan_meier_median":
        # Reversed: deaths censor the follow-up.
        lived = arm["death"].to_numpy() == 0
        return float(kaplan_meier(arm["os_months"].to_numpy(), lived).median().value)
    if quantity.startswith("hardware_failure"):
        return _hardware(figure, arm)
    # Deaths and follow-up are the patient's, not the lesion's.
    if "lesion" in arm.columns:
        arm = arm[arm["lesion"] == 1]
    died, lp_event = arm["death"].to_numpy() == 1, arm["lp_event"].to_numpy()
    everyone = np.ones(len(arm), dtype=bool)
    wheres = {
        "died_without_progression": lp_event == 2,
        "time_of_death_without_progression": lp_event == 2,
        "alive_without_progression": lp_event == 0,
        "follow_up_alive_without_progression": lp_event == 0,
        "deaths": died,
        "survivors": ~died,
        "follow_up_died": died,
        "follow_up_survived": ~died,
        "follow_up_survived_sd": ~died,
        "follow_up_mean": everyone,
        "follow_up_median": everyone,
    }
    if quantity not in wheres:
        raise CalibrationError(f"{figure.id}: cannot be computed from a cohort")
    return _summary(figure, arm["os_months"], wheres[quantity])
