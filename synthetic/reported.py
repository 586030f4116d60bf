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
from outcomes.schema import DAYS_PER_MONTH
from outcomes.synthetic.complications import RADIATION
from outcomes.synthetic.estimands import ARM_SIZES, RANGE_ENDS, SETTLED
from outcomes.synthetic.fractures import CLASSES, TIME
from outcomes.synthetic.function import GRADES
from outcomes.synthetic.hardware import EARLY_DAYS, EARLY_ORDER, LATE_MONTH
from outcomes.synthetic.operation import COLUMNS as OPERATION
from outcomes.synthetic.perioperative import FRACTURES, MEDIAN
from outcomes.synthetic.perioperative import QUANTITIES as PERIOPERATIVE
from outcomes.synthetic.series import COMPLICATION_KINDS


def _arm(figure: Figure, cohort: pd.DataFrame) -> pd.DataFrame:
    return cohort[cohort["study_arm"] == figure.arm] if figure.arm else cohort


def _patients(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a patient."""
    return table[table["lesion"] == 1] if "lesion" in table.columns else table


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
    months = cohort["hardware_months"][failed]
    if figure.quantity == "hardware_failure_after_3m":
        return float((months > LATE_MONTH).mean())
    if figure.quantity == "hardware_reoperation":
        return float(cohort["hardware_reoperation"][failed].mean())
    if figure.quantity == EARLY_DAYS:
        early = months[months <= LATE_MONTH]
        position = EARLY_ORDER.index(figure.arm)
        return DAYS_PER_MONTH * _extreme(early, len(EARLY_ORDER), first=position == 0)
    return float(failed.mean())


def _extreme(values: "pd.Series[float]", n: int, *, first: bool) -> float:
    """Return the smallest or largest of n of the values, on average over all ways to draw them."""
    ordered = np.sort(values.to_numpy(dtype=np.float64))
    if ordered.size == 0:
        return float("nan")
    share = np.arange(ordered.size + 1) / ordered.size
    chance = np.diff(1 - (1 - share) ** n if first else share**n)
    return float(ordered @ chance)


def _fracture(figure: Figure, cohort: pd.DataFrame) -> float:
    broken = cohort[cohort["fracture_event"] == 1]
    if figure.quantity == TIME:
        return float((broken["fracture_months"] - broken["sbrt_start_months"].fillna(0)).mean())
    single = broken["dose_regimen"] == "single_24"
    if figure.arm in CLASSES:
        return float((single == (figure.arm == CLASSES[0])).mean())
    return len(_arm(figure, broken)) / len(_arm(figure, cohort))


def _range_end(figure: Figure, cohort: pd.DataFrame) -> float:
    quantity, _, end = figure.quantity.rpartition("_")
    first = end == RANGE_ENDS[0]
    if quantity == "time_of_progression_range":
        seen = cohort["lp_months"][cohort["lp_event"] == 1]
        return _extreme(seen, figure.n or len(seen), first=first)
    if quantity == "follow_up_range":
        months = cohort["os_months"][cohort["death"] == 0]
    else:
        months = cohort["sbrt_start_months"][cohort["procedure"] != "none"]
    return float(months.min() if first else months.max())


def _step(cohort: pd.DataFrame, position: int) -> float:
    before, after = (
        pd.Index(GRADES).get_indexer(pd.Index(cohort[name]))
        for name in ("frankel", "frankel_after")
    )
    return float((np.sign(after - before) == position).mean())


def _score(figure: Figure, cohort: pd.DataFrame) -> float:
    """Return mean, standard deviation or median of what patients score."""
    quantity = figure.quantity.removesuffix("_sd").removesuffix("_median")
    if quantity == "vas_decrease":
        scores = (cohort["vas_before"] - cohort["vas_after"]).dropna().round(1)
    else:
        scores = cohort[OPERATION.get(quantity, quantity)].dropna()
    if figure.quantity == MEDIAN:
        return float(scores.median())
    return float(scores.std(ddof=0) if figure.quantity.endswith("_sd") else scores.mean())


def reported(figure: Figure, cohort: pd.DataFrame, size: float | None = None) -> float:
    """Return what a cohort of the figure's series reports, in the figure's unit.

    Percentages are on the scale of 100, counts in patients out of the figure's `n`; nan where
    the cohort holds no one it could be computed from.

    Parameters
    ----------
    figure
        A figure of one number, as `numeric_figures` gives them.
    cohort
        Patients of the series.
    size
        Published number of rows, out of which arms are counted; by default the figure's `n`.

    Raises
    ------
    CalibrationError
        If the quantity cannot be computed from a cohort.
    """
    value = _value(figure, cohort)
    if figure.unit == "percent":
        return 100 * value
    if figure.estimand != "count":
        return value
    if figure.quantity in ARM_SIZES and size is not None:
        return size * value
    return (figure.n or 0) * value


SHARES: Mapping[str, Callable[[pd.DataFrame], float]] = {
    "pain_relief": lambda c: float(c["pain_relief"].mean()),
    "frankel_worse": lambda c: _step(c, -1),
    "frankel_stable": lambda c: _step(c, 0),
    "frankel_improved": lambda c: _step(c, 1),
    **{
        f"muscle_strength_{change}": partial(
            lambda c, change: float((c["muscle_strength_change"] == change).mean()), change=change
        )
        for change in ("decreased", "unchanged", "recovered")
    },
    **{
        name: partial(lambda c, column: float(c[column].mean()), column=column)
        for column, names in (
            *((kind, (kind,)) for kind in ("complication", *COMPLICATION_KINDS)),
            *RADIATION.items(),
        )
        for name in names
    },
}


def _value(figure: Figure, cohort: pd.DataFrame) -> float:
    quantity = figure.quantity
    if quantity in FRACTURES:
        return _fracture(figure, _patients(cohort))
    if quantity.startswith("hardware_"):
        return _hardware(figure, cohort)
    if quantity in SETTLED:
        return _range_end(figure, _patients(cohort))
    arm = _arm(figure, cohort)
    if quantity == "patients" and not figure.arm:
        return len(_patients(cohort)) / len(cohort)
    if quantity in ARM_SIZES:
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
    # The rest is the patient's, not the lesion's.
    arm = _patients(arm)
    if quantity in SHARES:
        return SHARES[quantity](arm)
    if quantity in PERIOPERATIVE:
        return _score(figure, arm)
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
